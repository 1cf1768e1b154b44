using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;

namespace UniCardio.Golden;

/// <summary>The samples of all four slots of some windows, [B, 4S], taken apart as an executor wants them.</summary>
internal readonly struct GoldenSlots(ReadOnlyMemory<float> values, int slotSamples, int batch)
{
    /// <summary>[B, S] samples of one slot.</summary>
    public float[] Of(Slot slot) => Take([(int)slot]);

    /// <summary>[B, conditions, S] samples of a plan's conditions.</summary>
    public float[] Conditions(InferencePlan plan) => Take([.. plan.Conditions.Select(c => (int)c)]);

    private float[] Take(int[] slots)
    {
        float[] taken = new float[batch * slots.Length * slotSamples];
        for (int window = 0; window < batch; window++)
        {
            for (int i = 0; i < slots.Length; i++)
            {
                ReadOnlySpan<float> from = values.Span.Slice(((window * ModelConfiguration.SlotCount) + slots[i]) * slotSamples, slotSamples);
                from.CopyTo(taken.AsSpan(((window * slots.Length) + i) * slotSamples));
            }
        }

        return taken;
    }
}
