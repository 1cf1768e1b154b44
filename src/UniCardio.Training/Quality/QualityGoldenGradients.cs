using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Quality;
using UniCardio.Training.Network;

namespace UniCardio.Training.Quality;

/// <summary>Compares the losses, centres and gradients of QualityFM's golden vectors with those of the tape that training runs
/// on.</summary>
internal static class QualityGoldenGradients
{
    /// <summary>Adds the comparison to what <see cref="QualityGolden"/> reports; without losses in the file the report stays as it
    /// is.</summary>
    /// <param name="report">The report on the file's other tensors.</param>
    /// <param name="vectors">The vectors.</param>
    /// <param name="student">The student's weights.</param>
    /// <param name="teacher">Makes the teacher's weights; they are disposed at the end.</param>
    /// <param name="set">Instruction set.</param>
    /// <param name="tolerance">Largest relative error allowed; null for the backends' and, for gradients,
    /// <see cref="GoldenGradients.Tolerance"/>.</param>
    /// <exception cref="GoldenException">A tensor is missing or has the wrong size.</exception>
    public static GoldenReport AddTo(
        GoldenReport report,
        QualityVectors vectors,
        QualityWeights student,
        Func<QualityWeights> teacher,
        CpuInstructionSet set = CpuInstructionSet.Auto,
        double? tolerance = null)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(vectors);
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        if (!vectors.Contains("loss/total"))
            return report;
        int windows = vectors.Window("x1").Windows;
        using QualityWeights taught = teacher();
        QualityPairResult pair =
            QualityGradients.Of(taught, student, vectors.Values("x1").ToArray(), vectors.Values("x2").ToArray(), windows, set: set);
        var computed = new Dictionary<string, float[]>(StringComparer.Ordinal)
        {
            ["target/amplitude"] = pair.AmplitudeTarget,
            ["target/phase"] = pair.PhaseTarget,
            ["teacher/features"] = pair.Teacher,
            ["student/features"] = pair.Student,
            ["student/amplitude"] = pair.Amplitude,
            ["student/phase"] = pair.Phase,
            ["loss/distill_first"] = [(float)pair.First],
            ["loss/distill_second"] = [(float)pair.Second],
            ["loss/amplitude"] = [(float)pair.AmplitudeLoss],
            ["loss/phase"] = [(float)pair.PhaseLoss],
            ["loss/total"] = [(float)pair.Total],
            ["centre/first"] = pair.FirstCentre,
            ["centre/second"] = pair.SecondCentre,
        };
        foreach ((string name, float[] gradient) in pair.Gradients)
            computed["d/" + name] = gradient;
        var results = new List<GoldenResult>(report.Results);
        foreach ((string name, float[] actual) in computed)
        {
            if (!vectors.Contains(name))
                throw new GoldenException(vectors.Path, name, "missing from a file of losses and gradients");
            if (actual.Length != vectors.Values(name).Length)
                throw new GoldenException(vectors.Path, name, $"has {vectors.Values(name).Length} elements, expected {actual.Length}");
            double allowed = tolerance
                ?? (name.StartsWith("d/", StringComparison.Ordinal) ? GoldenGradients.Tolerance : GoldenVerifier.BackendTolerance);
            results.Add(new GoldenResult(name, RelativeError.Of(actual, vectors.Values(name).Span), allowed));
        }

        return report with
        {
            Results = results,
            NotVerified = [.. report.NotVerified.Where(o => !computed.ContainsKey(o.Name))],
            Gradients = $"tape {CpuInstructionSets.Name(CpuInstructionSets.Resolve(set))} x 1 thread",
        };
    }
}
