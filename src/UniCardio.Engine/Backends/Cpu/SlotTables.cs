using UniCardio.Engine.Model;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>The gate's constants (<see cref="PositionConstants"/>), one row of 2C for each token of a slot, rounded on the slot's first
/// use.</summary>
internal sealed unsafe class SlotTables : IDisposable
{
    private readonly ModelConfiguration _configuration;
    private readonly PositionConstants _constants;
    private readonly AlignedBuffer?[] _slots = new AlignedBuffer?[ModelConfiguration.SlotCount];
    private readonly Lock _filling = new();
    private readonly int _threads;
    private readonly int _panels;

    public SlotTables(FoldedNetwork folded, int panel, int threads)
    {
        _configuration = folded.Configuration;
        _threads = threads;
        PanelWidth = panel;
        _panels = (2 * _configuration.Channels + panel - 1) / panel;
        _constants = folded.Positions;
    }

    /// <summary>Floats of a row of one panel.</summary>
    public int PanelWidth { get; }

    /// <summary>Floats between panels: tokens lie side by side within one, so that a strip reads them as one stream.</summary>
    public nint PanelStride => (nint)_configuration.SlotTokens * PanelWidth;

    /// <summary>Bytes of the slots filled so far.</summary>
    public long Bytes => _slots.Distinct().Sum(s => s?.Bytes ?? 0);

    /// <summary>Makes sure that a slot's table is there.</summary>
    public void Prepare(Slot slot)
    {
        // Positions within the slot are the same in every slot: one table serves all.
        int index = _configuration.Positions == PositionKind.Slot ? 0 : (int)slot;
        lock (_filling)
        {
            _slots[index] ??= Fill(index);
            _slots[(int)slot] ??= _slots[index];
        }
    }

    /// <summary>[panels, tokens, panel width] of one block.</summary>
    public float* Rows(Slot slot, int block) => _slots[(int)slot]!.Pointer + (block * _panels * PanelStride);

    public void Dispose()
    {
        foreach (AlignedBuffer? slot in _slots)
            slot?.Dispose();
    }

    private AlignedBuffer Fill(int slot)
    {
        int c = _configuration.Channels, tokens = _configuration.SlotTokens, blocks = _configuration.Blocks;
        double[] codes = _constants.Codes(slot);
        var buffer = new AlignedBuffer((long)blocks * _panels * PanelStride);
        const int Strip = 20;
        int strips = (tokens + Strip - 1) / Strip;
        Parallel.For(0, strips * blocks, new ParallelOptions { MaxDegreeOfParallelism = _threads }, i =>
        {
            int block = i / strips, first = i % strips * Strip;
            double[] row = new double[2 * c];
            for (int token = first; token < Math.Min(first + Strip, tokens); token++)
            {
                _constants.Row(block, codes.AsSpan(token * c, c), row);
                float* target = buffer.Pointer + (block * _panels * PanelStride) + ((nint)token * PanelWidth);
                for (int n = 0; n < row.Length; n++)
                    target[(n / PanelWidth * PanelStride) + (n % PanelWidth)] = (float)row[n];
            }
        });
        return buffer;
    }
}
