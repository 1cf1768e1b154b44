using UniCardio.Engine.Model;

namespace UniCardio.Training.Pretraining;

/// <summary>An arm's weights.</summary>
/// <param name="Network">Sizes and arm.</param>
/// <param name="Weights">The weights; empty for hand features.</param>
internal sealed record ProbedArm(MaskedConfiguration Network, IReadOnlyList<ParameterTensor> Weights);

/// <summary>A line of the table: an arm, with one signal missing or none.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Missing">The signal that is not shown; -1 for none.</param>
/// <param name="Scores">[tasks] scores.</param>
/// <param name="BeyondUntrained">[tasks] difference to the untrained network on the same windows.</param>
internal sealed record ProbeLine(MaskedArm Arm, int Missing, ProbeScore[] Scores, ProbeScore[] BeyondUntrained);

/// <summary>Linear probes of arms on synthetic subjects that no training saw, with all signals and with one missing in the test.</summary>
/// <remarks>Fit and choice of the penalty are on windows with all signals; only the test's lack one. Subjects: half for the fit, a fifth
/// for the choice, the rest for the test.</remarks>
internal static class ProbeStudy
{
    private const ulong Seed = 0x9a0be;
    private const int WindowsPerSubject = 2;

    /// <summary>Runs the probes.</summary>
    /// <param name="arms">The arms; the untrained one first.</param>
    /// <param name="subjects">Subjects.</param>
    /// <param name="told">Told what is being done.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static IReadOnlyList<ProbeLine> Run(IReadOnlyList<ProbedArm> arms, int subjects, Action<string>? told = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(arms);
        ArgumentOutOfRangeException.ThrowIfLessThan(subjects, 20);
        var windows = new List<MaskedWindow>();
        for (int s = 0; s < subjects; s++)
        {
            cancellation.ThrowIfCancellationRequested();
            windows.AddRange(MaskedWindows.Of(Seed, s, WindowsPerSubject));
        }

        int[] Of(double from, double to) => [.. Enumerable.Range(0, windows.Count).Where(i => windows[i].Subject >= from * subjects
            && windows[i].Subject < to * subjects)];
        int[] fit = Of(0, 0.5), choose = Of(0.5, 0.7), test = Of(0.7, 1);
        var lines = new List<ProbeLine>();
        var untrained = new Dictionary<int, double[][]>();
        foreach (ProbedArm arm in arms)
        {
            told?.Invoke($"probes of arm {Letter(arm.Network.Arm)}");
            double[][] whole = Embed(arm, windows, 7, cancellation);
            for (int missing = -1; missing < MaskedConfiguration.Signals; missing++)
            {
                double[][] tested = missing < 0 ? [.. test.Select(i => whole[i])]
                    : Embed(arm, [.. test.Select(i => windows[i])], 7 & ~(1 << missing), cancellation);
                double[][] readings = Read(whole, tested, windows, fit, choose);
                if (arm.Network.Arm == MaskedArm.Untrained)
                    untrained[missing] = readings;
                lines.Add(Line(arm.Network.Arm, missing, readings, untrained.GetValueOrDefault(missing), [.. test.Select(i =>
                    windows[i])]));
            }
        }

        return lines;
    }

    /// <summary>The letter that an arm has in tables.</summary>
    public static char Letter(MaskedArm arm) => (char)('A' + (int)arm);

    private static double[][] Embed(ProbedArm arm, IReadOnlyList<MaskedWindow> windows, int present, CancellationToken cancellation) =>
        arm.Network.Arm == MaskedArm.HandFeatures ? [.. windows.Select(w => HandFeatures.Of(w, present))]
            : MaskedEmbedding.Of(arm.Network, arm.Weights, windows, present, cancellation: cancellation);

    // [tasks][test windows].
    private static double[][] Read(double[][] whole, double[][] tested, List<MaskedWindow> windows, int[] fit, int[] choose) =>
        [.. Enum.GetValues<ProbeTask>().Select(task =>
        {
            double[] labels = [.. windows.Select(w => LinearProbe.Label(task, w.Truth))];
            LinearProbe probe = LinearProbe.Fit(whole, labels, fit, choose, LinearProbe.IsClass(task));
            return tested.Select(probe.Read).ToArray();
        })];

    private static ProbeLine Line(MaskedArm arm, int missing, double[][] readings, double[][]? untrained, MaskedWindow[] test)
    {
        ProbeTask[] tasks = Enum.GetValues<ProbeTask>();
        var scores = new ProbeScore[tasks.Length];
        var beyond = new ProbeScore[tasks.Length];
        int[] subjects = [.. test.Select(w => w.Subject)];
        for (int t = 0; t < tasks.Length; t++)
        {
            double[] labels = [.. test.Select(w => LinearProbe.Label(tasks[t], w.Truth))];
            bool isClass = LinearProbe.IsClass(tasks[t]);
            scores[t] = LinearProbe.Test(readings[t], labels, subjects, isClass);
            beyond[t] = untrained is null ? new ProbeScore(double.NaN, double.NaN, double.NaN)
                : LinearProbe.Difference(readings[t], untrained[t], labels, subjects, isClass);
        }

        return new ProbeLine(arm, missing, scores, beyond);
    }
}
