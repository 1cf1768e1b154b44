using System.Net;
using UniCardio.Engine;

namespace UniCardio.Serving.Tests;

/// <summary>Options from a file, the environment and flags.</summary>
public sealed class ConfigurationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("unicardio-serving-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static ServerOptions Read(string? file, Dictionary<string, string>? environment = null,
        Dictionary<string, string>? flags = null) =>
        ServerConfiguration.Read(file, name => environment?.GetValueOrDefault(name), setting => flags?.GetValueOrDefault(setting.Flag));

    [Fact]
    public void FlagsWinOverTheEnvironmentAndThatOverTheFile()
    {
        string file = Write(
            "server.json",
            """{"port": 1, "draws": 2, "live_draws": 3, "sampler": "ddim:4", "origins": ["https://a.example", "https://b.example"], "linger_seconds": 1.5, "own_signals": true, "min_index": 0.5} // comment""");
        ServerOptions options = Read(file, new() { ["UNICARDIO_DRAWS"] = "20", ["UNICARDIO_LIVE_DRAWS"] = "30", ["UNICARDIO_TRACE"] = "1" },
            new() { ["--live-draws"] = "7" });
        Assert.Equal((1, 20, 7), (options.Port, options.Draws, options.Live.Draws));
        Assert.Equal("ddim:4", options.Sampler.ToString());
        Assert.Equal(["https://a.example", "https://b.example"], options.Origins);
        Assert.Equal((true, 0.5), (options.OwnSignals, options.MinIndex));
        Assert.Equal(1.5, options.Linger.TotalSeconds);
        Assert.Equal(new ServerOptions().MaxBodyBytes, options.MaxBodyBytes);
        options.Validate();
    }

    [Fact]
    public void TheTokenComesFromAFileOrTheEnvironment()
    {
        string token = Write("token", "  0123456789abcdef\n");
        Assert.Equal("0123456789abcdef", Read(null, flags: new() { ["--token-file"] = token }).Token);
        Assert.Equal("fedcba9876543210", Read(null, new() { ["UNICARDIO_TOKEN"] = "fedcba9876543210" }).Token);
        Assert.Equal(IPAddress.Any,
            Read(null, new() { ["UNICARDIO_TOKEN"] = "fedcba9876543210", ["UNICARDIO_ADDRESS"] = "0.0.0.0" }).Validate().Address);
        Assert.DoesNotContain(ServerSetting.All, s => s.Flag == "--token");
    }

    [Theory]
    [InlineData("""{"recordings": "\u0000"}""", "'recordings' holds a control character at byte 15")]
    [InlineData("""{"recordings": "\ud800"}""", "'recordings' holds half of a surrogate pair at byte 15")]
    [InlineData("""{"\ud800": 1}""", "'\\ud800' holds half of a surrogate pair at byte 1")]
    [InlineData("""{"port": 1, "origins": ["a", "\udc00"]}""", "'origins' holds half of a surrogate pair at byte 29")]
    [InlineData("""{"token_file": "/dev/zero"}""", "no regular file")]
    [InlineData("""{"prot": 1}""", "'prot' is not a setting")]
    [InlineData("""{"port": "x"}""", "'x' is not a whole number")]
    [InlineData("""{"port": {}}""", "should be a text")]
    [InlineData("""{"sampler": "euler"}""", "not a sampler")]
    [InlineData("""{"address": "here"}""", "not an IP address")]
    [InlineData("""{"token_file": "/nowhere/token"}""", "token")]
    [InlineData("""[]""", "expected a JSON object")]
    [InlineData("""{""", "not JSON")]
    public void WhatIsNoSettingIsNamedWithItsFile(string text, string words)
    {
        string file = Write("server.json", text);
        ConfigurationException problem = Assert.Throws<ConfigurationException>(() => Read(file));
        Assert.Contains(words, problem.Message, StringComparison.Ordinal);
        Assert.Contains("server.json", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryDefaultInAHelpTextIsTheOneInForce()
    {
        var defaults = new ServerOptions();
        foreach (ServerSetting setting in ServerSetting.All.Where(s => s.Description.Contains('(')))
        {
            string value = setting.Description[
                (setting.Description.IndexOf('(', StringComparison.Ordinal) + 1)..setting.Description.IndexOf(
                    ')', StringComparison.Ordinal)];
            Assert.Equal(defaults, setting.Apply(defaults, value, "test"));
        }
    }
}
