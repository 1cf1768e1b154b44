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
/// <param name="Teacher">[windows, tokens, d] features of the better windows by the teacher.</param>
/// <param name="Student">[windows, tokens, d] features of the worse windows by the student.</param>
/// <param name="Amplitude">[windows, outputs, d] decoded by the student.</param>
/// <param name="Phase">The same shape.</param>
/// <param name="First">Distillation loss with the centre at zero.</param>
/// <param name="Second">The same after one update of the centre.</param>
/// <param name="AmplitudeLoss">Smooth L1 to the better windows' amplitude.</param>
/// <param name="PhaseLoss">Smooth L1 to their phase.</param>
/// <param name="Total">First + weighted amplitude and phase.</param>
/// <param name="AmplitudeTarget">[windows, channels, d] spectrum of the better windows.</param>
/// <param name="PhaseTarget">The same shape.</param>
/// <param name="FirstCentre">[tokens, d].</param>
/// <param name="SecondCentre">[tokens, d].</param>
/// <param name="Gradients">Gradient of the total by each parameter, by name.</param>
internal sealed record QualityPairResult(
    float[] Teacher,
    float[] Student,
    float[] Amplitude,
    float[] Phase,
    double First,
    double Second,
    double AmplitudeLoss,
    double PhaseLoss,
    double Total,
    float[] AmplitudeTarget,
    float[] PhaseTarget,
    float[] FirstCentre,
    float[] SecondCentre,
    IReadOnlyDictionary<string, float[]> Gradients);

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
            return new QualityPairResult(taught, features.ToArray(), a.ToArray(), p.ToArray(), first, second, amplitudeLoss, phaseLoss,
                total, Narrow(amplitude), Narrow(phase), firstCentre, centre, gradients);
        }

        private static float[] Narrow(double[] values) => [.. values.Select(v => (float)v)];
    }
}
