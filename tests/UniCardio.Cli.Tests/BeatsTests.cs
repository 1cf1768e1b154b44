using System.Text.Json;

namespace UniCardio.Cli.Tests;

public class BeatsTests
{
    [Fact]
    public void BeatsOfTheExampleArePrintedWrittenAndComparedWithThemselves()
    {
        string folder = Directory.CreateTempSubdirectory("beats").FullName;
        try
        {
            string beats = Path.Combine(folder, "ecg.atr"), cells = Path.Combine(folder, "all.csv");
            CliResult result = Cli.Run("beats", Project.Example, "--json");
            Assert.Equal(0, result.Code);
            using JsonDocument json = JsonDocument.Parse(result.Out);
            JsonElement ecg = json.RootElement.GetProperty("channels").EnumerateArray()
                .Single(c => c.GetProperty("kind").GetString() == "ecg");
            double[] times = [.. ecg.GetProperty("beats").EnumerateArray().Select(b => b.GetDouble())];
            Assert.InRange(times.Length, 20, 60);
            // The rate is that of the beats: a minute over the mean interval.
            Assert.Equal(60 * (times.Length - 1) / (times[^1] - times[0]), ecg.GetProperty("rate_bpm").GetDouble(), 0.5);
            Assert.InRange(ecg.GetProperty("quality").GetDouble(), 0.8, 1);
            Assert.Equal("", ecg.GetProperty("reason").GetString());

            string name = ecg.GetProperty("name").GetString()!;
            Assert.Equal(0, (Cli.Run("beats", Project.Example, "--channel", name, "--out", beats)).Code);
            Assert.Equal(0, (Cli.Run("beats", Project.Example, "--out", cells)).Code);
            Assert.Contains($"{name},ecg,", File.ReadAllText(cells), StringComparison.Ordinal);
            CliResult compared = Cli.Run("beats", Project.Example, "--channel", name, "--against", beats, "--json");
            using JsonDocument agreement = JsonDocument.Parse(compared.Out);
            JsonElement row = agreement.RootElement.GetProperty("channels")[0].GetProperty("against");
            Assert.Equal((times.Length, times.Length, 0, 0),
                (row.GetProperty("reference").GetInt32(), row.GetProperty("true_positives").GetInt32(),
                row.GetProperty("false_negatives").GetInt32(), row.GetProperty("false_positives").GetInt32()));
            Assert.Equal(2, (Cli.Run("beats", Project.Example, "--out", beats)).Code);
            Assert.Equal(2, (Cli.Run("beats", Project.Example, "--channel", "nothing")).Code);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
