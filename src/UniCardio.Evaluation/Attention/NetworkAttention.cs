using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;

namespace UniCardio.Evaluation.Attention;

/// <summary>UniCardio's attention: what the target's tokens look at, by the double reference.</summary>
internal static class NetworkAttention
{
    /// <summary>The slots that the target's queries may read, in slot order: the conditions and the target itself.</summary>
    public static int[] Slots(CardioTask task) =>
        [.. task.Conditions.Members().Select(m => (int)m).Append((int)task.Target).Distinct().Order()];

    /// <summary>The axis of the queries: the target's tokens. A restored signal's slot counts as a signal of its own.</summary>
    public static TokenAxis Queries(ModelConfiguration model, CardioTask task) => TokenAxis.Of([(int)task.Target], model.SlotTokens);

    /// <summary>The axis of the keys.</summary>
    public static TokenAxis Keys(ModelConfiguration model, CardioTask task) => TokenAxis.Of(Slots(task), model.SlotTokens);

    /// <summary>Attention weights of the target's tokens at one diffusion step.</summary>
    /// <param name="network">The network.</param>
    /// <param name="task">The task.</param>
    /// <param name="conditions">[conditions, S] scaled samples in slot order.</param>
    /// <param name="state">[S] x_t of the target.</param>
    /// <param name="t">Diffusion step.</param>
    /// <returns>[blocks][heads][S/p, keys].</returns>
    public static double[][][] Of(ReferenceNetwork network, CardioTask task, ReadOnlySpan<float> conditions, ReadOnlySpan<float> state,
        int t)
    {
        ArgumentNullException.ThrowIfNull(network);
        ModelConfiguration m = network.Configuration;
        double[] x = new double[ModelConfiguration.SlotCount * m.SlotSamples], prediction = new double[m.SlotSamples];
        int next = 0;
        foreach (Modality condition in task.Conditions.Members())
        {
            for (int i = 0; i < m.SlotSamples; i++)
                x[((int)condition * m.SlotSamples) + i] = conditions[(next * m.SlotSamples) + i];
            next++;
        }

        for (int i = 0; i < m.SlotSamples; i++)
            x[((int)task.Target * m.SlotSamples) + i] = state[i];
        var seen = new ReferenceActivations();
        network.Dense(task, x, t, prediction, seen);
        return [.. Enumerable.Range(0, m.Blocks).Select(b => Weights(network, b, seen.BlockInputs[b], task))];
    }

    private static double[][] Weights(ReferenceNetwork network, int block, double[] y, CardioTask task)
    {
        ModelConfiguration m = network.Configuration;
        int slot = m.SlotTokens * m.Channels, d = m.Channels / m.Heads;
        int[] slots = Slots(task);
        double[] queries = new double[slot], keys = new double[slots.Length * slot];
        LinearMap map = network.Weights.Blocks[block].AttentionIn;
        map.Forward(0, m.Channels, y.AsSpan((int)task.Target * slot, slot), queries);
        for (int s = 0; s < slots.Length; s++)
            map.Forward(m.Channels, m.Channels, y.AsSpan(slots[s] * slot, slot), keys.AsSpan(s * slot, slot));
        int rows = m.SlotTokens, count = slots.Length * m.SlotTokens;
        var weights = new double[m.Heads][];
        for (int h = 0; h < m.Heads; h++)
        {
            double[] own = weights[h] = new double[rows * count];
            for (int q = 0; q < rows; q++)
            {
                Span<double> row = own.AsSpan(q * count, count);
                for (int k = 0; k < count; k++)
                {
                    for (int c = 0; c < d; c++)
                        row[k] += queries[(q * m.Channels) + (h * d) + c] * keys[(k * m.Channels) + (h * d) + c] / Math.Sqrt(d);
                }

                ReferenceAttention.Softmax(row);
            }
        }

        return weights;
    }
}
