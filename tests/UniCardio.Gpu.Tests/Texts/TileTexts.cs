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
            + "    /// a sum has no order of its inputs.", BFloatProduct(hasBFloatWeights: false))
        .Add("StageHalf", "The same where B is of 16 bits: %3 and %4 for B what %1 and %2 are for A.", HalfCopies())
        .Add("TwoProductsBFloat", "32 inputs of 32 x 32 outputs a warp with B of bf16, which tf32 holds whole, so that only A has rests: "
            + "the bits of\n    /// ThreeProducts.", HalfProducts(isBFloat: true))
        .Add("TwoProductsHalf", "The same with B of f16, 11 bits, which tf32 holds whole too.", HalfProducts(isBFloat: false))
        .Add("BFloatWeights", "BFloatProduct with B of bf16 as it lies there.", BFloatProduct(hasBFloatWeights: true))
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
        .Line(".reg .b32 %%sp, %%at, %%bt, %%to, %%size, %%tb;")
        .Line(".reg .b32 %%w<4>;")
        .Line(".reg .b16 %%q<2>;")
        .Line(".reg .b64 %%pa<4>, %%pb<4>;")
        .Line(".reg .b32 %%za<4>, %%zb<4>;")
        .Line(".reg .f32 %%c<32>, %%s<32>, %%y<48>;")
        .Line(".reg .b32 %%x<16>, %%h<16>;")
        .Line(".reg .b64 %%base;")
        .Line("mov.u64 %%base, __shared_alloca0;")
        .Line("cvt.u32.u64 %%sp, %%base;")
        // What rows of 16 bits or others alone have.
        .Line("mov.b32 %%tb, 0;")
        .Each([2, 3], i => $"mov.b64 %%pb{i}, 0;\nmov.b32 %%zb{i}, 0;")
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

    // B's rows are 32 apart; %%tb leads from this thread's place in A to that in B.
    private static PtxText HalfCopies()
    {
        PtxText text = new PtxText().Line("add.u32 %%to, %%sp, %0;")
            .Each(4, i => $"and.b32 %%size, %%za{i}, %1;\ncp.async.cg.shared.global [%%to+{i * Quarter}], [%%pa{i}], 16, %%size;\n"
                + $"add.u64 %%pa{i}, %%pa{i}, %2;");
        return text.Line("add.u32 %%to, %%to, %%tb;")
            .Each(2, i => $"and.b32 %%size, %%zb{i}, %3;\ncp.async.cg.shared.global [%%to+{i * Quarter}], [%%pb{i}], 16, %%size;\n"
                + $"add.u64 %%pb{i}, %%pb{i}, %4;")
            .Line("cp.async.commit_group;");
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

    // Four times 8 inputs. A lane has inputs t and t + 4 of a row of B in one word.
    private static PtxText HalfProducts(bool isBFloat)
    {
        var text = new PtxText();
        for (int step = 0; step < 4; step++)
        {
            MatricesOfA(text, step);
            HalfMatrices(text, step, PtxText.Names("w", 0, 4));
            for (int i = 0; i < 4; i++)
            {
                if (isBFloat)
                    text.Line($"shl.b32 %%h{8 + (2 * i)}, %%w{i}, 16;").Line($"and.b32 %%h{9 + (2 * i)}, %%w{i}, -65536;");
                else
                    text.Line($"mov.b32 {{%%q0, %%q1}}, %%w{i};").Line($"cvt.f32.f16 %%h{8 + (2 * i)}, %%q0;")
                        .Line($"cvt.f32.f16 %%h{9 + (2 * i)}, %%q1;");
            }

            text.Split("x", "h", 0, 8);
            foreach (string a in (string[])["x", "h"])
            {
                for (int i = 0; i < 8; i++)
                    text.Product("c", 4 * i, PtxText.Names(a, i / 4 * 4, 4), PtxText.Names("h", 8 + (i % 4 * 2), 2));
            }
        }

        return text;
    }

    // Twice 16 inputs; x holds 8 of them at a time, a word each, h 16 of them, two in a word.
    private static PtxText BFloatProduct(bool hasBFloatWeights)
    {
        var text = new PtxText();
        for (int step = 0; step < 4; step++)
        {
            int second = step % 2;
            if (hasBFloatWeights)
                HalfMatrices(MatricesOfA(text, step), step, string.Join(", ", new[] { 8, 10, 12, 14 }.Select(i => $"%%h{i + second}")));
            else
                Matrices(text, step);
            for (int rows = 0; rows < 2; rows++)
                text.Each(2, i => $"cvt.rn.bf16x2.f32 %%h{(4 * rows) + (2 * second) + i}, %%x{(4 * rows) + i + 2}, %%x{(4 * rows) + i};");
            if (!hasBFloatWeights)
                text.Each(4, i => $"cvt.rn.bf16x2.f32 %%h{8 + (2 * i) + second}, %%x{9 + (2 * i)}, %%x{8 + (2 * i)};");
            for (int i = 0; second == 1 && i < 8; i++)
                text.Product("c", 4 * i, PtxText.Names("h", i / 4 * 4, 4), PtxText.Names("h", 8 + (i % 4 * 2), 2), "m16n8k16", "bf16");
        }

        return text;
    }

    // 8 inputs of 32 rows of A and of B.
    private static void Matrices(PtxText text, int step) =>
        Place(Place(text, "at", 0, 32 * step), "bt", 1, 32 * step)
            .LoadMatrix("x", 0, "%%at").LoadMatrix("x", 4, $"%%at+{Quarter}")
            .LoadMatrix("x", 8, "%%bt").LoadMatrix("x", 12, $"%%bt+{Quarter}");

    private static PtxText MatricesOfA(PtxText text, int step) =>
        Place(text, "at", 0, 32 * step).LoadMatrix("x", 0, "%%at").LoadMatrix("x", 4, $"%%at+{Quarter}");

    // 8 inputs of 32 rows of B, two in a word.
    private static void HalfMatrices(PtxText text, int step, string registers) =>
        Place(text, "bt", 1, 16 * step).Line($"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {{{registers}}}, [%%bt];");

    // Where a lane's row is in the stage, the quad's place swizzled.
    private static PtxText Place(PtxText text, string register, int operand, int quad) =>
        text.Line($"xor.b32 %%{register}, %{operand}, {quad};").Line($"add.u32 %%{register}, %%{register}, %%sp;")
            .Line($"add.u32 %%{register}, %%{register}, %2;");

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
