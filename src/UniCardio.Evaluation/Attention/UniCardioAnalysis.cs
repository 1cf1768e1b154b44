using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Attention;

/// <summary>What UniCardio's attention looks at for one task, on synthetic subjects whose pulse delay is known.</summary>
internal static class UniCardioAnalysis
{
    private const ulong Seed = 0xa77e;

    // Shares of the diffusion's steps at which the target is looked at: nearly clean, half way, nearly noise.
    private static readonly double[] s_times = [0.1, 0.5, 0.9];

    /// <summary>Analyses a network.</summary>
    /// <param name="weights">The network.</param>
    /// <param name="untrained">The same sizes, untrained.</param>
    /// <param name="task">The task; one with another signal among its conditions.</param>
    /// <param name="subjects">Subjects, a window each.</param>
    /// <param name="cancellation">Stops between windows.</param>
    public static AttentionAnalysis Of(ModelWeights weights, ModelWeights untrained, CardioTask task, int subjects,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(untrained);
        ModelConfiguration m = weights.Configuration;
        var tables = new List<AnalysisTable>();
        var pictures = new List<(string, string)>();
        foreach (double time in s_times)
        {
            int t = (int)(time * (m.DiffusionSteps - 1));
            Seen trained = Look(weights, task, subjects, t, cancellation), start = Look(untrained, task, subjects, t, cancellation);
            tables.Add(Table(m, task, $"{task} at diffusion step {t} of {m.DiffusionSteps}", trained, start));
            if (time != 0.5)
                continue;
            foreach (Modality condition in (task.Conditions & ~task.Output.ToSet()).Members())
                pictures.Add((Lags(m, task, condition, trained), $"Lag profile at step {t}, mean over heads and {subjects} subjects."));
            pictures.AddRange(trained.Maps.Select((html, b) => (html, $"Block {b + 1}, step {t}, first subject: queries of the target from "
                + $"above, keys from the left ({string.Join(", ", Names(task))}). White none, dark most of a map.")));
        }

        return new AttentionAnalysis(tables, pictures);
    }

    /// <summary>Names of the key slots in order.</summary>
    public static IEnumerable<string> Names(CardioTask task) => NetworkAttention.Slots(task).Select(s => s == (int)task.Target
        ? $"{task.Output.Name()} itself" : ((Modality)s).Name());

    private static string Lags(ModelConfiguration m, CardioTask task, Modality condition, Seen seen)
    {
        double token = TokenSeconds(m);
        int most = seen.Shapes[0][0].MaxLag, near = Math.Min(most, (int)Math.Ceiling(1 / token));
        double[] x = [.. Enumerable.Range(-near, (2 * near) + 1).Select(k => k * token)];
        (string, double[])[] lines = [.. seen.Shapes.Select((heads, b) => ($"block {b + 1}",
            Mean([.. heads.Select(h => h.Profile((int)task.Target, (int)condition)[(most - near)..(most + near + 1)])])))];
        return AttentionPicture.Lines($"Queries of {task.Output.Name()} on keys of {condition.Name()}", x, lines, "lag, s",
            [("true delay", seen.Delay(task.Output, condition))]);
    }

