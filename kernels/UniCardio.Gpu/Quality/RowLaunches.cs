using ILGPU;
using ILGPU.Runtime;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Devices;
using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Quality;

/// <summary>Rows of several windows on the device, with zeros before and after each window where a convolution reads them.</summary>
internal sealed class DeviceSignal
{
    /// <param name="memory">Takes the buffer.</param>
    /// <param name="stream">The device's.</param>
    /// <param name="windows">Most windows.</param>
    /// <param name="length">Rows of a window.</param>
    /// <param name="quads">Quads of a row.</param>
    /// <param name="padding">Rows of zeros before and after a window.</param>
    public DeviceSignal(DeviceMemory memory, AcceleratorStream stream, int windows, int length, int quads, int padding = 0)
    {
        (Length, Quads, Padding) = (length, quads, padding);
        MemoryBuffer1D<float, Stride1D.Dense> buffer = memory.Take<float>(4L * windows * WindowQuads);
        if (padding > 0)
            ((ArrayView<float>)buffer.View).MemSetToZero(stream);
        Buffer = buffer;
    }

    public MemoryBuffer1D<float, Stride1D.Dense> Buffer { get; }

    public int Length { get; }

    public int Quads { get; }

    public int Padding { get; }

    /// <summary>Where the first window's first row is.</summary>
    public int First => Padding * Quads;

    /// <summary>From one window to the next.</summary>
    public int WindowQuads => (Length + (2 * Padding)) * Quads;

    public ArrayView<float> Floats => Buffer.View;

    /// <summary>From the first window's first row on.</summary>
    public ArrayView<float> Rows => Floats.SubView(4 * First);

    public ArrayView<Float4> View => Floats.Cast<Float4>();

    /// <summary>Puts windows [count, channels, length] into a host's copy of this, time-major, between their zeros.</summary>
    public void Load(Span<float> host, ReadOnlySpan<float> windows, int count, int channels)
    {
        for (int row = 0; row < count * channels; row++)
        {
            ReadOnlySpan<float> source = windows.Slice(row * Length, Length);
            int at = (4 * (First + (row / channels * WindowQuads))) + (row % channels);
            for (int s = 0; s < source.Length; s++)
                host[at + (s * 4 * Quads)] = source[s];
        }
    }
}

/// <summary>Queues the row kernels of the quality family.</summary>
/// <param name="device">The device.</param>
/// <param name="precision">What products are computed with.</param>
internal sealed class RowLaunches(GpuDevice device, GpuPrecision precision)
{
    // Inputs of a convolution are cut into parts of so many quads, by its size alone: bits depend on no number of windows.
    private const int PartQuads = 64;

    private readonly int _products = NetworkPass.ProductsOf(precision);

    public AcceleratorStream Stream => device.Stream;

    /// <summary>The same in float32, where three tf32 parts stand in for it: over sums of up to 6,464 values above zero their rounding
    /// towards zero adds up (1.06e-5 of the alarm's logit).</summary>
    public RowLaunches InSingle() => precision == GpuPrecision.ThreeTf32 ? new RowLaunches(device, GpuPrecision.SingleTiles) : this;

    /// <summary>Parts that a convolution before a norm comes in.</summary>
    public static int PartsOf(DeviceConvolution convolution) => (convolution.Map.InputQuads + PartQuads - 1) / PartQuads;

    /// <summary>A convolution whose outputs a norm reads, in parts: [parts, windows, length, outputs].</summary>
    public void Convolve(DeviceConvolution c, DeviceSignal from, ArrayView<float> parts, int windows)
    {
        int made = c.Length(from.Length) * c.Map.OutputQuads;
        ProductShape shape = Shape(c, from, windows) with
        {
            OutputWindowQuads = made, PartQuads = PartQuads, Activation = PartsOf(c) > 1 ? -1 : (int)RowActivation.None,
        };
        Launch(shape, c.Map, from.View, from.Floats, parts);
    }

    /// <summary>A convolution into another's input.</summary>
    public void Convolve(DeviceConvolution c, DeviceSignal from, DeviceSignal to, int windows, RowActivation activation,
        DeviceSignal? residual = null)
    {
        ProductShape shape = Shape(c, from, windows) with
        {
            OutputWindowQuads = to.WindowQuads, PartQuads = Whole(c.Map), Activation = (int)activation,
            ResidualWindowQuads = residual?.WindowQuads ?? -1,
        };
        Launch(shape, c.Map, from.View, (residual ?? from).Rows, to.Rows);
    }

