using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Training.Network;
using UniCardio.Training.Randomness;

namespace UniCardio.Training.Optimization;

/// <summary>How weights start.</summary>
public enum InitializationKind
{
    /// <summary>As the official code starts them.</summary>
    Published,

    /// <summary>As published, with two heads a block that look at equal positions (<see cref="AlignedHeads"/>) and a quiet last layer. Slot
    /// positions only.</summary>
    Aligned,
}

/// <summary>Weights to start training from.</summary>
/// <remarks>
/// The official code (thu-ml/UniCardio, MIT) and PyTorch's defaults give: convolutions normal with variance 2 / inputs (He et al., arXiv
/// 1502.01852); linear maps and the attention's output map uniform within 1 / sqrt(inputs); the attention's input map uniform within
/// sqrt(6 / (inputs + outputs)) over all 3C outputs (Glorot and Bengio 2010); biases uniform within 1 / sqrt(inputs), those of the
/// attention zero; norms one and zero. A weight depends on (seed, tensor, element) alone.
/// </remarks>
internal static class InitialWeights
{
    // CSDI starts the last map at zero (Tashiro et al., arXiv 2107.03502), the official code does not; a tenth starts near zero and still
    // lets the first gradients through to the layers below.
    private const float LastLayerScale = 0.1f;

    /// <summary>Writes initial weights.</summary>
    /// <param name="layout">The parameters.</param>
    /// <param name="kind">How.</param>
    /// <param name="seed">Equal seeds give equal weights.</param>
    /// <param name="flat">[layout's length]; gaps are set to zero.</param>
    /// <exception cref="Engine.ConfigurationException">Aligned heads were asked for with global positions.</exception>
    public static void Fill(ParameterLayout layout, InitializationKind kind, ulong seed, Span<float> flat)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfNotEqual(flat.Length, layout.Length);
        flat.Clear();
        for (int i = 0; i < layout.Slices.Count; i++)
        {
            ParameterSlice slice = layout.Slices[i];
            int inputs = slice.Name.EndsWith(".bias", StringComparison.Ordinal) ? Inputs(layout, slice) : slice.Count / slice.Shape[0];
            Fill(slice, inputs, seed, (uint)i, flat.Slice(slice.Offset, slice.Count));
        }

        if (kind == InitializationKind.Aligned)
        {
            AlignedHeads.Apply(layout, flat);
            foreach (DecoderWeights<WeightAndBias<ParameterSlice>> decoder in layout.Network.Decoders)
            {
                foreach (ref float value in decoder.Output.Weight.Of(flat))
                    value *= LastLayerScale;
            }
        }
    }

    /// <summary>Lets weights correct proposals (<see cref="PredictionKind.Correction"/>): half of what a network of noise or of v takes
    /// for noise in the proposal, taken off it; nothing where there is no such network.</summary>
    /// <remarks>
    /// With the proposal p in place of x_t at a step of noise sigma, x0 = p - sigma eps, and -sigma v is near it where alpha is near 1. The
    /// half is where untrained corrections erred least on synthetic subjects: 0.986 of the own beat's error, 1.025 with the whole, 0.986
    /// with a quarter. A zero last layer (CSDI's start; Tashiro et al., arXiv 2107.03502) begins at the proposal itself.
    /// </remarks>
    /// <param name="layout">The parameters.</param>
    /// <param name="flat">[layout's length].</param>
    /// <param name="predicted">What the weights predicted; null for none.</param>
    /// <param name="schedule">Gives the step's noise.</param>
    public static void BecomeCorrection(ParameterLayout layout, float[] flat, PredictionKind? predicted, NoiseSchedule schedule)
    {
        float by = predicted is PredictionKind.V or PredictionKind.Epsilon ? (float)(-0.5 * schedule.Sigma[schedule.CorrectionStep]) : 0;
        foreach (DecoderWeights<WeightAndBias<ParameterSlice>> decoder in layout.Network.Decoders)
        {
            foreach (ref float value in decoder.Output.Weight.Of(flat))
                value = by == 0 ? 0 : value * by;
            foreach (ref float value in decoder.Output.Bias.Of(flat))
                value = by == 0 ? 0 : value * by;
        }
    }

    private static void Fill(ParameterSlice slice, int inputs, ulong seed, uint tensor, Span<float> values)
    {
        string name = slice.Name[ParameterCatalog.Prefix.Length..];
        bool isBias = name.EndsWith("bias", StringComparison.Ordinal);
        if (name.Contains("norm", StringComparison.Ordinal))
            values.Fill(isBias ? 0 : 1);
        else if (name.EndsWith("in_proj_weight", StringComparison.Ordinal))
            Uniform(seed, tensor, Math.Sqrt(6.0 / (slice.Shape[0] + slice.Shape[1])), values);
        else if (isBias && name.Contains("self_attn", StringComparison.Ordinal))
            values.Clear();
        else if (!isBias && slice.Shape.Count == 3)
            Normal(seed, tensor, Math.Sqrt(2.0 / inputs), values);
        else
            Uniform(seed, tensor, 1 / Math.Sqrt(inputs), values);
    }

    // A bias is spread by the inputs of the weight beside it.
    private static int Inputs(ParameterLayout layout, ParameterSlice bias)
    {
        ParameterSlice weight = layout[bias.Name[..^"bias".Length] + "weight"];
        return weight.Count / weight.Shape[0];
    }

    private static void Normal(ulong seed, uint tensor, double deviation, Span<float> values)
    {
        PhiloxNormal.Fill(seed, tensor, (uint)RandomUse.Weights, 0, values);
        foreach (ref float value in values)
            value *= (float)deviation;
    }

    private static void Uniform(ulong seed, uint tensor, double bound, Span<float> values)
    {
        var random = new KeyedRandom(seed, RandomUse.Weights, tensor, 0);
        foreach (ref float value in values)
            value = (float)(bound * ((2 * random.NextDouble()) - 1));
    }
}