    private static AnalysisTable Table(ModelConfiguration m, CardioTask task, string title, Seen trained, Seen untrained)
    {
        double token = TokenSeconds(m);
        Modality[] others = [.. (task.Conditions & ~task.Output.ToSet()).Members()];
        string[] headings = ["block", ">cross", ">untrained", ">chance", ">alignment", ">untrained", ">chance",
            .. others.SelectMany(o => (string[])[$">lag on {o.Name()}, s", ">head nearest, s", ">untrained", ">true"])];
        static string T(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
        IReadOnlyList<string>[] rows = [.. trained.Shapes.Select((heads, b) =>
        {
            AttentionShape[] before = untrained.Shapes[b];
            var cells = new List<string> { T(b + 1, "0"), T(heads.Average(h => h.Cross), "0.000"), T(before.Average(h => h.Cross), "0.000"),
                T(heads[0].CrossChance, "0.000"), T(heads.Average(h => h.Alignment), "0.000"), T(before.Average(h => h.Alignment), "0.000"),
                T(heads[0].AlignmentChance, "0.000") };
            foreach (Modality other in others)
            {
                double truth = trained.Delay(task.Output, other);
                double[] peaks = [.. heads.Select(h => token * h.Peak((int)task.Target, (int)other, (int)(0.6 / token)))];
                cells.AddRange([T(Peak(heads, task, other, token), "0.00"), T(peaks.MinBy(p => Math.Abs(p - truth)), "0.00"),
                    T(Peak(before, task, other, token), "0.00"), T(truth, "0.00")]);
            }

            return (IReadOnlyList<string>)cells;
        })];
        return new AnalysisTable(title, headings, rows);
    }

    // The peak of the heads' mean profile.
    private static double Peak(AttentionShape[] heads, CardioTask task, Modality other, double token)
    {
        double[] mean = Mean([.. heads.Select(h => h.Profile((int)task.Target, (int)other))]);
        int middle = mean.Length / 2, most = Math.Min(middle, (int)(0.6 / token)), best = middle;
        for (int k = middle - most; k <= middle + most; k++)
            best = mean[k] > mean[best] ? k : best;
        return (best - middle) * token;
    }

    internal static double[] Mean(double[][] profiles) =>
        [.. Enumerable.Range(0, profiles[0].Length).Select(k => profiles.Average(p => p[k]))];

    private static double TokenSeconds(ModelConfiguration m) => m.SamplesPerToken / NetworkSignal.Rate;

    private static Seen Look(ModelWeights weights, CardioTask task, int subjects, int t, CancellationToken cancellation)
    {
        var network = new ReferenceNetwork(weights, 1);
        ModelConfiguration m = weights.Configuration;
        TokenAxis queries = NetworkAttention.Queries(m, task), keys = NetworkAttention.Keys(m, task);
        AttentionShape[][] shapes = [.. Enumerable.Range(0, m.Blocks).Select(_ => Enumerable.Range(0, m.Heads)
            .Select(_ => new AttentionShape(queries, keys)).ToArray())];
        string[] maps = [];
        var delays = new double[3];
        double abar = new NoiseSchedule(m).AlphaBar[t];
        for (int s = 0; s < subjects; s++)
        {
            cancellation.ThrowIfCancellationRequested();
            ulong own = CounterRandom.Derive(Seed, (ulong)s);
            SynthesisParameters drawn = SynthesisParameters.Draw(own);
            SyntheticRecording heart = new CardiovascularSynthesizer().Generate(drawn, m.SlotSamples, own);
            delays[(int)Modality.Ppg] += drawn.PpgDelay / subjects;
            delays[(int)Modality.Bp] += drawn.PressureDelay / subjects;
            float[][] signals = [heart.Ppg, heart.BloodPressure, heart.Ecg];
            var window = new WindowObservation(signals, new SampleRange(0, m.SlotSamples));
            float[] Scaled(Modality signal)
            {
                float[] scaled = new float[m.SlotSamples];
                WindowScale.Of(signal, signals[(int)signal], window.Window).Forward(signals[(int)signal], scaled);
                return scaled;
            }

            float[] conditions = [.. task.Conditions.Members().SelectMany(Scaled)], state = Scaled(task.Output);
            var noise = new CounterRandom(own, 0x17);
            for (int i = 0; i < state.Length; i++)
                state[i] = (float)((Math.Sqrt(abar) * state[i]) + (Math.Sqrt(1 - abar) * noise.NextGaussian()));
            double[][][] seen = NetworkAttention.Of(network, task, conditions, state, t);
            for (int b = 0; b < seen.Length; b++)
            {
                for (int h = 0; h < m.Heads; h++)
                    shapes[b][h].Add<double>(seen[b][h]);
            }

            if (s == 0)
                maps = [.. seen.Select(heads => string.Concat(heads.Select((w, h) =>
                    AttentionPicture.Map(w, keys.Signal.Length, $"head {h + 1}"))))];
        }

        return new Seen(shapes, maps, delays);
    }

    // Delays from the R peak to the pulses' feet.
    private sealed record Seen(AttentionShape[][] Shapes, string[] Maps, double[] Delays)
    {
        public double Delay(Modality from, Modality on) => Delays[(int)on] - Delays[(int)from];
    }
}
