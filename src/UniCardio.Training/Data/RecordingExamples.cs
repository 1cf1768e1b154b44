using System.Globalization;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using UniCardio.Engine.Model;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Data;

/// <summary>Windows of the recordings of a folder, corrupted and scaled as synthetic ones are (<see cref="SyntheticExamples"/>).</summary>
/// <remarks>
/// A window is drawn anew for each index and task: first a subject, each alike however long its recordings, then a place in them. What a
/// recording shows is taken for the truth: its own noise stays in the target. Research software, not a medical device.
/// </remarks>
public sealed class RecordingExamples : IExampleSource
{
    private readonly RecordingExampleOptions _options;
    private readonly List<RecordingTrack> _tracks;
    private readonly WindowIndex _index;
    private readonly ConcurrentBag<ExampleBuilder> _idle = [];

    private RecordingExamples(RecordingExampleOptions options, List<RecordingTrack> tracks, IReadOnlyList<SignalWarning> warnings)
    {
        _options = options;
        _tracks = tracks;
        _index = new WindowIndex(tracks, options.SlotSamples);
        Warnings = warnings;
        Subjects = [.. tracks.Select(t => t.Subject).Distinct().Order(StringComparer.Ordinal)];
        Identity = string.Create(CultureInfo.InvariantCulture,
            $"recordings seed={options.Seed} samples={options.SlotSamples} dirt={options.ConditionDirt:R} part={options.Part} "
            + $"apart={options.ValidationShare:R} signals={Fingerprint()}");
    }

    /// <inheritdoc/>
    /// <remarks>Names the options and a hash of all signals used.</remarks>
    public string Identity { get; }

    /// <inheritdoc/>
    public int SlotSamples => _options.SlotSamples;

    /// <summary>Subjects whose recordings are used, in ordinal order.</summary>
    public IReadOnlyList<string> Subjects { get; }

    /// <summary>Files that were left out, and why.</summary>
    public IReadOnlyList<SignalWarning> Warnings { get; }

    /// <summary>Reads the recordings of a folder and its subfolders.</summary>
    /// <param name="folder">The folder; a subfolder, or a file right in it, is a subject (<see cref="SubjectSplit"/>).</param>
    /// <param name="options">What to make of them.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="SignalException">The folder cannot be read, has no recording of use, or more than fits
    /// <see cref="RecordingExampleOptions.MaxBytes"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static RecordingExamples Open(string folder, RecordingExampleOptions options, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var tracks = new List<RecordingTrack>();
        var warnings = new List<SignalWarning>();
        long bytes = 0;
        int elsewhere = 0;
        foreach (string path in RecordingFolder.List(folder))
        {
            cancellation.ThrowIfCancellationRequested();
            string subject = SubjectSplit.SubjectOf(path);
            if (options.Part != SubjectPart.All
                && SubjectSplit.IsValidation(subject, options.ValidationShare) != (options.Part == SubjectPart.Validation))
            {
                elsewhere++;
                continue;
            }

            List<RecordingTrack> found = Read(folder, path, subject, options, warnings, cancellation);
            bytes += found.SelectMany(t => t.Signals).Distinct().Sum(s => sizeof(float) * (s?.LongLength ?? 0));
            if (bytes > options.MaxBytes)
                throw new SignalException(
                    $"{folder}: the recordings up to '{path}' take {bytes} bytes at 125 Hz; at most {options.MaxBytes} are allowed");
            tracks.AddRange(found);
        }

        if (tracks.Count == 0)
        {
            string others = elsewhere > 0 ? $" ({elsewhere} files are of the other part)" : "";
            string first = warnings.Count > 0 ? $"; the first problem: {warnings[0].Message}" : "";
            throw new SignalException($"{folder}: no recording with PPG, blood pressure or ECG that lasts a window{others}{first}");
        }
        return new RecordingExamples(options, tracks, warnings);
    }

    /// <summary>Whether any recording has a window for a task: its conditions and its target.</summary>
    /// <param name="task">The task.</param>
    public bool Supports(CardioTask task) => task.IsValid && _index.Find(task).Count > 0;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The task is not valid or no recording has its signals (<see cref="Supports"/>), or the batch has
    /// windows of another length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The index is negative, or the place is not in the batch.</exception>
    public void Fill(long index, CardioTask task, TrainingBatch batch, int place)
    {
        ExampleBuilder.Check(index, task, batch, place, SlotSamples);
        IReadOnlyList<WindowIndex.Subject> subjects = _index.Find(task);
        if (subjects.Count == 0)
            throw new ArgumentException($"No recording has the signals of '{task}' in one window.", nameof(task));
        ulong seed = CounterRandom.Derive(CounterRandom.Derive(_options.Seed, (ulong)index), 1 + ExampleBuilder.Number(task));
        var random = new CounterRandom(seed, 0);
        WindowIndex.Place[] places = subjects[(int)(random.NextDouble() * subjects.Count)].Places;
        (int track, int start) = places[(int)(random.NextDouble() * places.Length)];

        if (!_idle.TryTake(out ExampleBuilder? builder))
            builder = new ExampleBuilder(SlotSamples, _options.ConditionDirt);
        int before = Math.Min(start, SlotSamples), after = Math.Min(_tracks[track].Length - start - SlotSamples, SlotSamples);
        builder.Begin(task, seed, before, after);
        foreach (Modality modality in (ReadOnlySpan<Modality>)[Modality.Ppg, Modality.Bp, Modality.Ecg])
            _tracks[track].Copy(modality, start - builder.Stretch.Window.Start, builder.Stretch.Clean(modality));
        builder.Finish(task, seed, batch, place);
        _idle.Add(builder);
    }

    private static List<RecordingTrack> Read(
        string folder, string path, string subject, RecordingExampleOptions options, List<SignalWarning> warnings,
        CancellationToken cancellation)
    {
        List<RecordingTrack> tracks = [];
        try
        {
            Recording recording = RecordingFile.Read(Path.Combine(folder, path), options.Reading, cancellation);
            tracks = RecordingTrack.Of(recording, subject, path, cancellation);
            if (tracks.Count == 0)
                warnings.Add(new SignalWarning(SignalWarningKind.Data, $"{path}: no channel is a PPG, blood pressure or ECG; left out."));
            else if (tracks.RemoveAll(t => t.Length < options.SlotSamples) > 0)
                warnings.Add(new SignalWarning(SignalWarningKind.Data, $"{path}: shorter than a window; left out."));
        }
        catch (SignalException problem)
        {
            warnings.Add(new SignalWarning(SignalWarningKind.Data, $"{problem.Message} Left out."));
        }
        return tracks;
    }

    private string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (RecordingTrack track in _tracks)
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(track.Source));
            foreach (float[]? signal in track.Signals)
                hash.AppendData(MemoryMarshal.AsBytes<float>(signal));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
