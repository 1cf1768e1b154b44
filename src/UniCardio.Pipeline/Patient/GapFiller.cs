using UniCardio.Engine.Model;
using UniCardio.Signals;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Pipeline.Patient;

/// <summary>Which of the estimators fills a gap.</summary>
public enum EstimatorChoice
{
    /// <summary>All of them, each by how it does on measured stretches of the recording that are hidden in turn.</summary>
    Auto,

    /// <summary>The network alone, as it made it.</summary>
    Network,

    /// <summary>The patient's own beat: placed by another signal, by rhythm where none is measured.</summary>
    Beat,

    /// <summary>A linear filter from the other signals, fitted about the gap; the own beat where none is measured.</summary>
    Fir,

    /// <summary>The straight line.</summary>
    Line,
}

/// <summary>A gap that was filled.</summary>
/// <param name="Gap">The gap.</param>
/// <param name="Value">[gap] in the target's unit.</param>
/// <param name="Low">[gap] 5%.</param>
/// <param name="High">[gap] 95%.</param>
/// <param name="Parts">What it was made of and how much of each, largest first.</param>
public sealed record GapFill(SampleRange Gap, double[] Value, double[] Low, double[] High,
    IReadOnlyList<(EstimatorKind Kind, ChannelKind? Source, double Weight)> Parts)
{
    /// <summary>Every estimate by itself, the network's as joined to both edges; empty unless they are asked for.</summary>
    internal IReadOnlyList<GapEstimate> Estimates { get; init; } = [];

    /// <summary>An estimator in words.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="source">The signal that placed its beats, or null.</param>
    public static string NameOf(EstimatorKind kind, ChannelKind? source) => kind switch
    {
        EstimatorKind.Beat =>
            $"own beat by "
            + $"{source switch { ChannelKind.Ppg => "ppg", ChannelKind.BloodPressure => "bp", ChannelKind.Ecg => "ecg", _ => "rhythm" }}",
        EstimatorKind.Fir => "filter from other signals",
        EstimatorKind.Edges => "edges carried on",
        EstimatorKind.Line => "straight line",
        EstimatorKind.Correction => "own beat, corrected by a network",
        EstimatorKind.Analogue => "moments alike",
        _ => "network",
    };
}

/// <summary>Fills gaps of one signal of a patient by what does best on measured stretches of the same recording.</summary>
/// <remarks>
/// For each length of gaps, up to <see cref="MaxHidden"/> stretches of that length are hidden one by one where the target and the same
/// other signals are measured; what each estimator, the network among them, makes of them gives the weights
/// (<see cref="StackedWeights"/>), what the network has beyond that where it differs by far more than usual (<see cref="GapGate"/>), and
/// the band. A gap's own samples take no part, as they are missing; a hidden stretch is looked at by nothing that is scored on it.
/// </remarks>
internal sealed class GapFiller
{
    /// <summary>Most stretches that are hidden for one length of gaps.</summary>
    public const int MaxHidden = 24;

    private const int MinCorrected = 4;
    // Of the time of a length of gaps, about, that goes into hidden stretches, and of that into the estimators beside the network.
    private const double TrialShare = 0.8, HidingShare = 0.3;
    private const double Inner = 1.645;
    private static readonly double[] s_classes = [0.25, 0.7, 1.55, 3.2, 7, 15];

    private readonly PatientSignals _signals;
    private readonly Modality _target;
    private readonly ModalitySet _sources;
    private readonly GapNetwork? _network;
    private readonly EstimatorChoice _choice;

    /// <summary>Prepares to fill.</summary>
    /// <param name="signals">The signals at 125 Hz, pressure in mmHg.</param>
    /// <param name="target">The signal with gaps.</param>
    /// <param name="sources">Other signals that may be used.</param>
    /// <param name="choice">What fills.</param>
    /// <param name="network">Runs the network on hidden stretches; null to do without it.</param>
    public GapFiller(PatientSignals signals, Modality target, ModalitySet sources, EstimatorChoice choice, GapNetwork? network)
    {
        ArgumentNullException.ThrowIfNull(signals);
        (_signals, _target, _sources, _choice, _network) = (signals, target, sources, choice, network);
    }

    /// <summary>Corrects the own beat, as one more estimate beside the others in <see cref="EstimatorChoice.Auto"/>; null for
    /// none.</summary>
    /// <remarks>It takes part where it erred by no more than the beat that it corrects on four hidden stretches at least, and by as much as
    /// they say.</remarks>
    public GapCorrection? Correction { get; init; }

