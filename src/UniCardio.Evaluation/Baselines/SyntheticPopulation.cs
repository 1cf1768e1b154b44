using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Baselines;

/// <summary>
/// Synthetic subjects for what a baseline must know beforehand: filter settings, and the average person's beats, so that nothing is learnt
/// from the recordings that are measured on.
/// </summary>
internal sealed class SyntheticPopulation
{
    private const double Seconds = 16;
    private const ulong Seed = 0x5EED_BA5E;

    private readonly BeatTemplate[] _templates;
    private readonly double[] _levels;
    private readonly double[,] _delays = new double[3, 3];

    /// <summary>Draws subjects.</summary>
    /// <param name="count">How many, at least 1.</param>
    /// <param name="cancellation">Looked at between subjects.</param>
    public SyntheticPopulation(int count = 48, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var subjects = new List<EvaluationRecording>();
        var synthesizer = new CardiovascularSynthesizer();
        for (int i = 0; i < count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            ulong seed = CounterRandom.Derive(Seed, (ulong)i);
            SyntheticRecording made = synthesizer.Generate(SynthesisParameters.Draw(seed), (int)(Seconds * NetworkSignal.Rate), seed);
            subjects.Add(EvaluationRecording.From(made.ToRecording($"synthetic {i}"), cancellation: cancellation)!);
        }

        Subjects = subjects;
        _levels = [.. Modalities.All.Select(Level)];
        _templates = [.. Modalities.All.Select(Template)];
        foreach (Modality source in Modalities.All)
        {
            foreach (Modality target in Modalities.All.Where(t => t != source))
                _delays[(int)source, (int)target] = Delay(source, target);
        }
    }

    /// <summary>The subjects: 16 s of clean PPG, blood pressure and ECG each.</summary>
    public IReadOnlyList<EvaluationRecording> Subjects { get; }

    /// <summary>The level of a signal that errs least without looking at anything: mmHg, or in [-1, 1].</summary>
    /// <param name="modality">The signal.</param>
    public double LevelOf(Modality modality) => _levels[(int)modality];

    /// <summary>The average person's beat: mmHg, or in [-1, 1].</summary>
    internal BeatTemplate TemplateOf(Modality modality) => _templates[(int)modality];

    /// <summary>Median time between the beats of two signals, in samples.</summary>
    internal double DelayOf(Modality source, Modality target) => _delays[(int)source, (int)target];

    private static AffineScale Unit(Modality modality, ReadOnlySpan<float> signal) =>
        modality == Modality.Bp ? AffineScale.Normalized : WindowScale.FromExtremes(signal, new SampleRange(0, signal.Length));

    private double Level(Modality modality)
    {
        double sum = 0;
        foreach (EvaluationRecording subject in Subjects)
        {
            ReadOnlySpan<float> signal = subject.Signal(modality);
            AffineScale unit = Unit(modality, signal);
            double mean = 0;
            foreach (float x in signal)
                mean += unit.Forward(x);
            sum += mean / signal.Length;
        }

        return sum / Subjects.Count;
    }

    private BeatTemplate Template(Modality modality)
    {
        var wave = new double[BeatTemplate.Points];
        var intervals = new List<double>();
        foreach (EvaluationRecording subject in Subjects)
        {
            ReadOnlySpan<float> signal = subject.Signal(modality);
            AffineScale unit = Unit(modality, signal);
            if (BeatTemplate.Average(signal, subject.BeatsOf(modality), 0.5 * signal.Length) is not { } own)
                continue;
            intervals.Add(own.Interval);
            for (int p = 0; p < wave.Length; p++)
                wave[p] += (own.Wave[p] - unit.Center) / unit.HalfRange;
        }

        for (int p = 0; p < wave.Length; p++)
            wave[p] /= intervals.Count;
        return new BeatTemplate(wave, BeatTemplate.Median([.. intervals]));
    }

    private double Delay(Modality source, Modality target) => BeatTemplate.Median(
        [.. Subjects.Select(s => BeatPlacement.Delay(source, s.BeatsOf(source), target, s.BeatsOf(target))).OfType<double>()]);
}

/// <summary>
/// The average synthetic subject's beat, placed by the beats found in the window of a given signal at the population's delay: what a user
/// without any recording of the target can do. A flat line where no beat is found.
/// </summary>
/// <param name="population">Where beat and delays come from.</param>
internal sealed class PopulationTemplate(SyntheticPopulation population) : IBaseline
{
    /// <inheritdoc/>
    public string Name => "population beat, by signal";

    /// <inheritdoc/>
    public bool SeesBeyondWindow => false;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Translate;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result)
    {
        Modality target = window.Task.Output, source = BeatPlacement.Source(window.Task.Conditions)!.Value;
        result.Fill((float)population.LevelOf(target));
        IReadOnlyList<int> beats = Beats.Detect(source, window.GivenWindow(source));
        double[] placed = [.. beats.Select(b => b + population.DelayOf(source, target))];
        double interval = beats.Count < 2 ? population.TemplateOf(target).Interval : (double)(beats[^1] - beats[0]) / (beats.Count - 1);
        if (BeatPlacement.Over(placed, new(0, result.Length), interval) is { } all)
            population.TemplateOf(target).Render(all, result);
    }
}

/// <summary>
/// A flat line at the population's mean level: what errs least without looking at anything. A translation that is no better has told
/// nothing.
/// </summary>
/// <param name="population">Where the level comes from.</param>
internal sealed class FlatLevel(SyntheticPopulation population) : IBaseline
{
    /// <inheritdoc/>
    public string Name => "flat line";

    /// <inheritdoc/>
    public bool SeesBeyondWindow => false;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Translate;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result) => result.Fill((float)population.LevelOf(window.Task.Output));
}
