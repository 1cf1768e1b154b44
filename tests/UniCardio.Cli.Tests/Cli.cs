using System.Diagnostics;
using System.Text.Json;

namespace UniCardio.Cli.Tests;

/// <summary>What a command line left.</summary>
internal sealed record CliResult(int Code, string Out, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Out).RootElement;
}

/// <summary>Runs command lines in this process, as <c>Program</c> does.</summary>
internal static class Cli
{
    public static CliResult Run(params string[] args) => Run(CancellationToken.None, args);

    public static CliResult Run(CancellationToken cancellation, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = CommandLine.RunAsync(args, new Terminal(output, error), cancellation).GetAwaiter().GetResult();
        return new CliResult(code, output.ToString(), error.ToString());
    }

    /// <summary>Starts a command line in a process of its own.</summary>
    public static Process Start(params string[] args) =>
        Process.Start(new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, .. args])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    /// <summary>Whether this machine has letters for a PNG.</summary>
    public static bool HasFonts
    {
        get
        {
            try
            {
                Output.PlotFont.Find().Dispose();
                return true;
            }
            catch (UsageException)
            {
                return false;
            }
        }
    }

    /// <summary>Runs a command line that must succeed.</summary>
    public static CliResult Succeed(params string[] args)
    {
        CliResult result = Run(args);
        Assert.True(result.Code == ExitCode.Success, $"'{string.Join(' ', args)}' ended with {result.Code}: {result.Error}");
        return result;
    }

    /// <summary>Runs a command line that must be refused in one line that holds some words.</summary>
    public static void Refuse(string words, params string[] args)
    {
        CliResult result = Run(args);
        Assert.Equal(ExitCode.BadInput, result.Code);
        Assert.StartsWith("error: ", result.Error, StringComparison.Ordinal);
        Assert.Contains(words, result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Out);
    }
}

/// <summary>A folder that is gone when the test ends.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("unicardio-cli-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Names of all files, sorted.</summary>
    public string[] Files => [.. Directory.GetFiles(Path).Select(f => System.IO.Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
