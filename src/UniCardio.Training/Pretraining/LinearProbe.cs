using MathNet.Numerics.LinearAlgebra;
using UniCardio.Signals.Processing;

namespace UniCardio.Training.Pretraining;

/// <summary>What is read off embeddings by a linear map.</summary>
internal enum ProbeTask
{
    /// <summary>Heart rate.</summary>
    Rate,

    /// <summary>Systolic pressure.</summary>
    Systolic,

    /// <summary>Diastolic pressure.</summary>
    Diastolic,

    /// <summary>Delay of the PPG's pulse.</summary>
    Delay,

    /// <summary>Atrial fibrillation.</summary>
    Fibrillation,

    /// <summary>Early beats.</summary>
    Ectopy,
}

/// <summary>A probe's score on subjects that no fit saw.</summary>
/// <param name="Score">Pearson's r of a number, AUROC of a class; NaN where it is not defined.</param>
/// <param name="Low">2.5% over subjects drawn with replacement.</param>
/// <param name="High">97.5%.</param>
internal readonly record struct ProbeScore(double Score, double Low, double High);

/// <summary>Ridge regression on frozen embeddings, subjects split in three: fit, choice of the penalty, test.</summary>
internal sealed class LinearProbe
{
    private const int Resamples = 400;
    private static readonly double[] s_penalties = [1e-2, 1e-1, 1, 10, 100, 1e3, 1e4];
    private readonly double[] _centre, _scale;
    private readonly Vector<double> _weights;
    private readonly double _level;

    private LinearProbe(double[] centre, double[] scale, Vector<double> weights, double level) =>
        (_centre, _scale, _weights, _level) = (centre, scale, weights, level);

    /// <summary>Whether a task is a class.</summary>
    public static bool IsClass(ProbeTask task) => task is ProbeTask.Fibrillation or ProbeTask.Ectopy;

    /// <summary>The label of a window; 0 or 1 of a class.</summary>
    public static double Label(ProbeTask task, in MaskedTruth truth) => task switch
    {
        ProbeTask.Rate => truth.Rate,
        ProbeTask.Systolic => truth.Systolic,
        ProbeTask.Diastolic => truth.Diastolic,
        ProbeTask.Delay => truth.Delay,
        ProbeTask.Fibrillation => truth.IsFibrillating ? 1 : 0,
        _ => truth.HasEctopy ? 1 : 0,
    };

    /// <summary>Fits on some rows and takes the penalty that does best on others.</summary>
    /// <param name="rows">Embeddings of all windows.</param>
    /// <param name="labels">Their labels.</param>
    /// <param name="fit">Windows to fit on.</param>
    /// <param name="choose">Windows to choose the penalty on, of other subjects.</param>
    /// <param name="isClass">Whether the label is a class.</param>
    public static LinearProbe Fit(double[][] rows, double[] labels, int[] fit, int[] choose, bool isClass)
    {
        int d = rows[0].Length;
        double[] centre = new double[d], scale = new double[d];
        foreach (int i in fit)
        {
            for (int k = 0; k < d; k++)
                centre[k] += rows[i][k] / fit.Length;
        }

        foreach (int i in fit)
        {
            for (int k = 0; k < d; k++)
                scale[k] += (rows[i][k] - centre[k]) * (rows[i][k] - centre[k]) / fit.Length;
        }

        for (int k = 0; k < d; k++)
            scale[k] = scale[k] > 1e-12 ? 1 / Math.Sqrt(scale[k]) : 0;
        double level = fit.Average(i => labels[i]);
        Matrix<double> x = Matrix<double>.Build.Dense(fit.Length, d, (r, k) => (rows[fit[r]][k] - centre[k]) * scale[k]);
        Matrix<double> products = x.TransposeThisAndMultiply(x);
        Vector<double> right = x.TransposeThisAndMultiply(Vector<double>.Build.Dense(fit.Length, r => labels[fit[r]] - level));
        LinearProbe? best = null;
        double bestScore = double.NegativeInfinity;
        foreach (double penalty in s_penalties)
        {
            Vector<double> weights = (products + Matrix<double>.Build.DenseDiagonal(d, d, penalty)).Cholesky().Solve(right);
            var probe = new LinearProbe(centre, scale, weights, level);
            double score = Score(choose.Select(i => probe.Read(rows[i])).ToArray(), choose.Select(i => labels[i]).ToArray(), isClass);
            if (best is null || score > bestScore)
                (best, bestScore) = (probe, score);
        }

        return best!;
    }

    /// <summary>What the map reads off an embedding.</summary>
    public double Read(double[] row)
    {
        double sum = _level;
        for (int k = 0; k < row.Length; k++)
            sum += (row[k] - _centre[k]) * _scale[k] * _weights[k];
        return sum;
    }

    /// <summary>Score of readings with its interval over subjects.</summary>
    public static ProbeScore Test(double[] readings, double[] labels, int[] subjects, bool isClass)
    {
        double score = Score(readings, labels, isClass);
        int[][] groups = [.. Enumerable.Range(0, subjects.Length).GroupBy(i => subjects[i]).Select(g => g.ToArray())];
        double[] drawn = [.. Resampled(groups).Select(rows => Score(rows.Select(i => readings[i]).ToArray(), rows.Select(i => labels[i])
            .ToArray(), isClass)).Where(s => !double.IsNaN(s)).Order()];
        return drawn.Length == 0 ? new ProbeScore(score, double.NaN, double.NaN)
            : new ProbeScore(score, drawn[(int)(0.025 * (drawn.Length - 1))], drawn[(int)(0.975 * (drawn.Length - 1))]);
    }

    /// <summary>Interval of the difference of two probes' scores on the same windows, subjects drawn together.</summary>
    public static ProbeScore Difference(double[] a, double[] b, double[] labels, int[] subjects, bool isClass)
    {
        int[][] groups = [.. Enumerable.Range(0, subjects.Length).GroupBy(i => subjects[i]).Select(g => g.ToArray())];
        double Of(double[] readings, int[] rows) =>
            Score(rows.Select(i => readings[i]).ToArray(), rows.Select(i => labels[i]).ToArray(), isClass);
        double[] drawn = [.. Resampled(groups).Select(rows => Of(a, rows) - Of(b, rows)).Where(s => !double.IsNaN(s)).Order()];
        double difference = Score(a, labels, isClass) - Score(b, labels, isClass);
        return drawn.Length == 0 ? new ProbeScore(difference, double.NaN, double.NaN)
            : new ProbeScore(difference, drawn[(int)(0.025 * (drawn.Length - 1))], drawn[(int)(0.975 * (drawn.Length - 1))]);
    }

    private static IEnumerable<int[]> Resampled(int[][] groups)
    {
        var random = new Signals.Synthesis.CounterRandom(0xb007, 1);
        for (int r = 0; r < Resamples; r++)
        {
            var rows = new List<int>();
            for (int g = 0; g < groups.Length; g++)
                rows.AddRange(groups[(int)(groups.Length * random.NextDouble())]);
            yield return [.. rows];
        }
    }

    private static double Score(double[] readings, double[] labels, bool isClass) => isClass
        ? RankOrder.Auroc(readings, labels.Select(l => l > 0.5).ToArray()) ?? double.NaN
        : Measures.PearsonCorrelation(readings.Select(r => (float)r).ToArray(), labels.Select(l => (float)l).ToArray()) ?? double.NaN;
}
