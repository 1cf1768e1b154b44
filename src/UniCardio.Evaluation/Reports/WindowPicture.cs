using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals.Plotting;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Reports;

/// <summary>A window as a picture: truth and what the network made of it, the best baseline, and what was given.</summary>
internal static class WindowPicture
{
    /// <summary>Draws an example.</summary>
    public static SignalPlot Of(WindowExample example)
    {
        EvaluationWindow window = example.Window;
        Modality output = window.Task.Output;
        string unit = output == Modality.Bp ? "mmHg" : window.IsNormalized ? "normalised" : "";
        float[] truth = window.Truth.ToArray();
        if (window.IsNormalized)
            window.TruthScale.Forward(truth, truth);
        var reference = new PlotTrace(TraceRole.Reference, truth) { Label = "Truth" };
        SampleRange[] gaps = window.Task.Kind == TaskKind.Impute ? [window.Scope] : [];
        var panels = new List<PlotPanel>
        {
            new($"{output.Name().ToUpperInvariant()}, network", unit, [.. Given(window), reference,
                Made(window, example.Result, example.Low, example.High, "Mean of the draws")]) { Gaps = gaps },
            new("baseline", unit, [.. Given(window), reference,
                Made(window, example.BaselineResult, default, default, $"Baseline: {example.Baseline}")]) { Gaps = gaps },
        };
        foreach (Modality other in (window.Task.Conditions & ~output.ToSet()).Members())
            panels.Add(new PlotPanel(other.Name().ToUpperInvariant(), other == Modality.Bp ? "mmHg" : "",
                [new PlotTrace(TraceRole.Measured, window.GivenWindow(other).ToArray())]));
        return new SignalPlot
        {
            Title = $"{window.Task}{(window.Corruption == Corruption.Absent ? "" : $", {window.Corruption}")}: {example.Rank} window",
            SampleRate = NetworkSignal.Rate,
            Panels = panels,
            PanelHeight = 150,
            Width = 1000,
        };
    }

    /// <summary>What stands below the picture.</summary>
    public static string Caption(WindowExample example)
    {
        bool pressure = example.Window.Task.Output == Modality.Bp;
        string Error(double scaled) => pressure
            ? (AffineScale.BloodPressure.HalfRange * scaled).ToString("0.0", CultureInfo.InvariantCulture)
            : scaled.ToString("0.000", CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture,
            $"{example.Rank}: {example.Window.Recording.Name} from {example.Window.Position.Start / NetworkSignal.Rate:0.0} s; RMSE ")
            + $"{Error(example.Score.RootMeanSquare)}, {example.Baseline} {Error(example.BaselineScore.RootMeanSquare)} "
            + (pressure ? "mmHg" : "(scaled units)");
    }

    private static IEnumerable<PlotTrace> Given(EvaluationWindow window) => window.Task.Kind == TaskKind.Translate
        ? []
        : [new PlotTrace(TraceRole.Measured, window.GivenWindow(window.Task.Output).ToArray()) { Label = "Given" }];

    // In a gap with the measured sample on either side, so that the line joins.
    private static PlotTrace Made(EvaluationWindow window, ReadOnlyMemory<float> result, ReadOnlyMemory<float> low,
        ReadOnlyMemory<float> high, string label)
    {
        if (window.Task.Kind != TaskKind.Impute)
            return new PlotTrace(TraceRole.Generated, result) { Label = label, Lower = low, Upper = high };
        float[] line = new float[result.Length];
        Array.Fill(line, float.NaN);
        SampleRange gap = window.Scope;
        result.Span.Slice(gap.Start, gap.Length).CopyTo(line.AsSpan(gap.Start));
        if (gap.Start > 0)
            line[gap.Start - 1] = window.Truth.Span[gap.Start - 1];
        if (gap.End < line.Length)
            line[gap.End] = window.Truth.Span[gap.End];
        return new PlotTrace(TraceRole.Generated, line) { Label = label, Lower = InGap(low, gap), Upper = InGap(high, gap) };
    }

    private static float[] InGap(ReadOnlyMemory<float> edge, SampleRange gap)
    {
        float[] shown = edge.ToArray();
        for (int i = 0; i < shown.Length; i++)
            shown[i] = gap.Contains(i) ? shown[i] : float.NaN;
        return shown;
    }
}
