using System.Collections.Concurrent;

namespace UniCardio.Benchmarks.Soak;

/// <summary>How often what happened; a few names, counted from many threads.</summary>
internal sealed class Tally
{
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public long this[string what] => _counts.GetValueOrDefault(what);

    public long Total => _counts.Values.Sum();

    public void Add(string what) => _counts.AddOrUpdate(what, 1, (_, n) => n + 1);

    public SortedDictionary<string, long> ToSorted() => new(_counts, StringComparer.Ordinal);

    public override string ToString() => string.Join(", ", ToSorted().Select(p => FormattableString.Invariant($"{p.Key} {p.Value}")));
}
