using System.Globalization;

namespace UniCardio.Gpu.Emission;

/// <summary>Instructions of a kernel's PTX by class, counted in the text: a loop's body counts once.</summary>
internal sealed record PtxStatistics
{
    /// <summary>fma and mul of floats; ILGPU writes mul and add, which the assembler fuses.</summary>
    public required int FusedOrMultiply { get; init; }

    /// <summary>add and sub of floats.</summary>
    public required int Add { get; init; }

    /// <summary>Exponential, logarithm, root, reciprocal and division.</summary>
    public required int Special { get; init; }

    /// <summary>16-byte loads and stores of global memory.</summary>
    public required int GlobalVector { get; init; }

    /// <summary>Other loads and stores of global memory.</summary>
    public required int GlobalScalar { get; init; }

    /// <summary>16-byte loads and stores of shared memory.</summary>
    public required int SharedVector { get; init; }

    /// <summary>Other loads and stores of shared memory.</summary>
    public required int SharedScalar { get; init; }

    /// <summary>Loads and stores of local memory, that is spilled or indexed registers.</summary>
    public required int Local { get; init; }

    /// <summary>Barriers.</summary>
    public required int Barriers { get; init; }

    /// <summary>Integer arithmetic, most of it addresses.</summary>
    public required int Integer { get; init; }

    /// <summary>Shared memory of a group.</summary>
    public required int SharedBytes { get; init; }

    /// <summary>Local memory of a thread.</summary>
    public required int LocalBytes { get; init; }

    /// <summary>Column titles of <see cref="Line"/>.</summary>
    public static string Header =>
        "kernel                          mul  add  spec gl.v4  gl.1 sh.v4  sh.1 local  bar  int shared local B flop/B";

    /// <summary>Float operations of the text per byte of global memory that it names.</summary>
    public double OperationsPerByte => (FusedOrMultiply + Add) / Math.Max(1.0, (16.0 * GlobalVector) + (4.0 * GlobalScalar));

    /// <summary>Counts the instructions of a text.</summary>
    public static PtxStatistics Of(string ptx)
    {
        ArgumentNullException.ThrowIfNull(ptx);
        int mul = 0, add = 0, special = 0, globalVector = 0, globalScalar = 0, sharedVector = 0, sharedScalar = 0, local = 0, barriers = 0,
            integer = 0, sharedBytes = 0, localBytes = 0;
        foreach (string line in ptx.Split('\n').Select(l => l.Trim()))
        {
            string operation = line.StartsWith('@') ? line[(line.IndexOf(' ') + 1)..] : line;
            string[] parts = operation.Split(' ', 2)[0].Split(['\t'], 2)[0].TrimEnd(';').Split('.');
            bool isFloat = parts.Contains("f32"), isVector = parts.Contains("v4");
            switch (parts[0])
            {
                case "" when parts.Length > 1 && parts[1] is "shared" or "local":
                    int bytes = Bytes(line);
                    (sharedBytes, localBytes) = parts[1] == "shared" ? (sharedBytes + bytes, localBytes)
                        : (sharedBytes, localBytes + bytes);
                    break;
                case "fma" or "mul" when isFloat:
                    mul++;
                    break;
                case "add" or "sub" when isFloat:
                    add++;
                    break;
                case "ex2" or "lg2" or "sqrt" or "rsqrt" or "rcp" or "sin" or "cos" or "tanh":
                case "div" when isFloat:
                    special++;
                    break;
                case "ld" or "st" when parts.Contains("shared"):
                    (sharedVector, sharedScalar) = isVector ? (sharedVector + 1, sharedScalar) : (sharedVector, sharedScalar + 1);
                    break;
                case "ld" or "st" when parts.Contains("local"):
                    local++;
                    break;
                case "ld" or "st" when !parts.Contains("param"):
                    (globalVector, globalScalar) = isVector ? (globalVector + 1, globalScalar) : (globalVector, globalScalar + 1);
                    break;
                case "bar" or "barrier":
                    barriers++;
                    break;
                case "add" or "sub" or "mul" or "mad" or "shl" or "shr" or "div" or "rem" or "cvt" or "and" or "or" or "xor":
                    integer++;
                    break;
            }
        }

        return new PtxStatistics
        {
            FusedOrMultiply = mul, Add = add, Special = special, GlobalVector = globalVector, GlobalScalar = globalScalar,
            SharedVector = sharedVector, SharedScalar = sharedScalar, Local = local, Barriers = barriers, Integer = integer,
            SharedBytes = sharedBytes, LocalBytes = localBytes,
        };
    }

    /// <summary>One line of the table.</summary>
    public string Line(string name) => string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-30} {FusedOrMultiply,4} {Add,4} {Special,5} {GlobalVector,5} {GlobalScalar,5} {SharedVector,5} {SharedScalar,5} "
        + $"{Local,5} {Barriers,4} {Integer,4} {SharedBytes,6} {LocalBytes,7} {OperationsPerByte,6:0.0}");

    // ".shared .align 16 .b8 name[37888];"
    private static int Bytes(string line)
    {
        int open = line.IndexOf('['), close = line.IndexOf(']');
        return open >= 0 && close > open
            && int.TryParse(line.AsSpan(open + 1, close - open - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int bytes)
                ? bytes : 0;
    }
}
