using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Sampling;
using UniCardio.OpCases;

namespace UniCardio.Gpu.Tests;

/// <summary>How kernels are asked for a row of the list of op cases.</summary>
/// <param name="Kernels">Names as in <see cref="KernelCatalog"/>; several where one is only seen through another, or serves by
/// size.</param>
/// <param name="Row">Sizes, inputs, twin and bound.</param>
/// <param name="OnTensorCores">Whether only CUDA has it.</param>
/// <param name="Run">Size and inputs to outputs.</param>
internal sealed record KernelLaunch(string[] Kernels, OpRow Row, bool OnTensorCores, Func<int[], float[][], float[][]> Run)
{
    /// <summary>Whether the kernel takes a size.</summary>
    public Func<int[], bool> Takes { get; init; } = _ => true;

    /// <summary>Times the row's bound.</summary>
    public double BoundFactor { get; init; } = 1;

    public string Name => $"{string.Join(" and ", Kernels)}: {Row.Name}";

    /// <summary>Every kernel.</summary>
    public static IReadOnlyList<KernelLaunch> All { get; } =
    [
        .. Encoders, .. Strips, .. Tensors, .. FewRows, .. Decoders, .. RowLaunch.All, AttentionLaunch.OfSlots(onTensorCores: false),
        AttentionLaunch.OfSlots(onTensorCores: true), AttentionLaunch.OfWindow(onTensorCores: false),
        AttentionLaunch.OfWindow(onTensorCores: true),
    ];

    private static IEnumerable<KernelLaunch> Encoders =>
    [
        Of<EncoderStage>([nameof(EncoderStatisticsKernel), nameof(EncoderKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.Conditions, x[0]).Put(c.Buffers.State, x[0]).Run(c => c.Pass.Encode(0));
            return [c.Get(c.Buffers.X, n[0])];
        }),
    ];

    private static IEnumerable<KernelLaunch> Strips =>
    [
        Of<QkvStage>([.. Sizes(nameof(QkvKernel<Strip8>))], (c, n, x) =>
        {
            c.Put(c.Buffers.X, x[0]).Run(c => c.Kernels.Qkv(c.Shape, c.GroupRows)(
                c.Stream, c.Pass.Strips(c.Shape), c.Shape, c.Layout.Block, c.Network.Block(0),
                c.Steps.SubView(0, c.Layout.StepQuads), c.Buffers.X.View, c.Buffers.Qkv.View, 0));
            return [c.GetQkv(0)];
        }),
        Of<AttentionOutStage>([nameof(AttentionOutKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.X, x[0]).PutHeads(c.Buffers.Attention, x[1]).Run(c => c.Kernels.AttentionOut(
                c.Stream, c.Pass.Strips(c.Shape), c.Shape, c.Layout.Block, c.Network.Block(0), c.OutBias, c.Buffers.Attention.View,
                c.Buffers.X.View, c.Buffers.Y.View));
            return [c.Get(c.Buffers.Y, c.Rows)];
        }),
        Of<FeedForwardStage>([nameof(FeedForwardKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.Y, x[0]).Run(c => c.Kernels.FeedForward(
                c.Stream, c.Pass.Strips(c.Shape), c.Shape, c.Layout.Block, c.Network.Block(0), c.Buffers.Y.View));
            return [c.Get(c.Buffers.Y, c.Rows)];
        }),
        Of<NormFeedForwardStage>([nameof(NormFeedForwardKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.Y, x[0]).Run(c => c.Kernels.NormFeedForward(
                c.Stream, c.Pass.Strips(c.Shape), c.Shape, c.Layout.Block, c.Network.Block(0), c.Buffers.Y.View));
            return [c.Get(c.Buffers.Y, c.Rows)];
        }),
        Of<GateStage>([nameof(GateKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.X, x[0]).Put(c.Buffers.Y, x[1]).Run(c => c.Kernels.Gate(
                c.Stream, c.Pass.Strips(c.Shape), c.Shape, c.Layout.Block, c.Network.Block(0), 0, c.Network.Gate, c.Buffers.GateSlots.View,
                c.Buffers.Y.View, c.Buffers.X.View, c.Buffers.Skip.View));
            return [c.Get(c.Buffers.X, c.Rows), c.Get(c.Buffers.Skip, n[0])];
        }),
        Of<BlockTailStage>([.. Sizes(nameof(BlockTailKernel<Strip8>))], (c, n, x) =>
        {
            c.Put(c.Buffers.X, x[0]).PutHeads(c.Buffers.Attention, x[1]).Run(c => c.Kernels.BlockTail(c.Shape, c.GroupRows)(
                c.Stream, c.Pass.Strips(c.Shape), c.Shape, c.Layout.Block, c.Network.Block(0), 0, c.Network.Block(1), c.Steps,
                c.Network.Gate, c.Buffers.GateSlots.View, c.Buffers.Attention.View, c.Buffers.X.View, c.Buffers.Skip.View,
                c.Buffers.Qkv.View));
            return [c.Get(c.Buffers.X, c.Rows), c.Get(c.Buffers.Skip, n[0]), .. BlockTailStage.OfLast(n, c.GetQkv(1))];
        }),
    ];

