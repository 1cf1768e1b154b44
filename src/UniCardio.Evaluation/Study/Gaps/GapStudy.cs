using System.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Baselines;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Pipeline.Patient;
using UniCardio.Signals;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Study.Gaps;

/// <summary>How well gaps of each length are filled: the product's blend beside each of its estimators and beside simple methods.</summary>
/// <remarks>
/// Gaps of one length are cut into a recording all at once, spread over where its signals are measured, and filled by the product's own
/// <see cref="GapFiller"/>: what it learns it learns from the rest, so that nothing sees a sample that it is scored on. The network runs in
/// a window about each gap of up to three quarters of it.
/// </remarks>
internal sealed class GapStudy
{
    /// <summary>Names of the product's own ways to fill.</summary>
    public const string Auto = "auto", Network = "network", Fir = "filter", Line = "line", Rhythm = "beat, rhythm";

    /// <summary>Names of what a correction makes of proposals, and of the beat that it corrects.</summary>
    public const string CorrectedBeat = "corrected beat", CorrectedWrong = "corrected, beat of another gap",
        CorrectedNothing = "corrected, nothing proposed", OwnBeat = "beat to correct";

    /// <summary>Names of the simple methods.</summary>
    public const string InWindow = "beat in window", Averaged = "averaged beat", Flat = "flat line";

    private const long MaxSessionBytes = 256L << 20;
    private const double PadSeconds = 0.25, LeastBetween = 2;

    private readonly InferenceEngine _engine;
    private readonly GapStudyOptions _options;

