using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using UniCardio.Engine;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Signals.Synthesis;
using UniCardio.Training.Differentiation;
using UniCardio.Training.Network;
using UniCardio.Training.Optimization;
using UniCardio.Training.Quality;
using UniCardio.Training.Runs;

namespace UniCardio.Training.Pretraining;

/// <summary>Trains masked encoders on synthetic subjects.</summary>
/// <remarks>One thread; equal options give equal bits on one instruction set. With a folder a run that was stopped continues from its last
/// checkpoint to the bits that it would have had.</remarks>
internal static class MaskedTrainer
{
    // Queries and keys of the decoder are near this multiple of the identity, so that a masked place looks at places near it from the start
    // (Trockman and Kolter, "Mimetic initialization", arXiv 2305.09828). Without that, or with codes of places that are nearly
    // alike, ten thousand windows went by at the loss of a mean. The encoder, whose attention is analysed, starts as usual.
    private const float Mimetic = 3;

    /// <summary>The weights that training starts from; arm F.</summary>
    public static ParameterTensor[] Initial(MaskedConfiguration network, ulong seed) =>
        [.. network.Validate().Shapes().Select((s, i) => new ParameterTensor(s.Name, s.Shape, Start(s, seed, i)))];

    /// <summary>Trains.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="folder">Where checkpoints and the log go; null for none.</param>
    /// <param name="report">Told updates done and the mean loss at every row of the log.</param>
    /// <param name="cancellation">Stops after a step, once the state is written.</param>
    /// <exception cref="RunFolderException">The folder holds a run of other options, or is in use.</exception>
    public static ParameterTensor[] Train(MaskedTrainingOptions options, RunFolder? folder = null, Action<int, double>? report = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Steps, 1);
        if (options.Batch < 1 || options.WindowsPerSubject < 1 || options.Batch % options.WindowsPerSubject != 0)
            throw new ConfigurationException("batch", $"{options.Batch} is no multiple of {options.WindowsPerSubject} windows a subject");
        if (options.Network.Arm is MaskedArm.Untrained or MaskedArm.HandFeatures)
            throw new ConfigurationException("arm", $"{options.Network.Arm} is not trained");
        return CpuInstructionSets.Run<Code, ParameterTensor[]>(CpuInstructionSets.Resolve(CpuInstructionSet.Auto),
            new Code(options, folder, report, cancellation));
    }

    // Maps keep variance: uniform within sqrt(3 / inputs), the embedding's inputs being the 25 of one signal; biases 0, norms 1 and 0.
    private static float[] Start(ParameterShape shape, ulong seed, int tensor)
    {
        float[] values = QualityTrainer.Start(shape, seed, tensor);
        if (shape.Shape.Count < 2)
            return values;
        int width = shape.Shape[1], inputs = width == MaskedConfiguration.Inputs ? MaskedConfiguration.Patch : width;
        double reach = Math.Sqrt(3.0 / inputs);
        var random = new CounterRandom(seed, (ulong)(0xa000 + tensor));
        foreach (ref float value in values.AsSpan())
            value = (float)random.NextUniform(-reach, reach);
        bool looksNear = shape.Name.StartsWith("decoder", StringComparison.Ordinal)
            && shape.Name.EndsWith(".in.weight", StringComparison.Ordinal);
        for (int row = 0; looksNear && row < 2 * width; row++)
        {
            for (int c = 0; c < width; c++)
                values[(row * width) + c] = (0.2f * values[(row * width) + c]) + (c == row % width ? Mimetic : 0);
        }

        return values;
    }

    private readonly struct Code(MaskedTrainingOptions options, RunFolder? folder, Action<int, double>? report,
        CancellationToken cancellation) : ISimdCode<ParameterTensor[]>
    {
        public ParameterTensor[] Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            using var run = new MaskedRun<S, V>(options);
            return run.Train(folder, report, cancellation);
        }
    }
}

