namespace UniCardio.Gpu.Tests.Texts;

/// <summary>
/// Texts of <see cref="TensorAttentionKernel"/>: 16 queries a warp by tiles of 64 keys. Queries stay in registers, split; probabilities
/// never leave theirs: where mma.sync wants key t of a lane's four in A it gets key 2t, and key 2t + 1 for t + 4, and V's rows follow.
/// </summary>
internal static class AttentionTexts
{
    private const int RowBytes = 176, Values = 64 * RowBytes, Tiles = 8, Steps = 5;

    public static TextFile File { get; } = new TextFile("TensorAttentionText",
            "The PTX of <see cref=\"TensorAttentionKernel\"/>, for devices of compute capability 8.0 and later.")
        .Add("Declare", "Names registers and the shared array, clears the sums. s are scores and then probabilities of 16 "
            + "queries by 64 keys\n"
            + "    /// a warp, v the sums of values.", Declare())
        .Add("Queries", "This warp's queries from shared memory to registers, split: %0 where this lane's row begins.", Queries())
        .Add("Load", "Copies of 64 rows of K, and of V %3 bytes further: %0 address of the first row, %1 where the stage begins, %2 bytes\n"
            + "    /// of the rows that there are.", Load(2))
        .Add("LoadQueries", "The same of queries alone.", Load(1))
        .Add("Scores", "Scores of 16 queries by 64 keys: %0 where this lane's row of K begins. Cross products are summed apart, so that\n"
            + "    /// the tensor cores' cut sums stay small.", Scores())
        .Add("Mask", "Scores of keys beyond the slot's end become the lowest: %0 keys from this lane's first on.", Mask())
        .Add("Softmax", "Probabilities 2^(s - reference) and their sums. The reference is raised only where a score passes "
            + "it by more than 8,\n"
            + "    /// so that sums are rescaled almost never.", Softmax())
        .Add("Values", "64 keys of 16 queries by 40 columns: %0 where this lane's first row of V begins. The tile's sums are "
            + "added to those\n"
            + "    /// before, rounded.", Product())
        .Add("Finish", "Divides by the sums and stores: %0 and %1 the addresses of both rows' first column, %2 and %3 how many columns\n"
            + "    /// from there on each has.", Finish());

    private static PtxText Declare() => new PtxText()
        .Line(".shared .align 128 .b8 tiles[45056];")
        .Line(".reg .b64 %%base, %%from;")
        .Line(".reg .b32 %%sp, %%at, %%to, %%off, %%size, %%co<5>, %%ct<5>;")
        .Line(".reg .b32 %%s<32>;")
        .Line(".reg .f32 %%c<20>, %%v<20>;")
        .Line(".reg .f32 %%e<2>, %%l<2>, %%m<2>, %%w<2>, %%n<2>;")
        .Line(".reg .b32 %%a<20>, %%g<20>, %%b<10>, %%h<10>;")
        .Line(".reg .pred %%q<3>;")
        .Line("mov.u64 %%base, tiles;")
        .Line("cvt.u32.u64 %%sp, %%base;")
        .Clear("v", 20).Clear("c", 16)
        .Line("mov.f32 %%e0, 0fF149F2CA;").Line("mov.f32 %%e1, 0fF149F2CA;")
        .Clear("l", 2);

    private static PtxText Queries()
    {
        PtxText text = new PtxText().Line("add.u32 %%at, %%sp, %0;");
        for (int step = 0; step < Steps; step++)
            text.LoadMatrix("a", 4 * step, $"%%at+{32 * step}");
        return text.Split("a", "g", 0, 4 * Steps);
    }

    private static PtxText Load(int matrices)
    {
        var text = new PtxText();
        for (int i = 0; i < 5; i++)
        {
            text.Line($"setp.lt.s32 %%q0, %%co{i}, %2;")
                .Line("selp.b32 %%size, 16, 0, %%q0;")
                .Line($"selp.b32 %%off, %%co{i}, 0, %%q0;")
                .Line("cvt.u64.u32 %%from, %%off;")
                .Line("add.u64 %%from, %%from, %0;")
                .Line($"add.u32 %%to, %%ct{i}, %1;")
                .Line("cp.async.cg.shared.global [%%to], [%%from], 16, %%size;");
            if (matrices > 1)
                text.Line("add.u64 %%from, %%from, %3;").Line($"cp.async.cg.shared.global [%%to+{Values}], [%%from], 16, %%size;");
        }

        return text;
    }

    // Two halves of four tiles of 8 keys; of each the leads in s and the cross products in c.
    private static PtxText Scores()
    {
        PtxText text = new PtxText().Line("add.u32 %%at, %%sp, %0;").Clear("s", 32);
        for (int half = 0; half < 2; half++)
        {
            for (int step = 0; step < Steps; step++)
            {
                string rest = PtxText.Names("a", 4 * step, 4), lead = PtxText.Names("g", 4 * step, 4);
                for (int pair = 0; pair < 2; pair++)
                {
                    int first = 4 * pair;
                    text.LoadMatrix("b", first, $"%%at+{(((2 * half) + pair) * 16 * RowBytes) + (32 * step)}").Split("b", "h", first, 4);
                }

                for (int tile = 0; tile < 4; tile++)
                    text.Product("c", 4 * tile, rest, PtxText.Names("h", 2 * tile, 2));
                for (int tile = 0; tile < 4; tile++)
                    text.Product("s", (16 * half) + (4 * tile), lead, PtxText.Names("h", 2 * tile, 2));
                for (int tile = 0; tile < 4; tile++)
                    text.Product("c", 4 * tile, lead, PtxText.Names("b", 2 * tile, 2));
            }

            for (int i = 0; i < 16; i++)
                text.Line($"add.f32 %%s{(16 * half) + i}, %%s{(16 * half) + i}, %%c{i};").Line($"mov.f32 %%c{i}, {PtxText.Zero};");
        }

        return text;
    }

