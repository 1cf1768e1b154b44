using FsCheck;
using FsCheck.Fluent;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Tests.Processing;

/// <summary>Piece by piece gives what the whole gives, bit for bit, wherever the pieces are cut.</summary>
public class IncrementalTests
{
    private static readonly double[] Rates = [125, 250, 500, 360, 128, 100, 62.5, 1000, 999, 62.4725, 124.999, 30];

    // Designing a filter takes longer than a case.
    private static readonly Dictionary<double, Resampler> Resamplers = Rates.ToDictionary(r => r, r => new Resampler(r, 125));

    /// <summary>A signal of measured runs and gaps of all lengths, and where it is cut.</summary>
    private sealed record Case(double Rate, int Seed, int Runs, bool IsWild)
    {
        public float[] Signal()
        {
            var random = new Random(Seed);
            var samples = new List<float>();
            for (int run = 0; run < Runs; run++)
            {
                int measured = Length(random), missing = random.Next(4) == 0 ? 0 : Length(random) / 4 + 1;
                // Wild values differ by 24 orders of magnitude: sums of theirs round in double, and every difference in their order shows.
                for (int i = 0; i < measured; i++)
                    samples.Add((float)(random.NextDouble() - 0.5) * (IsWild ? MathF.Pow(10, random.Next(-12, 13)) : 1));
                for (int i = 0; i < missing; i++)
                    samples.Add(float.NaN);
            }
            return [.. random.Next(2) == 0 ? samples : samples.AsEnumerable().Reverse()];
        }

        public IEnumerable<(int From, int To)> Pieces(int length)
        {
            var random = new Random(Seed ^ 0x5A5A);
            int largest = (int)Math.Pow(10, random.Next(0, 4)) + 1;
            for (int from = 0; from < length;)
            {
                int to = Math.Min(length, from + random.Next(0, largest));
                yield return (from, to);
                from = to;
            }
        }

        private static int Length(Random random) => random.Next(5) switch { 0 => 1, 1 => random.Next(1, 4), 2 => random.Next(1, 30), 3 =>
            random.Next(20, 120), _ => random.Next(100, 900) };
    }

    private static readonly Gen<Case> Cases =
        from rate in Gen.Elements(Rates)
        from seed in Gen.Choose(0, int.MaxValue)
        from runs in Gen.Choose(1, 12)
        from wild in Gen.Elements(false, true)
        select new Case(rate, seed, runs, wild);

    private static Config Config(int tests) => FsCheck.Config.QuickThrowOnFailure.WithMaxTest(tests).WithReplay(20260501, 7);

    [Fact]
    public void Resampling() => Prop.ForAll(Arb.From(Cases), c =>
    {
        float[] signal = c.Signal();
        Resampler resampler = Resamplers[c.Rate];
        var incremental = new IncrementalResampler(resampler);
        var output = new List<float>();
        foreach ((int from, int to) in c.Pieces(signal.Length))
        {
            var room = new float[incremental.MaxOutput(to - from)];
            output.AddRange(room[..incremental.Push(signal.AsSpan(from, to - from), room)]);
            // What is out is final; what is not waits for no more than the filter's reach, and one sample that may end a run.
            Assert.Equal(output.Count, incremental.Produced);
            Assert.True((incremental.Produced + 1.0) * c.Rate / 125 >= to - incremental.Reach - 2,
                $"{incremental.Produced} of {to} with a reach of {incremental.Reach}");
        }
        var rest = new float[incremental.MaxOutput(0)];
        output.AddRange(rest[..incremental.Complete(rest)]);
        Same(resampler.Resample(signal), output);
    }).Check(Config(250));

    // A long run whose start is forgotten: the resampler keeps a bounded piece of it.
    [Fact]
    public void ResamplingTakenUpInTheMiddleOfARun() => Prop.ForAll(Arb.From(Cases), c =>
    {
        var random = new Random(c.Seed);
        float[] signal = [.. Enumerable.Range(0, 3000).Select(_ => (float)random.NextDouble())];
        Resampler resampler = Resamplers[c.Rate];
        float[] whole = resampler.Resample(signal);
        var incremental = new IncrementalResampler(resampler);
        int from = random.Next(0, 2000);
        incremental.Restart(from);
        long first = incremental.Produced;
        var output = new float[incremental.MaxOutput(3000)];
        int count = incremental.Push(signal.AsSpan(from), output);
        count += incremental.Complete(output.AsSpan(count));
        Assert.Equal(whole.Length, first + count);
        Assert.True(resampler.Ratio.PhasesAt(first) >= (long)from * resampler.Ratio.Up
            && (first == 0 || resampler.Ratio.PhasesAt(first - 1) < (long)from * resampler.Ratio.Up));
        // The filter sees the cut within its reach, and nothing of it after.
        int unaffected = (int)Math.Ceiling((from + resampler.Reach) * 125 / c.Rate) + 1;
        Same(whole[unaffected..], output[(int)(unaffected - first)..count]);
    }).Check(Config(100));

