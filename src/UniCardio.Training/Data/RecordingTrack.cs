using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Training.Data;

/// <summary>The three signals of a recording, as far as it has them, at 125 Hz in the network's physical units; one ECG lead of perhaps
/// several.</summary>
/// <param name="Subject">Whose it is.</param>
/// <param name="Source">The file, and the lead.</param>
/// <param name="Signals">[3] signals in slot order, [n] each, NaN where missing; null where there is none.</param>
internal sealed record RecordingTrack(string Subject, string Source, IReadOnlyList<float[]?> Signals)
{
    private const double FlatSeconds = 1;

    /// <summary>Samples n.</summary>
    public int Length { get; } = Signals.Max(s => s?.Length ?? 0);

    /// <summary>The tracks of a recording, one an ECG lead, or one without ECG; none where no channel is a PPG, blood pressure or
    /// ECG.</summary>
    /// <exception cref="SignalException">A channel cannot be brought to 125 Hz.</exception>
    public static List<RecordingTrack> Of(Recording recording, string subject, string source, CancellationToken cancellation)
    {
        float[]? Find(Modality modality) => recording.Find(NetworkSignal.KindOf(modality)) is { } channel
            ? Prepare(modality, channel, cancellation) : null;
        float[]? ppg = Find(Modality.Ppg), pressure = Find(Modality.Bp);
        Channel[] leads = [.. recording.Channels.Where(c => c.Kind == NetworkSignal.KindOf(Modality.Ecg))];
        var tracks = new List<RecordingTrack>();
        foreach (Channel lead in leads)
            tracks.Add(new RecordingTrack(subject, $"{source} ({lead.Name})", [ppg, pressure, Prepare(Modality.Ecg, lead, cancellation)]));
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
    private static float[] Prepare(Modality modality, Channel channel, CancellationToken cancellation)
    {
        Resampler resampler = NetworkSignal.ResamplerOf(channel.SampleRate, NetworkSignal.Rate, channel.Name);
        float[] samples = channel.Samples.ToArray();
        foreach (FlatRun run in SignalQuality.FindFlatRuns(samples, (int)Math.Max(8, Math.Ceiling(FlatSeconds * channel.SampleRate))))
            samples.AsSpan(run.Range.Start, run.Range.Length).Fill(float.NaN);
        float[] signal = resampler.Resample(samples, cancellation);
        NetworkSignal.ToNetworkUnit(signal, NetworkSignal.UnitFactor(modality, channel));
        foreach (ref float x in signal.AsSpan())
        {
            if (float.IsInfinity(x))
                x = float.NaN;
        }
        return signal;
    }
}
