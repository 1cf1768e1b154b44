namespace UniCardio.Gpu.Kernels;

/// <summary>The PTX of <see cref="TensorRows"/>, for devices of compute capability 8.0 and later.</summary>
/// <remarks>
/// Written by tests/UniCardio.Gpu.Tests/Texts, not by hand. Registers have names, so that sums stay where they are from one text to
/// the next: operands of an emitted text other than inputs would pass through local memory.
/// </remarks>
internal static class TensorRowsText
{
    /// <summary>Names registers, finds the group's shared array, clears the sums. Emitted once a kernel.</summary>
    public const string Declare = """
        .reg .b64 %%base;
        .reg .b32 %%sp, %%at, %%bt;
        .reg .b32 %%b<16>, %%h<16>, %%w<16>, %%y<8>, %%z<8>;
        .reg .f32 %%c<12>, %%s<4>, %%e<4>;
        mov.u64 %%base, __shared_alloca0;
        cvt.u32.u64 %%sp, %%base;
        mov.f32 %%s0, 0f00000000;
        mov.f32 %%s1, 0f00000000;
        mov.f32 %%s2, 0f00000000;
        mov.f32 %%s3, 0f00000000;
        """;

    /// <summary>The first weights: %0 address of this lane's quads of a step of 32 inputs.</summary>
    public const string Fetch = """
        ld.global.v4.b32 {%%w0, %%w1, %%w2, %%w3}, [%0+0];
        ld.global.v4.b32 {%%w4, %%w5, %%w6, %%w7}, [%0+512];
        ld.global.v4.b32 {%%w8, %%w9, %%w10, %%w11}, [%0+1024];
        ld.global.v4.b32 {%%w12, %%w13, %%w14, %%w15}, [%0+1536];
        """;

