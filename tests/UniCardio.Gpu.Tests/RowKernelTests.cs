using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.Weights;

namespace UniCardio.Gpu.Tests;

/// <summary>Encoder, block and decoder kernels one at a time against their double twins, on odd numbers of tokens, at p 1 and 5.</summary>
public abstract class RowKernelTests(TestDevice device) : DeviceTests(device)
{
    // Each kernel is a chain of at most four sums of at most 192 products in float32, LayerNorms between: 2e-6 is more than twice
    // what such a chain is off by when roundings add up as a random walk (sqrt(192) x 6e-8 each).
    private const double Tolerance = 2e-6;

    // Tokens, samples of a token, channels and heads: head dims 12, 30, 36, 64 and 6, rows of which some are no multiple of 4 wide.
    public static TheoryData<int, int, int, int> Sizes => new()
    {
        { 1, 1, 36, 3 },
        { 17, 1, 30, 1 },
        { 33, 1, 36, 1 },
        { 100, 1, 192, 3 },
        { 500, 1, 18, 3 },
        { 1, 5, 60, 5 },
        { 17, 5, 90, 3 },
        { 33, 5, 180, 5 },
        { 100, 5, 90, 3 },
        { 500, 5, 60, 5 },
    };

    [SkippableTheory]
    [MemberData(nameof(Sizes))]
    public void EncoderMatches(int tokens, int p, int channelCount, int heads)
    {
        using var c = new Case(tokens, p, channelCount, heads);
        c.Pass.Encode(0);
        double[] plane = new double[tokens * c.Model.Channels], expected = new double[tokens * c.Model.Channels];
        double[] samples = [.. c.Conditions.Select(v => (double)v)];
        ReferenceEncoder.Tokens(c.Model, c.Reference.Encoders[0], 0, samples, plane, expected);
        c.AssertRows(expected, c.Read(c.Buffers.X), 0);
    }

    [SkippableTheory]
    [MemberData(nameof(Sizes))]
    public void QkvMatches(int tokens, int p, int channelCount, int heads)
    {
        using var c = new Case(tokens, p, channelCount, heads);
        double[] x = c.Upload(c.Buffers.X, c.Layout.Quads, c.Model.Channels);
        c.Device.Kernels.Qkv(c.Stream, c.Pass.Strips(c.Shape), c.Shape, c.Layout.Block, c.Network.Block(0),
            c.Network.Steps(3).SubView(0, c.Layout.StepQuads), c.Buffers.X.View, c.Buffers.Qkv.View, 0);
        float[] qkv = c.Read(c.Buffers.Qkv, c.QkvRows);
        int channels = c.Model.Channels, width = 4 * c.Layout.HeadQuads;
        double[] y = ReferenceBlock.AddStep(c.Block, c.Embedding, x), all = new double[c.Rows * 3 * channels];
        c.Block.AttentionIn.Forward(y, all);
        double scale = 1 / (Math.Sqrt(c.Model.HeadDim) * Math.Log(2)), worst = 0, largest = 0;
        for (int i = 0; i < all.Length; i++)
        {
            int row = i / (3 * channels), n = i % (3 * channels);
            // Block 0's conditions come first, then room for block 1's, then the targets.
            int at = row < c.Shape.ConditionRows ? row : row + c.Shape.ConditionRows;
            double expected = all[i] * (n < channels ? scale : 1);
            worst = Math.Max(
                worst, Math.Abs(expected - qkv[(at * 3 * width) + (n / channels * width) + c.Layout.HeadColumn(n % channels)]));
            largest = Math.Max(largest, Math.Abs(expected));
        }

        Assert.True(worst <= Tolerance * largest, $"relative error {worst / largest}");
    }

