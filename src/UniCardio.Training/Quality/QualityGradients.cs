using UniCardio.Engine;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Engine.Quality;
using UniCardio.Engine.Reference;
using UniCardio.Training.Differentiation;

namespace UniCardio.Training.Quality;

/// <summary>What one pair of better and worse windows gives: outputs, losses, centres after one and two updates, and the gradient of the
/// total.</summary>
internal sealed record QualityPairResult
{
    /// <summary>[windows, tokens, d] features of the better windows by the teacher.</summary>
    public required float[] Teacher { get; init; }

    /// <summary>[windows, tokens, d] features of the worse windows by the student.</summary>
    public required float[] Student { get; init; }

    /// <summary>[windows, outputs, d] decoded by the student.</summary>
    public required float[] Amplitude { get; init; }

    /// <summary>The same shape.</summary>
    public required float[] Phase { get; init; }

    /// <summary>Distillation loss with the centre at zero.</summary>
    public required double First { get; init; }

    /// <summary>The same after one update of the centre.</summary>
    public required double Second { get; init; }

    /// <summary>Smooth L1 to the better windows' amplitude.</summary>
    public required double AmplitudeLoss { get; init; }

    /// <summary>Smooth L1 to their phase.</summary>
    public required double PhaseLoss { get; init; }

    /// <summary>First + weighted amplitude and phase.</summary>
    public required double Total { get; init; }

    /// <summary>[windows, channels, d] spectrum of the better windows.</summary>
    public required float[] AmplitudeTarget { get; init; }

    /// <summary>The same shape.</summary>
    public required float[] PhaseTarget { get; init; }

    /// <summary>[tokens, d].</summary>
    public required float[] FirstCentre { get; init; }

    /// <summary>[tokens, d].</summary>
    public required float[] SecondCentre { get; init; }

    /// <summary>Gradient of the total by each parameter, by name.</summary>
    public required IReadOnlyDictionary<string, float[]> Gradients { get; init; }
}

/// <summary>The published pretraining loss of one batch of pairs and its gradient, for checking against the author's.</summary>
internal static class QualityGradients
{
    /// <summary>Computes it.</summary>
    /// <param name="teacher">The teacher's weights.</param>
    /// <param name="student">The student's.</param>
    /// <param name="better">[windows, channels, samples] better windows, the teacher's.</param>
    /// <param name="worse">[windows, channels, samples] worse windows, the student's.</param>
    /// <param name="windows">Windows.</param>
    /// <param name="options">Temperatures and weights.</param>
    /// <param name="set">Instruction set.</param>
    /// <exception cref="ConfigurationException">The machine lacks the instruction set.</exception>
    /// <exception cref="ArgumentException">The weights are of different networks, or a length does not fit.</exception>
    public static QualityPairResult Of(QualityWeights teacher, QualityWeights student, ReadOnlyMemory<float> better,
        ReadOnlyMemory<float> worse, int windows, QualityLossOptions? options = null, CpuInstructionSet set = CpuInstructionSet.Auto)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        if (teacher.Configuration != student.Configuration)
            throw new ArgumentException("teacher and student are different networks", nameof(student));
        QualityConfiguration m = student.Configuration;
        int expected = windows * m.Channels * m.Samples;
        if (better.Length != expected || worse.Length != expected)
            throw new ArgumentException($"{better.Length} and {worse.Length} samples; expected [{windows}, {m.Channels}, {m.Samples}] each",
                nameof(better));
        float[] taught = new float[windows * m.Tokens * m.Width];
        using (IQualityNetwork network = QualityNetwork.Cpu(teacher, new CpuBackendOptions { Threads = 1, InstructionSet = set }))
            network.Encode(better.Span, windows, taught);
        (double[] amplitude, double[] phase) = Targets(teacher, better.Span, windows);
        return CpuInstructionSets.Run<Code, QualityPairResult>(CpuInstructionSets.Resolve(set),
            new Code(student, worse, taught, amplitude, phase, windows, options ?? new QualityLossOptions()));
    }

    private static (double[] Amplitude, double[] Phase) Targets(QualityWeights weights, ReadOnlySpan<float> better, int windows)
    {
        var reference = new ReferenceQuality(weights);
        var amplitude = new List<double>();
        var phase = new List<double>();
        int window = better.Length / windows;
        for (int i = 0; i < windows; i++)
        {
            double[] x = new double[window];
            for (int s = 0; s < window; s++)
                x[s] = better[(i * window) + s];
            (double[] a, double[] p) = reference.Targets(x);
            amplitude.AddRange(a);
            phase.AddRange(p);
        }

        return ([.. amplitude], [.. phase]);
    }

    private readonly struct Code(QualityWeights student, ReadOnlyMemory<float> worse, float[] taught, double[] amplitude, double[] phase,
        int windows, QualityLossOptions options) : ISimdCode<QualityPairResult>
    {
        public QualityPairResult Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            QualityConfiguration m = student.Configuration;
            using var parameters = new TapeParameters(QualityCatalog.For(m), 2 * S.Width);
            parameters.Read(student.Tensors);
            using var tape = new Tape<S, V>(parameters);
            tape.Begin();
            TapeMatrix features = QualityTape.Encode(tape, m, worse.Span, windows);
            (TapeMatrix a, TapeMatrix p) = QualityTape.Decode(tape, m, features, windows);
            float[] centre = new float[m.Tokens * m.Width];
            double first = QualityLosses.Distil(features, taught, centre, options, features.Rows);
            double amplitudeLoss = QualityLosses.SmoothL1(a, amplitude, options.Amplitude, a.Rows),
                phaseLoss = QualityLosses.SmoothL1(p, phase, options.Phase, p.Rows);
            tape.Backward();
            QualityLosses.UpdateCentre(centre, taught, options);
            float[] firstCentre = [.. centre];
            TapeMatrix again = tape.Constant(features.ToArray(), features.Rows, features.Columns);
            double second = QualityLosses.Distil(again, taught, centre, options, again.Rows);
            QualityLosses.UpdateCentre(centre, taught, options);
            Dictionary<string, float[]> gradients = parameters.Shapes.ToDictionary(s => s.Name, s =>
                tape.Gradients.AsSpan(parameters[s.Name].Offset, parameters[s.Name].Count).ToArray(), StringComparer.Ordinal);
            double total = first + (options.Amplitude * amplitudeLoss) + (options.Phase * phaseLoss);
            return new QualityPairResult
            {
                Teacher = taught, Student = features.ToArray(), Amplitude = a.ToArray(), Phase = p.ToArray(), First = first,
                Second = second, AmplitudeLoss = amplitudeLoss, PhaseLoss = phaseLoss, Total = total,
                AmplitudeTarget = Narrow(amplitude), PhaseTarget = Narrow(phase), FirstCentre = firstCentre, SecondCentre = centre,
                Gradients = gradients,
            };
        }

        private static float[] Narrow(double[] values) => [.. values.Select(v => (float)v)];
    }
}
