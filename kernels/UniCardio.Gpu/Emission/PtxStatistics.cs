using System.Globalization;

namespace UniCardio.Gpu.Emission;

/// <summary>Instructions of a kernel's PTX by class, counted in the text: a loop's body counts once.</summary>
/// <param name="FusedOrMultiply">fma and mul of floats; ILGPU writes mul and add, which the assembler fuses.</param>
/// <param name="Add">add and sub of floats.</param>
/// <param name="Special">Exponential, logarithm, root, reciprocal and division.</param>
/// <param name="GlobalVector">16-byte loads and stores of global memory.</param>
/// <param name="GlobalScalar">Other loads and stores of global memory.</param>
/// <param name="SharedVector">16-byte loads and stores of shared memory.</param>
/// <param name="SharedScalar">Other loads and stores of shared memory.</param>
/// <param name="Local">Loads and stores of local memory, that is spilled or indexed registers.</param>
/// <param name="Barriers">Barriers.</param>
/// <param name="Integer">Integer arithmetic, most of it addresses.</param>
/// <param name="SharedBytes">Shared memory of a group.</param>
/// <param name="LocalBytes">Local memory of a thread.</param>
internal sealed record PtxStatistics(
    int FusedOrMultiply, int Add, int Special, int GlobalVector, int GlobalScalar, int SharedVector, int SharedScalar, int Local,
    int Barriers, int Integer, int SharedBytes, int LocalBytes)
{
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

        return new PtxStatistics(mul, add, special, globalVector, globalScalar, sharedVector, sharedScalar, local, barriers, integer,
            sharedBytes, localBytes);
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
