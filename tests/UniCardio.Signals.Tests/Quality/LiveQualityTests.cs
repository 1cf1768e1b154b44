using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;
using UniCardio.Tests;
using Xunit;

namespace UniCardio.Signals.Tests.Quality;

/// <summary>The index of a live signal is that of the recording.</summary>
public class LiveQualityTests
{
    private const int Rate = QualityTrack.WorkRate;

    [Theory]
    [InlineData(ChannelKind.Ecg, SignalUnit.Millivolts)]
    [InlineData(ChannelKind.Ppg, "")]
    [InlineData(ChannelKind.BloodPressure, SignalUnit.MillimetresOfMercury)]
    public void AliveSignalHasTheIndexOfItsRecording(ChannelKind kind, string unit)
    {
        float[] signal = Spoiled(kind, 7);
        QualityTrack track = QualityTrack.Of(kind, signal, Rate, unit);
        var live = new LiveQuality(kind, unit);
        int close = 0, same = 0, count = 0;
        // Blocks of 37 samples: a second ends inside a block.
        for (int at = 0; at < signal.Length; at += 37)
        {
            int before = live.Seconds;
            live.Push(signal.AsSpan(at, Math.Min(37, signal.Length - at)));
            if (live.Seconds == before || double.IsNaN(live.Index))
                continue;
            count++;
            int s = live.Seconds - 1;
            close += Math.Abs(live.Index - track.Index[s]) < 0.1 ? 1 : 0;
            same += live.Index >= QualityTrack.Readable == track.Index[s] >= QualityTrack.Readable ? 1 : 0;
        }

        Assert.Equal(track.Seconds - LiveQuality.LagSeconds - 9, count);
        // The second detector's threshold is that of 19 s rather than of the recording: agreement may differ where noise begins and ends.
        Assert.True(close >= 0.9 * count, $"{close} of {count} seconds within 0.1");
        Assert.True(same >= 0.97 * count, $"{same} of {count} seconds on the same side");
    }

    [Fact]
    public void NothingIsAllocated()
    {
        float[] signal = Spoiled(ChannelKind.BloodPressure, 3);
        var live = new LiveQuality(ChannelKind.BloodPressure, SignalUnit.MillimetresOfMercury);
        live.Push(signal.AsSpan(0, 60 * Rate));
        int at = 60 * Rate;
        Assert.Equal(0, Allocations.Of(() =>
        {
            live.Push(signal.AsSpan(at, 20 * Rate));
            at += 20 * Rate;
        }));
    }

    [Fact]
    public void AFlatLineAndNoSamplesHaveNoIndexButReasons()
    {
        var live = new LiveQuality(ChannelKind.Ecg, SignalUnit.Millivolts);
        live.Push(new float[20 * Rate]);
        Assert.Equal(0, live.Index);
        Assert.Equal(QualityReasons.Flat | QualityReasons.NoBeats, live.Reasons & (QualityReasons.Flat | QualityReasons.NoBeats));
        float[] nothing = new float[20 * Rate];
        Array.Fill(nothing, float.NaN);
        live.Push(nothing);
        Assert.Equal(QualityReasons.Missing, live.Reasons & QualityReasons.Missing);
        Assert.Equal(0, live.Index);
    }

    private static float[] Spoiled(ChannelKind kind, ulong seed)
    {
        SyntheticRecording heart = new CardiovascularSynthesizer().Generate(SynthesisParameters.Draw(seed, Rate), 180 * Rate, seed);
        float[] signal = [.. kind switch { ChannelKind.Ecg => heart.Ecg, ChannelKind.Ppg => heart.Ppg, _ => heart.BloodPressure }];
        CorruptionEpisodes.Apply(signal, kind, Rate, 0.4, 20, seed);
        return signal;
    }
}
