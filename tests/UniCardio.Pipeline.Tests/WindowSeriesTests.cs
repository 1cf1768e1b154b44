using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Signals;
using UniCardio.Signals.Processing;
using UniCardio.Weights;

namespace UniCardio.Pipeline.Tests;

/// <summary>Windows of the small network, against the engine itself.</summary>
public sealed class WindowSeriesTests : IDisposable
{
    private const int S = 100;
    private static readonly SamplerOptions s_sampler = SamplerOptions.Parse("ddim:3,eta=1");
    private readonly ModelWeights _weights = new WeightRecipe(1, ModelConfiguration.Tiny).Create();
    private readonly InferenceEngine _engine;

    public WindowSeriesTests() => _engine = new InferenceEngine(_weights, new EngineOptions { Threads = 1 });

    public void Dispose()
    {
        _engine.Dispose();
        _weights.Dispose();
    }

    // A pressure with a gap and a PPG, seven windows on end.
    private static float[]?[] Signals(int windows)
    {
        float[] ppg = [.. Enumerable.Range(0, windows * S).Select(i => MathF.Sin(i * 0.11f))], bp = [.. ppg.Select(x => 95 + (20 * x))];
        for (int w = 0; w < windows; w++)
            bp.AsSpan((w * S) + 40, 20).Fill(float.NaN);
        return [ppg, bp, null];
    }

    private static WindowObservation Observe(float[]?[] signals, int window) =>
        new(signals, new SampleRange(window * S, S)) { Seed = window % 2 == 0 ? 5ul : ulong.MaxValue, Identity = (uint)(window * 3) };

    [Theory]
    [InlineData(null, "impute bp | ppg")]
    [InlineData(1, "impute bp | ppg")]
    [InlineData(3, "impute bp | ppg")]
    [InlineData(2, "ppg->bp")]
    public void WindowsAreThoseOfASessionEach(int? windowsPerBatch, string text)
    {
        const int Windows = 7, Draws = 4;
        CardioTask task = CardioTask.Parse(text);
        float[]?[] signals = Signals(Windows);
        using var pool = new SessionPool(_engine, 1L << 30);
        var series = new WindowSeries(pool) { WindowsPerBatch = windowsPerBatch };
        var order = new List<int>();
        var median = new float[Windows][];
        var low = new float[Windows][];
        var reports = new List<(int Done, double Work)>();
        series.Run(new WindowShape(task, Draws, s_sampler), Windows, i => Observe(signals, i), (i, draws) =>
        {
            order.Add(i);
            draws.Summarize(DrawSummary.Median, median[i] = new float[S]);
            draws.Quantile(0.05, low[i] = new float[S]);
        }, (done, work) => reports.Add((done, work)));

        Assert.Equal(Enumerable.Range(0, Windows), order);
        Assert.Equal(Windows * Draws * 3, series.NetworkCalls);
        Assert.Equal((Windows, (double)Windows), reports[^1]);
        Assert.Equal(reports.Select(r => r.Work).Order(), reports.Select(r => r.Work));
        for (int w = 0; w < Windows; w++)
        {
            (float[] expectedMedian, float[] expectedLow) = Expected(task, signals, w, Draws);
            Assert.Equal(expectedMedian, median[w]);
            Assert.Equal(expectedLow, low[w]);
        }
    }

    // One window through a session of its own: scaled by hand, summed up, then unscaled.
    private (float[] Median, float[] Low) Expected(CardioTask task, float[]?[] signals, int window, int draws)
    {
        WindowObservation observation = Observe(signals, window);
        using InferenceSession session =
            _engine.CreateSession(task, new SessionOptions { Draws = draws, Sampler = s_sampler, Seed = observation.Seed });
        float[] conditions = new float[session.Plan.ConditionSamples], results = new float[session.Plan.StateSamples],
            median = new float[S], low = new float[S];
        for (int c = 0; c < session.Plan.Conditions.Count; c++)
        {
            float[] signal = signals[(int)session.Plan.Conditions[c]]!;
            AffineScale scale = session.Plan.Conditions[c] == Modality.Bp ? AffineScale.BloodPressure
                : WindowScale.FromExtremes(signal, observation.Window);
            scale.Forward(signal.AsSpan(window * S, S), conditions.AsSpan(c * S, S));
        }

        session.Run(conditions, results, [observation.Identity]);
        DrawStatistics.Median(results, draws, S, median);
        DrawStatistics.Quantiles(results, draws, S, [0.05], low);
        // A translated pressure stays in scaled units.
        AffineScale result = task.Kind == TaskKind.Translate ? AffineScale.Normalized : AffineScale.BloodPressure;
        result.Inverse(median, median);
        result.Inverse(low, low);
        return (median, low);
    }

