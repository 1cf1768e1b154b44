using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Data;

/// <summary>Windows of synthetic hearts: an endless supply, each window another subject.</summary>
/// <remarks>
/// Window i has the same subject, rhythm and beats for every task; what spoils it is drawn for each task. Translation sees it on a monitor
/// that delays nothing, and an ECG that is translated to in an upright lead (<see cref="SubjectLimits"/>). All of it is a function of
/// (seed, index, task), the same bits on every thread and machine.
/// </remarks>
public sealed class SyntheticExamples : IExampleSource
{
    private readonly SyntheticExampleOptions _options;
    private readonly ConcurrentBag<Workspace> _idle = [];

    /// <summary>Creates the source.</summary>
    /// <param name="options">What it makes.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public SyntheticExamples(SyntheticExampleOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        Identity = FormattableString.Invariant(
            $"synthetic seed={options.Seed} samples={options.SlotSamples} dirt={options.ConditionDirt:R} windows={Fingerprint()}");
    }

    /// <inheritdoc/>
    /// <remarks>Names the options and a hash of a window of each task, so that another generator is another source.</remarks>
    public string Identity { get; }

    /// <inheritdoc/>
    public int SlotSamples => _options.SlotSamples;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The task is not valid, or the batch has windows of another length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The index is negative, or the place is not in the batch.</exception>
    public void Fill(long index, CardioTask task, TrainingBatch batch, int place)
    {
        ExampleBuilder.Check(index, task, batch, place, SlotSamples);
        if (!_idle.TryTake(out Workspace? workspace))
            workspace = new Workspace(_options);
        workspace.Fill(CounterRandom.Derive(_options.Seed, (ulong)index), task, batch, place);
        _idle.Add(workspace);
    }

    private string Fingerprint()
    {
        var batch = new TrainingBatch(CardioTask.All.Count, SlotSamples);
        for (int place = 0; place < batch.Count; place++)
            Fill(place, CardioTask.All[place], batch, place);
        byte[] all = [.. MemoryMarshal.AsBytes<float>(batch.Conditions), .. MemoryMarshal.AsBytes<float>(batch.Clean),
            .. MemoryMarshal.AsBytes<float>(batch.LossWeight)];
        return Convert.ToHexStringLower(SHA256.HashData(all))[..16];
    }

    /// <summary>What one thread needs at a time.</summary>
    private sealed class Workspace(SyntheticExampleOptions options)
    {
        private readonly CardiovascularSynthesizer _synthesizer = new();
        private readonly ExampleBuilder _builder = new(options.SlotSamples, options.ConditionDirt);

        public void Fill(ulong seed, CardioTask task, TrainingBatch batch, int place)
        {
            ulong own = CounterRandom.Derive(seed, 1 + ExampleBuilder.Number(task));
            _builder.Begin(task, own, _builder.SlotSamples, _builder.SlotSamples);
            SignalStretch stretch = _builder.Stretch;
            _synthesizer.Fill(SynthesisParameters.Draw(seed, NetworkSignal.Rate, Limits(task)), seed,
                stretch.Clean(Modality.Ppg), stretch.Clean(Modality.Bp), stretch.Clean(Modality.Ecg));
            _builder.Finish(task, own, batch, place);
        }

        // No condition tells how a monitor delays the signal that is translated to, nor how a lead looks, nor when exactly a beat's R wave
        // was:
        // left free, they would only blur each other. By convention a translation is what an undelayed monitor shows, with lead II of a
        // heart whose pulses arrive when they usually do. Towards a pressure the transit time is left free, since it would be taken for the
        // pressure.
        private static SubjectLimits Limits(CardioTask task) => task.Kind != TaskKind.Translate ? SubjectLimits.None
            : task.Output != Modality.Ecg ? SubjectLimits.NoMonitorDelay
            : SubjectLimits.NoMonitorDelay | SubjectLimits.UprightLead | SubjectLimits.UsualTransit;
    }
}
