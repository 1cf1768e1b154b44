using System.Globalization;
using System.Security.Cryptography;
using UniCardio.Engine;
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
/// <param name="Draws">Draws D of a window: they share its condition rows, so that a pair costs about half of a window's only one.</param>
internal sealed record TeacherDraw(string Name, IReadOnlyList<CardioTask> Tasks, int Count, ulong Seed, int Draws = 1);

/// <summary>Samples that a teacher drew, each with what it was drawn from: a file of (noise, condition, state half way, sample).</summary>
/// <remarks>
/// Pair i is of task i mod K, of window K floor(floor(i / K) / D) + i mod K of a source of examples (D draws of a window follow each other
/// within a task), and of noise i under the file's seed; noise and condition are functions of these numbers and only the samples are
/// stored, [N, S], with the states x_m of the same trajectories half way in log-SNR, [N, S], from which a student of two calls learns. The
/// teacher's sampler is 2M at levels equally far apart in log-SNR to the last one, which keeps the spread of a posterior (0.96 to 1.02 of
/// it with a perfect network); a sampler that narrows it would teach a narrow student. Of its 21 calls the eleventh is at the level of
/// the second call of <c>ddim:2,placement=logsnr</c>: both cut the same range in half.
/// </remarks>
internal sealed class TeacherPairs
{
    private const string FormatKey = "teacher_pairs", Format = "3", SamplesName = "samples", MiddlesName = "middles";
    private const uint NoisePlane = 7;
    private readonly float[] _samples;
    private readonly float[] _middles;

