using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Quality;
using UniCardio.Engine.Reference;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Devices;

namespace UniCardio.Gpu.Quality;

/// <summary>
/// One encoder or decoder over a group of windows, on one stream: convolutions as products of overlapping rows, blocks with windowed
/// attention, output map. Rows of all windows stand together.
/// </summary>
/// <remarks>6 launches of the tokeniser, 7 a block, 1 of the output map: 21 at the published base size.</remarks>
internal sealed class QualityPass : IDisposable
{
    private readonly QualityConfiguration _m;
    private readonly DeviceQualityPart _part;
    private readonly RowLaunches _launches;
    private readonly DeviceMemory _memory;
    private readonly int[] _lengths;
    private readonly DeviceSignal[] _signals;
    private readonly DeviceSignal _convolved, _x, _y, _qkv, _read, _hidden, _result;
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense> _positions;

    /// <summary>Takes its buffers; called with the device's turn held.</summary>
    public QualityPass(GpuDevice device, RowLaunches launches, QualityWeights weights, DeviceQualityPart part,
        (int Channels, int Samples, int Windows) size)
    {
        QualityConfiguration m = weights.Configuration;
        (_m, _part, _launches, Windows, Channels) = (m, part, launches, size.Windows, size.Channels);
        _lengths = new int[part.Convolutions.Count + 1];
        _lengths[0] = size.Samples;
        _signals = new DeviceSignal[part.Convolutions.Count];
        _memory = new DeviceMemory(device.Accelerator);
        try
        {
            int quads = DeviceLayout.Up(size.Channels);
            long convolved = 0;
            for (int i = 0; i < _signals.Length; i++)
            {
                DeviceConvolution c = part.Convolutions[i];
                _signals[i] = new DeviceSignal(_memory, device.Stream, Windows, _lengths[i], quads, c.Padding);
                (_lengths[i + 1], quads) = (c.Length(_lengths[i]), c.Map.OutputQuads);
                convolved = Math.Max(convolved, (long)RowLaunches.PartsOf(c) * _lengths[i + 1] * quads);
            }

            DeviceSignal Take(int length, int width) => new(_memory, device.Stream, Windows, length, width);
            int heads = 3 * m.Heads * DeviceLayout.Up(m.HeadDim);
            if (4 * Windows * Math.Max(convolved, (long)Tokens * heads) > int.MaxValue)
                throw new Engine.ConfigurationException(
                    "samples", $"{size.Samples} samples a window are more than the GPU kernels can index");
            _convolved = Take(1, (int)convolved);
            _x = Take(Tokens, quads);
            _y = Take(Tokens, quads);
            _qkv = Take(Tokens, heads);
            _read = Take(Tokens, heads / 3);
            _hidden = Take(Tokens, DeviceLayout.Up(m.FeedForward));
            _result = Take(Tokens, quads);
            _positions = new QualityUpload(weights, device.Stream, _memory)
                .Rows(Tokens, m.Width, (t, c) => (float)ReferenceQuality.PositionCode(t, c, m.Width));
            HostInput = _memory.Pin(checked(4 * Windows * _signals[0].WindowQuads));
            HostOutput = _memory.Pin(4 * Windows * _y.WindowQuads);
        }
        catch
        {
            _memory.Dispose();
            throw;
        }
    }

    /// <summary>Most windows of a group.</summary>
    public int Windows { get; }

    /// <summary>Channels of a window.</summary>
    public int Channels { get; }

    /// <summary>Samples of a window.</summary>
    public int Samples => _lengths[0];

    /// <summary>Tokens of a window.</summary>
    public int Tokens => _lengths[^1];

    /// <summary>[tokens of all windows, d].</summary>
    public DeviceSignal Output => _y;

    /// <summary>Room for as many rows of d again, which hold nothing after a run.</summary>
    public DeviceSignal Hidden => _x;

    /// <summary>And again.</summary>
    public DeviceSignal Result => _result;

    /// <summary>Page-locked; takes a group's windows.</summary>
    public PageLockedArray1D<float> HostInput { get; }

    /// <summary>Page-locked, for rows of d of a group.</summary>
    public PageLockedArray1D<float> HostOutput { get; }

    /// <summary>Puts windows [count, channels, samples] into the page-locked input, time-major, between their zeros.</summary>
    public void Load(ReadOnlySpan<float> windows, int count) => _signals[0].Load(HostInput.Span, windows, count, Channels);

    /// <summary>Queues the group that was loaded; its rows are in <see cref="Output"/> afterwards.</summary>
    public void Run(int count)
    {
        _signals[0].Buffer.View.CopyFromPageLockedAsync(_launches.Stream, HostInput);
        for (int i = 0; i < _signals.Length; i++)
            Tokenise(i, count);
        int rows = count * Tokens;
        foreach (DeviceQualityBlock block in _part.Blocks)
            Block(block, count, rows);
        _launches.Map(_part.Output, _x.View, _y.Floats, rows);
    }

    public void Dispose() => _memory.Dispose();

    // Convolution, GroupNorm over channels and time, GELU; the last with the position code.
    private void Tokenise(int i, int count)
    {
        DeviceConvolution c = _part.Convolutions[i];
        bool isLast = i + 1 == _signals.Length;
        DeviceSignal target = isLast ? _x : _signals[i + 1];
        int unit = _lengths[i + 1] * c.Map.OutputQuads;
        _launches.Convolve(c, _signals[i], _convolved.Floats, count);
        var shape = new NormShape
        {
            Rows = _lengths[i + 1], Channels = _part.Norms[i].Channels, Quads = c.Map.OutputQuads, Parts = RowLaunches.PartsOf(c),
            PartQuads = count * unit, HasGelu = 1, HasAddend = isLast ? 1 : 0, TargetFirst = target.First,
            TargetQuads = target.WindowQuads,
        };
        _launches.Norm(shape, count, _convolved.View, _part.Norms[i], c.Map.Bias.View, _positions.View, target.View);
    }

    private void Block(DeviceQualityBlock block, int count, int rows)
    {
        _launches.Map(block.AttentionIn, _x.View, _qkv.Floats, rows);
        var attention = new AttentionShape
        {
            Draws = 1, Blocks = 1, SlotTokens = Tokens, HeadQuads = _read.Quads, HeadDimQuads = DeviceLayout.Up(_m.HeadDim),
            Window = _m.Window / 2, GlobalTokens = 1,
        };
        _launches.Attend(attention, count, _m.Heads, _qkv.View, _read.Floats);
        _launches.Map(block.AttentionOut, _read.View, _y.Floats, rows, residual: _x.Floats);
        Norm(block.Norm1, rows);
        _launches.Map(block.FeedForwardIn, _x.View, _hidden.Floats, rows, RowActivation.Gelu);
        _launches.Map(block.FeedForwardOut, _hidden.View, _y.Floats, rows, residual: _x.Floats);
        Norm(block.Norm2, rows);
    }

    // From y to x, row by row.
    private void Norm(DeviceNorm norm, int rows)
    {
        var shape = new NormShape { Rows = 1, Channels = norm.Channels, Quads = _x.Quads, Parts = 1, TargetQuads = _x.Quads };
        _launches.Norm(shape, rows, _y.View, norm, norm.Beta.View, norm.Beta.View, _x.View);
    }
}