    /// <summary>Whether moments of the recording that look alike take part.</summary>
    internal bool UsesAnalogues { get; init; } = true;

    // Whether fills keep each estimate by itself.
    internal bool KeepsEstimates { get; init; }

    /// <summary>What stands for the network on hidden stretches, in tests.</summary>
    internal Func<SampleRange, double[]?>? HiddenNetwork { get; init; }

    private ChannelKind Kind => NetworkSignal.KindOf(_target);

    // Estimators that see the signals about a stretch alone, and the stretch in them: what they cost does not grow with the recording.
    private (GapEstimators Estimators, SampleRange Inside, PatientSignals Seen) Local(SampleRange stretch, bool hide)
    {
        int reach = (int)((new OwnBeatOptions().ContextSeconds + 2) * NetworkSignal.Rate);
        SampleRange about = SampleRange.Between(Math.Max(0, stretch.Start - reach), Math.Min(_signals.Length, stretch.End + reach));
        PatientSignals near = _signals.Slice(about);
        var inside = new SampleRange(stretch.Start - about.Start, stretch.Length);
        PatientSignals seen = hide ? near.Hide(Kind, inside) : near;
        return (new GapEstimators(seen, Kind, _sources.Members().Select(NetworkSignal.KindOf)), inside, seen);
    }

    // All estimates of a stretch, with the correction of the best placed beat after them where there is one.
    private IReadOnlyList<GapEstimate> Estimate((GapEstimators Estimators, SampleRange Inside, PatientSignals Seen) local, bool corrects,
        CancellationToken cancellation)
    {
        IReadOnlyList<GapEstimate> all = local.Estimators.Estimate(local.Inside);
        if (!UsesAnalogues)
            all = [.. all.Where(e => e.Kind != EstimatorKind.Analogue)];
        return corrects && Correction is { } correction && BestBeat(all) is { } beat
            && correction.Correct(local.Seen, _target, _sources, local.Inside, beat, cancellation) is { } corrected
            ? [.. all, corrected]
            : all;
    }

    /// <summary>The beat that is best placed: by the ECG, by pressure, by PPG, by rhythm.</summary>
    /// <param name="all">Estimates of one gap.</param>
    internal static GapEstimate? BestBeat(IReadOnlyList<GapEstimate> all) =>
        all.Where(e => e.Kind == EstimatorKind.Beat)
            .MinBy(e => e.Source switch { ChannelKind.Ecg => 0, ChannelKind.BloodPressure => 1, ChannelKind.Ppg => 2, _ => 3 });

    // Whether hidden stretches speak for the correction; those that it cannot be asked on say nothing.
    private static bool IsTrusted(List<Hidden> hidden)
    {
        double corrected = 0, beat = 0;
        int asked = 0;
        foreach (Hidden h in hidden)
        {
            if (h.Estimates.FirstOrDefault(e => e.Kind == EstimatorKind.Correction) is not { } own)
                continue;
            GapEstimate proposal = h.Estimates.First(e => e.Kind == EstimatorKind.Beat && e.Source == own.Source);
            corrected += Error(own.Wave, h.Truth);
            beat += Error(proposal.Wave, h.Truth);
            asked++;
        }

        return asked >= MinCorrected && corrected <= beat;
    }

    private static double Error(double[] wave, float[] truth) =>
        Math.Sqrt(wave.Select((x, t) => (x - truth[t]) * (x - truth[t])).Average());

    /// <summary>Fills gaps.</summary>
    /// <param name="gaps">The gaps, in order of time.</param>
    /// <param name="network">[gap] what the network makes of gap i, or null.</param>
    /// <param name="progress">Told the share done.</param>
    /// <param name="cancellation">Looked at before every gap and every hidden stretch.</param>
    public IReadOnlyList<GapFill> Fill(IReadOnlyList<SampleRange> gaps, Func<int, double[]?> network, Action<double>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(gaps);
        ArgumentNullException.ThrowIfNull(network);
        var filled = new GapFill[gaps.Count];
        IGrouping<(int, ModalitySet), int>[] groups =
            [.. Enumerable.Range(0, gaps.Count).GroupBy(i => (ClassOf(gaps[i].Length), Present(gaps[i])))];
        for (int g = 0; g < groups.Length; g++)
        {
            int[] members = [.. groups[g]];
            void Report(double share) => progress?.Invoke((g + share) / groups.Length);
            Trial? trial = _choice == EstimatorChoice.Auto
                ? Try(gaps[members[members.Length / 2]], groups[g].Key.Item2, share => Report(TrialShare * share), cancellation) : null;
            for (int m = 0; m < members.Length; m++)
            {
                int i = members[m];
                cancellation.ThrowIfCancellationRequested();
                filled[i] = trial is null ? Single(gaps[i]) : Blend(gaps[i], trial, network(i), cancellation);
                Report(1 - ((trial is null ? 1 : 1 - TrialShare) * (members.Length - m - 1) / members.Length));
            }
        }

        return filled;
    }

