using System.Text.RegularExpressions;

namespace UniCardio.Hosting.Tests;

/// <summary>THIRD-PARTY-NOTICES.md names every package that what we ship refers to.</summary>
public partial class NoticesTests
{
    [GeneratedRegex("<PackageReference Include=\"([^\"]+)\"(?![^>]*PrivateAssets=\"all\")")]
    private static partial Regex Reference();

    [Fact]
    public void EveryPackageIsNamed()
    {
        string notices = File.ReadAllText(Project.File("THIRD-PARTY-NOTICES.md"));
        string[] packages = [.. new[] { "src", "kernels", "tools/UniCardio.Cli" }
            .SelectMany(d => Directory.EnumerateFiles(Project.File(d), "*.csproj", SearchOption.AllDirectories))
            .SelectMany(f => Reference().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).Distinct()];
        Assert.True(packages.Length >= 8, $"only {packages.Length} packages were found");
        // By its own name, or by the first part of it where a family is named.
        Assert.All(packages, p => Assert.True(notices.Contains(p, StringComparison.Ordinal)
            || notices.Contains(p.Split('.')[0] + " and its", StringComparison.Ordinal), $"{p} is not in THIRD-PARTY-NOTICES.md"));
    }
}
