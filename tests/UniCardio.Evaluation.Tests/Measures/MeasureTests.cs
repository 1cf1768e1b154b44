using UniCardio.Evaluation.Measures;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Tests.Measures;

/// <summary>Measures against examples worked by hand.</summary>
public class MeasureTests
{
    [Fact]
    public void SpectralDistanceOfATwofoldAmplitudeIsSixDecibelsWhereThereIsPower()
    {
        // A Hann-tapered sine fills three bins; elsewhere both spectra lie below the floor, and the ratio there is near 1.
        float[] truth = Sine(5, 1), twice = Sine(5, 2);
        double distance = SpectralDistance.LogSpectral(twice, truth, 125)!.Value;
        // 0.5 to 40 Hz of 500 samples: bins 2 to 160. Mean power is (1 + 1/4 + 1/4) P / 159, so the floor is 9.4e-7 P: on three
        // bins the ratio is 4 to within 1e-5, 6.0206 dB, on the others 0: 6.0206 sqrt(3 / 159) = 0.827.
        Assert.InRange(distance, 0.826, 0.828);
        Assert.Equal(0, SpectralDistance.LogSpectral(truth, truth, 125));
    }

    [Fact]
    public void SpectralDistanceIsBlindToLevelAndDelay()
    {
        float[] truth = Sine(5, 1), moved = [.. Sine(5, 1, 0.05).Select(x => x + 3)];
        // A whole number of periods: only the rounding of float32 (4 + 3: 2e-7 of the amplitude, 60 dB below the floor) is left.
        Assert.InRange(SpectralDistance.LogSpectral(moved, truth, 125)!.Value, 0, 1e-3);
        Assert.Null(SpectralDistance.LogSpectral(truth, new float[500], 125));
        Assert.Throws<ArgumentException>(() => SpectralDistance.LogSpectral(truth, new float[499], 125));
    }

    [Fact]
    public void SpectralDistanceOfAFlatLineIsTheTruthOverItsFloor()
    {
        // Bins of the sine stand P / floor = 1 / 9.434e-7 (60.25 dB) and a quarter of it (54.23 dB, twice) above the floor of the flat
        // line.
        double expected = Math.Sqrt(((60.253 * 60.253) + (2 * 54.233 * 54.233)) / 159);
        Assert.InRange(SpectralDistance.LogSpectral(new float[500], Sine(5, 1), 125)!.Value, expected - 0.01, expected + 0.01);
    }

    [Fact]
    public void PeaksArePairedOnceAndCountedInTheirScope()
    {
        // At 100 Hz, 50 ms: 10-13 pair (30 ms), 40 is missed, 71 and 74 want the same one of 70: one pair, one false; 95 lies outside.
        PeakCounts counts = PeakCounts.Compare([10, 40, 70, 95], [13, 60, 71, 74, 96], new SampleRange(0, 90), 100, 0.05);
        Assert.Equal((2, 1, 2), (counts.Found, counts.Missed, counts.False));
        Assert.Equal(0.03 + 0.01, counts.ErrorSeconds, 12);
        Assert.Equal(4.0 / 7, counts.F1!.Value, 12);
        Assert.Equal(20, counts.TimingMilliseconds!.Value, 9);
    }

    [Fact]
    public void APeakAtTheEdgeOfAGapPairsWithOneOutsideIt()
    {
        // The true peak at 50 is in the gap, its pair at 48 is not: found, and nothing is false.
        Assert.Equal(new PeakCounts(1, 0, 0, 0.02), PeakCounts.Compare([50], [48], new SampleRange(49, 20), 100, 0.05));
        // The other way round nothing counts at all.
        Assert.Equal(default, PeakCounts.Compare([48], [50], new SampleRange(49, 20), 100, 0.05));
    }

    [Fact]
    public void PeaksWithoutAnyBeatHaveNoScore()
    {
        Assert.Null(default(PeakCounts).F1);
        Assert.Null(default(PeakCounts).TimingMilliseconds);
        Assert.Equal(0, new PeakCounts(0, 3, 0, 0).F1);
        Assert.Equal(new PeakCounts(3, 1, 2, 0.5), new PeakCounts(1, 1, 0, 0.2) + new PeakCounts(2, 0, 2, 0.3));
    }

    [Fact]
    public void AWindowWithoutTwoBeatsCountsWithTheWholeRate()
    {
        // 3 beats over 2 s at 125 Hz: 60 a minute.
        Assert.Equal(60, RateReading.OfBeats([10, 100, 260], 125));
        Assert.Null(RateReading.OfBeats([10], 125));
        Assert.Equal(5, new RateReading(60, 65).AbsoluteError);
        var failed = new RateReading(60, null);
        Assert.True(failed.Failed);
        Assert.Equal(60, failed.AbsoluteError);
    }

    [Fact]
    public void PressuresAreMeansOverThePulsesInScope()
    {
        Beat[] pulses = [new(20, 10, 120, 70, 1), new(70, 60, 126, 74, 1), new(120, 110, 150, 90, 1)];
        Assert.Equal(new PressureReading(123, 72), PressureReading.Of(pulses, new SampleRange(0, 100)));
        Assert.Equal(new PressureReading(126, null), PressureReading.Of(pulses, new SampleRange(65, 20)));
        Assert.Equal(new PressureError(-3, 4, false), PressureError.Of(new(123, 72), new(120, 76), 140, 60));
        Assert.Equal(new PressureError(17, -12, true), PressureError.Of(new(123, 72), new(null, null), 140, 60));
        Assert.Equal(new PressureError(null, 4, false), PressureError.Of(new(null, 72), new(null, 76), 140, 60));
    }

