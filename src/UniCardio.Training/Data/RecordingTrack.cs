using UniCardio.Engine.Model;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Training.Data;

/// <summary>The three signals of a recording, as far as it has them, at 125 Hz in the network's physical units; one ECG lead of perhaps several.</summary>
/// <param name="Subject">Whose it is.</param>
/// <param name="Source">The file, and the lead.</param>
/// <param name="Signals">[3] signals in slot order, [n] each, NaN where missing; null where there is none.</param>
internal sealed record RecordingTrack(string Subject, string Source, IReadOnlyList<float[]?> Signals)
{
    private const double FlatSeconds = 1;

    /// <summary>Samples n.</summary>
    public int Length { get; } = Signals.Max(s => s?.Length ?? 0);

    /// <summary>The tracks of a recording, one an ECG lead, or one without ECG; none where no channel is a PPG, blood pressure or ECG.</summary>
    /// <exception cref="SignalException">A channel cannot be brought to 125 Hz.</exception>
    public static List<RecordingTrack> Of(Recording recording, string subject, string source, CancellationToken cancellationToken)
    {
        float[]? ppg = Prepare(recording.Find(ChannelKind.Ppg), cancellationToken);
        float[]? pressure = Prepare(recording.Find(ChannelKind.BloodPressure), cancellationToken);
        Channel[] leads = [.. recording.Channels.Where(c => c.Kind == ChannelKind.Ecg)];
        var tracks = new List<RecordingTrack>();
        foreach (Channel lead in leads)
            tracks.Add(new RecordingTrack(subject, $"{source} ({lead.Name})", [ppg, pressure, Prepare(lead, cancellationToken)]));
        if (leads.Length == 0 && (ppg ?? pressure) is not null)
            tracks.Add(new RecordingTrack(subject, source, [ppg, pressure, null]));
        return tracks;
    }

    /// <summary>Copies a stretch, NaN beyond the signal's ends.</summary>
    public void Copy(Modality modality, int start, Span<float> to)
    {
        to.Fill(float.NaN);
        if (Signals[(int)modality] is not { } signal)
            return;
        int from = Math.Clamp(start, 0, signal.Length), end = Math.Clamp(start + to.Length, 0, signal.Length);
        if (end > from)
            signal.AsSpan(from..end).CopyTo(to[(from - start)..]);
    }

    // What does not move for a second is no signal: a sensor that came off, or a calibration.
    private static float[]? Prepare(Channel? channel, CancellationToken cancellationToken)
    {
        if (channel is null)
            return null;
        if (channel.SampleRate / RecordingPreparation.NetworkRate is not (>= 1.0 / 1024 and <= 1024))
            throw new SignalException(FormattableString.Invariant($"channel '{channel.Name}' has {channel.SampleRate} samples a second; expected 0.125 to 128000"));
        float[] samples = channel.Samples.ToArray();
        foreach (FlatRun run in SignalQuality.FindFlatRuns(samples, (int)Math.Max(8, Math.Ceiling(FlatSeconds * channel.SampleRate))))
            samples.AsSpan(run.Range.Start, run.Range.Length).Fill(float.NaN);
        float[] signal = new Resampler(channel.SampleRate, RecordingPreparation.NetworkRate).Resample(samples, cancellationToken);
        double factor = 1;
        if (channel.Kind == ChannelKind.BloodPressure && !SignalUnit.TryGetFactor(channel.Unit, SignalUnit.MillimetresOfMercury, out factor))
            factor = 1;
        foreach (ref float x in signal.AsSpan())
        {
            x = (float)(x * factor);
            if (float.IsInfinity(x))
                x = float.NaN;
        }
        return signal;
    }
}
