using UniCardio.Engine.Model;

namespace UniCardio.Engine.Reference;

/// <summary>The dense attention mask of the four-slot form.</summary>
/// <remarks>The official code builds seven such matrices; all of them follow the one rule that stands here.</remarks>
public static class ReferenceMask
{
    /// <summary>Query slot q may read key slot k when k is q or k is a condition.</summary>
    public static bool MayRead(int querySlot, int keySlot, ModalitySet conditions) =>
        keySlot == querySlot || (keySlot < (int)Slot.Restoration && conditions.Contains((Modality)keySlot));

    /// <summary>The mask over all four slots.</summary>
    /// <param name="conditions">The condition slots.</param>
    /// <param name="slotTokens">Tokens S/p of a slot.</param>
    /// <param name="pattern">Which tokens of a readable slot are seen; the official network's is all of them.</param>
    /// <returns>[4 S/p, 4 S/p] of 0 and negative infinity, rows are queries.</returns>
    public static double[] Dense(ModalitySet conditions, int slotTokens, AttentionPattern pattern = default)
    {
        int tokens = ModelConfiguration.SlotCount * slotTokens;
        double[] mask = new double[checked(tokens * tokens)];
        for (int q = 0; q < tokens; q++)
        {
            for (int k = 0; k < tokens; k++)
                mask[(q * tokens) + k] = MayRead(q / slotTokens, k / slotTokens, conditions) && pattern.Sees(q % slotTokens, k % slotTokens) ? 0 : double.NegativeInfinity;
        }

        return mask;
    }

    /// <summary>The mask between live slots that may all be read.</summary>
    /// <param name="querySlots">Slots that the queries fill.</param>
    /// <param name="keySlots">Slots that the keys fill.</param>
    /// <param name="slotTokens">Tokens S/p of a slot.</param>
    /// <param name="pattern">Which tokens of a slot are seen.</param>
    /// <returns>[queries S/p, keys S/p] of 0 and negative infinity; empty where every query sees every key.</returns>
    public static double[] Live(int querySlots, int keySlots, int slotTokens, AttentionPattern pattern)
    {
        if (pattern.IsDense)
            return [];
        int queries = querySlots * slotTokens, keys = keySlots * slotTokens;
        double[] mask = new double[checked(queries * keys)];
        for (int q = 0; q < queries; q++)
        {
            for (int k = 0; k < keys; k++)
                mask[(q * keys) + k] = pattern.Sees(q % slotTokens, k % slotTokens) ? 0 : double.NegativeInfinity;
        }

        return mask;
    }
}
