using ILGPU.Runtime;
using UniCardio.Engine.Quality;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Devices;

namespace UniCardio.Gpu.Quality;

/// <summary>The residual network of <see cref="QualityHead.VentricularTachycardia"/> over a group of windows, batch norms folded into its
/// convolutions.</summary>
/// <remarks>23 launches.</remarks>
internal sealed class AlarmPass : IDisposable
{
    private readonly RowLaunches _launches;
    private readonly DeviceMemory _memory;
    private readonly List<(DeviceConvolution Map, DeviceSignal From, DeviceSignal To, DeviceSignal? Residual, RowActivation End)>
        _steps = [];
    private readonly DeviceSignal _input, _last, _mean, _projected, _logits;
    private readonly DeviceMap _projector, _classifier;
    private readonly int _channels;

    /// <summary>Uploads its maps and takes its buffers; called with the device's turn held.</summary>
    public AlarmPass(GpuDevice device, RowLaunches launches, QualityWeights weights, int samples, int windows)
    {
        const string Head = QualityCatalog.HeadPrefix + "vtac.", Name = Head + "fcn_head.";
        (_launches, _channels, Samples, Windows) = (launches, weights.Configuration.Channels, samples, windows);
        _memory = new DeviceMemory(device.Accelerator);
        try
        {
            var upload = new QualityUpload(weights, device.Stream, _memory);
            DeviceSignal Take(int length, int quads, int padding) => new(_memory, device.Stream, windows, length, quads, padding);
            DeviceConvolution first = upload.Convolution(Name + "conv0", _channels, 2, Name + "bn1");
            _input = Take(samples, DeviceLayout.Up(_channels), first.Padding);
            DeviceSignal x = Take(first.Length(samples), first.Map.OutputQuads, Padding(0));
            _steps.Add((first, _input, x, null, RowActivation.Relu));
            int inputs = 64;
            for (int block = 0; block < 2 * QualityCatalog.ResidualStages.Count; block++)
            {
                int stage = block / 2, outputs = QualityCatalog.ResidualStages[stage].Channels, stride = block % 2 == 0 ? 2 : 1;
                string at = $"{Name}stage{stage}.{block % 2}.";
                DeviceConvolution one = upload.Convolution(at + "conv1", inputs, stride, at + "bn1");
                DeviceConvolution two = upload.Convolution(at + "conv2", outputs, 1, at + "bn2");
                int length = one.Length(x.Length), quads = one.Map.OutputQuads;
                DeviceSignal between = Take(length, quads, two.Padding), made = Take(length, quads, Padding((block + 1) / 2)), straight = x;
                _steps.Add((one, x, between, null, RowActivation.Relu));
                if (stride == 2)
                {
                    straight = Take(length, quads, 0);
                    _steps.Add((upload.Convolution(at + "shortcut.0", inputs, stride, at + "shortcut.1"), x, straight, null,
                        RowActivation.None));
                }

                _steps.Add((two, between, made, straight, RowActivation.Relu));
                (x, inputs) = (made, outputs);
            }

            _last = x;
            _projector = upload.NormedLinear(Name + "projector.0", Name + "projector.1");
            _classifier = upload.Linear(Head + "classifier");
            _mean = Take(1, x.Quads, 0);
            _projected = Take(1, _projector.OutputQuads, 0);
            _logits = Take(1, _classifier.OutputQuads, 0);
            HostInput = _memory.Pin(4 * windows * _input.WindowQuads);
            HostOutput = _memory.Pin(4 * windows * _logits.WindowQuads);
        }
        catch
        {
            _memory.Dispose();
            throw;
        }
    }

    /// <summary>Samples of a window.</summary>
    public int Samples { get; }

    /// <summary>Most windows of a group.</summary>
    public int Windows { get; }

    private PageLockedArray1D<float> HostInput { get; }

    private PageLockedArray1D<float> HostOutput { get; }

    /// <summary>Puts windows [count, channels, samples] into the page-locked input, time-major, between their zeros.</summary>
    public void Load(ReadOnlySpan<float> windows, int count) => _input.Load(HostInput.Span, windows, count, _channels);

    /// <summary>Queues the group that was loaded.</summary>
    public void Run(int count)
    {
        _input.Buffer.View.CopyFromPageLockedAsync(_launches.Stream, HostInput);
        foreach ((DeviceConvolution map, DeviceSignal from, DeviceSignal to, DeviceSignal? residual, RowActivation end) in _steps)
            _launches.Convolve(map, from, to, count, end, residual);
        _launches.Mean(_last, _mean.View, count);
        _launches.Map(_projector, _mean.View, _projected.Floats, count, RowActivation.Relu);
        _launches.Map(_classifier, _projected.View, _logits.Floats, count);
        _logits.Buffer.View.CopyToPageLockedAsync(_launches.Stream, HostOutput);
    }

    /// <summary>The logits, once the work is done.</summary>
    public void Read(Span<float> logits)
    {
        for (int i = 0; i < logits.Length; i++)
            logits[i] = HostOutput.Span[4 * _logits.Quads * i];
    }

    public void Dispose() => _memory.Dispose();

    // Of what the blocks of a stage read; the last stage's output is read by none.
    private static int Padding(int stage) =>
        stage < QualityCatalog.ResidualStages.Count ? QualityCatalog.ResidualStages[stage].Kernel / 2 : 0;
}
