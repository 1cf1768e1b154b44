using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;
using UniCardio.Training.Data;

namespace UniCardio.Cli.Options;

/// <summary>Synthetic subjects to measure on.</summary>
/// <param name="Count">How many where no other number is asked for and no recording is given.</param>
/// <param name="Seconds">How long each is recorded.</param>
/// <param name="AreLiving">Whether shapes, levels, delays and gains change within the recording (<see cref="LivingSubject"/>).</param>
/// <param name="Drift">Whether the pressure's level wanders over minutes.</param>
internal readonly record struct SyntheticSubjects(int Count, int Seconds, bool AreLiving = false, bool Drift = false);

/// <summary>What <c>evaluate</c> measures on: <c>--recordings</c>, and which subjects were trained on.</summary>
internal sealed partial class EvaluationSources
{
    private const ulong SyntheticSeed = 0xE7A1;

    private readonly Option<RecordingSource[]> _recordings = new("--recordings")
    {
        Description =
            "Recordings or folders of them, each FILE[,rate=HZ][,columns=A/B/C][,subject=NAME]; a name that ends in _125Hz tells the "
            + "rate too. Left out: synthetic subjects.",
        HelpName = "FILE",
        AllowMultipleArgumentsPerToken = true,
        CustomParser = ReadSources,
        DefaultValueFactory = _ => [],
    };

    private readonly Option<string[]> _training = new("--training-subjects")
    {
        Description = "Subjects that the weights were trained on; measuring on one of them is refused.",
        HelpName = "NAME,NAME",
        CustomParser = ReadingOptions.Split,
        DefaultValueFactory = _ => [],
    };

    private readonly Option<double?> _rate = new("--rate") { Description =
        "Samples a second of those recordings that do not tell it (CSV without a time column, NPY).", HelpName = "HZ" };
    private readonly Option<string[]> _columns = new("--columns") { Description =
        "Names for the columns of those recordings that are given none by ,columns=.", HelpName = "NAMES",
        CustomParser = ReadingOptions.Split };

    private readonly Option<int?> _synthetic = new("--synthetic") { Description =
        "Number of synthetic subjects to measure on, beside --recordings if those are given (1 to 1000).", HelpName = "N" };

    public void AddTo(Command command)
    {
        command.Add(_synthetic);
        command.Add(_recordings);
        command.Add(_rate);
        command.Add(_columns);
        command.Add(_training);
    }

    public IReadOnlyList<string> TrainingSubjects(ParseResult parsed) => parsed.GetValue(_training)!;

    /// <summary>Checks that every recording is there, before minutes of work on what else is measured.</summary>
    /// <exception cref="UsageException">One is not; it is named.</exception>
    public void Check(ParseResult parsed)
    {
        if (parsed.GetValue(_recordings)!.FirstOrDefault(s => !File.Exists(s.Path) && !Directory.Exists(s.Path)) is { } missing)
            throw new UsageException($"{missing.Path}: there is no such file.");
    }

    /// <summary>
    /// Reads the recordings. Files of a folder that hold none of the three signals, or cannot be read, are passed over with a note.
    /// </summary>
    /// <exception cref="SignalException">A file that was named cannot be read.</exception>
    /// <exception cref="UsageException">Nothing is left.</exception>
    public IReadOnlyList<EvaluationRecording> Read(
        ParseResult parsed, Action<string> note, SyntheticSubjects synthetic, CancellationToken cancellation) =>
        Read(parsed, note, (source, recording) => EvaluationRecording.From(recording, source.Subject, cancellation: cancellation),
            synthetic, cancellation);

    /// <summary>The same, as they are in their files, with whose they are.</summary>
    /// <exception cref="SignalException">A file that was named cannot be read.</exception>
    /// <exception cref="UsageException">Nothing is left.</exception>
    public IReadOnlyList<(Recording Recording, string Subject)> ReadWhole(ParseResult parsed, Action<string> note,
        CancellationToken cancellation) => [.. Read(parsed, note, (source, recording) => Tuple.Create(Annotated(source, recording),
            source.Subject ?? recording.Name), new SyntheticSubjects(4, 60), cancellation).Select(t => (t.Item1, t.Item2))];

    private List<T> Read<T>(ParseResult parsed, Action<string> note, Func<RecordingSource, Recording, T?> take,
        SyntheticSubjects synthetic, CancellationToken cancellation)
        where T : class
    {
        string[]? columns = parsed.GetValue(_columns) is { Length: > 0 } named ? named : null;
        RecordingSource[] sources = [.. parsed.GetValue(_recordings)!.Select(s =>
            s with { CommonRate = parsed.GetValue(_rate), Columns = s.Columns ?? columns })];
        if (sources.Length == 0 && (parsed.GetValue(_rate) is not null || columns is not null))
            throw new UsageException($"{(columns is null ? "--rate" : "--columns")} is of recordings, and --recordings names none");
        int made = parsed.GetValue(_synthetic) ?? (sources.Length == 0 ? synthetic.Count : 0);
        if (made is < 0 or > 1000 || (made == 0 && sources.Length == 0))
            throw new UsageException($"--synthetic {made}: expected 1 to 1000 subjects");
        if (sources.Length == 0 && parsed.GetValue(_synthetic) is null)
            note($"no --recordings: {made} synthetic subjects, which show that all works and nothing of real signals");
        var recordings = new List<T>(Synthetic(made, synthetic).Select(r => take(new RecordingSource(r.Name), r)!));
        foreach (RecordingSource source in sources)
        {
            if (Directory.Exists(source.Path))
                recordings.AddRange(Folder(source, note, take, cancellation));
            else
                recordings.Add(take(source, One(source, source.Path, cancellation))
                    ?? throw new UsageException($"{source.Path} has no PPG, blood pressure or ECG; name its columns with ,columns=A/B/C"));
        }

        return recordings.Count > 0 ? recordings : throw new UsageException("no recording with a PPG, blood pressure or ECG was found");
    }

