using FsCheck;
using FsCheck.Fluent;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Tests.Beats;

/// <summary>What changes nothing about the beats: the pieces that a signal comes in, its gain and offset, a shift in time, its sample
/// rate.</summary>
public class BeatPropertyTests
{
    private static readonly SyntheticRecording Heart =
        new CardiovascularSynthesizer().Generate(new SynthesisParameters { HeartRate = 84, VentricularEctopy = 0.1 }, 40 * 250, 3);

    private static float[] Signal(bool pulse) => pulse ? Heart.BloodPressure : Heart.Ecg;

    private static ChannelKind Kind(bool pulse) => pulse ? ChannelKind.BloodPressure : ChannelKind.Ecg;

    [Fact]
    public void ThePiecesDoNotMatter() =>
        Prop.ForAll<bool, PositiveInt, PositiveInt>(CheckThe_pieces_do_not_matter).Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    private static void CheckThe_pieces_do_not_matter(bool pulse, PositiveInt first, PositiveInt second)
    {
        float[] signal = Signal(pulse);
        var detector = new BeatDetector(Kind(pulse), 125);
        var found = new List<Beat>();
        for (int at = 0, turn = 0; at < signal.Length; turn++)
        {
            int length = Math.Min(signal.Length - at, turn % 2 == 0 ? first.Get : second.Get);
            detector.Push(signal.AsSpan(at, length));
            at += length;
            while (detector.TryRead(out Beat beat))
                found.Add(beat);
        }
        detector.Complete();
        while (detector.TryRead(out Beat beat))
            found.Add(beat);
        Assert.True(found.Count > 40);
        Assert.Equal(BeatSeries.Of(signal, 125, Kind(pulse)).Beats, found);
    }

    [Fact]
    public void GainAndOffsetDoNotMatter() =>
        Prop.ForAll<bool, byte, sbyte>(CheckGain_and_offset_do_not_matter).Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    private static void CheckGain_and_offset_do_not_matter(bool pulse, byte gain, sbyte offset)
    {
        // In float32 an offset of twice the signal's height leaves it 22 bits: peaks of equal height may swap, by a sample.
        float scale = MathF.Pow(2, (gain % 13) - 6);
        float[] other = [.. Signal(pulse).Select(x => (x + (offset / 64f)) * scale)];
        Near(BeatSeries.Of(Signal(pulse), 125, Kind(pulse)).Times(), BeatSeries.Of(other, 125, Kind(pulse)).Times(), 0.009);
    }

    [Fact]
    public void AShiftInTimeShiftsTheBeats() =>
        Prop.ForAll<bool, byte>(CheckA_shift_in_time_shifts_the_beats).Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    private static void CheckA_shift_in_time_shifts_the_beats(bool pulse, byte shift)
    {
        float[] signal = Signal(pulse), later = [.. Enumerable.Repeat(signal[0], shift), .. signal];
        // Decisions fall on the same instants of the signal, since time counts from its first event.
        double[] moved = [.. BeatSeries.Of(later, 125, Kind(pulse)).Times().Select(t => t - (shift / 125.0))];
        // A pulse that the beginning cuts off has a foot where the signal stands still before it.
        Near([.. BeatSeries.Of(signal, 125, Kind(pulse)).Times().Where(t => t > 1)], [.. moved.Where(t => t > 1)], 0.009);
    }

    [Fact]
    public void TheRateDoesNotMatter() =>
        Prop.ForAll<bool, byte>(CheckThe_rate_does_not_matter).Check(Config.QuickThrowOnFailure.WithMaxTest(10));

    private static void CheckThe_rate_does_not_matter(bool pulse, byte rate)
    {
        double other = new[] { 100.0, 200, 250, 360, 500, 1000 }[rate % 6];
        float[] resampled = new Resampler(125, other).Resample(Signal(pulse));
        // A sample of the slowest, and the foot of a pulse is round.
        Near([.. BeatSeries.Of(Signal(pulse), 125, Kind(pulse)).Times().Where(t => t is > 1 and < 79)],
            [.. BeatSeries.Of(resampled, other, Kind(pulse)).Times().Where(t => t is > 1 and < 79)], pulse ? 0.05 : 0.02);
    }

    private static void Near(double[] expected, double[] actual, double tolerance)
    {
        BeatAgreement a = BeatAgreement.Compare(expected, actual, tolerance);
        Assert.True(a.FalseNegatives + a.FalsePositives == 0 && a.TruePositives > 40, $"{a}");
    }
}
