namespace UniCardio.Signals.Formats;

/// <summary>The steps of a column of times: the usual one, where it is longer (rows are missing), and where there is none (a row is
/// doubled).</summary>
/// <param name="Step">The usual step, in the column's unit.</param>
/// <param name="Gaps">Rows that samples are missing before, and how many.</param>
/// <param name="Doubled">Rows with the time of the row before.</param>
/// <param name="Rows">Rows of the table.</param>
/// <param name="Tolerance">By how much the times of both ends together may be off.</param>
/// <param name="IsRounded">Whether times are rounded so coarsely that single steps do not tell the rate.</param>
internal sealed record TimeSteps(double Step, IReadOnlyList<(int Row, int Missing)> Gaps, IReadOnlyList<int> Doubled, int Rows,
    double Tolerance, bool IsRounded)
{
    private const int Probes = 4096;

    /// <summary>Samples a second, whole where the times cannot tell it from a whole number.</summary>
    /// <param name="secondsPerUnit">The column's unit.</param>
    public double Rate(double secondsPerUnit)
    {
        double rate = 1 / (Step * secondsPerUnit), whole = Math.Round(rate);
        int steps = Rows - 1 - Doubled.Count - Gaps.Count;
        bool Fits(double candidate) => Math.Abs((1 / (candidate * secondsPerUnit)) - Step) * Math.Max(steps, 1) <= Tolerance;
        // 62.4725 Hz is the rate of a monitor and not 62.47250034.
        return whole >= 1 && Fits(whole) ? whole : Math.Round(rate, 4) is > 1 and var decimals && Fits(decimals) ? decimals : rate;
    }

    /// <summary>Finds the steps.</summary>
    /// <param name="rows">Rows, at least 2.</param>
    /// <param name="at">A row's time.</param>
    /// <param name="resolution">One unit of the last digit that times are written with.</param>
    /// <param name="back">Makes the exception for a row whose time lies before that of the row before.</param>
    /// <param name="uneven">Makes the exception for a row that stands at no multiple of the usual step.</param>
    public static TimeSteps Of(int rows, Func<int, double> at, double resolution, Func<int, Exception> back, Func<int, double,
        Exception> uneven)
    {
        for (int i = 1; i < rows; i++)
        {
            if (at(i) < at(i - 1))
                throw back(i);
        }
        (double median, double same) = Median(rows, at, 1, resolution);
        // Times of one digit too few come in runs of equal ones: 0.0 0.0 0.0 0.1 0.1. Where nearly all steps are the same they are exact.
        bool coarse = median < 2.1 * resolution && (median <= 0 || same < 0.9);
        double step = Median(rows, at, Math.Min(rows - 1, coarse ? 1000 : 32), resolution).Median;
        if (!coarse && Math.Abs(step - median) > 0.5 * median)
            step = median;
        if (!(step > 0))
            throw back(rows - 1);
        var gaps = new List<(int, int)>();
        var doubled = new List<int>();
        double worst = 0;
        for (int pass = 0; pass < 2; pass++)
        {
            gaps.Clear();
            doubled.Clear();
            worst = 0;
            double threshold = Math.Max(1.5 * step, coarse ? step + (1.01 * resolution) : 0), span = 0;
            int counted = 0;
            var runs = new TickRuns();
            for (int i = 1; i < rows; i++)
            {
                double d = at(i) - at(i - 1);
                // Jitter may lengthen a step; where rows are missing, all times after it are late.
                double late = Math.Abs(d - step) > 0.5 * step && !coarse && d < 4 * step ? Late(rows, at, i, step, threshold) : double.NaN;
                if (d > threshold && !(late < 0.5 * step))
                {
                    gaps.Add((i, (int)Math.Min(Math.Max(double.IsNaN(late) ? Math.Round(d / step) - 1 : Math.Round(late / step), 1),
                        int.MaxValue)));
                    runs.End();
                    continue;
                }
                if (!coarse && d <= 1e-3 * step)
                {
                    doubled.Add(i);
                    continue;
                }
                if (!coarse && Math.Abs(d - step) > Math.Max(0.5 * step, 1.01 * resolution) && !(Math.Abs(late) < 0.5 * step))
                    throw uneven(i, step);
                worst = Math.Max(worst, Math.Abs(d - step));
                span += d;
                counted++;
                if (d > 0)
                    runs.Add(i, at(i));
            }
            if (counted == 0 || !(span > 0))
                throw back(rows - 1);
            runs.End();
            // Coarse times change once in several rows: between the first and the last change the rate is told to a row, whatever the ends
            // hide.
            step = coarse && runs.Rows > 0 && runs.Span > 0 ? runs.Span / runs.Rows : span / counted;
        }
        CheckEven(rows, at, step, coarse ? resolution : 0, gaps, doubled, uneven);
        bool exact = worst <= 1e-6 * step;
        double tolerance = exact ? Math.Min(resolution, 1e-3 * step) : Math.Max(resolution, 2 * worst) * (1 + gaps.Count);
        return new TimeSteps(step, gaps, doubled, rows, tolerance, (resolution > 0.05 * step && worst > 1e-3 * step)
            || resolution > 0.45 * step);
    }

    /// <summary>Rows and time between the first and the last change of coarse times, without gaps.</summary>
    private sealed class TickRuns
    {
        private int _first = -1, _last;
        private double _from, _to;

        public long Rows { get; private set; }

        public double Span { get; private set; }

        public void Add(int row, double time)
        {
            if (_first < 0)
                (_first, _from) = (row, time);
            (_last, _to) = (row, time);
        }

        public void End()
        {
            if (_first >= 0)
                (Rows, Span) = (Rows + _last - _first, Span + _to - _from);
            _first = -1;
        }
    }

    // By how much the rows from one on stand later than those before it lead to expect: means of a few rows on either side, up to the next
    // long step.
    private static double Late(int rows, Func<int, double> at, int row, double step, double threshold)
    {
        const int Max = 6;
        double before = 0, after = 0;
        int back = 0, ahead = 0;
        for (int i = row - 1; i >= 0 && back < Max && (back == 0 || at(i + 1) - at(i) <= threshold); i--, back++)
            before += at(i) - ((i - row) * step);
        for (int i = row; i < rows && ahead < Max && (ahead == 0 || at(i) - at(i - 1) <= threshold); i++, ahead++)
            after += at(i) - ((i - row) * step);
        return (after / ahead) - (before / back);
    }

    // Coarse times are even if every one lies within its rounding of a line. Fine ones have been looked at step by step; together they may
    // be off by eight steps (transmission in blocks) or by 2% (a clock's drift). More is a rate that changes within the table: at 125 Hz
    // and then 100 Hz no single step stands out.
    private static void CheckEven(int rows, Func<int, double> at, double step, double resolution, List<(int Row, int Missing)> gaps,
        List<int> doubled, Func<int, double, Exception> uneven)
    {
        double origin = at(0);
        int since = 0, gap = 0, twice = 0;
        for (int i = 1; i < rows; i++)
        {
            if (twice < doubled.Count && doubled[twice] == i)
            {
                twice++;
                continue;
            }
            since++;
            double elapsed = at(i) - origin, tolerance = resolution > 0 ? step + (1.6 * resolution) : Math.Max(8 * step, 0.02 * elapsed);
            if (gap < gaps.Count && gaps[gap].Row == i)
            {
                gap++;
                (since, origin) = (0, at(i));
            }
            else if (Math.Abs(elapsed - (since * step)) > tolerance)
            {
                throw uneven(i, step);
            }
        }
    }

    // The median step of rows so far apart, over their distance, and the share of steps that are equal to it.
    private static (double Median, double Same) Median(int rows, Func<int, double> at, int lag, double resolution)
    {
        int count = rows - lag, stride = (count + Probes - 1) / Probes;
        var steps = new List<double>(Math.Min(count, Probes));
        for (int i = lag; i < rows; i += stride)
            steps.Add((at(i) - at(i - lag)) / lag);
        steps.Sort();
        double median = steps[steps.Count / 2];
        return (median, steps.Count(s => Math.Abs(s - median) < 1e-3 * resolution) / (double)steps.Count);
    }
}
