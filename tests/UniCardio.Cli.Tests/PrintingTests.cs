using System.Text.Json;
using System.Xml.Linq;

namespace UniCardio.Cli.Tests;

/// <summary>What comes out of files is shown, never acted upon; and a failure leaves things as they were, or says what changed.</summary>
public class PrintingTests
{
    private const string Hostile = "\"PPG \u001b[2J\u001b]0;pwned\u0007[red]x[/]\",\"BP <script>alert(1)</script> \"\"& mmHg\"";

    // Nine seconds with a gap, so that there is something to fill.
    private static string Record(TemporaryFolder folder, string names)
    {
        string path = folder.File("in.csv");
        File.WriteAllText(path, $"time,{names}\n" + string.Concat(Enumerable.Range(0, 1125).Select(i => FormattableString.Invariant(
            $"{i * 0.008:F3},{Math.Sin(i * 0.05):F3},{(i is > 500 and < 650 ? null : 90 + (20 * Math.Sin(i * 0.05))):F2}\n"))));
        return path;
    }

    private static void AssertShown(string text) => Assert.DoesNotContain(text, c => char.IsControl(c) && c is not ('\n' or '\r' or '\t'));

    [Fact]
    public void NamesAreShownInTerminalJsonPictureAndTable()
    {
        using var folder = new TemporaryFolder();
        string input = Record(folder, Hostile);
        foreach (string[] args in new[] { new[] { "info", input }, ["info", input, "--json"] })
        {
            CliResult info = Cli.Succeed(args);
            AssertShown(info.Out + info.Error);
            Assert.Contains("\\u001B[2J", info.Out.Replace("\\\\u", "\\u", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Contains("[red]", info.Out, StringComparison.Ordinal);
        }
        string output = folder.File("out.csv"), picture = folder.File("out.svg");
        CliResult result = Cli.Succeed("impute", input, "--target", "bp", "--with", "ppg", "--channel",
            "bp=BP <script>alert(1)</script> \"&", "--draws", "2", "--sampler", "ddim:2", "--out", output, "--plot", picture);
        AssertShown(result.Out + result.Error);
        AssertShown(File.ReadAllText(output));
        string svg = File.ReadAllText(picture);
        AssertShown(svg);
        Assert.DoesNotContain("<script", svg, StringComparison.OrdinalIgnoreCase);
        XDocument.Parse(svg);
    }

    [Fact]
    public void FormulasInNamesAreQuotedInEveryTableWritten()
    {
        using var folder = new TemporaryFolder();
        string input = Record(folder, "=cmd|'/C calc'!A0,bp_mmHg"), output = folder.File("out.csv");
        Cli.Succeed("impute", input, "--target", "bp", "--draws", "2", "--sampler", "ddim:2", "--out", output);
        Assert.All(File.ReadLines(output).First().Split(','), c => Assert.DoesNotContain(c.Trim('"')[0], "=+-@"));
        Assert.Contains("=cmd|'/C calc'!A0", Cli.Succeed("info", output).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void MessagesAboutHostileFilesAreOneLine()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("in.csv");
        File.WriteAllText(path, "time,ecg\n0,\"a\u001b[31m\"\n");
        CliResult result = Cli.Run("info", path);
        AssertShown(result.Error);
        Assert.Single(result.Error.Trim().Split('\n'));
        Assert.DoesNotContain("unforeseen", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AnOutputKeepsTheModeOfTheFileThatItReplaces()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new TemporaryFolder();
        string input = Record(folder, "ppg,abp_mmHg");
        foreach (string name in new[] { "out.csv", "out.svg" })
        {
            File.WriteAllText(folder.File(name), "private");
            File.SetUnixFileMode(folder.File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        Cli.Succeed("impute", input, "--target", "bp", "--with", "ppg", "--draws", "2", "--sampler", "ddim:2", "--out",
            folder.File("out.csv"), "--plot", folder.File("out.svg"));
        foreach (string name in new[] { "out.csv", "out.svg" })
        {
            Assert.NotEqual("private", File.ReadAllText(folder.File(name)));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File(name)));
        }
    }

    [Fact]
    public void AFailureAfterAnOutputSaysWhatWasWritten()
    {
        using var folder = new TemporaryFolder();
        string input = Record(folder, "ppg,abp_mmHg"), picture = folder.File("out.svg");
        Directory.CreateDirectory(picture);
        CliResult result = Cli.Run("impute", input, "--target", "bp", "--with", "ppg", "--draws", "2", "--sampler", "ddim:2", "--out",
            folder.File("out.csv"), "--plot", picture);
        Assert.Equal(ExitCode.BadInput, result.Code);
        Assert.Equal(["in.csv", "out.csv"], folder.Files);
        Assert.Contains("out.csv", result.Error, StringComparison.Ordinal);
        Assert.Contains("written", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void PipesAndLinksOutOfTheFolderAreRefusedUnopened()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new TemporaryFolder();
        string outside = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(outside, new byte[500]);
            File.WriteAllText(folder.File("r.hea"), "r 1 125 0\nr.dat 80 1(0)/mV 8 0 0 0 0 ECG\n");
            File.CreateSymbolicLink(folder.File("r.dat"), outside);
            Cli.Refuse("link", "info", folder.File("r.hea"));
            File.Delete(folder.File("r.dat"));
            // Opening it would wait for its other end for ever.
            using (var make = System.Diagnostics.Process.Start("mkfifo", folder.File("r.dat")))
                make.WaitForExit();
            Cli.Refuse("regular file", "info", folder.File("r.hea"));
            foreach (string name in new[] { "p.csv", "p.edf", "p.npy", "p.safetensors", "p" })
            {
                using (var make = System.Diagnostics.Process.Start("mkfifo", folder.File(name)))
                    make.WaitForExit();
                Cli.Refuse("regular file", "info", folder.File(name));
            }
            Cli.Refuse("regular file", "info", "/dev/zero");
        }
        finally
        {
            File.Delete(outside);
        }
    }

    [Fact]
    public void InfoAsJsonHasWhatScriptsNeed()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("in.csv"),
            "datetime,ecg_mV,x\n2020-01-01 00:00:00.000,1,\n2020-01-01 00:00:00.008,,\n2020-01-01 00:00:00.016,3,\n");
        JsonElement info = Cli.Succeed("info", folder.File("in.csv"), "--json").Json;
        Assert.Equal("2020-01-01T00:00:00", info.GetProperty("start").GetString());
        Assert.Equal(0.024, info.GetProperty("seconds").GetDouble(), 1e-9);
        JsonElement ecg = info.GetProperty("channels")[0], x = info.GetProperty("channels")[1];
        Assert.Equal("""["ecg","ecg","mV",125,3,1,1,3]""", JsonSerializer.Serialize(new object?[]
        {
            ecg.GetProperty("name"), ecg.GetProperty("kind"), ecg.GetProperty("unit"), ecg.GetProperty("rate_hz"),
                ecg.GetProperty("samples"), ecg.GetProperty("missing"), ecg.GetProperty("min"), ecg.GetProperty("max"),
        }));
        Assert.Equal(JsonValueKind.Null, x.GetProperty("min").ValueKind);
        Assert.Equal(JsonValueKind.Array, info.GetProperty("remarks").ValueKind);
        File.WriteAllText(folder.File("in.csv"), "ecg_mV\n1\n");
        Assert.Equal(JsonValueKind.Null, Cli.Succeed("info", folder.File("in.csv"), "--rate", "125",
            "--json").Json.GetProperty("start").ValueKind);
    }
}
