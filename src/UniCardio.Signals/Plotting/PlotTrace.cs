using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Plotting;

/// <summary>What a trace shows; it decides colour and line style.</summary>
internal enum TraceRole
{
    /// <summary>Measured samples: a thin solid blue line.</summary>
    Measured,

    /// <summary>Samples that a model generated: a thick, long-dashed vermilion line.</summary>
    Generated,

    /// <summary>What is known to be true, to compare with: a dotted black line.</summary>
    Reference,

    /// <summary>What was measured less what was generated: a thin solid grey line.</summary>
    Difference,
}

/// <summary>One line in a panel.</summary>
/// <param name="Role">What it shows.</param>
/// <param name="Samples">The samples, NaN where there is nothing to draw.</param>
internal sealed record PlotTrace(TraceRole Role, ReadOnlyMemory<float> Samples)
{
    /// <summary>Its name in the legend; the role's by default. Traces of equal role and name share one entry.</summary>
    public string? Label { get; init; }

    /// <summary>Lower edge of a band about the line, NaN where there is none; as long as <see cref="Upper"/>, or empty.</summary>
    public ReadOnlyMemory<float> Lower { get; init; }

    /// <summary>Upper edge of the band.</summary>
    public ReadOnlyMemory<float> Upper { get; init; }

    /// <summary>Name of the band in the legend.</summary>
    public string BandLabel { get; init; } = "5\u201395% of draws";

    internal string LegendLabel => Label ?? Role switch
    {
        TraceRole.Measured => "Measured",
        TraceRole.Generated => "Generated",
        TraceRole.Difference => "Difference",
        _ => "Reference",
    };
}

/// <summary>One signal: a panel with its own value axis.</summary>
/// <param name="Name">Name of the signal.</param>
/// <param name="Unit">Its unit, or "".</param>
/// <param name="Traces">Its lines; later ones lie on top.</param>
internal sealed record PlotPanel(string Name, string Unit, IReadOnlyList<PlotTrace> Traces)
{
    /// <summary>Stretches to shade as missing.</summary>
    public IReadOnlyList<SampleRange> Gaps { get; init; } = [];

    /// <summary>Values from the panel's lower to its upper edge, to compare panels by; null for those that its lines need.</summary>
    public (double Low, double High)? Range { get; init; }

    internal string AxisLabel => Unit.Length == 0 ? Name : $"{Name} ({Unit})";
}
