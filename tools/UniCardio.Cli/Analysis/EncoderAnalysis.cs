using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Attention;
using UniCardio.Signals.Processing;
using UniCardio.Training.Pretraining;

namespace UniCardio.Cli.Analysis;

/// <summary>What a masked encoder's attention looks at, and how signals share the units of its embedding.</summary>
internal static class EncoderAnalysis
{
    private const ulong Seed = 0xa77e;
    private const double TokenSeconds = MaskedConfiguration.Patch / 125.0;
    private const int Ppg = 0, Ecg = 2, Signals = MaskedConfiguration.Signals, MostLag = 3;

    // Windows and replacements of the entropy of units.
    private const int EntropyWindows = 12, Replacements = 8;

    /// <summary>Analyses an encoder of all signals.</summary>
    /// <param name="network">Sizes and arm.</param>
    /// <param name="weights">Trained weights.</param>
    /// <param name="start">Those that training started from.</param>
    /// <param name="subjects">Subjects, a window each.</param>
    /// <param name="told">Told what is being done.</param>
    /// <param name="cancellation">Stops between windows.</param>
    /// <exception cref="UsageException">Each signal has an encoder of its own: nothing is attended to across signals.</exception>
    public static AttentionAnalysis Of(MaskedConfiguration network, ParameterTensor[] weights, ParameterTensor[] start, int subjects,
        Action<string> told, CancellationToken cancellation)
    {
        if (network.IsSplit)
            throw new UsageException($"arm {ProbeStudy.Letter(network.Arm)} has an encoder a signal: no attention goes across signals");
        MaskedWindow[] windows = [.. Enumerable.Range(0, subjects).SelectMany(s => MaskedWindows.Of(Seed, s, 1))];
        // Each signal from another subject: what is aligned by content must vanish.
        MaskedWindow[] mixed = [.. windows.Select((w, i) => w.With([windows[(i + 1) % subjects], windows[(i + 2) % subjects], w]))];
        told("attention");
        Seen trained = Look(network, weights, windows, cancellation), untrained = Look(network, start, windows, cancellation),
            others = Look(network, weights, mixed, cancellation);
        told("units");
        double[] units = Entropy(network, weights, windows, cancellation), unitsBefore = Entropy(network, start, windows, cancellation);
        double delay = windows.Average(w => w.Truth.Delay);
        AnalysisTable[] tables =
        [
            Shapes(network, trained, untrained, others),
            Matrix(trained, untrained),
            new("Entropy of signals over the units of the pooled embedding, 1: shared by all, 0: one signal's",
                ["network", ">mean", ">10%", ">median", ">90%"],
                [EntropyRow("trained", units), EntropyRow("untrained", unitsBefore)]),
            Delays(network, trained, untrained, windows),
        ];
        double[] x = [.. Enumerable.Range(-MostLag * 2, (MostLag * 4) + 1).Select(k => k * TokenSeconds)];
        (string, string)[] pictures =
        [
            .. new[] { (Ecg, Ppg), (Ppg, Ecg), (Ecg, 1) }.Select(pair => (AttentionPicture.Lines(
                $"Queries of {Name(pair.Item1)} on keys of {Name(pair.Item2)}", x,
                [.. trained.Shapes.Select((heads, l) => ($"layer {l + 1}", Profile(heads, pair.Item1, pair.Item2))),
                    ("untrained, last", Profile(untrained.Shapes[^1], pair.Item1, pair.Item2))],
                "lag, s", pair.Item2 == Ppg ? [("true delay", delay)] : pair.Item1 == Ppg ? [("true delay", -delay)] : []),
                "Mean weight by lag, mean over heads.")),
            .. trained.Maps.Select((html, l) => (html, $"Layer {l + 1}, first subject: queries from above, keys from the left (PPG, BP, "
                + "ECG, 50 patches each). White none, dark most of a map.")),
        ];
        return new AttentionAnalysis(tables, pictures);
    }

    private static string Name(int signal) => MaskedConfiguration.SignalNames[signal];

    private static double[] Profile(AttentionShape[] heads, int from, int on)
    {
        int middle = heads[0].MaxLag;
        return UniCardioAnalysis.Mean([.. heads.Select(h => h.Profile(from, on)[(middle - (MostLag * 2))..(middle + (MostLag * 2) + 1)])]);
    }

    private static AnalysisTable Shapes(MaskedConfiguration network, Seen trained, Seen untrained, Seen mixed)
    {
        string[] Row(int layer)
        {
            AttentionShape[] a = trained.Shapes[layer], b = untrained.Shapes[layer], c = mixed.Shapes[layer];
            return [$"{layer + 1}", a.Average(h => h.Cross).In("0.000"), b.Average(h => h.Cross).In("0.000"), a[0].CrossChance.In("0.000"),
                a.Average(h => h.Alignment).In("0.000"), a.Max(h => h.Alignment).In("0.000"), b.Average(h => h.Alignment).In("0.000"),
                c.Average(h => h.Alignment).In("0.000"), a[0].AlignmentChance.In("0.000")];
        }

        return new AnalysisTable("Attention by layer", ["layer", ">cross", ">untrained", ">chance", ">alignment", ">best head",
            ">untrained", ">signals of others", ">chance"], [.. Enumerable.Range(0, network.Layers).Select(Row)]);
    }

    private static AnalysisTable Matrix(Seen trained, Seen untrained)
    {
        string[] Row(string name, AttentionShape[] heads, int from) => [name, Name(from),
            .. Enumerable.Range(0, Signals).Select(on => heads.Average(h => h.Share(from, on)).In("0.000"))];
        return new AnalysisTable("Last layer: share of a signal's queries on the keys of each", ["network", "queries of",
            .. MaskedConfiguration.SignalNames.Select(n => ">" + n)],
            [.. Enumerable.Range(0, Signals).Select(s => Row("trained", trained.Shapes[^1], s)),
                .. Enumerable.Range(0, Signals).Select(s => Row("untrained", untrained.Shapes[^1], s))]);
    }