    [SkippableTheory]
    [MemberData(nameof(Sizes))]
    public void AttentionOutMatches(int tokens, int p, int channelCount, int heads)
    {
        using var c = new Case(tokens, p, channelCount, heads);
        double[] x = c.Upload(c.Buffers.X, c.Layout.Quads, c.Model.Channels),
            padded = c.Upload(c.Buffers.Attention, c.Layout.HeadQuads, 4 * c.Layout.HeadQuads);
        ArrayView<Float4> bias = c.Network.Steps(3).SubView(3 * c.Layout.HeadQuads, c.Layout.Quads);
        c.Device.Kernels.AttentionOut(c.Stream, c.Pass.Strips(c.Shape), c.Shape, c.Layout.Block, c.Network.Block(0), bias,
            c.Buffers.Attention.View, c.Buffers.X.View, c.Buffers.Y.View);
        int channels = c.Model.Channels;
        double[] attention = new double[x.Length], sum = new double[x.Length], y = ReferenceBlock.AddStep(c.Block, c.Embedding, x);
        for (int i = 0; i < x.Length; i++)
            attention[i] = padded[(i / channels * 4 * c.Layout.HeadQuads) + c.Layout.HeadColumn(i % channels)];
        c.Block.AttentionOut.Forward(attention, sum);
        c.Block.Norm1.Normalize(AddInto(sum, y));
        c.AssertRows(sum, c.Read(c.Buffers.Y), 0);
    }

    [SkippableTheory]
    [MemberData(nameof(Sizes))]
    public void FeedForwardMatches(int tokens, int p, int channelCount, int heads)
    {
        using var c = new Case(tokens, p, channelCount, heads);
        double[] y = c.Upload(c.Buffers.Y, c.Layout.Quads, c.Model.Channels);
        c.Device.Kernels.FeedForward(c.Stream, c.Pass.Strips(c.Shape), c.Shape, c.Layout.Block, c.Network.Block(0), c.Buffers.Y.View);
        double[] hidden = new double[c.Rows * c.Model.FeedForward], sum = new double[y.Length];
        c.Block.FeedForwardIn.Forward(y, hidden);
        ReferenceGelu.Forward(hidden, hidden);
        c.Block.FeedForwardOut.Forward(hidden, sum);
        int channels = c.Model.Channels;
        double[] one = [.. Enumerable.Repeat(1.0, channels)];
        ReferenceLayerNorm.Forward(AddInto(sum, y), one, new double[channels], ModelConfiguration.LayerNormEpsilon, sum);
        c.AssertRows(sum, c.Read(c.Buffers.Y), 0);
    }

    [SkippableTheory]
    [MemberData(nameof(Sizes))]
    public void TensorFeedForwardMatches(int tokens, int p, int channelCount, int heads)
    {
        Skip.If(TestDevices.Current != TestDevice.Simulated, "tensor cores are CUDA's");
        using var c = new Case(tokens, p, channelCount, heads, feedForward: p == 1 ? 64 : 23);
        double[] z = c.Upload(c.Buffers.Y, c.Layout.Quads, c.Model.Channels);
        const int Rows = TensorFeedForwardKernel.Rows;
        c.Device.Kernels.TensorFeedForward(
            c.Stream, new KernelConfig(new Index3D((c.Rows + Rows - 1) / Rows, 1, 1), new Index3D(TensorFeedForwardKernel.Threads, 1, 1)),
            c.Shape, c.Network.TensorMatrix(0, c.Layout.Tensor.Vectors), c.Network.TensorMatrix(0, c.Layout.Tensor.FeedForwardIn),
            c.Network.TensorMatrix(0, c.Layout.Tensor.FeedForwardOut), c.Buffers.Y.NativePtr);
        c.Block.Norm1.Normalize(z);
        double[] hidden = new double[c.Rows * c.Model.FeedForward], sum = new double[z.Length];
        c.Block.FeedForwardIn.Forward(z, hidden);
        ReferenceGelu.Forward(hidden, hidden);
        c.Block.FeedForwardOut.Forward(hidden, sum);
        int channels = c.Model.Channels;
        double[] one = [.. Enumerable.Repeat(1.0, channels)];
        ReferenceLayerNorm.Forward(AddInto(sum, z), one, new double[channels], ModelConfiguration.LayerNormEpsilon, sum);
        c.AssertRows(sum, c.Read(c.Buffers.Y), 0);
    }

