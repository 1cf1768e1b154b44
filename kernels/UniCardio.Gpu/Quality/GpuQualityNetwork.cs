using ILGPU.Runtime;
using UniCardio.Engine;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Quality;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Devices;

namespace UniCardio.Gpu.Quality;

/// <summary>QualityFM on a GPU. Weights are uploaded once, a part's with its first call; buffers are made for the first call's length of
/// window and kept.</summary>
/// <remarks>Safe to use from several threads, which take turns. Bits of a window depend on no other window of its call. When the device
/// fails, whoever asks it next gets <see cref="BackendUnavailableException"/>.</remarks>
public sealed class GpuQualityNetwork : IQualityNetwork
{
    // Windows of a group.
    private const int MostWindows = 32;

    private readonly Lock _calls = new();
    private readonly QualityWeights _weights;
    private readonly GpuDevice _device;
    private readonly IDisposable? _lease;
    private readonly RowLaunches _launches;
    private readonly DeviceMemory _memory;
    private readonly QualityUpload _upload;
    private readonly Dictionary<QualityHead, DeviceMap> _heads = [];
    private DeviceQualityPart? _encoder, _decoder;
    private (DeviceMap Hidden, DeviceMap Output)[]? _spectra;
    private QualityPass? _encoding, _decoding;
    private AlarmPass? _alarm;
    private bool _isDisposed;

    /// <summary>Compiles the kernels that the network needs, if they are not yet.</summary>
    /// <param name="device">The device.</param>
    /// <param name="weights">The weights; they stay the caller's and are read until the network is disposed.</param>
    /// <param name="options">How to launch: the precision alone is asked for.</param>
    /// <param name="lease">Disposed with this, e.g. the use of a shared device.</param>
    /// <exception cref="ConfigurationException">The network's heads are wider than the kernels', or the device has not the
    /// precision.</exception>
    /// <exception cref="BackendUnavailableException">A kernel does not compile.</exception>
    public GpuQualityNetwork(GpuDevice device, QualityWeights weights, GpuOptions? options = null, IDisposable? lease = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(weights);
        Configuration = weights.Configuration;
        if (Configuration.HeadDim > DeviceLayout.MaxHeadDim)
            throw new ConfigurationException(
                "heads", $"a head of {Configuration.HeadDim} channels is more than the GPU kernels' {DeviceLayout.MaxHeadDim}");
        (_device, _weights, _lease) = (device, weights, lease);
        lock (device.Turn)
        {
            GpuPrecision precision = options?.Precision ?? GpuPrecision.Automatic;
            if (precision == GpuPrecision.Automatic)
                precision = ProductRates.Choice(device.Accelerator);
            GpuBackend.UsesTensors(device, precision);
            _launches = new RowLaunches(device, precision);
            _launches.Prepare(DeviceLayout.Up(Configuration.HeadDim));
            _memory = new DeviceMemory(device.Accelerator);
            _upload = new QualityUpload(weights, device.Stream, _memory);
        }
    }

    /// <summary>Starts on a device of the process.</summary>
    /// <param name="weights">The weights; they stay the caller's and are read until the network is disposed.</param>
    /// <param name="device">Which; null for the first that it starts on of <see cref="DeviceSelector.Automatic"/>.</param>
    /// <param name="options">How to launch: the precision alone is asked for.</param>
    /// <exception cref="ConfigurationException">The network's heads are wider than the kernels'.</exception>
    /// <exception cref="BackendUnavailableException">It starts on none; the message says why.</exception>
    public static GpuQualityNetwork Create(QualityWeights weights, DeviceSelector? device = null, GpuOptions? options = null) =>
        GpuDevices.Start(device, lease => new GpuQualityNetwork(lease.Device, weights, options, lease));

    /// <inheritdoc/>
    public string Name => $"gpu {_device.Name}";

    /// <inheritdoc/>
    public QualityConfiguration Configuration { get; }

