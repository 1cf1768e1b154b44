using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Sessions;

public sealed partial class InferenceSession
{
    private readonly RowFactory _estimateRows;
    private float[]? _estimateState;
    private float[]? _estimateClean;

    /// <summary>
    /// Estimates the clean signal from a measurement of it, y = x0 + s z with white Gaussian z: E[x0 | y, conditions], in one or two
    /// evaluations of the network and without drawing anything.
    /// </summary>
    /// <remarks>
    /// A noisy measurement is a state of the diffusion: alpha_t y at the step t whose noise is the measurement's
    /// (<see cref="SamplerStep"/>'s x0 there, mixed between the two nearest t). Sampling, in contrast, starts from noise and sees the
    /// measurement only as a condition. The squared error of the mean is the least that the network knows how to reach; the sampler of this
    /// session plays no part. Source: Tweedie's formula (Efron 2011); denoisers as priors, Kadkhodaie and Simoncelli, arXiv 2007.13640.
    /// </remarks>
    /// <param name="conditions">[W, conditions, S] scaled samples, conditions in the plan's order; finite. In restoration the measurement
    /// is one of them.</param>
    /// <param name="measured">[W, S] y in scaled units; finite.</param>
    /// <param name="noiseLevel">s in scaled units, 0 or more, the same for all windows of the run. 0 gives y back.</param>
    /// <param name="results">[W, S] the estimates in scaled units; apart from <paramref name="measured"/> in memory.</param>
    /// <param name="cancellation">Looked at before every evaluation.</param>
    /// <returns>Evaluations of the network, 0 to 2.</returns>
    /// <exception cref="ArgumentException">A length is not what the plan says, or a measured sample is not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="noiseLevel"/> is negative or not finite.</exception>
    /// <exception cref="ConditionValueException">A condition sample is not finite.</exception>
    /// <exception cref="NonFiniteResultException">An estimate became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="InvalidOperationException">The session has several draws a window, or is running on another thread.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public int Estimate(
        ReadOnlySpan<float> conditions,
        ReadOnlySpan<float> measured,
        double noiseLevel,
        Span<float> results,
        CancellationToken cancellation = default)
    {
        if (Plan.Draws != 1)
            throw new InvalidOperationException($"an estimate draws nothing: it needs a session of one draw a window, not {Plan.Draws}");
        if (Plan.Configuration.Prediction == Model.PredictionKind.Correction)
            throw new InvalidOperationException("weights that correct proposals predict no clean signal and estimate nothing");
        if (!(noiseLevel >= 0 && double.IsFinite(noiseLevel)))
            throw new ArgumentOutOfRangeException(nameof(noiseLevel), noiseLevel,
                "the standard deviation of the noise is a finite number, 0 or more");
        CheckLengths(conditions, results);
        if (measured.Length != Plan.StateSamples)
            throw new ArgumentException(
                $"{measured.Length} samples, expected [{Plan.Windows} windows, {Plan.Configuration.SlotSamples} samples] = "
                + $"{Plan.StateSamples}", nameof(measured));
        Enter();
        RunMeasurement measurement = RunMeasurement.Start(_labels);
        try
        {
            CheckConditions(conditions);
            CheckMeasured(measured);
            return Estimate(conditions, measured, MeasurementNode.Of(_estimateRows.Schedule, noiseLevel), results, ref measurement,
                cancellation);
        }
        catch (Exception error) when (measurement.Failed(error))
        {
            throw;
        }
        finally
        {
            measurement.Stop();
            Exit();
        }
    }

    private int Estimate(
        ReadOnlySpan<float> conditions,
        ReadOnlySpan<float> measured,
        MeasurementNode node,
        Span<float> results,
        ref RunMeasurement measurement,
        CancellationToken cancellation)
    {
        if (node.Pull == 0)
        {
            measured.CopyTo(results);
            return 0;
        }

        _executor.SetConditions(conditions);
        results.Clear();
        Add(measured, node.High, node.Share, results, ref measurement, cancellation);
        if (node.Share < 1)
            Add(measured, node.Low, 1 - node.Share, results, ref measurement, cancellation);
        if (node.Pull < 1)
        {
            for (int i = 0; i < results.Length; i++)
                results[i] = (float)(measured[i] + (node.Pull * (results[i] - measured[i])));
        }

        return node.Share < 1 ? 2 : 1;
    }

    // results += share E[x0 | x_t = alpha_t y].
    private void Add(ReadOnlySpan<float> measured, int t, double share, Span<float> results, ref RunMeasurement measurement,
        CancellationToken cancellation)
    {
        CheckGoingOn(cancellation);
        _estimateState ??= new float[Plan.StateSamples];
        _estimateClean ??= new float[Plan.StateSamples];
        float alpha = (float)_estimateRows.Schedule.Alpha[t], weight = (float)share;
        for (int i = 0; i < measured.Length; i++)
            _estimateState[i] = alpha * measured[i];
        // The clean signal itself becomes the state: no weight on x, no noise, no history.
        SamplerStep row = _estimateRows.Row(t, state: 0, clean0: 1);
        measurement.BeginStep();
        _executor.SetState(_estimateState);
        _executor.Step(in row, default);
        _executor.GetState(_estimateClean);
        measurement.EndStep(0, t);
        int bad = FiniteScan.FirstNonFinite(_estimateClean);
        if (bad >= 0)
        {
            results.Clear();
            throw new NonFiniteResultException(bad / Plan.Configuration.SlotSamples, 0, 0, t, bad % Plan.Configuration.SlotSamples);
        }

        for (int i = 0; i < results.Length; i++)
            results[i] += weight * _estimateClean[i];
    }

    private void CheckMeasured(ReadOnlySpan<float> measured)
    {
        int at = FiniteScan.FirstNonFinite(measured);
        if (at < 0)
            return;
        int samples = Plan.Configuration.SlotSamples;
        throw new ArgumentException($"measured window {at / samples}, sample {at % samples}: {measured[at]} is not a finite number",
            nameof(measured));
    }
}
