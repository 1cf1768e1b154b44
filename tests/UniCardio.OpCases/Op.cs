using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.OpCases;

/// <summary>One operand of an op.</summary>
/// <param name="Name">As in the op's formula.</param>
/// <param name="Count">Elements.</param>
/// <param name="Scale">Values are uniform in [-Scale, Scale], shifted by <paramref name="Offset"/>.</param>
/// <param name="Offset">Middle of the values.</param>
internal readonly record struct OpInput(string Name, int Count, double Scale = 1, double Offset = 0);

/// <summary>A kernel on buffers of its own: run it any number of times, read what it left, let the buffers check their margins.</summary>
/// <param name="Memory">Holds the buffers.</param>
/// <param name="Run">The kernel's call alone.</param>
/// <param name="Results">Dense copies of the outputs (forward) or of the inputs' gradients (backward), in the op's order.</param>
internal sealed record OpCall(OpMemory Memory, Action Run, Func<float[][]> Results) : IDisposable
{
    public void Dispose() => Memory.Dispose();
}

/// <summary>
/// One row of the list: a formula in double, its sizes and inputs, its error bound and its work. Every test and benchmark of kernels runs
/// over rows: a new op is its kernel's file and a row here, found by its type.
/// </summary>
internal abstract class OpRow
{
    /// <summary>A unit of float32's rounding.</summary>
    protected const double U = 1.0 / (1 << 24);

    private static readonly ConditionalWeakTable<double[], StrongBox<double>> s_largest = [];

    public virtual string Name => GetType().Name;

    /// <summary>Sizes to test: empty, one, odd, vector widths and their neighbours, the network's.</summary>
    public abstract IReadOnlyList<int[]> Sizes { get; }

    /// <summary>Operands at a size.</summary>
    public abstract OpInput[] Inputs(int[] n);

    /// <summary>The formula, in double and plain loops or by the reference: inputs to outputs, all dense.</summary>
    public abstract double[][] Twin(int[] n, double[][] x);

    /// <summary>Largest error allowed of an output's element; the derivation stands beside it.</summary>
    /// <param name="n">The size.</param>
    /// <param name="x">Inputs.</param>
    /// <param name="y">The twin's outputs.</param>
    /// <param name="output">Which output.</param>
    /// <param name="i">Which element.</param>
    public abstract double Bound(int[] n, double[][] x, double[][] y, int output, int i);

    /// <summary>Reproducible inputs.</summary>
    public float[][] Values(int[] n) => [.. Inputs(n).Select((input, k) =>
    {
        var random = new Random((1000 * k) + n.Sum());
        float[] values = new float[input.Count];
        foreach (ref float v in values.AsSpan())
            v = (float)((((2 * random.NextDouble()) - 1) * input.Scale) + input.Offset);
        return values;
    })];

    /// <summary>What is wrong with a kernel's results; null if every element is within its bound, times a factor of the kernel's
    /// own.</summary>
    public string? Complaint(int[] n, float[][] x, float[][] actual, double factor = 1)
    {
        double[][] wide = Doubles(x), expected = Twin(n, wide);
        if (!expected.Select(y => y.Length).SequenceEqual(actual.Select(y => y.Length)))
            return $"{Name} {Text(n)}: outputs of {string.Join(", ", actual.Select(y => y.Length))} elements, expected "
                + string.Join(", ", expected.Select(y => y.Length));
        for (int output = 0; output < expected.Length; output++)
        {
            for (int i = 0; i < expected[output].Length; i++)
            {
                double bound = factor * Bound(n, wide, expected, output, i);
                if (!(Math.Abs(actual[output][i] - expected[output][i]) <= bound))
                    return $"{Name} {Text(n)}, output {output}, element {i}: {actual[output][i]:R}, expected {expected[output][i]:R}, "
                        + $"bound {bound:E2}";
            }
        }

        return null;
    }

    /// <summary>The largest magnitude of an array, or of what is made of it: found once an array.</summary>
    protected static double Largest(double[] x, Func<double[], double[]>? make = null) =>
        s_largest.GetValue(x, x => new StrongBox<double>((make?.Invoke(x) ?? x).Max(Math.Abs))).Value;

    public static string Text(int[] n) => "[" + string.Join(", ", n) + "]";

    public static double[][] Doubles(float[][] x) => [.. x.Select(a => Array.ConvertAll(a, v => (double)v))];
}

/// <summary>A row of one op of the CPU backend or of training, with how each set of vector instructions is asked for it.</summary>
internal abstract class Op : OpRow
{
    /// <summary>The network's sizes, to time.</summary>
    public virtual IReadOnlyList<int[]> TimedSizes => [];

    /// <summary>Floating-point operations (2 a multiply-add) and bytes (each operand and result once) of a call.</summary>
    public abstract (double Flops, double Bytes) Work(int[] n);

