namespace UniCardio.Engine.Diagnostics;

/// <summary>How one expected output compared.</summary>
/// <param name="Name">The output, e.g. <c>eps/cond=0/target=2/decoder=2/t=7</c>, <c>layer0/skip</c> or
/// <c>grad/cond=0/target=2/decoder=2/loss</c>.</param>
/// <param name="RelativeError">Largest difference over largest expected magnitude; NaN where either side holds one.</param>
/// <param name="Tolerance">Largest relative error allowed.</param>
internal sealed record GoldenResult(string Name, double RelativeError, double Tolerance)
{
    /// <summary>Whether the error is within the tolerance. NaN never is.</summary>
    public bool Passed => RelativeError <= Tolerance;
}

/// <summary>An entry that was not compared, and why.</summary>
/// <param name="Name">The entry or tensor.</param>
/// <param name="Reason">Why it was not compared.</param>
internal sealed record GoldenOmission(string Name, string Reason);

/// <summary>How far a verification has come.</summary>
/// <param name="Done">Entries done.</param>
/// <param name="Total">Entries in the file.</param>
/// <param name="Entry">The entry at work; the last one when all are done.</param>
internal readonly record struct GoldenProgress(int Done, int Total, string Entry);

/// <summary>What came of verifying a golden file.</summary>
/// <param name="File">The file.</param>
/// <param name="Backend">The backend's name.</param>
/// <param name="Tolerance">Largest relative error allowed of the backend's outputs; each result holds its own.</param>
/// <param name="Results">Every output compared, in the file's order.</param>
/// <param name="NotVerified">What the file holds and was not compared.</param>
internal sealed record GoldenReport(string File, string Backend, double Tolerance, IReadOnlyList<GoldenResult> Results,
    IReadOnlyList<GoldenOmission> NotVerified)
{
    /// <summary>What computed the gradients; null where none were compared.</summary>
    public string? Gradients { get; init; }

    /// <summary>
    /// The result with the largest error, NaN being larger than any, among those over their tolerance if there are some; null where nothing
    /// was compared.
    /// </summary>
    public GoldenResult? Worst =>
        Results.MaxBy(r => (!r.Passed, double.IsNaN(r.RelativeError) ? double.PositiveInfinity : r.RelativeError));

    /// <summary>Whether something was compared and all of it is within the tolerance.</summary>
    public bool Passed => Results.Count > 0 && Results.All(r => r.Passed);
}
