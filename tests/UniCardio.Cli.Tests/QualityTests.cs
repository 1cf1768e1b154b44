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

    /// <summary>A recording of no second has no mean and no share: not 0.</summary>
    [Fact]
    public void OfNoSecondThereIsNoFigure()
    {
        using var folder = new TemporaryFolder();
        string two = folder.File("two.csv");
        File.WriteAllText(two, "time_s,PPG,ABP_mmHg\n0,1,90\n0.008,2,91\n");
        string[] row = [.. Cli.Succeed("quality", two).Out.Split('\n').First(l => l.Contains("ABP", StringComparison.Ordinal)).Trim()
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        Assert.Equal(["ABP", "bp", "0", "-", "-", "-", "-"], row);
        JsonElement channel = Cli.Succeed("quality", two, "--json").Json.GetProperty("channels")[1];
        Assert.False(channel.TryGetProperty("mean", out _));
        Assert.False(channel.TryGetProperty("heart_rate_share", out _));
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
    public void TheNetworkStandsBesideTheIndexByWindowsOrInOnePass()
    {
        string folder = Directory.CreateTempSubdirectory("network").FullName;
        try
        {
            const string Weights = "recipe:3,quality-small";
            string tokens = Path.Combine(folder, "tokens.npy");
            CliResult windows = Cli.Run("quality", Project.Example, "--weights", Weights, "--json"),
                whole = Cli.Run("quality", Project.Example, "--weights", Weights, "--json", "--features", tokens);
            Assert.Equal((0, 0), (windows.Code, whole.Code));
            using JsonDocument one = JsonDocument.Parse(windows.Out), other = JsonDocument.Parse(whole.Out);
            JsonElement network = one.RootElement.GetProperty("network"), pass = other.RootElement.GetProperty("network");
            Assert.False(network.GetProperty("one_pass").GetBoolean());
            Assert.True(pass.GetProperty("one_pass").GetBoolean());
            // The example is shorter than the window of 30 s: both are the same call.
            Assert.Equal(network.GetProperty("signals").GetRawText(), pass.GetProperty("signals").GetRawText());
            Assert.Equal(24, network.GetProperty("rhythm").GetArrayLength());
            Assert.Equal(0, Cli.Run("info", tokens, "--rate", "1").Code);
            Assert.Contains("It is not the product's index", Cli.Run("quality", Project.Example, "--weights", Weights).Out,
                StringComparison.Ordinal);
            // The shipped one is told the indices too.
            CliResult shipped = Cli.Run("quality", Project.Example, "--network", "--json");
            Assert.Equal(0, shipped.Code);
            using JsonDocument beside = JsonDocument.Parse(shipped.Out);
            JsonElement own = beside.RootElement.GetProperty("network");
            Assert.Equal("quality.safetensors", own.GetProperty("weights").GetString());
            JsonElement ecg = own.GetProperty("signals").EnumerateArray().Last();
            Assert.InRange(ecg.GetProperty("heart_rate")[20].GetDouble(), 0.5, 1);
            Assert.InRange(ecg.GetProperty("quality")[20].GetDouble(), 0.5, 1);
            Assert.Equal(2, Cli.Run("quality", Project.Example, "--weights", "recipe:3,quality-base").Code);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Ten seconds at 64 Hz, of which the last sample is missing: one window, one result.
    [Fact]
    public void ARhythmIsToldOfAShortPulseAndOfNothingThatWasMade()
    {
        string folder = Directory.CreateTempSubdirectory("rhythm").FullName;
        try
        {
            string pulse = Path.Combine(folder, "pulse.csv"), made = Path.Combine(folder, "made.csv");
            string csv = Path.Combine(folder, "all.csv");
            Assert.Equal(0, Cli.Run("synth", csv, "--seconds", "10", "--rate", "64", "--seed", "5").Code);
            string[] lines = File.ReadAllLines(csv);
            int column = Array.IndexOf(lines[0].Split(','), lines[0].Split(',').First(h => h.StartsWith("PPG", StringComparison.Ordinal)));
            File.WriteAllLines(pulse, ["ppg", .. lines[1..^1].Select(l => l.Split(',')[column])]);
            CliResult result = Cli.Run("rhythm", pulse, "--rate", "64", "--json");
            Assert.Equal(0, result.Code);
            using JsonDocument json = JsonDocument.Parse(result.Out);
            JsonElement signal = Assert.Single(json.RootElement.GetProperty("signals").EnumerateArray());
            JsonElement window = Assert.Single(signal.GetProperty("windows").EnumerateArray());
            Assert.Equal(10, window.GetProperty("end").GetDouble());
            Assert.Equal(0, Cli.Run("translate", Project.Example, "--with", "ppg", "--target", "ecg", "--draws", "1", "--sampler", "ddim:2",
                "--out", made).Code);
            CliResult of = Cli.Run("rhythm", made, "--json");
            Assert.Contains("\"generated\"", of.Out, StringComparison.Ordinal);
            Assert.DoesNotContain("\"generated\"", Cli.Run("rhythm", made, "--json", "--generated").Out, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
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
