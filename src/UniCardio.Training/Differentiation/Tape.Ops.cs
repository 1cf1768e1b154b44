using System.Numerics.Tensors;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Training.Kernels;
using UniCardio.Training.Network;

namespace UniCardio.Training.Differentiation;

internal sealed unsafe partial class Tape<S, V>
{
    private const double Epsilon = 1e-5;

    /// <summary>y = x W^T + b. Backward: dx += dy W, dW += dy^T x, db += sum of dy's rows.</summary>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="weight">Name of W [outputs, inputs].</param>
    /// <param name="bias">Name of b [outputs].</param>
    public TapeMatrix Linear(TapeMatrix x, string weight, string bias)
    {
        TrainedMatrix map = _parameters.Packed(weight, bias);
        TapeMatrix y = New(x.Rows, map.Forward.Outputs);
        MatrixProduct.ByRows<S, V>(x.Value, x.Stride, map.Forward, 0, map.Forward.Panels, map.Forward.Bias, 0, y.Value, y.Stride, x.Rows);
        _backward.Add(() =>
        {
            MatrixProduct.ByRows<S, V>(y.Gradient, y.Stride, map.Backward, 0, map.Backward.Panels, x.Gradient, x.Stride, x.Gradient,
                x.Stride, x.Rows);
            int columns = map.Forward.Inputs;
            float* dw = AccumulateWeight(y.Gradient, y.Stride, map.Forward.Outputs, x.Value, x.Stride, columns, y.Rows);
            Span<float> gradient = GradientOf(weight);
            for (int n = 0; n < map.Forward.Outputs; n++)
                Add(gradient.Slice(n * columns, columns), new ReadOnlySpan<float>(dw + ((nint)n * RoundUp(columns)), columns));
            AddColumnSums(y, bias);
        });
        return y;
    }

    /// <summary>Convolution over time of signals that stand time-major one after the other, zero padding k / 2: y[s, o] = b[o] + sum W[o,
    /// c, j] x[s stride + j - k/2, c].</summary>
    /// <remarks>One product: rows of A overlap. Backward: dA = dy W, added back to where each row of A came from.</remarks>
    /// <param name="x">[signals length, inputs].</param>
    /// <param name="signals">Signals.</param>
    /// <param name="weight">Name of W [outputs, inputs, k].</param>
    /// <param name="bias">Name of b.</param>
    /// <param name="stride">Samples between outputs.</param>
    public TapeMatrix Convolve(TapeMatrix x, int signals, string weight, string bias, int stride)
    {
        TrainedMatrix map = _parameters.Packed(weight, bias);
        int length = x.Rows / signals, channels = x.Columns, taps = map.Forward.Inputs / channels, pad = taps / 2,
            made = (length + stride - 1) / stride;
        nint step = (nint)stride * channels, padded = (nint)(length + (2 * pad)) * channels;
        AlignedBuffer input = Buffer(signals * padded);
        for (int row = 0; row < x.Rows; row++)
            x.Row(row).CopyTo(new Span<float>(input.Pointer + ((row / length) * padded) + (((row % length) + pad) * channels), channels));
        TapeMatrix y = New(signals * made, map.Forward.Outputs);
        for (int signal = 0; signal < signals; signal++)
        {
            float* target = y.Value + ((nint)signal * made * y.Stride);
            MatrixProduct.ByRows<S, V>(input.Pointer + (signal * padded), step, map.Forward, 0, map.Forward.Panels, map.Forward.Bias, 0,
                target, y.Stride, made);
        }

        _backward.Add(() =>
        {
            int inputs = map.Forward.Inputs;
            AlignedBuffer rows = Buffer((long)made * map.Backward.PaddedOutputs), zeros = Buffer(map.Backward.PaddedOutputs),
                back = Buffer(padded);
            Span<float> gradient = GradientOf(weight);
            for (int signal = 0; signal < signals; signal++)
            {
                float* dy = y.Gradient + ((nint)signal * made * y.Stride);
                MatrixProduct.ByRows<S, V>(dy, y.Stride, map.Backward, 0, map.Backward.Panels, zeros.Pointer, 0, rows.Pointer,
                    map.Backward.PaddedOutputs, made);
                back.Span.Clear();
                for (int s = 0; s < made; s++)
                    Add(new Span<float>(back.Pointer + (s * step), inputs),
                        new ReadOnlySpan<float>(rows.Pointer + ((nint)s * map.Backward.PaddedOutputs), inputs));
                for (int s = 0; s < length; s++)
                    Add(x.GradientRow((signal * length) + s),
                        new ReadOnlySpan<float>(back.Pointer + ((nint)(s + pad) * channels), channels));
                float* dw = AccumulateWeight(dy, y.Stride, map.Forward.Outputs, input.Pointer + (signal * padded), step, inputs, made);
                for (int o = 0; o < map.Forward.Outputs; o++)
                {
                    for (int j = 0; j < taps; j++)
                    {
                        for (int c = 0; c < channels; c++)
                            gradient[(((o * channels) + c) * taps) + j] += dw[((nint)o * RoundUp(inputs)) + (j * channels) + c];
                    }
                }
            }

            AddColumnSums(y, bias);
        });
        return y;
    }

