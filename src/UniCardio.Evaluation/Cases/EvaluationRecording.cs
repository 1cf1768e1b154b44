using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Cases;

/// <summary>
/// A recording to measure on: its PPG, blood pressure and ECG at 125 Hz on one time axis, as far as it has them, and the beats in them.
/// </summary>
internal sealed class EvaluationRecording
{
    private readonly float[]?[] _signals;
    private readonly IReadOnlyList<int>[] _beats;
    private readonly IReadOnlyList<SampleRange>[] _flaws;

    private EvaluationRecording(string name, string subject, float[]?[] signals, IReadOnlyList<SampleRange>[] flaws,
        IReadOnlyList<SignalWarning> warnings)
    {
        Name = name;
        Subject = subject;
        _signals = signals;
        _flaws = flaws;
        Warnings = warnings;
        Length = signals.Max(s => s?.Length ?? 0);
        _beats = [.. Modalities.All.Select(m => signals[(int)m] is { } signal ? Beats.Detect(m, signal) : [])];
        foreach (Modality modality in Modalities.All)
            Signals |= signals[(int)modality] is null ? ModalitySet.None : modality.ToSet();
    }

    /// <summary>Name of the recording.</summary>
    public string Name { get; }

    /// <summary>Whose signals they are; recordings of one person bear one name.</summary>
    public string Subject { get; }

    /// <summary>The signals that are there.</summary>
    public ModalitySet Signals { get; }

    /// <summary>Samples at 125 Hz, n.</summary>
    public int Length { get; }

    /// <summary>Length in seconds.</summary>
    public double Seconds => Length / NetworkSignal.Rate;

    /// <summary>What a person should know of the signals.</summary>
    public IReadOnlyList<SignalWarning> Warnings { get; }

    /// <summary>A signal, [n], NaN where missing; blood pressure in mmHg. Empty if it is not there.</summary>
    /// <param name="modality">Which.</param>
    public ReadOnlySpan<float> Signal(Modality modality) => _signals[(int)modality];

    /// <summary>Samples of a signal's beats: R peaks, or the systolic peaks of pulses.</summary>
    /// <param name="modality">Which.</param>
    public IReadOnlyList<int> BeatsOf(Modality modality) => _beats[(int)modality];

    /// <summary>Stretches in which the signal is flat or clipped.</summary>
    /// <param name="modality">Which.</param>
    public IReadOnlyList<SampleRange> FlawsOf(Modality modality) => _flaws[(int)modality];

    /// <summary>Takes a recording's signals; null if it holds none of the three.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="subject">Whose it is; the recording's name if null.</param>
    /// <param name="channels">Which channel is which signal; the first of each kind if null.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="SignalException">A channel cannot be brought to 125 Hz, or a named one is not there.</exception>
    public static EvaluationRecording? From(Recording recording, string? subject = null, ChannelSelection? channels = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recording);
        channels ??= ChannelSelection.ByKind;
        var picked = new List<(Modality Modality, Channel Channel)>();
        foreach (Modality modality in Modalities.All)
        {
            Channel? channel = channels.NameOf(modality) is { } named ? recording.Require(named)
                : recording.Find(NetworkSignal.KindOf(modality));
            if (channel is not null)
                picked.Add((modality, channel));
        }

        if (picked.Count == 0)
            return null;
        IReadOnlyList<Channel> common =
            RecordingPreparation.Resample(recording.WithChannels(picked.Select(p => p.Channel)), NetworkSignal.Rate, cancellation).Channels;
        var signals = new float[]?[3];
        var flaws = new IReadOnlyList<SampleRange>[] { [], [], [] };
        var warnings = new List<SignalWarning>(recording.Warnings);
        for (int i = 0; i < picked.Count; i++)
        {
            (Modality modality, Channel channel) = picked[i];
            signals[(int)modality] = InNetworkUnit(modality, channel, common[i].Samples.ToArray(), warnings);
            flaws[(int)modality] = Flaws(channel);
        }

        return new EvaluationRecording(recording.Name, subject ?? recording.Name, signals, flaws, warnings);
    }

    private static float[] InNetworkUnit(Modality modality, Channel channel, float[] samples, List<SignalWarning> warnings)
    {
        double factor = NetworkSignal.UnitFactor(modality, channel);
        NetworkSignal.ToNetworkUnit(samples, factor);
        if (factor == 1)
            warnings.AddRange(RecordingChecks.Check(channel.WithKind(NetworkSignal.KindOf(modality))));
        return samples;
    }

    private static SampleRange[] Flaws(Channel channel)
    {
        ChannelReport report = RecordingPreparation.Inspect(channel);
        double ratio = NetworkSignal.Rate / channel.SampleRate;
        return [.. report.FlatRuns.Select(r => r.Range).Concat(report.ClippedRuns.Select(r => r.Range))
            .Select(r => SampleRange.Between((int)Math.Floor(r.Start * ratio), (int)Math.Ceiling(r.End * ratio)))];
    }
}