    /// <summary>Creates a study.</summary>
    /// <param name="engine">The network; must outlive the run.</param>
    /// <param name="options">What to fill.</param>
    /// <exception cref="Engine.ConfigurationException">A setting is out of range; it is named.</exception>
    public GapStudy(InferenceEngine engine, GapStudyOptions options)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(options);
        (_engine, _options) = (engine, options.Validate());
    }

    /// <summary>Weights that correct the own beat: one more estimate of the blend, and rows of their own with the beat, with the beat of
    /// another gap and with nothing proposed; null for none.</summary>
    public InferenceEngine? Correction { get; init; }

    /// <summary>Fills.</summary>
    /// <param name="recordings">The recordings; one without a task's signals, or too short for three gaps, takes no part in it.</param>
    /// <param name="progress">Told after every recording, task and length.</param>
    /// <param name="cancellation">Looked at before every gap.</param>
    public GapStudyResult Run(IReadOnlyList<EvaluationRecording> recordings, IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        long start = Stopwatch.GetTimestamp();
        (EvaluationRecording Recording, CardioTask Task, double Seconds)[] cells =
            [.. from r in recordings from t in _options.Tasks from s in _options.GapSeconds
                where (r.Signals & t.Conditions) == t.Conditions select (r, t, s)];
        var rows = new List<GapRow>();
        using var pool = new SessionPool(_engine, MaxSessionBytes);
        using GapCorrection? correction = Correction is null ? null : new GapCorrection(Correction);
        for (int i = 0; i < cells.Length; i++)
        {
            (EvaluationRecording recording, CardioTask task, double seconds) = cells[i];
            progress?.Report(new EvaluationProgress(
                i / (double)cells.Length, FormattableString.Invariant($"{recording.Name}, {task}, {seconds} s"), i, cells.Length));
            if (Measure(recording, task, seconds, (pool, correction), cancellation) is { } row)
                rows.Add(row);
        }

        return new GapStudyResult(_options, recordings, rows, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>Name of a way to fill.</summary>
    /// <param name="estimate">What it made.</param>
    internal static string NameOf(GapEstimate estimate) => (estimate.Kind, estimate.Source) switch
    {
        (EstimatorKind.Line, _) => Line,
        (EstimatorKind.Edges, _) => "edges",
        (EstimatorKind.Fir, _) => Fir,
        (EstimatorKind.Network, _) => "network, joined",
        (EstimatorKind.Correction, _) => CorrectedBeat,
        (EstimatorKind.Analogue, _) => "moments alike",
        (_, null) => Rhythm,
        (_, { } source) => $"beat, {(source == ChannelKind.BloodPressure ? "bp" : source.ToString().ToLowerInvariant())}",
    };

    private GapRow? Measure(EvaluationRecording recording, CardioTask task, double seconds,
        (SessionPool Pool, GapCorrection? Correction) networks, CancellationToken cancellation)
    {
        Modality target = task.Output;
        ModalitySet sources = task.Conditions & ~target.ToSet();
        float[]? Of(Modality m) => task.Conditions.Contains(m) ? recording.Signal(m).ToArray() : null;
        float[]?[] signals = [Of(Modality.Ppg), Of(Modality.Bp), Of(Modality.Ecg)];
        List<SampleRange> gaps = Places(recording, task, (int)Math.Round(seconds * NetworkSignal.Rate));
        if (gaps.Count < 2)
            return null;
        foreach (SampleRange gap in gaps)
            signals[(int)target].AsSpan(gap.Start, gap.Length).Fill(float.NaN);
        var patient = new PatientSignals(NetworkSignal.Rate, signals[0], signals[1], signals[2]);
        var network = new GapNetwork(networks.Pool, _options.Draws, _options.Sampler, DrawSummary.Mean, _options.Seed);
        double[]?[] made = network.Run(signals, target, sources, gaps, cancellation: cancellation);
        var filler = new GapFiller(patient, target, sources, EstimatorChoice.Auto, network)
        {
            KeepsEstimates = true,
            Correction = networks.Correction,
        };
        IReadOnlyList<GapFill> fills = filler.Fill(gaps, i => made[i], null, cancellation);
        var tried = new Dictionary<string, List<(int Gap, double[] Wave)>>();
        void Add(string name, int gap, double[] wave)
        {
            if (!tried.TryGetValue(name, out List<(int, double[])>? all))
                tried.Add(name, all = []);
            all.Add((gap, wave));
        }

        for (int i = 0; i < gaps.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            Add(Auto, i, fills[i].Value);
            if (made[i] is { } network1)
                Add(Network, i, network1);
            foreach (GapEstimate estimate in fills[i].Estimates.Where(e =>
                e.Kind is not (EstimatorKind.Network or EstimatorKind.Correction)))
                Add(NameOf(estimate), i, estimate.Wave);
            foreach ((string name, double[] wave) in Simple(patient, target, sources, gaps[i], fills[i].Estimates))
                Add(name, i, wave);
        }

        if (networks.Correction is { } correction)
        {
            foreach ((string name, int gap, double[] wave) in Corrected(correction, patient, task, gaps, fills, cancellation))
                Add(name, gap, wave);
        }

        var scorer = new GapScorer(recording, target, gaps);
        return new GapRow(recording.Name, recording.Subject, task.ToString(), seconds, gaps.Count,
            [.. tried.Where(t => t.Value.Count == gaps.Count)
                .Select(t => scorer.Score(t.Key, [.. t.Value.Select(v => v.Wave)], t.Key == Auto ? fills : null))]);
    }

    // The correction whether or not hidden stretches speak for it: of the own beat, of the beat of the next gap, and of nothing.
    private static IEnumerable<(string Name, int Gap, double[] Wave)> Corrected(GapCorrection correction, PatientSignals patient,
        CardioTask task, List<SampleRange> gaps, IReadOnlyList<GapFill> fills, CancellationToken cancellation)
    {
        Modality target = task.Output;
        ModalitySet sources = task.Conditions & ~target.ToSet();
        GapEstimate?[] beats = [.. fills.Select(f => GapFiller.BestBeat(f.Estimates))];
        for (int i = 0; i < gaps.Count; i++)
        {
            double[]? Answer(double[] proposal) => correction.Answer(patient, target, sources, gaps[i], proposal, cancellation);
            if (beats[i] is { } own && Answer(own.Wave) is { } corrected)
            {
                yield return (CorrectedBeat, i, corrected);
                yield return (OwnBeat, i, own.Wave);
            }

            if (beats[(i + 1) % gaps.Count] is { } other && Answer(other.Wave) is { } misled)
                yield return (CorrectedWrong, i, misled);
            if (Answer([]) is { } alone)
                yield return (CorrectedNothing, i, alone);
        }
    }

    // What needs none of the product: the signal's mean; beats averaged evenly, placed by another signal or rhythm, tilted to both edges;
    // the same with the beats of 4 s alone.
    private static IEnumerable<(string Name, double[] Wave)> Simple(PatientSignals patient, Modality target, ModalitySet sources,
        SampleRange gap, IReadOnlyList<GapEstimate> estimates)
    {
        ChannelKind kind = NetworkSignal.KindOf(target);
        int reach = (int)(EvaluationWindow.ContextSeconds * NetworkSignal.Rate), window = (int)(4 * NetworkSignal.Rate);
        SampleRange About(int by) => SampleRange.Between(Math.Max(0, gap.Start - by), Math.Min(patient.Length, gap.End + by));
        SampleRange context = About(reach);
        if (SignalMoments.Of(patient[kind].Slice(context.Start, context.Length)) is { } level)
        {
            double[] flat = new double[gap.Length];
            Array.Fill(flat, level.Mean);
            yield return (Flat, flat);
        }

        Modality? source = BeatPlacement.Source(sources);
        float[] Cut(Modality m, SampleRange part) => patient[NetworkSignal.KindOf(m)].Slice(part.Start, part.Length).ToArray();
        (string Name, SampleRange Part)[] ways =
            [(Averaged, context), .. gap.Length <= 3 * window / 4 ? [(InWindow, About((window - gap.Length) / 2))] : ((string,
                SampleRange)[])[]];
        foreach ((string name, SampleRange part) in ways)
        {
            float[] filled = Cut(target, part);
            GapBeatTemplate.Fill(target, filled, new SampleRange(gap.Start - part.Start, gap.Length), source,
                source is { } s ? Cut(s, part) : []);
            yield return (name, [.. filled.AsSpan(gap.Start - part.Start, gap.Length).ToArray().Select(x => (double)x)]);
        }
    }

    // Spread evenly over where target and conditions are measured and show beats, all over the beat, apart by half a length and two
    // seconds.
    private List<SampleRange> Places(EvaluationRecording recording, CardioTask task, int length)
    {
        float[]? Of(Modality m) => task.Conditions.Contains(m) ? recording.Signal(m).ToArray() : null;
        var signals = new PatientSignals(NetworkSignal.Rate, Of(Modality.Ppg), Of(Modality.Bp), Of(Modality.Ecg));
        int pad = (int)(PadSeconds * NetworkSignal.Rate), step = Math.Max((int)(0.37 * NetworkSignal.Rate), length / 4);
        var places = new List<int>();
        foreach (SampleRange run in GapFinder.FindMeasured(signals[NetworkSignal.KindOf(task.Output)], length + (2 * pad)))
        {
            for (int start = run.Start + pad; start + length + pad <= run.End; start += step)
            {
                var stretch = new SampleRange(start, length);
                if (task.Conditions.Members().All(m => GapEstimators.IsUsable(signals, NetworkSignal.KindOf(m), stretch))
                    && !recording.FlawsOf(task.Output).Any(f => f.Overlaps(stretch)))
                    places.Add(start);
            }
        }

        int count = Math.Min(Math.Min(_options.GapsPerRecording, recording.Length / 3 / length), places.Count);
        var gaps = new List<SampleRange>();
        for (int i = 0; i < count; i++)
        {
            var gap = new SampleRange(places[(int)((i + 0.5) * places.Count / count)], length);
            if (gaps.Count == 0 || gap.Start >= gaps[^1].End + Math.Max(length / 2, LeastBetween * NetworkSignal.Rate))
                gaps.Add(gap);
        }

        return gaps;
    }
}