    /// <summary>32 inputs: %0 where this lane's quads of its row begin, leads, with the rests a constant after them; %1 address of the
    /// weights of the step after, which are fetched meanwhile.</summary>
    public const string Step = """
        add.u32 %%at, %%sp, %0;
        mov.b32 %%b0, %%w0;
        mov.b32 %%b1, %%w1;
        mov.b32 %%b2, %%w2;
        mov.b32 %%b3, %%w3;
        mov.b32 %%b4, %%w4;
        mov.b32 %%b5, %%w5;
        mov.b32 %%b6, %%w6;
        mov.b32 %%b7, %%w7;
        mov.b32 %%b8, %%w8;
        mov.b32 %%b9, %%w9;
        mov.b32 %%b10, %%w10;
        mov.b32 %%b11, %%w11;
        mov.b32 %%b12, %%w12;
        mov.b32 %%b13, %%w13;
        mov.b32 %%b14, %%w14;
        mov.b32 %%b15, %%w15;
        ld.global.v4.b32 {%%w0, %%w1, %%w2, %%w3}, [%1+0];
        ld.global.v4.b32 {%%w4, %%w5, %%w6, %%w7}, [%1+512];
        ld.global.v4.b32 {%%w8, %%w9, %%w10, %%w11}, [%1+1024];
        ld.global.v4.b32 {%%w12, %%w13, %%w14, %%w15}, [%1+1536];
        ld.shared.v4.b32 {%%y0, %%y1, %%y2, %%y3}, [%%at+0];
        ld.shared.v4.b32 {%%y4, %%y5, %%y6, %%y7}, [%%at+64];
        ld.shared.v4.b32 {%%z0, %%z1, %%z2, %%z3}, [%%at+11264];
        ld.shared.v4.b32 {%%z4, %%z5, %%z6, %%z7}, [%%at+11328];
        and.b32 %%h0, %%b0, -8192;
        and.b32 %%h1, %%b1, -8192;
        and.b32 %%h2, %%b2, -8192;
        and.b32 %%h3, %%b3, -8192;
        and.b32 %%h4, %%b4, -8192;
        and.b32 %%h5, %%b5, -8192;
        and.b32 %%h6, %%b6, -8192;
        and.b32 %%h7, %%b7, -8192;
        and.b32 %%h8, %%b8, -8192;
        and.b32 %%h9, %%b9, -8192;
        and.b32 %%h10, %%b10, -8192;
        and.b32 %%h11, %%b11, -8192;
        and.b32 %%h12, %%b12, -8192;
        and.b32 %%h13, %%b13, -8192;
        and.b32 %%h14, %%b14, -8192;
        and.b32 %%h15, %%b15, -8192;
        sub.f32 %%b0, %%b0, %%h0;
        sub.f32 %%b1, %%b1, %%h1;
        sub.f32 %%b2, %%b2, %%h2;
        sub.f32 %%b3, %%b3, %%h3;
        sub.f32 %%b4, %%b4, %%h4;
        sub.f32 %%b5, %%b5, %%h5;
        sub.f32 %%b6, %%b6, %%h6;
        sub.f32 %%b7, %%b7, %%h7;
        sub.f32 %%b8, %%b8, %%h8;
        sub.f32 %%b9, %%b9, %%h9;
        sub.f32 %%b10, %%b10, %%h10;
        sub.f32 %%b11, %%b11, %%h11;
        sub.f32 %%b12, %%b12, %%h12;
        sub.f32 %%b13, %%b13, %%h13;
        sub.f32 %%b14, %%b14, %%h14;
        sub.f32 %%b15, %%b15, %%h15;
        mov.f32 %%c0, 0f00000000;
        mov.f32 %%c1, 0f00000000;
        mov.f32 %%c2, 0f00000000;
        mov.f32 %%c3, 0f00000000;
        mov.f32 %%c4, 0f00000000;
        mov.f32 %%c5, 0f00000000;
        mov.f32 %%c6, 0f00000000;
        mov.f32 %%c7, 0f00000000;
        mov.f32 %%c8, 0f00000000;
        mov.f32 %%c9, 0f00000000;
        mov.f32 %%c10, 0f00000000;
        mov.f32 %%c11, 0f00000000;
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c0, %%c1, %%c2, %%c3}, {%%b0, %%b4, %%b1, %%b5}, {%%y0, %%y1}, {%%c0, %%c1, %%c2, %%c3};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c4, %%c5, %%c6, %%c7}, {%%h0, %%h4, %%h1, %%h5}, {%%z0, %%z1}, {%%c4, %%c5, %%c6, %%c7};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c8, %%c9, %%c10, %%c11}, {%%h0, %%h4, %%h1, %%h5}, {%%y0, %%y1}, {%%c8, %%c9, %%c10, %%c11};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c0, %%c1, %%c2, %%c3}, {%%b2, %%b6, %%b3, %%b7}, {%%y2, %%y3}, {%%c0, %%c1, %%c2, %%c3};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c4, %%c5, %%c6, %%c7}, {%%h2, %%h6, %%h3, %%h7}, {%%z2, %%z3}, {%%c4, %%c5, %%c6, %%c7};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c8, %%c9, %%c10, %%c11}, {%%h2, %%h6, %%h3, %%h7}, {%%y2, %%y3}, {%%c8, %%c9, %%c10, %%c11};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c0, %%c1, %%c2, %%c3}, {%%b8, %%b12, %%b9, %%b13}, {%%y4, %%y5}, {%%c0, %%c1, %%c2, %%c3};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c4, %%c5, %%c6, %%c7}, {%%h8, %%h12, %%h9, %%h13}, {%%z4, %%z5}, {%%c4, %%c5, %%c6, %%c7};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c8, %%c9, %%c10, %%c11}, {%%h8, %%h12, %%h9, %%h13}, {%%y4, %%y5}, {%%c8, %%c9, %%c10, %%c11};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c0, %%c1, %%c2, %%c3}, {%%b10, %%b14, %%b11, %%b15}, {%%y6, %%y7}, {%%c0, %%c1, %%c2, %%c3};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c4, %%c5, %%c6, %%c7}, {%%h10, %%h14, %%h11, %%h15}, {%%z6, %%z7}, {%%c4, %%c5, %%c6, %%c7};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c8, %%c9, %%c10, %%c11}, {%%h10, %%h14, %%h11, %%h15}, {%%y6, %%y7}, {%%c8, %%c9, %%c10, %%c11};
        add.f32 %%c0, %%c0, %%c4;
        add.f32 %%c1, %%c1, %%c5;
        add.f32 %%c2, %%c2, %%c6;
        add.f32 %%c3, %%c3, %%c7;
        add.f32 %%c0, %%c0, %%c8;
        add.f32 %%c1, %%c1, %%c9;
        add.f32 %%c2, %%c2, %%c10;
        add.f32 %%c3, %%c3, %%c11;
        add.f32 %%s0, %%s0, %%c0;
        add.f32 %%s1, %%s1, %%c1;
        add.f32 %%s2, %%s2, %%c2;
        add.f32 %%s3, %%s3, %%c3;
        """;