    private static PtxText Mask()
    {
        var text = new PtxText();
        for (int tile = 0; tile < Tiles; tile++)
        {
            for (int column = 0; column < 2; column++)
                text.Line($"setp.gt.s32 %%q0, %0, {(8 * tile) + column};")
                    .Each([(4 * tile) + column, (4 * tile) + column + 2], i => $"selp.f32 %%s{i}, %%s{i}, 0fFF61B1E6, %%q0;");
        }

        return text;
    }

    private static PtxText Softmax()
    {
        PtxText text = new PtxText().Line("max.f32 %%m0, %%s0, %%s1;").Line("max.f32 %%m1, %%s2, %%s3;");
        for (int tile = 1; tile < Tiles; tile++)
        {
            for (int column = 0; column < 2; column++)
                text.Line($"max.f32 %%m0, %%m0, %%s{(4 * tile) + column};").Line($"max.f32 %%m1, %%m1, %%s{(4 * tile) + 2 + column};");
        }

        foreach (int lanes in (int[])[1, 2])
            text.Each(2, i => $"shfl.sync.bfly.b32 %%n{i}, %%m{i}, {lanes}, 31, -1;").Each(2, i => $"max.f32 %%m{i}, %%m{i}, %%n{i};");
        text.Each(2, i => $"add.f32 %%n{i}, %%e{i}, 0f41000000;").Each(2, i => $"setp.gt.f32 %%q{i}, %%m{i}, %%n{i};")
            .Line("or.pred %%q2, %%q0, %%q1;").Line("@!%%q2 bra KEEP;");
        for (int i = 0; i < 2; i++)
            text.Line($"max.f32 %%n{i}, %%m{i}, %%e{i};").Line($"sub.f32 %%w{i}, %%e{i}, %%n{i};").Line($"ex2.approx.f32 %%w{i}, %%w{i};")
                .Line($"mov.f32 %%e{i}, %%n{i};").Line($"mul.f32 %%l{i}, %%l{i}, %%w{i};");
        text.Each(20, i => $"mul.f32 %%v{i}, %%v{i}, %%w{i / 2 % 2};").Line("KEEP:");
        for (int tile = 0; tile < Tiles; tile++)
        {
            int first = 4 * tile;
            text.Each(4, i => $"sub.f32 %%s{first + i}, %%s{first + i}, %%e{i / 2};")
                .Each(4, i => $"ex2.approx.f32 %%s{first + i}, %%s{first + i};")
                .Each(4, i => $"add.f32 %%l{i / 2}, %%l{i / 2}, %%s{first + i};");
        }

        return text;
    }

    // Rests of the probabilities stay in s, their leads go to h 0 to 3; of V rests in b, leads in h from 4 on.
    private static PtxText Product()
    {
        PtxText text = new PtxText().Line("add.u32 %%at, %%sp, %0;").Each([16, 17, 18, 19], i => $"mov.f32 %%c{i}, {PtxText.Zero};");
        for (int tile = 0; tile < Tiles; tile++)
        {
            text.Split("s", "h", 4 * tile, 4, leadFirst: 0);
            // a of keys 2t of rows g and g + 8, then of keys 2t + 1.
            string rest = $"%%s{4 * tile}, %%s{(4 * tile) + 2}, %%s{(4 * tile) + 1}, %%s{(4 * tile) + 3}", lead = "%%h0, %%h2, %%h1, %%h3";
            for (int columns = 0; columns < 5; columns++)
            {
                int at = (8 * tile * RowBytes) + (32 * columns), even = 2 * (columns % 2);
                text.Line($"ld.shared.b32 %%b{even}, [%%at+{at}];").Line($"ld.shared.b32 %%b{even + 1}, [%%at+{at + RowBytes}];")
                    .Split("b", "h", even, 2, leadFirst: 4 + even)
                    .Product("c", 4 * columns, rest, PtxText.Names("h", 4 + even, 2))
                    .Product("c", 4 * columns, lead, PtxText.Names("b", even, 2))
                    .Product("c", 4 * columns, lead, PtxText.Names("h", 4 + even, 2));
            }
        }

        return text.Flush("v", "c", 20);
    }

    private static PtxText Finish()
    {
        var text = new PtxText();
        foreach (int lanes in (int[])[1, 2])
            text.Each(2, i => $"shfl.sync.bfly.b32 %%n{i}, %%l{i}, {lanes}, 31, -1;").Each(2, i => $"add.f32 %%l{i}, %%l{i}, %%n{i};");
        text.Each(2, i => $"rcp.rn.f32 %%l{i}, %%l{i};").Each(20, i => $"mul.f32 %%v{i}, %%v{i}, %%l{i / 2 % 2};");
        for (int tile = 0; tile < 5; tile++)
        {
            for (int i = 0; i < 2; i++)
                text.Line($"setp.gt.s32 %%q0, %{2 + i}, {8 * tile};")
                    .Line($"@%%q0 st.global.v2.f32 [%{i}+{32 * tile}], {{{PtxText.Names("v", (4 * tile) + (2 * i), 2)}}};");
        }

        return text;
    }
}
