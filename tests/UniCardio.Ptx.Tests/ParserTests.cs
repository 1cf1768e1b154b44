namespace UniCardio.Ptx.Tests;

/// <summary>Text that breaks the language's rules is refused with its line.</summary>
public class ParserTests
{
    private const string Registers = ".reg .pred %p<3>; .reg .b32 %r<4>; .reg .b64 %rd<4>; .reg .f32 %f<4>;\n";

    [Fact]
    public void HeaderAndParametersAreRead()
    {
        PtxModule module = PtxModule.Parse(OneInstruction.Kernel(Registers + "ret;",
            ".param .align 4 .b8 shape[28], .param .b32 tokens, .param .align 8 .b8 view[16]"));
        PtxKernel kernel = Assert.Single(module.Kernels);
        Assert.Equal(("7.0", "sm_80", "k"), (module.Version, module.Target, kernel.Name));
        Assert.Equal([("shape", 0, 28), ("tokens", 28, 4), ("view", 32, 16)], kernel.Parameters.Select(p => (p.Name, p.Offset, p.Bytes)));
        Assert.Equal(48, kernel.ParameterBytes);
    }

    [Theory]
    [InlineData("add.s32 %r0, %r1, %r4;", "%r4")]
    [InlineData("add.s32 %r0, %r1, %f1;", "declared .f32")]
    [InlineData("add.f32 %f0, %f1, %rd1;", "declared .b64")]
    [InlineData("add.u64 %rd0, %rd1, %r1;", "declared .b32")]
    [InlineData("add.s32 %r0, %r1;", "2 operands, 3 were expected")]
    [InlineData("add.s32 5, %r1, %r2;", "no register to write")]
    [InlineData("setp.lt.s32 %r0, %r1, %r2;", "declared .b32")]
    [InlineData("@%r1 ret;", "no predicate")]
    [InlineData("@%p1 add.f32 %f0, %f1, %p2;", "declared .pred")]
    [InlineData("bra there;", "there is no register, variable or label 'there'")]
    [InlineData("here: add.s32 %r0, %r0, 1; here: ret;", "two labels")]
    [InlineData("frob.s32 %r0, %r1;", "'frob.s32' is not known")]
    [InlineData("add.f64 %rd0, %rd1, %rd2;", "'add.f64' is not known")]
    [InlineData("mov.b32 %r0, %clock;", "%clock")]
    [InlineData("mov.b32 %r0, 0f3f800000;", null)]
    [InlineData("mov.f32 %f0, 1;", "no operand of type .f32")]
    [InlineData("mov.b32 %r0, 4294967296;", "does not fit")]
    [InlineData("ld.global.f32 %f0, [%r1];", "no register of 64 bits")]
    [InlineData("ld.global.v4.f32 {%f0, %f1}, [%rd1];", "4 elements")]
    [InlineData("ld.param.b32 %r0, [from+6];", "bytes 6 to 10")]
    [InlineData("ld.param.b32 %r0, [from+2];", "misaligned")]
    [InlineData("ld.global.v4.b64 {%rd0, %rd1, %rd2, %rd3}, [%rd1];", "more than 16 bytes")]
    [InlineData("bar.sync %r0;", "barrier")]
    [InlineData("@%p1 bar.sync 0;", "barrier under a predicate")]
    [InlineData(".reg .f64 %d<2>;", ".f64")]
    [InlineData(".reg .b32 %r<9>;", "declared twice")]
    [InlineData("add.s32 %r0 %r1, 2;", "expected")]
    [InlineData("/* no end", "does not end")]
    [InlineData("mov.b32 %r0, #3;", "'#'")]
    public void WrongTextIsRefused(string statement, string? message)
    {
        string text = OneInstruction.Kernel(Registers + statement + "\nret;");
        if (message is null)
        {
            PtxModule.Parse(text);
            return;
        }

        PtxException error = Assert.Throws<PtxException>(() => PtxModule.Parse(text));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(7, error.Line);
    }

    [Fact]
    public void ScopesHideNames()
    {
        PtxModule.Parse(OneInstruction.Kernel(Registers
            + "{ .reg .f32 %acc<2>; mov.f32 %acc0, 0f00000000; }\n{ .reg .f32 %acc<2>; mov.f32 %acc1, 0f00000000; }\nret;"));
        Assert.Throws<PtxException>(() =>
            PtxModule.Parse(OneInstruction.Kernel(Registers + "{ .reg .f32 %acc<2>; }\nmov.f32 %acc0, 0f00000000;\nret;")));
    }

    [Fact]
    public void TextThatEndsEarlyIsRefused()
    {
        string whole = OneInstruction.Kernel(Registers + "add.s32 %r0, %r1, 2;\nret;");
        // Every beginning that is cut within the body.
        for (int cut = whole.IndexOf('{', StringComparison.Ordinal); cut < whole.LastIndexOf('}'); cut++)
            Assert.Throws<PtxException>(() => PtxModule.Parse(whole[..cut]));
    }
}