    private static IEnumerable<KernelLaunch> Tensors =>
    [
        Of<QkvStage>([nameof(TensorQkvKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.X, x[0]).Run(c => c.Kernels.TensorQkv(
                c.Stream, NetworkPass.Tiles(c.Shape, 12 * c.Layout.HeadQuads), c.Shape, c.Buffers.X.NativePtr, c.Matrix(t => t.AttentionIn),
                c.Steps.SubView(0, c.Layout.StepQuads), c.Buffers.Qkv.View, 0));
            return [c.GetQkv(0)];
        }),
        Of<AttentionSumStage>([nameof(TensorAttentionOutKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.X, x[0]).PutHeads(c.Buffers.Attention, x[1]).Run(c => c.Kernels.TensorAttentionOut(
                c.Stream, NetworkPass.Tiles(c.Shape, 4 * c.Layout.Quads), c.Shape, c.Buffers.Attention.NativePtr,
                c.Matrix(t => t.AttentionOut), c.OutBias, c.Buffers.X.View, c.Buffers.Y.View));
            return [c.Get(c.Buffers.Y, c.Rows)];
        }),
        Of<NormFeedForwardStage>([nameof(TensorFeedForwardKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.Y, x[0]).Run(c => c.Kernels.TensorFeedForward(
                c.Stream,
                new KernelConfig(new Index3D((c.Rows + TensorFeedForwardKernel.Rows - 1) / TensorFeedForwardKernel.Rows, 1, 1),
                    new Index3D(TensorFeedForwardKernel.Threads, 1, 1)),
                c.Shape, c.Matrix(t => t.Vectors), c.Matrix(t => t.FeedForwardIn), c.Matrix(t => t.FeedForwardOut),
                c.Buffers.Y.NativePtr));
            return [c.WithoutGain(c.Get(c.Buffers.Y, c.Rows))];
        }),
        Of<GatedStage>([nameof(TensorGateKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.Y, c.WithGain(x[0])).Run(c => c.Kernels.TensorGate(
                c.Stream, NetworkPass.Tiles(c.Shape, 8 * c.Layout.Quads), c.Shape, 0, c.Buffers.Y.NativePtr,
                c.Matrix(t => t.MidProjection), c.Network.Gate, c.Buffers.GateSlots.View, c.Buffers.Attention.View));
            return [c.Get(c.Buffers.Attention, c.Rows)];
        }),
        Of<OutputStage>([nameof(TensorOutputKernel)], (c, n, x) =>
        {
            KernelConfig tiles = NetworkPass.Tiles(c.Shape, 4 * c.Layout.Quads);
            c.Put(c.Buffers.X, x[0]).Put(c.Buffers.Attention, x[1]).Run(c => c.Kernels.TensorOutput(
                c.Stream, new KernelConfig(new Index3D(tiles.GridDim.X, 2 * tiles.GridDim.Y, 1), tiles.GroupDim), c.Shape,
                c.Buffers.Attention.NativePtr, c.Matrix(t => t.OutputProjection),
                c.Network.Block(0).SubView(c.Layout.Block.OutputProjectionBias, 2 * c.Layout.Quads), c.Buffers.X.View, c.Buffers.Skip.View,
                1));
            return [c.Get(c.Buffers.X, c.Rows), c.Get(c.Buffers.Skip, n[0])];
        }),
    ];

