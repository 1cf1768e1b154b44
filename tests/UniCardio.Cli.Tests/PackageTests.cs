using System.Diagnostics;
using System.IO.Compression;
using System.Reflection.PortableExecutable;
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
        string[] packages = Directory.GetFiles(folder.File("feed"), "UniCardio.*.nupkg");
        Assert.Equal(8, packages.Length);
        Assert.All(packages, HasItsPapers);

        WriteConsumer(folder);
        Dotnet(folder.Path, "build", "-v", "quiet", "--nologo");
        string output = Dotnet(folder.Path, Path.Combine("bin", "Debug", "net10.0", "consumer.dll"));
        Assert.Contains("450 samples generated", output, StringComparison.Ordinal);
        Assert.Contains("not a medical device", output, StringComparison.Ordinal);
        Assert.True(File.Exists(folder.File("filled.csv")));
    }

    [Fact]
    public void TheToolInstallsFromAFolder()
    {
        using var folder = new TemporaryFolder();
        Dotnet(Project.Root, "pack", "tools/UniCardio.Cli", "--no-build", "-c", Configuration, "-o", folder.File("feed"), "-v", "quiet");
        HasItsPapers(Assert.Single(Directory.GetFiles(folder.File("feed"))));
        WriteFeed(folder);
        Dotnet(folder.Path, "tool", "install", "unicardio-tool", "--tool-path", folder.File("bin"), "--configfile",
            folder.File("nuget.config"));
        Assert.Equal(["compact.safetensors", "quality.safetensors"], Directory.GetFiles(folder.File("bin"), "*.safetensors",
            SearchOption.AllDirectories).Select(Path.GetFileName).Order());
        string unicardio = Assert.Single(Directory.GetFiles(folder.File("bin"), "unicardio*"));
        // Elsewhere than in the clone: weights and example come from the package.
        // A PNG, where there are letters for it, needs the native library that is in the package too.
        string picture = folder.File(Cli.HasFonts ? "clean.png" : "clean.svg");
        string output = Run(folder.Path, unicardio, "denoise", Project.Example, "--target", "ecg", "--plot", picture);
        Assert.Contains("3000 samples of ECG generated", output, StringComparison.Ordinal);
        Assert.True(new FileInfo(picture).Length > 10_000);
    }

    // Readme, icon, licence, notices and the commit that it was made of; assemblies that are the same whoever builds them, with their
    // symbols.
    private static void HasItsPapers(string package)
    {
        using ZipArchive zip = ZipFile.OpenRead(package);
        using var nuspec = new StreamReader(zip.Entries.Single(e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open());
        string said = nuspec.ReadToEnd();
        Assert.All((string[])["<readme>README.md</readme>", "<icon>icon.png</icon>", "<license type=\"expression\">MIT</license>"],
            words => Assert.Contains(words, said, StringComparison.Ordinal));
        Assert.All((string[])["README.md", "icon.png", "LICENSE", "THIRD-PARTY-NOTICES.md"], name => Assert.NotNull(zip.GetEntry(name)));
        if (Directory.Exists(Path.Combine(Project.Root, ".git")) || File.Exists(Path.Combine(Project.Root, ".git")))
            Assert.Matches("<repository type=\"git\".* commit=\"[0-9a-f]{40}\" />", said);
        ZipArchiveEntry[] ours = [.. zip.Entries.Where(e => e.Name.StartsWith("UniCardio.", StringComparison.OrdinalIgnoreCase)
            && e.Name.EndsWith(".dll", StringComparison.Ordinal))];
        Assert.NotEmpty(ours);
        Assert.All(ours, entry =>
        {
            using var bytes = new MemoryStream();
            using (Stream stream = entry.Open())
                stream.CopyTo(bytes);
            bytes.Position = 0;
            using var file = new PEReader(bytes);
            DebugDirectoryEntryType[] kinds = [.. file.ReadDebugDirectory().Select(d => d.Type)];
            Assert.Contains(DebugDirectoryEntryType.Reproducible, kinds);
            Assert.Contains(DebugDirectoryEntryType.EmbeddedPortablePdb, kinds);
        });
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
        WriteFeed(folder);
        // The weights are in the package; the recording is the only file that the lines read.
        string example = folder.File("tools/UniCardio.Cli/examples/example.csv");
        Directory.CreateDirectory(Path.GetDirectoryName(example)!);
        File.Copy(Project.Example, example);
    }

    private static void WriteFeed(TemporaryFolder folder) =>
        // Our packages come from the folder into a cache of their own, so that no older build of this version is taken; what they
        // depend on lies in the machine's cache since the solution was restored. No network is needed.
        File.WriteAllText(folder.File("nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="cache" /></config>
              <packageSources><clear /><add key="feed" value="feed" /></packageSources>
              <fallbackPackageFolders><clear /><add key="machine" value="{MachineCache()}" /></fallbackPackageFolders>
            </configuration>
            """);

    private static string MachineCache()
    {
        string listed = Dotnet(Project.Root, "nuget", "locals", "global-packages", "--list");
        return listed[(listed.IndexOf("global-packages:", StringComparison.Ordinal) + "global-packages:".Length)..].Trim();
    }

    private static string Dotnet(string folder, params string[] args) => Run(folder, "dotnet", args);

    private static string Run(string folder, string program, params string[] args)
    {
        var start = new ProcessStartInfo(program, args) { WorkingDirectory = folder, RedirectStandardOutput = true,
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
            Assert.Fail($"'{program} {string.Join(' ', args)}' took more than {Limit.TotalMinutes} minutes");
        }

        Assert.True(process.ExitCode == 0,
            $"'{program} {string.Join(' ', args)}' ended with {process.ExitCode}: {output.Result}{error.Result}");
        return output.Result;
    }
}