    // What was learned on hidden stretches of one length.
    private sealed record Trial(StackedWeights Weights, GapGate Gate, double Low, double High, int Stretches, bool Corrects);

    private sealed record Hidden(SampleRange Stretch, IReadOnlyList<GapEstimate> Estimates, float[] Truth)
    {
        public double[]? Network => NetworkOf(Estimates);
    }

    private static double[]? NetworkOf(IReadOnlyList<GapEstimate> estimates) =>
        estimates.FirstOrDefault(e => e.Kind == EstimatorKind.Network)?.Wave;

    private static int ClassOf(int samples) => s_classes.Count(c => samples > c * NetworkSignal.Rate);

    // The other signals that are measured about a stretch: a gap without its ECG learns from stretches without it.
    private ModalitySet Present(SampleRange stretch)
    {
        ModalitySet set = ModalitySet.None;
        foreach (Modality source in _sources.Members())
        {
            if (_signals.Has(NetworkSignal.KindOf(source)) && GapEstimators.IsUsable(_signals, NetworkSignal.KindOf(source), stretch))
                set |= source.ToSet();
        }

        return set;
    }

    private Trial Try(SampleRange gap, ModalitySet present, Action<double> progress, CancellationToken cancellation)
    {
        SignalMoments? moments = SignalMoments.Of(_signals[Kind]);
        double deviation = Math.Max(moments?.Deviation ?? 1, 1e-9);
        List<Hidden> hidden = Hide(gap, present, share => progress(HidingShare * share), cancellation);
        bool corrects = IsTrusted(hidden);
        if (!corrects)
            hidden = [.. hidden.Select(h => h with { Estimates = [.. h.Estimates.Where(e => e.Kind != EstimatorKind.Correction)] })];
        hidden = RunNetwork(hidden, present, share => progress(HidingShare + ((1 - HidingShare) * share)), cancellation);
        double seconds = gap.Length / NetworkSignal.Rate;
        StackedWeights Weights(int without)
        {
            var stack = new StackedWeights(id => UsualError(id, seconds));
            for (int i = 0; i < hidden.Count; i++)
            {
                if (i != without && (without < 0 || !hidden[i].Stretch.Overlaps(hidden[without].Stretch)))
                    stack.Add(hidden[i].Estimates, hidden[i].Truth, deviation);
            }

            return stack;
        }

        var blends = new List<(double[] Value, double[] Deviation)>();
        for (int i = 0; i < hidden.Count; i++)
            blends.Add(Mix(hidden[i].Estimates, Weights(i), out _));
        GapGate gate = GapGate.Fit(
            [.. Enumerable.Range(0, hidden.Count).Where(i => hidden[i].Network is not null)
                .Select(i => (hidden[i].Network!, blends[i].Value, hidden[i].Truth))]);
        (double low, double high) = Calibrate(hidden, blends, gate);
        return new Trial(Weights(-1), gate, low, high, hidden.Count, corrects);
    }

    private List<Hidden> Hide(SampleRange gap, ModalitySet present, Action<double> progress, CancellationToken cancellation)
    {
        var hidden = new List<Hidden>();
        int length = gap.Length, pad = (int)(0.25 * NetworkSignal.Rate);
        List<int> places = [];
        // Where nothing measured is long enough, shorter stretches stand for longer ones: better than nothing.
        for (; length >= 0.1 * NetworkSignal.Rate || length == gap.Length; length /= 2)
        {
            // A long stretch that is hidden between two gaps would be seen from fewer beats than a gap is.
            places = Places(length, length > 6 * NetworkSignal.Rate ? length / 2 : pad, present);
            if (places.Count >= 4 || length < 8)
                break;
        }

        int max = length > 6 * NetworkSignal.Rate ? 12 : length > 2.5 * NetworkSignal.Rate ? 16 : MaxHidden,
            count = Math.Min(max, places.Count);
        for (int i = 0; i < count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            progress(i / (double)count);
            var stretch = new SampleRange(places[(int)((i + 0.5) * places.Count / count)], length);
            ReadOnlySpan<float> truth = _signals[Kind].Slice(stretch.Start, stretch.Length);
            if (GapFinder.CountMeasured(truth) < length)
                continue;
            float[] kept = truth.ToArray();
            IReadOnlyList<GapEstimate> estimates = Estimate(Local(stretch, hide: true), corrects: true, cancellation);
            if (estimates.Count > 0)
                hidden.Add(new Hidden(stretch, estimates, kept));
        }

        return hidden;
    }