    private static IEnumerable<KernelLaunch> FewRows =>
    [
        Of<GateRowsStage>([nameof(TensorGateRowsKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.X, x[0]).PutHeads(c.Buffers.Attention, x[1]).Run(c => c.Kernels.TensorGateRows(
                c.Stream, NetworkPass.FewRows(c.Shape, TensorRows.Parts), c.Shape, c.Layout.Rows, 0, c.Network.Rows(0).NativePtr,
                c.Network.RowVectors(0), c.OutBias, c.Network.Gate, c.Buffers.GateSlots.View, c.Buffers.Attention.View, c.Buffers.X.View,
                c.Buffers.Gated.View));
            return [c.Get(c.Buffers.Gated, c.Rows)];
        }),
        Of<OutputRowsStage>([nameof(TensorOutputRowsKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.X, x[0]).Put(c.Buffers.Gated, x[1]).Run(c => c.Kernels.TensorOutputRows(
                c.Stream, NetworkPass.FewRows(c.Shape, TensorRows.Parts + 1), c.Shape, c.Layout.Rows, 0, 0, c.Network.Rows(0).NativePtr,
                c.Network.Rows(1).NativePtr, c.Network.RowVectors(0), c.Steps.SubView(c.Layout.StepQuads, 3 * c.Layout.HeadQuads),
                c.Buffers.Gated.View, c.Buffers.X.View, c.Buffers.Y.View, c.Buffers.Skip.View, c.Buffers.Qkv.View));
            return [c.Get(c.Buffers.Y, c.Rows), c.Get(c.Buffers.Skip, n[0]), .. BlockTailStage.OfLast(n, c.GetQkv(1))];
        }),
        // What the first block begins with.
        Of<QkvStage>([nameof(TensorOutputRowsKernel)], (c, n, x) =>
        {
            c.Put(c.Buffers.X, x[0]).Run(c => c.Kernels.TensorOutputRows(
                c.Stream, NetworkPass.FewRows(c.Shape, TensorRows.Parts), c.Shape, c.Layout.Rows, -1, 0,
                c.Network.Rows(0).NativePtr, c.Network.Rows(0).NativePtr, c.Network.RowVectors(0),
                c.Steps.SubView(0, 3 * c.Layout.HeadQuads), c.Buffers.Gated.View, c.Buffers.X.View, c.Buffers.Y.View,
                c.Buffers.Skip.View, c.Buffers.Qkv.View));
            return [c.GetQkv(0)];
        }) with { Takes = n => n[4] <= TensorRows.Hidden },
    ];

    private static IEnumerable<KernelLaunch> Decoders =>
    [
        // The pass takes the kernel by the network's layout: with decoders for tensor cores or without.
        Of<DecoderStage>([.. Sizes(nameof(DecoderStepKernel<Strip8>))], Decode),
        Of<DecoderStage>([nameof(TensorDecoderKernel)], Decode),
        Of<DecoderStepStage>([.. Sizes(nameof(DecoderStepKernel<Strip8>))], DecodeStep),
        Of<DecoderStepStage>([nameof(TensorDecoderKernel)], DecodeStep),
        new([nameof(NoiseKernel)], new KeyedNoise(), false, (n, _) =>
        {
            using DeviceLease lease = TestDevices.Open();
            Accelerator accelerator = lease.Device.Accelerator;
            using MemoryBuffer1D<int, Stride1D.Dense> keys = accelerator.Allocate1D<int>(2 * 3);
            using MemoryBuffer1D<float, Stride1D.Dense> state = accelerator.Allocate1D<float>(2 * n[1] * n[0]);
            (ulong seed, uint window, uint step) = KeyedNoise.Keys[n[2]];
            ((ArrayView<int>)keys.View)
                .CopyFromCPU([(int)window, (int)(uint)seed, (int)(uint)(seed >> 32), 3, (int)(uint)~seed, (int)(uint)(~seed >> 32)]);
            var values = new StepValues { FirstDraw = 4, NoiseIndex = (int)step, Draws = n[1] };
            lease.Device.Kernels.Noise(accelerator.DefaultStream, new KernelConfig(((int)state.Length + 31) / 32, 32), values, n[0],
                keys.View, state.View);
            return [StageLaunch.Get(state)];
        }),
    ];

