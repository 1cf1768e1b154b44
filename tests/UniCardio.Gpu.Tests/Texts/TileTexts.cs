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
        .Line(".reg .f32 %%c<32>, %%s<32>;")
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

    // Four times 8 inputs in one text, so that one waits for nothing while another multiplies.
    private static PtxText Products(bool three)
    {
        var text = new PtxText();
        for (int step = 0; step < 4; step++)
        {
            text.Line($"xor.b32 %%at, %0, {32 * step};").Line("add.u32 %%at, %%at, %%sp;").Line("add.u32 %%at, %%at, %2;")
                .Line($"xor.b32 %%bt, %1, {32 * step};").Line("add.u32 %%bt, %%bt, %%sp;").Line("add.u32 %%bt, %%bt, %2;")
                .LoadMatrix("x", 0, "%%at").LoadMatrix("x", 4, $"%%at+{Quarter}")
                .LoadMatrix("x", 8, "%%bt").LoadMatrix("x", 12, $"%%bt+{Quarter}")
                .Split("x", "h", 0, 16, withRest: three);
            // Small products first, so that the cut of a sum is one of small numbers.
            foreach ((string a, string b) in three ? [("x", "h"), ("h", "x"), ("h", "h")] : ((string, string)[])[("h", "h")])
            {
                for (int i = 0; i < 8; i++)
                    text.Product("c", 4 * i, PtxText.Names(a, i / 4 * 4, 4), PtxText.Names(b, 8 + (i % 4 * 2), 2));
            }
        }

        return text;
    }

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
