using System.Numerics.Tensors;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;

namespace UniCardio.Training.Network;

/// <summary>
/// The diffusion embedding of each step and its projection into every block, forward and backward:
/// <code>u1 = W1 table[t] + b1, s1 = silu u1, u2 = W2 s1 + b2, e = silu u2, d_b = P_b e + q_b</code>
/// </summary>
/// <remarks>At most T steps of some 10^5 multiply-adds each: plain vector loops, computed when a step is first asked for.</remarks>
internal sealed unsafe class StepEmbeddings : IDisposable
{
    private readonly ModelConfiguration _m;
    private readonly ParameterLayout _layout;
    private readonly int _stride;
    private readonly AlignedBuffer _steps;
    private readonly bool[] _known;

    // [T, E] each.
    private readonly float[] _table, _u1, _s1, _u2, _e;

    public StepEmbeddings(ParameterLayout layout, int stride)
    {
        _layout = layout;
        _m = layout.Configuration;
        _stride = stride;
        int t = _m.DiffusionSteps, e = _m.Embedding;
        _steps = new AlignedBuffer((long)t * _m.Blocks * stride);
        _known = new bool[t];
        _table = new float[t * e];
        (_u1, _s1, _u2, _e) = (new float[t * e], new float[t * e], new float[t * e], new float[t * e]);
        double[] row = new double[e];
        for (int i = 0; i < t; i++)
        {
            ReferenceDiffusionEmbedding.Table(i, row);
            for (int j = 0; j < e; j++)
                _table[(i * e) + j] = (float)row[j];
        }
    }

    /// <summary>Forgets what was computed: the weights changed.</summary>
    public void Clear() => Array.Clear(_known);

    /// <summary>[stride] the vector that block adds to every token at step t; <see cref="Prepare"/> has seen t.</summary>
    public float* Of(int t, int block) => _steps.Pointer + ((((nint)t * _m.Blocks) + block) * _stride);

    /// <summary>Computes a step unless it is known.</summary>
    public void Prepare(int t, ReadOnlySpan<float> parameters)
    {
        if (_known[t])
            return;
        int e = _m.Embedding;
        Range row = (t * e)..((t + 1) * e);
        Map(parameters, _layout.Network.Embedding1, _table.AsSpan(row), _u1.AsSpan(row));
        Silu(_u1.AsSpan(row), _s1.AsSpan(row));
        Map(parameters, _layout.Network.Embedding2, _s1.AsSpan(row), _u2.AsSpan(row));
        Silu(_u2.AsSpan(row), _e.AsSpan(row));
        for (int block = 0; block < _m.Blocks; block++)
            Map(parameters, _layout.Network.Blocks[block].DiffusionProjection, _e.AsSpan(row), new Span<float>(Of(t, block), _m.Channels));
        _known[t] = true;
    }

    /// <summary>Adds the gradients of one step's maps.</summary>
    /// <param name="t">The step; <see cref="Prepare"/> has seen it.</param>
    /// <param name="dSteps">[blocks, stride] gradient of each block's vector, summed over the windows at this step.</param>
    /// <param name="parameters">The flat vector.</param>
    /// <param name="gradients">The flat gradient, accumulated.</param>
    public void Backward(int t, ReadOnlySpan<float> dSteps, ReadOnlySpan<float> parameters, Span<float> gradients)
    {
        int e = _m.Embedding;
        Range row = (t * e)..((t + 1) * e);
        float[] de = new float[e], ds1 = new float[e];
        for (int block = 0; block < _m.Blocks; block++)
            MapBackward(parameters, gradients, _layout.Network.Blocks[block].DiffusionProjection, _e.AsSpan(row),
                dSteps.Slice(block * _stride, _m.Channels), de);
        SiluBackward(_u2.AsSpan(row), de);
        MapBackward(parameters, gradients, _layout.Network.Embedding2, _s1.AsSpan(row), de, ds1);
        SiluBackward(_u1.AsSpan(row), ds1);
        MapBackward(parameters, gradients, _layout.Network.Embedding1, _table.AsSpan(row), ds1, null);
    }

    public void Dispose() => _steps.Dispose();

    private static void Map(ReadOnlySpan<float> parameters, WeightAndBias<ParameterSlice> map, ReadOnlySpan<float> x, Span<float> y)
    {
        ReadOnlySpan<float> w = map.Weight.Of(parameters), b = map.Bias.Of(parameters);
        for (int n = 0; n < y.Length; n++)
            y[n] = TensorPrimitives.Dot(w.Slice(n * x.Length, x.Length), x) + b[n];
    }

    private static void MapBackward(
        ReadOnlySpan<float> parameters, Span<float> gradients, WeightAndBias<ParameterSlice> map, ReadOnlySpan<float> x,
        ReadOnlySpan<float> dy, float[]? dx)
    {
        int k = x.Length;
        Span<float> weight = map.Weight.Of(gradients), bias = map.Bias.Of(gradients);
        TensorPrimitives.Add(bias, dy, bias);
        for (int n = 0; n < dy.Length; n++)
        {
            Span<float> dw = weight.Slice(n * k, k);
            TensorPrimitives.MultiplyAdd(x, dy[n], dw, dw);
            if (dx is not null)
                TensorPrimitives.MultiplyAdd(map.Weight.Of(parameters).Slice(n * k, k), dy[n], dx, dx);
        }
    }

    private static void Silu(ReadOnlySpan<float> x, Span<float> y)
    {
        for (int i = 0; i < x.Length; i++)
            y[i] = (float)(x[i] / (1 + Math.Exp(-x[i])));
    }

    // d silu = s (1 + x (1 - s)), s = sigmoid x.
    private static void SiluBackward(ReadOnlySpan<float> x, Span<float> d)
    {
        for (int i = 0; i < x.Length; i++)
        {
            double s = 1 / (1 + Math.Exp(-x[i]));
            d[i] *= (float)(s * (1 + (x[i] * (1 - s))));
        }
    }
}
