using System.Text;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Edf;
using UniCardio.Tests.Shared;
using Xunit.Abstractions;

namespace UniCardio.Signals.Tests.Formats;

public class EdfWriterTests(ITestOutputHelper output)
{
    private static float[] Wave(int count, double low, double high) =>
        [.. Enumerable.Range(0, count).Select(i => (float)(low + ((high - low) * (0.5 + (0.5 * Math.Sin(i * 0.37))))))];

    [Theory]
    [InlineData(125, 125)]
    [InlineData(250, 100)]
    [InlineData(62.4725, 62.4725)]
    [InlineData(360, 0.5)]
    [InlineData(999, 333)]
    public void ChannelsComeBackAtTheirOwnRates(double first, double second)
    {
        using var folder = new TemporaryFolder();
        float[] a = Wave((int)(first * 20), -1.5, 3), b = Wave(Math.Max(4, (int)(second * 20)), 60, 145);
        a[3] = b[^1] = float.NaN;
        var recording = new Recording("r", [new Channel("ECG II", "mV", first, a), new Channel("ABP", "mmHg", second, b)],
            startTime: new DateTime(2020, 2, 29, 23, 59, 58));
        RecordingFile.Write(folder["r.edf"], recording);
        Recording back = RecordingFile.Read(folder["r.edf"]);
        Assert.Equal(["r.edf"], folder.Files);
        Assert.Equal(["ECG II", "ABP"], back.Channels.Select(c => c.Name));
        Assert.Equal(["mV", "mmHg"], back.Channels.Select(c => c.Unit));
        Assert.Equal(recording.StartTime, back.StartTime);
        foreach ((Channel was, Channel now) in recording.Channels.Zip(back.Channels))
        {
            // Eight characters state a data record's length: an error below 1e-5 where the rate has no whole one.
            Assert.Equal(was.SampleRate, now.SampleRate, 1e-5 * was.SampleRate);
            // Half a step of 65534 over the range, and as much again for limits rounded to eight characters.
            double step = (was.Samples.ToArray().Where(float.IsFinite).Max() - was.Samples.ToArray().Where(float.IsFinite).Min()) / 65534;
            for (int i = 0; i < was.Length; i++)
            {
                Assert.Equal(float.IsNaN(was.Samples.Span[i]), float.IsNaN(now.Samples.Span[i]));
                if (!float.IsNaN(was.Samples.Span[i]))
                    Assert.Equal(was.Samples.Span[i], now.Samples.Span[i], step + 1e-5);
            }
            // The last data record is filled up with missing samples.
            Assert.All(now.Samples.ToArray()[was.Length..], v => Assert.True(float.IsNaN(v)));
        }
    }

    [Fact]
    public void AnnotationsComeBackWithTimesAndDurations()
    {
        using var folder = new TemporaryFolder();
        Annotation[] notes =
        [
            new(0.5, 0, "N"), new(2.5, 0, "artefact") { DurationSeconds = 0.5 }, new(2.5, 0,
                "V\u00e4nster \u2192") { Text = "(AFIB" }, new(9.996, 0, "x\u0014y"),
            .. Enumerable.Range(0, 300).Select(i => new Annotation(3 + (i * 1e-3), 0, "beat " + i)),
        ];
        var recording = new Recording("r", [new Channel("ECG", "mV", 250, Wave(2500, -1, 1))], notes, new DateTime(2020, 2, 1, 10, 11, 12,
            500));
        RecordingFile.Write(folder["r.edf"], recording);
        Recording back = RecordingFile.Read(folder["r.edf"]);
        Assert.Equal(new DateTime(2020, 2, 1, 10, 11, 12, 500), back.StartTime);
        Assert.Equal(notes.OrderBy(n => n.TimeSeconds).Select(n => (Math.Round(n.TimeSeconds, 6), n.DurationSeconds)),
            back.Annotations.Select(n => (Math.Round(n.TimeSeconds, 6), n.DurationSeconds)));
        Assert.Contains(back.Annotations, n => n.Symbol == "V\u00e4nster \u2192 (AFIB");
        Assert.Contains(back.Annotations, n => n.Symbol == "x\\u0014y");
        Assert.Empty(back.Warnings);
        // Nothing of a person, and the times of the data records in order.
        Assert.StartsWith("0       X X X X ", Encoding.ASCII.GetString(File.ReadAllBytes(folder["r.edf"])), StringComparison.Ordinal);
    }

