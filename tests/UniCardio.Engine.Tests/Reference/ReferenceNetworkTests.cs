using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Weights;

namespace UniCardio.Engine.Tests.Reference;

/// <summary>The whole reference network: liveness, independence of batch and threads, and what each part of it may depend on.</summary>
public class ReferenceNetworkTests
{
    private static readonly ModelConfiguration Small =
        new() { Channels = 24, Heads = 2, Blocks = 3, FeedForward = 9, Embedding = 8, SlotSamples = 16 };

    public static TheoryData<ModelConfiguration> Configurations =>
    [
        Small,
        Small with { Positions = PositionKind.Slot },
        Small with { SamplesPerToken = 2, Blocks = 1 },
        Small with { SamplesPerToken = 4, Positions = PositionKind.Slot, Prediction = PredictionKind.V },
    ];

    // Values of order 1 through 3 blocks in double. The live form adds the same numbers up in another order: the condition's keys come
    // first.
    private const double Rounding = 1e-13;

    [Theory]
    [MemberData(nameof(Configurations))]
    public void LivenessChangesNothing(ModelConfiguration configuration)
    {
        LiveEqualsDense(new ReferenceNetwork(Weights(configuration)));
        LiveEqualsDense(new ReferenceNetwork(Weights(configuration), pattern: new AttentionPattern { Window = 1, GlobalTokens = 2 }));
    }

    private static void LiveEqualsDense(ReferenceNetwork network)
    {
        ModelConfiguration configuration = network.Configuration;
        int samples = configuration.SlotSamples;
        double[] x = Values(4 * samples, 1), dense = new double[samples], live = new double[samples];
        foreach (CardioTask task in CardioTask.All)
        {
            foreach (int t in (int[])[0, 31])
            {
                network.Dense(task, x, t, dense);
                double[] conditions = [.. task.Conditions.Members().SelectMany(c => x.AsSpan((int)c * samples, samples).ToArray())];
                network.Target(task, network.Conditions(task.Conditions, conditions, t),
                    x.AsSpan((int)task.Target * samples, samples), live);
                for (int i = 0; i < samples; i++)
                    Assert.InRange(live[i] - dense[i], -Rounding, Rounding);
            }
        }
    }

    // The rule of the mask, seen from outside: which slots the prediction depends on at all.
    [Theory]
    [InlineData("ppg->ecg", "1010")]
    [InlineData("bp,ecg->ppg", "1110")]
    [InlineData("denoise bp", "0101")]
    [InlineData("impute ppg | ecg", "1011")]
    [InlineData("impute bp | ppg,ecg", "1111")]
    public void OnlyConditionsAndTargetMatter(string task, string expected)
    {
        var network = new ReferenceNetwork(Weights(Small));
        CardioTask parsed = CardioTask.Parse(task);
        double[] x = Values(64, 2), before = new double[16], after = new double[16];
        network.Dense(parsed, x, 9, before);
        for (int slot = 0; slot < 4; slot++)
        {
            double[] changed = [.. x];
            for (int i = 0; i < 16; i++)
                changed[(slot * 16) + i] += 0.5 * Math.Cos(i);
            network.Dense(parsed, changed, 9, after);
            double difference = before.Zip(after, (a, b) => Math.Abs(a - b)).Max();
            if (expected[slot] == '1')
                Assert.True(difference > 1e-3, $"slot {slot} should matter, moved the result by {difference:g3}");
            else
                Assert.Equal(0, difference);
        }
    }

    [Fact]
    public void GlobalPositionsTellSlotsApartAndSlotPositionsDoNot()
    {
        // Equal encoders for all slots, and the same samples in them: only positions can make a difference between A -> B and A -> C.
        foreach (PositionKind positions in Enum.GetValues<PositionKind>())
        {
            ModelConfiguration m = Small with { Positions = positions };
            var recipe = new WeightRecipe(5, m);
            ParameterTensor[] tensors = [.. ParameterCatalog.For(m)
                .Select(p => new ParameterTensor(p.Name, p.Shape, recipe.Tensor(p with { Name = FirstOfItsKind(p.Name) }).Data))];
            var network = new ReferenceNetwork(ModelWeights.Create(m, tensors));
            double[] one = Values(16, 3), x = [.. one, .. one, .. one, .. one], toBp = new double[16], toEcg = new double[16];
            network.Dense(CardioTask.Parse("ppg->bp"), x, 4, toBp);
            network.Dense(CardioTask.Parse("ppg->ecg"), x, 4, toEcg);
            double difference = toBp.Zip(toEcg, (a, b) => Math.Abs(a - b)).Max();
            Assert.True(positions == PositionKind.Global ? difference > 1e-3 : difference < Rounding, $"{positions}: {difference:g3}");
        }
    }

    [Fact]
    public void ActivationsAreThoseOfThePass()
    {
        var network = new ReferenceNetwork(Weights(Small));
        var activations = new ReferenceActivations();
        double[] x = Values(64, 1), prediction = new double[16], again = new double[16];
        network.Dense(CardioTask.Parse("ppg,bp->ecg"), x, 13, prediction, activations);
        Assert.Equal(4 + 1 + (3 * 3), activations.Values.Count);
        Assert.Equal(8, activations.Values["diffusion_embedding"].Length);
        Assert.Equal(24 * 16, activations.Values["encoder4"].Length);
        Assert.Equal(24 * 64, activations.Values["layer2/x"].Length);

        // The decoder over the skips, channels first, gives the prediction: what is kept is what was used.
        double[] tokens = new double[16 * 24];
        for (int k = 0; k < 16; k++)
        {
            for (int c = 0; c < 24; c++)
                tokens[(k * 24) + c] = Enumerable.Range(0, 3).Sum(i => activations.Values[$"layer{i}/skip"][(c * 64) + 32 + k])
                    / Math.Sqrt(3);
        }

        ReferenceDecoder.Forward(network.Weights.Decoders[2], tokens, again);
        for (int i = 0; i < 16; i++)
            Assert.InRange(again[i] - prediction[i], -Rounding, Rounding);
    }