    [SkippableTheory]
    [MemberData(nameof(Sizes))]
    public void GateMatches(int tokens, int p, int channelCount, int heads)
    {
        using var c = new Case(tokens, p, channelCount, heads);
        int channels = c.Model.Channels;
        double[] x = c.Upload(c.Buffers.X, c.Layout.Quads, channels), y = c.Upload(c.Buffers.Y, c.Layout.Quads, channels);
        c.Device.Kernels.Gate(
            c.Stream, c.Pass.Strips(c.Shape), c.Shape, c.Layout.Block, c.Network.Block(0), 0, c.Network.Gate, c.Buffers.GateSlots.View,
            c.Buffers.Y.View, c.Buffers.X.View, c.Buffers.Skip.View);
        // The kernel's y has neither gamma nor beta of the second LayerNorm yet.
        double[] layer = [.. y.Select((v, i) => (v * c.Block.Norm2.Weight[i % channels]) + c.Block.Norm2.Bias[i % channels])];
        double[] mid = new double[2 * x.Length], condition = new double[2 * x.Length], gated = new double[x.Length],
            output = new double[2 * x.Length], codes = new double[x.Length];
        ReferencePositionCode.Slot(c.Model, 0, codes.AsSpan(0, tokens * channels));
        ReferencePositionCode.Slot(c.Model, 2, codes.AsSpan(tokens * channels));
        c.Block.MidProjection.Forward(layer, mid);
        c.Block.ConditionProjection.Forward(codes, condition);
        ReferenceGate.Forward(AddInto(mid, condition), channels, gated);
        c.Block.OutputProjection.Forward(gated, output);
        double[] next = [.. x.Select((v, i) => (v + output[(i / channels * 2 * channels) + (i % channels)]) / Math.Sqrt(2))];
        double[] skip = [.. x.Select((_, i) => output[(i / channels * 2 * channels) + channels + (i % channels)]).Skip(tokens * channels)];
        c.AssertRows(next, c.Read(c.Buffers.X), 0);
        c.AssertRows(skip, c.Read(c.Buffers.Skip), 0);
    }

    [SkippableTheory]
    [MemberData(nameof(Sizes))]
    public void DecoderMatches(int tokens, int p, int channelCount, int heads)
    {
        using var c = new Case(tokens, p, channelCount, heads);
        double[] skip = c.Upload(c.Buffers.Skip, c.Layout.Quads, c.Model.Channels);
        c.Pass.Decode(default);
        double[] mean = [.. skip.Select(v => v / Math.Sqrt(c.Model.Blocks))], expected = new double[c.Plan.StateSamples];
        ReferenceDecoder.Forward(c.Reference.Decoders[2], mean, expected);
        float[] actual = new float[expected.Length];
        c.Stream.Synchronize();
        ((ArrayView<float>)c.Buffers.Prediction.View).CopyToCPU(actual);
        double error = RelativeError.Of(actual, [.. expected.Select(v => (float)v)]);
        Assert.True(error <= Tolerance, $"relative error {error}");
    }

    private static double[] AddInto(double[] target, double[] x)
    {
        for (int i = 0; i < target.Length; i++)
            target[i] += x[i];
        return target;
    }

    // One window, condition PPG, target ECG: the condition's rows, then the target's.
    private sealed class Case : IDisposable
    {
        private readonly ModelWeights _weights;
        private readonly Random _random;
        private readonly DeviceLease _lease;

        public Case(int tokens, int p, int channels, int heads, int? feedForward = null)
        {
            Skip.If(TestDevices.IsSlow && tokens > 17, "too slow on ILGPU's CPU device");
            Model = new ModelConfiguration { Channels = channels, Heads = heads, Blocks = 2, FeedForward =
                feedForward ?? (p == 1 ? 67 : 24), Embedding = 8,
                SlotSamples = tokens * p, SamplesPerToken = p };
            _random = new Random(tokens);
            _weights = new WeightRecipe(9, Model).Create();
            Plan = new InferencePlan(Model, CardioTask.Parse("ppg->ecg", null));
            _lease = TestDevices.Open();
            Network = new DeviceNetwork(Device, new DeviceLayout(Model), _weights, usesTensors: feedForward is not null);
            Buffers = new DeviceBuffers(Device.Accelerator, Network.Layout, Plan);
            Pass = new NetworkPass(Device, Network, Buffers, Plan, new GpuOptions { GroupRows = TestDevices.GroupRows });
            Shape = Pass.Shape(0);
            Reference = _weights.Network.Select(LinearMap.Of);
            Embedding = new double[Model.Embedding];
            ReferenceDiffusionEmbedding.Forward(Reference.Embedding1, Reference.Embedding2, 3, Embedding);
            Conditions = Values(Plan.ConditionSamples);
            ((ArrayView<float>)Buffers.Conditions.View).CopyFromCPU(Conditions);
            ((ArrayView<float>)Buffers.State.View).CopyFromCPU(Values(Plan.StateSamples));
            foreach (MemoryBuffer1D<float, Stride1D.Dense> unused in (MemoryBuffer1D<float, Stride1D.Dense>[])[
                Buffers.Noise, .. Buffers.Clean])
                ((ArrayView<float>)unused.View).CopyFromCPU(new float[Plan.StateSamples]);
            ((ArrayView<int>)Buffers.NoiseKeys.View).CopyFromCPU(new int[3]);
        }