    private static float[][] Decode(StageLaunch c, int[] n, float[][] x)
    {
        c.Put(c.Buffers.Skip, x[0]).Run(c => c.Pass.Decode(default));
        return [StageLaunch.Get(c.Buffers.Prediction)];
    }

    private static float[][] DecodeStep(StageLaunch c, int[] n, float[][] x)
    {
        SamplerStep row = DecoderStepStage.Row(n);
        StepValues step = StepValues.Of(row);
        (step.Noise, step.NoiseKind) = ((float)row.Noise, row.Noise == 0 ? 0 : 1);
        c.Put(c.Buffers.Skip, x[0]).Put(c.Buffers.State, x[1]).Put(c.Buffers.Clean[1], x[2]).Put(c.Buffers.Clean[2], x[3])
            .Put(c.Buffers.Noise, x[4]).Run(c => c.Pass.Decode(step));
        return [StageLaunch.Get(c.Buffers.State), StageLaunch.Get(c.Buffers.Clean[0])];
    }

    private static IEnumerable<string> Sizes(string kernel) => [$"{kernel}-{nameof(Strip8)}", $"{kernel}-{nameof(Strip32)}"];

    private static KernelLaunch Of<TStage>(string[] kernels, Func<StageLaunch, int[], float[][], float[][]> run)
        where TStage : Stage, new()
    {
        bool onTensorCores = kernels[0].StartsWith("Tensor", StringComparison.Ordinal);
        return new KernelLaunch(kernels, new TStage(), onTensorCores, (n, x) =>
        {
            using var launch = new StageLaunch(n, onTensorCores);
            return run(launch, n, x);
        });
    }
}

/// <summary>How the attention kernels are asked.</summary>
internal static class AttentionLaunch
{
    /// <summary>Slots, with windows and global tokens.</summary>
    public static KernelLaunch OfSlots(bool onTensorCores) =>
        new(Names(onTensorCores), new SlotAttention(), onTensorCores, (n, x) => [Slots(n, x, onTensorCores)])
        {
            Takes = n => !onTensorCores || (n[1] <= 4 * TensorAttentionKernel.MaxHeadQuads && n[2] < 0),

            // Three products of tf32 parts leave out that of the low parts, 2^-22 of |q k|, whose sum in a score is some 9 here: 2e-6 of a
            // weight, on top of the row's 2e-6.
            BoundFactor = onTensorCores ? 2 : 1,
        };

    /// <summary>The op that training has too: condition slots are whole slots, so of its windows those whose conditions divide into slots
    /// as long as the target.</summary>
    public static KernelLaunch OfWindow(bool onTensorCores) =>
        new(Names(onTensorCores), OpList.Named(nameof(WindowAttention)), onTensorCores, (n, x) =>
        {
            (int heads, int d) = (n[2], n[3]);
            AttentionShape shape = Shape(n[1], heads, d) with { ConditionSlots = n[0] / n[1], Conditions = n[0] / n[1], Draws = 1 };
            return [Run(shape, heads, d, (row, part, c) => x[0][(((row * 3) + part) * heads * d) + c], onTensorCores)];
        })
        {
            Takes = n => n[0] % n[1] == 0 && n[3] <= (onTensorCores ? 4 * TensorAttentionKernel.MaxHeadQuads : DeviceLayout.MaxHeadDim),
        };

