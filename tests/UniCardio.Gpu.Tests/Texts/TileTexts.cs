namespace UniCardio.Gpu.Tests.Texts;

/// <summary>Texts of <see cref="TensorTile"/>: 64 x 64 outputs a group, 32 x 32 a warp.</summary>
internal static class TileTexts
{
    private const int Stage = 8192, Quarter = 2048, Row = 288;

    public static TextFile File { get; } = new TextFile("TensorTileText",
            "The PTX of <see cref=\"TensorTile\"/>, for devices of compute capability 8.0 and later. Each text is emitted once a kernel.")
        .Add("Declare", "Names the registers, finds the group's shared array and clears the sums.", Declare())
        .Add("Stage", "Copies of one step of 32 inputs: %0 where the stage begins in shared memory, %1 all ones, or 0 where "
            + "this thread's\n    /// "
            + "inputs are beyond the end, %2 bytes to the next step's inputs.", Copies())
        .Add("ThreeProducts",
            "32 inputs of 32 x 32 outputs a warp: %0 and %1 are where this lane's rows of A and B begin, %2 the stage. A value is\n"
            + "    /// split into its 11 leading bits, rounded, and the rest; the product of both rests is below 2^-22 of "
            + "the whole and left out.",
            Products(three: true))
        .Add("OneProduct", "The same with values rounded to tf32: 2^-11 relative.", Products(three: false))
        .Add("BFloatProduct", "The same with values rounded to bf16: 2^-8 relative. Inputs t and t + 4 of 8 lie in one word of A and B:\n"
            + "    /// a sum has no order of its inputs.", BFloatProduct())
        .Add("Single", "32 inputs in float32 multiply-adds: a thread has rows 0, 8 .. 56 from %0 on and columns 0, 16 .. 48 from %1 on,\n"
            + "    /// as places in the stage %2. 12 loads and two addresses for 128 multiply-adds.", Single())
        .Add("StoreSingle", "The same thread's sums to the shared array, rows of 72 floats: %0 where its first goes.", StoreSingle())
        .Add("Flush", "Adds the sums of 32 inputs to those before, rounded: the tensor cores cut their sums towards zero, which over 288\n"
            + "    /// inputs comes to 5e-6 of the largest output.",
            new PtxText().Flush("s", "c", 32))
        .Add("Store", "Sums to the shared array, rows of 72 floats: %0 where this lane's first pair goes.", Store());

    /// <summary>Adds sums to those before and clears them.</summary>
    public static PtxText Flush(this PtxText text, string kept, string sums, int count)
    {
        for (int i = 0; i < count; i++)
            text.Line($"add.f32 %%{kept}{i}, %%{kept}{i}, %%{sums}{i};").Line($"mov.f32 %%{sums}{i}, {PtxText.Zero};");
        return text;
    }

    private static PtxText Declare() => new PtxText()
        .Line(".reg .b32 %%sp, %%at, %%bt, %%to, %%size;")
        .Line(".reg .b64 %%pa<4>, %%pb<4>;")
        .Line(".reg .b32 %%za<4>, %%zb<4>;")
        .Line(".reg .f32 %%c<32>, %%s<32>, %%y<48>;")
        .Line(".reg .b32 %%x<16>, %%h<16>;")
        .Line(".reg .b64 %%base;")
        .Line("mov.u64 %%base, __shared_alloca0;")
        .Line("cvt.u32.u64 %%sp, %%base;")
        .Clear("c", 32).Clear("s", 32);

    private static PtxText Copies()
    {
        PtxText text = new PtxText().Line("add.u32 %%to, %%sp, %0;");
        for (int i = 0; i < 8; i++)
        {
            string own = $"{(i < 4 ? 'a' : 'b')}{i % 4}";
            text.Line($"and.b32 %%size, %%z{own}, %1;")
                .Line($"cp.async.cg.shared.global [%%to+{(i / 4 * Stage) + (i % 4 * Quarter)}], [%%p{own}], 16, %%size;")
                .Line($"add.u64 %%p{own}, %%p{own}, %2;");
        }

        return text.Line("cp.async.commit_group;");
    }