    [Fact]
    public void Gaps() => Prop.ForAll(Arb.From(Cases), c =>
    {
        float[] signal = c.Signal();
        foreach (int shortest in (int[])[0, 1, 2, 5, 40])
        {
            var incremental = new IncrementalGapFinder(shortest);
            var found = new List<LiveRange>();
            foreach ((int from, int to) in c.Pieces(signal.Length))
            {
                incremental.Push(signal.AsSpan(from, to - from), found);
                Assert.Equal(found.Count + (incremental.Open is null ? 0 : 1), incremental.Count);
            }
            incremental.Complete(found);
            Assert.Equal(GapFinder.Find(signal, shortest).Select(g => new LiveRange(g.Start, g.Length)), found);
            Assert.Equal(signal.Length - GapFinder.CountMeasured(signal), incremental.Missing);
        }
    }).Check(Config(200));

    // Few levels, so that stretches within a tolerance are common and run into each other.
    [Fact]
    public void FlatStretches() => Prop.ForAll(Arb.From(Cases), c =>
    {
        var random = new Random(c.Seed);
        float[] signal = [.. c.Signal().Select(x => float.IsNaN(x) ? x : MathF.Round(x * 3) * (random.Next(3) == 0 ? 0 : 0.1f))];
        foreach ((int shortest, float tolerance) in (ReadOnlySpan<(int, float)>)[(2, 0f), (5, 0f), (4, 0.1f), (12, 0.25f)])
        {
            var detector = new FlatRunDetector(shortest, tolerance);
            var flat = new bool[signal.Length];
            for (int i = 0; i < signal.Length; i++)
            {
                detector.Push(signal[i]);
                if (detector.HasBecomeFlat)
                    flat.AsSpan(i + 1 - (int)detector.Length, (int)detector.Length).Fill(true);
                flat[i] = detector.IsFlat;
            }
            var expected = new bool[signal.Length];
            foreach (SampleRange run in GreedyFlatRuns(signal, shortest, tolerance))
                expected.AsSpan(run.Start, run.Length).Fill(true);
            Assert.Equal(expected, flat);
            Assert.Equal(GreedyFlatRuns(signal, shortest, tolerance),
                SignalQuality.FindFlatRuns(signal, shortest, tolerance).Select(r => r.Range));
        }
    }).Check(Config(200));

    [Fact]
    public void ClippedStretchesAreTheSameWithoutAList() => Prop.ForAll(Arb.From(Cases), c =>
    {
        float[] signal = [.. c.Signal().Select(x => float.IsNaN(x) ? x : Math.Clamp(MathF.Round(x * 4), -1, 1))];
        var found = new List<ClippedRun>();
        foreach (ClippedRun run in SignalQuality.ClippedRuns(signal, 2, 4))
            found.Add(run);
        List<ClippedRun> expected = [.. Plateaus(signal, ClippingSide.Low, 2, 4), .. Plateaus(signal, ClippingSide.High, 2, 4)];
        Assert.Equal(expected, found);
        Assert.Equal(expected.OrderBy(r => r.Range.Start), SignalQuality.FindClippedRuns(signal, 2, 4));
    }).Check(Config(200));

    [Fact]
    public void TooLittleRoomIsRefused()
    {
        var incremental = new IncrementalResampler(new Resampler(250, 125));
        Assert.Throws<ArgumentException>(() => incremental.Push(new float[200], new float[10]));
        Assert.Throws<ArgumentException>(() => new IncrementalResampler(new Resampler(125, 125)).Push(new float[2], new float[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => incremental.Restart(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new IncrementalGapFinder(-1));
    }

    // The definitions, written down without state.
    private static List<SampleRange> GreedyFlatRuns(float[] x, int shortest, float tolerance)
    {
        var runs = new List<SampleRange>();
        for (int start = 0; start < x.Length;)
        {
            int end = start + 1;
            while (end < x.Length && x[start..(end + 1)].Max() - x[start..(end + 1)].Min() <= tolerance
                && !x[start..(end + 1)].Any(float.IsNaN))
                end++;
            if (end - start >= shortest)
                runs.Add(SampleRange.Between(start, end));
            start = end;
        }
        return runs;
    }

    private static List<ClippedRun> Plateaus(float[] x, ClippingSide side, int shortest, int longest)
    {
        float[] measured = [.. x.Where(v => !float.IsNaN(v))];
        if (measured.Length == 0 || measured.Min() == measured.Max())
            return [];
        float level = side == ClippingSide.Low ? measured.Min() : measured.Max();
        var runs = new List<ClippedRun>();
        for (int i = 0; i < x.Length; i++)
        {
            int start = i;
            while (i < x.Length && x[i] == level)
                i++;
            if (i - start >= shortest)
                runs.Add(new ClippedRun(SampleRange.Between(start, i), side, level));
        }
        return runs.Count > 1 || (runs.Count == 1 && runs[0].Range.Length >= longest) ? runs : [];
    }

    private static void Same(IEnumerable<float> expected, IEnumerable<float> actual) =>
        Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), actual.Select(BitConverter.SingleToInt32Bits));
}