    private static string[] EntropyRow(string name, double[] units)
    {
        double[] sorted = [.. units.Order()];
        double At(double share) => sorted[(int)(share * (sorted.Length - 1))];
        return [name, units.Average().In("0.000"), At(0.1).In("0.000"), At(0.5).In("0.000"), At(0.9).In("0.000")];
    }

    // The head whose lag follows the delay best on even subjects, tested on odd ones.
    private static AnalysisTable Delays(MaskedConfiguration network, Seen trained, Seen untrained, MaskedWindow[] windows)
    {
        string[] Row(string name, Seen seen)
        {
            (int best, double bestR) = (0, double.NegativeInfinity);
            for (int h = 0; h < network.Layers * network.Heads; h++)
            {
                double r = Correlation(seen, windows, h, 0);
                (best, bestR) = r > bestR ? (h, r) : (best, bestR);
            }

            double[] peaks = [.. seen.Shapes.SelectMany(heads => heads.Select(h => h.Peak(Ecg, Ppg, MostLag) * TokenSeconds))];
            return [name, $"{(best / network.Heads) + 1}.{(best % network.Heads) + 1}", bestR.In("0.00"),
                Correlation(seen, windows, best, 1).In("0.00"), peaks[best].In("0.00"), windows.Average(w => w.Truth.Delay).In("0.00")];
        }

        return new AnalysisTable("Lag of ECG queries on PPG keys against the true pulse delay, by the head that follows it best on every "
            + "other subject", ["network", "layer.head", ">r, chosen on", ">r, others", ">its lag, s", ">true delay, s"],
            [Row("trained", trained), Row("untrained", untrained)]);
    }

    private static double Correlation(Seen seen, MaskedWindow[] windows, int head, int odd)
    {
        int[] of = [.. Enumerable.Range(0, windows.Length).Where(i => i % 2 == odd)];
        return Measures.PearsonCorrelation(of.Select(i => (float)seen.Lags[i][head]).ToArray(),
            of.Select(i => (float)windows[i].Truth.Delay).ToArray()) ?? 0;
    }

    // For each unit: how its variance under replacing one signal by another window's divides among the signals.
    private static double[] Entropy(MaskedConfiguration network, ParameterTensor[] weights, MaskedWindow[] windows,
        CancellationToken cancellation)
    {
        int d = network.Width, at = Signals * d;
        double[,] variance = new double[d, Signals];
        for (int w = 0; w < Math.Min(EntropyWindows, windows.Length); w++)
        {
            for (int m = 0; m < Signals; m++)
            {
                MaskedWindow[] replaced = [.. Enumerable.Range(1, Math.Min(Replacements, windows.Length - 1)).Select(k => windows[w].With(
                    [.. Enumerable.Range(0, Signals).Select(s => s == m ? windows[(w + k) % windows.Length] : windows[w])]))];
                double[][] rows = MaskedEmbedding.Of(network, weights, replaced, cancellation: cancellation);
                for (int u = 0; u < d; u++)
                {
                    double mean = rows.Average(r => r[at + u]);
                    variance[u, m] += rows.Average(r => (r[at + u] - mean) * (r[at + u] - mean));
                }
            }
        }

        return [.. Enumerable.Range(0, d).Select(u =>
        {
            double sum = Enumerable.Range(0, Signals).Sum(m => variance[u, m]), entropy = 0;
            for (int m = 0; m < Signals && sum > 0; m++)
                entropy -= variance[u, m] > 0 ? variance[u, m] / sum * Math.Log(variance[u, m] / sum) / Math.Log(Signals) : 0;
            return entropy;
        })];
    }

    private static Seen Look(MaskedConfiguration network, ParameterTensor[] weights, MaskedWindow[] windows, CancellationToken cancellation)
    {
        const int Tokens = MaskedConfiguration.Tokens;
        TokenAxis axis = TokenAxis.Of([0, 1, 2], MaskedConfiguration.Patches);
        AttentionShape[][] Make() => [.. Enumerable.Range(0, network.Layers).Select(_ => Enumerable.Range(0, network.Heads)
            .Select(_ => new AttentionShape(axis, axis)).ToArray())];
        AttentionShape[][] all = Make();
        double[][] lags = [.. windows.Select(_ => new double[network.Layers * network.Heads])];
        string[] maps = new string[network.Layers];
        MaskedEmbedding.Of(network, weights, windows, 7, (first, _, layer, attention) =>
        {
            int count = attention.Length / (network.Heads * Tokens * Tokens);
            for (int unit = 0; unit < count * network.Heads; unit++)
            {
                ReadOnlySpan<float> own = attention.AsSpan(unit * Tokens * Tokens, Tokens * Tokens);
                int head = unit % network.Heads;
                all[layer][head].Add(own);
                var alone = new AttentionShape(axis, axis);
                alone.Add(own);
                lags[first + (unit / network.Heads)][(layer * network.Heads) + head] = alone.Peak(Ecg, Ppg, MostLag) * TokenSeconds;
            }

            if (first == 0)
                maps[layer] = string.Concat(Enumerable.Range(0, network.Heads).Select(h => AttentionPicture.Map(
                    [.. attention.AsSpan(h * Tokens * Tokens, Tokens * Tokens).ToArray().Select(a => (double)a)], Tokens, $"head {h + 1}",
                    240)));
        }, cancellation);
        return new Seen(all, lags, maps);
    }

    private sealed record Seen(AttentionShape[][] Shapes, double[][] Lags, string[] Maps);
}
