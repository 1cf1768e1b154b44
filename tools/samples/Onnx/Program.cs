// Runs an exported network in ONNX Runtime and knows nothing of this project but the file: Samples.Onnx NETWORK.onnx WINDOW.json [DRAWS]
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

using var network = new InferenceSession(args[0]);
JsonNode window = JsonNode.Parse(File.ReadAllText(args[1]))!;
int draws = args.Length > 2 ? int.Parse(args[2]) : 4;
Dictionary<string, string> said = network.ModelMetadata.CustomMetadataMap;
string[] names = said["conditions"].Split(',');
float[][] conditions = [.. names.Select(name => Scaled(name, window[name]!.AsArray()))];

// The file's normals where it has some, else our own.
Queue<float>? given = window["noise"] is JsonArray noise ? new(noise.Select(z => z!.GetValue<float>())) : null;
float Normal() => given?.Dequeue()
    ?? (float)(Math.Sqrt(-2 * Math.Log(1 - Random.Shared.NextDouble())) * Math.Cos(Math.Tau * Random.Shared.NextDouble()));

float[] samples = Sample();
string output = said["output"];
float[][] all = [.. samples.Chunk(samples.Length / draws).Select(draw => Array.ConvertAll(draw, x => output == "bp" ? (50 * x) + 100 : x))];
Console.WriteLine(JsonSerializer.Serialize(new { output, unit = output == "bp" ? "mmHg" : "-1 to 1", samples = all }));
Console.Error.WriteLine(said["remark"]);

// (mmHg - 100) / 50, or least and largest measured sample to -1 and 1; what is missing is -1.
static float[] Scaled(string name, JsonArray values)
{
    float[] x = [.. values.Select(v => v?.GetValue<float>() ?? float.NaN)];
    float low = x.Where(float.IsFinite).Min(), high = x.Where(float.IsFinite).Max();
    (float center, float half) = name == "bp" ? (100, 50) : ((low + high) / 2, high > low ? (high - low) / 2 : 1);
    return Array.ConvertAll(x, v => float.IsNaN(v) ? -1 : (v - center) / half);
}

// The sampler: x_t [1, draws, S] from noise to signal, a network call a row of the table.
float[] Sample()
{
    int length = conditions[0].Length;
    float[] x = [.. Enumerable.Range(0, draws * length).Select(_ => Normal())];
    double[] clean = new double[x.Length], before = new double[x.Length], earlier = new double[x.Length];
    foreach (JsonNode? row in JsonNode.Parse(said["sampler_table"])!.AsArray())
    {
        double Of(string name, double none = 0) => row![name]?.GetValue<double>() ?? none;
        List<NamedOnnxValue> inputs =
        [
            NamedOnnxValue.CreateFromTensor("x_t", new DenseTensor<float>(x, [1, draws, length])),
            NamedOnnxValue.CreateFromTensor("t", new DenseTensor<long>(new[] { (long)Of("t") }, [1])),
            .. names.Zip(conditions, (name, c) => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<float>(c, [1, length]))),
        ];
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> results = network.Run(inputs);
        float[] p = [.. results[0].AsTensor<float>()];
        (earlier, before, clean) = (before, clean, earlier);
        for (int i = 0; i < x.Length; i++)
        {
            clean[i] = Math.Clamp((Of("clean_from_state") * x[i]) + (Of("clean_from_prediction") * p[i]),
                Of("clamp_low", double.NegativeInfinity), Of("clamp_high", double.PositiveInfinity));
            double z = Of("noise") == 0 ? 0 : Normal();
            x[i] = (float)((Of("state") * x[i]) + (Of("clean0") * clean[i]) + (Of("clean1") * before[i]) + (Of("clean2") * earlier[i])
                + (Of("noise") * z));
        }
    }
    return x;
}
