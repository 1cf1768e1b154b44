using Microsoft.ML.OnnxRuntime;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Weights.Onnx;

namespace UniCardio.Benchmarks.Peers;

/// <summary>A network in ONNX Runtime, all of its optimisations on, inputs and outputs bound once.</summary>
internal sealed class OnnxRuntimePeer : IDisposable
{
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _run = new();
    private readonly List<OrtValue> _values = [];
    private readonly long[] _t = [0];

    public OnnxRuntimePeer(ModelWeights weights, InferencePlan plan, int threads, float[] conditions, float[] state)
    {
        Modality[] members = [.. plan.Task.Conditions.Members()];
        int samples = plan.Configuration.SlotSamples;
        Prediction = new float[state.Length];
        string path = Path.Combine(Path.GetTempPath(), $"unicardio-peer-{Guid.NewGuid():N}.onnx");
        try
        {
            OnnxFile.Write(path, weights, new OnnxOptions { Task = plan.Task, Windows = plan.Windows, Draws = plan.Draws });
            using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1,
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL };
            _session = new InferenceSession(path, options);
        }
        finally
        {
            File.Delete(path);
        }

        _binding = _session.CreateIoBinding();
        _binding.BindInput(OnnxFile.State, Value(state, [plan.Windows, plan.Draws, samples]));
        _binding.BindInput(OnnxFile.Step, Value(_t, [1]));
        for (int i = 0; i < members.Length; i++)
        {
            float[] one = [.. Enumerable.Range(0, plan.Windows)
                .SelectMany(w => conditions.AsSpan(((w * members.Length) + i) * samples, samples).ToArray())];
            _binding.BindInput(members[i].Name(), Value(one, [plan.Windows, samples]));
        }

        _binding.BindOutput(OnnxFile.Prediction, Value(Prediction, [plan.Windows, plan.Draws, samples]));
    }

    /// <summary>[W, N, S] of the last call.</summary>
    public float[] Prediction { get; }

    /// <summary>One network call, conditions included.</summary>
    public void Call(int t)
    {
        _t[0] = t;
        _session.RunWithBinding(_run, _binding);
    }

    public void Dispose()
    {
        _binding.Dispose();
        foreach (OrtValue value in _values)
            value.Dispose();
        _run.Dispose();
        _session.Dispose();
    }

    // Pins the array for as long as the value lives.
    private OrtValue Value<T>(T[] data, long[] shape)
        where T : unmanaged
    {
        OrtValue value = OrtValue.CreateTensorValueFromMemory(data, shape);
        _values.Add(value);
        return value;
    }
}
