using UniCardio.Engine.Model;

namespace UniCardio.Weights;

/// <summary>Names of tensors without what wrappers of a module put before them.</summary>
internal static class TensorNames
{
    private const string Parallel = "module.", Compiled = "_orig_mod.";

    private static readonly string[] Holders = [Parallel, "model.", "net.", "network.", "unicardio."];

    /// <summary>
    /// The name as the network itself has it: without <c>module.</c> (nn.DataParallel), <c>_orig_mod.</c> (torch.compile, also of a part),
    /// and, where a name of the network follows, <c>model.</c>, <c>net.</c>, <c>network.</c> or <c>unicardio.</c> (a module that holds it).
    /// </summary>
    public static string Strip(string name)
    {
        string plain = name.Replace(Compiled, "", StringComparison.Ordinal);
        while (plain.StartsWith(Parallel, StringComparison.Ordinal))
            plain = plain[Parallel.Length..];
        string inner = plain;
        while (Array.Exists(Holders, h => inner.StartsWith(h, StringComparison.Ordinal)))
            inner = inner[(inner.IndexOf('.', StringComparison.Ordinal) + 1)..];
        return inner.StartsWith(ParameterCatalog.Prefix, StringComparison.Ordinal) || ParameterCatalog.IsKnownUnused(inner) ? inner : plain;
    }
}
