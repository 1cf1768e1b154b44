using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using UniCardio.Engine;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Weights;
using UniCardio.Weights.Onnx;

namespace UniCardio.Onnx.Tests;

/// <summary>What a host finds in a file beside the numbers.</summary>
public class OnnxFileTests
{
    private static readonly CardioTask Fill = CardioTask.Parse("impute bp | ppg");

    [Fact]
    public void AHostRunsTheSamplerFromTheMetadata()
    {
        using ModelWeights weights = Small();
        SamplerOptions sampler = SamplerOptions.Parse("ddim:4,eta=0.5");
        using var network = new ExportedNetwork(weights, new OnnxOptions { Task = Fill, Sampler = sampler });
        using var engine = new Engine.Sessions.InferenceEngine(new ReferenceBackend(weights));
        using Engine.Sessions.InferenceSession session = engine.CreateSession(Fill,
            new Engine.Sessions.SessionOptions { Windows = 2, Draws = 3, Sampler = sampler });
        var random = new Random(5);
        float[] conditions = AgreementTests.Normal(random, session.Plan.ConditionSamples);
        float[] noise = AgreementTests.Normal(random, session.Sampler.NoiseDraws * session.Plan.StateSamples);
        float[] expected = new float[session.Plan.StateSamples];
        session.Run(conditions, expected, NoiseSource.Explicit(noise));

        float[] x = Host(network, conditions, noise);
        // Four calls, each within 1e-5 of the largest value; a row's weights of x and of the prediction are below 4 in sum here.
        double error = RelativeError.Of(x, expected);
        Assert.True(error <= 1e-4, $"relative error {error:g3}");
        // The state left the noise, so that the rows were in fact taken.
        Assert.False(RelativeError.Of(noise.AsSpan(0, x.Length), expected) < 0.1);
    }

    // Knows the file and nothing else.
    private static float[] Host(ExportedNetwork network, float[] conditions, float[] noise)
    {
        using JsonDocument table = JsonDocument.Parse(network.Session.ModelMetadata.CustomMetadataMap["sampler_table"]);
        int length = 2 * 3 * AgreementTests.Small.SlotSamples, used = 0;
        float[] x = noise[..length];
        double[] clean = new double[length], before = new double[length], earlier = new double[length];
        foreach (JsonElement row in table.RootElement.EnumerateArray())
        {
            double Of(string name) => row.GetProperty(name).GetDouble();
            double Bound(string name, double none) => row.GetProperty(name).ValueKind == JsonValueKind.Null ? none : Of(name);
            float[] p = network.Predict(2, 3, conditions, x, row.GetProperty("t").GetInt64());
            (earlier, before, clean) = (before, clean, earlier);
            used += Of("noise") == 0 ? 0 : 1;
            for (int i = 0; i < length; i++)
            {
                clean[i] = Math.Clamp((Of("clean_from_state") * x[i]) + (Of("clean_from_prediction") * p[i]),
                    Bound("clamp_low", double.NegativeInfinity), Bound("clamp_high", double.PositiveInfinity));
                double z = Of("noise") == 0 ? 0 : noise[(used * length) + i];
                x[i] = (float)((Of("state") * x[i]) + (Of("clean0") * clean[i]) + (Of("clean1") * before[i]) + (Of("clean2") * earlier[i])
                    + (Of("noise") * z));
            }
        }

        return x;
    }

    [Fact]
    public void TheFileSaysWhatItIs()
    {
        using ModelWeights weights = Small();
        using var network = new ExportedNetwork(weights, new OnnxOptions { Task = Fill },
            new Dictionary<string, string> { ["trained"] = "for a test", ["task"] = "another" });
        ModelMetadata model = network.Session.ModelMetadata;
        Dictionary<string, string> said = model.CustomMetadataMap;
        Assert.Equal("UniCardio.Engine", model.ProducerName);
        Assert.Contains("not a medical device", model.Description, StringComparison.Ordinal);
        Assert.Equal(("impute bp | ppg", "ppg,bp", "bp", "125", "36"),
            (said["task"], said["conditions"], said["output"], said["sample_rate"], said["slot"]));
        Assert.Equal("for a test", said["trained"]);
        Assert.Equal(SamplerOptions.Default.ToString(), said["sampler"]);
        Assert.Equal(64, said["weights_sha256"].Length);
        using JsonDocument units = JsonDocument.Parse(said["units"]);
        Assert.Contains("mmHg", units.RootElement.GetProperty("bp").GetString(), StringComparison.Ordinal);
        Assert.Equal(AgreementTests.Small, ModelConfiguration.FromMetadata(said));
    }

