using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Signals.Synthesis;
using UniCardio.Training.Differentiation;
using UniCardio.Training.Pretraining;
using UniCardio.Training.Runs;
using Xunit;

namespace UniCardio.Training.Tests.Pretraining;

public sealed class MaskedTrainerTests : IDisposable
{
    private static readonly MaskedConfiguration Tiny = new() { Width = 8, Layers = 1, Heads = 2, Expansion = 2, DecoderWidth = 8,
        DecoderLayers = 1 };

    private readonly string _folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, true);
    }

    public static TheoryData<string> Trained() => ["Unimodal", "Joint", "InputDrop", "OutputDrop", "Contrastive"];

    // Central differences with h = 1/128 of the loss (order 1, in float32): u / h = 8e-6 and h^2 / 6 of the third derivative; the bound is
    // 3% of the tensor's largest gradient and 1e-3 absolute.
    [Theory]
    [MemberData(nameof(Trained))]
    public void GradientsAgreeWithFiniteDifferences(string arm)
    {
        using var run = new Differences(Tiny with { Arm = Enum.Parse<MaskedArm>(arm) });
        run.Check();
    }

    private sealed class Differences(MaskedConfiguration network) : IDisposable
    {
        private readonly MaskedRun<ScalarSimd, float> _run =
            new(new MaskedTrainingOptions { Network = network, Batch = 4 });

        public void Dispose() => _run.Dispose();

        public void Check()
        {
            MaskedWindow[] windows = [.. MaskedWindows.Of(3, 0, 2), .. MaskedWindows.Of(3, 1, 2)];
            _run.Step(windows, 7);
            float[] gradients = [.. _run.Gradients];
            const float h = 1f / 128;
            foreach (var slice in _run.Parameters.Slices)
            {
                int at = slice.Offset + (slice.Count / 2);
                float[] values = _run.Parameters.Values;
                float was = values[at];
                double Loss(float value)
                {
                    values[at] = value;
                    _run.Parameters.Changed();
                    return _run.Step(windows, 7);
                }

                double measured = (Loss(was + h) - Loss(was - h)) / (2 * h);
                values[at] = was;
                double largest = gradients.AsSpan(slice.Offset, slice.Count).ToArray().Max(MathF.Abs);
                Assert.True(Math.Abs(measured - gradients[at]) <= (0.03 * largest) + 1e-3,
                    $"{slice.Name}: {gradients[at]}, by differences {measured}");
            }

            Assert.Contains(gradients, g => Math.Abs(g) > 1e-3);
        }
    }

    [Fact]
    public void AStoppedRunContinuesToTheSameBits()
    {
        var options = new MaskedTrainingOptions { Network = Tiny, Steps = 6, Batch = 4, LogEvery = 2, CheckpointEvery = 2 };
        ParameterTensor[] whole = MaskedTrainer.Train(options);
        var folder = new RunFolder(_folder);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => MaskedTrainer.Train(options, folder, (step, _) =>
        {
            if (step == 4)
                stop.Cancel();
        }, stop.Token));
        ParameterTensor[] continued = MaskedTrainer.Train(options, folder);
        Assert.All(whole.Zip(continued), p => Assert.True(p.First.Span.SequenceEqual(p.Second.Span), p.First.Name));
        Assert.Equal(4, File.ReadAllLines(Path.Combine(_folder, "log.csv")).Length);
        RunFolderException refused = Assert.Throws<RunFolderException>(() => MaskedTrainer.Train(options with { Seed = 9 }, folder));
        Assert.Contains(_folder, refused.Message, StringComparison.Ordinal);
    }

    // Both ways compute the softmax of the same scores; sums of 8 products and of 30 terms in other orders: some 40 u of values of order 1.
    [Fact]
    public void BothWaysOfAttentionAgree()
    {
        using var parameters = new TapeParameters(Tiny.Shapes(), 16);
        using var tape = new Tape<ScalarSimd, float>(parameters);
        var random = new Random(4);
        float[] qkv = [.. Enumerable.Range(0, 60 * 24).Select(_ => (float)((2 * random.NextDouble()) - 1))];
        tape.Begin();
        TapeMatrix a = tape.Constant(qkv, 60, 24), b = tape.Constant(qkv, 60, 24);
        TapeMatrix dense = tape.Attention(a, 2, 2, null), plain = tape.Attention(b, 2, 2, (_, _) => true);
        for (int row = 0; row < 60; row++)
        {
            for (int c = 0; c < 8; c++)
                dense.GradientRow(row)[c] = plain.GradientRow(row)[c] = (float)((2 * random.NextDouble()) - 1);
        }

        tape.Backward();
        for (int row = 0; row < 60; row++)
        {
            for (int c = 0; c < 24; c++)
            {
                Assert.Equal(b.GradientRow(row)[c], a.GradientRow(row)[c], 1e-5f);
                if (c < 8)
                    Assert.Equal(plain.Row(row)[c], dense.Row(row)[c], 1e-5f);
            }
        }
    }

    [Fact]
    public void ArmsDifferInWhatIsShownAndAsked()
    {
        var random = new CounterRandom(1, 2);
        int dropped = 0, unasked = 0;
        for (int i = 0; i < 400; i++)
        {
            MaskedDraw joint = MaskedDraw.Next(MaskedArm.Joint, 0, 0.5, ref random), input = MaskedDraw.Next(MaskedArm.InputDrop, 0.5, 0.5,
                ref random), output = MaskedDraw.Next(MaskedArm.OutputDrop, 0.5, 0.5, ref random);
            Assert.Equal((7, 7, 75), (joint.Kept, joint.Asked, joint.Visible.Length));
            Assert.Equal((7, 25 * input.Count), (input.Asked, input.Visible.Length));
            Assert.Equal((7, 75), (output.Kept, output.Visible.Length));
            Assert.NotEqual(0, input.Kept);
            Assert.NotEqual(0, output.Asked);
            (dropped, unasked) = (dropped + (input.Kept < 7 ? 1 : 0), unasked + (output.Asked < 7 ? 1 : 0));
            Assert.All(input.Visible, t => Assert.NotEqual(0, input.Kept >> (t / MaskedConfiguration.Patches) & 1));
        }

        // 400 draws with probability a half: four standard deviations are 40.
        Assert.InRange(dropped, 160, 240);
        Assert.InRange(unasked, 160, 240);
    }

    [Fact]
    public void ADroppedSignalChangesNothingInTheEmbedding()
    {
        MaskedWindow[] windows = MaskedWindows.Of(5, 0, 2);
        ParameterTensor[] weights = MaskedTrainer.Initial(Tiny, 1);
        MaskedWindow other = windows[0].With([windows[0], windows[1], windows[0]]);
        double[] without = MaskedEmbedding.Of(Tiny, weights, [windows[0]], 0b101)[0];
        Assert.Equal(without, MaskedEmbedding.Of(Tiny, weights, [other], 0b101)[0]);
        Assert.NotEqual(MaskedEmbedding.Of(Tiny, weights, [windows[0]])[0], MaskedEmbedding.Of(Tiny, weights, [other])[0]);
        Assert.All(without[8..16], v => Assert.Equal(0, v));
    }

    [Fact]
    public void TheFullEncoderHasAboutAMillionWeightsAndItsFileNamesIt()
    {
        long count = MaskedConfiguration.Full.Shapes().Sum(s => s.Count);
        Assert.InRange(count, 800_000, 1_200_000);
        Assert.Equal(MaskedConfiguration.Full, MaskedConfiguration.FromMetadata(MaskedConfiguration.Full.ToMetadata()));
        Assert.Null(MaskedConfiguration.FromMetadata(new Dictionary<string, string>()));
    }
}
