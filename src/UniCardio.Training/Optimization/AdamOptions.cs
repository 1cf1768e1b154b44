using UniCardio.Engine;

namespace UniCardio.Training.Optimization;

/// <summary>Where weight decay enters.</summary>
public enum WeightDecayKind
{
    /// <summary>Added to the gradient as d p, so that the moments see it (Adam with L2, as published for UniCardio).</summary>
    L2,

    /// <summary>p shrinks by the learning rate times d beside the update (AdamW; Loshchilov and Hutter, arXiv 1711.05101); only maps and
    /// convolutions, not biases and norms.</summary>
    Decoupled,
}

/// <summary>Numbers of <see cref="Adam"/>.</summary>
public sealed record AdamOptions
{
    /// <summary>Decay of the mean of gradients, 0 to below 1.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the mean of squared gradients, 0 to below 1.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the mean squared gradient; above 0.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Weight decay, 0 and up. Published: 1e-6.</summary>
    public double WeightDecay { get; init; } = 1e-6;

    /// <summary>Where weight decay enters.</summary>
    public WeightDecayKind Decay { get; init; } = WeightDecayKind.L2;

    /// <summary>Gradients whose Euclidean norm over all parameters is larger are scaled down to it; infinity for no clipping.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Checks the numbers.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">One is out of range; it is named.</exception>
    public AdamOptions Validate()
    {
        if (!(Beta1 >= 0 && Beta1 < 1))
            throw new ConfigurationException("beta1", $"{Beta1} is not from 0 to below 1");
        if (!(Beta2 >= 0 && Beta2 < 1))
            throw new ConfigurationException("beta2", $"{Beta2} is not from 0 to below 1");
        if (!(Epsilon > 0 && double.IsFinite(Epsilon)))
            throw new ConfigurationException("epsilon", $"{Epsilon} is not a positive finite number");
        if (!(WeightDecay >= 0 && double.IsFinite(WeightDecay)))
            throw new ConfigurationException("weight_decay", $"{WeightDecay} is not a finite number from 0 on");
        if (!(ClipNorm > 0))
            throw new ConfigurationException("clip_norm", $"{ClipNorm} is not above 0");
        return this;
    }
}
