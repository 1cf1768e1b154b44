using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Model;
using UniCardio.Engine.Quality;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Devices;

namespace UniCardio.Gpu.Quality;

/// <summary>A map on the device: [outputs, inputs] and [outputs], both padded with zeros to quads.</summary>
internal sealed record DeviceMap(MemoryBuffer1D<Float4, Stride1D.Dense> Weights, MemoryBuffer1D<Float4, Stride1D.Dense> Bias,
    int InputQuads, int OutputQuads);

/// <summary>A convolution over time: a map of taps' inputs, each tap's channels padded to quads.</summary>
internal sealed record DeviceConvolution(DeviceMap Map, int Kernel, int Stride)
{
    /// <summary>Zeros before and after a signal.</summary>
    public int Padding => Kernel / 2;

    /// <summary>Samples that come out.</summary>
    public int Length(int samples) => (samples + Stride - 1) / Stride;
}

/// <summary>Gain and offset of a norm: [C], zeros beyond.</summary>
internal sealed record DeviceNorm(MemoryBuffer1D<Float4, Stride1D.Dense> Gamma, MemoryBuffer1D<Float4, Stride1D.Dense> Beta, int Channels);

/// <summary>One post-norm block: x &lt;- LN(x + out(attention(in(x)))), x &lt;- LN(x + W2 GELU(W1 x)).</summary>
internal sealed record DeviceQualityBlock(DeviceMap AttentionIn, DeviceMap AttentionOut, DeviceMap FeedForwardIn, DeviceMap FeedForwardOut,
    DeviceNorm Norm1, DeviceNorm Norm2);

/// <summary>Encoder or decoder: tokeniser, blocks, output map.</summary>
internal sealed record DeviceQualityPart(IReadOnlyList<DeviceConvolution> Convolutions, IReadOnlyList<DeviceNorm> Norms,
    IReadOnlyList<DeviceQualityBlock> Blocks, DeviceMap Output);

/// <summary>Uploads a network's maps; called with the device's turn held.</summary>
internal sealed class QualityUpload(QualityWeights weights, AcceleratorStream stream, DeviceMemory memory)
{
    private readonly FoldedQuality _folded = new(weights);
    private readonly QualityConfiguration _m = weights.Configuration;

    private int HeadQuads => DeviceLayout.Up(_m.HeadDim);

    public DeviceQualityPart Part(string part, int channels) => new(
        [.. _folded.Tokeniser(part, channels).Select(Convolution)],
        [.. Enumerable.Range(1, QualityConfiguration.TokeniserStages).Select(i => Norm($"{part}.patch_embed.norm{i}"))],
        [.. Enumerable.Range(0, _m.Layers).Select(i => Block($"{part}.longformer_encoder.layers.{i}."))],
        Linear($"{part}.output_feature_layer"));

    public DeviceMap Linear(string name) => Map(_folded.Linear(name));

    public DeviceMap NormedLinear(string name, string norm) => Map(_folded.NormedLinear(name, norm));

    public DeviceConvolution Convolution(string name, int inputs, int stride, string norm) =>
        Convolution(_folded.Convolution(name, inputs, stride, norm));

    /// <summary>Rows of floats, padded to quads.</summary>
    public MemoryBuffer1D<Float4, Stride1D.Dense> Rows(int rows, int columns, Func<int, int, float> value)
    {
        int quads = DeviceLayout.Up(columns);
        float[] values = new float[rows * 4 * quads];
        for (int i = 0; i < rows * columns; i++)
            values[(i / columns * 4 * quads) + (i % columns)] = value(i / columns, i % columns);
        return Upload(values);
    }

    private DeviceConvolution Convolution(FoldedConvolution c)
    {
        int quads = DeviceLayout.Up(c.Inputs);
        return new DeviceConvolution(
            Map(c.Map, n => n, DeviceLayout.Up(c.Map.Outputs), k => (k / c.Inputs * 4 * quads) + (k % c.Inputs),
                c.Kernel * quads), c.Kernel,
            c.Stride);
    }

    private DeviceQualityBlock Block(string name)
    {
        // Each head begins a new quad.
        int d = _m.Width, head = _m.HeadDim, heads = _m.Heads * HeadQuads;
        int Column(int c) => (c / head * 4 * HeadQuads) + (c % head);
        return new DeviceQualityBlock(
            Map(_folded.AttentionIn(name), n => (n / d * 4 * heads) + Column(n % d), 3 * heads, k => k, DeviceLayout.Up(d)),
            Map(_folded.Linear(name + "self_attn.out_proj"), n => n, DeviceLayout.Up(d), Column, heads),
            Linear(name + "linear1"),
            Linear(name + "linear2"),
            Norm(name + "norm1"),
            Norm(name + "norm2"));
    }

    private DeviceNorm Norm(string name)
    {
        ReadOnlyMemory<float> gamma = weights[name + ".weight"].Span.ToArray(), beta = weights[name + ".bias"].Span.ToArray();
        return new DeviceNorm(Rows(1, gamma.Length, (_, c) => gamma.Span[c]), Rows(1, beta.Length, (_, c) => beta.Span[c]), gamma.Length);
    }

    private DeviceMap Map(LinearMap map) =>
        Map(map, n => n, DeviceLayout.Up(map.Outputs), k => k, DeviceLayout.Up(map.Inputs));

    private DeviceMap Map(LinearMap map, Func<int, int> row, int outputQuads, Func<int, int> column, int inputQuads)
    {
        float[] values = new float[checked(16L * outputQuads * inputQuads)], bias = new float[4 * outputQuads];
        int[] columns = [.. Enumerable.Range(0, map.Inputs).Select(column)];
        for (int n = 0; n < map.Outputs; n++)
        {
            int at = row(n) * 4 * inputQuads;
            for (int k = 0; k < columns.Length; k++)
                values[at + columns[k]] = (float)map.Weight[(n * map.Inputs) + k];
            bias[row(n)] = (float)map.Bias[n];
        }

        return new DeviceMap(Upload(values), Upload(bias), inputQuads, outputQuads);
    }

    private MemoryBuffer1D<Float4, Stride1D.Dense> Upload(float[] values)
    {
        MemoryBuffer1D<Float4, Stride1D.Dense> buffer = memory.Take<Float4>(values.Length / 4);
        ((ArrayView<Float4>)buffer.View).CopyFromCPU(stream, MemoryMarshal.Cast<float, Float4>(values).ToArray());
        return buffer;
    }
}
