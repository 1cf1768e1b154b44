using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Tests.Shared;
using UniCardio.Weights.Safetensors;
using UniCardio.Weights.Tests.Torch;
using UniCardio.Weights.Torch;
using Xunit.Abstractions;

namespace UniCardio.Weights.Tests;

/// <summary>Mutated files: only the documented exceptions come out, within bounded time and memory. UNICARDIO_FUZZ sets the number of
/// inputs.</summary>
public class FuzzTests(ITestOutputHelper output)
{
    private const int Inside = 4000;

    [Fact]
    public void Safetensors() => Run("safetensors", 1, Seeds("safetensors"), bytes =>
    {
        using SafetensorsFile file = SafetensorsFile.FromBytes("w", bytes);
        foreach (SafetensorsEntry entry in file.Entries)
        {
            if (entry.Type.IsConvertible())
                Assert.Equal(entry.Count, file.Floats(entry.Name).Length);
            Assert.Equal(entry.Length, file.Bytes(entry.Name).Length);
        }
    });

    // Checksums would turn most mutants away at the gate: without them the mutations reach the pickle and the storages.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TorchCheckpoints(bool verifyChecksums) => Run($"pth, checksums {verifyChecksums}", 2, Seeds("pth"), bytes =>
    {
        using TorchCheckpoint file = TorchCheckpoint.FromBytes("w", bytes, verifyChecksums);
        foreach (TorchEntry entry in file.Entries)
        {
            if (entry.Type.IsConvertible())
                Assert.Equal(entry.Shape, file.Tensor(entry.Name).Shape);
        }
    });

    // Most mutations change a length and end at the container. These change the inside and wrap it soundly.
    [Fact]
    public void SafetensorsHeaders()
    {
        byte[] file = Seeds("safetensors")[0];
        int length = BitConverter.ToInt32(file);
        byte[] header = file[8..(8 + length)], data = file[(8 + length)..];
        Run("safetensors header", 5, [header], json =>
        {
            using SafetensorsFile read = SafetensorsFile.FromBytes("w", [.. BitConverter.GetBytes((long)json.Length), .. json, .. data]);
            foreach (SafetensorsEntry entry in read.Entries.Where(e => e.Type.IsConvertible()))
                Assert.Equal(entry.Count, read.Floats(entry.Name).Length);
        });
    }

    [Fact]
    public void Pickles()
    {
        byte[] pickle = new PickleBuilder().OrderedDictionary().Op('(')
            .Text("module.a").Tensor("FloatStorage", "0", 600, 3, [10, 59], [59, 1])
            .Text("module.b").Tensor("HalfStorage", "1", 600, 0, [20, 10, 3], [3, 60, 1])
            .Op('u').Op('}').Text("_metadata").OrderedDictionary().Op('s').Op('b').Stop();
        Run("pickle", 3, [pickle], mutant =>
        {
            using TorchCheckpoint file =
                TorchCheckpoint.FromBytes("w", TorchBuilder.Of(mutant, ("0", new byte[2400]), ("1", new byte[1200])).Bytes());
            foreach (TorchEntry entry in file.Entries.Where(e => e.Type.IsConvertible()))
                Assert.Equal(entry.Shape, file.Tensor(entry.Name).Shape);
        });
    }

    [Theory]
    [InlineData("safetensors")]
    [InlineData("pth")]
    public void WholeFilesThroughTheDoor(string format)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("w");
        var options = new WeightLoadOptions { Heads = 3, VerifyChecksums = false };
        // A whole load opens a file and checks a network: a tenth of the inputs.
        Run($"load {format}", 4, Seeds(format), bytes =>
        {
            File.WriteAllBytes(path, bytes);
            using LoadedWeights loaded = WeightFile.Load(path, options);
            Assert.All(loaded.Weights.Tensors, t => Assert.DoesNotContain(t.Span.ToArray(), v => !float.IsFinite(v)));
        }, share: 10);
    }

    private static byte[][] Seeds(string format)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("w");
        ParameterTensor[] few = [.. SmallNetwork.Tensors(5000).Take(4), new("alpha_torch", [3, 1, 1], new float[] { 1, 0.5f, 0.1f })];
        if (format == "pth")
            return [TorchBuilder.Of(few).Bytes(),
                new ZipBuilder { Alignment = 1, Zip64End = false }.Write(TorchBuilder.Of(few, "").Entries),
                TorchBuilder.Of(SmallNetwork.Tensors(5000)).Bytes()];
        SafetensorsWriter.Write(path, few, SmallNetwork.Configuration.ToMetadata());
        byte[] first = File.ReadAllBytes(path);
        SafetensorsWriter.Write(path, [.. SmallNetwork.Tensors(5000)], SmallNetwork.Configuration.ToMetadata());
        return [first, File.ReadAllBytes(path)];
    }

    private void Run(string name, ulong seed, byte[][] seeds, Action<byte[]> target, int share = 1)
    {
        // The sound inputs pass: otherwise every mutant would be refused for one and the same reason.
        Assert.All(seeds.TakeLast(1), target);
        // An input takes well under a millisecond; the bound leaves room for a machine that stands still while it does other things.
        FuzzReport report = MutationFuzzer.Run(seeds, Math.Max(1, MutationFuzzer.CountFor(Inside) / share), seed, target,
            e => e is WeightFormatException or WeightsException or ConfigurationException, maxTime: TimeSpan.FromSeconds(30),
            maxAllocated: 8L << 20);
        output.WriteLine($"{name}: {report}");
        Assert.True(report.Refused > 0 && report.Accepted > 0, report.ToString());
    }
}
