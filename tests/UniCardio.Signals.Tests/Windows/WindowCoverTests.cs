using FsCheck;
using FsCheck.Fluent;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Windows;

namespace UniCardio.Signals.Tests.Windows;

public class WindowCoverTests
{
    private static Gen<WindowCover> Covers =>
        from s in Gen.Choose(1, 40)
        from overlap in Gen.Choose(0, s - 1)
        from n in Gen.Choose(s, 200)
        select new WindowCover(n, s, overlap);

    private static void ForAll(Action<WindowCover> check) =>
        Prop.ForAll(Arb.From(Covers), check).Check(Config.QuickThrowOnFailure.WithMaxTest(400).WithReplay(20260101, 7));

    [Fact]
    public void WeightsSumToOneExactlyAtEverySample() => ForAll(cover =>
    {
        var forward = new float[cover.Length];
        var backward = new float[cover.Length];
        var weights = new float[cover.WindowLength];
        for (int k = 0; k < cover.Count; k++)
            Add(k, forward);
        for (int k = cover.Count - 1; k >= 0; k--)
            Add(k, backward);
        Assert.All(forward, s => Assert.Equal(1f, s));
        Assert.All(backward, s => Assert.Equal(1f, s));

        void Add(int k, float[] sum)
        {
            cover.Weights(k, weights);
            for (int i = 0; i < weights.Length; i++)
            {
                Assert.InRange(weights[i], 0f, 1f);
                sum[cover[k].Start + i] += weights[i];
            }
        }
    });

    [Fact]
    public void WindowsCoverEverySampleInOrderAndEndWithTheRecording() => ForAll(cover =>
    {
        Assert.Equal(0, cover[0].Start);
        Assert.Equal(cover.Length, cover[cover.Count - 1].End);
        for (int k = 1; k < cover.Count; k++)
        {
            Assert.True(cover[k].Start > cover[k - 1].Start);
            Assert.True(cover[k - 1].End - cover[k].Start >= cover.Overlap);
        }
        for (int i = 0; i < cover.Length; i++)
        {
            int[] holding = [.. Enumerable.Range(0, cover.Count).Where(k => cover[k].Contains(i))];
            Assert.Equal((holding[0], holding.Length), cover.WindowsAt(i));
        }
    });

    [Fact]
    public void WindowsThatAgreeComeOutAsTheyWentIn() => ForAll(cover =>
    {
        var signal = new float[cover.Length];
        var truth = new float[cover.Length];
        for (int i = 0; i < truth.Length; i++)
            truth[i] = 100 + i;
        for (int k = 0; k < cover.Count; k++)
            cover.Accumulate(k, truth.AsSpan(cover[k].Start, cover.WindowLength), signal);
        // Each product and sum is rounded to float32 near 300: 1.5e-5 apiece, at most 40 windows at a sample.
        for (int i = 0; i < truth.Length; i++)
            Assert.InRange(signal[i] - truth[i], -1.3e-3f, 1.3e-3f);
    });

    [Theory]
    [InlineData(2000, 100)]
    [InlineData(901, 100)]
    [InlineData(1203, 250)]
    [InlineData(1777, 400)]
    public void WindowsThatDisagreeAreJoinedWithoutAStep(int n, int overlap)
    {
        var cover = new WindowCover(n, 500, overlap);
        var signal = new float[n];
        for (int k = 0; k < cover.Count; k++)
            cover.Accumulate(k, Enumerable.Repeat((float)(k % 2), 500).ToArray(), signal);
        // A raised cosine over m samples rises by at most pi / (2 (m + 1)) a sample; where three or four windows meet, fades add up.
        double steepest = Enumerable.Range(1, n - 1).Max(i => Math.Abs(signal[i] - signal[i - 1]));
        Assert.InRange(steepest, 1e-4, 3 * Math.PI / (2 * (overlap + 1)));
    }

    [Fact]
    public void AWindowWithoutASayCannotSpoilASample()
    {
        var cover = new WindowCover(10, 10, 0);
        var signal = new float[10];
        cover.Accumulate(0, new float[10], signal);
        Assert.All(signal, v => Assert.Equal(0f, v));
        Assert.Equal(1, cover.Count);
    }

    [Fact]
    public void TheLastWindowIsShiftedBack()
    {
        var cover = new WindowCover(1001, 500, 100);
        Assert.Equal([0, 400, 501], Enumerable.Range(0, cover.Count).Select(k => cover[k].Start));
        Assert.Equal(2, new WindowCover(900, 500, 100).Count);
        Assert.Equal(3, new WindowCover(901, 500, 100).Count);
    }

    [Fact]
    public void BadArgumentsAreRefusedByName()
    {
        var e = Assert.Throws<RecordingTooShortException>(() => new WindowCover(499, 500, 100));
        Assert.Equal((499, 500), (e.Length, e.WindowLength));
        Assert.Contains("499 samples", e.Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new WindowCover(1000, 500, 500));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WindowCover(1000, 500, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WindowCover(1000, 0, 0));
        var cover = new WindowCover(1000, 500, 100);
        Assert.Throws<ArgumentOutOfRangeException>(() => cover[cover.Count]);
        Assert.Throws<ArgumentOutOfRangeException>(() => cover.WindowsAt(1000));
        Assert.Throws<ArgumentException>(() => cover.Weights(0, new float[499]));
        Assert.Throws<ArgumentException>(() => cover.Accumulate(0, new float[500], new float[999]));
    }
}
