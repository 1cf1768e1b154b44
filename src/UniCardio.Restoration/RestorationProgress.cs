namespace UniCardio.Restoration;

/// <summary>How far a run is. Reported after every sampler step, and while measured stretches are hidden in turn, on the thread that
/// runs.</summary>
/// <param name="WindowsDone">Windows whose results are complete.</param>
/// <param name="WindowsTotal">Windows to be computed; those that need no work are not counted.</param>
/// <param name="Fraction">Share of the computation that is done, 0 to 1; never falls.</param>
public readonly record struct RestorationProgress(int WindowsDone, int WindowsTotal, double Fraction);