    // Starts of stretches, a quarter of a length apart at least, where the target is measured and the same other signals are.
    private List<int> Places(int length, int pad, ModalitySet present)
    {
        var places = new List<int>();
        // Steps by an odd share of a beat, so that stretches begin all over the beat.
        int step = Math.Max((int)(0.37 * NetworkSignal.Rate), length / 4);
        foreach (SampleRange run in GapFinder.FindMeasured(_signals[Kind], length + (2 * pad)))
        {
            for (int start = run.Start + pad; start + length + pad <= run.End; start += step)
            {
                if ((Present(new SampleRange(start, length)) & present) == present)
                    places.Add(start);
            }
        }

        return places;
    }

    private List<Hidden> RunNetwork(List<Hidden> hidden, ModalitySet present, Action<double> progress, CancellationToken cancellation)
    {
        if ((_network is null && HiddenNetwork is null) || hidden.Count == 0 || hidden[0].Stretch.Length > _network?.MaxLength)
            return hidden;
        float[]?[] signals =
            [.. Modalities.All.Select(m => _signals.Has(NetworkSignal.KindOf(m)) ? _signals[NetworkSignal.KindOf(m)].ToArray() : null)];
        double[]?[] made = _network?.Run(signals, _target, present, [.. hidden.Select(h => h.Stretch)], progress, cancellation)
            ?? [.. hidden.Select(h => HiddenNetwork!(h.Stretch))];
        return [.. hidden.Select((h, i) =>
        {
            if (made[i] is not { } wave)
                return h;
            (GapEstimators local, SampleRange inside, _) = Local(h.Stretch, hide: true);
            return h with { Estimates = [.. h.Estimates, local.JoinNetwork(inside, wave)] };
        })];
    }

    // Quantiles of (truth - blend) / deviation over the hidden stretches; two stretches of a normal error stand beside them, so that few do
    // not make a band of nothing.
    private static (double Low, double High) Calibrate(List<Hidden> hidden, List<(double[] Value, double[] Deviation)> blends, GapGate gate)
    {
        var errors = new List<double>();
        int each = 64;
        for (int i = 0; i < hidden.Count; i++)
        {
            double[] network = hidden[i].Network ?? blends[i].Value;
            double share = gate.WeightOf(network, blends[i].Value);
            for (int s = 0; s < each; s++)
            {
                int t = (int)((s + 0.5) * hidden[i].Truth.Length / each);
                (double value, double deviation) = Gated(network[t], blends[i].Value[t], blends[i].Deviation[t], share);
                errors.Add((hidden[i].Truth[t] - value) / deviation);
            }
        }

        for (int s = 0; s < 2 * each; s++)
            errors.Add(MathNet.Numerics.Distributions.Normal.InvCDF(0, 1, (s + 0.5) / (2 * each)));
        errors.Sort();
        return (Math.Min(-0.1, errors[(int)(0.045 * errors.Count)]),
            Math.Max(0.1, errors[Math.Min(errors.Count - 1, (int)(0.955 * errors.Count))]));
    }

    private static (double Value, double Deviation) Gated(double network, double blend, double deviation, double share)
    {
        double apart = network - blend;
        return (blend + (share * apart), Math.Sqrt((deviation * deviation) + (0.1 * apart * apart)));
    }

