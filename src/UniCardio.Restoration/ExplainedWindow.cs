using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration;

/// <summary>A state of the sampler, scaled.</summary>
/// <param name="Row">Row that was executed, from 0.</param>
/// <param name="T">Diffusion step that the network was evaluated at.</param>
/// <param name="Before">[N, S] the draws that the network looked at: x_t.</param>
/// <param name="Clean">[N, S] the clean signal that it predicted of them.</param>
internal sealed record ExplainedStep(int Row, int T, float[] Before, float[] Clean);

/// <summary>One window of a restoration, run again with all that happens on the way kept.</summary>
/// <param name="Task">The task that the window ran.</param>
/// <param name="StartSeconds">Where it begins in the recording.</param>
/// <param name="Signals">[3] what was given of the window in the network's units, NaN where missing; null where it is no condition.</param>
/// <param name="Conditions">[conditions, S] scaled.</param>
/// <param name="Steps">Every row of the sampler.</param>
/// <param name="Result">[N, S] the draws in the result's units.</param>
internal sealed record ExplainedWindow(CardioTask Task, double StartSeconds, float[]?[] Signals, float[] Conditions,
    IReadOnlyList<ExplainedStep> Steps, float[] Result)
{
    /// <summary>Runs a window; null where the network has none to compute.</summary>
    /// <param name="engine">The network.</param>
    /// <param name="recording">The recording.</param>
    /// <param name="channels">Its channels.</param>
    /// <param name="options">The restoration's; its patient's estimators have no part in this.</param>
    /// <param name="at">A second that the window should hold; null for the first that is computed.</param>
    /// <param name="cancellation">Looked at before every network call.</param>
    /// <exception cref="SignalException">The recording does not suit the task.</exception>
    public static ExplainedWindow? Run(InferenceEngine engine, Recording recording, ChannelSelection channels, RestorationOptions options,
        double? at, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(options);
        int samples = engine.Configuration.SlotSamples;
        PreparedRecording prepared = PreparedRecording.Create(recording, channels, options, cancellation);
        WindowSchedule schedule = WindowSchedule.Create(prepared, options, samples);
        (CardioTask Task, int Window)[] all = [.. schedule.Groups.SelectMany(g => g.Windows.Select(w => (g.Task, w))).OrderBy(w => w.w)];
        if (all.Length == 0)
            return null;
        (CardioTask task, int window) = at is not { } second ? all[0]
            : all.MinBy(w => Math.Abs(schedule.Cover[w.Window].Start + (samples / 2) - (second * NetworkSignal.Rate)));
        SampleRange range = schedule.Cover[window];
        WindowObservation observation = prepared.Observe(range) with { Seed = options.Seed, Identity = (uint)window };
        observation = observation with { ResultScale = WindowScale.OfResult(options.Task, observation) };
        using var batch = new WindowBatch(engine, new WindowShape(task, options.Draws, options.Sampler), 1);
        batch.Set(0, observation);
        var steps = new List<ExplainedStep>();
        float[] before = new float[options.Draws * samples];
        // The start is the noise itself, which the first row's own step does not show.
        NoiseStart(options, observation, samples, before);
        batch.Run((in StepObservation seen) =>
        {
            float[] clean = new float[before.Length], state = new float[before.Length];
            seen.CopyClean(clean);
            seen.CopyState(state);
            steps.Add(new ExplainedStep(seen.Step, seen.T, before, clean));
            before = state;
        }, cancellation);
        float[] result = new float[options.Draws * samples];
        for (int draw = 0; draw < options.Draws; draw++)
            observation.ResultScale!.Value.Inverse(before.AsSpan(draw * samples, samples), result.AsSpan(draw * samples, samples));
        return new ExplainedWindow(task, range.Start / NetworkSignal.Rate,
            [.. prepared.Signals.Select(s => s?[range.Start..range.End])], batch.Conditions(0).ToArray(), steps, result);
    }

    private static void NoiseStart(RestorationOptions options, in WindowObservation observation, int samples, Span<float> state)
    {
        for (int draw = 0; draw < options.Draws; draw++)
            Engine.Sampling.PhiloxNormal.Fill(observation.Seed, observation.Identity, (uint)draw, 0, state.Slice(draw * samples, samples));
    }
}
