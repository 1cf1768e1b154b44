using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Engine.Quality;
using UniCardio.Signals.Synthesis;
using UniCardio.Training.Differentiation;
using UniCardio.Training.Network;
using UniCardio.Training.Optimization;

namespace UniCardio.Training.Quality;

/// <summary>
/// Trains the quality network: labels of quality, readability and rhythm from the generator, beside the published self-distillation from
/// better to worse windows with a moving average as teacher (in eval mode: there is no dropout) and the spectra of the better one.
/// </summary>
/// <remarks>One thread; equal options give equal bits on one instruction set.</remarks>
internal static class QualityTrainer
{
    /// <summary>Heads that are trained.</summary>
    public static IReadOnlyList<QualityHead> Heads { get; } = [QualityHead.Quality, QualityHead.Rhythm];

    /// <summary>Untrained weights: those that training with this seed starts from.</summary>
    /// <param name="configuration">The network.</param>
    /// <param name="seed">The seed.</param>
    public static QualityWeights Initial(QualityConfiguration configuration, ulong seed)
    {
        IReadOnlyList<ParameterShape> shapes = Shapes(configuration);
        return QualityWeights.Create(configuration, shapes.Select((s, i) => new ParameterTensor(s.Name, s.Shape, Start(s, seed, i))));
    }

    /// <summary>Trains.</summary>
    /// <param name="start">Where it starts: <see cref="Initial"/>, or weights of an earlier run. They stay the caller's.</param>
    /// <param name="options">What to do.</param>
    /// <param name="report">Told mean losses every hundred steps.</param>
    /// <param name="keep">Given the teacher so far every two hundred steps, and the number of steps.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <returns>The teacher: the moving average.</returns>
    public static QualityWeights Train(QualityWeights start, QualityTrainingOptions options, Action<QualityProgress>? report = null,
        Action<QualityWeights, int>? keep = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Steps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Pairs, 1);
        return CpuInstructionSets.Run<Code, QualityWeights>(CpuInstructionSets.Resolve(CpuInstructionSet.Auto),
            new Code(start, options, report, keep, cancellation));
    }

    private static IReadOnlyList<ParameterShape> Shapes(QualityConfiguration m) =>
        [.. QualityCatalog.For(m), .. Heads.SelectMany(h => QualityCatalog.For(m, h))];

    // PyTorch's defaults: maps and biases uniform within 1 / sqrt(inputs), the attention's input map within sqrt(6 / (inputs + outputs)),
    // its bias zero, norms one and zero.
    internal static float[] Start(ParameterShape shape, ulong seed, int tensor)
    {
        float[] values = new float[shape.Count];
        bool isBias = shape.Name.EndsWith("bias", StringComparison.Ordinal);
        if (shape.Name.Contains("norm", StringComparison.Ordinal))
        {
            Array.Fill(values, isBias ? 0 : 1);
            return values;
        }

        if (isBias)
            return values;
        int inputs = (int)(shape.Count / shape.Shape[0]);
        double reach = shape.Name.EndsWith("in_proj_weight", StringComparison.Ordinal) ? Math.Sqrt(6.0 / (inputs + shape.Shape[0]))
            : 1 / Math.Sqrt(inputs);
        var random = new CounterRandom(seed, (ulong)(0x9000 + tensor));
        foreach (ref float value in values.AsSpan())
            value = (float)random.NextUniform(-reach, reach);
        return values;
    }

    private readonly struct Code(QualityWeights start, QualityTrainingOptions options, Action<QualityProgress>? report,
        Action<QualityWeights, int>? keep, CancellationToken cancellation) : ISimdCode<QualityWeights>
    {
        public QualityWeights Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            using var run = new QualityRun<S, V>(start, Shapes(start.Configuration), options);
            return run.Train(report, keep, cancellation);
        }
    }
}

