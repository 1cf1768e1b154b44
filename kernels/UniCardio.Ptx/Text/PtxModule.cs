namespace UniCardio.Ptx.Text;

/// <summary>A module of PTX text, parsed, checked and ready to be launched.</summary>
internal sealed class PtxModule
{
    private readonly Dictionary<string, PtxKernel> _kernels;

    private PtxModule(PtxParser parser)
    {
        Version = parser.Version;
        Target = parser.Target;
        _kernels = parser.Kernels.ToDictionary(k => k.Name, StringComparer.Ordinal);
    }

    /// <summary>The language's version as written, such as 7.0.</summary>
    public string Version { get; }

    /// <summary>The target as written, such as sm_80.</summary>
    public string Target { get; }

    /// <summary>Every entry of the module.</summary>
    public IReadOnlyCollection<PtxKernel> Kernels => _kernels.Values;

    /// <summary>Reads a module's text.</summary>
    /// <exception cref="PtxException">
    /// It is not the language, breaks its rules (a register that was not declared or is of another class, a label that is missing or
    /// there twice) or has an instruction that the simulator does not know; the message names the line.
    /// </exception>
    public static PtxModule Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new PtxModule(new PtxParser(text));
    }

    /// <summary>An entry by its name; null if there is none.</summary>
    public PtxKernel? Find(string name) => _kernels.GetValueOrDefault(name);
}
