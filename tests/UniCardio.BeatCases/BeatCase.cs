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

    /// <summary>Every family: what has beats, and what has none.</summary>
    public static IReadOnlyList<BeatFamily> All { get; } = [.. EcgFamilies.All, .. PulseFamilies.All, .. SilentFamilies.All];
}