    /// <summary>The same after which no weights are wanted.</summary>
    public const string Last = """
        add.u32 %%at, %%sp, %0;
        mov.b32 %%b0, %%w0;
        mov.b32 %%b1, %%w1;
        mov.b32 %%b2, %%w2;
        mov.b32 %%b3, %%w3;
        mov.b32 %%b4, %%w4;
        mov.b32 %%b5, %%w5;
        mov.b32 %%b6, %%w6;
        mov.b32 %%b7, %%w7;
        mov.b32 %%b8, %%w8;
        mov.b32 %%b9, %%w9;
        mov.b32 %%b10, %%w10;
        mov.b32 %%b11, %%w11;
        mov.b32 %%b12, %%w12;
        mov.b32 %%b13, %%w13;
        mov.b32 %%b14, %%w14;
        mov.b32 %%b15, %%w15;
        ld.shared.v4.b32 {%%y0, %%y1, %%y2, %%y3}, [%%at+0];
        ld.shared.v4.b32 {%%y4, %%y5, %%y6, %%y7}, [%%at+64];
        ld.shared.v4.b32 {%%z0, %%z1, %%z2, %%z3}, [%%at+11264];
        ld.shared.v4.b32 {%%z4, %%z5, %%z6, %%z7}, [%%at+11328];
        and.b32 %%h0, %%b0, -8192;
        and.b32 %%h1, %%b1, -8192;
        and.b32 %%h2, %%b2, -8192;
        and.b32 %%h3, %%b3, -8192;
        and.b32 %%h4, %%b4, -8192;
        and.b32 %%h5, %%b5, -8192;
        and.b32 %%h6, %%b6, -8192;
        and.b32 %%h7, %%b7, -8192;
        and.b32 %%h8, %%b8, -8192;
        and.b32 %%h9, %%b9, -8192;
        and.b32 %%h10, %%b10, -8192;
        and.b32 %%h11, %%b11, -8192;
        and.b32 %%h12, %%b12, -8192;
        and.b32 %%h13, %%b13, -8192;
        and.b32 %%h14, %%b14, -8192;
        and.b32 %%h15, %%b15, -8192;
        sub.f32 %%b0, %%b0, %%h0;
        sub.f32 %%b1, %%b1, %%h1;
        sub.f32 %%b2, %%b2, %%h2;
        sub.f32 %%b3, %%b3, %%h3;
        sub.f32 %%b4, %%b4, %%h4;
        sub.f32 %%b5, %%b5, %%h5;
        sub.f32 %%b6, %%b6, %%h6;
        sub.f32 %%b7, %%b7, %%h7;
        sub.f32 %%b8, %%b8, %%h8;
        sub.f32 %%b9, %%b9, %%h9;
        sub.f32 %%b10, %%b10, %%h10;
        sub.f32 %%b11, %%b11, %%h11;
        sub.f32 %%b12, %%b12, %%h12;
        sub.f32 %%b13, %%b13, %%h13;
        sub.f32 %%b14, %%b14, %%h14;
        sub.f32 %%b15, %%b15, %%h15;
        mov.f32 %%c0, 0f00000000;
        mov.f32 %%c1, 0f00000000;
        mov.f32 %%c2, 0f00000000;
        mov.f32 %%c3, 0f00000000;
        mov.f32 %%c4, 0f00000000;
        mov.f32 %%c5, 0f00000000;
        mov.f32 %%c6, 0f00000000;
        mov.f32 %%c7, 0f00000000;
        mov.f32 %%c8, 0f00000000;
        mov.f32 %%c9, 0f00000000;
        mov.f32 %%c10, 0f00000000;
        mov.f32 %%c11, 0f00000000;
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c0, %%c1, %%c2, %%c3}, {%%b0, %%b4, %%b1, %%b5}, {%%y0, %%y1}, {%%c0, %%c1, %%c2, %%c3};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c4, %%c5, %%c6, %%c7}, {%%h0, %%h4, %%h1, %%h5}, {%%z0, %%z1}, {%%c4, %%c5, %%c6, %%c7};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c8, %%c9, %%c10, %%c11}, {%%h0, %%h4, %%h1, %%h5}, {%%y0, %%y1}, {%%c8, %%c9, %%c10, %%c11};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c0, %%c1, %%c2, %%c3}, {%%b2, %%b6, %%b3, %%b7}, {%%y2, %%y3}, {%%c0, %%c1, %%c2, %%c3};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c4, %%c5, %%c6, %%c7}, {%%h2, %%h6, %%h3, %%h7}, {%%z2, %%z3}, {%%c4, %%c5, %%c6, %%c7};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c8, %%c9, %%c10, %%c11}, {%%h2, %%h6, %%h3, %%h7}, {%%y2, %%y3}, {%%c8, %%c9, %%c10, %%c11};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c0, %%c1, %%c2, %%c3}, {%%b8, %%b12, %%b9, %%b13}, {%%y4, %%y5}, {%%c0, %%c1, %%c2, %%c3};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c4, %%c5, %%c6, %%c7}, {%%h8, %%h12, %%h9, %%h13}, {%%z4, %%z5}, {%%c4, %%c5, %%c6, %%c7};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c8, %%c9, %%c10, %%c11}, {%%h8, %%h12, %%h9, %%h13}, {%%y4, %%y5}, {%%c8, %%c9, %%c10, %%c11};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c0, %%c1, %%c2, %%c3}, {%%b10, %%b14, %%b11, %%b15}, {%%y6, %%y7}, {%%c0, %%c1, %%c2, %%c3};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c4, %%c5, %%c6, %%c7}, {%%h10, %%h14, %%h11, %%h15}, {%%z6, %%z7}, {%%c4, %%c5, %%c6, %%c7};
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%%c8, %%c9, %%c10, %%c11}, {%%h10, %%h14, %%h11, %%h15}, {%%y6, %%y7}, {%%c8, %%c9, %%c10, %%c11};
        add.f32 %%c0, %%c0, %%c4;
        add.f32 %%c1, %%c1, %%c5;
        add.f32 %%c2, %%c2, %%c6;
        add.f32 %%c3, %%c3, %%c7;
        add.f32 %%c0, %%c0, %%c8;
        add.f32 %%c1, %%c1, %%c9;
        add.f32 %%c2, %%c2, %%c10;
        add.f32 %%c3, %%c3, %%c11;
        add.f32 %%s0, %%s0, %%c0;
        add.f32 %%s1, %%s1, %%c1;
        add.f32 %%s2, %%s2, %%c2;
        add.f32 %%s3, %%s3, %%c3;
        """;

