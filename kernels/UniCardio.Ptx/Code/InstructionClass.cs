namespace UniCardio.Ptx.Code;

/// <summary>What part of a multiprocessor an instruction occupies.</summary>
internal enum InstructionClass
{
    /// <summary>Copies between registers and constants, which the assembler removes.</summary>
    Move,

    /// <summary>Products, sums and other arithmetic of floats.</summary>
    Float,

    /// <summary>Arithmetic of integers, most of it addresses.</summary>
    Integer,

    /// <summary>Division of integers: a sequence of some 20 instructions.</summary>
    IntegerDivision,

    /// <summary>Division and root with the exact rounding: a sequence of some 10 instructions around a special function.</summary>
    FloatDivision,

    /// <summary>Exponential, logarithm, reciprocal and kin.</summary>
    Special,

    /// <summary>Comparisons and selections.</summary>
    Compare,

    /// <summary>Conversions of type.</summary>
    Convert,

    /// <summary>Reads of the launch's parameters.</summary>
    Parameter,

    /// <summary>Loads and stores of global memory.</summary>
    Global,

    /// <summary>Loads and stores of shared memory.</summary>
    Shared,

    /// <summary>Loads and stores of local memory.</summary>
    Local,

    /// <summary>Branches and returns.</summary>
    Branch,

    /// <summary>Barriers and fences.</summary>
    Barrier,

    /// <summary>Matrix products on tensor cores.</summary>
    Matrix,

    /// <summary>Exchanges between the lanes of a warp.</summary>
    Shuffle,
}
