using System.Numerics;
using System.Numerics.Tensors;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Patient;

/// <summary>A missing stretch told from moments of the same recording that are like it: the method of analogues (Lorenz, J Atmos Sci 26,
/// 1969) with a local ridge regression (Cleveland 1979) over the nearest ones.</summary>
/// <remarks>
/// <para>A moment is seen by the target within 0.4 s of both edges, nearer samples weighing more (exp(-t / 0.2 s)), and by each other
/// signal from 0.4 s before the stretch to 0.4 s after it, every second sample, in units of the signal's standard deviation. Every
/// place of the context where all of that and the stretch itself is measured is a candidate. No beat need be found: premature beats,
/// drifting levels and changing amplitudes are matched as they look.</para>
/// <para>Of the K = 120 nearest, weights are exp(-d / d_20), and value = m + (q - m_f) A' (A A' + l I)^-1 B, with A and B the weighted
/// deviations of what is seen and of the stretch from their means: ridge in its dual form, one K x K system. Per candidate one
/// multiply-add a sample that is seen; K^2 f / 2 for the system, f at most 950. Nothing is allocated after construction.</para>
/// <para>For one thread at a time.</para>
/// </remarks>
internal sealed class Analogues
{
    /// <summary>Samples a second that its lengths are meant for.</summary>
    public const double SampleRate = 125;

    /// <summary>Longest stretch without another signal, in samples.</summary>
    public const int LongestAlone = 375;

    private const int Edge = 50, Step = 2, Neighbours = 120, MinNeighbours = 40, MinCandidates = 1000, MinSeen = 8;
    private const double Ridge = 0.3, NearEdge = Edge / 2.0;

    private readonly int _maxLength;
    private readonly float[] _distance, _query, _weight;
    private readonly int[] _offset, _signal, _place, _nearest = new int[Neighbours];
    private readonly double[] _share = new double[Neighbours], _right = new double[Neighbours], _gram = new double[Neighbours * Neighbours];
    private readonly double[] _rows, _mean;

    /// <summary>Makes room.</summary>
    /// <param name="maxSamples">Most samples of a context.</param>
    /// <param name="maxLength">Longest stretch.</param>
    public Analogues(int maxSamples, int maxLength)
    {
        _maxLength = maxLength;
        int seen = Edge + (2 * (((maxLength + (2 * Edge)) / Step) + 2));
        (_distance, _place) = (new float[maxSamples], new int[maxSamples]);
        (_query, _weight, _offset, _signal) = (new float[seen], new float[seen], new int[seen], new int[seen]);
        (_rows, _mean) = (new double[Neighbours * seen], new double[seen]);
    }

    /// <summary>Tells a stretch.</summary>
    /// <param name="target">[n] the signal; samples that are missing are NaN, those of the stretch among them.</param>
    /// <param name="first">[n] another signal of the same time; empty for none.</param>
    /// <param name="second">[n] a third one; empty for none.</param>
    /// <param name="gap">The stretch.</param>
    /// <param name="wave">[gap] receives the value.</param>
    /// <param name="deviation">[gap] receives the standard deviation of the moments about what they have in common.</param>
    /// <returns>Whether enough moments like it were found; if not, nothing is written.</returns>
    public bool Estimate(ReadOnlySpan<float> target, ReadOnlySpan<float> first, ReadOnlySpan<float> second, SampleRange gap,
        Span<double> wave, Span<double> deviation)
    {
        if (gap.Length < 1 || gap.Length > _maxLength || target.Length > _distance.Length || gap.Start < 0 || gap.End > target.Length)
            return false;
        int seen = 0;
        See(0, target, gap, ref seen);
        int own = seen;
        See(1, first, gap, ref seen);
        See(2, second, gap, ref seen);
        if (seen < MinSeen || (seen == own && gap.Length > LongestAlone))
            return false;
        int from = 0, last = gap.Length - 1;
        for (int f = 0; f < seen; f++)
            (from, last) = (Math.Min(from, _offset[f]), Math.Max(last, _offset[f]));
        int start = -from, count = target.Length - last - start;
        if (count < MinCandidates)
            return false;
        Span<float> distance = _distance.AsSpan(0, count);
        distance.Clear();
        for (int f = 0; f < seen; f++)
        {
            ReadOnlySpan<float> signal = _signal[f] == 0 ? target : _signal[f] == 1 ? first : second;
            Accumulate(signal.Slice(start + _offset[f], count), _query[f], _weight[f], distance);
        }

        int neighbours = Select(target, start, count, gap.Length);
        if (neighbours < MinNeighbours)
            return false;
        Combine(target, first, second, seen, neighbours);
        for (int t = 0; t < gap.Length; t++)
        {
            double sum = 0, mean = 0, squares = 0;
            for (int k = 0; k < neighbours; k++)
            {
                double x = target[_nearest[k] + t];
                sum += _right[k] * x;
                mean += _share[k] * x;
                squares += _share[k] * x * x;
            }

            wave[t] = sum;
            deviation[t] = Math.Sqrt(Math.Max(0, squares - (mean * mean)));
        }

        return true;
    }