/// <summary>One run's state.</summary>
internal sealed class MaskedRun<S, V> : IDisposable
    where S : struct, ISimd<S, V>
    where V : struct
{
    private static readonly int[] s_all = [.. Enumerable.Range(0, MaskedConfiguration.Tokens)];
    private readonly MaskedTrainingOptions _o;
    private readonly MaskedConfiguration _m;
    private readonly TapeParameters _parameters;
    private readonly Tape<S, V> _tape;
    private readonly Adam _adam;
    private readonly Muon? _muon;

    public MaskedRun(MaskedTrainingOptions options)
    {
        (_o, _m) = (options, options.Network.Validate());
        _parameters = new TapeParameters(_m.Shapes(), 2 * S.Width);
        _parameters.Read(MaskedTrainer.Initial(_m, _o.Seed));
        _tape = new Tape<S, V>(_parameters);
        // Momentum made orthogonal for the maps inside the layers; queries, keys and values one by one.
        _muon = _o.Muon && Math.Min(_m.Width, _m.DecoderWidth) >= 16 ? new Muon(_parameters.Slices
            .Where(s => s.Shape.Count == 2 && s.Name.Contains(".layers.", StringComparison.Ordinal))
            .Select(s => (s, s.Name.EndsWith(".in.weight", StringComparison.Ordinal) ? 3 : 1)), new MuonOptions(),
            CpuInstructionSets.Resolve(CpuInstructionSet.Auto)) : null;
        _adam = new Adam(_parameters.Values.Length, _parameters.Slices,
            new AdamOptions { Beta2 = 0.95, WeightDecay = _o.Decay, Decay = WeightDecayKind.Decoupled, ClipNorm = 1 }, _muon);
    }

    /// <summary>The gradient of the last step, [N] beside <see cref="Parameters"/>.</summary>
    public float[] Gradients => _tape.Gradients;

    public TapeParameters Parameters => _parameters;

    public ParameterTensor[] Train(RunFolder? folder, Action<int, double>? report, CancellationToken cancellation)
    {
        using IDisposable? held = folder?.Lock();
        string identity = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_o.ToJson())));
        double sum = 0;
        int first = folder is null ? 0 : Resume(folder, identity, out sum);
        using RunTable? log = folder is null ? null : new RunTable(folder.LogFile, "step,windows,loss,learning_rate,gradient_norm", first);
        var schedule = new LearningRateSchedule { Peak = _o.Rate, WarmupSteps = _o.Steps / 20 };
        for (int step = first; step < _o.Steps; step++)
        {
            if (cancellation.IsCancellationRequested)
            {
                Save(folder, log, identity, step, sum);
                cancellation.ThrowIfCancellationRequested();
            }

            double loss = Step(Batch(step), step), rate = schedule.At(step, _o.Steps);
            double norm = _adam.Update(_parameters.Values, _tape.Gradients, rate);
            if (!double.IsFinite(norm) || !double.IsFinite(loss))
                throw new UniCardioException($"training diverged at step {step}: the loss is {loss}, the gradient {norm}");
            _muon?.Update(_parameters.Values, _tape.Gradients, _adam.Moment1.Span, _adam.ClipScale(norm), rate, (pieces, work) =>
            {
                for (int piece = 0; piece < pieces; piece++)
                    work(piece, 0);
            });
            _parameters.Changed();
            sum += loss;
            if ((step + 1) % _o.LogEvery == 0 || step + 1 == _o.Steps)
            {
                int count = (step % _o.LogEvery) + 1;
                log?.Append(string.Create(CultureInfo.InvariantCulture,
                    $"{step + 1},{(step + 1) * _o.Batch},{sum / count:R},{rate:R},{norm:R}"));
                report?.Invoke(step + 1, sum / count);
                sum = 0;
            }

            if ((step + 1) % _o.CheckpointEvery == 0 || step + 1 == _o.Steps)
                Save(folder, log, identity, step + 1, sum);
        }

        return [.. _parameters.Write()];
    }

    /// <summary>Loss and gradient of a batch.</summary>
    /// <param name="windows">The batch.</param>
    /// <param name="step">Which step; its masks are drawn from it.</param>
    public double Step(IReadOnlyList<MaskedWindow> windows, int step)
    {
        var random = new CounterRandom(CounterRandom.Derive(_o.Seed, 0x3a5c), (ulong)step);
        _tape.Begin();
        double loss = _m.Arm switch
        {
            MaskedArm.Contrastive => Contrast(windows),
            MaskedArm.Unimodal => Apart(windows, ref random),
            _ => Together(windows, ref random),
        };
        _tape.Backward();
        return loss;
    }

    public void Dispose()
    {
        _tape.Dispose();
        _parameters.Dispose();
        _muon?.Dispose();
    }

    private List<MaskedWindow> Batch(int step)
    {
        int subjects = _o.Batch / _o.WindowsPerSubject;
        ulong seed = CounterRandom.Derive(_o.Seed, 0x7a17);
        var windows = new List<MaskedWindow>();
        for (int i = 0; i < subjects; i++)
            windows.AddRange(MaskedWindows.Of(seed, (step * subjects) + i, _o.WindowsPerSubject));
        return windows;
    }

    // Windows that show equally many signals go through together.
    private double Together(IReadOnlyList<MaskedWindow> windows, ref CounterRandom random)
    {
        var draws = new List<MaskedDraw>();
        for (int i = 0; i < windows.Count; i++)
            draws.Add(MaskedDraw.Next(_m.Arm, _m.Arm == MaskedArm.Joint ? 0 : _o.DropRate, _o.Masked, ref random));
        double[] weights = MaskedLosses.Weights(draws);
        double loss = 0;
        foreach (IGrouping<int, int> group in Enumerable.Range(0, windows.Count).GroupBy(i => draws[i].Count).OrderBy(g => g.Key))
        {
            MaskedWindow[] own = [.. group.Select(i => windows[i])];
            MaskedDraw[] drawn = [.. group.Select(i => draws[i])];
            int[][] tokens = [.. drawn.Select(d => d.Visible)];
            TapeMatrix encoded = MaskedTape.Encode(_tape, _m, _m.Encoder(0), own, tokens);
            TapeMatrix patches = MaskedTape.Decode(_tape, _m, _m.Decoder(0), encoded, tokens, s_all);
            loss += MaskedLosses.Reconstruction(patches, own, drawn, s_all, weights);
        }

        return loss;
    }

    private double Apart(IReadOnlyList<MaskedWindow> windows, ref CounterRandom random)
    {
        var draws = new List<MaskedDraw>();
        for (int i = 0; i < windows.Count; i++)
            draws.Add(MaskedDraw.Next(_m.Arm, 0, _o.Masked, ref random));
        double[] weights = MaskedLosses.Weights(draws);
        double loss = 0;
        for (int m = 0; m < MaskedConfiguration.Signals; m++)
        {
            int[] places = s_all[(m * MaskedConfiguration.Patches)..((m + 1) * MaskedConfiguration.Patches)];
            int[][] tokens = [.. draws.Select(d => d.Visible.Where(t => t / MaskedConfiguration.Patches == m).ToArray())];
            TapeMatrix encoded = MaskedTape.Encode(_tape, _m, _m.Encoder(m), windows, tokens);
            TapeMatrix patches = MaskedTape.Decode(_tape, _m, _m.Decoder(m), encoded, tokens, places);
            loss += MaskedLosses.Reconstruction(patches, windows, draws, places, weights);
        }

        return loss;
    }

    private double Contrast(IReadOnlyList<MaskedWindow> windows)
    {
        var pooled = new TapeMatrix[MaskedConfiguration.Signals];
        for (int m = 0; m < pooled.Length; m++)
        {
            int[] places = s_all[(m * MaskedConfiguration.Patches)..((m + 1) * MaskedConfiguration.Patches)];
            TapeMatrix encoded = MaskedTape.Encode(_tape, _m, _m.Encoder(m), windows, [.. windows.Select(_ => places)]);
            TapeMatrix Project(TapeMatrix x, string name) =>
                _tape.Linear(x, $"{_m.Decoder(m)}.{name}.weight", $"{_m.Decoder(m)}.{name}.bias");
            pooled[m] = Project(_tape.Gelu(Project(_tape.WindowMean(encoded, windows.Count), "project1")), "project2");
        }

        double loss = 0;
        for (int a = 0; a < pooled.Length; a++)
        {
            for (int b = a + 1; b < pooled.Length; b++)
                loss += MaskedLosses.Contrast(pooled[a], pooled[b], _o.Temperature, 1.0 / 3);
        }

        return loss;
    }

    private int Resume(RunFolder folder, string identity, out double sum)
    {
        sum = 0;
        folder.Clean();
        string record = Path.Combine(folder.Path, "pretrain.json");
        if (folder.HasRun || (File.Exists(record) && File.ReadAllText(record) != _o.ToJson()))
            throw new RunFolderException(folder.Path, "holds a run of other options; give another folder");
        RunFolder.WriteWhole(record, _o.ToJson());
        string? newest = new[] { folder.CheckpointFile, folder.PreviousFile }.FirstOrDefault(File.Exists);
        if (newest is null)
            return 0;
        TrainingState state = Checkpoint.Read(newest, _parameters.Values.Length, i => i == identity);
        state.Parameters.Span.CopyTo(_parameters.Values);
        state.Moment1.CopyTo(_adam.Moment1);
        state.Moment2.CopyTo(_adam.Moment2);
        _adam.Updates = state.Updates;
        sum = state.LossSum;
        _parameters.Changed();
        return (int)state.Updates;
    }

    private void Save(RunFolder? folder, RunTable? log, string identity, int updates, double sum)
    {
        if (folder is null)
            return;
        log?.FlushToDisk();
        Checkpoint.Write(folder.CheckpointFile, folder.PreviousFile, new TrainingState
        {
            Updates = updates, Parameters = _parameters.Values, Averaged = _parameters.Values, Moment1 = _adam.Moment1,
            Moment2 = _adam.Moment2, RecentLosses = Array.Empty<float>(), LossSum = sum,
        }, identity);
    }
}
