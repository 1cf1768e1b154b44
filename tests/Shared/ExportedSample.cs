using System.Text.Json;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Weights;
using UniCardio.Weights.Onnx;

namespace UniCardio.Tests;

/// <summary>
/// What the samples in tools/samples/Onnx are given, as files of a folder: the shipped weights exported for a task, and a window with
/// samples missing and with its normals; and what our own session makes of the same.
/// </summary>
internal sealed class ExportedSample : IDisposable
{
    public const int Draws = 3;
    private const int Samples = 500;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("unicardio-onnx-");

    public ExportedSample(string text, string rows = "ddim:4,eta=0.5")
    {
        CardioTask task = CardioTask.Parse(text);
        SamplerOptions sampler = SamplerOptions.Parse(rows);
        Output = task.Output;
        using LoadedWeights loaded = WeightFile.Load(Project.File("weights", "compact.safetensors"));
        OnnxFile.Write(Network, loaded.Weights, new OnnxOptions { Task = task, Sampler = sampler });
        using var engine = new InferenceEngine(new CpuBackend(loaded.Weights, new CpuBackendOptions { Threads = 1 }));
        using InferenceSession session = engine.CreateSession(task, new SessionOptions { Windows = 1, Draws = Draws, Sampler = sampler });
        var random = new Random(7);
        float[] noise = [.. Enumerable.Range(0, session.Sampler.NoiseDraws * session.Plan.StateSamples).Select(_ => (float)(
            Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble())))];
        var window = new Dictionary<string, object>();
        var conditions = new List<float>();
        foreach (Modality modality in task.Conditions.Members())
        {
            float[] wave = Wave(modality);
            AffineScale scale = WindowScale.Of(modality, wave, new SampleRange(0, Samples));
            window[modality.Name()] = wave.Select(x => float.IsNaN(x) ? (float?)null : x).ToArray();
            conditions.AddRange(wave.Select(x => float.IsNaN(x) ? AffineScale.Missing : scale.Forward(x)));
        }
        window["noise"] = noise;
        File.WriteAllText(Window, JsonSerializer.Serialize(window));
        Expected = new float[session.Plan.StateSamples];
        session.Run(conditions.ToArray(), Expected, NoiseSource.Explicit(noise));
    }

    public string Folder => _folder.FullName;

    public string Network => Path.Combine(Folder, "network.onnx");

    public string Window => Path.Combine(Folder, "window.json");

    public Modality Output { get; }

    /// <summary>[Draws, S] in scaled units.</summary>
    public float[] Expected { get; }

    // A pulse of 1.25 a second with a gap of 0.8 s.
    private static float[] Wave(Modality modality) => [.. Enumerable.Range(0, Samples).Select(i => i is >= 200 and < 300 ? float.NaN
        : (modality == Modality.Bp ? 80 : 0.1f) + ((modality == Modality.Bp ? 40 : 0.7f)
            * MathF.Pow((1 + MathF.Sin(MathF.Tau * 0.01f * (i + (int)modality * 13))) / 2, 3)))];

    /// <summary>Compares what a sample printed. Four calls, each within 1e-5 of the largest value; a row's weights of state and prediction
    /// are below 4 in sum.</summary>
    /// <returns>The largest difference over the largest value.</returns>
    public double Compare(string json)
    {
        using JsonDocument answer = JsonDocument.Parse(json);
        Assert.Equal(Output.Name(), answer.RootElement.GetProperty("output").GetString());
        bool pressure = Output == Modality.Bp;
        Assert.Equal(pressure ? "mmHg" : "-1 to 1", answer.RootElement.GetProperty("unit").GetString());
        float[] actual = [.. answer.RootElement.GetProperty("samples").EnumerateArray().SelectMany(draw => draw.EnumerateArray())
            .Select(x => pressure ? (x.GetSingle() - 100) / 50 : x.GetSingle())];
        double error = RelativeError.Of(actual, Expected);
        Assert.True(error <= 1e-4, $"relative error {error:g3}");
        return error;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