    /// <summary>The kernel on one set of lanes.</summary>
    public abstract OpCall Bind<S, V>(int[] n, float[][] x)
        where S : struct, ISimd<S, V>
        where V : struct;

    /// <summary>The backward kernel, where training has one: gradients of the inputs from those of the outputs.</summary>
    /// <param name="n">The size.</param>
    /// <param name="x">Inputs.</param>
    /// <param name="dy">Gradients of the outputs.</param>
    public virtual OpCall? BindBackward<S, V>(int[] n, float[][] x, float[][] dy)
        where S : struct, ISimd<S, V>
        where V : struct => null;

    /// <summary>Largest error allowed of a gradient's element, beyond the finite difference's own; over the largest element of that
    /// gradient.</summary>
    public virtual double GradientBound(int[] n) => throw new NotSupportedException($"{Name} has no backward kernel");

    protected static int Up(int n, int multiple) => (n + multiple - 1) / multiple * multiple;
}

/// <summary>Every row, found by type.</summary>
internal static class OpList
{
    /// <summary>Ops of the CPU backend and of training.</summary>
    public static IReadOnlyList<Op> All { get; } = Rows<Op>();

    /// <summary>What a GPU kernel fuses of them.</summary>
    public static IReadOnlyList<Stage> Stages { get; } = Rows<Stage>();

    public static Op Named(string name) => All.Single(o => o.Name == name);

    /// <summary>Binds the kernel for a set of instructions.</summary>
    public static OpCall Bind(Op op, CpuInstructionSet set, int[] n, float[][] x) =>
        CpuInstructionSets.Run<Forward, OpCall>(set, new Forward(op, n, x));

    /// <summary>Binds the backward kernel for a set of instructions; null where there is none.</summary>
    public static OpCall? BindBackward(Op op, CpuInstructionSet set, int[] n, float[][] x, float[][] dy) =>
        CpuInstructionSets.Run<Backward, OpCall?>(set, new Backward(op, n, x, dy));

    private static T[] Rows<T>()
        where T : OpRow =>
        [.. typeof(T).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(T)) && !t.IsAbstract)
        .OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => (T)Activator.CreateInstance(t)!)];

    private sealed record Forward(Op Op, int[] N, float[][] X) : ISimdCode<OpCall>
    {
        public OpCall Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct => Op.Bind<S, V>(N, X);
    }

    private sealed record Backward(Op Op, int[] N, float[][] X, float[][] Dy) : ISimdCode<OpCall?>
    {
        public OpCall? Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct => Op.BindBackward<S, V>(N, X, Dy);
    }
}

/// <summary>Buffers of one bound kernel: aligned, with a margin after the last row that nothing may write.</summary>
internal sealed unsafe class OpMemory : IDisposable
{
    private const int Margin = 64;
    private const float Untouched = -7777;

    private readonly List<(AlignedBuffer Buffer, int Used)> _buffers = [];

    /// <summary>Rows of a dense array at a stride, the floats between filled.</summary>
    public float* Rows(ReadOnlySpan<float> dense, int rows, int columns, int stride, float fill = 0)
    {
        float* start = Take(rows * stride, fill);
        for (int r = 0; r < rows; r++)
            dense.Slice(r * columns, columns).CopyTo(new Span<float>(start + ((nint)r * stride), columns));
        return start;
    }

    /// <summary>A flat copy, filled up to a length.</summary>
    public float* Flat(ReadOnlySpan<float> dense, int length, float fill = 0) => Rows(dense, 1, dense.Length, length, fill);

    /// <summary>A filled buffer.</summary>
    public float* Take(int length, float fill = 0)
    {
        var buffer = new AlignedBuffer(length + Margin);
        buffer.Span[..length].Fill(fill);
        buffer.Span[length..].Fill(Untouched);
        _buffers.Add((buffer, length));
        return buffer.Pointer;
    }

    /// <summary>[padded] 1 for a channel, 0 for padding.</summary>
    public float* Mask(int channels, int padded)
    {
        float* mask = Take(padded);
        new Span<float>(mask, channels).Fill(1);
        return mask;
    }

    /// <summary>The dense part of strided rows.</summary>
    public static float[] Dense(float* start, int rows, int columns, int stride)
    {
        float[] dense = new float[rows * columns];
        for (int r = 0; r < rows; r++)
            new ReadOnlySpan<float>(start + ((nint)r * stride), columns).CopyTo(dense.AsSpan(r * columns));
        return dense;
    }

    /// <summary>Whether every margin is as it was.</summary>
    public bool IsWhole => _buffers.All(b => b.Buffer.Span[b.Used..].IndexOfAnyExcept(Untouched) < 0);

    public void Dispose()
    {
        foreach ((AlignedBuffer buffer, _) in _buffers)
            buffer.Dispose();
    }
}
