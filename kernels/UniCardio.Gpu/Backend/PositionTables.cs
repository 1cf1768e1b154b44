using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;

namespace UniCardio.Gpu.Backend;

/// <summary>What enters a gate without depending on the input, of one slot's positions: computed in double, rounded once.</summary>
/// <remarks>
/// 2 C^2 blocks T multiply-adds a slot (0.4 G at full size), so only live slots are asked for. Holds copies of the weights that it
/// needs: the network's own may be a mapped file that is closed by then.
/// </remarks>
internal sealed class PositionTables(ModelWeights weights, DeviceLayout layout)
{
    private readonly ModelConfiguration _m = weights.Configuration;
    private readonly (double[] Condition, double[] Constant)[] _blocks = [.. weights.Blocks.Select(b => (Doubles(b.ConditionProjection.Weight.Span), Constant(b)))];

    /// <summary>[blocks, T, 2C] of one slot: cond(pe), the biases of cond and mid, and mid of LN2's beta.</summary>
    public float[] Fill(int slot)
    {
        int c = _m.Channels, tokens = _m.SlotTokens, width = 8 * layout.Quads;
        double[] codes = new double[tokens * c];
        ReferencePositionCode.Slot(_m, slot, codes);
        float[] target = new float[(long)_m.Blocks * tokens * width];
        for (int i = 0; i < _m.Blocks; i++)
        {
            (double[] condition, double[] constant) = _blocks[i];
            long block = (long)i * tokens;
            Parallel.For(0, tokens, token =>
            {
                for (int n = 0; n < 2 * c; n++)
                    target[((block + token) * width) + layout.HalfColumn(n)] = (float)(constant[n] + Dot(condition.AsSpan(n * c, c), codes.AsSpan(token * c, c)));
            });
        }

        return target;
    }

    private static double[] Constant(BlockWeights b)
    {
        double[] constant = new double[b.MidProjection.Outputs];
        FoldedWeights.Map(b.MidProjection, Doubles(b.Norm2.Beta.Span), constant);
        for (int n = 0; n < constant.Length; n++)
            constant[n] += b.ConditionProjection.Bias.Span[n];
        return constant;
    }

    private static double[] Doubles(ReadOnlySpan<float> values)
    {
        double[] result = new double[values.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = values[i];
        return result;
    }

    private static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        double sum = 0;
        for (int i = 0; i < x.Length; i++)
            sum += x[i] * y[i];
        return sum;
    }
}
