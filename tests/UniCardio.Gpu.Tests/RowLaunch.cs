using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Model;
using UniCardio.Gpu.Quality;
using UniCardio.OpCases;

namespace UniCardio.Gpu.Tests;

/// <summary>How the row kernels of the quality family are asked.</summary>
internal sealed class RowLaunch : IDisposable
{
    private readonly DeviceLease _lease = TestDevices.Open();
    private readonly DeviceMemory _memory;

    private RowLaunch(GpuPrecision precision)
    {
        _memory = new DeviceMemory(_lease.Device.Accelerator);
        Launches = new RowLaunches(_lease.Device, precision);
    }

    private RowLaunches Launches { get; }

    /// <summary>Linear maps (and none of no rows), convolutions, norms in their two forms, means.</summary>
    public static IEnumerable<KernelLaunch> All =>
    [
        .. Products(GpuPrecision.Single, nameof(RowProductKernel)), .. Products(GpuPrecision.ThreeTf32, nameof(TensorRowProductKernel)),
        new([nameof(RowNormKernel)], OpList.Named(nameof(LayerNormRows)), false, (n, x) => [LayerNorm(n, x)]) { Takes = n => n[0] > 0 },
        new([nameof(RowNormKernel)], new NormedWindows(), false, (n, x) => [GroupNorm(n, x)]),
        new([nameof(RowMeanKernel)], new WindowMeans(), false, (n, x) => [Mean(n, x)]),
    ];

    private static IEnumerable<KernelLaunch> Products(GpuPrecision precision, string kernel) =>
    [
        new([kernel], OpList.Named(nameof(Linear)), precision != GpuPrecision.Single, (n, x) => [Map(precision, n, x)])
        {
            Takes = n => n[0] > 0,

            // Three products of tf32 parts leave out that of the rests, 2^-22 of each term: as much again as four roundings of it.
            BoundFactor = precision == GpuPrecision.Single ? 1 : 3,
        },
        new([kernel], new ConvolvedRows(), precision != GpuPrecision.Single, (n, x) => [Convolve(precision, n, x)]),
    ];

    public void Dispose()
    {
        _memory.Dispose();
        _lease.Dispose();
    }

    private static float[] Map(GpuPrecision precision, int[] n, float[][] x)
    {
        using var launch = new RowLaunch(precision);
        DeviceMap map = launch.Uploaded(n[1], n[2], x[1], x[2]);
        DeviceSignal from = launch.Rows(n[0], n[2], x[0]), to = launch.Signal(1, n[0], n[1]);
        launch.Launches.Map(map, from.View, to.Floats, n[0]);
        return launch.Read(to, 1, n[1]);
    }

    private static float[] Convolve(GpuPrecision precision, int[] n, float[][] x)
    {
        using var launch = new RowLaunch(precision);
        int channels = 4 * DeviceLayout.Up(n[2]);
        float[] taps = new float[n[3] * n[4] * channels];
        for (int i = 0; i < x[1].Length; i++)
            taps[(i / n[2] * channels) + (i % n[2])] = x[1][i];
        var map = new DeviceConvolution(launch.Uploaded(n[3], n[4] * channels, taps, x[2]), n[4], n[5]);
        // Padding wider than the kernel needs, before and after every buffer.
        DeviceSignal from = launch.Signal(n[0], n[1], n[2], (n[4] / 2) + 1), to = launch.Signal(n[0], ConvolvedRows.Length(n), n[3], 2),
            residual = launch.Signal(n[0], ConvolvedRows.Length(n), n[3], 1);
        launch.Fill(from, n[0], n[2], x[0]);
        launch.Fill(residual, n[0], n[3], x[3]);
        launch.Launches.Convolve(map, from, to, n[0], (RowActivation)n[6], residual);
        return launch.Read(to, n[0], n[3]);
    }

    private static float[] LayerNorm(int[] n, float[][] x)
    {
        using var launch = new RowLaunch(GpuPrecision.Single);
        // The row's b is the maps' bias or residual here, which the product before adds.
        DeviceSignal rows = launch.Rows(n[0], n[1], [.. x[0].Select((v, i) => v + x[1][i % n[1]])]), to = launch.Signal(1, n[0], n[1]);
        DeviceNorm norm = launch.Norm(n[1], x[2], x[3]);
        var shape = new NormShape { Rows = 1, Channels = n[1], Quads = rows.Quads, Parts = 1, TargetQuads = rows.Quads };
        launch.Launches.Norm(shape, n[0], rows.View, norm, norm.Beta.View, norm.Beta.View, to.View);
        return launch.Read(to, 1, n[1]);
    }