    /// <summary>y = x + c, c [rows of a window, columns] repeating window after window: a position code.</summary>
    public TapeMatrix AddRepeating(TapeMatrix x, ReadOnlySpan<float> code)
    {
        TapeMatrix y = New(x.Rows, x.Columns);
        int period = code.Length / x.Columns;
        for (int row = 0; row < x.Rows; row++)
            TensorPrimitives.Add(x.Row(row), code.Slice((row % period) * x.Columns, x.Columns), y.Row(row));
        _backward.Add(() => AddAll(x, y));
        return y;
    }

    /// <summary>y = a + b.</summary>
    public TapeMatrix Add(TapeMatrix a, TapeMatrix b)
    {
        TapeMatrix y = New(a.Rows, a.Columns);
        for (int row = 0; row < a.Rows; row++)
            TensorPrimitives.Add(a.Row(row), b.Row(row), y.Row(row));
        _backward.Add(() =>
        {
            AddAll(a, y);
            AddAll(b, y);
        });
        return y;
    }

    /// <summary>GELU by erf; backward dx += dy (Phi(x) + x phi(x)).</summary>
    public TapeMatrix Gelu(TapeMatrix x)
    {
        TapeMatrix y = New(x.Rows, x.Columns);
        nint count = (nint)x.Rows * x.Stride;
        GeluBackward.Forward<S, V>(x.Value, y.Value, count);
        _backward.Add(() =>
        {
            GeluBackward.Backward<S, V>(x.Value, y.Gradient, count);
            AddAll(x, y);
        });
        return y;
    }

    /// <summary>tanh; backward dx += dy (1 - y^2).</summary>
    public TapeMatrix Tanh(TapeMatrix x)
    {
        TapeMatrix y = New(x.Rows, x.Columns);
        for (int row = 0; row < x.Rows; row++)
            TensorPrimitives.Tanh(x.Row(row), y.Row(row));
        _backward.Add(() =>
        {
            for (int row = 0; row < x.Rows; row++)
            {
                Span<float> dx = x.GradientRow(row), dy = y.GradientRow(row), t = y.Row(row);
                for (int c = 0; c < dx.Length; c++)
                    dx[c] += dy[c] * (1 - (t[c] * t[c]));
            }
        });
        return y;
    }

    /// <summary>LayerNorm of each row. With n = (x - mean) r, y = n gamma + beta: dx += r (g - mean g - n mean(g n)), g = dy
    /// gamma.</summary>
    public TapeMatrix LayerNorm(TapeMatrix x, string name) => Norm(x, x.Rows, name);

    /// <summary>GroupNorm with one group: mean and variance over all rows and columns of a signal, affine a column.</summary>
    /// <param name="x">[signals length, channels].</param>
    /// <param name="signals">Signals.</param>
    /// <param name="name">Prefix of weight and bias [channels].</param>
    public TapeMatrix GroupNorm(TapeMatrix x, int signals, string name) => Norm(x, signals, name);

    /// <summary>The transpose of each window: [windows rows, columns] -> [windows columns, rows].</summary>
    public TapeMatrix Transpose(TapeMatrix x, int windows)
    {
        int rows = x.Rows / windows, columns = x.Columns;
        TapeMatrix y = New(windows * columns, rows);
        for (int row = 0; row < x.Rows; row++)
        {
            ReadOnlySpan<float> values = x.Row(row);
            for (int c = 0; c < columns; c++)
                y.Value[((nint)(((row / rows) * columns) + c) * y.Stride) + (row % rows)] = values[c];
        }

        _backward.Add(() =>
        {
            for (int row = 0; row < x.Rows; row++)
            {
                Span<float> dx = x.GradientRow(row);
                for (int c = 0; c < columns; c++)
                    dx[c] += y.Gradient[((nint)(((row / rows) * columns) + c) * y.Stride) + (row % rows)];
            }
        });
        return y;
    }

    /// <summary>Rows picked from x, in any order and any number of times.</summary>
    public TapeMatrix Gather(TapeMatrix x, int[] rows)
    {
        TapeMatrix y = New(rows.Length, x.Columns);
        for (int i = 0; i < rows.Length; i++)
            x.Row(rows[i]).CopyTo(y.Row(i));
        _backward.Add(() =>
        {
            for (int i = 0; i < rows.Length; i++)
                Add(x.GradientRow(rows[i]), y.GradientRow(i));
        });
        return y;
    }