    /// <summary>Sums to shared memory: %0 and %1 where column g of this lane's first and second row goes.</summary>
    public const string Store = """
        add.u32 %%at, %%sp, %0;
        add.u32 %%bt, %%sp, %1;
        st.shared.f32 [%%at+0], %%s0;
        st.shared.f32 [%%bt+0], %%s1;
        st.shared.f32 [%%at+32], %%s2;
        st.shared.f32 [%%bt+32], %%s3;
        mov.f32 %%s0, 0f00000000;
        mov.f32 %%s1, 0f00000000;
        mov.f32 %%s2, 0f00000000;
        mov.f32 %%s3, 0f00000000;
        """;

    /// <summary>The same, added to what is there.</summary>
    public const string AddTo = """
        add.u32 %%at, %%sp, %0;
        add.u32 %%bt, %%sp, %1;
        ld.shared.f32 %%e0, [%%at+0];
        ld.shared.f32 %%e1, [%%bt+0];
        ld.shared.f32 %%e2, [%%at+32];
        ld.shared.f32 %%e3, [%%bt+32];
        add.f32 %%s0, %%s0, %%e0;
        add.f32 %%s1, %%s1, %%e1;
        add.f32 %%s2, %%s2, %%e2;
        add.f32 %%s3, %%s3, %%e3;
        st.shared.f32 [%%at+0], %%s0;
        st.shared.f32 [%%bt+0], %%s1;
        st.shared.f32 [%%at+32], %%s2;
        st.shared.f32 [%%bt+32], %%s3;
        mov.f32 %%s0, 0f00000000;
        mov.f32 %%s1, 0f00000000;
        mov.f32 %%s2, 0f00000000;
        mov.f32 %%s3, 0f00000000;
        """;
}
