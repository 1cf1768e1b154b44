using UniCardio.Engine.Model;

namespace UniCardio.Engine.Sessions;

/// <summary>A condition sample that is NaN or infinite. Missing samples are written as -1 in scaled units, not as NaN.</summary>
public sealed class ConditionValueException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="window">Window of the batch.</param>
    /// <param name="condition">The condition's modality.</param>
    /// <param name="sample">Sample of the window.</param>
    /// <param name="value">What is there.</param>
    public ConditionValueException(int window, Modality condition, int sample, float value)
        : base(
            $"window {window}, condition {condition.Name()}, sample {sample}: {value} is not a finite number; write missing samples as "
            + $"-1 in scaled units")
    {
        Window = window;
        Condition = condition;
        Sample = sample;
        Value = value;
    }

    /// <summary>Window of the batch.</summary>
    public int Window { get; }

    /// <summary>The condition's modality.</summary>
    public Modality Condition { get; }

    /// <summary>Sample of the window.</summary>
    public int Sample { get; }

    /// <summary>What is there.</summary>
    public float Value { get; }
}

/// <summary>A run whose state became NaN or infinite. Nothing of its result is handed out.</summary>
public sealed class NonFiniteResultException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="window">Window of the batch.</param>
    /// <param name="draw">Draw of the window.</param>
    /// <param name="step">Row of the sampler's table after which the state was not finite, or -1 for the initial noise.</param>
    /// <param name="t">Diffusion step of that row, or -1.</param>
    /// <param name="sample">Sample of the window.</param>
    public NonFiniteResultException(int window, int draw, int step, int t, int sample)
        : base(
            $"window {window}, draw {draw}, sample {sample}: the state is not finite after step {step} (t = {t}); the conditions or the "
            + $"weights are far outside what the model was made for, or the sampler's steps are too few for it")
    {
        Window = window;
        Draw = draw;
        Step = step;
        T = t;
        Sample = sample;
    }

    /// <summary>Window of the batch.</summary>
    public int Window { get; }

    /// <summary>Draw of the window.</summary>
    public int Draw { get; }

    /// <summary>Row of the sampler's table, from 0; -1 for the initial noise.</summary>
    public int Step { get; }

    /// <summary>Diffusion step of that row.</summary>
    public int T { get; }

    /// <summary>Sample of the window.</summary>
    public int Sample { get; }
}
