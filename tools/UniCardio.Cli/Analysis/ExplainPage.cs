using System.Globalization;
using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Attention;
using UniCardio.Evaluation.Reports;
using UniCardio.Pipeline;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Plotting;

namespace UniCardio.Cli.Analysis;

/// <summary>How one window of a restoration came about: what was given, the sampler's states, and what attention looked at.</summary>
/// <param name="recording">The recording.</param>
/// <param name="channels">Its channels.</param>
/// <param name="options">The restoration's options.</param>
/// <param name="path">The recording's file; escaped where it is shown.</param>
internal sealed class ExplainPage(Recording recording, ChannelSelection channels, RestorationOptions options, string path)
{
    private const int ShownStates = 6;

    /// <summary>The page; null where the network has no window to compute.</summary>
    /// <param name="weights">The network.</param>
    /// <param name="engine">The network on its backend.</param>
    /// <param name="at">A second that the window should hold; null for the first.</param>
    /// <param name="cancellation">Stops the work.</param>
    public string? Of(ModelWeights weights, InferenceEngine engine, double? at, CancellationToken cancellation)
    {
        if (ExplainedWindow.Run(engine, recording, channels, options, at, cancellation) is not { } window)
            return null;
        ModelConfiguration m = weights.Configuration;
        var page = new HtmlPage($"How {Path.GetFileName(path)} became {window.Task}");
        page.Paragraph($"{RestorationResult.Remark} Attention says what a network read, not why a result is what it is.", "remark")
            .Paragraph(string.Create(CultureInfo.InvariantCulture,
                $"The window of {m.SlotSamples / NetworkSignal.Rate:0.###} s from {window.StartSeconds:0.###} s, {options.Draws} draws, "
                + $"{window.Steps.Count} evaluations of the network each. This is the network's own part: in a gap the patient's own "
                + $"beat, a filter and lines may have the larger say, which the command's summary tells."));
        page.Heading(2, "What was given, and what came out")
            .Picture(Given(window, m), "Measured signals; below, the draws' median and band.");
        page.Heading(2, "The sampler's states");
        foreach (ExplainedStep step in Chosen(window.Steps, ShownStates))
            page.Picture(State(step, m), string.Create(CultureInfo.InvariantCulture,
                $"Evaluation {step.Row + 1} of {window.Steps.Count}, diffusion step {step.T}: the state that the network looked at "
                + $"(dotted) and the clean signal that it predicted of it (dashed, band over the draws). Scaled."));
        Attention(page, weights, window, cancellation);
        return page.ToString();
    }

    private static void Attention(HtmlPage page, ModelWeights weights, ExplainedWindow window, CancellationToken cancellation)
    {
        var network = new ReferenceNetwork(weights);
        ModelConfiguration m = weights.Configuration;
        TokenAxis queries = NetworkAttention.Queries(m, window.Task), keys = NetworkAttention.Keys(m, window.Task);
        string[] names = [.. UniCardioAnalysis.Names(window.Task)];
        int[] slots = NetworkAttention.Slots(window.Task);
        double token = m.SamplesPerToken / NetworkSignal.Rate;
        page.Heading(2, "What the target's tokens looked at").List([
            $"Keys of a map from the left: {string.Join(", ", names)}. Queries from above, in time. White is nothing, dark the most of a "
            + "map; a diagonal is attention to the same time, one to its right attention to what comes later.",
            "Lag: time of the key less time of the query.",
        ]);
        foreach (ExplainedStep step in Chosen(window.Steps, 3))
        {
            cancellation.ThrowIfCancellationRequested();
            double[][][] seen = NetworkAttention.Of(network, window.Task, window.Conditions, step.Before.AsSpan(0, m.SlotSamples), step.T);
            page.Heading(3, string.Create(CultureInfo.InvariantCulture, $"Diffusion step {step.T}, first draw"));
            AttentionShape[][] shapes = [.. seen.Select(heads => heads.Select(w =>
            {
                var shape = new AttentionShape(queries, keys);
                shape.Add<double>(w);
                return shape;
            }).ToArray())];
            page.Table(["block", .. names.Select(n => $"on {n}")], shapes.Select((heads, b) => (IReadOnlyList<string>)[$"{b + 1}",
                .. slots.Select(s => heads.Average(h => h.Share((int)window.Task.Target, s)).In("0.000"))]));
            foreach ((int slot, string name) in slots.Zip(names))
                page.Picture(Lags(shapes, (int)window.Task.Target, slot, token, $"On {name}"), "Mean weight by lag, mean over heads.");
            for (int b = 0; b < seen.Length; b++)
                page.Picture(string.Concat(seen[b].Select((w, h) => AttentionPicture.Map(w, keys.Signal.Length, $"head {h + 1}"))),
                    $"Block {b + 1}");
        }
    }

