using System.Globalization;
using UniCardio.Engine;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Weights.Golden;

/// <summary>A sampling run to record.</summary>
/// <param name="Task">The task.</param>
/// <param name="Sampler">The sampler.</param>
internal sealed record GoldenRunRequest(CardioTask Task, SamplerOptions Sampler);

/// <summary>What to record. Imputing and denoising are one task to the network and are recorded once.</summary>
internal sealed record GoldenRecording
{
    /// <summary>Tasks to record network calls of, each at every one of <see cref="Steps"/>.</summary>
    public IReadOnlyList<CardioTask> Tasks { get; init; } = [.. CardioTask.All.Where(t => t.Kind != TaskKind.Denoise)];

    /// <summary>Diffusion steps t of the network calls; null for the first, the middle and the last.</summary>
    public IReadOnlyList<int>? Steps { get; init; }

    /// <summary>Sampling runs.</summary>
    public IReadOnlyList<GoldenRunRequest> Runs { get; init; } = [];

    /// <summary>Windows B of every entry.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Also records the intermediate values of one pass: the first of <see cref="Tasks"/> at the first of
    /// <see cref="Steps"/>.</summary>
    public bool Activations { get; init; }

    /// <summary>Seed of the standard normal inputs.</summary>
    public ulong InputSeed { get; init; }

    /// <summary>Seed of the recipe that made the weights, kept in the file; null for other weights.</summary>
    public ulong? WeightSeed { get; init; }
}