    [Fact]
    public void AnEstimateIsTheSessionsOverLinesInTheGaps()
    {
        CardioTask task = CardioTask.Parse("denoise bp | ppg");
        float[]?[] signals = Signals(2);
        for (int i = 0; i < 2 * S; i++)
            signals[1]![i] += i % 2 == 0 ? 2 : -2;
        using var pool = new SessionPool(_engine, 1L << 30);
        var series = new WindowSeries(pool);
        float[] actual = new float[S], expected = new float[S];
        series.Run(WindowShape.Estimate(task), 1, _ => Observe(signals, 1) with { NoiseFactor = 1.5 }, (_, made) =>
            made.Summarize(DrawSummary.Mean, actual));

        float[] window = signals[1]![S..], measured = [.. window], conditions = new float[2 * S];
        WindowScale.FromExtremes(signals[0], new SampleRange(S, S)).Forward(signals[0].AsSpan(S), conditions.AsSpan(0, S));
        AffineScale.BloodPressure.Forward(window, conditions.AsSpan(S));
        GapBridge.FillAll<float>(measured);
        AffineScale.BloodPressure.Forward(measured, measured);
        using InferenceSession session = _engine.CreateSession(task);
        Assert.Equal(session.Estimate(conditions, measured, 1.5 * WhiteNoise.Level(window) / 50, expected), series.NetworkCalls);
        AffineScale.BloodPressure.Inverse(expected, expected);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void SlowNoiseIsTakenOffTheMeasurementAndItsCondition()
    {
        CardioTask task = CardioTask.Parse("denoise bp | ppg");
        float[]?[] signals = Signals(2);
        for (int i = 0; i < 2 * S; i++)
            signals[1]![i] += (i % 2 == 0 ? 2 : -2) + (float)(30 * Math.Sin(2 * Math.PI * 0.3 * i / 125));
        using var pool = new SessionPool(_engine, 1L << 30);
        var series = new WindowSeries(pool);
        float[] actual = new float[S], expected = new float[S], made = new float[S];
        series.Run(WindowShape.Estimate(task, removesSlowNoise: true), 1, _ => Observe(signals, 1) with { Seed = 7, Identity = 3 },
            (_, result) => result.Summarize(DrawSummary.Mean, actual));

        float[] window = signals[1]![S..], measured = [.. window], conditions = new float[2 * S];
        GapBridge.FillAll<float>(measured);
        WindowScale.FromExtremes(signals[0], new SampleRange(S, S)).Forward(signals[0].AsSpan(S), conditions.AsSpan(0, S));
        AffineScale.BloodPressure.Forward(window, conditions.AsSpan(S));
        AffineScale.BloodPressure.Forward(measured, measured);
        using InferenceSession session = _engine.CreateSession(task, new SessionOptions
            { Draws = 1, Sampler = new SamplerOptions { Kind = SamplerKind.Ddim, Steps = 1 } });
        double level = WhiteNoise.Level(window) / 50;
        session.Run(conditions, made, NoiseSource.Philox([7], [3]));
        new SlowNoise(S).Remove(Modality.Bp, level, made, measured);
        Assert.Equal(20, window.Count(float.IsNaN));
        for (int n = 0; n < S; n++)
            conditions[S + n] = float.IsNaN(window[n]) ? AffineScale.Missing : measured[n];
        Assert.Equal(1 + session.Estimate(conditions, measured, level, expected), series.NetworkCalls);
        AffineScale.BloodPressure.Inverse(expected, expected);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void AWindowOutOfRangeIsNamedByItsNumberInTheSeries()
    {
        float[]?[] signals = Signals(5);
        // Finite in mmHg, infinite in scaled units of a scale that is given.
        signals[1]![(3 * S) + 7] = 3e38f;
        using var pool = new SessionPool(_engine, 1L << 30);
        var series = new WindowSeries(pool) { WindowsPerBatch = 2 };
        var problem =
            Assert.Throws<ConditionValueException>(() => series.Run(new WindowShape(CardioTask.Parse("impute bp"), 1, s_sampler), 5,
            i => Observe(signals, i) with { ResultScale = new AffineScale(0, 1e-3) }, (_, _) => { }));
        Assert.Equal((3, Modality.Bp, 7), (problem.Window, problem.Condition, problem.Sample));
    }

    [Fact]
    public void ThePoolKeepsWhatWasUsedLast()
    {
        CardioTask task = CardioTask.Parse("ppg->bp");
        WindowShape one = new(task, 1, s_sampler), two = new(task, 2, s_sampler);
        using var pool = new SessionPool(_engine, 1);
        WindowBatch first = pool.Get(one, 1);
        Assert.Same(first, pool.Get(new WindowShape(task, 1, SamplerOptions.Parse("ddim:3,eta=1")), 1));
        Assert.Equal(first.Bytes, pool.Bytes);
        WindowBatch second = pool.Get(two, 1);
        // Only the newest fits, however small the limit.
        Assert.Equal(second.Bytes, pool.Bytes);
        Assert.NotSame(first, pool.Get(one, 1));

        using var large = new SessionPool(_engine, 1L << 30);
        WindowBatch kept = large.Get(one, 1);
        Assert.NotSame(kept, large.Get(one, 3));
        Assert.Same(kept, large.Get(one, 1));
        Assert.False(large.IsFull);
    }

    [Fact]
    public void ABatchHoldsThirtyTwoDrawsAndSixteenWindowsAtMost()
    {
        CardioTask task = CardioTask.Parse("ppg->bp");
        int Windows(int draws) => new WindowShape(task, draws, s_sampler).BatchWindows(ModelConfiguration.Tiny);
        Assert.Equal((16, 4, 1, 1), (Windows(1), Windows(8), Windows(20), Windows(1000)));
        Assert.Equal(1, WindowShape.Estimate(CardioTask.Parse("denoise bp")).BatchWindows(ModelConfiguration.Tiny));
    }

    [Fact]
    public void EachModalityHasItsKindOfChannelAndItsUnit()
    {
        Assert.Equal([ChannelKind.Ppg, ChannelKind.BloodPressure, ChannelKind.Ecg], Modalities.All.Select(NetworkSignal.KindOf));
        var channel = new Channel("ABP", "kPa", 125, new float[] { 10, float.NaN });
        // 1 kPa is 7.500617 mmHg.
        Assert.Equal(7.500617, NetworkSignal.UnitFactor(Modality.Bp, channel), 1e-5);
        Assert.Equal(1, NetworkSignal.UnitFactor(Modality.Ecg, channel));
        float[] samples = channel.Samples.ToArray();
        NetworkSignal.ToNetworkUnit(samples, NetworkSignal.UnitFactor(Modality.Bp, channel));
        Assert.Equal(75.00617f, samples[0], 1e-4f);
        Assert.True(float.IsNaN(samples[1]));
        Assert.Contains("'ABP'", Assert.Throws<SignalException>(() => NetworkSignal.ResamplerOf(1e6, NetworkSignal.Rate, "ABP")).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TaskKind.Impute, Provenance.NoSignal, Provenance.Imputed)]
    [InlineData(TaskKind.Impute, Provenance.Measured, Provenance.Measured)]
    [InlineData(TaskKind.Impute, Provenance.Bridged, Provenance.Bridged)]
    [InlineData(TaskKind.Denoise, Provenance.NoSignal, Provenance.NoSignal)]
    [InlineData(TaskKind.Denoise, Provenance.Measured, Provenance.Denoised)]
    [InlineData(TaskKind.Denoise, Provenance.Bridged, Provenance.Denoised)]
    [InlineData(TaskKind.Translate, Provenance.NoSignal, Provenance.Translated)]
    [InlineData(TaskKind.Translate, Provenance.Measured, Provenance.Measured)]
    public void ImputationChangesNothingMeasuredAndDenoisingFillsNoGap(TaskKind kind, Provenance given, Provenance expected)
    {
        Assert.Equal(expected, Provenances.Of(kind, given));
        Assert.Equal(expected is Provenance.Imputed or Provenance.Denoised or Provenance.Translated, expected.IsGenerated());
        float[] made = [1, 2];
        Provenances.Keep(kind, [float.NaN, 7], made);
        float[] kept = kind switch { TaskKind.Impute => [1, 7], TaskKind.Denoise => [float.NaN, 2], _ => [1, 2] };
        Assert.Equal(kept, made);
    }
}
