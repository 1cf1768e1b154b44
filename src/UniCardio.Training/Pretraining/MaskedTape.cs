using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Training.Differentiation;

namespace UniCardio.Training.Pretraining;

/// <summary>Takes the attention weights of a layer: [windows, heads, tokens, tokens], rows are queries.</summary>
internal delegate void AttentionSink(int layer, float[] weights);

/// <summary>The masked encoder and its decoder noted on a tape: pre-norm layers, x += MHA(LN x), x += W2 GELU(W1 LN x), a norm at the
/// end; positions are sine codes of a patch's time, equal for all signals.</summary>
internal static class MaskedTape
{
    private const double Slowest = 0.04;

    /// <summary>Embeddings [windows tokens, d] of the tokens that windows show.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="m">Sizes.</param>
    /// <param name="part">Prefix of the encoder.</param>
    /// <param name="windows">The windows.</param>
    /// <param name="tokens">[windows][tokens] which tokens of each go in; all of one number.</param>
    /// <param name="sink">Takes attention weights, if given.</param>
    public static TapeMatrix Encode<S, V>(Tape<S, V> tape, MaskedConfiguration m, string part, IReadOnlyList<MaskedWindow> windows,
        IReadOnlyList<int[]> tokens, AttentionSink? sink = null)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        const int Patch = MaskedConfiguration.Patch, Inputs = MaskedConfiguration.Inputs;
        int count = tokens[0].Length, rows = windows.Count * count;
        float[] input = new float[rows * Inputs], codes = new float[rows * m.Width];
        for (int row = 0; row < rows; row++)
        {
            int token = tokens[row / count][row % count], signal = token / MaskedConfiguration.Patches;
            windows[row / count].Values.AsSpan(token * Patch, Patch).CopyTo(input.AsSpan((row * Inputs) + (signal * Patch)));
            input[(row * Inputs) + (MaskedConfiguration.Signals * Patch) + signal] = 1;
            WriteCode(token % MaskedConfiguration.Patches, codes.AsSpan(row * m.Width, m.Width));
        }

        TapeMatrix x = tape.Linear(tape.Constant(input, rows, Inputs), part + ".embed.weight", part + ".embed.bias");
        return Layers(tape, part, tape.AddRepeating(x, codes), m.Layers, m.Heads, windows.Count, sink);
    }

    /// <summary>Patches [windows places, 3 x 25] of every place asked for; a token's signal says which third counts.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="m">Sizes.</param>
    /// <param name="part">Prefix of the decoder.</param>
    /// <param name="encoded">What <see cref="Encode"/> gave.</param>
    /// <param name="tokens">[windows][tokens] which tokens that are.</param>
    /// <param name="places">Tokens that each window is decoded at, those of the input among them.</param>
    public static TapeMatrix Decode<S, V>(Tape<S, V> tape, MaskedConfiguration m, string part, TapeMatrix encoded,
        IReadOnlyList<int[]> tokens, int[] places)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int count = tokens[0].Length, windows = tokens.Count, width = m.DecoderWidth;
        int[] rows = new int[windows * places.Length];
        float[] signals = new float[rows.Length * MaskedConfiguration.Signals], codes = new float[places.Length * width];
        int[] seen = new int[MaskedConfiguration.Tokens];
        for (int w = 0; w < windows; w++)
        {
            Array.Fill(seen, -1);
            for (int i = 0; i < count; i++)
                seen[tokens[w][i]] = (w * count) + i;
            for (int i = 0; i < places.Length; i++)
            {
                int row = (w * places.Length) + i;
                // The row past the encoded ones stands for whatever is masked.
                rows[row] = seen[places[i]] < 0 ? encoded.Rows : seen[places[i]];
                signals[(row * MaskedConfiguration.Signals) + (places[i] / MaskedConfiguration.Patches)] = 1;
            }
        }

        for (int i = 0; i < places.Length; i++)
            WriteCode(places[i] % MaskedConfiguration.Patches, codes.AsSpan(i * width, width));
        TapeMatrix known = tape.Linear(encoded, part + ".embed.weight", part + ".embed.bias"),
            masked = tape.Linear(tape.Constant([1], 1, 1), part + ".masked.weight", part + ".masked.bias"),
            place = tape.Linear(tape.Constant(signals, rows.Length, MaskedConfiguration.Signals), part + ".place.weight",
                part + ".place.bias");
        TapeMatrix x = tape.AddRepeating(tape.Add(tape.Gather(tape.Stack(known, masked), rows), place), codes);
        x = Layers(tape, part, x, m.DecoderLayers, m.Heads, windows, null);
        return tape.Linear(x, part + ".patch.weight", part + ".patch.bias");
    }

    private static TapeMatrix Layers<S, V>(Tape<S, V> tape, string part, TapeMatrix x, int layers, int heads, int windows,
        AttentionSink? sink)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int i = 0; i < layers; i++)
        {
            string name = $"{part}.layers.{i}";
            int layer = i;
            TapeMatrix Map(TapeMatrix from, string map) => tape.Linear(from, $"{name}.{map}.weight", $"{name}.{map}.bias");
            TapeMatrix read = tape.Attention(Map(tape.LayerNorm(x, name + ".norm1"), "in"), windows, heads, null,
                sink is null ? null : weights => sink(layer, weights));
            x = tape.Add(x, Map(read, "out"));
            x = tape.Add(x, Map(tape.Gelu(Map(tape.LayerNorm(x, name + ".norm2"), "feed1")), "feed2"));
        }

        return tape.LayerNorm(x, part + ".norm");
    }

    // Sines from a quarter of a turn a patch to a full one in 100. With the usual base of 10,000 most of 50 places' codes are alike: places
    // beside each other and a second apart look the same, a masked place reads the mean of a whole beat, and nothing is learned.
    private static void WriteCode(int patch, Span<float> code)
    {
        for (int i = 0; i < code.Length; i++)
        {
            double angle = patch * (Math.PI / 2) * Math.Pow(Slowest, i / 2 * 2 / (double)code.Length);
            code[i] = (float)(i % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle));
        }
    }
}
