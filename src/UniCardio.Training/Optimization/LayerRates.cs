using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Network;

namespace UniCardio.Training.Optimization;

/// <summary>How learning rates of layers follow their sensitivity.</summary>
public sealed record LayerRateOptions
{
    /// <summary>Power of a layer's sensitivity over the layers' geometric mean in its rate, -1 to 1: above 0 layers whose gradient is
    /// large move faster (as in surgical fine-tuning, Lee et al., arXiv 2210.11466), below 0 slower.</summary>
    public double Power { get; init; } = 0.5;

    /// <summary>Updates over which sensitivities are measured, all rates alike; at least 1.</summary>
    public int Updates { get; init; } = 50;

    /// <summary>Most that a rate is multiplied or divided by; above 1.</summary>
    public double Limit { get; init; } = 4;

    /// <summary>Checks the numbers.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">One is out of range; it is named.</exception>
    public LayerRateOptions Validate()
    {
        if (!(Power >= -1 && Power <= 1))
            throw new ConfigurationException("layer_rates", $"{Power} is not between -1 and 1");
        if (Updates < 1)
            throw new ConfigurationException("layer_rate_updates", $"{Updates} is below 1");
        return Limit > 1 && double.IsFinite(Limit) ? this
            : throw new ConfigurationException("layer_rate_limit", $"{Limit} is not a finite number above 1");
    }
}

/// <summary>Learning rates by layer from gradient sensitivity: the norm of a layer's gradient over that of its weights, measured over the
/// first updates.</summary>
/// <remarks>A layer is a map with its bias, or a norm. Factors are 1 until the measurement is done; they are functions of the summed
/// sensitivities, which a run keeps.</remarks>
internal sealed class LayerRates
{
    private readonly LayerRateOptions _options;
    private readonly WeightAndBias<ParameterSlice>[] _layers;

    // Sums over the updates measured, then how many those were.
    private readonly float[] _state;

    /// <summary>Nothing measured yet.</summary>
    /// <param name="layout">The parameters.</param>
    /// <param name="options">Its numbers.</param>
    /// <exception cref="ConfigurationException">A number is out of range.</exception>
    public LayerRates(ParameterLayout layout, LayerRateOptions options)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Validate();
        _layers = [.. layout.Network.Parts];
        _state = new float[_layers.Length + 1];
        Tensors = [.. _layers.SelectMany((layer, i) => new[] { (layer.Weight, i), (layer.Bias, i) })];
    }

    /// <summary>[layers + 1] summed sensitivities and the updates they are of: what a run keeps.</summary>
    public Memory<float> State => _state;

    /// <summary>Every tensor with its layer.</summary>
    public IReadOnlyList<(ParameterSlice Tensor, int Layer)> Tensors { get; }

    /// <summary>Layers.</summary>
    public int Count => _layers.Length;

    /// <summary>Takes in an update's gradient, while it is measured.</summary>
    /// <param name="parameters">[N] before the update.</param>
    /// <param name="gradients">[N].</param>
    public void Include(ReadOnlySpan<float> parameters, ReadOnlySpan<float> gradients)
    {
        if (_state[^1] >= _options.Updates)
            return;
        for (int i = 0; i < _layers.Length; i++)
        {
            double weights = Norm(_layers[i], parameters);
            if (weights > 0)
                _state[i] += (float)(Norm(_layers[i], gradients) / weights);
        }

        _state[^1]++;
    }

    /// <summary>[layers] what each layer's rate is multiplied by.</summary>
    public double[] Factors()
    {
        double[] factors = new double[_layers.Length];
        Array.Fill(factors, 1);
        double[] known = [.. _state.AsSpan(0, _layers.Length).ToArray().Where(x => x > 0).Select(x => Math.Log(x))];
        if (_state[^1] < _options.Updates || known.Length == 0)
            return factors;
        double mean = known.Average();
        for (int i = 0; i < factors.Length; i++)
        {
            // A layer without a gradient has none to be moved by.
            if (_state[i] > 0)
                factors[i] = Math.Clamp(Math.Exp(_options.Power * (Math.Log(_state[i]) - mean)), 1 / _options.Limit, _options.Limit);
        }

        return factors;
    }

    private static double Norm(WeightAndBias<ParameterSlice> layer, ReadOnlySpan<float> flat) =>
        Math.Sqrt(VectorSum.OfSquares(layer.Weight.Of(flat)) + VectorSum.OfSquares(layer.Bias.Of(flat)));
}