    [Fact]
    public void AgreementIsSetBesideTheNumericLimits()
    {
        // Mean 1, squared deviations 16 + 4 + 0 + 4 + 16 = 40, / 4: 10.
        PressureAgreement agreement = PressureAgreement.Of([-3, -1, 1, 3, 5])!;
        Assert.Equal(1, agreement.MeanError, 12);
        Assert.Equal(Math.Sqrt(10), agreement.Deviation!.Value, 12);
        Assert.Equal(2.6, agreement.MeanAbsoluteError, 12);
        Assert.True(agreement.WithinAamiLimits);
        Assert.Equal(PressureGrade.A, agreement.Grade);
        Assert.False(PressureAgreement.Of([5.1, 5.1])!.WithinAamiLimits);
        Assert.False(PressureAgreement.Of([-8, 8, -8, 8])!.WithinAamiLimits);
        // One reading has no deviation and meets no limit on it.
        Assert.False(PressureAgreement.Of([0])!.WithinAamiLimits);
        Assert.Null(PressureAgreement.Of([]));
    }

    [Theory]
    [InlineData(60, 25, 10, nameof(PressureGrade.A))]
    [InlineData(59, 26, 10, nameof(PressureGrade.B))]
    [InlineData(60, 24, 16, nameof(PressureGrade.B))]
    [InlineData(50, 25, 14, nameof(PressureGrade.C))]
    [InlineData(40, 25, 20, nameof(PressureGrade.C))]
    [InlineData(39, 46, 15, nameof(PressureGrade.D))]
    public void GradesAreThoseOfTheProtocol(int within5, int within10, int within15, string grade)
    {
        double[] errors = [.. Enumerable.Repeat(5.0, within5), .. Enumerable.Repeat(-10.0, within10), .. Enumerable.Repeat(15.0, within15),
            .. Enumerable.Repeat(15.1, 100 - within5 - within10 - within15)];
        Assert.Equal(grade, PressureAgreement.Of(errors)!.Grade.ToString());
    }

    [Fact]
    public void CoverageCountsTheBandsEdgesIn()
    {
        BandCoverage coverage = BandCoverage.Of([0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1.5f, float.NaN], new SampleRange(0, 4));
        Assert.Equal(new BandCoverage(4, 2), coverage);
        Assert.Equal(0.5, (coverage + coverage).Share);
        Assert.Equal(new BandCoverage(1, 0), BandCoverage.Of([0, 0, 0], [1, 1, 1], [0, 0, 2], new SampleRange(2, 1)));
    }

    [Fact]
    public void CalibratedDrawsCoverWhatTheFormulaSays()
    {
        // Uniform draws and truths: 20,000 windows of 8 draws. A share of 0.7 has a standard error of 0.0032; five of them.
        const int Windows = 20_000, Draws = 8;
        var random = new CounterRandom(11, 0);
        int inside = 0;
        double[] draws = new double[Draws];
        for (int w = 0; w < Windows; w++)
        {
            for (int d = 0; d < Draws; d++)
                draws[d] = random.NextDouble();
            Array.Sort(draws);
            double truth = random.NextDouble();
            // Type 7 at 5%: place 0.35 of the sorted draws.
            double low = draws[0] + (0.35 * (draws[1] - draws[0])), high = draws[^1] - (0.35 * (draws[^1] - draws[^2]));
            inside += truth >= low && truth <= high ? 1 : 0;
        }

        double expected = BandCoverage.Expected(Draws, 0.05, 0.95);
        Assert.Equal(0.7, expected, 12);
        Assert.InRange(inside / (double)Windows, expected - 0.016, expected + 0.016);
    }

    [Fact]
    public void TheMarginIsTheShareOfTheErrorThatIsGone()
    {
        // Root mean squares 1 and 2 in every window: half the error is gone, whichever windows are drawn.
        double[] ours = [1, 1, 1, 1], theirs = [4, 4, 4, 4];
        Assert.Equal(new ErrorMargin(0.5, 0.5, 0.5), ErrorMargin.Of(ours, theirs, 1));
        Assert.Equal(new ErrorMargin(-1, -1, -1), ErrorMargin.Of(theirs, ours, 1));
        Assert.Null(ErrorMargin.Of([], [], 1));
        Assert.Null(ErrorMargin.Of([1], [0], 1));
        Assert.Throws<ArgumentException>(() => ErrorMargin.Of([1], [1, 2], 1));
    }

    [Fact]
    public void TheMarginsIntervalIsThatOfItsMean()
    {
        // With a baseline of 1 in each of 400 windows and a method of 1 -+ d, 1 - sqrt(mean) has a standard error of d / (2 sqrt(400)).
        const double D = 0.6;
        double[] ours = [.. Enumerable.Range(0, 400).Select(i => i % 2 == 0 ? 1 - D : 1 + D)], theirs = [.. Enumerable.Repeat(1.0, 400)];
        ErrorMargin margin = ErrorMargin.Of(ours, theirs, 5)!.Value;
        double half = 1.96 * D / (2 * Math.Sqrt(400));
        Assert.Equal(0, margin.Share, 12);
        // 2,000 resamples place a 2.5% quantile to about 6% of the standard error (sqrt(pq/n) / density): a tenth of the half width and
        // more.
        Assert.InRange(margin.Low, -1.15 * half, -0.85 * half);
        Assert.InRange(margin.High, 0.85 * half, 1.15 * half);
        Assert.Equal(margin, ErrorMargin.Of(ours, theirs, 5));
        Assert.NotEqual(margin, ErrorMargin.Of(ours, theirs, 6));
    }

    private static float[] Sine(double frequency, double amplitude, double delay = 0) =>
        [.. Enumerable.Range(0, 500).Select(i => (float)(amplitude * Math.Sin(2 * Math.PI * frequency * ((i / 125.0) - delay))))];
}
