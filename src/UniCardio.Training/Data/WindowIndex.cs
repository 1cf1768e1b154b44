using System.Collections.Concurrent;
using UniCardio.Engine.Model;

namespace UniCardio.Training.Data;

/// <summary>Which windows of which tracks can teach a task, by subject.</summary>
/// <remarks>
/// A target must be measured to 98%, a condition to a half. Windows begin every fifth of a second.
/// </remarks>
internal sealed class WindowIndex
{
    private const int Stride = 25;
    private readonly IReadOnlyList<RecordingTrack> _tracks;
    // [track][position] bits 0-2: measured enough for a condition, bits 3-5: for a target.
    private readonly byte[][] _measured;
    private readonly ConcurrentDictionary<(ModalitySet Conditions, Modality Target), Subject[]> _found = [];

    public WindowIndex(IReadOnlyList<RecordingTrack> tracks, int slotSamples)
    {
        _tracks = tracks;
        _measured = [.. tracks.Select(t => Measure(t, slotSamples))];
    }

    /// <summary>A window: the track and its first sample.</summary>
    public readonly record struct Place(int Track, int Start);

    /// <summary>Windows of one subject.</summary>
    public sealed record Subject(string Name, Place[] Places);

    /// <summary>Subjects that have windows for a task, in ordinal order.</summary>
    public IReadOnlyList<Subject> Find(CardioTask task) =>
        _found.GetOrAdd((task.Conditions, task.Output), static (key, index) => index.Search(key.Conditions, key.Target), this);

    private Subject[] Search(ModalitySet conditions, Modality target)
    {
        var bySubject = new SortedDictionary<string, List<Place>>(StringComparer.Ordinal);
        int needed = (int)conditions | (8 << (int)target);
        for (int track = 0; track < _tracks.Count; track++)
        {
            for (int position = 0; position < _measured[track].Length; position++)
            {
                if ((_measured[track][position] & needed) != needed)
                    continue;
                if (!bySubject.TryGetValue(_tracks[track].Subject, out List<Place>? places))
                    bySubject.Add(_tracks[track].Subject, places = []);
                places.Add(new Place(track, position * Stride));
            }
        }
        return [.. bySubject.Select(s => new Subject(s.Key, [.. s.Value]))];
    }

    private static byte[] Measure(RecordingTrack track, int samples)
    {
        if (track.Length < samples)
            return [];
        var measured = new byte[(track.Length - samples) / Stride + 1];
        foreach (Modality modality in Modalities.All)
        {
            if (track.Signals[(int)modality] is not { } signal)
                continue;
            var running = new int[track.Length + 1];
            for (int i = 0; i < track.Length; i++)
                running[i + 1] = running[i] + (i < signal.Length && !float.IsNaN(signal[i]) ? 1 : 0);
            for (int position = 0; position < measured.Length; position++)
            {
                int count = running[position * Stride + samples] - running[position * Stride];
                measured[position] |= (byte)(
                    (2 * count >= samples ? 1 << (int)modality : 0) | (count >= 0.98 * samples ? 8 << (int)modality : 0));
            }
        }
        return measured;
    }
}
