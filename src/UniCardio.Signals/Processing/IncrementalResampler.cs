namespace UniCardio.Signals.Processing;

/// <summary>A <see cref="Resampler"/> for a signal that arrives piece by piece; its output is that of <see cref="Resampler.Resample"/>, bit
/// for bit.</summary>
/// <remarks>
/// An output sample is final, and comes out, once <see cref="Reach"/> input samples after it are known or a gap has shown where its run
/// ends. Not for use by several threads at once. Nothing is allocated after construction.
/// </remarks>
internal sealed class IncrementalResampler
{
    private readonly float[] _tail;
    private readonly double[] _scratch;
    private readonly int _kept;
    private int _tailLength;
    private long _tailStart;
    private bool _isInRun;

    /// <summary>Starts at input sample 0.</summary>
    /// <param name="resampler">The filter; may be shared.</param>
    public IncrementalResampler(Resampler resampler)
    {
        ArgumentNullException.ThrowIfNull(resampler);
        Resampler = resampler;
        // What the next output can still need of a run: a reach before it, and as much again that is known but waits for its own reach.
        _kept = 2 * resampler.Reach + 2;
        _tail = new float[resampler.IsIdentity ? 0 : 2 * _kept];
        _scratch = new double[resampler.IsIdentity ? 0 : 2 * resampler.Reach];
    }

    /// <summary>The filter.</summary>
    public Resampler Resampler { get; }

    /// <summary>Input samples taken, which is the index of the next one.</summary>
    public long Received { get; private set; }

    /// <summary>Output samples given out, which is the index of the next one.</summary>
    public long Produced { get; private set; }

    /// <summary>Input samples after an output sample that must be known; 0 where the rates are the same.</summary>
    public int Reach => Resampler.IsIdentity ? 0 : Resampler.Reach;

    /// <summary>Most output samples that a push of <paramref name="inputLength"/>, or <see cref="Complete"/> with 0, gives out.</summary>
    /// <param name="inputLength">Input samples.</param>
    public int MaxOutput(int inputLength) =>
        checked((int)Math.Ceiling((inputLength + Reach + 1.0) * Resampler.OutputRate / Resampler.InputRate) + 2);

    /// <summary>Forgets everything and continues at an input sample as though all before it were missing.</summary>
    /// <param name="firstInput">Index of the next input sample, 0 or more.</param>
    public void Restart(long firstInput = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstInput);
        Received = firstInput;
        _isInRun = false;
        long low = 0, high = Resampler.IsIdentity ? 0 : (long)((firstInput + 1.0) * Resampler.OutputRate / Resampler.InputRate) + 2;
        while (low < high)
        {
            long middle = (low + high) / 2;
            if (Resampler.Ratio.PhasesAt(middle) >= firstInput * Resampler.Ratio.Up)
                high = middle;
            else
                low = middle + 1;
        }
        Produced = Resampler.IsIdentity ? firstInput : low;
    }

    /// <summary>Takes input and gives out what has become final.</summary>
    /// <param name="input">The next samples, NaN where missing.</param>
    /// <param name="output">Where to put output samples; <see cref="MaxOutput"/> is always enough.</param>
    /// <returns>How many were given out.</returns>
    /// <exception cref="ArgumentException"><paramref name="output"/> is too short; the resampler must not be used further.</exception>
    public int Push(ReadOnlySpan<float> input, Span<float> output)
    {
        if (Resampler.IsIdentity)
        {
            Require(output.Length >= input.Length);
            input.CopyTo(output);
            Received += input.Length;
            Produced += input.Length;
            return input.Length;
        }

        int count = 0;
        while (input.Length > 0)
        {
            bool measured = !float.IsNaN(input[0]);
            int length = 1;
            while (length < input.Length && !float.IsNaN(input[length]) == measured)
                length++;
            count += measured ? TakeMeasured(input[..length], output[count..]) : TakeMissing(length, output[count..]);
            input = input[length..];
        }
        return count;
    }

    /// <summary>Ends the signal: gives out the rest, as far as the input lasts.</summary>
    /// <param name="output">Where to put output samples; <see cref="MaxOutput"/> of 0 is always enough.</param>
    /// <returns>How many were given out. <see cref="Restart"/> is the only way on.</returns>
    public int Complete(Span<float> output)
    {
        if (Resampler.IsIdentity)
            return 0;
        int count = _isInRun ? Emit((Received * Resampler.Ratio.Up) - 1, output) : 0;
        _isInRun = false;
        // An uncommon ratio rounds its instants: the last one may fall just after the input, where nothing is measured.
        return count + EmitMissing(long.MaxValue, LengthOf(Received), output[count..]);
    }

    private int TakeMeasured(ReadOnlySpan<float> samples, Span<float> output)
    {
        int count = 0;
        if (!_isInRun)
        {
            _isInRun = true;
            _tailStart = Received;
            _tailLength = 0;
        }
        while (samples.Length > 0)
        {
            MakeRoom();
            int taken = Math.Min(samples.Length, _tail.Length - _tailLength);
            samples[..taken].CopyTo(_tail.AsSpan(_tailLength));
            _tailLength += taken;
            Received += taken;
            samples = samples[taken..];
            count += Emit(((Received - Resampler.Reach) * Resampler.Ratio.Up) - 1, output[count..]);
        }
        return count;
    }

    private int TakeMissing(int length, Span<float> output)
    {
        int count = _isInRun ? Emit((Received - 1) * Resampler.Ratio.Up, output) : 0;
        _isInRun = false;
        Received += length;
        return count + EmitMissing((Received * Resampler.Ratio.Up) - 1, long.MaxValue, output[count..]);
    }

    // Outputs of the run up to an instant, in phases.
    private int Emit(long lastPhase, Span<float> output)
    {
        int count = 0;
        for (; Resampler.Ratio.PhasesAt(Produced) <= lastPhase; Produced++)
        {
            Require(count < output.Length);
            output[count++] = Resampler.ResampleAt(_tail.AsSpan(0, _tailLength), _tailStart, Produced, _scratch);
        }
        return count;
    }

    private int EmitMissing(long lastPhase, long length, Span<float> output)
    {
        int count = 0;
        for (; Produced < length && Resampler.Ratio.PhasesAt(Produced) <= lastPhase; Produced++)
        {
            Require(count < output.Length);
            output[count++] = float.NaN;
        }
        return count;
    }

    private void MakeRoom()
    {
        if (_tailLength < _tail.Length)
            return;
        int dropped = _tailLength - _kept;
        _tail.AsSpan(dropped, _kept).CopyTo(_tail);
        _tailLength = _kept;
        _tailStart += dropped;
    }

    private long LengthOf(long inputLength) => Resampler.Ratio.OutputLength(inputLength);

    private static void Require(bool isRoom)
    {
        if (!isRoom)
            throw new ArgumentException("The output is too short for what has become final; expected MaxOutput of the input.");
    }
}
