using UniCardio.Engine;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Training.Network;
using UniCardio.Training.Optimization;

namespace UniCardio.Training.Tests.Optimization;

public class MuonTests
{
    // 36 channels and hidden 20: stacked maps of 36 x 36, a wide one of 20 x 36, a tall one of 36 x 20; no size a multiple of a panel.
    private static readonly ParameterLayout Layout = new(Runs.ToyNetwork.Small with { Channels = 36, FeedForward = 20, Embedding = 18 });

    public static TheoryData<CpuInstructionSet> Sets() => [.. CpuInstructionSets.Supported];

    private static float[] Random(int seed)
    {
        var random = new Random(seed);
        float[] values = new float[Layout.Length];
        foreach (ParameterSlice slice in Layout.Slices)
        {
            for (int i = 0; i < slice.Count; i++)
                values[slice.Offset + i] = (float)((2 * random.NextDouble()) - 1);
        }

        return values;
    }

    // Stacked maps are looked at one by one; [rows, columns] of the tensor's slice.
    private static IEnumerable<(int Offset, int Rows, int Columns)> Maps()
    {
        foreach (ParameterSlice slice in Layout.Slices.Where(s => s.Shape.Count > 1 && Math.Min(s.Shape[0], s.Shape[1]) >= 16
            && !s.Name.Contains("norm", StringComparison.Ordinal) && !s.Name.Contains("embedding.proj", StringComparison.Ordinal)))
        {
            int stacked = slice.Shape[0] > 36 ? slice.Shape[0] / 36 : 1;
            for (int i = 0; i < stacked; i++)
                yield return (slice.Offset + (i * slice.Count / stacked), slice.Shape[0] / stacked, slice.Shape[1]);
        }
    }

    // The iteration in double, as the formula stands.
    private static double[,] Orthogonal(double[,] m)
    {
        int rows = m.GetLength(0), columns = m.GetLength(1);
        if (rows > columns)
            return Transposed(Orthogonal(Transposed(m)));
        double norm = Math.Sqrt(m.Cast<double>().Sum(v => v * v));
        double[,] x = Combine(m, 1 / norm, m, 0);
        for (int turn = 0; turn < 5; turn++)
        {
            double[,] a = Product(x, Transposed(x));
            x = Combine(x, 3.4445, Product(Combine(a, -4.7750, Product(a, a), 2.0315), x), 1);
        }

        return x;
    }

    private static double[,] Transposed(double[,] m)
    {
        double[,] t = new double[m.GetLength(1), m.GetLength(0)];
        for (int i = 0; i < m.GetLength(0); i++)
        {
            for (int j = 0; j < m.GetLength(1); j++)
                t[j, i] = m[i, j];
        }

        return t;
    }

    private static double[,] Product(double[,] a, double[,] b)
    {
        double[,] c = new double[a.GetLength(0), b.GetLength(1)];
        for (int i = 0; i < c.GetLength(0); i++)
        {
            for (int j = 0; j < c.GetLength(1); j++)
            {
                for (int k = 0; k < b.GetLength(0); k++)
                    c[i, j] += a[i, k] * b[k, j];
            }
        }

        return c;
    }

    private static double[,] Combine(double[,] a, double fa, double[,] b, double fb)
    {
        double[,] c = new double[a.GetLength(0), a.GetLength(1)];
        for (int i = 0; i < c.GetLength(0); i++)
        {
            for (int j = 0; j < c.GetLength(1); j++)
                c[i, j] = (fa * a[i, j]) + (fb * b[i, j]);
        }

        return c;
    }

    private static void Serially(int pieces, Action<int, int> run)
    {
        for (int i = pieces - 1; i >= 0; i--)
            run(i, 0);
    }

    // Small singular values grow by up to 3.4445 in each of the five turns, 485 in all, and the rounding of what is taken away from them
    // with them:
    // 485 x some 10 roundings of 6e-8 on elements of at most 1 is 3e-4, in the worst case. The update is rate x 0.2 x 6 of it.
    [Theory]
    [MemberData(nameof(Sets))]
    public void UpdatesAreThoseOfTheFormula(CpuInstructionSet set)
    {
        using var muon = new Muon(Layout, new MuonOptions(), set, 1);
        float[] parameters = Random(1), momentum = new float[Layout.Length];
        const double rate = 0.1;
        const float scale = 0.5f;
        double[] p = [.. parameters.Select(v => (double)v)], m = new double[p.Length];
        for (int k = 0; k < 3; k++)
        {
            float[] gradient = Random(10 + k);
            muon.Update(parameters, gradient, momentum, scale, rate, Serially);
            foreach ((int offset, int rows, int columns) in Maps())
            {
                double[,] u = new double[rows, columns];
                for (int i = 0; i < rows * columns; i++)
                {
                    double g = gradient[offset + i] * scale;
                    m[offset + i] = (0.95 * m[offset + i]) + g;
                    u[i / columns, i % columns] = g + (0.95 * m[offset + i]);
                }

                double[,] o = Orthogonal(u);
                for (int i = 0; i < rows * columns; i++)
                    p[offset + i] -= rate * 0.2 * Math.Sqrt(Math.Max(rows, columns)) * o[i / columns, i % columns];
            }
        }

        for (int i = 0; i < p.Length; i++)
            Assert.Equal(p[i], parameters[i], 3 * rate * 1.2 * 3e-4);
    }

