using ILGPU.Algorithms;

namespace UniCardio.Gpu.Kernels;

/// <summary>Activations in float32, each with the bound that its formula has.</summary>
internal static class Activation
{
    private const float Log2E = 1.44269504f;
    private const float InverseSqrt2 = 0.70710678f;

    /// <summary>sigmoid(a) tanh(b), element by element; absolute error below 4e-7.</summary>
    public static Float4 Gate(Float4 a, Float4 b) => new(Gate(a.X, b.X), Gate(a.Y, b.Y), Gate(a.Z, b.Z), Gate(a.W, b.W));

    /// <summary>x (1 + erf(x / sqrt 2)) / 2, element by element.</summary>
    public static Float4 Gelu(Float4 x) => new(Gelu(x.X), Gelu(x.Y), Gelu(x.Z), Gelu(x.W));

    /// <summary>A <see cref="RowActivation"/>, element by element.</summary>
    public static Float4 Apply(Float4 x, int activation) =>
        new(Apply(x.X, activation), Apply(x.Y, activation), Apply(x.Z, activation), Apply(x.W, activation));

    /// <summary>A <see cref="RowActivation"/>.</summary>
    public static float Apply(float x, int activation)
    {
        if (activation == (int)RowActivation.Gelu)
            return Gelu(x);
        if (activation == (int)RowActivation.Relu)
            return XMath.Max(x, 0f);
        return activation == (int)RowActivation.Tanh ? Tanh(x) : x;
    }

    private static float Tanh(float x) => 1f - (2f / (1f + XMath.Exp2(XMath.Min(2 * Log2E * x, 64f))));

    /// <summary>sigmoid(a) tanh(b).</summary>
    /// <remarks>The clamp keeps the power finite; tanh is 1 to float32 beyond it.</remarks>
    public static float Gate(float a, float b)
    {
        float negative = XMath.Exp2(XMath.Min(-a * Log2E, 126f));
        return Tanh(b) / (1f + negative);
    }

    /// <summary>x (1 + erf(x / sqrt 2)) / 2.</summary>
    public static float Gelu(float x) => 0.5f * x * (1f + Erf(x * InverseSqrt2));

    /// <summary>Error function; absolute error below 4e-7 (Abramowitz and Stegun 7.1.26: 1.5e-7, and float32's rounding).</summary>
    public static float Erf(float x)
    {
        float z = XMath.Abs(x), t = 1f / (1f + (0.3275911f * z));
        float sum = t * (0.254829592f + (t * (-0.284496736f + (t * (1.421413741f + (t * (-1.453152027f + (t * 1.061405429f))))))));
        float erf = 1f - (sum * XMath.Exp2(-z * z * Log2E));
        return x < 0 ? -erf : erf;
    }
}
