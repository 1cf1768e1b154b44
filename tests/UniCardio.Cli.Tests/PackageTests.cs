using System.Diagnostics;
using System.Text.RegularExpressions;

namespace UniCardio.Cli.Tests;

/// <summary>The packages, used as a stranger would: packed, restored from a folder, run with README's own lines.</summary>
public partial class PackageTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [Fact]
    public void AProjectUsesThePackagesFromAFolder()
    {
        using var folder = new TemporaryFolder();
        foreach (string project in (string[])["", ".Engine", ".Files", ".Weights", ".Signals", ".Pipeline", ".Restoration", ".Streaming"])
            Dotnet(Project.Root, "pack", $"src/UniCardio{project}", "--no-build", "-c", Configuration, "-o", folder.File("feed"),
                "-v", "quiet");
        Assert.Equal(8, Directory.GetFiles(folder.File("feed"), "UniCardio.*.nupkg").Length);

        WriteConsumer(folder);
        Dotnet(folder.Path, "build", "-v", "quiet", "--nologo");
        string output = Dotnet(folder.Path, Path.Combine("bin", "Debug", "net10.0", "consumer.dll"));
        Assert.Contains("450 samples generated", output, StringComparison.Ordinal);
        Assert.Contains("not a medical device", output, StringComparison.Ordinal);
        Assert.True(File.Exists(folder.File("filled.csv")));
    }

    // The configuration that these tests were built in, and with it the assemblies to pack.
    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    private static void WriteConsumer(TemporaryFolder folder)
    {
        string code = CodeBlock().Match(File.ReadAllText(Path.Combine(Project.Root, "README.md")).ReplaceLineEndings("\n")).Groups[1].Value;
        Assert.Contains("Restorer", code, StringComparison.Ordinal);
        File.WriteAllText(folder.File("Program.cs"), code);
        string version = Regex.Match(Directory.GetFiles(folder.File("feed"), "UniCardio.Engine.*.nupkg").Single(),
            @"UniCardio\.Engine\.(\d.*)\.nupkg$").Groups[1].Value;
        File.WriteAllText(folder.File("consumer.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><UseAppHost>false</UseAppHost></PropertyGroup>
              <ItemGroup><PackageReference Include="UniCardio" Version="{version}" /></ItemGroup>
            </Project>
            """);
        // Our packages come from the folder into a cache of their own, so that no older build of this version is taken; what they
        // depend on lies in the machine's cache since the solution was restored. No network is needed.
        File.WriteAllText(folder.File("nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="cache" /></config>
              <packageSources><clear /><add key="feed" value="feed" /></packageSources>
              <fallbackPackageFolders><clear /><add key="machine" value="{MachineCache()}" /></fallbackPackageFolders>
            </configuration>
            """);
        // The weights are in the package; the recording is the only file that the lines read.
        string example = folder.File("tools/UniCardio.Cli/examples/example.csv");
        Directory.CreateDirectory(Path.GetDirectoryName(example)!);
        File.Copy(Project.Example, example);
    }

    private static string MachineCache()
    {
        string listed = Dotnet(Project.Root, "nuget", "locals", "global-packages", "--list");
        return listed[(listed.IndexOf("global-packages:", StringComparison.Ordinal) + "global-packages:".Length)..].Trim();
    }

    private static string Dotnet(string folder, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", args) { WorkingDirectory = folder, RedirectStandardOutput = true,
            RedirectStandardError = true };
        // What the test host sets for itself is not meant for other builds.
        foreach (string key in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)
            || k.StartsWith("VSTEST", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(key);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"'dotnet {string.Join(' ', args)}' took more than {Limit.TotalMinutes} minutes");
        }

        Assert.True(process.ExitCode == 0,
            $"'dotnet {string.Join(' ', args)}' ended with {process.ExitCode}: {output.Result}{error.Result}");
        return output.Result;
    }
}