    [Fact]
    public void AnUpdateOfAMapIsNearlyOrthogonal()
    {
        using var muon = new Muon(Layout, new MuonOptions { Momentum = 0 }, CpuInstructionSet.Auto, 1);
        float[] parameters = new float[Layout.Length];
        muon.Update(parameters, Random(5), new float[Layout.Length], 1, 1, Serially);
        foreach ((int offset, int rows, int columns) in Maps())
        {
            double[,] step = new double[rows, columns];
            for (int i = 0; i < rows * columns; i++)
                step[i / columns, i % columns] = parameters[offset + i] / (0.2 * Math.Sqrt(Math.Max(rows, columns)));
            // A map of singular values s has s^2 summed on the diagonal of its smaller product: 0.7^2 to 1.2^2 each, but for the few values
            // below 0.01.
            int min = Math.Min(rows, columns);
            double squares = step.Cast<double>().Sum(v => v * v);
            Assert.InRange(squares / min, 0.45, 1.45);
        }
    }

    [Fact]
    public void WhoDoesWhichMapChangesNoBit()
    {
        float[][] results = new float[2][];
        for (int i = 0; i < 2; i++)
        {
            using var muon = new Muon(Layout, new MuonOptions(), CpuInstructionSet.Auto, 3);
            results[i] = Random(1);
            Action<int, Action<int, int>> share = i == 0 ? Serially : (pieces, run) =>
            {
                var next = new int[1];
                Thread[] threads = [.. Enumerable.Range(0, 3).Select(t => new Thread(() =>
                {
                    for (int piece = Interlocked.Increment(ref next[0]) - 1; piece < pieces; piece = Interlocked.Increment(ref next[0]) - 1)
                        run(piece, t);
                }))];
                Array.ForEach(threads, t => t.Start());
                Array.ForEach(threads, t => t.Join());
            };
            float[] momentum = new float[Layout.Length];
            for (int k = 0; k < 2; k++)
                muon.Update(results[i], Random(20 + k), momentum, 1, 0.01, share);
        }

        Assert.Equal(results[0], results[1]);
        Assert.NotEqual(Random(1), results[0]);
    }

    [Fact]
    public void AdamMovesTheRestAndNothingElse()
    {
        using var muon = new Muon(Layout, new MuonOptions(), CpuInstructionSet.Auto, 1);
        float[] alone = Random(1), shared = Random(1), gradient = Random(2);
        new Adam(Layout, new AdamOptions()).Update(alone, gradient, 0.01);
        new Adam(Layout, new AdamOptions(), muon).Update(shared, gradient, 0.01);
        bool[] mapped = new bool[Layout.Length];
        foreach ((int offset, int rows, int columns) in Maps())
            Array.Fill(mapped, true, offset, rows * columns);
        float[] before = Random(1);
        for (int i = 0; i < Layout.Length; i++)
            Assert.Equal(mapped[i] ? before[i] : alone[i], shared[i]);
        Assert.Contains(true, mapped);
    }

    [Fact]
    public void AMapWithoutGradientStays()
    {
        using var muon = new Muon(Layout, new MuonOptions(), CpuInstructionSet.Auto, 1);
        float[] parameters = Random(1);
        muon.Update(parameters, new float[Layout.Length], new float[Layout.Length], 1, 1, Serially);
        Assert.Equal(Random(1), parameters);
    }

    // Adam's momentum of a map that nothing reads (weight decay's share of it) fades through the denormal numbers when Muon takes over.
    [Theory]
    [InlineData(1e-25f)]
    [InlineData(1e-38f)]
    [InlineData(1e-44f)]
    public void AFadingMomentumMakesNoNaN(float momentum)
    {
        using var muon = new Muon(Layout, new MuonOptions(), CpuInstructionSet.Auto, 1);
        float[] parameters = Random(1), fading = [.. Random(2).Select(v => v * momentum)];
        for (int k = 0; k < 3; k++)
            muon.Update(parameters, new float[Layout.Length], fading, 1, 0.01, Serially);
        Assert.All(parameters, p => Assert.InRange(p, -3, 3));
        if (momentum < 1e-30f)
            Assert.Equal(Random(1), parameters);
    }

    [Fact]
    public void NumbersOutOfRangeAreNamed()
    {
        Assert.Equal(
            "muon_momentum",
            Assert.Throws<ConfigurationException>(() => new Muon(Layout, new MuonOptions { Momentum = 1 }, CpuInstructionSet.Auto, 1))
                .Setting);
        Assert.Equal(
            "muon_size",
            Assert.Throws<ConfigurationException>(() => new Muon(Layout, new MuonOptions { Size = double.NaN }, CpuInstructionSet.Auto, 1))
                .Setting);
    }
}
