using System.Globalization;
using System.Text;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Edf;
using UniCardio.Signals.Formats.Wfdb;
using UniCardio.Tests.Shared;
using Xunit.Abstractions;

namespace UniCardio.Signals.Tests.Formats;

public class EdfFormatTests(ITestOutputHelper output)
{
    private sealed record Signal(string Label, int PerRecord, string Unit = "mV", string PhysicalMinimum = "-1", string PhysicalMaximum =
        "1", string DigitalMinimum = "-1000", string DigitalMaximum = "1000");

    private static readonly Signal Notes = new("EDF Annotations", 40, "", "-1", "1", "-32768", "32767");

    private static string Pad(string text, int width) => text.PadRight(width)[..width];

    /// <summary>A header with every field open to lies.</summary>
    private static byte[] Header(IReadOnlyList<Signal> signals, string records, string duration = "1", string kind = "", string version =
        "0", string? bytes = null, string? count = null,
        string start = "29.02.2423.59.58")
    {
        var text = new StringBuilder();
        text.Append(Pad(version, 8)).Append(Pad("X", 80)).Append(Pad("Startdate X", 80)).Append(start)
            .Append(Pad(bytes ?? (256 * (signals.Count + 1)).ToString(CultureInfo.InvariantCulture), 8)).Append(Pad(kind, 44))
            .Append(Pad(records, 8)).Append(Pad(duration, 8)).Append(Pad(count ?? signals.Count.ToString(CultureInfo.InvariantCulture), 4));
        foreach (Func<Signal, string> field in new Func<Signal, string>[]
        {
            s => Pad(s.Label, 16), _ => Pad("", 80), s => Pad(s.Unit, 8), s => Pad(s.PhysicalMinimum, 8), s => Pad(s.PhysicalMaximum, 8),
                s => Pad(s.DigitalMinimum, 8),
            s => Pad(s.DigitalMaximum, 8), _ => Pad("", 80), s => Pad(s.PerRecord.ToString(CultureInfo.InvariantCulture), 8), _ =>
                Pad("", 32),
        })
        {
            foreach (Signal signal in signals)
                text.Append(field(signal));
        }
        byte[] header = Encoding.Latin1.GetBytes(text.ToString());
        if (version.StartsWith('B'))
            header = [0xFF, .. header[..7], .. header[8..]];
        return header;
    }

    private static byte[] Int16(params int[] samples) => WfdbEncoder.Encode(16, samples);

    private static byte[] Texts(string lists, int bytes = 80) => Encoding.UTF8.GetBytes(lists.Replace('|', '\u0014').Replace('~', '\u0015')
        .Replace("^", "\0", StringComparison.Ordinal)).Concat(new byte[bytes]).Take(bytes).ToArray();

    private static Recording Parse(params byte[][] parts) =>
        EdfFormat.Parse([.. parts.SelectMany(p => p)], "x.edf", RecordingReadOptions.Default);

    private static SignalException Refused(params byte[][] parts) => Assert.ThrowsAny<SignalException>(() => Parse(parts));

    [Fact]
    public void SeveralRatesAndUnits()
    {
        Recording r = Parse(Header([new("ECG II", 4), new("ABP", 2, "mmHg", "0", "200", "0", "2000")], "2", "2"),
            Int16(-1000, 0, 1000, 500, 800, 900), Int16(1, 2, 3, 4, 1000, 1200));
        Assert.Equal((2, 1), (r.Channels[0].SampleRate, r.Channels[1].SampleRate));
        Assert.Equal([-1, 0, 1, 0.5f, 0.001f, 0.002f, 0.003f, 0.004f], r.Channels[0].Samples.ToArray());
        Assert.Equal([80, 90, 100, 120], r.Channels[1].Samples.ToArray());
        Assert.Equal([ChannelKind.Ecg, ChannelKind.BloodPressure], r.Channels.Select(c => c.Kind));
        Assert.Equal(new DateTime(2024, 2, 29, 23, 59, 58), r.StartTime);
        Assert.Empty(r.Warnings);
        Assert.Equal(1985, Parse(Header([new("a", 1)], "1", start: "01.01.8500.00.00"), Int16(1)).StartTime!.Value.Year);
        Assert.Null(Parse(Header([new("a", 1)], "1", start: "XX.XX.XXXX.XX.XX"), Int16(1)).StartTime);
    }

