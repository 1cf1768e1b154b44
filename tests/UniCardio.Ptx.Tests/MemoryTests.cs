using System.Runtime.InteropServices;

namespace UniCardio.Ptx.Tests;

/// <summary>Loads and stores of every size and count in every space and pattern: each thread moves its element through the space.</summary>
public class MemoryTests
{
    public static TheoryData<string, string, string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, string, int>();
            foreach (string space in (string[])["global", "shared", "local"])
            {
                foreach (string type in (string[])["u8", "s8", "b8", "u16", "s16", "b16", "b32", "u32", "s32", "f32", "b64", "u64", "s64"])
                {
                    foreach (int count in (int[])[1, 2, 4])
                    {
                        if (count * int.Parse(type.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture) <= 128)
                            cases.Add(space, type, count == 1 ? "" : $".v{count}", count);
                    }
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ElementsArrive(string space, string type, string vector, int count)
    {
        int bits = int.Parse(type.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture), bytes = bits / 8, lane = bytes * count;
        string register = type == "f32" ? "%f" : bits == 64 ? "%rq" : bits == 32 ? "%r" : "%h";
        string elements = count == 1 ? register + "0" : "{" + string.Join(", ", Enumerable.Range(0, count).Select(i => register + i)) + "}";
        // Neighbours side by side, every second one, all at one place (a store of equal values), and backwards.
        foreach (string pattern in (string[])["mov.b32 %r9, %r8;", "shl.b32 %r9, %r8, 1;", "mov.b32 %r9, 3;", "sub.s32 %r9, 69, %r8;"])
        {
            bool isOne = pattern.Contains(" 3;", StringComparison.Ordinal);
            string target = space == "local" ? "[there]" : "[%rd4]";
            string body = $$"""
                .shared .align 16 .b8 block[{{140 * 16}}];
                .local .align 16 .b8 there[16];
                .reg .b16 %h<4>; .reg .b32 %r<12>; .reg .f32 %f<4>; .reg .b64 %rd<8>; .reg .b64 %rq<4>;
                ld.param.b64 %rd1, [from]; ld.param.b64 %rd2, [to]; ld.param.b64 %rd3, [count];
                mov.b32 %r8, %tid.x;
                mul.wide.u32 %rd5, %r8, {{lane}};
                add.u64 %rd2, %rd2, %rd5;
                {{(isOne ? "" : "add.u64 %rd1, %rd1, %rd5;")}}
                {{pattern}}
                mul.wide.u32 %rd6, %r9, {{lane}};
                {{(space == "shared" ? "mov.b64 %rd4, block; add.u64 %rd4, %rd4, %rd6;" : "add.u64 %rd4, %rd3, %rd6;")}}
                ld.global{{vector}}.{{type}} {{elements}}, [%rd1];
                st.{{space}}{{vector}}.{{type}} {{target}}, {{elements}};
                {{string.Join(" ", Enumerable.Range(0, count).Select(i => type == "f32" ? $"mov.f32 %f{i}, 0f00000000;" : $"mov.b{Math.Max(16, bits)} {register}{i}, 0;"))}}
                ld.{{space}}{{vector}}.{{type}} {{elements}}, {{target}};
                st.global{{vector}}.{{type}} [%rd2], {{elements}};
                ret;
                """;
            byte[] source = new byte[70 * lane];
            new Random(5).NextBytes(source);
            using var device = new PtxDevice(new PtxDeviceOptions { Sanitize = !isOne });
            PtxKernel kernel = PtxModule.Parse(OneInstruction.Kernel(body)).Find("k")!;
            ulong[] parameters = [device.Allocate(source.Length), device.Allocate(source.Length), device.Allocate(140 * 16)];
            device.Write(parameters[0], source);
            device.Launch(kernel, new PtxDim(1), new PtxDim(70), MemoryMarshal.AsBytes<ulong>(parameters));
            byte[] result = new byte[source.Length];
            device.Read(parameters[1], result);
            byte[] expected = isOne ? [.. Enumerable.Repeat(source[..lane], 70).SelectMany(b => b)] : source;
            Assert.Equal(expected, result);
        }
    }

    // Short loads fill the register: with zeros, or with the sign.
    [Theory]
    [InlineData("u8", 0xfful, 0xfful)]
    [InlineData("s8", 0xfful, 0xfffffffful)]
    [InlineData("s8", 0x7ful, 0x7ful)]
    [InlineData("u16", 0x8000ul, 0x8000ul)]
    [InlineData("s16", 0x8000ul, 0xffff8000ul)]
    public void ShortLoadsAreExtended(string type, ulong stored, ulong expected)
    {
        string body = $"""
            .reg .b32 %r<2>; .reg .b64 %rd<3>;
            ld.param.b64 %rd1, [from]; ld.param.b64 %rd2, [to];
            ld.global.{type} %r1, [%rd1];
            st.global.b32 [%rd2], %r1;
            ret;
            """;
        using var device = new PtxDevice();
        ulong[] parameters = [device.Allocate(8), device.Allocate(8), 0];
        device.Write(parameters[0], BitConverter.GetBytes(stored));
        device.Launch(PtxModule.Parse(OneInstruction.Kernel(body)).Find("k")!, new PtxDim(1), new PtxDim(1),
            MemoryMarshal.AsBytes<ulong>(parameters));
        byte[] result = new byte[4];
        device.Read(parameters[1], result);
        Assert.Equal((uint)expected, BitConverter.ToUInt32(result));
    }

    [Fact]
    public unsafe void MappedMemoryIsTheHosts()
    {
        using var device = new PtxDevice(new PtxDeviceOptions { Sanitize = true });
        uint* host = (uint*)NativeMemory.AlignedAlloc(64, 64);
        try
        {
            new Span<uint>(host, 16).Fill(41);
            device.Map((ulong)host, (nint)host, 64);
            const string Body = """
                .reg .b32 %r<2>; .reg .b64 %rd<2>;
                ld.param.b64 %rd1, [from];
                ld.global.b32 %r1, [%rd1+4];
                add.s32 %r1, %r1, 1;
                st.global.b32 [%rd1+8], %r1;
                ret;
                """;
            ulong[] parameters = [(ulong)host, 0, 0];
            device.Launch(PtxModule.Parse(OneInstruction.Kernel(Body)).Find("k")!, new PtxDim(1), new PtxDim(1),
                MemoryMarshal.AsBytes<ulong>(parameters));
            Assert.Equal([41u, 41, 42, 41], new ReadOnlySpan<uint>(host, 4).ToArray());
            Assert.Throws<ArgumentException>(() => device.Map((ulong)host + 8, (nint)host, 64));
            device.Free((ulong)host);
        }
        finally
        {
            NativeMemory.AlignedFree(host);
        }
    }
}
