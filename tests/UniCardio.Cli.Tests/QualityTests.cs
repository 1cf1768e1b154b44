using System.Text.Json;

namespace UniCardio.Cli.Tests;

public class QualityTests
{
    [Fact]
    public void QualityOfTheExampleIsPrintedAndDrawn()
    {
        string folder = Directory.CreateTempSubdirectory("quality").FullName;
        try
        {
            string picture = Path.Combine(folder, "quality.svg");
            CliResult result = Cli.Run("quality", Project.Example, "--json", "--plot", picture);
            Assert.Equal(0, result.Code);
            using JsonDocument json = JsonDocument.Parse(result.Out);
            JsonElement[] channels = [.. json.RootElement.GetProperty("channels").EnumerateArray()];
            Assert.Equal(3, channels.Length);
            JsonElement ecg = channels.Single(c => c.GetProperty("kind").GetString() == "ecg");
            JsonElement late = ecg.GetProperty("seconds")[15];
            Assert.InRange(late.GetProperty("index").GetDouble(), 0.8, 1);
            Assert.True(late.GetProperty("heart_rate").GetBoolean());
            Assert.False(late.TryGetProperty("pressure", out _));
            Assert.StartsWith("<svg", File.ReadAllText(picture).TrimStart(), StringComparison.Ordinal);
            CliResult table = Cli.Run("quality", Project.Example);
            Assert.Contains("rate, rhythm", table.Out, StringComparison.Ordinal);
            Assert.Contains("not a medical device", table.Out, StringComparison.Ordinal);
            Assert.Equal(2, Cli.Run("quality", Path.Combine(folder, "none.csv")).Code);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void RhythmOfTheExampleIsToldSignalBySignalAndTogether()
    {
        CliResult result = Cli.Run("rhythm", Project.Example, "--window", "10", "--json");
        Assert.Equal(0, result.Code);
        using JsonDocument json = JsonDocument.Parse(result.Out);
        JsonElement[] signals = [.. json.RootElement.GetProperty("signals").EnumerateArray()];
        Assert.Equal("together", signals[^1].GetProperty("name").GetString());
        Assert.All(signals, s => Assert.True(s.GetProperty("windows").GetArrayLength() >= 2));
        Assert.DoesNotContain("fibrillation", string.Join(' ', signals[^1].GetProperty("windows").EnumerateArray()
            .Select(w => w.GetProperty("rhythm").GetString())), StringComparison.Ordinal);
        Assert.Contains("not a medical device", Cli.Run("rhythm", Project.Example).Out, StringComparison.Ordinal);
        Assert.Equal(2, Cli.Run("rhythm", Project.Example, "--window", "9").Code);
    }

    [Fact]
    public void WeightsAreHalved()
    {
        string folder = Directory.CreateTempSubdirectory("halved").FullName;
        try
        {
            string whole = Path.Combine(folder, "a.safetensors"), half = Path.Combine(folder, "b.safetensors");
            foreach (string size in (string[])["recipe:1,tiny", "recipe:1,quality-tiny"])
            {
                Assert.Equal(0, Cli.Run("convert", size, whole).Code);
                foreach (string type in (string[])["f16", "bf16"])
                {
                    Assert.Equal(0, Cli.Run("convert", whole, half, "--dtype", type).Code);
                    Assert.InRange(new FileInfo(half).Length / (double)new FileInfo(whole).Length, 0.45, 0.6);
                    Assert.Equal(0, Cli.Run("info", half).Code);
                }
            }

            Assert.Equal(2, Cli.Run("convert", "recipe:1,tiny", Path.Combine(folder, "c.onnx"), "--dtype", "f16").Code);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void PretrainingWritesANetworkThatInfoKnows()
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".safetensors");
        try
        {
            CliResult result = Cli.Run("pretrain", "quality", "--steps", "1", "--pairs", "1", "--exam", "2", "--export", file);
            Assert.Equal(0, result.Code);
            Assert.Contains("class prior", result.Out, StringComparison.Ordinal);
            Assert.InRange(new FileInfo(file).Length, 1, 4 << 20);
            Assert.Equal(0, Cli.Run("info", file).Code);
            Assert.Equal(2, Cli.Run("pretrain", "quality", "--without", "everything").Code);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