    private int Width => Configuration.Width;

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<float> windows, int count, Span<float> features)
    {
        int samples = QualityChecks.Samples(Configuration, windows, count), tokens = Configuration.TokensOf(samples);
        QualityChecks.Length(features.Length, (long)count * tokens * Width, "[count, tokens, d]", nameof(features));
        lock (_calls)
        {
            if (_encoding is null || _encoding.Samples != samples || _encoding.Windows < Math.Min(count, MostWindows))
                OnDevice("making room for windows", () =>
                {
                    _encoder ??= _upload.Part("encoder", Configuration.Channels);
                    _encoding?.Dispose();
                    _encoding = null;
                    _encoding = Pass(_encoder, Configuration.Channels, samples, count);
                });
            QualityPass pass = _encoding!;
            int window = Configuration.Channels * samples, made = tokens * Width;
            for (int first = 0; first < count; first += pass.Windows)
            {
                int group = Math.Min(pass.Windows, count - first);
                Run(pass, windows.Slice(first * window, group * window), group);
                Read(pass.Output, pass.HostOutput, features.Slice(first * made, group * made));
            }
        }
    }

    /// <inheritdoc/>
    public void Decode(ReadOnlySpan<float> features, int count, Span<float> amplitude, Span<float> phase)
    {
        int whole = Configuration.Tokens * Width, outputs = Configuration.TokensOf(Width), made = outputs * Width;
        QualityChecks.Length(features.Length, (long)count * whole, "[count, tokens, d]", nameof(features));
        QualityChecks.Length(amplitude.Length, (long)count * made, "[count, outputs, d]", nameof(amplitude));
        QualityChecks.Length(phase.Length, amplitude.Length, "[count, outputs, d]", nameof(phase));
        lock (_calls)
        {
            if (_decoding is null || _decoding.Windows < Math.Min(count, MostWindows))
                OnDevice("making room for windows", () =>
                {
                    _decoder ??= _upload.Part("decoder", Configuration.Tokens);
                    _spectra ??= [.. ((string[])["decoder_amp_layer", "decoder_pha_layer"])
                        .Select(n => (_upload.Linear(n + ".0"), _upload.Linear(n + ".2")))];
                    _decoding?.Dispose();
                    _decoding = null;
                    _decoding = Pass(_decoder, Configuration.Tokens, Width, count);
                });
            QualityPass pass = _decoding!;
            for (int first = 0; first < count; first += pass.Windows)
            {
                int group = Math.Min(pass.Windows, count - first);
                Run(pass, features.Slice(first * whole, group * whole), group);
                Spectrum(0, pass, group, amplitude.Slice(first * made, group * made));
                Spectrum(1, pass, group, phase.Slice(first * made, group * made));
            }
        }
    }

    /// <inheritdoc/>
    public void Head(QualityHead head, ReadOnlySpan<float> features, int count, Span<float> results)
    {
        int tokens = QualityChecks.Tokens(Configuration, features, count);
        QualityChecks.Linear(head, _weights);
        int outputs = QualityCatalog.For(Configuration, head)[0].Shape[0];
        QualityChecks.Length(results.Length, (long)count * outputs, "[count, outputs]", nameof(results));
        float[] rows = new float[count * tokens * 4 * DeviceLayout.Up(Width)], made = [];
        for (int i = 0; i < features.Length; i++)
            rows[(i / Width * 4 * DeviceLayout.Up(Width)) + (i % Width)] = features[i];
        lock (_calls)
        {
            OnDevice("a head", () =>
            {
                if (!_heads.TryGetValue(head, out DeviceMap? map))
                    _heads[head] = map = _upload.Linear(QualityCatalog.MapOf(head));
                using var memory = new DeviceMemory(_device.Accelerator);
                DeviceSignal x = new(memory, _device.Stream, count, tokens, map.InputQuads),
                    mean = new(memory, _device.Stream, count, 1, map.InputQuads),
                    y = new(memory, _device.Stream, count, 1, map.OutputQuads);
                x.Floats.CopyFromCPU(_device.Stream, rows);
                _launches.Mean(x, mean.View, count);
                _launches.Map(map, mean.View, y.Floats, count);
                made = new float[y.Floats.Length];
                y.Floats.CopyToCPU(_device.Stream, made);
                _device.Stream.Synchronize();
            });
        }

        int stride = made.Length / count;
        for (int i = 0; i < results.Length; i++)
            results[i] = made[(i / outputs * stride) + (i % outputs)];
    }

    /// <inheritdoc/>
    public void Alarm(ReadOnlySpan<float> windows, int count, Span<float> logits)
    {
        int samples = QualityChecks.Samples(Configuration, windows, count), window = Configuration.Channels * samples;
        QualityChecks.Length(logits.Length, count, "[count]", nameof(logits));
        QualityChecks.Has(QualityHead.VentricularTachycardia, _weights);
        lock (_calls)
        {
            if (_alarm is null || _alarm.Samples != samples || _alarm.Windows < Math.Min(count, MostWindows))
                OnDevice("making room for windows", () =>
                {
                    _alarm?.Dispose();
                    _alarm = null;
                    _alarm = new AlarmPass(_device, _launches.InSingle(), _weights, samples, Math.Min(count, MostWindows));
                });
            AlarmPass pass = _alarm!;
            for (int first = 0; first < count; first += pass.Windows)
            {
                int group = Math.Min(pass.Windows, count - first);
                pass.Load(windows.Slice(first * window, group * window), group);
                OnDevice("a network call", () => pass.Run(group));
                Wait();
                pass.Read(logits.Slice(first, group));
            }
        }
    }

    /// <summary>Frees everything on the device.</summary>
    public void Dispose()
    {
        lock (_calls)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            lock (_device.Turn)
            {
                _encoding?.Dispose();
                _decoding?.Dispose();
                _alarm?.Dispose();
                _memory.Dispose();
            }
        }

        _lease?.Dispose();
    }

    private QualityPass Pass(DeviceQualityPart part, int channels, int samples, int count) =>
        new(_device, _launches, _weights, part, (channels, samples, Math.Min(count, MostWindows)));

    private void Run(QualityPass pass, ReadOnlySpan<float> windows, int count)
    {
        pass.Load(windows, count);
        OnDevice("a network call", () => pass.Run(count));
    }

    // Linear, tanh, linear over rows of d.
    private void Spectrum(int which, QualityPass pass, int count, Span<float> result)
    {
        (DeviceMap hidden, DeviceMap output) = _spectra![which];
        OnDevice("a network call", () =>
        {
            _launches.Map(hidden, pass.Output.View, pass.Hidden.Floats, count * pass.Tokens, RowActivation.Tanh);
            _launches.Map(output, pass.Hidden.View, pass.Result.Floats, count * pass.Tokens);
        });
        Read(pass.Result, pass.HostOutput, result);
    }

    // Rows of d, without their padding.
    private void Read(DeviceSignal rows, PageLockedArray1D<float> host, Span<float> result)
    {
        OnDevice("a copy from the device", () => rows.Buffer.View.CopyToPageLockedAsync(_device.Stream, host));
        Wait();
        for (int row = 0; row < result.Length / Width; row++)
            host.Span.Slice(row * 4 * rows.Quads, Width).CopyTo(result[(row * Width)..]);
    }

    // In this thread's turn; what is queued is waited for without it.
    private void OnDevice(string what, Action work)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        lock (_device.Turn)
        {
            try
            {
                _device.Accelerator.Bind();
                work();
            }
            catch (AcceleratorException e)
            {
                throw _device.Failed(what, e);
            }
        }
    }

    private void Wait()
    {
        try
        {
            _device.Stream.Synchronize();
        }
        catch (AcceleratorException e)
        {
            throw _device.Failed("a network call", e);
        }
    }
}
