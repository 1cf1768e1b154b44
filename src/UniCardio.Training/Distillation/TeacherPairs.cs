using System.Globalization;
using System.Security.Cryptography;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Training.Data;
using UniCardio.Weights;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Training.Distillation;

/// <summary>What a teacher is to draw.</summary>
/// <param name="Name">What the file calls the teacher.</param>
/// <param name="Tasks">The tasks, each as often.</param>
/// <param name="Count">Pairs N; at least a pair a task.</param>
/// <param name="Seed">Seed of the noise.</param>
internal sealed record TeacherDraw(string Name, IReadOnlyList<CardioTask> Tasks, int Count, ulong Seed);

/// <summary>Samples that a teacher drew, each with what it was drawn from: a file of (noise, condition, sample).</summary>
/// <remarks>
/// Pair i is of task i mod K, of window i of a source of examples, and of noise i under the file's seed; noise and condition are functions
/// of these numbers and only the samples are stored, [N, S]. The teacher's sampler is 2M with 20 calls at levels equally far apart in
/// log-SNR to the last one, which keeps the spread of a posterior (0.96 to 1.02 of it with a perfect network); a sampler that narrows it
/// would teach a narrow student.
/// </remarks>
internal sealed class TeacherPairs
{
    private const string FormatKey = "teacher_pairs", Format = "1", SamplesName = "samples";
    private const uint NoisePlane = 7;
    private readonly float[] _samples;

