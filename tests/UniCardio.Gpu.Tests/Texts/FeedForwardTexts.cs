namespace UniCardio.Gpu.Tests.Texts;

/// <summary>
/// Texts of <see cref="TensorFeedForwardKernel"/>: 16 rows a group by 16 columns a warp. A lane takes four neighbouring inputs of a row of
/// A and of B at once, 16 bytes: inputs 4t and 4t + 1 stand where mma.sync wants t and t + 4, then 4t + 2 and 4t + 3. A sum has no order
/// of its inputs, so nothing is moved, and weights go from the cache to registers.
/// </summary>
internal static class FeedForwardTexts
{
    public static TextFile File { get; } = new TextFile("TensorFeedForwardText",
            "The PTX of <see cref=\"TensorFeedForwardKernel\"/>, for devices of compute capability 8.0 and later.")
        .Add("Declare", "Names registers, finds the group's shared array, clears the sums. Emitted once a kernel.", new PtxText()
            .Line(".reg .b64 %%base;")
            .Line(".reg .b32 %%sp, %%at, %%bt;")
            .Line(".reg .b32 %%a<16>, %%g<16>, %%b<16>, %%h<16>, %%w<16>;")
            .Line(".reg .f32 %%c<24>, %%s<8>, %%e<2>;")
            .Line("mov.u64 %%base, __shared_alloca0;")
            .Line("cvt.u32.u64 %%sp, %%base;")
            .Clear("c", 24).Clear("s", 8))
        .Add("Fetch", "The first weights: %0 and %1 addresses of this lane's quads of columns g and g + 8 of B.", Fetch(new PtxText(), 0))
        .Add("Step",
            "32 inputs: %0 and %1 where this lane's quads of rows g and g + 8 of A begin, %2 and %3 addresses of the weights of the\n"
            + "    /// step after, which are fetched meanwhile.", Step())
        .Add("Store", "Sums to shared memory: %0 and %1 where this lane's first pair of both rows goes.", Store(add: false))
        .Add("AddTo", "The same, added to what is there.", Store(add: true));

    private static PtxText Fetch(PtxText text, int operand)
    {
        for (int part = 0; part < 2; part++)
        {
            for (int tile = 0; tile < 2; tile++)
                text.Line($"ld.global.v4.b32 {{{PtxText.Names("w", (8 * part) + (4 * tile), 4)}}}, [%{operand + tile}+{64 * part}];");
        }

        return text;
    }

    // Sums of their own for each kind of product: a chain of 4 instructions, not of 12.
    private static PtxText Step()
    {
        PtxText text = new PtxText().Line("add.u32 %%at, %%sp, %0;").Line("add.u32 %%bt, %%sp, %1;")
            .Each(16, i => $"mov.b32 %%b{i}, %%w{i};");
        Fetch(text, 2);
        for (int part = 0; part < 2; part++)
        {
            text.Line($"ld.shared.v4.b32 {{{PtxText.Names("a", 8 * part, 4)}}}, [%%at+{64 * part}];")
                .Line($"ld.shared.v4.b32 {{{PtxText.Names("a", (8 * part) + 4, 4)}}}, [%%bt+{64 * part}];");
        }

        text.Split("a", "g", 0, 16).Split("b", "h", 0, 16);
        (string A, string B)[] kinds = [("a", "h"), ("g", "b"), ("g", "h")];
        for (int half = 0; half < 4; half++)
        {
            int at = (8 * (half / 2)) + (2 * (half % 2));
            for (int kind = 0; kind < kinds.Length; kind++)
            {
                (string a, string b) = kinds[kind];
                string rows = $"%%{a}{at}, %%{a}{at + 4}, %%{a}{at + 1}, %%{a}{at + 5}";
                for (int tile = 0; tile < 2; tile++)
                    text.Product("c", (8 * kind) + (4 * tile), rows, PtxText.Names(b, at + (4 * tile), 2));
            }
        }

        return text.Each(8, i => $"add.f32 %%c{i}, %%c{i}, %%c{i + 8};").Each(8, i => $"add.f32 %%c{i}, %%c{i}, %%c{i + 16};")
            .Each(8, i => $"add.f32 %%s{i}, %%s{i}, %%c{i};").Clear("c", 24);
    }

    private static PtxText Store(bool add)
    {
        PtxText text = new PtxText().Line("add.u32 %%at, %%sp, %0;").Line("add.u32 %%bt, %%sp, %1;");
        for (int tile = 0; tile < 2; tile++)
        {
            foreach ((string row, int first) in ((string, int)[])[("%%at", 4 * tile), ("%%bt", (4 * tile) + 2)])
            {
                if (add)
                    text.Line($"ld.shared.v2.f32 {{%%e0, %%e1}}, [{row}+{32 * tile}];")
                        .Each(2, i => $"add.f32 %%s{first + i}, %%s{first + i}, %%e{i};");
                text.Line($"st.shared.v2.f32 [{row}+{32 * tile}], {{{PtxText.Names("s", first, 2)}}};");
            }
        }

        return text.Clear("s", 8);
    }
}