    private static Recording Annotated(RecordingSource source, Recording recording)
    {
        if (source.Beats is not string file)
            return recording;
        double rate = recording.Channels[0].SampleRate;
        return recording.WithAnnotations(Path.GetExtension(file).Equals(".csv", StringComparison.OrdinalIgnoreCase)
            ? File.ReadLines(file).Select(l => l.Trim()).Where(l => long.TryParse(l, CultureInfo.InvariantCulture, out _))
                .Select(l => long.Parse(l, CultureInfo.InvariantCulture)).Order().Select(at => new Annotation(at / rate, at, "N"))
            : Signals.Formats.Wfdb.AnnotationFile.Read(file, rate));
    }

    private static List<Recording> Synthetic(int count, SyntheticSubjects subjects)
    {
        var synthesizer = new CardiovascularSynthesizer();
        var recordings = new List<Recording>();
        for (int i = 0; i < count; i++)
        {
            if (subjects.AreLiving)
            {
                recordings.Add(new LivingSubject(SyntheticSeed, (ulong)i, subjects.Seconds, subjects.Drift)
                    .ToRecording($"synthetic{i + 1}"));
                continue;
            }

            ulong seed = CounterRandom.Derive(SyntheticSeed, (ulong)i);
            SyntheticRecording made =
                synthesizer.Generate(SynthesisParameters.Draw(seed), (int)(subjects.Seconds * NetworkSignal.Rate), seed);
            recordings.Add(made.ToRecording($"synthetic{i + 1}"));
        }

        return recordings;
    }

    private static IEnumerable<T> Folder<T>(RecordingSource source, Action<string> note, Func<RecordingSource, Recording, T?> take,
        CancellationToken cancellation)
        where T : class
    {
        string[] files = [.. Directory.EnumerateFiles(source.Path, "*", SearchOption.AllDirectories)
            .Where(RecordingFile.IsListed).Order(StringComparer.Ordinal)];
        HashSet<string> segments = [.. files.Where(f => f.EndsWith(".hea", StringComparison.OrdinalIgnoreCase)).SelectMany(Segments)];
        foreach (string file in files.Where(f => !segments.Contains(Path.ChangeExtension(f, null))))
        {
            T? recording = null;
            string? problem = "has no PPG, blood pressure or ECG";
            try
            {
                recording = take(source, One(source, file, cancellation));
            }
            catch (Exception e) when (e is SignalException or IOException or UnauthorizedAccessException)
            {
                problem = e.Message;
            }

            if (recording is not null)
                yield return recording;
            else
                note($"passed over: {(problem.StartsWith(file, StringComparison.Ordinal) ? problem : $"{file} {problem}")}");
        }
    }

    // The segments of a multi-segment WFDB record are records too; they are read as parts of the whole.
    private static IEnumerable<string> Segments(string header)
    {
        string folder = Path.GetDirectoryName(header)!;
        string[] lines = [.. File.ReadLines(header).Take(10_000).Where(l => !l.StartsWith('#') && l.Trim().Length > 0)];
        return lines.Length > 0 && lines[0].Split(' ')[0].Contains('/', StringComparison.Ordinal) ? lines.Skip(1)
            .Select(l => Path.Combine(folder, l.Split(' ')[0])) : [];
    }

    private static RecordingSource[] ReadSources(System.CommandLine.Parsing.ArgumentResult result)
    {
        foreach (string token in result.Tokens.Select(t => t.Value).Where(t => t.StartsWith("--", StringComparison.Ordinal)))
            result.AddError($"there is no option '{token}' (a recording of that name: ./{token})");
        return [.. result.Tokens.Select(t => Parsed.Read<RecordingSource>(t.Value, result.AddError)!)];
    }

    private static Recording One(RecordingSource source, string path, CancellationToken cancellation)
    {
        RecordingFormat format = RecordingFile.FormatOf(path);
        bool isBare = format is RecordingFormat.Csv or RecordingFormat.Npy;
        double? rate = source.Rate ?? (isBare && RateInName().Match(Path.GetFileNameWithoutExtension(path)) is { Success: true } match
            ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : source.CommonRate);
        var options = new RecordingReadOptions { SampleRate = isBare ? rate : null, ColumnNames = isBare ? source.Columns : null };
        return RecordingFile.Read(path, options, cancellation);
    }

    [GeneratedRegex(@"_(\d+(?:\.\d+)?)Hz$", RegexOptions.IgnoreCase)]
    private static partial Regex RateInName();
}
