using System.Text;

namespace UniCardio.Gpu.Tests.Texts;

/// <summary>
/// Fragments of the PTX that the tensor-core kernels emit. ILGPU takes constant strings only, so what repeats is written once here, and
/// the constants of <c>kernels/UniCardio.Gpu/Kernels/*Text.cs</c> are made of it (<see cref="TextFileTests"/>).
/// </summary>
internal sealed class PtxText
{
    public const string Zero = "0f00000000";
    private readonly StringBuilder _lines = new();

    /// <summary>Adds a line; %% is a register's sign in a text, %0 an operand.</summary>
    public PtxText Line(string line)
    {
        _lines.Append(line).Append('\n');
        return this;
    }

    public PtxText Each(IEnumerable<int> of, Func<int, string> line)
    {
        foreach (int i in of)
            Line(line(i));
        return this;
    }

    public PtxText Each(int count, Func<int, string> line) => Each(Enumerable.Range(0, count), line);

    public PtxText Clear(string register, int count) => Each(count, i => $"mov.f32 %%{register}{i}, {Zero};");

    /// <summary>Four 8 x 8 matrices of words from shared memory, one to a register.</summary>
    public PtxText LoadMatrix(string register, int first, string address) =>
        Line($"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {{{Names(register, first, 4)}}}, [{address}];");

    /// <summary>
    /// Values become their rest, leads their 11 leading bits, rounded: lead = (bits + 0x1000) with 13 bits cleared, rest = value - lead.
    /// </summary>
    public PtxText Split(string value, string lead, int first, int count, bool withRest = true, int leadFirst = -1)
    {
        int at = leadFirst < 0 ? first : leadFirst;
        Each(count, i => $"add.s32 %%{lead}{at + i}, %%{value}{first + i}, 4096;");
        Each(count, i => $"and.b32 %%{lead}{at + i}, %%{lead}{at + i}, -8192;");
        return withRest ? Each(count, i => $"sub.f32 %%{value}{first + i}, %%{value}{first + i}, %%{lead}{at + i};") : this;
    }

    /// <summary>16 x 8 sums += A [16, 8] B [8, 8] of tf32 parts, or [16, 16] [16, 8] of bf16.</summary>
    public PtxText Product(string sums, int first, string a, string b, string shape = "m16n8k8", string type = "tf32") =>
        Line(
            $"mma.sync.aligned.{shape}.row.col.f32.{type}.{type}.f32 {{{Names(sums, first, 4)}}}, {{{a}}}, {{{b}}}, "
            + $"{{{Names(sums, first, 4)}}};");

    /// <summary>%%r0, %%r1 ...</summary>
    public static string Names(string register, int first, int count) =>
        string.Join(", ", Enumerable.Range(first, count).Select(i => $"%%{register}{i}"));

    public override string ToString() => _lines.ToString();
}

/// <summary>One file of constants.</summary>
/// <param name="name">Of the class and the file.</param>
/// <param name="summary">What it is for.</param>
internal sealed class TextFile(string name, string summary)
{
    private readonly List<(string Name, string Summary, PtxText Text)> _texts = [];

    public string Name => name;

    public TextFile Add(string constant, string says, PtxText text)
    {
        _texts.Add((constant, says, text));
        return this;
    }

    public string Content()
    {
        var code = new StringBuilder($"namespace UniCardio.Gpu.Kernels;\n\n/// <summary>{summary}</summary>\n/// <remarks>\n"
            + "/// Written by tests/UniCardio.Gpu.Tests/Texts, not by hand. Registers have names, so that sums stay where they are from "
            + "one text to\n"
            + "/// the next: operands of an emitted text other than inputs would pass through local memory.\n/// </remarks>\n"
            + $"internal static class {name}\n{{");
        foreach ((string constant, string says, PtxText text) in _texts)
        {
            code.Append($"\n    /// <summary>{says}</summary>\n    public const string {constant} = \"\"\"\n");
            foreach (string line in text.ToString().TrimEnd('\n').Split('\n'))
                code.Append("        ").Append(line).Append('\n');
            code.Append("        \"\"\";\n");
        }

        return code.Append("}\n").ToString();
    }
}