    private GapFill Blend(SampleRange gap, Trial trial, double[]? network, CancellationToken cancellation)
    {
        (GapEstimators local, SampleRange inside, PatientSignals seen) = Local(gap, hide: false);
        IReadOnlyList<GapEstimate> estimates = Estimate((local, inside, seen), trial.Corrects, cancellation);
        if (estimates.Count == 0 && network is null)
            return Nothing(gap);
        // Beyond what a window holds nothing tells how far the network is to be trusted: it fills what nothing else does.
        bool asked = network is not null && (estimates.Count == 0 || gap.Length <= (_network?.MaxLength ?? int.MaxValue));
        if (asked)
            estimates = [.. estimates, local.JoinNetwork(inside, network!)];
        if (estimates.Count == 1 && asked)
        {
            double[] only = estimates[0].Wave;
            return new GapFill(gap, only, only, only, [(EstimatorKind.Network, null, 1)]);
        }

        (double[] blend, double[] deviation) = Mix(estimates, trial.Weights, out double[] weights);
        double[] joined = NetworkOf(estimates) ?? blend;
        double share = trial.Gate.WeightOf(joined, blend);
        double[] value = new double[gap.Length], low = new double[gap.Length], high = new double[gap.Length];
        for (int t = 0; t < gap.Length; t++)
        {
            (value[t], double d) = Gated(joined[t], blend[t], deviation[t], share);
            (low[t], high[t]) = (value[t] + (trial.Low * d), value[t] + (trial.High * d));
        }

        IEnumerable<(EstimatorKind Kind, ChannelKind? Source, double Weight)> parts = estimates.Select((e, i) =>
            (e.Kind, e.Source, (weights[i] * (1 - share)) + (e.Kind == EstimatorKind.Network ? share : 0)));
        return new GapFill(gap, value, low, high, [.. parts.Where(p => p.Weight >= 0.005).OrderByDescending(p => p.Weight)])
        {
            Estimates = KeepsEstimates ? estimates : [],
        };
    }

    private GapFill Single(SampleRange gap)
    {
        (GapEstimators local, SampleRange inside, _) = Local(gap, hide: false);
        IReadOnlyList<GapEstimate> all = local.Estimate(inside);
        GapEstimate? Beat() => BestBeat(all);
        GapEstimate? Of(EstimatorKind kind) => all.FirstOrDefault(e => e.Kind == kind);
        GapEstimate? chosen = _choice switch
        {
            EstimatorChoice.Beat => Beat() ?? Of(EstimatorKind.Line),
            EstimatorChoice.Fir => Of(EstimatorKind.Fir) ?? Beat() ?? Of(EstimatorKind.Line),
            _ => Of(EstimatorKind.Line),
        } ?? Of(EstimatorKind.Edges);
        if (chosen is null)
            return Nothing(gap);
        double[] Moved(double by) => [.. chosen.Wave.Select((x, t) => x + (by * chosen.Deviation[t]))];
        return new GapFill(gap, chosen.Wave, Moved(-Inner), Moved(Inner), [(chosen.Kind, chosen.Source, 1)]);
    }

    private static GapFill Nothing(SampleRange gap)
    {
        double[] none = new double[gap.Length];
        Array.Fill(none, double.NaN);
        return new GapFill(gap, none, none, none, []);
    }

    private static (double[] Value, double[] Deviation) Mix(IReadOnlyList<GapEstimate> estimates, StackedWeights stack,
        out double[] weights)
    {
        double[] shares = stack.Of(estimates);
        weights = shares;
        double[] value = new double[estimates[0].Wave.Length], deviation = new double[value.Length];
        // A network says nothing of how far off it is: the others' deviations speak for it.
        double telling = estimates.Select((e, i) => e.Kind == EstimatorKind.Network ? 0 : shares[i] + 1e-6).Sum();
        for (int i = 0; i < estimates.Count; i++)
        {
            double share = estimates[i].Kind == EstimatorKind.Network ? 0 : (weights[i] + 1e-6) / telling;
            for (int t = 0; t < value.Length; t++)
            {
                value[t] += weights[i] * estimates[i].Wave[t];
                deviation[t] += share * estimates[i].Deviation[t];
            }
        }

        return (value, deviation);
    }

    // Errors relative to the signal's deviation: estimates, rounded from what a few recordings and synthetic subjects showed, not a fit.
    private static double UsualError(int identity, double seconds) => ((EstimatorKind)(identity / 4), identity % 4) switch
    {
        (EstimatorKind.Line, _) => seconds < 0.6 ? 0.9 : 1.3,
        (EstimatorKind.Edges, _) => Math.Min(0.9, 0.35 * Math.Sqrt(1 + (0.5 * seconds))),
        (EstimatorKind.Beat, 0) => 0.25 * Math.Sqrt(1 + (0.2 * seconds)),
        (EstimatorKind.Beat, _) => 0.25,
        (EstimatorKind.Correction, _) => 0.3,
        (EstimatorKind.Analogue, _) => 0.25 * Math.Sqrt(1 + (0.3 * seconds)),
        (EstimatorKind.Network, _) => 0.6,
        _ => 0.35,
    };
}
