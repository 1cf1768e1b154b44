using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Model;

/// <summary>A map y = W x + b in double. A LayerNorm's gamma and beta are one of depth 1: a gain and an offset a channel.</summary>
/// <param name="Weight">[outputs, inputs].</param>
/// <param name="Bias">[outputs].</param>
public sealed record LinearMap(double[] Weight, double[] Bias)
{
    /// <summary>No outputs: what stands for a map that was folded into others.</summary>
    public static LinearMap None { get; } = new([], []);

    /// <summary>Columns of the weight.</summary>
    public int Inputs => Bias.Length == 0 ? 0 : Weight.Length / Bias.Length;

    /// <summary>Rows of the weight.</summary>
    public int Outputs => Bias.Length;

    /// <summary>A copy of two tensors in double.</summary>
    public static LinearMap Of(WeightAndBias<ParameterTensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return new(Widen(tensors.Weight.Span), Widen(tensors.Bias.Span));
    }

    /// <summary>A map given element by element.</summary>
    /// <param name="outputs">Rows of the weight.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="weight">Element (output, input).</param>
    /// <param name="bias">Element (output).</param>
    public static LinearMap Of(int outputs, int inputs, Func<int, int, double> weight, Func<int, double> bias)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(bias);
        var map = new LinearMap(new double[outputs * inputs], new double[outputs]);
        for (int i = 0; i < map.Weight.Length; i++)
            map.Weight[i] = weight(i / inputs, i % inputs);
        for (int n = 0; n < outputs; n++)
            map.Bias[n] = bias(n);
        return map;
    }

    /// <summary>y = x W^T + b for rows of x.</summary>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="y">[rows, outputs].</param>
    public void Forward(ReadOnlySpan<double> x, Span<double> y) => ReferenceLinear.Forward(x, Weight, Bias, y, Inputs);

    /// <summary>The same for only some of the outputs, e.g. the keys' third of an attention's first map.</summary>
    /// <param name="firstOutput">First row of the weight.</param>
    /// <param name="outputs">Number of rows.</param>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="y">[rows, <paramref name="outputs"/>].</param>
    public void Forward(int firstOutput, int outputs, ReadOnlySpan<double> x, Span<double> y) =>
        ReferenceLinear.Forward(x, Weight.AsSpan(firstOutput * Inputs, outputs * Inputs), Bias.AsSpan(firstOutput, outputs), y, Inputs);

    /// <summary>LayerNorm of rows, in place, with the network's epsilon; this holds gamma and beta.</summary>
    /// <param name="x">[rows, outputs].</param>
    public void Normalize(Span<double> x) => ReferenceLayerNorm.Forward(x, Weight, Bias, ModelConfiguration.LayerNormEpsilon, x);

    /// <summary>The map with every weight multiplied by a factor of its row and column; the bias stays.</summary>
    /// <param name="factor">Of (output, input).</param>
    public LinearMap Scale(Func<int, int, double> factor)
    {
        ArgumentNullException.ThrowIfNull(factor);
        int inputs = Inputs;
        double[] scaled = new double[Weight.Length];
        for (int n = 0; n < Outputs; n++)
        {
            for (int k = 0; k < inputs; k++)
                scaled[(n * inputs) + k] = Weight[(n * inputs) + k] * factor(n, k);
        }

        return this with { Weight = scaled };
    }

    /// <summary>The map with a bias of zeros.</summary>
    public LinearMap WithoutBias() => this with { Bias = new double[Outputs] };

    private static double[] Widen(ReadOnlySpan<float> source)
    {
        double[] wide = new double[source.Length];
        for (int i = 0; i < wide.Length; i++)
            wide[i] = source[i];
        return wide;
    }
}
