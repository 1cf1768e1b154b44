using System.Reflection;
using UniCardio.CheckingDevice;

namespace UniCardio.Kernels.Tests.Checking;

/// <summary>The kernels' source texts, which travel in the test assembly.</summary>
internal static class TestKernels
{
    private static readonly Assembly s_assembly = typeof(TestKernels).Assembly;

    private static readonly Lazy<bool> s_registered = new(() =>
    {
        BarrierRewriter.Register(s_assembly, [.. Texts("kernel:").Concat(Texts("broken:")).Select(t => t.Text)]);
        return true;
    });

    /// <summary>Name and text of every kernel source, and of the types that kernels are written with.</summary>
    public static IReadOnlyList<(string Name, string Text)> Sources { get; } = [.. Texts("kernel:"), .. Texts("type:")];

    public static void RegisterCoroutines() => _ = s_registered.Value;

    private static IEnumerable<(string Name, string Text)> Texts(string prefix)
    {
        foreach (string name in s_assembly.GetManifestResourceNames().Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(s_assembly.GetManifestResourceStream(name)!);
            yield return (name[prefix.Length..], reader.ReadToEnd());
        }
    }
}
