using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Quality;

namespace UniCardio.Engine.Backends.Cpu.Quality;

/// <summary>The residual network of <see cref="QualityHead.VentricularTachycardia"/>, batch norms folded into its convolutions. One window
/// a call of a member.</summary>
internal sealed unsafe class AlarmPass<S, V> : ITeamJob, IDisposable
    where S : struct, ISimd<S, V>
    where V : struct
{
    private readonly QualityConfiguration _m;
    private readonly PackedConvolution _first;
    private readonly List<(PackedConvolution One, PackedConvolution Two, PackedConvolution? Shortcut)> _blocks = [];
    private readonly PackedMatrix _projector;
    private readonly PackedMatrix _classifier;
    private float* _input;
    private float* _logits;
    private int _count;
    private int _samples;

    public AlarmPass(QualityConfiguration m, QualityPacking packing)
    {
        const string head = QualityCatalog.HeadPrefix + "vtac.", name = head + "fcn_head.";
        _m = m;
        _first = packing.Convolution(name + "conv0", m.Channels, 2, name + "bn1");
        int inputs = 64;
        for (int stage = 0; stage < QualityCatalog.ResidualStages.Count; stage++)
        {
            for (int block = 0; block < 2; block++)
            {
                string at = $"{name}stage{stage}.{block}.";
                int outputs = QualityCatalog.ResidualStages[stage].Channels, stride = block == 0 ? 2 : 1;
                _blocks.Add((
                    packing.Convolution(at + "conv1", inputs, stride, at + "bn1"),
                    packing.Convolution(at + "conv2", outputs, 1, at + "bn2"),
                    block == 0 ? packing.Convolution(at + "shortcut.0", inputs, stride, at + "shortcut.1") : null));
                inputs = outputs;
            }
        }

        _projector = packing.NormedLinear(name + "projector.0", name + "projector.1");
        _classifier = packing.Linear(head + "classifier");
    }

    /// <summary>Runs windows.</summary>
    /// <param name="team">Threads.</param>
    /// <param name="input">[count, channels, samples].</param>
    /// <param name="count">Windows.</param>
    /// <param name="logits">[count].</param>
    public void Run(ThreadTeam team, ReadOnlySpan<float> input, int count, Span<float> logits)
    {
        fixed (float* i = input, l = logits)
        {
            _input = i;
            _logits = l;
            _count = count;
            _samples = input.Length / (count * _m.Channels);
            team.Run(this);
        }
    }

    public void Execute(int part, int parts, TeamBarrier barrier)
    {
        (int first, int end) = QualityPass<S, V>.Share(_count, part, parts);
        for (int window = first; window < end; window++)
            _logits[window] = Logit(_input + ((nint)window * _m.Channels * _samples));
    }

    public void Dispose()
    {
        _first.Dispose();
        foreach ((PackedConvolution one, PackedConvolution two, PackedConvolution? shortcut) in _blocks)
        {
            one.Dispose();
            two.Dispose();
            shortcut?.Dispose();
        }

        _projector.Dispose();
        _classifier.Dispose();
    }

    private float Logit(float* window)
    {
        int length = _samples;
        AlignedBuffer x = Padded(_m.Channels, length, _first);
        float* target = x.Pointer + (_first.Padding * _m.Channels);
        for (int s = 0; s < length; s++)
        {
            for (int c = 0; c < _m.Channels; c++)
                *target++ = window[((nint)c * _samples) + s];
        }

        AlignedBuffer y = Convolve(x, _first, length);
        x.Dispose();
        length = _first.Length(length);
        ReluRows.Run<S, V>(y.Pointer, (nint)y.Length);
        foreach ((PackedConvolution one, PackedConvolution two, PackedConvolution? shortcut) in _blocks)
        {
            AlignedBuffer made = Residual(y, length, one, two, shortcut);
            y.Dispose();
            y = made;
            length = one.Length(length);
        }

        float logit = Classify(y, length);
        y.Dispose();
        return logit;
    }

    // y: [length, padded C] of a previous convolution. relu(two(relu(one(y))) + shortcut(y)).
    private static AlignedBuffer Residual(AlignedBuffer y, int length, PackedConvolution one, PackedConvolution two,
        PackedConvolution? shortcut)
    {
        int made = one.Length(length);
        using AlignedBuffer input = Compact(y, one, length);
        using AlignedBuffer between = Convolve(input, one, length);
        ReluRows.Run<S, V>(between.Pointer, (nint)between.Length);
        using AlignedBuffer second = Compact(between, two, made);
        AlignedBuffer result = Convolve(second, two, made);
        if (shortcut is null)
        {
            Add(result, y);
        }
        else
        {
            using AlignedBuffer narrow = Compact(y, shortcut, length);
            using AlignedBuffer straight = Convolve(narrow, shortcut, length);
            Add(result, straight);
        }

        ReluRows.Run<S, V>(result.Pointer, (nint)result.Length);
        return result;
    }

    private static void Add(AlignedBuffer sum, AlignedBuffer other)
    {
        for (nint i = 0; i < (nint)sum.Length; i += S.Width)
            S.Store(sum.Pointer + i, S.Add(S.Load(sum.Pointer + i), S.Load(other.Pointer + i)));
    }

    private float Classify(AlignedBuffer y, int length)
    {
        int channels = _projector.Inputs;
        nint stride = (nint)y.Length / length;
        float* mean = stackalloc float[channels];
        for (int c = 0; c < channels; c++)
        {
            double sum = 0;
            for (int s = 0; s < length; s++)
                sum += y.Pointer[(s * stride) + c];
            mean[c] = (float)(sum / length);
        }

        using var projected = new AlignedBuffer(_projector.PaddedOutputs);
        MatrixProduct.ByRows<S, V>(mean, channels, _projector, 0, _projector.Panels, _projector.Bias, 0, projected.Pointer, 0, 1);
        ReluRows.Run<S, V>(projected.Pointer, (nint)projected.Length);
        using var logit = new AlignedBuffer(_classifier.PaddedOutputs);
        MatrixProduct.ByRows<S, V>(projected.Pointer, 0, _classifier, 0, _classifier.Panels, _classifier.Bias, 0, logit.Pointer, 0, 1);
        return logit.Pointer[0];
    }

    private static AlignedBuffer Padded(int channels, int length, PackedConvolution next) =>
        new((long)(length + (2 * next.Padding)) * channels);

    // [length, padded C] -> [length, C] between the next convolution's zeros.
    private static AlignedBuffer Compact(AlignedBuffer y, PackedConvolution next, int length)
    {
        int channels = next.Inputs;
        nint stride = (nint)y.Length / length;
        AlignedBuffer x = Padded(channels, length, next);
        for (int s = 0; s < length; s++)
            new ReadOnlySpan<float>(y.Pointer + (s * stride), channels)
                .CopyTo(new Span<float>(x.Pointer + (((nint)s + next.Padding) * channels), channels));
        return x;
    }

    private static AlignedBuffer Convolve(AlignedBuffer x, PackedConvolution c, int length)
    {
        int made = c.Length(length);
        nint stride = c.Matrix.PaddedOutputs;
        var y = new AlignedBuffer(made * stride);
        MatrixProduct.ByRows<S, V>(x.Pointer, (nint)c.Stride * c.Inputs, c.Matrix, 0, c.Matrix.Panels, c.Matrix.Bias, 0, y.Pointer,
            stride, made);
        return y;
    }
}
