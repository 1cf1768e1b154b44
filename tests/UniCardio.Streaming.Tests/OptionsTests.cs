using UniCardio.Engine;
using UniCardio.Engine.Model;

namespace UniCardio.Streaming.Tests;

public class OptionsTests
{
    private static readonly TimeSpan Slot = TimeSpan.FromSeconds(4);
    private static readonly StreamingSessionOptions Sound =
        new() { Ppg = new ChannelOptions(), Bp = new ChannelOptions(250), Ecg = new ChannelOptions(500) };

    [Fact]
    public void DefaultsAreReplacedByWhatTheyStandFor()
    {
        StreamingSessionOptions resolved = Sound.Resolve(Slot);
        Assert.Equal(Slot, resolved.Window);
        Assert.Equal((0f, 300f, 5f), (resolved.Bp!.MinValue!.Value, resolved.Bp.MaxValue!.Value, resolved.Bp.MinSpan!.Value));
        Assert.Equal((-50f, 50f, 0.02f), (resolved.Ecg!.MinValue!.Value, resolved.Ecg.MaxValue!.Value, resolved.Ecg.MinSpan!.Value));
        Assert.Equal(0.9 / 250, resolved.Bp.JitterSeconds);
        // What was resolved stands as it is when resolved again, as it is when a checkpoint is read.
        Assert.Equal(resolved, resolved.Resolve(Slot));
    }

    public static TheoryData<string, StreamingSessionOptions> Unsound => new()
    {
        { "channels", new StreamingSessionOptions() },
        { "ppg", Sound with { Ppg = new ChannelOptions(24) } },
        { "ecg", Sound with { Ecg = new ChannelOptions(double.NaN) } },
        { "bp", Sound with { Bp = new ChannelOptions { MinValue = float.NaN } } },
        { "bp", Sound with { Bp = new ChannelOptions { MinValue = 100, MaxValue = 100 } } },
        { "bp", Sound with { Bp = new ChannelOptions { MinSpan = -1 } } },
        { "ppg", Sound with { Ppg = new ChannelOptions { FlatSeconds = 0 } } },
        { "ppg", Sound with { Ppg = new ChannelOptions { FlatTolerance = float.PositiveInfinity } } },
        { "ppg", Sound with { Ppg = new ChannelOptions { ClippedOnceSeconds = 0.01 } } },
        { "ppg", Sound with { Ppg = new ChannelOptions { JitterSeconds = 1 } } },
        { "generate", Sound with { Generate = (ModalitySet)8 } },
        { "denoise", Sound with { Denoise = (ModalitySet)(-1) } },
        { "window", Sound with { Window = TimeSpan.FromSeconds(1) } },
        { "window", Sound with { Window = TimeSpan.FromSeconds(5) } },
        { "hop", Sound with { Hop = TimeSpan.FromMilliseconds(10) } },
        { "hop", Sound with { Hop = TimeSpan.FromSeconds(3) } },
        { "fade", Sound with { Fade = TimeSpan.FromSeconds(0.5) } },
        { "maximum lateness", Sound with { MaximumLateness = TimeSpan.FromSeconds(-1) } },
        { "clock jump", Sound with { ClockJump = TimeSpan.Zero } },
        { "clock jump", Sound with { ClockJump = TimeSpan.FromSeconds(1), MaximumLateness = TimeSpan.FromSeconds(1) } },
        { "longest block", Sound with { MaxBlock = TimeSpan.FromHours(1) } },
        { "impute for", Sound with { ImputeFor = TimeSpan.FromSeconds(5) } },
        { "min coverage", Sound with { MinCoverage = double.NaN } },
        { "bridged gap", Sound with { BridgedGap = TimeSpan.FromSeconds(1) } },
        { "deadline", Sound with { Deadline = TimeSpan.FromDays(1) } },
        { "frame queue", Sound with { FrameQueue = 0 } },
        { "draws", Sound with { Sampling = new LiveSampling { Draws = 0 } } },
        { "sampling", Sound with { Sampling = null! } },
    };

    [Theory]
    [MemberData(nameof(Unsound))]
    public void WhatIsOutOfRangeIsNamed(string setting, StreamingSessionOptions options) =>
        Assert.Equal(setting, Assert.Throws<ConfigurationException>(() => options.Resolve(Slot)).Setting);

    [Theory]
    [InlineData("max batch", 0, 1, 64)]
    [InlineData("max sessions", 1, 0, 64)]
    [InlineData("max waiting hops", 1, 1, 7)]
    public void AHostsOptionsToo(string setting, int batch, int sessions, int hops)
    {
        var options = new StreamingHostOptions { MaxBatch = batch, MaxSessions = sessions, MaxWaitingHops = hops };
        Assert.Equal(setting, Assert.Throws<ConfigurationException>(options.Validate).Setting);
    }
}
