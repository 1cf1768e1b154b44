using UniCardio.Signals;

namespace UniCardio.BeatCases;

/// <summary>A signal with its true beats: R peaks of an ECG, onsets of a pulse wave (seconds); none where nothing may be found.</summary>
public sealed record BeatCase(string Family, string Name, ChannelKind Kind, string Unit, double Rate, float[] Samples, double[] Truth)
{
    public override string ToString() => $"{Family} {Name}";
}

/// <summary>A kind of signal, drawn anew for every number.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Draw">Draws case i; equal numbers give equal signals.</param>
public sealed record BeatFamily(string Name, Func<int, BeatCase> Draw)
{
    public IEnumerable<BeatCase> Cases(int count, int first = 0) => Enumerable.Range(first, count).Select(Draw);

    /// <summary>False beats a case (60 s) that a test lets pass in a family that is not mended yet.</summary>
    public static int Tolerated(string name) => s_tolerated.FirstOrDefault(t => name.Contains(t.Part, StringComparison.Ordinal)).Beats;

    // A rhythm that ends in noise is followed until its beats have been out of sight for some seconds; a line that opens steps once.
    private static readonly (string Part, int Beats)[] s_tolerated =
    [
        ("then ventricular fibrillation", 1), ("then noise", 10), ("then movements", 6), ("then the line open", 2), ("zeroed and back", 2),
        ("flushed and back", 2), ("humps of one shape", 10), ("none, ABP: motion", 1),
    ];

    /// <summary>Every family: what has beats, and what has none.</summary>
    public static IReadOnlyList<BeatFamily> All { get; } = [.. EcgFamilies.All, .. PulseFamilies.All, .. SilentFamilies.All];
}
