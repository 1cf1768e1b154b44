using UniCardio.Engine;

namespace UniCardio.Training.Optimization;

/// <summary>How the learning rate runs after warm-up.</summary>
public enum LearningRateShape
{
    /// <summary>It stays.</summary>
    Constant,

    /// <summary>Times 0.1 at each of <see cref="LearningRateSchedule.Milestones"/>.</summary>
    Step,

    /// <summary>Half a cosine from 1 down to <see cref="LearningRateSchedule.Floor"/> (Loshchilov and Hutter, arXiv 1608.03983).</summary>
    Cosine,

    /// <summary>Constant, then down to <see cref="LearningRateSchedule.Floor"/> over the last <see cref="LearningRateSchedule.Cooldown"/>
    /// of the steps as 1 - sqrt(share) (Hägele et al., arXiv 2405.18392): the length of a run need not be known until it cools
    /// down.</summary>
    Trapezoid,
}

/// <summary>Learning rate as a function of the step: linear warm-up, then a shape.</summary>
public sealed record LearningRateSchedule
{
    /// <summary>The rate after warm-up; above 0. Published: 1e-3.</summary>
    public double Peak { get; init; } = 1e-3;

    /// <summary>The shape.</summary>
    public LearningRateShape Shape { get; init; } = LearningRateShape.Cosine;

    /// <summary>Steps of linear warm-up: step k of them has (k + 1) / warm-up of the rate. 0 for none.</summary>
    public long WarmupSteps { get; init; }

    /// <summary>Where cosine and trapezoid end, as a share of the peak, 0 to 1.</summary>
    public double Floor { get; init; } = 0.01;

    /// <summary>Share of the steps over which a trapezoid falls, above 0 and up to 1.</summary>
    public double Cooldown { get; init; } = 0.2;

    /// <summary>The rate of one step.</summary>
    /// <param name="step">0 to <paramref name="steps"/> - 1.</param>
    /// <param name="steps">Steps of the run.</param>
    public double At(long step, long steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        double rate = Peak * Factor(Math.Min(1, (double)step / steps));
        return step < WarmupSteps ? rate * (step + 1) / WarmupSteps : rate;
    }

    /// <summary>Where steps fall, as shares of the run. Published: 0.18 and 0.75; fine-tuning 0.75.</summary>
    public IReadOnlyList<double> Milestones { get; init; } = [0.18, 0.75];

    /// <summary>Checks the numbers.</summary>
    /// <returns>This schedule.</returns>
    /// <exception cref="ConfigurationException">One is out of range; it is named.</exception>
    public LearningRateSchedule Validate()
    {
        if (!(Peak > 0 && double.IsFinite(Peak)))
            throw new ConfigurationException("learning_rate", $"{Peak} is not a positive finite number");
        if (WarmupSteps < 0)
            throw new ConfigurationException("warmup_steps", $"{WarmupSteps} is negative");
        if (!(Floor >= 0 && Floor <= 1))
            throw new ConfigurationException("floor", $"{Floor} is not between 0 and 1");
        if (!(Cooldown > 0 && Cooldown <= 1))
            throw new ConfigurationException("cooldown", $"{Cooldown} is not above 0 and up to 1");
        if (!Milestones.All(m => m > 0 && m < 1))
            throw new ConfigurationException("milestones", $"{string.Join(", ", Milestones)} are not all between 0 and 1");
        return this;
    }

    private double Factor(double done) => Shape switch
    {
        LearningRateShape.Step => Math.Pow(0.1, Milestones.Count(m => done >= m)),
        LearningRateShape.Cosine => Floor + ((1 - Floor) * 0.5 * (1 + Math.Cos(Math.PI * done))),
        LearningRateShape.Trapezoid when done > 1 - Cooldown => Floor + ((1 - Floor) * (1 - Math.Sqrt((done - (1 - Cooldown)) / Cooldown))),
        _ => 1,
    };
}