    // Rows 8 apart and columns 16 apart are swizzled alike, so that all but the quad's place is in the addresses' offsets.
    private static PtxText Single()
    {
        PtxText text = new PtxText().Line("add.u32 %%at, %%sp, %2;");
        for (int quad = 0; quad < 8; quad++)
        {
            text.Line($"xor.b32 %%bt, %0, {16 * quad};").Line("add.u32 %%bt, %%bt, %%at;")
                .Each(8, i => $"ld.shared.v4.f32 {{{PtxText.Names("y", 4 * i, 4)}}}, [%%bt+{1024 * i}];")
                .Line($"xor.b32 %%bt, %1, {16 * quad};").Line("add.u32 %%bt, %%bt, %%at;")
                .Each(4, i => $"ld.shared.v4.f32 {{{PtxText.Names("y", 32 + (4 * i), 4)}}}, [%%bt+{Stage + (Quarter * i)}];");
            for (int k = 0; k < 4; k++)
                text.Each(32, i => $"fma.rn.f32 %%s{i}, %%y{(i / 4 * 4) + k}, %%y{32 + (i % 4 * 4) + k}, %%s{i};");
        }

        return text;
    }

    private static PtxText StoreSingle() => new PtxText().Line("add.u32 %%to, %%sp, %0;")
        .Each(32, i => $"st.shared.f32 [%%to+{(i / 4 * 8 * Row) + (i % 4 * 64)}], %%s{i};");

    // Four times 8 inputs in one text, so that one waits for nothing while another multiplies.
    private static PtxText Products(bool three)
    {
        var text = new PtxText();
        for (int step = 0; step < 4; step++)
        {
            Matrices(text, step);
            text.Split("x", "h", 0, 16, withRest: three);
            // Small products first, so that the cut of a sum is one of small numbers.
            foreach ((string a, string b) in three ? [("x", "h"), ("h", "x"), ("h", "h")] : ((string, string)[])[("h", "h")])
            {
                for (int i = 0; i < 8; i++)
                    text.Product("c", 4 * i, PtxText.Names(a, i / 4 * 4, 4), PtxText.Names(b, 8 + (i % 4 * 2), 2));
            }
        }

        return text;
    }

    // Twice 16 inputs; x holds 8 of them at a time, a word each, h 16 of them, two in a word.
    private static PtxText BFloatProduct()
    {
        var text = new PtxText();
        for (int step = 0; step < 4; step++)
        {
            Matrices(text, step);
            int second = step % 2;
            for (int rows = 0; rows < 2; rows++)
                text.Each(2, i => $"cvt.rn.bf16x2.f32 %%h{(4 * rows) + (2 * second) + i}, %%x{(4 * rows) + i + 2}, %%x{(4 * rows) + i};");
            text.Each(4, i => $"cvt.rn.bf16x2.f32 %%h{8 + (2 * i) + second}, %%x{9 + (2 * i)}, %%x{8 + (2 * i)};");
            for (int i = 0; second == 1 && i < 8; i++)
                text.Product("c", 4 * i, PtxText.Names("h", i / 4 * 4, 4), PtxText.Names("h", 8 + (i % 4 * 2), 2), "m16n8k16", "bf16");
        }

        return text;
    }

    // 8 inputs of 32 rows of A and of B.
    private static void Matrices(PtxText text, int step) =>
        text.Line($"xor.b32 %%at, %0, {32 * step};").Line("add.u32 %%at, %%at, %%sp;").Line("add.u32 %%at, %%at, %2;")
            .Line($"xor.b32 %%bt, %1, {32 * step};").Line("add.u32 %%bt, %%bt, %%sp;").Line("add.u32 %%bt, %%bt, %2;")
            .LoadMatrix("x", 0, "%%at").LoadMatrix("x", 4, $"%%at+{Quarter}")
            .LoadMatrix("x", 8, "%%bt").LoadMatrix("x", 12, $"%%bt+{Quarter}");

    private static PtxText Store()
    {
        PtxText text = new PtxText().Line("add.u32 %%to, %%sp, %0;");
        for (int i = 0; i < 8; i++)
        {
            int at = (i / 4 * 16 * Row) + (i % 4 * 32);
            text.Line($"st.shared.v2.f32 [%%to+{at}], {{{PtxText.Names("s", 4 * i, 2)}}};")
                .Line($"st.shared.v2.f32 [%%to+{at + (8 * Row)}], {{{PtxText.Names("s", (4 * i) + 2, 2)}}};");
        }

        return text;
    }
}
