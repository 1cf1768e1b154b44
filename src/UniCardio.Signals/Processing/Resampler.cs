using System.Runtime.Intrinsics;
using MathNet.Numerics;

namespace UniCardio.Signals.Processing;

/// <summary>Polyphase resampling with a Kaiser-windowed sinc, aware of gaps.</summary>
/// <remarks>
/// With R the lower of the two rates, the filter passes 0 to 0.4 R within 0.001 dB and stops what lies above 0.5 R (and would fold) by at
/// least 80 dB; its response at 0.45 R is -6 dB. It is symmetric, so waves keep their place (zero delay), and reaches 26 / R seconds to
/// either side. Every phase's taps sum to one: a constant stays what it is.
/// <para>
/// Gaps do not smear. Each measured run is resampled as if it were the whole signal, continued beyond its two ends by point reflection
/// about its end samples (a trend continues as a trend, with no step). An output sample is measured where the two input samples about it
/// are measured (or the one it coincides with), else NaN: nothing is extrapolated into a gap. Only after the last input sample is one
/// continued, by less than an input period, so that the output lasts as long as the input does.
/// </para>
/// <para>
/// Two rates with a common ratio of small terms are met exactly, others by rounding each output instant (<see cref="RateRatio"/>). Memory
/// is at most 2^22 taps (32 MB) whatever the rates. Instances are immutable and may be shared between threads.
/// </para>
/// Source: J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974.
/// </remarks>
public sealed class Resampler
{
    /// <summary>Edge of the pass band as a fraction of the lower rate.</summary>
    public const double PassBand = 0.4;

    /// <summary>Edge of the stop band as a fraction of the lower rate.</summary>
    public const double StopBand = 0.5;

    /// <summary>Least attenuation of the stop band.</summary>
    public const double StopBandDecibels = 80;

    private const int HalfWidth = 26;
    private const int MaxPhases = 8192;
    private const int MaxTaps = 1 << 22;

    private readonly double[] _taps;
    private readonly int _before;
    private readonly int _tapsPerPhase;

    /// <summary>Designs the filter.</summary>
    /// <param name="inputRate">Rate of the input (Hz).</param>
    /// <param name="outputRate">Rate of the output (Hz), within 1/1024 to 1024 times <paramref name="inputRate"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A rate is out of range.</exception>
    public Resampler(double inputRate, double outputRate)
    {
        // Reach of the filter in input samples: more of them when the input is the faster one.
        double reach = HalfWidth * Math.Max(1, inputRate / outputRate);
        _before = double.IsFinite(reach) ? (int)Math.Min(Math.Ceiling(reach), HalfWidth * 1024) : 1;
        _tapsPerPhase = 2 * _before;
        Ratio = RateRatio.Between(inputRate, outputRate, Math.Clamp(MaxTaps / _tapsPerPhase, 1, MaxPhases));
        InputRate = inputRate;
        OutputRate = outputRate;
        IsIdentity = Ratio is { Up: 1, Down: 1, IsExact: true };
        _taps = IsIdentity ? [] : Design(Ratio.Up, _before, Math.Min(1, outputRate / inputRate));
    }

    /// <summary>Rate of the input (Hz).</summary>
    public double InputRate { get; }

    /// <summary>Rate of the output (Hz).</summary>
    public double OutputRate { get; }

    /// <summary>Their ratio.</summary>
    public RateRatio Ratio { get; }

    /// <summary>Whether the rates are the same, so that samples are copied.</summary>
    public bool IsIdentity { get; }

    /// <summary>Input samples that the filter reaches to either side of an output instant.</summary>
    internal int Reach => _before;

    /// <summary>Output samples for an input of <paramref name="inputLength"/>: those that begin within its duration, ceil(n out /
    /// in).</summary>
    /// <param name="inputLength">Input samples.</param>
    /// <exception cref="SignalException">The output would exceed what an array can hold.</exception>
    public int OutputLength(int inputLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(inputLength);
        long length = Ratio.OutputLength(inputLength);
        return length <= Array.MaxLength
            ? (int)length
            : throw new SignalException(
                $"{inputLength} samples at {InputRate} Hz would become {length} at {OutputRate} Hz; at most {Array.MaxLength} "
                + $"are possible.");
    }

    /// <summary>Resamples a signal.</summary>
    /// <param name="input">The signal at the input rate, [n], NaN where missing.</param>
    /// <param name="cancellation">Stops the work between stretches of output.</param>
    /// <returns>The signal at the output rate, [<see cref="OutputLength"/>], NaN where missing.</returns>
    /// <exception cref="SignalException">The output would exceed what an array can hold.</exception>
    public float[] Resample(ReadOnlySpan<float> input, CancellationToken cancellation = default)
    {
        if (IsIdentity)
            return input.ToArray();
        var output = new float[OutputLength(input.Length)];
        Array.Fill(output, float.NaN);
        double[] stretch = [];
        foreach (SampleRange run in GapFinder.FindMeasured(input))
            ResampleRun(input, run, output, ref stretch, cancellation);
        return output;
    }

