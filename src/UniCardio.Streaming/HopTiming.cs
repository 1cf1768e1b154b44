using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Streaming;

/// <summary>A session's times in ticks and in samples at 125 Hz.</summary>
/// <remarks>
/// Hop n of a segment ends at sample B(n) = floor(n hop 125 Hz), counted from the segment's origin, so hops of 0.5 s have 62 and 63
/// samples in turn. Its window is the S samples before B(n), its frame the samples from B(n-1) - fade to B(n) - fade.
/// </remarks>
internal sealed class HopTiming
{
    public const long SampleTicks = TimeSpan.TicksPerSecond / Rate;
    private const int Rate = (int)NetworkSignal.Rate;

    public HopTiming(StreamingSessionOptions options, int slotSamples)
    {
        SlotSamples = slotSamples;
        WindowSamples = Math.Min(slotSamples, ToSamples(options.Window!.Value));
        FadeSamples = ToSamples(options.Fade);
        HopTicks = options.Hop.Ticks;
        MaxHop = (int)(HopTicks / SampleTicks) + 1;
        LatenessTicks = options.MaximumLateness.Ticks;
        JumpTicks = options.ClockJump.Ticks;
        MaxBlockTicks = options.MaxBlock.Ticks;
        ImputeSamples = ToSamples(options.ImputeFor);
    }

    /// <summary>Samples S that the network takes.</summary>
    public int SlotSamples { get; }

    /// <summary>Samples that a window looks back.</summary>
    public int WindowSamples { get; }

    public int FadeSamples { get; }

    public int ImputeSamples { get; }

    public long HopTicks { get; }

    /// <summary>Most samples of a hop.</summary>
    public int MaxHop { get; }

    public long LatenessTicks { get; }

    public long JumpTicks { get; }

    public long MaxBlockTicks { get; }

    /// <summary>Most samples of a frame: the last one of a segment may have a hop, a fade, and what a channel's last period adds.</summary>
    public int MaxFrame => MaxHop + FadeSamples + 8;

    /// <summary>Seconds of a channel that can lie between the start of the oldest window still to be read and the newest sample.</summary>
    public double RetainedSeconds(double reachSeconds) =>
        (SlotSamples / (double)Rate) + (2 * reachSeconds)
            + ((HopTicks + LatenessTicks + MaxBlockTicks) / (double)TimeSpan.TicksPerSecond) + 1;

    /// <summary>B(n), the end of hop n.</summary>
    public long Boundary(long hop) => hop * HopTicks * Rate / TimeSpan.TicksPerSecond;

    /// <summary>
    /// Where a segment begins whose first block has that time: early enough for blocks before it that are still under way, by whole
    /// samples.
    /// </summary>
    public long Origin(long firstTime) => firstTime - ((LatenessTicks + SampleTicks - 1) / SampleTicks * SampleTicks);

    private static int ToSamples(TimeSpan time) => (int)(time.Ticks / SampleTicks);
}
