using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Patient;

/// <summary>A linear filter from other signals of the patient to one of them, fitted by ridge regression about a gap.</summary>
/// <remarks>
/// Taps lie 16 ms apart (at 125 Hz) about the delay between the two signals: 0.4 s to both sides for pulse waves, 0.4 s before to 0.8 s
/// after for a pulse driven by an ECG. Inputs are centred and divided by their standard deviation; the ridge is 1e-3 of the rows (Hoerl and
/// Kennard 1970). rows taps^2 / 2 multiply-adds: 60 million for two sources and 2 minutes.
/// </remarks>
internal sealed class RidgeFir
{
    private const double Ridge = 1e-3;
    private const int Step = 2, RowStep = 2;

    private readonly Input[] _inputs;
    private readonly double[] _taps;
    private readonly double _mean;

    private RidgeFir(Input[] inputs, double[] taps, double mean)
    {
        _inputs = inputs;
        _taps = taps;
        _mean = mean;
    }

    // Output at t hears input at t - lag.
    private sealed record Input(ChannelKind Kind, int[] Lags, double Mean, double Scale);

    /// <summary>Fits the filter; null where too little is measured together.</summary>
    /// <param name="signals">The signals.</param>
    /// <param name="target">The signal to make; samples that are missing take no part.</param>
    /// <param name="sources">The signals to make it from.</param>
    /// <param name="context">Where to fit.</param>
    public static RidgeFir? Fit(PatientSignals signals, ChannelKind target, IReadOnlyList<ChannelKind> sources, SampleRange context)
    {
        ArgumentNullException.ThrowIfNull(signals);
        ArgumentNullException.ThrowIfNull(sources);
        var inputs = new List<Input>();
        foreach (ChannelKind source in sources)
        {
            BeatDelay? delay =
                BeatDelay.Between(signals.BeatsOf(source), signals.BeatsOf(target), BeatDelay.Usual(source, target, signals.SampleRate));
            double from = -0.4, to = source == ChannelKind.Ecg && target != ChannelKind.Ecg ? 0.8 : 0.4, center = delay?.Median ?? 0;
            int low = (int)Math.Round(center + (from * signals.SampleRate)), high = (int)Math.Round(center + (to * signals.SampleRate));
            int[] lags = [.. Enumerable.Range(0, ((high - low) / Step) + 1).Select(i => low + (i * Step))];
            if (SignalMoments.Of(signals[source].Slice(context.Start, context.Length)) is { Deviation: > 0 } moments)
                inputs.Add(new Input(source, lags, moments.Mean, moments.Deviation));
        }

        return inputs.Count == 0 ? null : Solve(signals, target, [.. inputs], context);
    }

    private static RidgeFir? Solve(PatientSignals signals, ChannelKind target, Input[] inputs, SampleRange context)
    {
        int n = inputs.Sum(i => i.Lags.Length);
        ReadOnlySpan<float> truth = signals[target];
        double mean = SignalMoments.Of(truth.Slice(context.Start, context.Length))?.Mean ?? 0;
        var gram = new double[n * n];
        var right = new double[n];
        var row = new double[n];
        int rows = 0;
        for (int t = context.Start; t < context.End; t += RowStep)
        {
            if (float.IsNaN(truth[t]) || !Row(signals, inputs, t, row))
                continue;
            rows++;
            double y = truth[t] - mean;
            for (int i = 0; i < n; i++)
            {
                Span<double> line = gram.AsSpan(i * n, i + 1);
                TensorPrimitives.MultiplyAdd(row.AsSpan(0, i + 1), row[i], line, line);
                right[i] += row[i] * y;
            }
        }

        if (rows < 2 * n)
            return null;
        Matrix<double> matrix =
            Matrix<double>.Build.Dense(n, n, (i, j) => (i >= j ? gram[(i * n) + j] : gram[(j * n) + i]) + (i == j ? Ridge * rows : 0));
        double[] taps = [.. matrix.Cholesky().Solve(Vector<double>.Build.Dense(right))];
        return new RidgeFir(inputs, taps, mean);
    }

    private static bool Row(PatientSignals signals, Input[] inputs, int t, double[] row)
    {
        int at = 0;
        foreach (Input input in inputs)
        {
            ReadOnlySpan<float> signal = signals[input.Kind];
            int[] lags = input.Lags;
            if (t - lags[^1] < 0 || t - lags[0] >= signal.Length)
                return false;
            foreach (int lag in lags)
            {
                float x = signal[t - lag];
                if (float.IsNaN(x))
                    return false;
                row[at++] = (x - input.Mean) / input.Scale;
            }
        }

        return true;
    }

    /// <summary>Runs the filter.</summary>
    /// <param name="signals">The signals.</param>
    /// <param name="stretch">Where.</param>
    /// <param name="wave">[stretch] the result; NaN where an input is missing.</param>
    public void Render(PatientSignals signals, SampleRange stretch, Span<double> wave)
    {
        var row = new double[_taps.Length];
        for (int t = stretch.Start; t < stretch.End; t++)
            wave[t - stretch.Start] = Row(signals, _inputs, t, row) ? _mean + TensorPrimitives.Dot<double>(row, _taps) : double.NaN;
    }
}