        public ModelConfiguration Model { get; }

        public InferencePlan Plan { get; }

        public GpuDevice Device => _lease.Device;

        public AcceleratorStream Stream => Device.Stream;

        public DeviceNetwork Network { get; }

        public DeviceLayout Layout => Network.Layout;

        public DeviceBuffers Buffers { get; }

        public NetworkPass Pass { get; }

        public StripShape Shape { get; }

        public NetworkWeights<LinearMap> Reference { get; }

        public BlockWeights<LinearMap> Block => Reference.Blocks[0];

        public double[] Embedding { get; }

        public float[] Conditions { get; }

        public int Rows => 2 * Model.SlotTokens;

        // Rows of queries, keys and values that the first block writes: the second block's conditions lie between.
        public int QkvRows => 3 * Model.SlotTokens;

        // Random rows with zeros after the columns.
        public double[] Upload(MemoryBuffer1D<Float4, Stride1D.Dense> buffer, int quads, int columns)
        {
            int rows = (int)(buffer.Length / quads);
            float[] padded = new float[rows * 4 * quads];
            double[] values = new double[rows * columns];
            for (int i = 0; i < values.Length; i++)
                values[i] = padded[(i / columns * 4 * quads) + (i % columns)] = (_random.NextSingle() * 4) - 2;
            ((ArrayView<Float4>)buffer.View).Cast<float>().CopyFromCPU(padded);
            return values;
        }

        public float[] Read(MemoryBuffer1D<Float4, Stride1D.Dense> buffer)
        {
            float[] values = new float[4 * buffer.Length];
            Stream.Synchronize();
            ((ArrayView<Float4>)buffer.View).Cast<float>().CopyToCPU(values);
            return values;
        }

        // The first and the last third; what lies between is the next block's.
        public float[] Read(MemoryBuffer1D<Float4, Stride1D.Dense> buffer, int rows)
        {
            float[] values = new float[4 * buffer.Length], part = new float[4 * buffer.Length / 3];
            Stream.Synchronize();
            ArrayView<float> view = ((ArrayView<Float4>)buffer.View).Cast<float>();
            Assert.Equal(0, buffer.Length % rows);
            foreach (int third in new[] { 0, 2 })
            {
                view.SubView(third * part.Length, part.Length).CopyToCPU(part);
                part.CopyTo(values, third * part.Length);
            }

            return values;
        }

        public void AssertRows(double[] expected, float[] actual, int firstRow)
        {
            int width = 4 * Layout.Quads, channels = Model.Channels;
            float[] rows = [.. expected.Select((_, i) => actual[((firstRow + (i / channels)) * width) + (i % channels)])];
            double error = RelativeError.Of(rows.AsSpan(0, Math.Min(rows.Length, expected.Length)), [.. expected.Select(v => (float)v)]);
            Assert.True(error <= Tolerance, $"relative error {error}");
        }

        public void Dispose()
        {
            Buffers.Dispose();
            Network.Dispose();
            _lease.Dispose();
            _weights.Dispose();
        }

        private float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (_random.NextSingle() * 2) - 1)];
    }
}

/// <summary>On OpenCL.</summary>
public sealed class OpenClRowKernelTests() : RowKernelTests(TestDevice.OpenCl);

/// <summary>On the simulator.</summary>
public sealed class SimulatedRowKernelTests() : RowKernelTests(TestDevice.Simulated);