    [Fact]
    public void ThreadsChangeNoBit()
    {
        ModelConfiguration m = Small with { SlotSamples = 75 };
        double[] x = Values(300, 1), one = new double[75], many = new double[75];
        new ReferenceNetwork(Weights(m), threads: 1).Dense(CardioTask.Parse("ppg->ecg"), x, 3, one);
        new ReferenceNetwork(Weights(m), threads: 5).Dense(CardioTask.Parse("ppg->ecg"), x, 3, many);
        Assert.Equal(one, many);
    }

    [Fact]
    public void BackendGivesEachDrawOfABatchWhatItGetsAlone()
    {
        using var backend = new ReferenceBackend(Weights(Small));
        CardioTask task = CardioTask.Parse("bp,ecg->ppg");
        var plan = new InferencePlan(Small, task, windows: 2, draws: 3);
        float[] conditions = [.. Values(2 * 2 * 16, 1).Select(v => (float)v)], state = [.. Values(6 * 16, 2).Select(v => (float)v)],
            prediction = new float[6 * 16], alone = new float[16];
        using IExecutor executor = backend.CreateExecutor(plan);
        executor.SetConditions(conditions);
        executor.SetState(state);
        executor.Predict(20, prediction);
        using IExecutor single = backend.CreateExecutor(new InferencePlan(Small, task));
        for (int draw = 0; draw < 6; draw++)
        {
            single.SetConditions(conditions.AsSpan(draw / 3 * 32, 32));
            single.SetState(state.AsSpan(draw * 16, 16));
            single.Predict(20, alone);
            Assert.Equal(alone, prediction[(draw * 16)..((draw + 1) * 16)]);
        }
    }

    [Fact]
    public void RowsKeepTheHistoryOfCleanSignals()
    {
        using var backend = new ReferenceBackend(Weights(Small));
        var plan = new InferencePlan(Small, CardioTask.Parse("ppg->ecg"));
        using IExecutor executor = backend.CreateExecutor(plan);
        executor.SetConditions(new float[16]);
        float[] start = [.. Values(16, 2).Select(v => (float)v)], clean = new float[16], state = new float[16];
        executor.SetState(start);
        // x0 = x each time, so the clean signals are the states before each row: s, 2 s, then 3 (2 s) + 10 (s) + ...
        var row = new SamplerStep { T = 5, CleanFromState = 1, CleanFromPrediction = 0, State = 2, Clean0 = 0 };
        executor.Step(row, default);
        executor.Step(row, default);
        executor.Step(row with { State = 0, Clean0 = 1, Clean1 = 10, Clean2 = 100 }, default);
        executor.GetState(state);
        executor.GetClean(clean);
        for (int i = 0; i < 16; i++)
        {
            Assert.Equal(4 * start[i], clean[i]);
            // x0 = 4 s, x0' = 2 s, x0'' = s; rounded once to float32.
            Assert.Equal((float)(124.0 * start[i]), state[i]);
        }

        executor.SetState(start);
        executor.Step(row with { Clean1 = 10, Clean2 = 100 }, default);
        executor.GetState(state);
        Assert.Equal(start.Select(v => 2 * v), state);
    }

    [Fact]
    public void MisuseIsNamed()
    {
        using var backend = new ReferenceBackend(Weights(Small));
        Assert.Throws<ConfigurationException>(() =>
            backend.CreateExecutor(new InferencePlan(ModelConfiguration.Tiny, CardioTask.Parse("ppg->ecg"))));
        IExecutor executor = backend.CreateExecutor(new InferencePlan(Small, CardioTask.Parse("ppg->ecg")));
        Assert.Throws<InvalidOperationException>(() => executor.Predict(0, new float[16]));
        Assert.Throws<ArgumentException>(() => executor.SetConditions(new float[15]));
        executor.SetConditions(new float[16]);
        Assert.Throws<ArgumentOutOfRangeException>(() => executor.Predict(50, new float[16]));
        Assert.Throws<ArgumentOutOfRangeException>(() => executor.Predict(-1, new float[16]));
        Assert.Throws<ArgumentException>(() => executor.Predict(0, new float[17]));
        executor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => executor.Predict(0, new float[16]));
    }

    // input_projection_modality_3 -> ..._1, norm2 -> norm1, output_projection3_1 -> output_projection1_1; blocks keep their own.
    private static string FirstOfItsKind(string name)
    {
        if (name.Contains("residual_layers", StringComparison.Ordinal))
            return name;
        return System.Text.RegularExpressions.Regex.Replace(name, @"(?<=modality_|diffmodel\.norm|output_projection)\d", "1");
    }

    private static ModelWeights Weights(ModelConfiguration configuration) => new WeightRecipe(5, configuration).Create();

    private static double[] Values(int count, int seed)
    {
        var random = new Random(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++)
            values[i] = (2 * random.NextDouble()) - 1;
        return values;
    }
}
