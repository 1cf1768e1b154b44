using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Training.Data;
using UniCardio.Training.Network;
using UniCardio.Weights;
using UniCardio.Weights.Golden;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Training.Tests.Network;

/// <summary>Gradient entries against a network whose gradients are made up: what passes, what fails and what is refused.</summary>
/// <remarks>That the training network gives the official gradients is tested with the command, which joins the two.</remarks>
public sealed class GoldenGradientsTests : IDisposable
{
    private const int S = 8, Batch = 2;
    private const string Name = "grad/cond=01/target=2/decoder=2", Bias = "output_projection3_1.bias",
        Weight = "output_projection3_2.weight";

    private static readonly ModelConfiguration Configuration =
        new() { Channels = 6, Heads = 1, Blocks = 1, FeedForward = 3, Embedding = 4, SlotSamples = S };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("unicardio-gradients-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void EqualGradientsPass()
    {
        using var network = new MadeUp();
        GoldenReport report = Verify(network, File());
        Assert.True(report.Passed, $"{report.Worst}");
        Assert.Empty(report.NotVerified);
        Assert.Equal("training network scalar x 1 thread", report.Gradients);
        Assert.Equal([Name + "/loss", $"{Name}/d/{Bias}", $"{Name}/d/{Weight}"], report.Results.Select(r => r.Name));
        Assert.Equal([GoldenVerifier.BackendTolerance, GoldenGradients.Tolerance, GoldenGradients.Tolerance],
            report.Results.Select(r => r.Tolerance));
        Assert.True(network.IsDisposed);
        Assert.Equal((CardioTask.Parse("ppg,bp->ecg"), 5, 49), (network.Task, network.Steps[0], network.Steps[1]));
        Assert.Equal((Batch * 4 * S, Batch * S), (network.Inputs, network.Targets));
    }

    // The largest element is 2 and the bound 1e-4 of it. 0.9 and 1.1 times that are far from float32's rounding of 2, 1e-7.
    [Theory]
    [InlineData(1.8e-4f, true)]
    [InlineData(2.2e-4f, false)]
    [InlineData(-2.2e-4f, false)]
    [InlineData(float.NaN, false)]
    [InlineData(float.NegativeInfinity, false)]
    public void OneWrongElementFails(float added, bool passes)
    {
        GoldenReport expected = Verify(new MadeUp(), File(bias: [1, -2, 0.5f + added, 0, 0, 0])),
            actual = Verify(new MadeUp { Added = added }, File());
        foreach (GoldenReport report in (GoldenReport[])[expected, actual])
        {
            Assert.Equal(passes, report.Passed);
            Assert.Equal($"{Name}/d/{Bias}", report.Worst!.Name);
            Assert.Equal(passes, report.Worst.Passed);
            Assert.Equal(passes ? 3 : 2, report.Results.Count(r => r.Passed));
        }
    }

    [Theory]
    [InlineData(0.5000049f, true)]
    [InlineData(0.5000051f, false)]
    [InlineData(float.NaN, false)]
    public void AWrongLossFails(float loss, bool passes)
    {
        GoldenReport report = Verify(new MadeUp(), File(loss: loss));
        Assert.Equal(passes, report.Passed);
        Assert.Equal(Name + "/loss", report.Worst!.Name);
    }

    [Theory]
    [InlineData(1e-30f)]
    [InlineData(float.NaN)]
    public void AGradientThatTheFileLeavesOutHasToBeZero(float value)
    {
        GoldenReport report = Verify(new MadeUp { Elsewhere = value }, File());
        Assert.Equal($"{Name}/d/output_projection1_1.bias", Assert.Single(report.Results, r => !r.Passed).Name);
        Assert.False(report.Passed);
    }

    // An output within its tolerance must not hide a smaller error that is over a tighter one.
    [Fact]
    public void TheWorstIsAmongThoseThatFail()
    {
        GoldenReport report = Verify(new MadeUp { Added = 1.8e-4f }, File(loss: 0.50001f));
        Assert.Equal((Name + "/loss", false), (report.Worst!.Name, report.Worst.Passed));
        Assert.True(report.Worst.RelativeError < report.Results[1].RelativeError);
    }

    [Fact]
    public void AGivenToleranceHoldsForGradientsToo()
    {
        GoldenReport report = Verify(new MadeUp { Added = 2.2e-4f }, File(), tolerance: 2e-4);
        Assert.True(report.Passed, $"{report.Worst}");
        Assert.All(report.Results, r => Assert.Equal(2e-4, r.Tolerance));
    }

    [Fact]
    public void RefusesANetworkOfOtherParameters()
    {
        var problem = Assert.Throws<GoldenException>(() => Verify(new MadeUp(Configuration with { FeedForward = 4 }), File()));
        Assert.Contains("feed_forward 4 (the file's: 3)", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x", null, "is missing")]
    [InlineData("t", null, "is missing")]
    [InlineData("noise", null, "is missing")]
    [InlineData("loss", null, "is missing")]
    [InlineData("x", new[] { 2, 3 * S }, "expected [batch, 32]")]
    [InlineData("t", new[] { 3 }, "expected [2]")]
    [InlineData("noise", new[] { 2, 4 * S }, "expected [2, 8]")]
    [InlineData("loss", new[] { 2 }, "expected [1]")]
    [InlineData("d/" + Bias, new[] { 7 }, "expected [6]")]
    [InlineData("d/" + Weight, new[] { 6 }, "expected [1, 6, 1]")]
    [InlineData("d/nothing.weight", new[] { 6 }, "no parameter")]
    public void NamesTensorsThatAreMissingOrMisshapen(string tensor, int[]? shape, string expected)
    {
        ParameterTensor[] others = [.. Tensors().Where(t => t.Name != $"{Name}/{tensor}")];
        ParameterTensor[] changed = shape is null ? others
            : [.. others, new($"{Name}/{tensor}", shape, new float[shape.Aggregate(1, (a, b) => a * b)])];
        Refused($"{Name}/{tensor}", expected, changed);
    }

    [Fact]
    public void RefusesAnEntryWithoutGradients() =>
        Refused(Name, "no gradient", [.. Tensors().Where(t => !t.Name.Contains("/d/", StringComparison.Ordinal))]);

    [Theory]
    [InlineData(50)]
    [InlineData(-1)]
    [InlineData(2.5f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void RefusesStepsThatTheNetworkDoesNotHave(float step) =>
        Refused(Name + "/t", "of window 1 is none of the steps 0 to 49", [.. Tensors(step: step)]);

    private void Refused(string entry, string expected, ParameterTensor[] tensors)
    {
        var problem = Assert.Throws<GoldenException>(() => GoldenFile.Open(Write(tensors)).Dispose());
        Assert.Equal(entry, problem.Entry);
        Assert.Contains(expected, problem.Message, StringComparison.Ordinal);
        Assert.EndsWith("gradients.safetensors", problem.File, StringComparison.Ordinal);
    }

    private static GoldenReport Verify(MadeUp network, string path, double? tolerance = null)
    {
        using GoldenFile file = GoldenFile.Open(path);
        using ModelWeights weights = new WeightRecipe(77, Configuration).Create();
        return GoldenGradients.AddTo(GoldenVerifier.Verify(file, weights, w => new ReferenceBackend(w), tolerance), file, weights, _ =>
            network, tolerance);
    }

    private string File(float[]? bias = null, float loss = 0.5f) => Write([.. Tensors(bias, loss)]);

    private string Write(ParameterTensor[] tensors)
    {
        string path = Path.Combine(_folder.FullName, "gradients.safetensors");
        SafetensorsWriter.Write(path, tensors, Configuration.ToMetadata());
        return path;
    }

    private static IEnumerable<ParameterTensor> Tensors(float[]? bias = null, float loss = 0.5f, float step = 49) =>
    [
        new(Name + "/x", [Batch, 4 * S], new float[Batch * 4 * S]),
        new(Name + "/t", [Batch], (float[])[5, step]),
        new(Name + "/noise", [Batch, S], new float[Batch * S]),
        new(Name + "/loss", [1], (float[])[loss]),
        new($"{Name}/d/{Bias}", [6], bias ?? MadeUp.Bias),
        new($"{Name}/d/{Weight}", [1, 6, 1], (float[])[3, 2, 1, -1, -2, -3]),
    ];

    // Gives the file's numbers but for what a test changes; notes what it was asked.
    private sealed class MadeUp(ModelConfiguration? configuration = null) : IGradientNetwork
    {
        private readonly float[] _parameters = new float[new ParameterLayout(configuration ?? GoldenGradientsTests.Configuration).Length];
        private readonly float[] _gradients = new float[new ParameterLayout(configuration ?? GoldenGradientsTests.Configuration).Length];

        public static float[] Bias => [1, -2, 0.5f, 0, 0, 0];

        public float Added { get; init; }

        public float Elsewhere { get; init; }

        public bool IsDisposed { get; private set; }

        public CardioTask Task { get; private set; }

        public IReadOnlyList<int> Steps { get; private set; } = [];

        public int Inputs { get; private set; }

        public int Targets { get; private set; }

        public ModelConfiguration Configuration => Layout.Configuration;

        public ParameterLayout Layout { get; } = new(configuration ?? GoldenGradientsTests.Configuration);

        public Span<float> Parameters => _parameters;

        public Span<float> Gradients => _gradients;

        public CpuInstructionSet InstructionSet => CpuInstructionSet.Scalar;

        public int Threads => 1;

        public void Share(int pieces, Action<int, int> run) => throw new NotSupportedException();

        public void ParametersChanged()
        {
        }

        public void Accumulate(TrainingBatch batch, WindowLoss loss, ulong dropoutSeed, Span<double> losses)
        {
            (Task, Steps, Inputs) = (batch.Tasks[0], batch.Steps, batch.Inputs.Length);
            float[] prediction = new float[batch.SlotSamples];
            for (int window = 0; window < batch.Count; window++)
            {
                Assert.Equal(0, loss(window, prediction, new float[batch.SlotSamples]));
                Targets += prediction.Length;
            }

            losses.Fill(0.5 / batch.Count);
            float[] bias = Bias;
            bias[2] += Added;
            Give(GoldenGradientsTests.Bias, bias);
            Give(Weight, [3, 2, 1, -1, -2, -3]);
            Give("output_projection1_1.bias", [0, 0, Elsewhere, 0, 0, 0]);
        }

        public void Predict(TrainingBatch batch, Span<float> predictions) => throw new NotSupportedException();

        public void Dispose() => IsDisposed = true;

        private void Give(string parameter, float[] values) => values.CopyTo(Layout[ParameterCatalog.Prefix + parameter].Of(_gradients));
    }
}
