using System.Globalization;
using System.Text;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Csv;
using UniCardio.Signals.Formats.Edf;
using UniCardio.Signals.Formats.Npy;
using UniCardio.Signals.Formats.Wfdb;
using Xunit.Abstractions;

namespace UniCardio.Signals.Tests.Formats;

/// <summary>Memory that reading takes, over the size of what is read.</summary>
public class MemoryTests(ITestOutputHelper output)
{
    private const int Samples = 500_000;

    // What reading allocates, with the input itself, over the input's size: an upper bound of what it holds at any time.
    private void Check(string what, int bytes, double bound, Func<Recording> read)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Recording r = read();
        double ratio = 1 + ((GC.GetAllocatedBytesForCurrentThread() - before) / (double)bytes);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what}: {bytes / 1048576.0:F1} MiB, {r.Channels.Sum(c => (long)c.Length)} samples, {ratio:F2} times its size"));
        Assert.InRange(ratio, 1, bound);
    }

    [Fact]
    public void ReadingTakesAFewTimesTheInput()
    {
        // Two columns, "0.008,1.2": 10 bytes a row; times of 8 bytes and samples of 4, twice while they are put together.
        byte[] csv = Encoding.ASCII.GetBytes("time,ecg\n" + string.Concat(Enumerable.Range(0,
            Samples).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i * 0.008:F3},{i % 10}\n"))));
        Check("CSV", csv.Length, 4, () => CsvFormat.Parse(csv, "x.csv", RecordingReadOptions.Default));
        // One digit a row is the densest that a table can be: 2 bytes for a sample of 4, twice.
        byte[] dense = Encoding.ASCII.GetBytes("ecg\n" + string.Concat(Enumerable.Range(0, Samples).Select(i => $"{i % 10}\n")));
        Check("CSV, one digit a row", dense.Length, 6, () => CsvFormat.Parse(dense, "x.csv",
            new RecordingReadOptions { SampleRate = 125 }));
        var recording = new Recording("r",
            [new Channel("ECG", "mV", 125, Enumerable.Range(0, Samples).Select(i => (float)(i % 1000)).ToArray())]);
        using var folder = new TemporaryFolder();
        foreach ((string name, double bound) in new[] { ("r.npy", 3.5), ("r.edf", 4.5), ("r.hea", 8.0) })
        {
            RecordingFile.Write(folder[name], recording);
            byte[] file = File.ReadAllBytes(folder[name == "r.hea" ? "r.dat" : name]);
            byte[] header = name == "r.hea" ? File.ReadAllBytes(folder[name]) : [];
            Check(name, file.Length, bound, () => name switch
            {
                "r.npy" => NpyFormat.Parse(file, name, new RecordingReadOptions { SampleRate = 125 }),
                "r.edf" => EdfFormat.Parse(file, name, RecordingReadOptions.Default),
                _ => new WfdbRecordReader(new RecordFiles.InMemory(new Dictionary<string,
                    byte[]> { ["r.hea"] = header, ["r.dat"] = file }), RecordingReadOptions.Default, CancellationToken.None).Read("r"),
            });
        }
    }
}
