using System.Globalization;
using UniCardio.Signals;
using UniCardio.Signals.Formats;

namespace UniCardio.BeatCases;

/// <summary>A lead with beats that people annotated.</summary>
/// <param name="File">In the folder of annotated recordings.</param>
/// <param name="Channel">Which of its channels.</param>
/// <param name="Subject">Whose: rows of one subject are left out together.</param>
/// <param name="BestPublic">F1 in percent of the best of fourteen public detectors on this very row (each row has its own best
/// one).</param>
public sealed record LabelledLead(string File, int Channel, string Subject, double BestPublic)
{
    /// <summary>The annotated leads, whole records, ANSI/AAMI EC57.</summary>
    public static IReadOnlyList<LabelledLead> All { get; } =
    [
        new("100.hea", 0, "100", 100), new("100.hea", 1, "100", 99.98), new("105.hea", 0, "105", 99.54), new("105.hea", 1, "105", 96.74),
        new("data_101_6.hea", 0, "101", 100), new("data_101_6.hea", 1, "101", 100), new("data_101_8.hea", 0, "101", 100),
        new("data_101_8.hea", 1, "101", 100), new("data_21_7.hea", 0, "21", 100), new("data_21_7.hea", 1, "21", 100),
        new("118e12.csv", 0, "118", 97.6), new("118e00.csv", 0, "118", 81.5),
    ];

    /// <summary>Reads it.</summary>
    /// <param name="folder">The folder of annotated recordings.</param>
    public BeatCase Read(string folder)
    {
        string path = Path.Combine(folder, File);
        bool isText = File.EndsWith(".csv", StringComparison.Ordinal);
        Recording recording = RecordingFile.Read(path, new() { SampleRate = isText ? 360 : null });
        double[] known = isText
            ? [.. System.IO.File.ReadLines(path.Replace(".csv", "_ann.csv", StringComparison.Ordinal)).Where(l => l.Length > 0)
                .Select(l => int.Parse(l, CultureInfo.InvariantCulture) / 360.0)]
            : [.. recording.Annotations.Where(a => a.IsBeat).Select(a => a.TimeSeconds)];
        Channel lead = recording.Channels[Channel];
        return new BeatCase(File, lead.Name, ChannelKind.Ecg, lead.Unit, lead.SampleRate, lead.Samples.ToArray(), known);
    }
}