    private TeacherPairs((float[] Samples, float[] Middles) made, int slotSamples, TeacherDraw drawn, string source)
    {
        (_samples, _middles) = made;
        (SlotSamples, Tasks, Seed) = (slotSamples, drawn.Tasks, drawn.Seed);
        (Draws, Source, Teacher) = (drawn.Draws, source, drawn.Name);
        Identity = Convert.ToHexStringLower(SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(_samples)))[..16];
    }

    /// <summary>The teacher's sampler.</summary>
    public static SamplerOptions Sampler { get; } =
        new() { Kind = SamplerKind.DpmSolver2M, Steps = 21, Placement = StepPlacement.LogSnrToEnd, Threshold = false };

    /// <summary>The student's: one call, or two with the second half way in log-SNR.</summary>
    /// <param name="calls">1 or 2.</param>
    public static SamplerOptions Student(int calls) => calls == 1 ? new() { Kind = SamplerKind.Ddim, Steps = 1 }
        : new() { Kind = SamplerKind.Ddim, Steps = calls, Placement = StepPlacement.LogSnr };

    /// <summary>Diffusion steps of a student's calls, falling.</summary>
    /// <param name="calls">1 or 2.</param>
    /// <param name="configuration">The network, whose schedule counts.</param>
    public static IReadOnlyList<int> StudentSteps(int calls, ModelConfiguration configuration) =>
        [.. SamplerTable.Create(Student(calls), configuration, CardioTask.All[0]).Steps.Select(row => row.T)];

    /// <summary>Pairs N.</summary>
    public int Count => _samples.Length / SlotSamples;

    /// <summary>Samples S of a window.</summary>
    public int SlotSamples { get; }

    /// <summary>[K] the tasks.</summary>
    public IReadOnlyList<CardioTask> Tasks { get; }

    /// <summary>Seed of the noise.</summary>
    public ulong Seed { get; }

    /// <summary>Draws D of a window.</summary>
    public int Draws { get; }

    /// <summary>Identity of the examples that the conditions are of.</summary>
    public string Source { get; }

    /// <summary>What drew.</summary>
    public string Teacher { get; }

    /// <summary>A hash of the samples.</summary>
    public string Identity { get; }

    /// <summary>[S] the sample of a pair, scaled.</summary>
    public ReadOnlySpan<float> Sample(int pair) => _samples.AsSpan(pair * SlotSamples, SlotSamples);

    /// <summary>[S] the state of a pair's trajectory at the second of two calls, scaled.</summary>
    public ReadOnlySpan<float> Middle(int pair) => _middles.AsSpan(pair * SlotSamples, SlotSamples);

    /// <summary>The task of a pair.</summary>
    public CardioTask TaskOf(int pair) => Tasks[pair % Tasks.Count];

    /// <summary>The window of the source that a pair is of.</summary>
    public int WindowOf(int pair) => WindowOf(pair, Tasks.Count, Draws);

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
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfZero(wanted.Tasks.Count);
        ArgumentOutOfRangeException.ThrowIfLessThan(wanted.Count, wanted.Tasks.Count);
        ArgumentOutOfRangeException.ThrowIfLessThan(wanted.Draws, 1);
        const int Rows = 16;
        int samples = teacher.Configuration.SlotSamples, tasks = wanted.Tasks.Count, done = 0;
        var drawn = (Samples: new float[checked(wanted.Count * samples)], Middles: new float[wanted.Count * samples]);
        for (int k = 0; k < tasks; k++)
        {
            int[][] windows = [.. Enumerable.Range(0, wanted.Count).Where(i => i % tasks == k)
                .GroupBy(i => WindowOf(i, tasks, wanted.Draws)).Select(g => g.ToArray())];

            // The last window of a task may have fewer draws: it is a session of its own.
            foreach (IGrouping<int, int[]> alike in windows.GroupBy(w => w.Length))
            {
                foreach (int[][] part in alike.Chunk(Math.Max(1, Rows / alike.Key)))
                {
                    DrawPart(teacher, wanted, wanted.Tasks[k], source, part, drawn, cancellation);
                    progress?.Report((done += part.Length * alike.Key) / (double)wanted.Count);
                }
            }
        }

        return new TeacherPairs(drawn, samples, wanted, source.Identity);
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    public void Write(string path) =>
        SafetensorsWriter.Write(path, [new ParameterTensor(SamplesName, [Count, SlotSamples], _samples),
            new ParameterTensor(MiddlesName, [Count, SlotSamples], _middles)], new Dictionary<string, string>
    {
        [FormatKey] = Format,
        ["tasks"] = string.Join('\n', Tasks),
        ["seed"] = Seed.ToString(CultureInfo.InvariantCulture),
        ["source"] = Source,
        ["draws"] = Draws.ToString(CultureInfo.InvariantCulture),
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
        if (!int.TryParse(Text("draws"), NumberStyles.None, CultureInfo.InvariantCulture, out int draws) || draws < 1)
            throw new WeightFormatException(path, $"'{Text("draws")}' is not a number of draws");
        var tasks = new List<CardioTask>();
        foreach (string text in Text("tasks").Split('\n'))
            tasks.Add(CardioTask.TryParse(text, null, out CardioTask task) ? task
                : throw new WeightFormatException(path, $"'{text}' is not a task"));
        (float[] samples, int slotSamples) = Values(path, file, SamplesName, tasks.Count);
        (float[] middles, _) = Values(path, file, MiddlesName, tasks.Count);
        if (samples.Length != middles.Length)
            throw new WeightFormatException(path, $"has {middles.Length} numbers, the samples {samples.Length}", MiddlesName);
        return new TeacherPairs((samples, middles), slotSamples,
            new TeacherDraw(Text("teacher"), tasks, samples.Length / slotSamples, seed, draws), Text("source"));
    }

    private static (float[] Values, int SlotSamples) Values(string path, SafetensorsFile file, string name, int tasks)
    {
        IReadOnlyList<int> shape = file.Entries.SingleOrDefault(e => e.Name == name)?.Shape
            ?? throw new WeightFormatException(path, $"has no {name}", name);
        if (shape.Count != 2 || shape[0] < tasks || shape[1] < 1)
            throw new WeightFormatException(
                path, $"has the shape [{string.Join(", ", shape)}], expected [pairs, samples] with a pair a task at least", name);
        float[] values = file.Floats(name).ToArray();
        if (FiniteScan.FirstNonFinite(values) is >= 0 and int bad)
            throw new WeightFormatException(path, $"pair {bad / shape[1]}, sample {bad % shape[1]} is {values[bad]}", name);
        return (values, shape[1]);
    }

    // Draws of windows of one task, windows[w][d] the pair's number.
    private static void DrawPart(InferenceEngine teacher, TeacherDraw wanted, CardioTask task, IExampleSource source, int[][] windows,
        (float[] Samples, float[] Middles) drawn, CancellationToken cancellation)
    {
        int samples = teacher.Configuration.SlotSamples, draws = windows[0].Length;
        using InferenceSession session =
            teacher.CreateSession(task, new SessionOptions { Windows = windows.Length, Draws = draws, Sampler = Sampler });
        var batch = new TrainingBatch(1, samples);
        float[] conditions = new float[session.Plan.ConditionSamples], noise = new float[windows.Length * draws * samples],
            made = new float[noise.Length];
        int slots = session.Plan.Conditions.Count;
        for (int w = 0; w < windows.Length; w++)
        {
            source.Fill(WindowOf(windows[w][0], wanted.Tasks.Count, wanted.Draws), task, batch, 0);
            for (int c = 0; c < slots; c++)
                batch.Condition(0, session.Plan.Conditions[c]).CopyTo(conditions.AsSpan(((w * slots) + c) * samples));
            for (int d = 0; d < draws; d++)
                Noise(wanted.Seed, windows[w][d], noise.AsSpan(((w * draws) + d) * samples, samples));
        }

        int before = RowBeforeMiddle(session.Sampler);
        float[] middle = new float[made.Length];
        session.Run(conditions, made, NoiseSource.Explicit(noise), (in StepObservation seen) =>
        {
            if (seen.Step == before)
                seen.CopyState(middle);
        }, cancellation);
        for (int row = 0; row < windows.Length * draws; row++)
        {
            int at = windows[row / draws][row % draws] * samples;
            made.AsSpan(row * samples, samples).CopyTo(drawn.Samples.AsSpan(at));
            middle.AsSpan(row * samples, samples).CopyTo(drawn.Middles.AsSpan(at));
        }
    }

    // The state that it leaves is the one at the second of a student's two calls.
    private static int RowBeforeMiddle(SamplerTable teacher)
    {
        int middle = StudentSteps(2, teacher.Configuration)[1];
        int row = teacher.Steps.Select(s => s.T).ToList().IndexOf(middle);
        return row > 0 ? row - 1
            : throw new ConfigurationException(
                "sampler", $"no call of {Sampler} is at t = {middle}: {teacher.Configuration.DiffusionSteps} diffusion steps are too few");
    }

    private static int WindowOf(int pair, int tasks, int draws) => (pair / tasks / draws * tasks) + (pair % tasks);

    private static void Noise(ulong seed, int pair, Span<float> noise) => PhiloxNormal.Fill(seed, (uint)pair, NoisePlane, 0, noise);
}
