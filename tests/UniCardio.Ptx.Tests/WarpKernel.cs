using System.Runtime.InteropServices;
using System.Text;

namespace UniCardio.Ptx.Tests;

/// <summary>A kernel of one warp that loads words into %a0, %a1, ... of each lane, has a body, and stores %d0, %d1, ...</summary>
internal static class WarpKernel
{
    public const string Registers = ".reg .pred %p<4>; .reg .b32 %a<16>; .reg .b32 %d<16>; .reg .b32 %r<8>; .reg .b64 %rd<8>;\n";

    /// <summary>Runs it.</summary>
    /// <param name="body">Statements between loads and stores.</param>
    /// <param name="inputs">[registers][lanes].</param>
    /// <param name="outputs">Registers that are stored.</param>
    /// <param name="lanes">Threads of the group.</param>
    /// <param name="shared">Bytes of the shared array <c>block</c>.</param>
    public static uint[][] Run(string body, uint[][] inputs, int outputs, int lanes = 32, int shared = 4096)
    {
        using var device = new PtxDevice(new PtxDeviceOptions { Sanitize = true });
        ulong from = device.Allocate(4 * Math.Max(1, inputs.Length * lanes)), to = device.Allocate(4 * outputs * lanes);
        device.Write(from, MemoryMarshal.AsBytes<uint>(inputs.SelectMany(r => r).ToArray()));
        ulong[] parameters = [from, to];
        device.Launch(PtxModule.Parse(Text(body, inputs.Length, outputs, lanes, shared)).Find("k")!, new PtxDim(1), new PtxDim(lanes),
            MemoryMarshal.AsBytes<ulong>(parameters));
        uint[] result = new uint[outputs * lanes];
        device.Read(to, MemoryMarshal.AsBytes(result.AsSpan()));
        return [.. result.Chunk(lanes)];
    }

    public static string Text(string body, int inputs, int outputs, int lanes, int shared)
    {
        var text = new StringBuilder();
        text.AppendLine($".shared .align 128 .b8 block[{shared}];\n{Registers}");
        text.AppendLine("ld.param.b64 %rd0, [from]; ld.param.b64 %rd1, [to]; mov.b32 %r0, %tid.x; mul.wide.u32 %rd2, %r0, 4;");
        text.AppendLine("add.u64 %rd0, %rd0, %rd2; add.u64 %rd1, %rd1, %rd2; mov.b64 %rd3, block;");
        for (int i = 0; i < inputs; i++)
            text.AppendLine($"ld.global.b32 %a{i}, [%rd0+{4 * lanes * i}];");
        text.AppendLine(body);
        for (int i = 0; i < outputs; i++)
            text.AppendLine($"st.global.b32 [%rd1+{4 * lanes * i}], %d{i};");
        text.AppendLine("ret;");
        return OneInstruction.Kernel(text.ToString(), ".param .b64 from, .param .b64 to");
    }
}
