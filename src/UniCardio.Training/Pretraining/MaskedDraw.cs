using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Pretraining;

/// <summary>What a window shows and what is asked of it.</summary>
/// <param name="Kept">Signals in the input, by bit.</param>
/// <param name="Asked">Signals whose masked patches count, by bit.</param>
/// <param name="Visible">Tokens of the input, ascending.</param>
internal sealed record MaskedDraw(int Kept, int Asked, int[] Visible)
{
    private const int All = 7, Patches = MaskedConfiguration.Patches;

    /// <summary>Signals in the input.</summary>
    public int Count => System.Numerics.BitOperations.PopCount((uint)Kept);

    /// <summary>Draws what is masked.</summary>
    /// <param name="arm">B masks patches of all signals; C drops a proper subset of signals from the input, D from what is asked.</param>
    /// <param name="dropRate">How often signals are dropped.</param>
    /// <param name="masked">Share of the patches of a signal that are masked.</param>
    /// <param name="random">Where chance comes from.</param>
    public static MaskedDraw Next(MaskedArm arm, double dropRate, double masked, ref CounterRandom random)
    {
        bool drops = random.NextDouble() < dropRate;
        // Uniform over the six non-empty proper subsets.
        int dropped = drops ? 1 + (int)(6 * random.NextDouble()) : 0;
        int kept = arm == MaskedArm.InputDrop ? All & ~dropped : All, asked = arm == MaskedArm.OutputDrop ? All & ~dropped : All;
        var visible = new List<int>();
        for (int m = 0; m < MaskedConfiguration.Signals; m++)
        {
            bool[] hidden = Hide((int)Math.Round(masked * Patches), ref random);
            for (int k = 0; k < Patches && (kept >> m & 1) != 0; k++)
            {
                if (!hidden[k])
                    visible.Add((m * Patches) + k);
            }
        }

        return new MaskedDraw(kept, asked, [.. visible]);
    }

    // Half of the time single patches, half of the time runs of 5 to 15; always as many.
    private static bool[] Hide(int count, ref CounterRandom random)
    {
        bool[] hidden = new bool[Patches];
        bool runs = random.NextDouble() < 0.5;
        while (count > 0)
        {
            int at = (int)(Patches * random.NextDouble()), length = runs ? 5 + (int)(11 * random.NextDouble()) : 1;
            for (int i = at; i < Math.Min(Patches, at + length) && count > 0; i++)
            {
                count -= hidden[i] ? 0 : 1;
                hidden[i] = true;
            }
        }

        return hidden;
    }
}