/// <summary>One run's state.</summary>
internal sealed class QualityRun<S, V> : IDisposable
    where S : struct, ISimd<S, V>
    where V : struct
{
    private readonly QualityTrainingOptions _o;
    private readonly QualityConfiguration _m;
    private readonly TapeParameters _student, _teacher;
    private readonly Tape<S, V> _tape, _teaching;
    private readonly Adam _adam;
    private readonly SpectralTargets _spectra;
    private readonly float[] _centre;
    private readonly QualityPairs _pairs;
    private readonly List<ParameterSlice> _frozen;

    public QualityRun(QualityWeights start, IReadOnlyList<ParameterShape> shapes, QualityTrainingOptions options)
    {
        (_o, _m) = (options, start.Configuration);
        (_student, _teacher) = (new TapeParameters(shapes, 2 * S.Width), new TapeParameters(shapes, 2 * S.Width));
        _student.Read(start.Tensors);
        _student.Values.CopyTo(_teacher.Values.AsSpan());
        (_tape, _teaching) = (new Tape<S, V>(_student), new Tape<S, V>(_teacher));
        _adam = new Adam(_student.Values.Length, _student.Slices, new AdamOptions
        {
            WeightDecay = options.HeadsOnly ? 0 : options.Decay, Decay = WeightDecayKind.Decoupled, ClipNorm = 1,
        });
        _frozen = [.. _student.Slices.Where(s => options.HeadsOnly && !s.Name.StartsWith(QualityCatalog.HeadPrefix,
            StringComparison.Ordinal))];
        _spectra = new SpectralTargets(_m.Samples, _m.Width);
        _centre = new float[_m.Tokens * _m.Width];
        _pairs = new QualityPairs(options.Seed, _m);
    }

    private const int Kept = 200;

    public QualityWeights Train(Action<QualityProgress>? report, Action<QualityWeights, int>? keep, CancellationToken cancellation)
    {
        var schedule = new LearningRateSchedule { Peak = _o.Rate, WarmupSteps = _o.Steps / 20 };
        double[] sums = new double[5];
        int summed = 0;
        for (int step = 0; step < _o.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            Step(step, sums);
            foreach (ParameterSlice slice in _frozen)
                _tape.Gradients.AsSpan(slice.Offset, slice.Count).Clear();
            double norm = _adam.Update(_student.Values, _tape.Gradients, schedule.At(step, _o.Steps));
            if (!double.IsFinite(norm))
                throw new Engine.UniCardioException($"training diverged at step {step}: the gradient is {norm}");
            _student.Changed();
            Follow(step);
            if (keep is not null && (step + 1) % Kept == 0)
                keep(QualityWeights.Create(_m, _teacher.Write()), step + 1);
            if (++summed < 100 && step + 1 < _o.Steps)
                continue;
            report?.Invoke(new QualityProgress(step + 1, sums[0] / summed, sums[1] / summed, sums[2] / summed, sums[3] / summed,
                sums[4] / summed));
            Array.Clear(sums);
            summed = 0;
        }

        return QualityWeights.Create(_m, _teacher.Write());
    }

    public void Dispose()
    {
        _tape.Dispose();
        _teaching.Dispose();
        _student.Dispose();
        _teacher.Dispose();
    }

    private bool Distils => _o.Distil > 0 && !_o.HeadsOnly;

    private bool HasSpectra => (_o.Amplitude > 0 || _o.Phase > 0) && !_o.HeadsOnly;

    private void Step(int step, double[] sums)
    {
        QualityPair[] pairs = [.. Enumerable.Range(0, _o.Pairs).Select(i => _pairs.Make(((long)step * _o.Pairs) + i))];
        float[] better = Signals(pairs, true), worse = Signals(pairs, false);
        _tape.Begin();
        TapeMatrix features = QualityTape.Encode(_tape, _m, worse, _o.Pairs);
        if (_o.Labels > 0)
        {
            Label(features, pairs, false, sums);
            Label(QualityTape.Encode(_tape, _m, better, _o.Pairs), pairs, true, sums);
        }

        if (Distils)
            Distil(features, better, sums);
        if (HasSpectra)
            Spectra(features, better, sums);
        _tape.Backward();
    }

    private void Label(TapeMatrix features, QualityPair[] pairs, bool better, double[] sums)
    {
        TapeMatrix quality = _tape.Linear(features, "head.quality.classifier.weight", "head.quality.classifier.bias"),
            rhythm = _tape.Linear(_tape.WindowMean(features, pairs.Length), "head.rhythm.classifier.weight", "head.rhythm.classifier.bias");
        float[] labels = new float[quality.Rows * 4];
        int[] classes = new int[pairs.Length];
        for (int i = 0; i < pairs.Length; i++)
        {
            QualityWindow window = better ? pairs[i].Better : pairs[i].Worse;
            window.Labels.CopyTo(labels.AsSpan(i * window.Labels.Length));
            for (int k = 0; k < window.Labels.Length; k++)
            {
                if (k % 2 == 0 ? !window.Present.Pulse : !window.Present.Ecg)
                    labels[(i * window.Labels.Length) + k] = float.NaN;
            }

            classes[i] = window.Rhythm;
        }

        sums[0] += QualityLosses.BinaryCrossEntropy(quality, labels, _o.Labels) / 2;
        sums[1] += QualityLosses.CrossEntropy(rhythm, classes, 0.3 * _o.Labels) / 2;
    }

    private void Distil(TapeMatrix features, float[] better, double[] sums)
    {
        _teaching.Begin();
        float[] taught = QualityTape.Encode(_teaching, _m, better, _o.Pairs).ToArray();
        float[] before = _o.Distil == 1 ? [] : new float[features.Rows * features.Columns];
        // The loss adds its gradient with weight 1: what it adds is scaled.
        for (int row = 0; row < features.Rows && before.Length > 0; row++)
            features.GradientRow(row).CopyTo(before.AsSpan(row * features.Columns));
        sums[2] += QualityLosses.Distil(features, taught, _centre, _o.Losses, features.Rows);
        for (int row = 0; row < features.Rows && before.Length > 0; row++)
        {
            Span<float> gradient = features.GradientRow(row);
            for (int k = 0; k < gradient.Length; k++)
            {
                float old = before[(row * features.Columns) + k];
                gradient[k] = old + ((float)_o.Distil * (gradient[k] - old));
            }
        }

        if (_o.Centring)
            QualityLosses.UpdateCentre(_centre, taught, _o.Losses);
    }

    private void Spectra(TapeMatrix features, float[] better, double[] sums)
    {
        int count = _o.Pairs * 2 * _m.Width;
        double[] amplitude = new double[count], phase = new double[count], weight = new double[count];
        _spectra.Fill(Judged(better), amplitude, phase, weight);
        (TapeMatrix a, TapeMatrix p) = QualityTape.Decode(_tape, _m, features, _o.Pairs);
        if (_o.Amplitude > 0)
            sums[3] += QualityLosses.SmoothL1(a, amplitude, _o.Amplitude, a.Rows);
        if (_o.Phase > 0 && _o.CosinePhase)
        {
            sums[4] += QualityLosses.Phase(p, phase, weight, _o.Phase, p.Rows);
        }
        else if (_o.Phase > 0)
        {
            for (int row = 0; row < count / _m.Width; row++)
                SpectralTargets.Standardise(phase.AsSpan(row * _m.Width, _m.Width));
            sums[4] += QualityLosses.SmoothL1(p, phase, _o.Phase, p.Rows);
        }
    }

    // [pairs, 2, samples] the signals without what else the network is told.
    private float[] Judged(float[] windows)
    {
        int whole = _m.Channels * _m.Samples, own = _m.JudgedSignals * _m.Samples;
        return whole == own ? windows : [.. Enumerable.Range(0, _o.Pairs).SelectMany(i => windows.AsSpan(i * whole, own).ToArray())];
    }

    // The teacher: momentum from its start to 1 by a cosine.
    private void Follow(int step)
    {
        double momentum = 1 - ((1 - _o.Momentum) * (Math.Cos(Math.PI * step / _o.Steps) + 1) / 2);
        float share = (float)(1 - momentum);
        float[] to = _teacher.Values, from = _student.Values;
        for (int i = 0; i < to.Length; i++)
            to[i] += (from[i] - to[i]) * share;
        _teacher.Changed();
    }

    private static float[] Signals(QualityPair[] pairs, bool better) =>
        [.. pairs.SelectMany(p => better ? p.Better.Signals : p.Worse.Signals)];
}