    [Fact]
    public void UnknownRecordCountComesFromTheLength()
    {
        Assert.Equal(3, Parse(Header([new("a", 1)], "-1"), Int16(1, 2, 3), [9]).Channels[0].Length);
        Recording longer = Parse(Header([new("a", 1)], "2"), Int16(1, 2, 3));
        Assert.Equal(2, longer.Channels[0].Length);
        Assert.Contains(longer.Warnings, w => w.Kind == SignalWarningKind.Header);
    }

    [Fact]
    public void Bdf24Bit()
    {
        Recording r = Parse(
            Header([new("ECG", 3, "uV", "-8388608", "8388607", "-8388608", "8388607")], "1", version: "BIOSEMI", kind: "24BIT"),
            WfdbEncoder.Encode(24, [-8388608, 1, 8388607]));
        Assert.Equal([-8388608, 1, 8388607], r.Channels[0].Samples.ToArray());
    }

    [Fact]
    public void InvertedSignalsAndValuesOutsideTheRange()
    {
        Recording r = Parse(Header([new("ECG", 3, "mV", "1", "-1")], "1"), Int16(-1000, 1000, 2000));
        Assert.Equal([1, -1, -2], r.Channels[0].Samples.ToArray());
        Assert.Contains(r.Warnings, w => w.Kind == SignalWarningKind.Data && w.Message.Contains("1 samples", StringComparison.Ordinal));
    }

    [Fact]
    public void AnnotationsCountFromTheFirstSample()
    {
        Recording r = Parse(Header([new("ECG", 2), Notes], "2", kind: "EDF+C"),
            Int16(1, 2), Texts("+0.5||^+1|start|^"), Int16(3, 4), Texts("+1.5||^+0.75~0.25|R-peak|V\u00e4nster|^+1e9|x|^junk^"));
        Assert.Equal(
        [
            new Annotation(0.25, 0, "R-peak") { DurationSeconds = 0.25 },
            new Annotation(0.25, 0, "V\u00e4nster") { DurationSeconds = 0.25 },
            new Annotation(0.5, 1, "start"),
        ], r.Annotations);
        // Exponents are not allowed in onsets, and "junk" has none: two lists are left out.
        Assert.Contains(r.Warnings, w =>
            w.Kind == SignalWarningKind.Annotation && w.Message.Contains("2 annotation lists", StringComparison.Ordinal));
        Assert.Equal(new DateTime(2024, 2, 29, 23, 59, 58, 500), r.StartTime);
    }

    [Fact]
    public void DiscontinuousRecordsArePlacedByTheirStamps()
    {
        Recording r = Parse(Header([new("ECG", 2), new("ABP", 1, "mmHg", "0", "200", "0", "2000"), Notes], "3", kind: "EDF+D"),
            Int16(1, 2, 800), Texts("+10||^"), Int16(3, 4, 900), Texts("+11||^"), Int16(5, 6, 1000), Texts("+14.0000001||^"));
        Assert.Equal([0.001f, 0.002f, 0.003f, 0.004f, float.NaN, float.NaN, float.NaN, float.NaN, 0.005f, 0.006f],
            r.Channels[0].Samples.ToArray());
        Assert.Equal([80, 90, float.NaN, float.NaN, 100], r.Channels[1].Samples.ToArray());
    }