    // What is seen of the stretch in one signal.
    private void See(int number, ReadOnlySpan<float> signal, SampleRange gap, ref int seen)
    {
        if (signal.IsEmpty || SignalMoments.Of(signal) is not { Deviation: > 0 } moments)
            return;
        int before = seen, inside = 0;
        double total = 0;
        for (int offset = -Edge; offset < gap.Length + Edge; offset += Step)
        {
            int at = gap.Start + offset;
            bool isInside = offset >= 0 && offset < gap.Length;
            if (at < 0 || at >= signal.Length || float.IsNaN(signal[at]) || (number == 0 && isInside))
                continue;
            double weight = number > 0 ? 1 : Math.Exp(-(offset < 0 ? -offset - 1 : offset - gap.Length) / NearEdge);
            (_offset[seen], _signal[seen], _query[seen], _weight[seen]) = (offset, number, signal[at], (float)weight);
            total += weight;
            inside += isInside ? 1 : 0;
            seen++;
        }

        // Another signal that misses part of the stretch says nothing of it.
        if (number > 0 && inside < 0.95 * (gap.Length / Step))
            seen = before;
        for (int f = before; f < seen; f++)
            _weight[f] = (float)(_weight[f] / total / (moments.Deviation * moments.Deviation));
    }

    // distance += weight (x - query)^2, NaN where x is missing; infinite where float32 does not hold it.
    private static void Accumulate(ReadOnlySpan<float> x, float query, float weight, Span<float> distance)
    {
        int i = 0;
        var q = new Vector<float>(query);
        var w = new Vector<float>(weight);
        for (; i <= x.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> d = new Vector<float>(x[i..]) - q;
            (new Vector<float>(distance[i..]) + (w * d * d)).CopyTo(distance[i..]);
        }

        for (; i < x.Length; i++)
            distance[i] += weight * (x[i] - query) * (x[i] - query);
    }

    // The nearest candidates whose own stretch is measured; their shares of the mean.
    private int Select(ReadOnlySpan<float> target, int start, int count, int length)
    {
        int finite = 0;
        for (int c = 0; c < count; c++)
        {
            if (!float.IsFinite(_distance[c]))
                continue;
            (_distance[finite], _place[finite]) = (_distance[c], start + c);
            finite++;
        }

        // Eight seconds of places: fewer are the same few beats again and again.
        if (finite < MinCandidates)
            return 0;
        Array.Sort(_distance, _place, 0, finite);
        int found = 0;
        for (int c = 0; c < finite && found < Neighbours; c++)
        {
            if (GapFinder.CountMeasured(target.Slice(_place[c], length)) < length)
                continue;
            (_nearest[found], _share[found]) = (_place[c], _distance[c]);
            found++;
        }

        if (found < MinNeighbours)
            return found;
        double scale = Math.Max(_share[found / 6], 1e-12), total = 0;
        for (int k = 0; k < found; k++)
            total += _share[k] = Math.Exp(-_share[k] / scale);
        for (int k = 0; k < found; k++)
            _share[k] /= total;
        return found;
    }

    // Leaves in _right what each neighbour counts for, shares and ridge together; they sum to 1.
    private void Combine(ReadOnlySpan<float> target, ReadOnlySpan<float> first, ReadOnlySpan<float> second, int seen, int neighbours)
    {
        for (int f = 0; f < seen; f++)
        {
            ReadOnlySpan<float> signal = _signal[f] == 0 ? target : _signal[f] == 1 ? first : second;
            double root = Math.Sqrt(_weight[f]), mean = 0;
            for (int k = 0; k < neighbours; k++)
            {
                double x = root * signal[_nearest[k] + _offset[f]];
                _rows[(k * seen) + f] = x;
                mean += _share[k] * x;
            }

            for (int k = 0; k < neighbours; k++)
                _rows[(k * seen) + f] = (_rows[(k * seen) + f] - mean) * Math.Sqrt(_share[k]);
            _mean[f] = (root * _query[f]) - mean;
        }

        double trace = 0;
        for (int a = 0; a < neighbours; a++)
        {
            ReadOnlySpan<double> row = _rows.AsSpan(a * seen, seen);
            for (int b = 0; b <= a; b++)
                _gram[(a * neighbours) + b] = TensorPrimitives.Dot<double>(row, _rows.AsSpan(b * seen, seen));
            trace += _gram[(a * neighbours) + a];
            _right[a] = TensorPrimitives.Dot<double>(row, _mean.AsSpan(0, seen));
        }

        double ridge = Math.Max(Ridge * trace / neighbours, 1e-12);
        for (int a = 0; a < neighbours; a++)
            _gram[(a * neighbours) + a] += ridge;
        Solve(neighbours);
        double moved = 0;
        for (int k = 0; k < neighbours; k++)
            moved += Math.Sqrt(_share[k]) * _right[k];
        for (int k = 0; k < neighbours; k++)
            _right[k] = (_share[k] * (1 - moved)) + (Math.Sqrt(_share[k]) * _right[k]);
    }

    // _right <- _gram^-1 _right by Cholesky in place.
    private void Solve(int n)
    {
        for (int a = 0; a < n; a++)
        {
            Span<double> row = _gram.AsSpan(a * n, n);
            for (int b = 0; b <= a; b++)
            {
                Span<double> other = _gram.AsSpan(b * n, n);
                double sum = row[b] - TensorPrimitives.Dot<double>(row[..b], other[..b]);
                row[b] = a == b ? Math.Sqrt(Math.Max(sum, 1e-300)) : sum / other[b];
            }

            _right[a] = (_right[a] - TensorPrimitives.Dot<double>(row[..a], _right.AsSpan(0, a))) / row[a];
        }

        for (int a = n - 1; a >= 0; a--)
        {
            double sum = _right[a];
            for (int k = a + 1; k < n; k++)
                sum -= _gram[(k * n) + a] * _right[k];
            _right[a] = sum / _gram[(a * n) + a];
        }
    }
}