    /// <summary>[launched slots, T, heads] of the slots' attention.</summary>
    public static float[] Slots(int[] n, float[][] x, bool onTensorCores)
    {
        (int windows, int conditions, int heads, int firstSlot) = SlotAttention.Batch(n);
        AttentionShape shape = Shape(n[0], heads, n[1]) with
        {
            FirstSlot = firstSlot, ConditionSlots = windows * conditions, Conditions = conditions, Draws = windows, Window = n[2],
            GlobalTokens = n[3],
        };
        return Run(shape, heads, n[1], (row, part, c) => x[part][(row * heads * n[1]) + c], onTensorCores);
    }

    private static string[] Names(bool onTensorCores) => onTensorCores ? [nameof(TensorAttentionKernel)]
        : [.. KernelCatalog.All.Select(k => k.Name).Where(k => k.StartsWith("AttentionKernel-", StringComparison.Ordinal))];

    private static AttentionShape Shape(int tokens, int heads, int headDim) => new()
    {
        Blocks = 1, SlotTokens = tokens, HeadQuads = heads * ((headDim + 3) / 4), HeadDimQuads = (headDim + 3) / 4, Window = -1,
    };

    // value(row, 0 to 2 of Q, K, V, channel); queries scaled as the weights' folding does.
    private static float[] Run(AttentionShape shape, int heads, int d, Func<int, int, int, float> value, bool onTensorCores)
    {
        int slots = shape.ConditionSlots + (shape.Conditions == 0 ? 0 : shape.ConditionSlots / shape.Conditions * shape.Draws);
        int rows = slots * shape.SlotTokens, width = 4 * shape.HeadQuads, channels = heads * d, launched = slots - shape.FirstSlot;
        float[] packed = new float[rows * 3 * width], output = new float[launched * shape.SlotTokens * width];
        double scale = 1 / (Math.Sqrt(d) * Math.Log(2));
        int Column(int c) => (c / d * 4 * shape.HeadDimQuads) + (c % d);
        for (int i = 0; i < rows * 3 * channels; i++)
        {
            (int row, int part, int c) = (i / (3 * channels), i / channels % 3, i % channels);
            packed[(((row * 3) + part) * width) + Column(c)] = (float)(value(row, part, c) * (part == 0 ? scale : 1));
        }

        using DeviceLease lease = TestDevices.Open();
        Accelerator accelerator = lease.Device.Accelerator;
        using MemoryBuffer1D<Float4, Stride1D.Dense> qkv = accelerator.Allocate1D<Float4>(packed.Length / 4);
        using MemoryBuffer1D<float, Stride1D.Dense> result = accelerator.Allocate1D<float>(rows * width);
        ((ArrayView<Float4>)qkv.View).Cast<float>().CopyFromCPU(packed);
        if (onTensorCores)
        {
            int tiles = (shape.SlotTokens + TensorAttentionKernel.Tile - 1) / TensorAttentionKernel.Tile;
            lease.Device.Kernels.TensorAttention(accelerator.DefaultStream,
                new KernelConfig(new Index3D(launched * tiles, heads, 1), new Index3D(TensorAttentionKernel.Threads, 1, 1)), shape,
                qkv.NativePtr, result.NativePtr);
        }
        else
        {
            const int Tile = AttentionKernel<HeadWidth16>.TileTokens, Threads = AttentionKernel<HeadWidth16>.Threads;
            lease.Device.Kernels.Attention(shape.HeadDimQuads)(accelerator.DefaultStream,
                new KernelConfig(new Index3D(launched * ((shape.SlotTokens + Tile - 1) / Tile), heads, 1),
                    new Index3D(Threads, Threads, 1)),
                shape, qkv.View, result.View);
        }

        // Slots before the first launched one have no output.
        ((ArrayView<float>)result.View).SubView(shape.FirstSlot * shape.SlotTokens * width).CopyToCPU(output);
        return [.. Enumerable.Range(0, launched * shape.SlotTokens * channels)
            .Select(i => output[(i / channels * width) + Column(i % channels)])];
    }
}