    [Theory]
    [InlineData("+10||^", "does not state its time", "^")]
    [InlineData("+10||^", "before the end", "+9||^")]
    [InlineData("+10||^", "before the end", "+10||^")]
    [InlineData("+0||^", "too far after", "+99999999999||^")]
    [InlineData("+0||^", "exceed the limit", "+1000000000||^")]
    public void StampsThatLieAreRefused(string first, string problem, string second)
    {
        SignalException e =
            Refused(Header([new("ECG", 2), Notes], "2", kind: "EDF+D"), Int16(1, 2), Texts(first), Int16(3, 4), Texts(second));
        Assert.Contains(problem, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FilesThatEndEarlyGiveTheirWholeRecords()
    {
        byte[] sound = [.. Header([new("a", 2), new("b", 3)], "2"), .. Int16(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)];
        Assert.Equal(4, Parse(sound).Channels[0].Length);
        for (int length = 0; length < sound.Length; length += length < 700 ? 37 : 1)
        {
            // Two signals' header, and the first data record of five samples.
            if (length < 768 + 10)
            {
                Refused(sound[..length]);
                continue;
            }
            Recording r = Parse(sound[..length]);
            Assert.Equal([0.001f, 0.002f], r.Channels[0].Samples.ToArray());
            Assert.Contains("1 of the 2 data records", Assert.Single(r.Warnings).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void LyingHeadersAreRefused()
    {
        Signal a = new("a", 2);
        byte[] data = Int16(1, 2, 3, 4);
        foreach ((string problem, byte[] header) in new (string, byte[])[]
        {
            ("neither as EDF", Header([a], "1", version: "9")),
            ("0 signals", Header([a], "1", count: "0")),
            ("-1 signals", Header([a], "1", count: "-1")),
            ("exceed the limit of 1024", Header([a], "1", count: "9999")),
            ("header of 999 signals takes", Header([a], "1", count: "999")),
            ("number of signals 'x'", Header([a], "1", count: "x")),
            ("states a header of 99999999 bytes", Header([a], "1", bytes: "99999999")),
            ("states a header of 256 bytes", Header([a], "1", bytes: "256")),
            ("0 data records", Header([a], "0")),
            ("-2 data records", Header([a], "-2")),
            ("data records of 0 s", Header([a], "1", duration: "0")),
            ("data records of -1 s", Header([a], "1", duration: "-1")),
            ("not a finite number", Header([a], "1", duration: "nan")),
            ("not a finite number", Header([a], "1", duration: "1e999")),
            ("sample rate that is not finite", Header([a], "1", duration: "1e-320")),
            ("0 samples in a data record", Header([a with { PerRecord = 0 }], "1")),
            ("holds 0 data records", Header([a with { PerRecord = 99999999 }], "1")),
            ("give no gain", Header([a with { PhysicalMaximum = "-1" }], "1")),
            ("give no gain", Header([a with { PhysicalMinimum = "-1e308", PhysicalMaximum = "1e308" }], "1")),
            ("not hold", Header([a with { PhysicalMinimum = "-1e300", PhysicalMaximum = "1e300" }], "1")),
            ("rising range", Header([a with { DigitalMaximum = "-1000" }], "1")),
            ("rising range", Header([a with { DigitalMaximum = "32768" }], "1")),
            ("physical minimum '1;5'", Header([a with { PhysicalMinimum = "1;5" }], "1")),
            ("annotations only", Header([Notes with { PerRecord = 2 }], "1")),
        })
        {
            SignalException e = Refused(header, data);
            Assert.Contains(problem, e.Message, StringComparison.Ordinal);
        }
        Assert.Throws<SignalLimitException>(() =>
            EdfFormat.Parse([.. Header([a], "2"), .. data], "x.edf", new RecordingReadOptions { MaxSamples = 3 }));
    }

    public static TheoryData<string, string, string, string, string> Unusable => new()
    {
        { "0", "0", "-1000", "1000", "give no gain" },
        { "-1", "1", "5", "5", "rising range" },
        { "-1", "1", "-1000", "40000", "rising range" },
        { "-1", "x", "-1000", "1000", "physical maximum 'x'" },
        { "-1", "1e300", "-1000", "1000", "not hold" },
        { "-1", "1", "nan", "1000", "digital minimum" },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void ASignalThatCannotBeReadIsLeftOutAndTheOthersStay(string physicalMinimum, string physicalMaximum, string digitalMinimum,
        string digitalMaximum, string why)
    {
        Signal bad = new("spare", 2, "mV", physicalMinimum, physicalMaximum, digitalMinimum, digitalMaximum);
        foreach (Signal[] order in new[] { new[] { new Signal("ECG", 1), bad }, [bad, new Signal("ECG", 1)] })
        {
            int[] samples = order[0] == bad ? [7, 7, 500, 8, 8, -500] : [500, 7, 7, -500, 8, 8];
            Recording r = Parse(Header(order, "2"), Int16(samples));
            Assert.Equal([0.5f, -0.5f], Assert.Single(r.Channels).Samples.ToArray());
            SignalWarning warning = Assert.Single(r.Warnings);
            Assert.Equal("spare", warning.Channel);
            Assert.Contains(why, warning.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AnEmptySignalIsLeftOut()
    {
        Recording r = Parse(Header([new("ECG", 1), new("Empty", 0)], "2"), Int16(500, -500));
        Assert.Equal("ECG", Assert.Single(r.Channels).Name);
        Assert.Equal("Empty", Assert.Single(r.Warnings).Channel);
    }

    [Fact]
    public void LocalesAndBuffersInHeadersArePutUpWith()
    {
        Recording r = Parse(Header([new("ECG", 1, "mV\0xyz", "-1,5", "1,5\0junk", "-1000.0", "1000,0")], "2", start: "01/02:2010:11:12"),
            Int16(1000, -1000));
        Assert.Equal("mV", r.Channels[0].Unit);
        Assert.Equal([1.5f, -1.5f], r.Channels[0].Samples.ToArray());
        Assert.Equal(new DateTime(2020, 2, 1, 10, 11, 12), r.StartTime);
        byte[] header = Header([new("ECG", 1)], "1");
        header.AsSpan(1, 7).Clear();
        Assert.Equal([0.5f], Parse(header, Int16(500)).Channels[0].Samples.ToArray());
    }

    [Fact]
    public void TwoSignalsOfOneNameStayTwo()
    {
        Recording r = Parse(Header([new("ECG", 1), new("ECG", 1)], "1"), Int16(500, -500));
        Assert.Equal(["ECG", "ECG_2"], r.Channels.Select(c => c.Name));
        Assert.All(r.Channels, c => Assert.Equal(ChannelKind.Ecg, c.Kind));
        Assert.Equal(-0.5f, r.Channels[1].Samples.Span[0]);
    }

    [Fact]
    public void ShortFilesCannotDeclareLongGaps()
    {
        byte[] file = [.. Header([new("ECG", 125), Notes], "2", kind: "EDF+D"), .. new byte[250], .. Texts("+0||^"), .. new byte[250],
            .. Texts("+2147480||^")];
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("missing samples declared", Assert.Throws<SignalLimitException>(() => Parse(file)).Message,
            StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [SkippableFact]
    public void EdfAndWfdbTwinsAgree()
    {
        string edf = SharedData.Require("edf/test_generator_2.edf"), hea = SharedData.Require("edf/test_generator_2.hea");
        byte[] bytes = File.ReadAllBytes(edf);
        var reader = new EdfReader(bytes, EdfHeader.Parse(bytes, edf, RecordingReadOptions.Default), RecordingReadOptions.Default);
        var wfdb = new WfdbRecordReader(new RecordFiles.Folder(Path.GetDirectoryName(hea)!), RecordingReadOptions.Default,
            CancellationToken.None);
        int[][] twin = wfdb.ReadDigital(wfdb.ReadHeader("test_generator_2"), 0, null);
        for (int s = 0; s < 12; s++)
            Assert.True(reader.ReadDigital(s).AsSpan().SequenceEqual(twin[s].Select(v => v == WfdbSamples.Missing ? -32768 : v).ToArray()),
                $"signal {s}");

        Recording a = RecordingFile.Read(edf), b = RecordingFile.Read(hea);
        Assert.Equal(11, a.Channels.Count);
        for (int s = 0; s < 11; s++)
        {
            Assert.Equal((b.Channels[s].Name, b.Channels[s].Unit, 200.0, 120_000),
                (a.Channels[s].Name, a.Channels[s].Unit, a.Channels[s].SampleRate, a.Channels[s].Length));
            // Digital -32768..32767 stands for -1000..1000 in EDF, so 0 lies half a step off; the WFDB header has baseline 0.
            for (int i = 0; i < 120_000; i += 97)
            {
                if (!float.IsNaN(b.Channels[s].Samples.Span[i]))
                    // float32 of up to 1000 twice: 2 * 2^-15
                    Assert.Equal(0.5 / 32.7675, a.Channels[s].Samples.Span[i] - b.Channels[s].Samples.Span[i], 2e-4);
            }
        }
        Assert.Equal("\u00b0", a.Channels[8].Unit);
        Assert.Equal(2, a.Warnings.Count(w => w.Kind == SignalWarningKind.Unit && w.Message.Contains("Latin-1", StringComparison.Ordinal)));
        Assert.Equal(new DateTime(2009, 12, 10, 12, 44, 2), a.StartTime);
        Assert.NotEmpty(a.Annotations);
        Assert.All(a.Annotations, n => Assert.InRange(n.TimeSeconds, 0, 600));
    }

    [SkippableFact]
    public void BdfPlusSample()
    {
        Recording r = RecordingFile.Read(SharedData.Require("edf/test_generator.bdf"));
        Assert.Equal(["sine 5Hz", "square 13Hz", "ramp 7Hz", "pink noise", "white noise"], r.Channels.Select(c => c.Name));
        Assert.Equal([1000, 800, 500, 975, 999], r.Channels.Select(c => c.SampleRate));
        Assert.All(r.Channels, c => Assert.Equal(30, c.DurationSeconds, 1e-9));
        // Its annotation signal holds the records' own times and nothing else.
        Assert.Empty(r.Annotations);
        Assert.Empty(r.Warnings);
        // The sine repeats after 200 samples; a wrong byte order or sign would not.
        ReadOnlySpan<float> sine = r.Channels[0].Samples.Span;
        float largest = 0;
        for (int i = 0; i < 29_000; i += 3)
        {
            largest = Math.Max(largest, Math.Abs(sine[i]));
            Assert.Equal(sine[i], sine[i + 200], 0.01 * 3000);
        }
        Assert.InRange(largest, 10, 3000);
    }

    [Fact]
    public void MutantsAreReadOrRefused()
    {
        byte[][] seeds =
        [
            [.. Header([new("ECG II", 4), new("ABP", 2, "mmHg", "0", "200", "0", "2000")], "2", "2"),
                .. Int16(-1000, 0, 1000, 500, 800, 900, 1, 2, 3, 4, 1000, 1200)],
            [.. Header([new("ECG", 2), Notes], "2", kind: "EDF+D"), .. Int16(1, 2), .. Texts("+0||^+1|start|^"), .. Int16(3, 4),
                .. Texts("+1.5||^+0.75~0.25|R|^")],
            [.. Header([new("ECG", 2), Notes], "-1", kind: "EDF+C"), .. Int16(1, 2), .. Texts("+0||^+1|start|^"), .. Int16(3, 4),
                .. Texts("+1||^")],
            [.. Header([new("ECG", 3, "uV", "-8388608", "8388607", "-8388608", "8388607")], "1", version: "BIOSEMI", kind: "24BIT"),
                .. WfdbEncoder.Encode(24, [-8388608, 1, 8388607])],
        ];
        var options = new RecordingReadOptions { MaxSamples = 1 << 18 };
        FuzzReport report = MutationFuzzer.Run(seeds, MutationFuzzer.CountFor(6000), 20260105, input =>
            EdfFormat.Parse(input, "mutant.edf", options), e => e is SignalException, maxAllocated: 16 << 20);
        output.WriteLine($"EDF: {report}");
        Assert.True(report.Accepted > 0 && report.Refused > 0);
    }
}