/// <summary>Writes golden files from the double-precision reference, to notice when a number changes.</summary>
/// <remarks>
/// Inputs are Philox normals, the same on every machine. Such a file shows regressions; that the reference is right in the first place is
/// shown by the vectors of the official code.
/// </remarks>
internal static class GoldenRecorder
{
    /// <summary>Records a file. It is written beside the destination and renamed: the file is there whole, or as it was before.</summary>
    /// <param name="path">The destination; replaced if it exists.</param>
    /// <param name="weights">The network.</param>
    /// <param name="recording">What to record; the defaults if null.</param>
    /// <param name="progress">Told before each entry and at the end.</param>
    /// <param name="cancellation">Asked before each network call; nothing is written once it is cancelled.</param>
    /// <exception cref="ConfigurationException">A step, sampler, task or batch does not fit the network.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static void Record(string path, ModelWeights weights, GoldenRecording? recording = null, IProgress<GoldenProgress>? progress =
        null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(weights);
        recording ??= new GoldenRecording();
        using var recorder = new Recorder(weights, recording, progress, cancellation);
        recorder.Write(path);
    }

    private sealed class Recorder : IDisposable
    {
        private readonly ModelConfiguration _configuration;
        private readonly GoldenRecording _recording;
        private readonly IProgress<GoldenProgress>? _progress;
        private readonly CancellationToken _cancellation;
        private readonly ReferenceBackend _reference;
        private readonly InferenceEngine _engine;
        private readonly List<ParameterTensor> _tensors = [];
        private readonly HashSet<string> _names = new(StringComparer.Ordinal);
        private readonly int[] _steps;
        private readonly int _total;
        private int _done;

        public Recorder(ModelWeights weights, GoldenRecording recording, IProgress<GoldenProgress>? progress,
            CancellationToken cancellation)
        {
            _configuration = weights.Configuration;
            _recording = recording;
            _progress = progress;
            _cancellation = cancellation;
            _reference = new ReferenceBackend(weights);
            _engine = new InferenceEngine(_reference);
            int last = _configuration.DiffusionSteps - 1;
            _steps = [.. (recording.Steps ?? [0, (last + 1) / 2, last]).Distinct()];
            foreach (int t in _steps.Where(t => t < 0 || t > last))
                throw new ConfigurationException("steps", $"t = {t} is not between 0 and {last}");
            _total = (recording.Tasks.Count * _steps.Length) + recording.Runs.Count + (recording.Activations ? 1 : 0);
        }

        public void Dispose() => _engine.Dispose();

        public void Write(string path)
        {
            var metadata = new SortedDictionary<string, string>(_configuration.ToMetadata().ToDictionary(), StringComparer.Ordinal);
            if (_recording.WeightSeed is ulong seed)
                metadata["seed"] = seed.ToString(CultureInfo.InvariantCulture);
            foreach (CardioTask task in _recording.Tasks)
            {
                foreach (int t in _steps)
                    Call(task, t);
            }

            foreach (GoldenRunRequest run in _recording.Runs)
                Run(run.Task, run.Sampler);
            if (_recording.Activations && _recording.Tasks.Count > 0 && _steps.Length > 0)
                Activations(_recording.Tasks[0], _steps[0], metadata);
            SafetensorsWriter.Write(path, _tensors, metadata, cancellation: _cancellation);
            _progress?.Report(new GoldenProgress(_total, _total, path));
        }

        private void Call(CardioTask task, int t)
        {
            string name = GoldenName.Of(task, t);
            if (!Begin(name))
                return;
            float[] x = Normals(ModelConfiguration.SlotCount, 0);
            float[] prediction = GoldenRunner.Predict(_engine, task, t, _recording.Batch, x);
            Keep(name + "/x", x, _recording.Batch, ModelConfiguration.SlotCount * _configuration.SlotSamples);
            Keep(name + "/eps", prediction, _recording.Batch, _configuration.SlotSamples);
        }

        private void Run(CardioTask task, SamplerOptions sampler)
        {
            string name = GoldenName.Of(task, sampler);
            int batch = _recording.Batch, samples = _configuration.SlotSamples;
            int draws = SamplerTable.Create(sampler, _configuration, task).NoiseDraws;
            if (!Begin(name))
                return;
            float[] observed = Normals(ModelConfiguration.SlotCount, 0);
            float[] noise = [.. Enumerable.Range(1, draws).SelectMany(draw => Normals(1, (uint)draw))];
            float[] result = GoldenRunner.Sample(_engine, new GoldenRun(name, task, sampler, batch, draws), observed, noise, _cancellation);
            Keep(name + "/observed", observed, batch, ModelConfiguration.SlotCount * samples);
            Keep(name + "/noise", noise, draws, batch, samples);
            Keep(name + "/result", result, batch, samples);
        }

        private void Activations(CardioTask task, int t, SortedDictionary<string, string> metadata)
        {
            if (!Begin("activations"))
                return;
            foreach (string part in GoldenName.Of(task).Split('/').Append(string.Create(CultureInfo.InvariantCulture, $"t={t}")))
                metadata[part.Split('=')[0]] = part.Split('=')[1];
            int batch = _recording.Batch;
            float[] x = Normals(ModelConfiguration.SlotCount, 0);
            Keep("x", x, batch, ModelConfiguration.SlotCount * _configuration.SlotSamples);
            foreach ((string name, float[] values) in GoldenRunner.Dense(_reference, task, t, batch, x, _cancellation))
            {
                if (name is "eps" or "diffusion_embedding")
                    Keep(name, values, batch, values.Length / batch);
                else
                    Keep(name, values, batch, _configuration.Channels, values.Length / (batch * _configuration.Channels));
            }
        }

        // False where an entry of this name is there already: two tasks can be one to the network.
        private bool Begin(string name)
        {
            _cancellation.ThrowIfCancellationRequested();
            _progress?.Report(new GoldenProgress(_done++, _total, name));
            return _names.Add(name);
        }

        // [B, slots S] normals, keyed by entry, window and draw.
        private float[] Normals(int slots, uint draw)
        {
            int length = slots * _configuration.SlotSamples;
            // Checks the batch's size before anything is allocated.
            var plan = new InferencePlan(_configuration, CardioTask.Translate(ModalitySet.Ppg, Modality.Ecg), _recording.Batch);
            float[] values = new float[checked(plan.Windows * length)];
            for (int window = 0; window < plan.Windows; window++)
                PhiloxNormal.Fill(_recording.InputSeed, (uint)window, draw, (uint)_names.Count, values.AsSpan(window * length, length));
            return values;
        }

        private void Keep(string name, float[] values, params int[] shape) => _tensors.Add(new ParameterTensor(name, shape, values));
    }
}
