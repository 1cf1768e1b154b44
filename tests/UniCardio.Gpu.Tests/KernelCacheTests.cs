using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Weights;

namespace UniCardio.Gpu.Tests;

/// <summary>Kernels that are kept on disk: loaded as they are, written anew where they are not whole.</summary>
public sealed class KernelCacheTests : DeviceTests, IDisposable
{
    private static readonly ModelConfiguration s_model =
        new() { Channels = 12, Heads = 2, Blocks = 1, FeedForward = 4, Embedding = 8, SlotSamples = 6 };

    // Two encoder kernels, QKV, attention, out-projection, feed-forward, gate, output, decoder, noise; two for few rows.
    private const int Kernels = 12;

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "unicardio-kernels-" + Guid.NewGuid().ToString("N"));
    private readonly ModelWeights _weights = new WeightRecipe(1, s_model).Create();

    public KernelCacheTests()
        : base(TestDevice.Simulated)
    {
    }

    [SkippableFact]
    public void KernelsAreKeptAndLoadedAgain()
    {
        float[] first = Predict();
        string[] files = Directory.GetFiles(_folder);
        Assert.Equal(Kernels, files.Length);
        Assert.All(files, f => Assert.EndsWith(".ptx", f, StringComparison.Ordinal));
        var before = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        foreach (string file in files)
            File.SetLastWriteTimeUtc(file, before);
        Assert.Equal(first, Predict());
        Assert.All(files, f => Assert.Equal(before, File.GetLastWriteTimeUtc(f)));
        Assert.Equal(Kernels, Directory.GetFiles(_folder).Length);
    }

    // A whole entry with another text: the network without its decoder's ReLU.
    [SkippableFact]
    public void WhatIsKeptIsWhatRuns()
    {
        float[] first = Predict();
        string decoder = Directory.GetFiles(_folder)
            .Single(f => File.ReadAllText(f).Contains("Kernel_TensorDecoder", StringComparison.Ordinal));
        string[] parts = File.ReadAllText(decoder).Split('\n', 2);
        string[] head = parts[0].Split(' ');
        string other = parts[1].Replace("max.f32", "min.f32", StringComparison.Ordinal);
        head[^3] = KernelCache.Hash($"{head[^2]} {head[^1]}\n{other}");
        File.WriteAllText(decoder, $"{string.Join(' ', head)}\n{other}");
        Assert.NotEqual(first, Predict());
    }

    [SkippableTheory]
    [InlineData("cut")]
    [InlineData("changed")]
    [InlineData("empty")]
    [InlineData("another kind")]
    [InlineData("another size")]
    public void EntriesThatAreNotWholeAreWrittenAnew(string damage)
    {
        float[] first = Predict();
        string file = Directory.GetFiles(_folder).First(f => File.ReadAllText(f).Contains("Kernel_Encoder", StringComparison.Ordinal));
        string text = File.ReadAllText(file), head = text.Split('\n')[0];
        File.WriteAllText(file, damage switch
        {
            "cut" => text[..(text.Length / 2)],
            "changed" => text.Replace("ret;", "bra;", StringComparison.Ordinal),
            "empty" => "",
            "another kind" => text.Replace("unicardio kernel 1", "unicardio kernel 9", StringComparison.Ordinal),
            _ => text.Replace(head, head + "0", StringComparison.Ordinal),
        });
        Assert.False(IsWhole(file));
        Assert.Equal(first, Predict());
        Assert.True(IsWhole(file));
    }

    [SkippableFact]
    public void FolderThatCannotBeUsedCostsNothingElse()
    {
        float[] first = Predict();
        // A file where the folder should be.
        File.WriteAllText(_folder + ".file", "");
        GpuDevices.KernelCacheFolder = _folder + ".file";
        Assert.Equal(first, Predict(set: false));
    }

    [Fact]
    public void OptionGoesBeforeTheUsualFolder()
    {
        Assert.Null(GpuDevices.CacheFolder("off", isUsual: true));
        Assert.Equal(Path.GetFullPath("x"), GpuDevices.CacheFolder("x", isUsual: true));
        Assert.EndsWith(Path.Combine("unicardio", "kernels"), KernelCache.UserFolder(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        GpuDevices.KernelCacheFolder = null;
        File.Delete(_folder + ".file");
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
        _weights.Dispose();
    }

    private static bool IsWhole(string file) =>
        File.ReadAllText(file).Split('\n', 2) is [string head, string ptx]
        && head.StartsWith("// unicardio kernel 1 ", StringComparison.Ordinal)
        && head.Split(' ') is [.., string hash, string bytes, string dynamic] && hash == KernelCache.Hash($"{bytes} {dynamic}\n{ptx}");

    // On a device of its own, as a process that begins has it.
    private float[] Predict(bool set = true)
    {
        _ = TestDevices.Driver;
        if (set)
            GpuDevices.KernelCacheFolder = _folder;
        using GpuDevice device = GpuDevices.Open(new DeviceSelector("cuda"));
        using var backend = new GpuBackend(device, _weights);
        using IExecutor executor = backend.CreateExecutor(new InferencePlan(s_model, CardioTask.Parse("ppg->ecg", null)));
        float[] result = [0.1f, 0.9f, -0.4f, 0, 1, -1];
        executor.SetConditions(result);
        executor.SetState(result);
        executor.Predict(9, result);
        return result;
    }
}
