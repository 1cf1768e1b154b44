using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace UniCardio.Ptx.Tests;

/// <summary>Executes one instruction on many operands: a kernel that loads them, has the instruction, and stores what it gives.</summary>
internal static class OneInstruction
{
    private const int Group = 64;

    /// <summary>One launch; bits of 4 and 8 bytes alike are kept in 64.</summary>
    /// <param name="name">Opcode and modifiers.</param>
    /// <param name="target">Type of the result.</param>
    /// <param name="sources">Types of the operands.</param>
    /// <param name="operands">Rows of operands, one value a source.</param>
    public static ulong[] Run(string name, PtxType target, PtxType[] sources, IReadOnlyList<ulong[]> operands)
    {
        using var device = new PtxDevice(new PtxDeviceOptions { Sanitize = true });
        ulong[] input = [.. operands.SelectMany(o => o)];
        ulong from = device.Allocate(8 * input.Length), to = device.Allocate(8 * operands.Count);
        device.Write(from, MemoryMarshal.AsBytes<ulong>(input));
        PtxKernel kernel = PtxModule.Parse(Text(name, target, sources)).Find("k")!;
        ulong[] parameters = [from, to, (ulong)operands.Count];
        device.Launch(kernel, new PtxDim((operands.Count + Group - 1) / Group), new PtxDim(Group),
            MemoryMarshal.AsBytes<ulong>(parameters));
        ulong[] result = new ulong[operands.Count];
        device.Read(to, MemoryMarshal.AsBytes(result.AsSpan()));
        return result;
    }

    /// <summary>A kernel's text around its body.</summary>
    public static string Kernel(string body, string parameters = ".param .b64 from, .param .b64 to, .param .b64 count") =>
        $".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry k({parameters})\n{{\n{body}\n}}\n";

    private static string Text(string name, PtxType target, PtxType[] sources)
    {
        var text = new StringBuilder();
        text.AppendLine(".reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<16>; .reg .b64 %rd<16>; .reg .f32 %f<8>;");
        text.AppendLine("ld.param.b64 %rd10, [from]; ld.param.b64 %rd11, [to]; ld.param.b64 %rd12, [count];");
        text.AppendLine("mov.b32 %r10, %ctaid.x; mov.b32 %r11, %ntid.x; mov.b32 %r12, %tid.x; mad.lo.s32 %r10, %r10, %r11, %r12;");
        text.AppendLine("cvt.u32.u64 %r11, %rd12; setp.ge.u32 %p7, %r10, %r11; @%p7 ret;");
        text.AppendLine(CultureInfo.InvariantCulture, $"mul.wide.u32 %rd13, %r10, {8 * sources.Length}; add.u64 %rd10, %rd10, %rd13;");
        text.AppendLine("mul.wide.u32 %rd13, %r10, 8; add.u64 %rd11, %rd11, %rd13;");
        for (int i = 0; i < sources.Length; i++)
        {
            string register = Register(sources[i], i);
            text.AppendLine(sources[i] == PtxType.Pred
                ? $"ld.global.b32 %r13, [%rd10+{8 * i}]; setp.ne.b32 {register}, %r13, 0;"
                : $"ld.global.b{8 * sources[i].Size()} {register}, [%rd10+{8 * i}];");
        }

        string result = Register(target, 6);
        text.AppendLine(CultureInfo.InvariantCulture, $"{name} {string.Join(", ", [result, .. sources.Select(Register)])};");
        text.AppendLine("st.global.b64 [%rd11], 0;");
        text.AppendLine(target == PtxType.Pred
            ? $"selp.b32 %r13, 1, 0, {result}; st.global.b32 [%rd11], %r13;"
            : $"st.global.b{8 * target.Size()} [%rd11], {result};");
        text.AppendLine("ret;");
        return Kernel(text.ToString());
    }

    private static string Register(PtxType type, int index) => string.Create(CultureInfo.InvariantCulture, $"{(type, type.Size()) switch
    {
        (PtxType.Pred, _) => "%p",
        (PtxType.F32, _) => "%f",
        (_, 8) => "%rd",
        (_, 4) => "%r",
        _ => "%h",
    }}{index}");
}
