using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;
using UniCardio.Tests;

namespace UniCardio.Signals.Tests.Patient;

public class AnaloguesTests
{
    private const int Samples = 7500;

    private static (float[] Given, float[] Truth) Hidden(float[] truth, SampleRange gap)
    {
        float[] given = [.. truth];
        given.AsSpan(gap.Start, gap.Length).Fill(float.NaN);
        return (given, truth);
    }

    private static double Error(ReadOnlySpan<double> wave, float[] truth, SampleRange gap) =>
        OwnBeatTests.Error(wave.ToArray(), truth.AsSpan(gap.Start, gap.Length));

    // A pulse a second whose height drifts by half within the minute: no mean beat has the height that the edges show, a regression on
    // them does.
    [Fact]
    public void ADriftingHeightIsCarriedIn()
    {
        float[] truth = [.. Enumerable.Range(0, Samples).Select(i =>
            (float)((1 + (0.5 * i / Samples)) * Math.Pow(Math.Sin(Math.PI * i / 125), 4)))];
        var gap = new SampleRange(3000, 100);
        (float[] given, _) = Hidden(truth, gap);
        double[] wave = new double[gap.Length], deviation = new double[gap.Length];
        Assert.True(new Analogues(Samples, 200).Estimate(given, default, default, gap, wave, deviation));
        // Its own spread is 0.35 of the height; an evenly averaged beat misses the drift's 0.05 where the gap is off the middle.
        Assert.True(Error(wave, truth, gap) < 0.02, $"{Error(wave, truth, gap)}");
    }

    // Distances over the variance of so small a signal leave float32.
    [Theory]
    [InlineData(1e-20f)]
    [InlineData(1e-30f)]
    [InlineData(1e30f)]
    public void ASignalBeyondFloat32sSquaresIsToldFinitelyOrNotAtAll(float scale)
    {
        var gap = new SampleRange(3000, 100);
        (float[] given, _) = Hidden([.. Enumerable.Range(0, Samples).Select(i => scale * (float)Math.Sin(2 * Math.PI * i / 125))], gap);
        double[] wave = new double[gap.Length], deviation = new double[gap.Length];
        if (new Analogues(Samples, 200).Estimate(given, default, default, gap, wave, deviation))
            Assert.All([.. wave, .. deviation], x => Assert.True(double.IsFinite(x)));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(150)]
    [InlineData(375)]
    public void ErrsByLessThanHalfOfALineOnSyntheticSubjects(int length)
    {
        double own = 0, line = 0;
        for (int subject = 0; subject < 4; subject++)
        {
            PatientSignals truth = OwnBeatTests.Subject(subject, 90);
            var gap = new SampleRange(5000, length);
            PatientSignals given = truth.Hide(ChannelKind.BloodPressure, gap);
            double[] wave = new double[length], deviation = new double[length];
            Assert.True(new Analogues(given.Length, length).Estimate(given[ChannelKind.BloodPressure], given[ChannelKind.Ppg],
                given[ChannelKind.Ecg], gap, wave, deviation));
            Assert.All(wave, x => Assert.True(double.IsFinite(x)));
            Assert.All(deviation, x => Assert.True(x >= 0));
            float[] pressure = truth[ChannelKind.BloodPressure].ToArray();
            own += Error(wave, pressure, gap);
            double[] straight = [.. Enumerable.Range(1, length).Select(i => pressure[gap.Start - 1]
                + ((pressure[gap.End] - (double)pressure[gap.Start - 1]) * i / (length + 1)))];
            line += Error(straight, pressure, gap);
        }

        Assert.True(own < 0.5 * line, $"{own} and {line}");
    }

    // What is hidden is NaN, so that nothing of it can be looked at; what is missing elsewhere is passed by.
    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(7350)]
    public void GapsAtTheEndsAndMissingSamplesGiveFiniteValuesOrNone(int start)
    {
        float[] truth = OwnBeatTests.Subject(5, 60)[ChannelKind.Ppg].ToArray();
        (float[] given, _) = Hidden(truth, new SampleRange(start, 150));
        for (int i = 500; i < 7000; i += 611)
            given[i] = float.NaN;
        double[] wave = new double[150], deviation = new double[150];
        Assert.True(new Analogues(Samples, 150).Estimate(given, default, default, new SampleRange(start, 150), wave, deviation));
        Assert.All(wave, x => Assert.True(double.IsFinite(x)));
    }

    [Fact]
    public void TooLittleGivesNothing()
    {
        var analogues = new Analogues(Samples, 200);
        double[] wave = new double[200], deviation = new double[200];
        float[] none = new float[Samples], flat = new float[Samples];
        Array.Fill(none, float.NaN);
        Assert.False(analogues.Estimate(none, default, default, new SampleRange(100, 50), wave, deviation));
        Assert.False(analogues.Estimate(flat, default, default, new SampleRange(100, 50), wave, deviation));
        float[] brief = OwnBeatTests.Subject(1, 10)[ChannelKind.Ppg][..260].ToArray();
        Assert.False(analogues.Estimate(brief, default, default, new SampleRange(100, 50), wave, deviation));
        Assert.False(analogues.Estimate(none, default, default, new SampleRange(100, 201), wave, deviation));
        // Three seconds and more without another signal: no two moments are alike for so long.
        var whole = new Analogues(Samples, 750);
        float[] alone = OwnBeatTests.Subject(1, 60)[ChannelKind.Ppg].ToArray();
        Assert.False(whole.Estimate(alone, default, default, new SampleRange(1000, Analogues.LongestAlone + 1), new double[750],
            new double[750]));
    }

    [Fact]
    public void NothingIsAllocatedAfterConstruction()
    {
        PatientSignals subject = OwnBeatTests.Subject(2, 60);
        float[] target = subject[ChannelKind.BloodPressure].ToArray(), other = subject[ChannelKind.Ppg].ToArray();
        var gap = new SampleRange(7200, 125);
        target.AsSpan(gap.Start, gap.Length).Fill(float.NaN);
        var analogues = new Analogues(Samples, 125);
        double[] wave = new double[125], deviation = new double[125];
        Assert.Equal(0, Allocations.Of(() => analogues.Estimate(target, other, default, gap, wave, deviation)));
    }
}
