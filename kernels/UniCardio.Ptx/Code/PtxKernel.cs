namespace UniCardio.Ptx.Code;

/// <summary>An entry of a module.</summary>
internal sealed class PtxKernel
{
    private readonly BodyParser _body;
    private readonly Lock _lock = new();
    private readonly Dictionary<(bool IsChecked, bool Fuses), KernelCode> _codes = [];

    internal PtxKernel(string name, IReadOnlyList<PtxParameter> parameters, BodyParser body, int maxThreads, int minGroups)
    {
        Name = name;
        Parameters = parameters;
        MaxThreads = maxThreads;
        MinGroups = minGroups;
        _body = body;
        // Made at once, so that a module with an unknown instruction is refused when it is loaded.
        KernelCode code = Code(isChecked: false, fuses: true);
        SharedBytes = code.DeclaredSharedBytes;
        LocalBytes = code.LocalBytes;
        LiveRegisters = code.LiveWords;
        InstructionCount = code.Instructions.Length;
    }

    /// <summary>The entry's name.</summary>
    public string Name { get; }

    /// <summary>Its parameters in order.</summary>
    public IReadOnlyList<PtxParameter> Parameters { get; }

    /// <summary>Bytes of all parameters, as a launch takes them.</summary>
    public int ParameterBytes => Parameters.Count == 0 ? 0 : Parameters[^1].Offset + Parameters[^1].Bytes;

    /// <summary>The most threads of a group that the text allows (.maxntid); 0 if it names none.</summary>
    public int MaxThreads { get; }

    /// <summary>Groups that a multiprocessor shall hold at least (.minnctapersm); 0 if the text names none.</summary>
    public int MinGroups { get; }

    /// <summary>Static shared memory of a group in bytes.</summary>
    public int SharedBytes { get; }

    /// <summary>Local memory of a thread in bytes.</summary>
    public int LocalBytes { get; }

    /// <summary>Most 32-bit words alive at once: a lower estimate of the registers that an assembler gives a thread.</summary>
    public int LiveRegisters { get; }

    /// <summary>Instructions in the text.</summary>
    public int InstructionCount { get; }

    internal KernelCode Code(bool isChecked, bool fuses)
    {
        lock (_lock)
        {
            if (!_codes.TryGetValue((isChecked, fuses), out KernelCode? code))
                _codes[(isChecked, fuses)] = code = new KernelCode(_body, isChecked, fuses);
            return code;
        }
    }
}