    private static string Lags(AttentionShape[][] shapes, int from, int on, double token, string title)
    {
        int middle = shapes[0][0].MaxLag, near = Math.Min(middle, (int)Math.Ceiling(1 / token));
        return AttentionPicture.Lines(title, [.. Enumerable.Range(-near, (2 * near) + 1).Select(k => k * token)],
            [.. shapes.Select((heads, b) => ($"block {b + 1}",
                UniCardioAnalysis.Mean([.. heads.Select(h => h.Profile(from, on)[(middle - near)..(middle + near + 1)])])))], "lag, s");
    }

    private string Given(ExplainedWindow window, ModelConfiguration m)
    {
        Modality output = window.Task.Output;
        var panels = new List<PlotPanel>();
        foreach (Modality condition in options.Task.Conditions.Members())
        {
            if (window.Signals[(int)condition] is { } signal)
                panels.Add(new PlotPanel(condition.Name().ToUpperInvariant(), condition == Modality.Bp ? "mmHg" : "",
                    [new PlotTrace(TraceRole.Measured, signal)]));
        }

        (float[] low, float[] middle, float[] high) = Quantiles(window.Result, m.SlotSamples);
        panels.Add(new PlotPanel($"{output.Name().ToUpperInvariant()}, network", window.Task.Kind == TaskKind.Translate ? "normalised"
            : output == Modality.Bp ? "mmHg" : "", [new PlotTrace(TraceRole.Generated, middle) { Lower = low, Upper = high }]));
        return Plot($"{window.Task}", panels, window.StartSeconds);
    }

    private static string State(ExplainedStep step, ModelConfiguration m)
    {
        (float[] low, float[] middle, float[] high) = Quantiles(step.Clean, m.SlotSamples);
        return Plot(string.Create(CultureInfo.InvariantCulture, $"Diffusion step {step.T}"), [new PlotPanel("target", "scaled",
            [new PlotTrace(TraceRole.Reference, step.Before.AsMemory(0, m.SlotSamples)) { Label = "State, first draw" },
                new PlotTrace(TraceRole.Generated, middle) { Label = "Clean, predicted", Lower = low, Upper = high }])], 0);
    }

    private static string Plot(string title, IReadOnlyList<PlotPanel> panels, double start) => new SignalPlot
    {
        Title = title, SampleRate = NetworkSignal.Rate, Panels = panels, StartSeconds = start, PanelHeight = 150, Width = 1000,
    }.ToSvg();

    // Per sample over the draws: the edges of the middle 90%, as ranks, and the median.
    private static (float[] Low, float[] Middle, float[] High) Quantiles(float[] draws, int samples)
    {
        int n = draws.Length / samples, cut = (int)(0.05 * (n - 1));
        float[] low = new float[samples], middle = new float[samples], high = new float[samples], all = new float[n];
        for (int i = 0; i < samples; i++)
        {
            for (int d = 0; d < n; d++)
                all[d] = draws[(d * samples) + i];
            Array.Sort(all);
            (low[i], middle[i], high[i]) = (all[cut], (all[(n - 1) / 2] + all[n / 2]) / 2, all[n - 1 - cut]);
        }

        return (low, middle, high);
    }

    private static IEnumerable<ExplainedStep> Chosen(IReadOnlyList<ExplainedStep> steps, int count) =>
        Enumerable.Range(0, Math.Min(count, steps.Count)).Select(i => steps[steps.Count == 1 ? 0
            : i * (steps.Count - 1) / Math.Max(1, Math.Min(count, steps.Count) - 1)]);
}
