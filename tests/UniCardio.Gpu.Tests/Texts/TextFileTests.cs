namespace UniCardio.Gpu.Tests.Texts;

/// <summary>The texts that the tensor-core kernels emit are the generator's; <c>UNICARDIO_WRITE_TEXTS=1</c> writes them.</summary>
public sealed class TextFileTests
{
    public static TheoryData<string> Names => [.. Files.Select(f => f.Name)];

    private static IEnumerable<TextFile> Files => [TileTexts.File, AttentionTexts.File, FeedForwardTexts.File, RowTexts.File];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void TextIsTheGenerators(string name)
    {
        string path;
        try
        {
            path = Project.File("kernels", "UniCardio.Gpu", "Kernels", name + ".cs");
        }
        catch (DirectoryNotFoundException e)
        {
            throw new SkipException(e.Message);
        }

        string content = Files.Single(f => f.Name == name).Content();
        if (Environment.GetEnvironmentVariable("UNICARDIO_WRITE_TEXTS") == "1")
            File.WriteAllText(path, content);
        Assert.Equal(content, File.ReadAllText(path));
    }
}
