namespace UniCardio.Signals.Processing;

/// <summary>
/// The ratio of two sample rates, output / input = Up / Down, in lowest terms where the rates have such terms of reasonable size.
/// </summary>
/// <remarks>
/// Rates that hold no such ratio (or one beyond the largest terms) are not rounded to one, which would let the output drift away from the
/// input with time. Instead each output instant is rounded on its own to 1 / <see cref="Up"/> of an input sample: the error never exceeds
/// half of that and does not grow.
/// </remarks>
public readonly record struct RateRatio
{
    private readonly double _step;

    private RateRatio(int up, int down, double step, bool isExact)
    {
        Up = up;
        Down = down;
        _step = step;
        IsExact = isExact;
    }

    /// <summary>Positions between two input samples that an output sample can take: the phases of the filter.</summary>
    public int Up { get; }

    /// <summary>Phases from one output sample to the next (rounded if not <see cref="IsExact"/>).</summary>
    public int Down { get; }

    /// <summary>Whether the ratio of the rates is Up / Down to within 1e-12.</summary>
    public bool IsExact { get; }

    /// <summary>Largest error of an output instant, in input samples.</summary>
    public double TimingError => IsExact ? 0 : 0.5 / Up;

    /// <summary>The ratio of two rates.</summary>
    /// <param name="inputRate">Rate of the input (Hz), finite and above 0.</param>
    /// <param name="outputRate">Rate of the output (Hz), finite and above 0.</param>
    /// <param name="maxUp">Most phases allowed, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A rate is out of range, or the output rate is not within 1/1024 to 1024 times the
    /// input rate.</exception>
    public static RateRatio Between(double inputRate, double outputRate, int maxUp)
    {
        RequireRate(inputRate, nameof(inputRate));
        RequireRate(outputRate, nameof(outputRate));
        ArgumentOutOfRangeException.ThrowIfLessThan(maxUp, 1);
        double step = inputRate / outputRate;
        if (step is not (>= 1.0 / 1024 and <= 1024))
            throw new ArgumentOutOfRangeException(nameof(outputRate), outputRate,
                $"Expected 1/1024 to 1024 times the input's {inputRate} Hz.");

        // Continued fraction of the step Down / Up.
        double rest = step;
        (long down, long up) = (1, 0);
        (long downBefore, long upBefore) = (0, 1);
        for (int term = 0; term < 64; term++)
        {
            double whole = Math.Floor(rest);
            if (whole * up + upBefore > maxUp)
                break;
            (down, downBefore) = ((long)whole * down + downBefore, down);
            (up, upBefore) = ((long)whole * up + upBefore, up);
            if (Math.Abs((double)down / up - step) <= 1e-12 * step)
                return new RateRatio((int)up, (int)down, step, true);
            rest = 1 / (rest - whole);
        }
        return new RateRatio(maxUp, (int)Math.Round(step * maxUp), step, false);
    }

    /// <summary>Output samples that begin within the duration of <paramref name="inputLength"/> input samples.</summary>
    /// <param name="inputLength">Input samples.</param>
    public long OutputLength(long inputLength) => IsExact
        ? (inputLength * Up + Down - 1) / Down
        : (long)Math.Ceiling(inputLength / _step);

    /// <summary>Where an output sample lies, in phases (1 / <see cref="Up"/> of an input sample) from the first input sample.</summary>
    /// <param name="output">Output sample.</param>
    public long PhasesAt(long output) => IsExact ? output * Down : (long)Math.Round(output * _step * Up);

    private static void RequireRate(double rate, string parameter)
    {
        if (!double.IsFinite(rate) || rate <= 0)
            throw new ArgumentOutOfRangeException(parameter, rate, "A sample rate is finite and above 0 Hz.");
    }
}