    private TeacherPairs(float[] samples, int slotSamples, IReadOnlyList<CardioTask> tasks, ulong seed, string source, string teacher)
    {
        (_samples, SlotSamples, Tasks, Seed, Source, Teacher) = (samples, slotSamples, tasks, seed, source, teacher);
        Identity = Convert.ToHexStringLower(SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(samples)))[..16];
    }

    /// <summary>The teacher's sampler.</summary>
    public static SamplerOptions Sampler { get; } =
        new() { Kind = SamplerKind.DpmSolver2M, Steps = 20, Placement = StepPlacement.LogSnrToEnd, Threshold = false };

    /// <summary>The student's: one call.</summary>
    public static SamplerOptions Student { get; } = new() { Kind = SamplerKind.Ddim, Steps = 1 };

    /// <summary>Pairs N.</summary>
    public int Count => _samples.Length / SlotSamples;

    /// <summary>Samples S of a window.</summary>
    public int SlotSamples { get; }

    /// <summary>[K] the tasks.</summary>
    public IReadOnlyList<CardioTask> Tasks { get; }

    /// <summary>Seed of the noise.</summary>
    public ulong Seed { get; }

    /// <summary>Identity of the examples that the conditions are of.</summary>
    public string Source { get; }

    /// <summary>What drew.</summary>
    public string Teacher { get; }

    /// <summary>A hash of the samples.</summary>
    public string Identity { get; }

    /// <summary>[S] the sample of a pair, scaled.</summary>
    public ReadOnlySpan<float> Sample(int pair) => _samples.AsSpan(pair * SlotSamples, SlotSamples);

    /// <summary>The task of a pair.</summary>
    public CardioTask TaskOf(int pair) => Tasks[pair % Tasks.Count];

    /// <summary>Writes the noise of a pair, [S], standard normal.</summary>
    public void Noise(int pair, Span<float> noise) => Noise(Seed, pair, noise);

    /// <summary>Lets a teacher draw.</summary>
    /// <param name="teacher">Its weights and backend.</param>
    /// <param name="wanted">What it draws.</param>
    /// <param name="source">Where conditions come from.</param>
    /// <param name="progress">Told the share done.</param>
    /// <param name="cancellation">Asked between steps of the sampler.</param>
    public static TeacherPairs Draw(InferenceEngine teacher, TeacherDraw wanted, IExampleSource source, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(wanted);
        (string name, IReadOnlyList<CardioTask> tasks, int count, ulong seed) = wanted;
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfZero(tasks.Count);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, tasks.Count);
        const int Windows = 16;
        int samples = teacher.Configuration.SlotSamples;
        float[] drawn = new float[checked(count * samples)], noise = new float[Windows * samples], results = new float[Windows * samples];
        var batch = new TrainingBatch(1, samples);
        int done = 0;
        for (int k = 0; k < tasks.Count; k++)
        {
            int[] pairs = [.. Enumerable.Range(0, count).Where(i => i % tasks.Count == k)];
            foreach (int[] part in pairs.Chunk(Windows))
            {
                using InferenceSession session =
                    teacher.CreateSession(tasks[k], new SessionOptions { Windows = part.Length, Sampler = Sampler });
                float[] conditions = new float[session.Plan.ConditionSamples];
                for (int w = 0; w < part.Length; w++)
                {
                    source.Fill(part[w], tasks[k], batch, 0);
                    for (int c = 0; c < session.Plan.Conditions.Count; c++)
                        batch.Condition(0, session.Plan.Conditions[c])
                            .CopyTo(conditions.AsSpan(((w * session.Plan.Conditions.Count) + c) * samples));
                    Noise(seed, part[w], noise.AsSpan(w * samples, samples));
                }

                Span<float> made = results.AsSpan(0, part.Length * samples);
                session.Run(conditions, made, NoiseSource.Explicit(noise.AsSpan(0, part.Length * samples)), null, cancellation);
                for (int w = 0; w < part.Length; w++)
                    made.Slice(w * samples, samples).CopyTo(drawn.AsSpan(part[w] * samples));
                progress?.Report((done += part.Length) / (double)count);
            }
        }

        return new TeacherPairs(drawn, samples, tasks, seed, source.Identity, name);
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    public void Write(string path) =>
        SafetensorsWriter.Write(path, [new ParameterTensor(SamplesName, [Count, SlotSamples], _samples)], new Dictionary<string, string>
    {
        [FormatKey] = Format,
        ["tasks"] = string.Join('\n', Tasks),
        ["seed"] = Seed.ToString(CultureInfo.InvariantCulture),
        ["source"] = Source,
        ["teacher"] = Teacher,
        ["sampler"] = Sampler.ToString(),
    });

    /// <summary>Reads a file.</summary>
    /// <exception cref="WeightFormatException">It is not of pairs, or does not hold together.</exception>
    public static TeacherPairs Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path, memoryMap: false);
        string Text(string key) =>
            file.Metadata.GetValueOrDefault(key) ?? throw new WeightFormatException(path, $"has no '{key}' in its metadata");
        if (file.Metadata.GetValueOrDefault(FormatKey) != Format)
            throw new WeightFormatException(path, $"is not a file of a teacher's samples of format {Format}");
        if (Text("sampler") != Sampler.ToString())
            throw new WeightFormatException(path, $"was drawn by '{Text("sampler")}', expected '{Sampler}'");
        if (!ulong.TryParse(Text("seed"), NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed))
            throw new WeightFormatException(path, $"'{Text("seed")}' is not a seed");
        var tasks = new List<CardioTask>();
        foreach (string text in Text("tasks").Split('\n'))
            tasks.Add(CardioTask.TryParse(text, null, out CardioTask task) ? task
                : throw new WeightFormatException(path, $"'{text}' is not a task"));
        IReadOnlyList<int> shape = file.Entries.SingleOrDefault(e => e.Name == SamplesName)?.Shape
            ?? throw new WeightFormatException(path, "has no samples", SamplesName);
        if (shape.Count != 2 || shape[0] < tasks.Count || shape[1] < 1)
            throw new WeightFormatException(
                path, $"has the shape [{string.Join(", ", shape)}], expected [pairs, samples] with a pair a task at least", SamplesName);
        float[] samples = file.Floats(SamplesName).ToArray();
        if (Engine.FiniteScan.FirstNonFinite(samples) is >= 0 and int bad)
            throw new WeightFormatException(path, $"pair {bad / shape[1]}, sample {bad % shape[1]} is {samples[bad]}", SamplesName);
        return new TeacherPairs(samples, shape[1], tasks, seed, Text("source"), Text("teacher"));
    }

    private static void Noise(ulong seed, int pair, Span<float> noise) => PhiloxNormal.Fill(seed, (uint)pair, NoisePlane, 0, noise);
}