    [Fact]
    public void TheConvertersOwnStepsAreKept()
    {
        using var folder = new TemporaryFolder();
        float[] samples = [.. Enumerable.Range(-1000, 2000).Select(d => (float)(d / 200.0))];
        RecordingFile.Write(folder["r.edf"],
            new Recording("r", [new Channel("II", "mV", 250, samples, quantization: new ChannelQuantization(200, 0))]));
        Assert.Equal(samples, RecordingFile.Read(folder["r.edf"]).Channels[0].Samples.ToArray());
    }

    [Fact]
    public void NamesAreAsciiAndApart()
    {
        using var folder = new TemporaryFolder();
        string longName = new('x', 30);
        var recording = new Recording("r", [new Channel(longName, "\u00b5V", 100, new float[100]), new Channel(longName + "y", "", 100,
            new float[100]), new Channel("Puls\u00e9", "", 100, new float[100])]);
        RecordingFile.Write(folder["r.edf"], recording);
        Recording back = RecordingFile.Read(folder["r.edf"]);
        Assert.Equal(3, back.Channels.Select(c => c.Name).Distinct().Count());
        Assert.Equal("uV", back.Channels[0].Unit);
        Assert.All(back.Channels, c => Assert.All(c.Name, x => Assert.InRange(x, ' ', '~')));
        Assert.All(back.Channels, c => Assert.All(c.Samples.ToArray(), v => Assert.Equal(0, v, 1e-6)));
    }

    [Fact]
    public void RatesThatGoIntoNoCommonRecordAreRefusedAndNothingIsLeft()
    {
        using var folder = new TemporaryFolder();
        var recording = new Recording("r", [new Channel("a", "", 62.4725, new float[100]),
            new Channel("b", "", Math.PI * 30, new float[100])]);
        Assert.Throws<SignalException>(() => RecordingFile.Write(folder["r.edf"], recording));
        Assert.Empty(folder.Files);
    }

    // Whatever a recording holds: a file that reads back with as many samples, or a typed refusal.
    [Fact]
    public void AnyRecordingIsWrittenOrRefused()
    {
        int count = MutationFuzzer.CountFor(1500), written = 0;
        for (int n = 0; n < count; n++)
        {
            var random = new Random(n);
            double[] rates = [125, 250, 0.5, 62.4725, 1e-3, 1e5, 1 / 3.0, 359.999];
            double rate = rates[random.Next(rates.Length)];
            Channel[] channels = [.. Enumerable.Range(0, 1 + random.Next(3)).Select(c => new Channel(c + "\u0001\u00e9" + new string('n',
                random.Next(40)), random.Next(2) == 0 ? "mmHg" : "\u00b5V/\u03a9 long unit",
                random.Next(4) == 0 ? rates[random.Next(rates.Length)] : rate, Values(random)))];
            Annotation[] notes = [.. Enumerable.Range(0, random.Next(6)).Select(_ => new Annotation((random.NextDouble() * 40) - 5, 0,
                "a\u0015b" + new string('t', random.Next(300))) { DurationSeconds = random.Next(2) == 0 ? null
                : random.NextDouble() * 1e9 })];
            var recording = new Recording("r", channels, notes,
                random.Next(3) switch { 0 => null, 1 => DateTime.MinValue.AddSeconds(random.Next(86400)),
                _ => new DateTime(1900 + random.Next(300), 3, 1).AddTicks(random.NextInt64(TimeSpan.TicksPerDay)) });
            try
            {
                using var stream = new MemoryStream();
                new EdfWriter(recording).Write(stream, CancellationToken.None);
                Recording back = EdfFormat.Parse(stream.ToArray(), "r.edf", RecordingReadOptions.Default);
                Assert.Equal(channels.Length, back.Channels.Count);
                Assert.Equal(notes.Length, back.Annotations.Count);
                for (int c = 0; c < channels.Length; c++)
                    Assert.Equal(channels[c].Samples.ToArray().Count(float.IsFinite),
                        back.Channels[c].Samples.ToArray().Count(float.IsFinite));
                written++;
            }
            catch (SignalException)
            {
                // Rates without a common record, or values that eight characters cannot state.
            }
        }
        output.WriteLine($"EDF out: {count} recordings, {written} written and read back");
        Assert.True(written > count / 3);

        static float[] Values(Random random)
        {
            double scale = Math.Pow(10, random.Next(-9, 9)), offset = random.Next(3) == 0 ? scale * 1e4 : 0;
            return [.. Enumerable.Range(0, 1 + random.Next(400)).Select(_ => random.Next(9) == 0 ? float.NaN
                : (float)(offset + (scale * ((2 * random.NextDouble()) - 1))))];
        }
    }
}