    /// <summary>The rows of a, then those of b.</summary>
    public TapeMatrix Stack(TapeMatrix a, TapeMatrix b)
    {
        TapeMatrix y = New(a.Rows + b.Rows, a.Columns);
        for (int row = 0; row < y.Rows; row++)
            (row < a.Rows ? a.Row(row) : b.Row(row - a.Rows)).CopyTo(y.Row(row));
        _backward.Add(() =>
        {
            for (int row = 0; row < y.Rows; row++)
                Add(row < a.Rows ? a.GradientRow(row) : b.GradientRow(row - a.Rows), y.GradientRow(row));
        });
        return y;
    }

    /// <summary>Mean of each window's rows: [windows rows, columns] -> [windows, columns].</summary>
    public TapeMatrix WindowMean(TapeMatrix x, int windows)
    {
        int rows = x.Rows / windows;
        TapeMatrix y = New(windows, x.Columns);
        for (int row = 0; row < x.Rows; row++)
            TensorPrimitives.MultiplyAdd(x.Row(row), 1f / rows, y.Row(row / rows), y.Row(row / rows));
        _backward.Add(() =>
        {
            for (int row = 0; row < x.Rows; row++)
                TensorPrimitives.MultiplyAdd(y.GradientRow(row / rows), 1f / rows, x.GradientRow(row), x.GradientRow(row));
        });
        return y;
    }

    /// <summary>
    /// Attention of several heads within each window, between the projections: P = softmax(Q K^T / sqrt(d)) over what a query may read, O =
    /// P V; dV = P^T dO, dP = dO V^T, dS = P (dP - rowsum(P dP)), dQ = dS K / sqrt(d), dK = dS^T Q / sqrt(d).
    /// </summary>
    /// <param name="qkv">[windows tokens, 3C].</param>
    /// <param name="windows">Windows.</param>
    /// <param name="heads">Heads; divides C.</param>
    /// <param name="reads">Whether a query (place in its window) may read a key; null for all.</param>
    /// <param name="sink">Takes P [windows, heads, tokens, tokens], if given; not to be changed.</param>
    public TapeMatrix Attention(TapeMatrix qkv, int windows, int heads, Func<int, int, bool>? reads, Action<float[]>? sink = null)
    {
        if (reads is null && sink is null)
            return DenseAttention(qkv, windows, heads);
        int tokens = qkv.Rows / windows, channels = qkv.Columns / 3, d = channels / heads;
        float scale = 1 / MathF.Sqrt(d);
        TapeMatrix y = New(qkv.Rows, channels);
        float[] weights = new float[windows * heads * tokens * tokens];
        bool[] open = new bool[tokens * tokens];
        for (int i = 0; i < open.Length; i++)
            open[i] = reads?.Invoke(i / tokens, i % tokens) ?? true;
        for (int unit = 0; unit < windows * heads; unit++)
        {
            int first = unit / heads * tokens, head = unit % heads * d;
            for (int q = 0; q < tokens; q++)
            {
                Span<float> row = weights.AsSpan(((unit * tokens) + q) * tokens, tokens);
                ReadOnlySpan<float> query = qkv.Row(first + q).Slice(head, d);
                for (int k = 0; k < tokens; k++)
                    row[k] = open[(q * tokens) + k] ? scale * TensorPrimitives.Dot(query, qkv.Row(first + k).Slice(channels + head, d))
                        : float.NegativeInfinity;
                TensorPrimitives.SoftMax(Shifted(row), row);
                Span<float> output = y.Row(first + q).Slice(head, d);
                for (int k = 0; k < tokens; k++)
                {
                    if (row[k] != 0)
                        TensorPrimitives.MultiplyAdd(qkv.Row(first + k).Slice((2 * channels) + head, d), row[k], output, output);
                }
            }
        }

        sink?.Invoke(weights);
        _backward.Add(() =>
        {
            float[] slopes = new float[tokens];
            for (int unit = 0; unit < windows * heads; unit++)
            {
                int first = unit / heads * tokens, head = unit % heads * d;
                for (int q = 0; q < tokens; q++)
                {
                    ReadOnlySpan<float> p = weights.AsSpan(((unit * tokens) + q) * tokens, tokens);
                    ReadOnlySpan<float> dOutput = y.GradientRow(first + q).Slice(head, d), query = qkv.Row(first + q).Slice(head, d);
                    float along = 0;
                    for (int k = 0; k < tokens; k++)
                    {
                        if (p[k] == 0)
                            continue;
                        slopes[k] = TensorPrimitives.Dot(dOutput, qkv.Row(first + k).Slice((2 * channels) + head, d));
                        along += p[k] * slopes[k];
                    }

                    Span<float> dQuery = qkv.GradientRow(first + q).Slice(head, d);
                    for (int k = 0; k < tokens; k++)
                    {
                        if (p[k] == 0)
                            continue;
                        Span<float> gradient = qkv.GradientRow(first + k);
                        Span<float> dKey = gradient.Slice(channels + head, d), dValue = gradient.Slice((2 * channels) + head, d);
                        float slope = scale * p[k] * (slopes[k] - along);
                        TensorPrimitives.MultiplyAdd(dOutput, p[k], dValue, dValue);
                        TensorPrimitives.MultiplyAdd(qkv.Row(first + k).Slice(channels + head, d), slope, dQuery, dQuery);
                        TensorPrimitives.MultiplyAdd(query, slope, dKey, dKey);
                    }
                }
            }
        });
        return y;
    }

