using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Quality;

namespace UniCardio.Engine.Backends.Cpu.Quality;

/// <summary>QualityFM in float32 on one vector width. Buffers are made for the first call's length of window and kept; later calls of that
/// length allocate nothing.</summary>
internal sealed unsafe class CpuQualityNetwork<S, V> : IQualityNetwork
    where S : struct, ISimd<S, V>
    where V : struct
{
    /// <summary>Windows of a group: weights pass once for all of them, and their activations still fit L2 and L3.</summary>
    private const int GroupWindows = 16;

    private readonly Lock _calls = new();
    private readonly QualityWeights _weights;
    private readonly QualityPacking _packing;
    private readonly ThreadTeam _team;
    private readonly PackedQualityPart _encoder;
    private readonly Lazy<PackedQualityPart> _decoder;
    private readonly Lazy<(PackedMatrix Hidden, PackedMatrix Output)[]> _spectra;
    private readonly Lazy<AlarmPass<S, V>> _alarm;
    private readonly Dictionary<QualityHead, PackedMatrix> _heads = [];
    private QualityPass<S, V>? _encoding;
    private QualityPass<S, V>? _decoding;
    private int _encodedSamples;

    public CpuQualityNetwork(QualityWeights weights, string name, int threads)
    {
        _weights = weights;
        Name = name;
        Configuration = weights.Configuration;
        _packing = new QualityPacking(weights, 2 * S.Width);
        _team = new ThreadTeam(threads);
        _encoder = _packing.Part("encoder", Configuration.Channels);
        _decoder = new Lazy<PackedQualityPart>(() => _packing.Part("decoder", Configuration.Tokens));
        _spectra = new Lazy<(PackedMatrix, PackedMatrix)[]>(() =>
            [.. ((string[])["decoder_amp_layer", "decoder_pha_layer"])
                .Select(n => (_packing.Linear(n + ".0"), _packing.Linear(n + ".2")))]);
        _alarm = new Lazy<AlarmPass<S, V>>(() => new AlarmPass<S, V>(Configuration, _packing));
    }

    public string Name { get; }

    public QualityConfiguration Configuration { get; }

    /// <summary>Keys that the encoder's attention computed, summed over blocks of queries.</summary>
    public long KeysComputed => _encoding?.KeysComputed ?? 0;

    public void Encode(ReadOnlySpan<float> windows, int count, Span<float> features)
    {
        int samples = QualityChecks.Samples(Configuration, windows, count), tokens = Configuration.TokensOf(samples);
        QualityChecks.Length(features.Length, (long)count * tokens * Configuration.Width, "[count, tokens, d]", nameof(features));
        lock (_calls)
        {
            if (_encoding is null || _encodedSamples != samples || _encoding.Windows < Math.Min(count, GroupWindows))
            {
                _encoding?.Dispose();
                _encoding = new QualityPass<S, V>(Configuration, _encoder, Configuration.Channels, samples, Math.Min(count, GroupWindows),
                    _team.Parts);
                _encodedSamples = samples;
            }

            int window = Configuration.Channels * samples, made = tokens * Configuration.Width;
            for (int first = 0; first < count; first += _encoding.Windows)
            {
                int group = Math.Min(_encoding.Windows, count - first);
                _encoding.Run(_team, windows.Slice(first * window, group * window), group, features.Slice(first * made, group * made));
            }
        }
    }

    public void Decode(ReadOnlySpan<float> features, int count, Span<float> amplitude, Span<float> phase)
    {
        int d = Configuration.Width, whole = Configuration.Tokens * d, outputs = Configuration.TokensOf(d);
        QualityChecks.Length(features.Length, (long)count * whole, "[count, tokens, d]", nameof(features));
        QualityChecks.Length(amplitude.Length, (long)count * outputs * d, "[count, outputs, d]", nameof(amplitude));
        QualityChecks.Length(phase.Length, amplitude.Length, "[count, outputs, d]", nameof(phase));
        lock (_calls)
        {
            if (_decoding is null || _decoding.Windows < Math.Min(count, GroupWindows))
            {
                _decoding?.Dispose();
                _decoding = new QualityPass<S, V>(Configuration, _decoder.Value, Configuration.Tokens, d, Math.Min(count, GroupWindows),
                    _team.Parts);
            }

            float[] decoded = new float[_decoding.Windows * outputs * d];
            for (int first = 0; first < count; first += _decoding.Windows)
            {
                int group = Math.Min(_decoding.Windows, count - first), made = group * outputs * d;
                _decoding.Run(_team, features.Slice(first * whole, group * whole), group, decoded.AsSpan(0, made));
                Spectral(_spectra.Value[0], decoded.AsSpan(0, made), amplitude.Slice(first * outputs * d, made));
                Spectral(_spectra.Value[1], decoded.AsSpan(0, made), phase.Slice(first * outputs * d, made));
            }
        }
    }

    public void Head(QualityHead head, ReadOnlySpan<float> features, int count, Span<float> results)
    {
        int d = Configuration.Width, tokens = QualityChecks.Tokens(Configuration, features, count);
        QualityChecks.Linear(head, _weights);
        lock (_calls)
        {
            if (!_heads.TryGetValue(head, out PackedMatrix? map))
                _heads[head] = map = _packing.Linear(QualityCatalog.MapOf(head));
            QualityChecks.Length(results.Length, (long)count * map.Outputs, "[count, outputs]", nameof(results));
            using var mean = new AlignedBuffer(d);
            using var made = new AlignedBuffer(map.PaddedOutputs);
            for (int window = 0; window < count; window++)
            {
                ReadOnlySpan<float> rows = features.Slice(window * tokens * d, tokens * d);
                for (int c = 0; c < d; c++)
                {
                    double sum = 0;
                    for (int t = 0; t < tokens; t++)
                        sum += rows[(t * d) + c];
                    mean.Pointer[c] = (float)(sum / tokens);
                }

                MatrixProduct.ByRows<S, V>(mean.Pointer, d, map, 0, map.Panels, map.Bias, 0, made.Pointer, 0, 1);
                made.Span[..map.Outputs].CopyTo(results[(window * map.Outputs)..]);
            }
        }
    }

    public void Alarm(ReadOnlySpan<float> windows, int count, Span<float> logits)
    {
        QualityChecks.Samples(Configuration, windows, count);
        QualityChecks.Length(logits.Length, count, "[count]", nameof(logits));
        QualityChecks.Has(QualityHead.VentricularTachycardia, _weights);
        lock (_calls)
            _alarm.Value.Run(_team, windows, count, logits);
    }

    public void Dispose()
    {
        _team.Dispose();
        _encoding?.Dispose();
        _decoding?.Dispose();
        _encoder.Dispose();
        foreach (PackedMatrix head in _heads.Values)
            head.Dispose();
        if (_decoder.IsValueCreated)
            _decoder.Value.Dispose();
        if (_alarm.IsValueCreated)
            _alarm.Value.Dispose();
        if (!_spectra.IsValueCreated)
            return;
        foreach ((PackedMatrix hidden, PackedMatrix output) in _spectra.Value)
        {
            hidden.Dispose();
            output.Dispose();
        }
    }

    // Linear, tanh, linear over rows of d.
    private void Spectral((PackedMatrix Hidden, PackedMatrix Output) maps, ReadOnlySpan<float> rows, Span<float> result)
    {
        int d = Configuration.Width, count = rows.Length / d;
        nint stride = maps.Hidden.PaddedOutputs;
        using var hidden = new AlignedBuffer(count * stride);
        using var made = new AlignedBuffer(count * stride);
        fixed (float* x = rows)
            QualityPass<S, V>.Product(maps.Hidden, x, d, maps.Hidden.Bias, 0, hidden.Pointer, stride, count, 0, 1);
        for (nint i = 0; i < (nint)hidden.Length; i += S.Width)
            S.Store(hidden.Pointer + i, Elementary.Tanh<S, V>(S.Load(hidden.Pointer + i)));
        QualityPass<S, V>.Product(maps.Output, hidden.Pointer, stride, maps.Output.Bias, 0, made.Pointer, stride, count, 0, 1);
        for (int row = 0; row < count; row++)
            made.Span.Slice((int)(row * stride), d).CopyTo(result[(row * d)..]);
    }
}
