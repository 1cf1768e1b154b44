using System.Numerics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>
/// What enters a block's gate without depending on the input: cond(pe) + mid bias + mid(beta of the second LayerNorm), one row
/// of 2C for each token of a slot. Computed in double on a slot's first use, rounded once.
/// </summary>
/// <remarks>2 C^2 blocks tokens multiply-adds a slot (0.4 G at full size), which is why only live slots are filled.</remarks>
internal sealed unsafe class SlotTables : IDisposable
{
    private readonly ModelConfiguration _configuration;
    private readonly Block[] _blocks;
    private readonly AlignedBuffer?[] _slots = new AlignedBuffer?[ModelConfiguration.SlotCount];
    private readonly Lock _filling = new();
    private readonly int _threads;
    private readonly int _panels;

    public SlotTables(ModelWeights weights, int panel, int threads)
    {
        _configuration = weights.Configuration;
        _threads = threads;
        PanelWidth = panel;
        _panels = (2 * _configuration.Channels + panel - 1) / panel;
        _blocks = [.. weights.Blocks.Select(b => new Block(Transpose(b.ConditionProjection), Constant(b)))];
    }

    private sealed record Block(double[] Condition, double[] Constant);

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
        int c = _configuration.Channels, tokens = _configuration.SlotTokens;
        double[] codes = new double[tokens * c];
        ReferencePositionCode.Slot(_configuration, slot, codes);
        var buffer = new AlignedBuffer((long)_blocks.Length * _panels * PanelStride);
        const int Strip = 20;
        int strips = (tokens + Strip - 1) / Strip;
        Parallel.For(0, strips * _blocks.Length, new ParallelOptions { MaxDegreeOfParallelism = _threads }, i =>
        {
            int block = i / strips, first = i % strips * Strip;
            double[] row = new double[2 * c];
            for (int token = first; token < Math.Min(first + Strip, tokens); token++)
            {
                RowOf(_blocks[block], codes.AsSpan(token * c, c), row);
                float* target = buffer.Pointer + (block * _panels * PanelStride) + ((nint)token * PanelWidth);
                for (int n = 0; n < row.Length; n++)
                    target[(n / PanelWidth * PanelStride) + (n % PanelWidth)] = (float)row[n];
            }
        });
        return buffer;
    }

    // row = constant + W code, with W by column: each channel's code scales one contiguous row of 2C.
    private static void RowOf(Block block, ReadOnlySpan<double> code, Span<double> row)
    {
        int width = Vector<double>.Count;
        block.Constant.CopyTo(row);
        for (int n = 0; n < row.Length; n += 4 * width)
        {
            if (n + (4 * width) > row.Length)
            {
                for (int k = 0; k < code.Length; k++)
                {
                    for (int j = n; j < row.Length; j++)
                        row[j] += code[k] * block.Condition[(k * row.Length) + j];
                }

                break;
            }

            var s0 = new Vector<double>(row[n..]);
            var s1 = new Vector<double>(row[(n + width)..]);
            var s2 = new Vector<double>(row[(n + (2 * width))..]);
            var s3 = new Vector<double>(row[(n + (3 * width))..]);
            for (int k = 0; k < code.Length; k++)
            {
                var x = new Vector<double>(code[k]);
                ReadOnlySpan<double> w = block.Condition.AsSpan((k * row.Length) + n, 4 * width);
                s0 += x * new Vector<double>(w);
                s1 += x * new Vector<double>(w[width..]);
                s2 += x * new Vector<double>(w[(2 * width)..]);
                s3 += x * new Vector<double>(w[(3 * width)..]);
            }

            s0.CopyTo(row[n..]);
            s1.CopyTo(row[(n + width)..]);
            s2.CopyTo(row[(n + (2 * width))..]);
            s3.CopyTo(row[(n + (3 * width))..]);
        }
    }

    private static double[] Transpose(LinearWeights linear)
    {
        int outputs = linear.Outputs, inputs = linear.Inputs;
        double[] transposed = new double[inputs * outputs];
        ReadOnlySpan<float> weight = linear.Weight.Span;
        for (int n = 0; n < outputs; n++)
        {
            for (int k = 0; k < inputs; k++)
                transposed[(k * outputs) + n] = weight[(n * inputs) + k];
        }

        return transposed;
    }

    private static double[] Constant(BlockWeights b)
    {
        int inputs = b.MidProjection.Inputs;
        ReadOnlySpan<float> mid = b.MidProjection.Weight.Span, beta = b.Norm2.Beta.Span;
        double[] constant = new double[b.MidProjection.Outputs];
        for (int n = 0; n < constant.Length; n++)
        {
            double sum = (double)b.ConditionProjection.Bias.Span[n] + b.MidProjection.Bias.Span[n];
            for (int k = 0; k < inputs; k++)
                sum += (double)mid[(n * inputs) + k] * beta[k];
            constant[n] = sum;
        }

        return constant;
    }
}
