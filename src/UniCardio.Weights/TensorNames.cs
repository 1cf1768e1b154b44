using UniCardio.Engine.Model;

namespace UniCardio.Weights;

/// <summary>Names of tensors without what wrappers of a module put before them.</summary>
internal static class TensorNames
{
    private const string Parallel = "module.";

    // Within a name, where a part was wrapped alone: torch.compile, FSDP, activation checkpoints.
    private static readonly string[] Wraps = ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."];

    private static readonly string[] Holders =
    [
        Parallel, "model.", "net.", "network.", "unicardio.", "_forward_module.", "accelerator.", "backbone.", "student.", "generator.",
    ];

    /// <summary>
    /// The name as the network itself has it: without <c>module.</c> (nn.DataParallel), <c>_orig_mod.</c> (torch.compile, also of a part),
    /// <c>_fsdp_wrapped_module.</c>, and, where a name of the network follows, <c>model.</c>, <c>net.</c> and the like (a module that holds
    /// it).
    /// </summary>
    public static string Strip(string name)
    {
        string plain = name;
        foreach (string wrap in Wraps)
            plain = plain.Replace(wrap, "", StringComparison.Ordinal);
        while (plain.StartsWith(Parallel, StringComparison.Ordinal))
            plain = plain[Parallel.Length..];
        string inner = plain;
        while (Array.Exists(Holders, h => inner.StartsWith(h, StringComparison.Ordinal)))
            inner = inner[(inner.IndexOf('.', StringComparison.Ordinal) + 1)..];
        return inner.StartsWith(ParameterCatalog.Prefix, StringComparison.Ordinal) || ParameterCatalog.IsKnownUnused(inner) ? inner : plain;
    }
}
