using System.Text.Json;

namespace UniCardio.Cli.Tests;

public class QualityTests
{
    [Fact]
    public void Quality_of_the_example_is_printed_and_drawn()
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
    public void Pretraining_writes_a_network_that_info_knows()
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