    [Fact]
    public void InputsAreNamedAndBatchesFreeOrFixed()
    {
        using ModelWeights weights = Small();
        using var free = new ExportedNetwork(weights, new OnnxOptions { Task = Fill });
        IReadOnlyDictionary<string, NodeMetadata> inputs = free.Session.InputMetadata;
        Assert.Equal(["bp", "ppg", "t", "x_t"], inputs.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([-1, -1, 36], inputs["x_t"].Dimensions);
        Assert.Equal(["windows", "draws", ""], inputs["x_t"].SymbolicDimensions);
        Assert.Equal([-1, 36], inputs["ppg"].Dimensions);
        Assert.Equal(typeof(long), inputs["t"].ElementType);
        Assert.Equal(["prediction"], free.Session.OutputMetadata.Keys);

        var options = new OnnxOptions { Task = Fill, Windows = 2, Draws = 3 };
        using var pinned = new ExportedNetwork(weights, options);
        Assert.Equal([2, 3, 36], pinned.Session.InputMetadata["x_t"].Dimensions);
        Assert.Equal([2, 36], pinned.Session.InputMetadata["bp"].Dimensions);
        Assert.Equal([2, 3, 36], pinned.Session.OutputMetadata["prediction"].Dimensions);
        float[] conditions = AgreementTests.Normal(new Random(1), 2 * 2 * 36), state = AgreementTests.Normal(new Random(2), 2 * 3 * 36);
        double error = RelativeError.Of(pinned.Predict(2, 3, conditions, state, 3), free.Predict(2, 3, conditions, state, 3));
        Assert.True(error <= 1e-5, $"{error:g3}");
    }

    [Fact]
    public void TheBytesDependOnWeightsAndOptionsAlone()
    {
        using ModelWeights weights = Small(), others = new WeightRecipe(22, AgreementTests.Small).Create();
        using var first = new ExportedNetwork(weights, new OnnxOptions { Task = Fill });
        using var second = new ExportedNetwork(weights, new OnnxOptions { Task = Fill });
        using var third = new ExportedNetwork(others, new OnnxOptions { Task = Fill });
        byte[] bytes = File.ReadAllBytes(first.Path);
        Assert.Equal(first.Length, bytes.Length);
        Assert.True(bytes.AsSpan().SequenceEqual(File.ReadAllBytes(second.Path)));
        Assert.NotEqual(first.Session.ModelMetadata.CustomMetadataMap["weights_sha256"],
            third.Session.ModelMetadata.CustomMetadataMap["weights_sha256"]);
    }

    [Fact]
    public void WhatDoesNotFitIsRefusedAndWritesNothing()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("unicardio-onnx-");
        try
        {
            string path = Path.Combine(folder.FullName, "network.onnx");
            using ModelWeights weights = Small();
            Assert.Throws<ConfigurationException>(() => OnnxFile.Write(path, weights, new OnnxOptions { Draws = 0 }));
            Assert.Throws<ConfigurationException>(() => OnnxFile.Write(path, weights, new OnnxOptions { Task = default }));
            Assert.Throws<ConfigurationException>(() => OnnxFile.Write(path, weights,
                new OnnxOptions { Sampler = SamplerOptions.Parse("ddim:11") }));
            Assert.Throws<OperationCanceledException>(() => OnnxFile.Write(path, weights, new OnnxOptions(),
                cancellation: new CancellationToken(canceled: true)));
            // 100,000 steps of 4 x 240 biases in 8 blocks are 3.1 GB.
            ModelConfiguration wide = AgreementTests.Small with { Channels = 240, Blocks = 8, DiffusionSteps = 100_000, BetaStart = 1e-6,
                BetaEnd = 1e-4 };
            using ModelWeights many = ModelWeights.Create(wide, ParameterCatalog.For(wide)
                .Select(p => new ParameterTensor(p.Name, p.Shape, new float[p.Count])));
            WeightFormatException problem = Assert.Throws<WeightFormatException>(() => OnnxFile.Write(path, many, new OnnxOptions()));
            Assert.Contains("100000 steps", problem.Message, StringComparison.Ordinal);
            Assert.Empty(folder.GetFiles());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static ModelWeights Small() => new WeightRecipe(21, AgreementTests.Small).Create();
}
