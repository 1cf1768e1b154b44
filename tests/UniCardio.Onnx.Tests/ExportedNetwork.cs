using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using UniCardio.Engine.Model;
using UniCardio.Weights.Onnx;

namespace UniCardio.Onnx.Tests;

/// <summary>A network written to a file and opened by ONNX Runtime, whose loader checks every operator's types and shapes.</summary>
internal sealed class ExportedNetwork : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("unicardio-onnx-");
    private readonly int _samples;

    public ExportedNetwork(ModelWeights weights, OnnxOptions options, IReadOnlyDictionary<string, string>? metadata = null)
    {
        Task = options.Task;
        _samples = weights.Configuration.SlotSamples;
        Path = System.IO.Path.Combine(_folder.FullName, "network.onnx");
        Length = OnnxFile.Write(Path, weights, options, metadata);
        // One thread: the machine of the tests has other work.
        using var settings = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        Session = new InferenceSession(Path, settings);
    }

    public CardioTask Task { get; }

    public string Path { get; }

    public long Length { get; }

    public InferenceSession Session { get; }

    /// <summary>One call: conditions [W, conditions, S] and state [W, N, S] to the prediction [W, N, S].</summary>
    public float[] Predict(int windows, int draws, float[] conditions, float[] state, long t)
    {
        Modality[] members = [.. Task.Conditions.Members()];
        List<NamedOnnxValue> inputs =
        [
            NamedOnnxValue.CreateFromTensor(OnnxFile.State, new DenseTensor<float>(state, [windows, draws, _samples])),
            NamedOnnxValue.CreateFromTensor(OnnxFile.Step, new DenseTensor<long>(new[] { t }, [1])),
        ];
        for (int i = 0; i < members.Length; i++)
        {
            float[] one = new float[windows * _samples];
            for (int w = 0; w < windows; w++)
                conditions.AsSpan(((w * members.Length) + i) * _samples, _samples).CopyTo(one.AsSpan(w * _samples));
            inputs.Add(NamedOnnxValue.CreateFromTensor(members[i].Name(), new DenseTensor<float>(one, [windows, _samples])));
        }

        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> results = Session.Run(inputs);
        Tensor<float> prediction = Assert.Single(results).AsTensor<float>();
        Assert.Equal([windows, draws, _samples], prediction.Dimensions.ToArray());
        return [.. prediction];
    }

    public void Dispose()
    {
        Session.Dispose();
        _folder.Delete(recursive: true);
    }
}