    /// <summary>A linear map of rows, none of which is padding.</summary>
    public void Map(DeviceMap map, ArrayView<Float4> from, ArrayView<float> to, int rows, RowActivation activation = RowActivation.None,
        ArrayView<float>? residual = null)
    {
        var shape = new ProductShape
        {
            Windows = 1, Rows = rows, InputQuads = map.InputQuads, RowQuads = map.InputQuads, OutputQuads = map.OutputQuads,
            PartQuads = Whole(map), Activation = (int)activation, ResidualWindowQuads = residual is null ? -1 : 0, Products = _products,
        };
        Launch(shape, map, from, residual ?? to, to);
    }

    /// <summary>A norm of units.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="units">Rows or windows.</param>
    /// <param name="x">[parts, units, rows, C].</param>
    /// <param name="norm">Gain and offset.</param>
    /// <param name="bias">[C], where x is in parts.</param>
    /// <param name="addend">[rows, C], if there is one.</param>
    /// <param name="target">[units, rows, C].</param>
    public void Norm(NormShape shape, int units, ArrayView<Float4> x, DeviceNorm norm, ArrayView<Float4> bias, ArrayView<Float4> addend,
        ArrayView<Float4> target) =>
        device.Kernels.RowNorm(Stream,
            new KernelConfig(units, shape.Rows > 1 ? Math.Min(RowNormKernel.WindowThreads, device.Accelerator.MaxNumThreadsPerGroup)
                : RowNormKernel.Threads), shape, x, bias, norm.Gamma.View, norm.Beta.View,
            addend, target);

    /// <summary>Means of rows: [windows, C].</summary>
    public void Mean(DeviceSignal from, ArrayView<Float4> mean, int windows)
    {
        int groups = (from.Quads + RowMeanKernel.Threads - 1) / RowMeanKernel.Threads;
        device.Kernels.RowMean(Stream, new KernelConfig(new Index3D(groups, windows, 1), new Index3D(RowMeanKernel.Threads, 1, 1)),
            from.Length, from.Quads, from.First, from.WindowQuads, from.View, mean);
    }

    /// <summary>Attention of windows of tokens, each over the tokens within reach and the first.</summary>
    public void Attend(AttentionShape shape, int windows, int heads, ArrayView<Float4> qkv, ArrayView<float> output)
    {
        const int Tile = AttentionKernel<HeadWidth16>.TileTokens, Threads = AttentionKernel<HeadWidth16>.Threads;
        int tiles = (shape.SlotTokens + Tile - 1) / Tile;
        device.Kernels.Attention(shape.HeadDimQuads)(Stream,
            new KernelConfig(new Index3D(windows * tiles, heads, 1), new Index3D(Threads, Threads, 1)), shape, qkv, output);
    }

    /// <summary>Compiles the kernels.</summary>
    public void Prepare(int headDimQuads)
    {
        CompiledKernels kernels = device.Kernels;
        _ = (kernels.RowNorm, kernels.RowMean, kernels.Attention(headDimQuads));
        _ = precision == GpuPrecision.Single ? (object)kernels.RowProduct : kernels.TensorRowProduct;
    }

    // Whole steps of 8 quads, so that there is one part.
    private static int Whole(DeviceMap map) => (map.InputQuads + 7) / 8 * 8;

    private ProductShape Shape(DeviceConvolution c, DeviceSignal from, int windows) => new()
    {
        Windows = windows,
        Rows = c.Length(from.Length),
        InputQuads = c.Map.InputQuads,
        First = (from.Padding - c.Padding) * from.Quads,
        RowQuads = c.Stride * from.Quads,
        WindowQuads = from.WindowQuads,
        OutputQuads = c.Map.OutputQuads,
        ResidualWindowQuads = -1,
        Products = _products,
    };

    private void Launch(ProductShape shape, DeviceMap map, ArrayView<Float4> from, ArrayView<float> residual, ArrayView<float> to)
    {
        bool isSingle = precision == GpuPrecision.Single;
        int size = isSingle ? RowProductKernel.Size : TensorTile.Size;
        var grid = new Index3D((shape.Rows + size - 1) / size, ((4 * shape.OutputQuads) + size - 1) / size,
            shape.Windows * ((shape.InputQuads + shape.PartQuads - 1) / shape.PartQuads));
        if (isSingle)
            device.Kernels.RowProduct(Stream, new KernelConfig(grid, new Index3D(RowProductKernel.Threads, RowProductKernel.Threads, 1)),
                shape, from, map.Weights.View, map.Bias.View, residual, to);
        else
            device.Kernels.TensorRowProduct(Stream, new KernelConfig(grid, new Index3D(TensorTile.Threads, 1, 1)), shape,
                Address(from), map.Weights.NativePtr, map.Bias.View, residual.Cast<Float4>(), to.Cast<Float4>());
    }

    private static unsafe long Address(ArrayView<Float4> view) => (long)view.LoadEffectiveAddressAsPtr();
}
