namespace UniCardio.Streaming;

/// <summary>What became of a pushed block, sample by sample. The counts sum to the block's length.</summary>
/// <param name="Taken">Samples that found their place, NaN and implausible ones included.</param>
/// <param name="Repeated">Samples whose place was taken by a sample that came before: duplicates and overlaps. The first wins.</param>
/// <param name="Late">Samples whose place had been given up as missing.</param>
/// <param name="SetAside">
/// Samples whose time stamp is far from all others. They wait: if the next such block agrees with them the clock has jumped and a new
/// segment begins with both, otherwise they count as <see cref="InputCounts.StraySamples"/>.
/// </param>
public readonly record struct PushResult(int Taken, int Repeated, int Late, int SetAside);