    // Less the largest, so that no exponential overflows.
    private static Span<float> Shifted(Span<float> row)
    {
        TensorPrimitives.Subtract(row, TensorPrimitives.Max(row), row);
        return row;
    }

    // The rows of one group share mean and variance.
    private TapeMatrix Norm(TapeMatrix x, int groups, string name)
    {
        string weight = name + ".weight", bias = name + ".bias";
        int rows = x.Rows / groups, columns = x.Columns;
        double count = (double)rows * columns;
        TapeMatrix y = New(x.Rows, columns), normal = New(x.Rows, columns);
        float[] scales = new float[groups];
        ReadOnlySpan<float> gamma = _parameters.Of(weight), beta = _parameters.Of(bias);
        for (int group = 0; group < groups; group++)
        {
            double mean = 0, squares = 0;
            for (int row = group * rows; row < (group + 1) * rows; row++)
                mean += TensorPrimitives.Sum<float>(x.Row(row));
            mean /= count;
            for (int row = group * rows; row < (group + 1) * rows; row++)
            {
                TensorPrimitives.Subtract(x.Row(row), (float)mean, normal.Row(row));
                squares += TensorPrimitives.SumOfSquares<float>(normal.Row(row));
            }

            float scale = scales[group] = (float)(1 / Math.Sqrt((squares / count) + Epsilon));
            for (int row = group * rows; row < (group + 1) * rows; row++)
            {
                TensorPrimitives.Multiply(normal.Row(row), scale, normal.Row(row));
                TensorPrimitives.MultiplyAdd(normal.Row(row), gamma, beta, y.Row(row));
            }
        }

        _backward.Add(() =>
        {
            Span<float> dGamma = GradientOf(weight), dBeta = GradientOf(bias);
            ReadOnlySpan<float> g = _parameters.Of(weight);
            for (int group = 0; group < groups; group++)
            {
                double mean = 0, along = 0;
                for (int row = group * rows; row < (group + 1) * rows; row++)
                {
                    Span<float> dy = y.GradientRow(row), n = normal.Row(row);
                    TensorPrimitives.MultiplyAdd(dy, n, dGamma, dGamma);
                    Add(dBeta, dy);
                    TensorPrimitives.Multiply(dy, g, dy);
                    mean += TensorPrimitives.Sum<float>(dy);
                    along += TensorPrimitives.Dot<float>(dy, n);
                }

                float m = (float)(mean / count), a = (float)(along / count), scale = scales[group];
                for (int row = group * rows; row < (group + 1) * rows; row++)
                {
                    Span<float> dx = x.GradientRow(row), dy = y.GradientRow(row), n = normal.Row(row);
                    for (int c = 0; c < columns; c++)
                        dx[c] += scale * (dy[c] - m - (n[c] * a));
                }
            }
        });
        return y;
    }

    // dW [outputs, padded inputs] = dy^T x, in scratch that the next call may reuse only after Begin.
    private float* AccumulateWeight(float* dy, nint dyStride, int outputs, float* x, nint xStride, int inputs, int rows)
    {
        int padded = RoundUp(inputs);
        AlignedBuffer dw = Buffer((long)outputs * padded), panels = Buffer((long)rows * padded);
        WeightGradient.Pack<S, V>(x, xStride, rows, inputs, panels.Pointer);
        WeightGradient.Accumulate<S, V>(dy, dyStride, outputs, panels.Pointer, inputs, dw.Pointer, padded, rows);
        return dw.Pointer;
    }

    private void AddColumnSums(TapeMatrix y, string bias)
    {
        Span<float> gradient = GradientOf(bias);
        for (int row = 0; row < y.Rows; row++)
            Add(gradient, y.GradientRow(row));
    }

    private static void AddAll(TapeMatrix x, TapeMatrix y)
    {
        for (int row = 0; row < x.Rows; row++)
            Add(x.GradientRow(row), y.GradientRow(row));
    }

    private static void Add(Span<float> sum, ReadOnlySpan<float> term) => TensorPrimitives.Add(sum, term, sum);
}
