using UniCardio.Engine.Model;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Weights.Tests.Safetensors;

public class SafetensorsRoundTripTests
{
    private static readonly ParameterTensor[] Some =
    [
        new("b", [2, 3], new float[] { 1, -2, 3.5f, float.NegativeZero, float.Epsilon, float.MaxValue }),
        new("a->ü \"quoted\"\\", [], new float[] { 42 }),
        new("empty", [3, 0], ReadOnlyMemory<float>.Empty),
        new("nan", [1], new float[] { BitConverter.UInt32BitsToSingle(0x7FC01234) }),
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void GivesBackWhatWasWritten(bool memoryMap)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("x.safetensors");
        var metadata = new Dictionary<string, string> { ["z"] = "last", ["a"] = "first -> \u00e9\u0001" };
        SafetensorsWriter.Write(path, Some, metadata);
        using SafetensorsFile file = SafetensorsFile.Open(path, memoryMap);
        Assert.Equal(metadata.OrderBy(p => p.Key), file.Metadata.OrderBy(p => p.Key));
        Assert.Equal(Some.Length, file.Entries.Count);
        foreach (ParameterTensor tensor in Some)
        {
            Assert.Equal(tensor.Shape, file.Entry(tensor.Name).Shape);
            Assert.Equal(ElementType.F32, file.Entry(tensor.Name).Type);
            Assert.Equal(tensor.Span.ToArray().Select(BitConverter.SingleToUInt32Bits),
                file.Floats(tensor.Name).ToArray().Select(BitConverter.SingleToUInt32Bits));
        }
    }

    [Fact]
    public void WritesTheSameBytesForTheSameInputWithDataAtAMultipleOfEight()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder.File("1"), Some, new Dictionary<string, string> { ["x"] = "1", ["y"] = "2" });
        SafetensorsWriter.Write(folder.File("2"), Some, new Dictionary<string, string> { ["y"] = "2", ["x"] = "1" });
        byte[] bytes = File.ReadAllBytes(folder.File("1"));
        Assert.Equal(bytes, File.ReadAllBytes(folder.File("2")));
        Assert.Equal(0, BitConverter.ToInt64(bytes) % 8);
        Assert.Equal((byte)'{', bytes[8]);
    }

    [Fact]
    public void ViewsAlignedDataWithoutCopying()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder.File("x"), [new("big", [1 << 20], new float[1 << 20])]);
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("x"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        ReadOnlyMemory<float> view = file.Floats("big");
        // 4 MiB of data; the view itself is an object of under 100 bytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024);
        Assert.Equal(1 << 20, view.Length);
    }

    [Fact]
    public void AViewOfADisposedFileThrows()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder.File("x"), Some);
        SafetensorsFile file = SafetensorsFile.Open(folder.File("x"));
        ReadOnlyMemory<float> view = file.Floats("b");
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => view.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => view.Pin());
        Assert.Throws<ObjectDisposedException>(() => file.Floats("b"));
    }

    [Fact]
    public void ReplacesAFileWholeAndLeavesNothingBeside()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder.File("x"), [new("first", [1], new float[] { 1 })]);
        SafetensorsWriter.Write(folder.File("x"), [new("second", [1], new float[] { 2 })]);
        using (SafetensorsFile file = SafetensorsFile.Open(folder.File("x")))
            Assert.Equal("second", Assert.Single(file.Entries).Name);
        Assert.Equal(["x"], folder.Names);
    }

    [Fact]
    public void ACancelledOrFailedWriteChangesNothing()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder.File("x"), Some);
        byte[] before = File.ReadAllBytes(folder.File("x"));
        Assert.Throws<OperationCanceledException>(() =>
            SafetensorsWriter.Write(folder.File("x"), Some, cancellation: new CancellationToken(true)));
        SafetensorsFile closed = SafetensorsFile.Open(folder.File("x"));
        ParameterTensor dead = closed.Tensor("b");
        closed.Dispose();
        Assert.Throws<ObjectDisposedException>(() =>
            SafetensorsWriter.Write(folder.File("x"), [Some[0], new ParameterTensor("dead", dead.Shape, dead.Data)]));
        Assert.Equal(before, File.ReadAllBytes(folder.File("x")));
        Assert.Equal(["x"], folder.Names);
    }

    [Theory]
    [InlineData("b")]
    [InlineData("__metadata__")]
    public void RefusesToWriteANameTwiceOrTheMetadatasName(string name)
    {
        using var folder = new TemporaryFolder();
        var e = Assert.Throws<WeightFormatException>(() =>
            SafetensorsWriter.Write(folder.File("x"), [Some[0], new ParameterTensor(name, [1], new float[] { 1 })]));
        Assert.Equal(name, e.Entry);
        Assert.Empty(folder.Names);
    }

    [SkippableFact]
    public void ReadsAFileOfAnotherLibrary()
    {
        using SafetensorsFile file = SafetensorsFile.Open(Project.Shared("golden/tiny.eps.safetensors"));
        Assert.Equal("48", file.Metadata["channels"]);
        // 21 tasks, 4 values of t, input and output of each.
        Assert.Equal(21 * 4 * 2, file.Entries.Count);
        Assert.All(file.Entries, e => Assert.Equal(e.Name.EndsWith("/x", StringComparison.Ordinal) ? [2, 400] : [2, 100], e.Shape));
    }
}
