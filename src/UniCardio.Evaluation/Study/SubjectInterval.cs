using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Study;

/// <summary>A mean over subjects with a 95% bootstrap interval over them.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Low">Lower end; equal to the mean with one subject.</param>
/// <param name="High">Upper end.</param>
/// <param name="Subjects">Subjects.</param>
internal readonly record struct SubjectInterval(double Mean, double Low, double High, int Subjects)
{
    private const int Resamples = 2000;
    private const ulong Stream = 78;

    /// <summary>Of a number a subject: subjects are drawn with replacement (Efron and Tibshirani 1993, percentile interval).</summary>
    /// <param name="values">The numbers, at least one.</param>
    /// <param name="seed">Equal seeds give equal intervals.</param>
    public static SubjectInterval Of(IReadOnlyList<double> values, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(values);
        var random = new CounterRandom(seed, Stream);
        var means = new double[Resamples];
        for (int r = 0; r < Resamples; r++)
        {
            for (int i = 0; i < values.Count; i++)
                means[r] += values[(int)(random.NextDouble() * values.Count)] / values.Count;
        }

        Array.Sort(means);
        return new SubjectInterval(values.Average(), means[(int)(0.025 * Resamples)], means[(int)(0.975 * Resamples)], values.Count);
    }

    /// <summary>The same with every number through a function that grows.</summary>
    /// <param name="function">The function.</param>
    public SubjectInterval Map(Func<double, double> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new SubjectInterval(function(Mean), function(Low), function(High), Subjects);
    }

    /// <summary>Mean and interval as text; the interval only where there are two subjects or more.</summary>
    /// <param name="format">Format of each number.</param>
    public string ToText(string format) => Subjects < 2
        ? Reports.ReportTable.Text(Mean, format)
        : $"{Reports.ReportTable.Text(Mean, format)} [{Reports.ReportTable.Text(Low, format)}, {Reports.ReportTable.Text(High, format)}]";
}