    private static float[] GroupNorm(int[] n, float[][] x)
    {
        using var launch = new RowLaunch(GpuPrecision.Single);
        DeviceSignal parts = launch.Rows(n[3] * n[0] * n[1], n[2], x[0]), to = launch.Signal(n[0], n[1], n[2], 1),
            position = launch.Rows(n[1], n[2], x[4]);
        var shape = new NormShape
        {
            Rows = n[1], Channels = n[2], Quads = parts.Quads, Parts = n[3], PartQuads = n[0] * n[1] * parts.Quads, HasGelu = 1,
            HasAddend = 1, TargetFirst = to.First, TargetQuads = to.WindowQuads,
        };
        launch.Launches.Norm(shape, n[0], parts.View, launch.Norm(n[2], x[2], x[3]), launch.Rows(1, n[2], x[1]).View, position.View,
            to.View);
        return launch.Read(to, n[0], n[2]);
    }

    private static float[] Mean(int[] n, float[][] x)
    {
        using var launch = new RowLaunch(GpuPrecision.Single);
        DeviceSignal from = launch.Signal(n[0], n[1], n[2], 1), to = launch.Signal(1, n[0], n[2]);
        launch.Fill(from, n[0], n[2], x[0]);
        launch.Launches.Mean(from, to.View, n[0]);
        return launch.Read(to, 1, n[2]);
    }

    private DeviceSignal Signal(int windows, int length, int channels, int padding = 0) =>
        new(_memory, _lease.Device.Stream, windows, length, DeviceLayout.Up(channels), padding);

    private DeviceSignal Rows(int rows, int channels, float[] values)
    {
        DeviceSignal signal = Signal(1, rows, channels);
        Fill(signal, 1, channels, values);
        return signal;
    }

    private DeviceMap Uploaded(int outputs, int inputs, float[] weights, float[] bias)
    {
        // Whole quads of outputs: those beyond are zeros.
        int padded = 4 * DeviceLayout.Up(outputs);
        return new DeviceMap(Quads(padded, inputs, [.. weights, .. new float[(padded - outputs) * inputs]]),
            Quads(1, outputs, bias), DeviceLayout.Up(inputs), padded / 4);
    }

    private DeviceNorm Norm(int channels, float[] gamma, float[] beta) =>
        new(Quads(1, channels, gamma), Quads(1, channels, beta), channels);

    private MemoryBuffer1D<Float4, Stride1D.Dense> Quads(int rows, int columns, float[] values)
    {
        MemoryBuffer1D<Float4, Stride1D.Dense> buffer = _memory.Take<Float4>((long)rows * DeviceLayout.Up(columns));
        ((ArrayView<Float4>)buffer.View).Cast<float>().CopyFromCPU(Padded(values, columns));
        return buffer;
    }

    private void Fill(DeviceSignal signal, int windows, int channels, float[] values)
    {
        float[] rows = Padded(values, channels);
        int window = 4 * signal.Length * signal.Quads;
        for (int i = 0; i < windows; i++)
            signal.Floats.SubView(4 * (signal.First + (i * signal.WindowQuads)), window)
                .CopyFromCPU(_lease.Device.Stream, rows.AsSpan(i * window, window).ToArray());
        _lease.Device.Stream.Synchronize();
    }

    private static float[] Padded(float[] values, int columns)
    {
        int stride = 4 * DeviceLayout.Up(columns);
        float[] rows = new float[values.Length / columns * stride];
        for (int i = 0; i < values.Length; i++)
            rows[(i / columns * stride) + (i % columns)] = values[i];
        return rows;
    }

    private float[] Read(DeviceSignal signal, int windows, int channels)
    {
        _lease.Device.Stream.Synchronize();
        float[] all = new float[signal.Floats.Length], result = new float[windows * signal.Length * channels];
        signal.Floats.CopyToCPU(all);
        for (int i = 0; i < result.Length; i++)
        {
            (int row, int c) = (i / channels, i % channels);
            int at = signal.First + (row / signal.Length * signal.WindowQuads) + (row % signal.Length * signal.Quads);
            result[i] = all[(4 * at) + c];
        }

        return result;
    }
}
