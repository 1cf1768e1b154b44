using UniCardio.Engine.Model;

namespace UniCardio.Weights.Safetensors;

/// <summary>Weights as 8-bit integers with a scale a row: w about s q, q from -127 to 127, s the largest size of the row's weights over
/// 127. A row is an output channel.</summary>
/// <remarks>
/// In a file the integers have the tensor's name and the scales, F32 [rows], that name and <see cref="ScaleSuffix"/>. Maps and convolutions
/// are stored so; biases, norms and tables, which are small, stay F32. Rounding errs by at most s / 2 a weight. Weights are widened
/// to float32 when they are loaded: a file is a quarter as long, and a call takes as long as before.
/// </remarks>
internal static class Int8Rows
{
    /// <summary>What follows a tensor's name in that of its scales.</summary>
    public const string ScaleSuffix = ".int8_scale";

    private const int Largest = 127;

    /// <summary>Whether a tensor is stored as integers: two dimensions and more.</summary>
    public static bool Fits(ParameterTensor tensor) => tensor.Shape.Count >= 2 && tensor.Span.Length > 0;

    /// <summary>The scale of each row.</summary>
    public static float[] Scales(ParameterTensor tensor)
    {
        int rows = tensor.Shape[0], columns = tensor.Span.Length / rows;
        float[] scales = new float[rows];
        for (int r = 0; r < rows; r++)
        {
            foreach (float w in tensor.Span.Slice(r * columns, columns))
                scales[r] = Math.Max(scales[r], Math.Abs(w) / Largest);
        }

        return scales;
    }

    /// <summary>Integers of a tensor.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="scales">[rows] from <see cref="Scales"/>.</param>
    public static sbyte[] Round(ParameterTensor tensor, float[] scales)
    {
        int columns = tensor.Span.Length / scales.Length;
        sbyte[] integers = new sbyte[tensor.Span.Length];
        for (int i = 0; i < integers.Length; i++)
        {
            float scale = scales[i / columns];
            integers[i] = scale > 0 ? (sbyte)Math.Clamp(MathF.Round(tensor.Span[i] / scale), -Largest, Largest) : (sbyte)0;
        }

        return integers;
    }

    /// <summary>Integers back to weights, in place of what they were.</summary>
    /// <param name="integers">[rows, columns] as stored, a byte each.</param>
    /// <param name="scales">[rows].</param>
    public static float[] Widen(ReadOnlySpan<byte> integers, ReadOnlySpan<float> scales)
    {
        float[] weights = new float[integers.Length];
        int columns = scales.Length == 0 ? 1 : integers.Length / scales.Length;
        for (int i = 0; i < weights.Length; i++)
            weights[i] = scales[i / columns] * unchecked((sbyte)integers[i]);
        return weights;
    }
}
