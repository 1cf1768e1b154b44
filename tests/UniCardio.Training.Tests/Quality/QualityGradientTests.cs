using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Quality;
using UniCardio.Training.Quality;
using UniCardio.Weights.Quality;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Training.Tests.Quality;

public sealed class QualityGradientTests
{
    private static readonly QualityConfiguration Odd = new()
    {
        Width = 12,
        Heads = 2,
        Layers = 1,
        FeedForward = 5,
        Window = 2,
        Samples = 60,
        TokeniserChannels = (2, 3),
        Kernels = [5, 3, 3],
        Strides = [2, 3, 2],
    };

    public static TheoryData<CpuInstructionSet> Sets() => [.. CpuInstructionSets.Supported];

    // Losses are means of values of order 1 and held to the backends' 1e-5. A gradient is a sum over 2 windows of up to 360 samples whose
    // terms cancel: n u = 4e-5 of their magnitudes in the worst order; measured against the author's double: 1.0e-6 of the largest element.
    // Bound as for UniCardio's gradients: 1e-4.
    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void TheAuthorSLossesAndGradientsAreMet(CpuInstructionSet set)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Project.Shared("golden", "qualityfm", "tiny.training.safetensors"));
        using QualityWeights student = QualityWeightFile.Load("recipe:1,quality-tiny"),
            teacher = QualityWeightFile.Load("recipe:2,quality-tiny");
        QualityPairResult result =
            QualityGradients.Of(teacher, student, file.Floats("x1").ToArray(), file.Floats("x2").ToArray(), 2, set: set);
        AssertClose(file, "teacher/features", result.Teacher, 1e-5);
        AssertClose(file, "student/features", result.Student, 1e-5);
        AssertClose(file, "student/amplitude", result.Amplitude, 1e-5);
        AssertClose(file, "student/phase", result.Phase, 1e-5);
        AssertClose(file, "centre/first", result.FirstCentre, 1e-5);
        AssertClose(file, "centre/second", result.SecondCentre, 1e-5);
        foreach ((string name, double value) in ((string, double)[])[("first", result.First), ("second", result.Second)])
            AssertClose(file, "loss/distill_" + name, [(float)value], 1e-5);
        foreach ((string name, double value) in ((string, double)[])[("amplitude", result.AmplitudeLoss), ("phase", result.PhaseLoss),
            ("total", result.Total)])
            AssertClose(file, "loss/" + name, [(float)value], 1e-5);
        Assert.Equal(84, result.Gradients.Count);
        foreach ((string name, float[] gradient) in result.Gradients)
            AssertClose(file, "d/" + name, gradient, 1e-4);
    }

    // Central differences with h = 1/64 of a parameter of order 0.3 err by h^2 / 6 of the third derivative and by u / h = 4e-6 of the loss
    // (order 10) in float32: some 1e-4 of it, against gradients of order 0.01 to 1; the bound is 2% of the tensor's largest element and
    // 2e-3 absolute.
    [Fact]
    public void GradientsAgreeWithFiniteDifferences()
    {
        using QualityWeights student = QualityWeightFile.Load("recipe:3", Odd), teacher = QualityWeightFile.Load("recipe:4", Odd);
        float[] better = Vectors.Uniform(2 * 2 * 60, 5), worse = Vectors.Uniform(2 * 2 * 60, 6);
        var options = new QualityLossOptions { TeacherTemperature = 0.5, StudentTemperature = 1, Amplitude = 1, Phase = 1 };
        QualityPairResult result = QualityGradients.Of(teacher, student, better, worse, 2, options);
        double Total(string name, int element, float by)
        {
            using QualityWeights moved =
                QualityWeights.Create(Odd, student.Tensors.Where(t => !t.Name.StartsWith("head.", StringComparison.Ordinal)).Select(t =>
            {
                if (t.Name != name)
                    return t;
                float[] values = t.Span.ToArray();
                values[element] += by;
                return new Engine.Model.ParameterTensor(t.Name, t.Shape, values);
            }));
            return QualityGradients.Of(teacher, moved, better, worse, 2, options).Total;
        }

        const float h = 1f / 64;
        foreach ((string name, float[] gradient) in result.Gradients)
        {
            int element = gradient.Length / 2;
            double largest = gradient.Max(MathF.Abs), measured = (Total(name, element, h) - Total(name, element, -h)) / (2 * h);
            Assert.True(Math.Abs(measured - gradient[element]) <= (0.02 * largest) + 2e-3,
                $"{name}[{element}]: {gradient[element]}, by differences {measured}");
        }
    }

    private static void AssertClose(SafetensorsFile file, string name, ReadOnlySpan<float> actual, double tolerance) =>
        Vectors.AssertClose(file.Floats(name).Span, actual, tolerance, name);
}
