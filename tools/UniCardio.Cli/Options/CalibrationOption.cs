using System.CommandLine;
using System.Globalization;
using UniCardio.Engine;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Patient;

namespace UniCardio.Cli.Options;

/// <summary><c>--calibrate</c>: another recording, a stretch of the recording itself, or cuff readings.</summary>
internal sealed class CalibrationOption
{
    private readonly Option<string[]> _option = new("--calibrate")
    {
        Description =
            "What the target looks like in this patient: a recording in which it was measured with the conditions, or a profile by "
            + "'learn' (FILE), seconds of the recording itself in which it is (START..END), or cuff readings with their times in seconds "
            + "(SBP/DBP@TIME, may be given several times). Without it a translated pressure has no level and is normalised.",
        HelpName = "FILE|START..END|SBP/DBP@TIME",
        DefaultValueFactory = _ => [],
    };

    public void AddTo(Command command) => command.Add(_option);

    /// <summary>The calibration, or null if there is none.</summary>
    /// <exception cref="UsageException">A value is none of the three, or they are mixed.</exception>
    public Calibration? Read(ParseResult parsed, Func<RecordingReadOptions> reading)
    {
        string[] values = parsed.GetValue(_option) ?? [];
        if (values.Length == 0)
            return null;
        var cuffs = new List<CuffReading>();
        Calibration? other = null;
        foreach (string value in values)
        {
            if (Cuff(value) is { } cuff)
                cuffs.Add(cuff);
            else if (other is not null)
                throw new UsageException($"--calibrate '{value}': one recording or stretch calibrates a translation");
            else
                other = Stretch(value) ?? FromFile(value, reading());
        }

        if (other is not null && cuffs.Count > 0)
            throw new UsageException(
                "--calibrate takes cuff readings or paired seconds, not both: paired seconds have the pressure itself");
        try
        {
            return (other ?? new Calibration { Cuffs = cuffs }).Validate();
        }
        catch (ConfigurationException problem)
        {
            throw new UsageException(problem.Message);
        }
    }

    private static Calibration FromFile(string path, RecordingReadOptions reading)
    {
        if (!File.Exists(path))
            throw new UsageException($"--calibrate '{path}' is no file, no START..END in seconds and no SBP/DBP@TIME");
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return new Calibration { Recording = Profile(path) };
        return new Calibration { Recording = RecordingFile.Read(path, reading with { StartSeconds = 0, EndSeconds = null }) };
    }

    // What 'learn' wrote: 200 kB; a hundred times that is no profile.
    private static Recording Profile(string path)
    {
        const long Max = 20L << 20;
        if (new System.IO.FileInfo(path).Length > Max)
            throw new SignalFileException(path, "is larger than a patient profile can be");
        try
        {
            return PatientProfile.Parse(File.ReadAllText(path)).ToRecording(Path.GetFileNameWithoutExtension(path));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new SignalFileException(path, "cannot be read: " + problem.Message, problem);
        }
        catch (SignalException problem) when (problem is not SignalFileException)
        {
            throw new SignalFileException(path, problem.Message, problem);
        }
    }

    private static Calibration? Stretch(string text)
    {
        string[] ends = text.Split("..");
        return ends.Length == 2 && Number(ends[0]) is { } from && Number(ends[1]) is { } to
            ? new Calibration { StartSeconds = from, EndSeconds = to } : null;
    }

    private static CuffReading? Cuff(string text)
    {
        string[] parts = text.Split('@'), pressures = parts[0].Split('/');
        return parts.Length == 2 && pressures.Length == 2 && Number(pressures[0]) is { } systolic && Number(pressures[1]) is { } diastolic
            && Number(parts[1]) is { } time
            ? new CuffReading(systolic, diastolic, time) : null;
    }

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) ? value : null;
}
