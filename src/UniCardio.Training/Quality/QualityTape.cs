using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Quality;
using UniCardio.Engine.Reference;
using UniCardio.Training.Differentiation;

namespace UniCardio.Training.Quality;

/// <summary>QualityFM noted on a tape, without dropout: the same network as <see cref="IQualityNetwork"/>, differentiable.</summary>
internal static class QualityTape
{
    /// <summary>Features [windows tokens, d] of windows.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="m">The network's sizes.</param>
    /// <param name="x">[windows, channels, samples].</param>
    /// <param name="windows">Windows.</param>
    public static TapeMatrix Encode<S, V>(Tape<S, V> tape, QualityConfiguration m, ReadOnlySpan<float> x, int windows)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int samples = x.Length / (windows * m.Channels);
        float[] timeMajor = new float[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            int row = i / samples, window = row / m.Channels;
            timeMajor[(((window * samples) + (i % samples)) * m.Channels) + (row % m.Channels)] = x[i];
        }

        return Part(tape, m, "encoder", tape.Constant(timeMajor, windows * samples, m.Channels), windows);
    }

    /// <summary>Amplitude and phase [windows outputs, d] from the features of whole windows.</summary>
    public static (TapeMatrix Amplitude, TapeMatrix Phase) Decode<S, V>(Tape<S, V> tape, QualityConfiguration m, TapeMatrix features,
        int windows)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        TapeMatrix decoded = Part(tape, m, "decoder", tape.Transpose(features, windows), windows);
        TapeMatrix Spectral(string name) =>
            tape.Linear(tape.Tanh(tape.Linear(decoded, name + ".0.weight", name + ".0.bias")), name + ".2.weight", name + ".2.bias");
        return (Spectral("decoder_amp_layer"), Spectral("decoder_pha_layer"));
    }

    // x: time-major signals [windows samples, channels].
    private static TapeMatrix Part<S, V>(Tape<S, V> tape, QualityConfiguration m, string part, TapeMatrix x, int windows)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int stage = 1; stage <= QualityConfiguration.TokeniserStages; stage++)
        {
            string name = $"{part}.patch_embed.";
            x = tape.Convolve(x, windows, $"{name}conv{stage}.weight", $"{name}conv{stage}.bias", m.Strides[stage - 1]);
            x = tape.Gelu(tape.GroupNorm(x, windows, $"{name}norm{stage}"));
        }

        int tokens = x.Rows / windows;
        float[] code = new float[tokens * m.Width];
        for (int i = 0; i < code.Length; i++)
            code[i] = (float)ReferenceQuality.PositionCode(i / m.Width, i % m.Width, m.Width);
        x = tape.AddRepeating(x, code);
        for (int layer = 0; layer < m.Layers; layer++)
        {
            string name = $"{part}.longformer_encoder.layers.{layer}.";
            TapeMatrix qkv = tape.Linear(x, name + "self_attn.in_proj_weight", name + "self_attn.in_proj_bias");
            TapeMatrix read = tape.Linear(tape.Attention(qkv, windows, m.Heads, m.Reads), name + "self_attn.out_proj.weight",
                name + "self_attn.out_proj.bias");
            x = tape.LayerNorm(tape.Add(x, read), name + "norm1");
            TapeMatrix hidden = tape.Gelu(tape.Linear(x, name + "linear1.weight", name + "linear1.bias"));
            x = tape.LayerNorm(tape.Add(x, tape.Linear(hidden, name + "linear2.weight", name + "linear2.bias")), name + "norm2");
        }

        return tape.Linear(x, $"{part}.output_feature_layer.weight", $"{part}.output_feature_layer.bias");
    }
}