    private void ResampleRun(ReadOnlySpan<float> input, SampleRange run, float[] output, ref double[] stretch,
        CancellationToken cancellation)
    {
        // Output instants from the run's first sample to its last; to the end of the last one's period at the end of the input.
        long firstPhase = (long)run.Start * Ratio.Up;
        long lastPhase = run.End == input.Length ? (long)run.End * Ratio.Up - 1 : (long)(run.End - 1) * Ratio.Up;
        int next = FirstOutputFrom(firstPhase, output.Length);
        int end = FirstOutputFrom(lastPhase + 1, output.Length);

        const int Stretch = 16384;
        while (next < end)
        {
            cancellation.ThrowIfCancellationRequested();
            int from = (int)(Ratio.PhasesAt(next) / Ratio.Up) - _before + 1;
            int stop = Math.Min(end, next + Math.Max(1, (int)Math.Min(end, Stretch * (double)OutputRate / InputRate)));
            int to = (int)(Ratio.PhasesAt(stop - 1) / Ratio.Up) + _before + 1;
            if (stretch.Length < to - from)
                stretch = new double[to - from];
            Continue(input.Slice(run.Start, run.Length), from - run.Start, stretch.AsSpan(0, to - from));
            for (; next < stop; next++)
            {
                long phases = Ratio.PhasesAt(next);
                int at = (int)(phases / Ratio.Up) - _before + 1 - from;
                int phase = (int)(phases % Ratio.Up);
                output[next] = (float)Dot(stretch.AsSpan(at, _tapsPerPhase), _taps.AsSpan(phase * _tapsPerPhase, _tapsPerPhase));
            }
        }
    }

    /// <summary>One output sample of a run, by the same arithmetic as <see cref="Resample"/>.</summary>
    /// <param name="run">The run, or its samples from within 2 reaches + 2 of its end on.</param>
    /// <param name="runStart">Input sample that <paramref name="run"/> starts at.</param>
    /// <param name="output">Output sample; the filter reaches beyond <paramref name="run"/> only where the run itself begins or
    /// ends.</param>
    /// <param name="scratch">[2 reaches].</param>
    internal float ResampleAt(ReadOnlySpan<float> run, long runStart, long output, Span<double> scratch)
    {
        long phases = Ratio.PhasesAt(output);
        Continue(run, (int)(phases / Ratio.Up - runStart) - _before + 1, scratch);
        return (float)Dot(scratch, _taps.AsSpan((int)(phases % Ratio.Up) * _tapsPerPhase, _tapsPerPhase));
    }

    private int FirstOutputFrom(long phases, int length)
    {
        int low = 0, high = length;
        while (low < high)
        {
            int middle = (int)(((long)low + high) / 2);
            if (Ratio.PhasesAt(middle) >= phases)
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }

    // Samples from..from + n - 1 of the run's continuation by point reflection about both ends, which is periodic in 2 (length - 1) but for
    // a linear trend. The first reflection at either end depends on nothing beyond it, so a run that still continues has the same one.
    private static void Continue(ReadOnlySpan<float> run, int from, Span<double> stretch)
    {
        int last = run.Length - 1;
        if (from >= 0 && from + stretch.Length <= run.Length)
        {
            ReadOnlySpan<float> inside = run.Slice(from, stretch.Length);
            for (int i = 0; i < stretch.Length; i++)
                stretch[i] = inside[i];
            return;
        }
        double rise = (double)run[last] - run[0];
        for (int i = 0; i < stretch.Length; i++)
        {
            int at = from + i;
            if (at >= 0 && at <= last)
            {
                stretch[i] = run[at];
            }
            else if (last == 0)
            {
                stretch[i] = run[0];
            }
            else if (at < 0 && -at <= last)
            {
                stretch[i] = 2.0 * run[0] - run[-at];
            }
            else if (at > last && at <= 2 * last)
            {
                stretch[i] = 2.0 * run[last] - run[2 * last - at];
            }
            else
            {
                (int turns, int into) = (Math.DivRem(at, last).Quotient, Math.DivRem(at, last).Remainder);
                if (into < 0)
                    (turns, into) = (turns - 1, into + last);
                stretch[i] = (turns & 1) == 0
                    ? run[into] + turns * rise
                    : 2.0 * run[last] - run[last - into] + (turns - 1) * rise;
            }
        }
    }

    // Four lanes on every machine, whatever its vectors hold, and no fused products: the same sum everywhere.
    private static double Dot(ReadOnlySpan<double> samples, ReadOnlySpan<double> taps)
    {
        Vector256<double> lanes = Vector256<double>.Zero;
        int i = 0;
        for (; i <= taps.Length - 4; i += 4)
            lanes += Vector256.Create(samples.Slice(i, 4)) * Vector256.Create(taps.Slice(i, 4));
        double sum = lanes[0] + lanes[1] + (lanes[2] + lanes[3]);
        for (; i < taps.Length; i++)
            sum += samples[i] * taps[i];
        return sum;
    }

    // taps[phase, k]: k counts input samples from before - 1 ahead of the output instant's whole part. bandwidth = lower rate / input rate.
    private static double[] Design(int phases, int before, double bandwidth)
    {
        const double Beta = 0.1102 * (StopBandDecibels - 8.7);
        double cutoff = (PassBand + StopBand) * bandwidth;
        double reach = HalfWidth / bandwidth;
        int count = 2 * before;
        double edge = SpecialFunctions.BesselI0(Beta);
        var taps = new double[phases * count];
        for (int phase = 0; phase < phases; phase++)
        {
            Span<double> row = taps.AsSpan(phase * count, count);
            double sum = 0;
            for (int k = 0; k < count; k++)
            {
                double distance = k - (before - 1) - (double)phase / phases;
                double u = distance / reach;
                row[k] = u * u >= 1 ? 0
                    : cutoff * Trig.Sinc(cutoff * distance) * SpecialFunctions.BesselI0(Beta * Math.Sqrt(1 - u * u)) / edge;
                sum += row[k];
            }
            for (int k = 0; k < count; k++)
                row[k] /= sum;
        }
        return taps;
    }
}
