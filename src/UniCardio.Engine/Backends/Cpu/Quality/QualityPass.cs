using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Quality;
using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Backends.Cpu.Quality;

/// <summary>
/// One encoder or decoder over a group of windows: convolutions as products, blocks with windowed attention, output map. Every member of
/// the team does a part of each stage and meets the others at its end.
/// </summary>
/// <remarks>
/// Rows of all windows stand together, so that weights, which are larger than the activations, pass once a group. Products are split by
/// panels of columns where there are enough, else by rows; neither changes a bit of a row.
/// </remarks>
internal sealed unsafe class QualityPass<S, V> : ITeamJob, IDisposable
    where S : struct, ISimd<S, V>
    where V : struct
{
    // A slice of a panel of 32 columns is 16 KB, the sums of its rows 6: both stay in L1.
    private const int SliceDepth = 128, SliceRows = 48;

    private readonly QualityConfiguration _m;
    private readonly PackedQualityPart _part;
    private readonly int _channels;
    private readonly int _samples;
    private readonly int _windows;
    private readonly int[] _lengths;
    private readonly AlignedBuffer[] _signals;
    private readonly AlignedBuffer _convolved;
    private readonly AlignedBuffer _moments;
    private readonly AlignedBuffer _zeros;
    private readonly AlignedBuffer _positions;
    private readonly AlignedBuffer _x;
    private readonly AlignedBuffer _y;
    private readonly AlignedBuffer _qkv;
    private readonly AlignedBuffer _hidden;
    private readonly AlignedBuffer[] _scratch;
    private float* _input;
    private float* _output;
    private int _count;
    private long _keys;

    /// <param name="m">The network's sizes.</param>
    /// <param name="part">Encoder or decoder.</param>
    /// <param name="channels">Channels of its input.</param>
    /// <param name="samples">Samples of its input.</param>
    /// <param name="windows">Most windows of a group.</param>
    /// <param name="parts">Members of the team.</param>
    public QualityPass(QualityConfiguration m, PackedQualityPart part, int channels, int samples, int windows, int parts)
    {
        _m = m;
        _part = part;
        _channels = channels;
        _samples = samples;
        _windows = windows;
        _lengths = new int[part.Convolutions.Count + 1];
        _signals = new AlignedBuffer[part.Convolutions.Count];
        _lengths[0] = samples;
        long convolved = 0;
        int width = 2 * S.Width;
        for (int i = 0; i < part.Convolutions.Count; i++)
        {
            PackedConvolution c = part.Convolutions[i];
            _signals[i] = new AlignedBuffer(((long)windows * (_lengths[i] + (2 * c.Padding)) * c.Inputs) + width);
            _lengths[i + 1] = c.Length(_lengths[i]);
            convolved = Math.Max(convolved, (long)windows * _lengths[i + 1] * c.Matrix.PaddedOutputs);
        }

        int tokens = _lengths[^1], stride = Stride;
        _convolved = new AlignedBuffer(convolved);
        _moments = new AlignedBuffer(2L * windows * _lengths[1]);
        _zeros = new AlignedBuffer(PackedNetwork.RoundUp(Math.Max(m.Width, m.FeedForward), width));
        _positions = new AlignedBuffer((long)tokens * stride);
        for (int t = 0; t < tokens; t++)
        {
            for (int c = 0; c < m.Width; c++)
                _positions.Span[(t * stride) + c] = (float)ReferenceQuality.PositionCode(t, c, m.Width);
        }

        long rows = (long)windows * tokens;
        _x = new AlignedBuffer(rows * stride);
        _y = new AlignedBuffer(rows * stride);
        _qkv = new AlignedBuffer(rows * PackedNetwork.RoundUp(3 * m.Width, width));
        _hidden = new AlignedBuffer(rows * PackedNetwork.RoundUp(m.FeedForward, width));
        _scratch = [.. Enumerable.Range(0, parts)
            .Select(_ => new AlignedBuffer(WindowedAttention.ScratchLength(tokens, m.HeadDim, m.Window / 2, S.Width)))];
    }

    /// <summary>Tokens that come out of a window.</summary>
    public int Tokens => _lengths[^1];

    /// <summary>Most windows of a group.</summary>
    public int Windows => _windows;

    /// <summary>Keys that attention computed since the pass was made, summed over blocks of queries.</summary>
    public long KeysComputed => Interlocked.Read(ref _keys);

    private int Stride => PackedNetwork.RoundUp(_m.Width, 2 * S.Width);

    /// <summary>Runs a group.</summary>
    /// <param name="team">Threads.</param>
    /// <param name="input">[count, channels, samples].</param>
    /// <param name="count">Windows.</param>
    /// <param name="output">[count, tokens, d].</param>
    public void Run(ThreadTeam team, ReadOnlySpan<float> input, int count, Span<float> output)
    {
        fixed (float* i = input, o = output)
        {
            _input = i;
            _output = o;
            _count = count;
            team.Run(this);
        }
    }

    public void Execute(int part, int parts, TeamBarrier barrier)
    {
        Load(part, parts);
        barrier.Wait();
        for (int stage = 0; stage < _part.Convolutions.Count; stage++)
        {
            Convolve(stage, part, parts);
            barrier.Wait();
            NormConvolved(stage, part, parts);
            barrier.Wait();
        }

        foreach (PackedQualityBlock block in _part.Blocks)
            Block(block, part, parts, barrier);
        int rows = _count * Tokens;
        Product(_part.Output, _x.Pointer, Stride, _part.Output.Bias, 0, _y.Pointer, Stride, rows, part, parts);
        barrier.Wait();
        (int first, int end) = Share(rows, part, parts);
        for (int row = first; row < end; row++)
            new Span<float>(_y.Pointer + ((nint)row * Stride), _m.Width)
                .CopyTo(new Span<float>(_output + ((nint)row * _m.Width), _m.Width));
    }

    public void Dispose()
    {
        foreach (AlignedBuffer buffer in (IEnumerable<AlignedBuffer>)[.. _signals, _convolved, _moments, _zeros, _positions, _x, _y, _qkv,
            _hidden, .. _scratch])
            buffer.Dispose();
    }

    /// <summary>The range of units that one member does.</summary>
    internal static (int First, int End) Share(int units, int part, int parts) =>
        ((int)((long)units * part / parts), (int)((long)units * (part + 1) / parts));

    /// <summary>C = init + A W^T, by panels where every member gets two, else by rows.</summary>
    internal static void Product(PackedMatrix matrix, float* a, nint aStride, float* init, nint initStride, float* c, nint cStride,
        int rows, int part, int parts)
    {
        if (matrix.Panels >= 2 * parts)
        {
            (int from, int to) = Share(matrix.Panels, part, parts);
            Sum(matrix, from, to, a, aStride, init, initStride, c, cStride, rows);
            return;
        }

        (int first, int end) = Share(rows, part, parts);
        if (end > first)
            Sum(matrix, 0, matrix.Panels, a + (first * aStride), aStride, init + (first * initStride), initStride, c + (first * cStride),
                cStride, end - first);
    }

    // C = init + A W^T by slices of K, each summed from zero, and what it starts from added last: a sum that begins with a residual of size
    // 1 rounds each of up to 2,048 small terms at that size, fifty blocks deep (huge: 1.2e-5 of the largest value so).
    private static void Sum(PackedMatrix matrix, int firstPanel, int endPanel, float* a, nint aStride, float* init, nint initStride,
        float* c, nint cStride, int rows)
    {
        int width = 2 * S.Width, depth = matrix.Inputs;
        float* sum = stackalloc float[SliceRows * width], part = stackalloc float[SliceRows * width], zeros = stackalloc float[width];
        new Span<float>(zeros, width).Clear();
        for (int panel = firstPanel; panel < endPanel; panel++)
        {
            float* weights = matrix.Panel(panel);
            nint column = (nint)panel * width;
            for (int row = 0; row < rows; row += SliceRows)
            {
                int count = Math.Min(SliceRows, rows - row);
                float* own = a + (row * aStride);
                for (int k = 0; k < depth; k += SliceDepth)
                {
                    float* to = k == 0 ? sum : part;
                    MatrixProduct.OnePanel<S, V, ByRow>(own + k, aStride, weights + ((nint)k * width), Math.Min(SliceDepth, depth - k),
                        zeros, 0, to, width, count);
                    for (int i = 0; k > 0 && i < count * width; i += S.Width)
                        S.Store(sum + i, S.Add(S.Load(sum + i), S.Load(part + i)));
                }

                for (int r = 0; r < count; r++)
                {
                    float* from = init + ((row + r) * initStride) + column, target = c + ((row + r) * cStride) + column;
                    for (int i = 0; i < width; i += S.Width)
                        S.Store(target + i, S.Add(S.Load(from + i), S.Load(sum + (r * width) + i)));
                }
            }
        }
    }

    // [channels, samples] -> time-major, between its zeros.
    private void Load(int part, int parts)
    {
        (int first, int end) = Share(_count, part, parts);
        for (int window = first; window < end; window++)
        {
            float* source = _input + ((nint)window * _channels * _samples), target = Signal(0, window);
            for (int s = 0; s < _samples; s++)
            {
                for (int c = 0; c < _channels; c++)
                    *target++ = source[((nint)c * _samples) + s];
            }
        }
    }

    private float* Signal(int stage, int window)
    {
        PackedConvolution c = _part.Convolutions[stage];
        return _signals[stage].Pointer + ((((nint)window * (_lengths[stage] + (2 * c.Padding))) + c.Padding) * c.Inputs);
    }

    private void Convolve(int stage, int part, int parts)
    {
        PackedConvolution c = _part.Convolutions[stage];
        nint stride = c.Matrix.PaddedOutputs, aStride = (nint)c.Stride * c.Inputs;
        int made = _lengths[stage + 1];
        if (c.Matrix.Panels >= 2 * parts)
        {
            // A panel of weights serves every window while it is in cache.
            (int from, int to) = Share(c.Matrix.Panels, part, parts);
            for (int panel = from; panel < to; panel++)
            {
                for (int window = 0; window < _count; window++)
                    Rows(window, 0, made, panel, panel + 1);
            }

            return;
        }

        (int first, int end) = Share(_count * made, part, parts);
        for (int row = first; row < end;)
        {
            int window = row / made, until = Math.Min(end, (window + 1) * made);
            Rows(window, row - (window * made), until - (window * made), 0, c.Matrix.Panels);
            row = until;
        }

        void Rows(int window, int from, int to, int panel, int endPanel)
        {
            float* a = Signal(stage, window) - ((nint)c.Padding * c.Inputs) + (from * aStride);
            float* y = _convolved.Pointer + ((((nint)window * made) + from) * stride);
            Sum(c.Matrix, panel, endPanel, a, aStride, c.Matrix.Bias, 0, y, stride, to - from);
        }
    }

    // GroupNorm over channels and time of a window, GELU, and on to the next convolution's input or, with the position code, to the tokens.
    private void NormConvolved(int stage, int part, int parts)
    {
        PackedNorm norm = _part.Norms[stage];
        int made = _lengths[stage + 1], channels = norm.Channels;
        bool last = stage == _part.Convolutions.Count - 1;
        (int first, int end) = Share(_count, part, parts);
        for (int window = first; window < end; window++)
        {
            float* rows = _convolved.Pointer + ((nint)window * made * norm.Padded);
            float* moments = _moments.Pointer + (2 * (nint)window * _lengths[1]);
            LayerNorm.Moments<S, V>(rows, norm.Padded, made, channels, norm.Vectors, _zeros.Pointer, norm.Mask.Pointer, moments);
            (float mean, float scale) = LayerNorm.Combine(moments, made, channels);
            float* target = last ? _x.Pointer + ((nint)window * made * Stride) : Signal(stage + 1, window);
            nint targetStride = last ? Stride : channels;
            for (int row = 0; row < made; row++, rows += norm.Padded, target += targetStride)
            {
                PlaneRows.Run<S, V>(rows, norm.Gamma.Pointer, norm.Beta.Pointer, norm.Padded, mean, scale);
                GeluRows.Run<S, V>(rows, norm.Padded);
                if (last)
                    AddRow(rows, _positions.Pointer + ((nint)row * Stride), target, channels);
                else
                    new ReadOnlySpan<float>(rows, channels).CopyTo(new Span<float>(target, channels));
            }
        }
    }

    private static void AddRow(float* a, float* b, float* sum, int count)
    {
        for (int c = 0; c < count; c++)
            sum[c] = a[c] + b[c];
    }

    private void Block(PackedQualityBlock block, int part, int parts, TeamBarrier barrier)
    {
        int rows = _count * Tokens;
        nint stride = Stride, qkvStride = block.AttentionIn.PaddedOutputs, hiddenStride = block.FeedForwardIn.PaddedOutputs;
        Product(block.AttentionIn, _x.Pointer, stride, block.AttentionIn.Bias, 0, _qkv.Pointer, qkvStride, rows, part, parts);
        barrier.Wait();
        Attend(qkvStride, part, parts);
        barrier.Wait();
        // The residual is where the sum starts; the map's bias comes with the norm.
        Product(block.AttentionOut, _y.Pointer, stride, _x.Pointer, stride, _x.Pointer, stride, rows, part, parts);
        barrier.Wait();
        Norm(block.Norm1, block.AttentionOut.Bias, rows, part, parts);
        barrier.Wait();
        Product(block.FeedForwardIn, _x.Pointer, stride, block.FeedForwardIn.Bias, 0, _hidden.Pointer, hiddenStride, rows, part, parts);
        barrier.Wait();
        (int first, int end) = Share(rows, part, parts);
        GeluRows.Run<S, V>(_hidden.Pointer + (first * hiddenStride), (end - first) * hiddenStride);
        barrier.Wait();
        Product(block.FeedForwardOut, _hidden.Pointer, hiddenStride, _x.Pointer, stride, _x.Pointer, stride, rows, part, parts);
        barrier.Wait();
        Norm(block.Norm2, block.FeedForwardOut.Bias, rows, part, parts);
        barrier.Wait();
    }

    private void Attend(nint qkvStride, int part, int parts)
    {
        (int first, int end) = Share(_count * _m.Heads, part, parts);
        long keys = 0;
        for (int unit = first; unit < end; unit++)
        {
            nint row = (nint)(unit / _m.Heads) * Tokens;
            var rows = new WindowedAttentionRows
            {
                Qkv = _qkv.Pointer + (row * qkvStride),
                QkvStride = qkvStride,
                Output = _y.Pointer + (row * Stride),
                OutputStride = Stride,
                Tokens = Tokens,
                Channels = _m.Width,
                HeadDim = _m.HeadDim,
                Reach = _m.Window / 2,
            };
            keys += WindowedAttention.Run<S, V>(rows, unit % _m.Heads, _scratch[part].Pointer);
        }

        Interlocked.Add(ref _keys, keys);
    }

    private void Norm(PackedNorm norm, float* bias, int rows, int part, int parts)
    {
        (int first, int end) = Share(rows, part, parts);
        LayerNorm.Rows<S, V>(_x.Pointer + (first * (nint)Stride), Stride, end - first, norm.Channels, norm.Vectors, bias, norm.Mask.Pointer,
            norm.Gamma.Pointer, norm.Beta.Pointer);
    }
}
