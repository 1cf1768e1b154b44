namespace UniCardio.Ptx.Text;

// The fundamental types of the PTX ISA (section 5.2) that registers and instructions here have.
internal enum PtxType
{
    Pred,
    B8,
    U8,
    S8,
    B16,
    U16,
    S16,
    F16,
    B32,
    U32,
    S32,
    F32,
    B64,
    U64,
    S64,
    F64,
}

internal static class PtxTypes
{
    private static readonly Dictionary<string,
        PtxType> s_byName = Enum.GetValues<PtxType>().ToDictionary(t => t.ToString().ToLowerInvariant());

    public static bool TryParse(string name, out PtxType type) => s_byName.TryGetValue(name, out type);

    public static string Name(this PtxType type) => "." + type.ToString().ToLowerInvariant();

    /// <summary>Bytes in memory; a predicate has none.</summary>
    public static int Size(this PtxType type) => type switch
    {
        PtxType.Pred => 0,
        <= PtxType.S8 => 1,
        <= PtxType.F16 => 2,
        <= PtxType.F32 => 4,
        _ => 8,
    };

    public static bool IsBits(this PtxType type) => type is PtxType.B8 or PtxType.B16 or PtxType.B32 or PtxType.B64;

    public static bool IsFloat(this PtxType type) => type is PtxType.F16 or PtxType.F32 or PtxType.F64;

    public static bool IsSigned(this PtxType type) => type is PtxType.S8 or PtxType.S16 or PtxType.S32 or PtxType.S64;

    /// <summary>The rule of section 9.2: bits go with everything of their size, integers with integers, floats with floats.</summary>
    public static bool Agrees(this PtxType instruction, PtxType register) =>
        instruction == register
        || (instruction.Size() == register.Size() && instruction != PtxType.Pred && register != PtxType.Pred
            && (instruction.IsBits() || register.IsBits() || instruction.IsFloat() == register.IsFloat()));

    /// <summary>The looser rule of loads, stores and conversions: the register may be wider.</summary>
    public static bool AgreesWidened(this PtxType instruction, PtxType register) =>
        register != PtxType.Pred && instruction != PtxType.Pred && register.Size() >= instruction.Size()
        && (instruction.IsBits() || register.IsBits() || (instruction.IsFloat() ? instruction == register : !register.IsFloat()));
}
