namespace UniCardio.Gpu.Tests.Texts;

/// <summary>
/// Texts of <see cref="TensorRows"/>: 8 rows a group by 16 columns a warp. The weights are A of mma.sync, 16 columns, and the rows B, so
/// that 8 rows fill an instruction. A lane takes four neighbouring inputs at once, as in <see cref="FeedForwardTexts"/>.
/// </summary>
internal static class RowTexts
{
    // From a row's leads to its rests.
    private const int Rest = 16 * TensorRows.RestAt;

    public static TextFile File { get; } = new TextFile("TensorRowsText",
            "The PTX of <see cref=\"TensorRows\"/>, for devices of compute capability 8.0 and later.")
        .Add("Declare", "Names registers, finds the group's shared array, clears the sums. Emitted once a kernel.", new PtxText()
            .Line(".reg .b64 %%base;")
            .Line(".reg .b32 %%sp, %%at, %%bt;")
            .Line(".reg .b32 %%b<16>, %%h<16>, %%w<16>, %%y<8>, %%z<8>;")
            .Line(".reg .f32 %%c<12>, %%s<4>, %%e<4>;")
            .Line("mov.u64 %%base, __shared_alloca0;")
            .Line("cvt.u32.u64 %%sp, %%base;")
            .Clear("s", 4))
        .Add("Fetch", "The first weights: %0 address of this lane's quads of a step of 32 inputs.", Fetch(new PtxText(), 0))
        .Add("Step",
            "32 inputs: %0 where this lane's quads of its row begin, leads, with the rests a constant after them; %1 address of the\n"
            + "    /// weights of the step after, which are fetched meanwhile.", Step(fetches: true))
        .Add("Last", "The same after which no weights are wanted.", Step(fetches: false))
        .Add("Store", "Sums to shared memory: %0 and %1 where column g of this lane's first and second row goes.", Store(add: false))
        .Add("AddTo", "The same, added to what is there.", Store(add: true));

    private static PtxText Fetch(PtxText text, int operand) => text.Each(4, i =>
        $"ld.global.v4.b32 {{{PtxText.Names("w", 4 * i, 4)}}}, [%{operand}+{512 * i}];");

    // A weight's lead is cut, not rounded, which saves an instruction of three: the rest has up to 13 bits, of which the unit takes 11, so
    // that a weight is small by 2^-23 of itself on average. Sums of their own for each kind of product: chains of four instructions.
    private static PtxText Step(bool fetches)
    {
        PtxText text = new PtxText().Line("add.u32 %%at, %%sp, %0;").Each(16, i => $"mov.b32 %%b{i}, %%w{i};");
        if (fetches)
            Fetch(text, 1);
        foreach ((string register, int at) in ((string, int)[])[("y", 0), ("z", Rest)])
            text.Each(2, i => $"ld.shared.v4.b32 {{{PtxText.Names(register, 4 * i, 4)}}}, [%%at+{at + (64 * i)}];");
        text.Each(16, i => $"and.b32 %%h{i}, %%b{i}, -8192;").Each(16, i => $"sub.f32 %%b{i}, %%b{i}, %%h{i};").Clear("c", 12);
        (string A, string B)[] kinds = [("b", "y"), ("h", "z"), ("h", "y")];
        for (int part = 0; part < 4; part++)
        {
            int at = (8 * (part / 2)) + (2 * (part % 2));
            for (int kind = 0; kind < kinds.Length; kind++)
            {
                (string a, string b) = kinds[kind];
                text.Product("c", 4 * kind, $"%%{a}{at}, %%{a}{at + 4}, %%{a}{at + 1}, %%{a}{at + 5}",
                    PtxText.Names(b, 2 * part, 2));
            }
        }

        return text.Each(4, i => $"add.f32 %%c{i}, %%c{i}, %%c{i + 4};").Each(4, i => $"add.f32 %%c{i}, %%c{i}, %%c{i + 8};")
            .Each(4, i => $"add.f32 %%s{i}, %%s{i}, %%c{i};");
    }

    // A sum has columns g and g + 8 of two rows.
    private static PtxText Store(bool add)
    {
        PtxText text = new PtxText().Line("add.u32 %%at, %%sp, %0;").Line("add.u32 %%bt, %%sp, %1;");
        string Place(int i) => $"[{(i % 2 == 0 ? "%%at" : "%%bt")}+{32 * (i / 2)}]";
        if (add)
            text.Each(4, i => $"ld.shared.f32 %%e{i}, {Place(i)};").Each(4, i => $"add.f32 %%s{i}, %%s{i}, %%e{i};");
        return text.Each(4, i => $"st.shared.f32 {Place(i)}, %%s{i};").Clear("s", 4);
    }
}
