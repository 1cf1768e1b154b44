namespace UniCardio.Evaluation.Attention;

/// <summary>Which signal each token is of and when.</summary>
/// <param name="Signal">[tokens] number of the signal.</param>
/// <param name="Time">[tokens] token of its signal, from 0.</param>
internal sealed record TokenAxis(int[] Signal, int[] Time)
{
    /// <summary>Signals one after the other.</summary>
    /// <param name="signals">Their numbers.</param>
    /// <param name="tokens">Tokens of each.</param>
    public static TokenAxis Of(IReadOnlyList<int> signals, int tokens) =>
        new([.. signals.SelectMany(s => Enumerable.Repeat(s, tokens))], [.. signals.SelectMany(_ => Enumerable.Range(0, tokens))]);
}

/// <summary>What attention looks at, of one head over windows: other signals or its own, the same time or another, and at which lag.
/// Definitions ours (none are published for these networks).</summary>
/// <remarks>
/// A_ij is the weight of query i on key j, m the signal, t the time. Cross = mean_i sum_j A_ij [m(j) != m(i)], by chance the share of
/// such keys. Alignment = mean_i of the share of that which falls on |t(j) - t(i)| &lt;= 1, by chance the share of such keys. Lag profile
/// P_ab(k) = mean over queries i of signal a of A_ij at the keys of b with t(j) - t(i) = k: a pulse that comes after the R peak has its
/// peak at +delay for queries of the ECG on keys of the PPG.
/// </remarks>
internal sealed class AttentionShape
{
    private readonly TokenAxis _queries, _keys;
    private readonly int _signals, _lags;
    private readonly double[] _profile;
    private readonly double[] _profileCount;
    private double _cross, _crossChance, _aligned, _alignedChance;
    private int _count, _alignedCount;

    /// <param name="queries">The queries.</param>
    /// <param name="keys">The keys.</param>
    public AttentionShape(TokenAxis queries, TokenAxis keys)
    {
        (_queries, _keys) = (queries, keys);
        _signals = Math.Max(queries.Signal.Max(), keys.Signal.Max()) + 1;
        _lags = Math.Max(queries.Time.Max(), keys.Time.Max());
        _profile = new double[_signals * _signals * ((2 * _lags) + 1)];
        _profileCount = new double[_profile.Length];
    }

    /// <summary>Share of the weight on other signals.</summary>
    public double Cross => _cross / _count;

    /// <summary>The same by chance.</summary>
    public double CrossChance => _crossChance / _count;

    /// <summary>Share of the weight on other signals that falls on the same time, a token more or less; NaN if there is none.</summary>
    public double Alignment => _aligned / _alignedCount;

    /// <summary>The same by chance.</summary>
    public double AlignmentChance => _alignedChance / _alignedCount;

    /// <summary>Largest lag of a profile, tokens.</summary>
    public int MaxLag => _lags;

    /// <summary>Takes in a window's weights.</summary>
    /// <param name="weights">[queries, keys] rows that sum to 1.</param>
    public void Add<T>(ReadOnlySpan<T> weights)
        where T : struct, System.Numerics.INumber<T>
    {
        int keys = _keys.Signal.Length;
        for (int i = 0; i < _queries.Signal.Length; i++)
        {
            double cross = 0, aligned = 0;
            int others = 0, near = 0;
            for (int j = 0; j < keys; j++)
            {
                double a = double.CreateChecked(weights[(i * keys) + j]);
                int lag = _keys.Time[j] - _queries.Time[i],
                    at = (((_queries.Signal[i] * _signals) + _keys.Signal[j]) * ((2 * _lags) + 1)) + lag + _lags;
                _profile[at] += a;
                _profileCount[at]++;
                if (_keys.Signal[j] == _queries.Signal[i])
                    continue;
                (cross, others) = (cross + a, others + 1);
                if (Math.Abs(lag) <= 1)
                    (aligned, near) = (aligned + a, near + 1);
            }

            _cross += cross;
            _crossChance += others / (double)keys;
            _count++;
            if (cross <= 0)
                continue;
            _aligned += aligned / cross;
            _alignedChance += near / (double)others;
            _alignedCount++;
        }
    }

    /// <summary>Share of a signal's queries on the keys of a signal.</summary>
    /// <param name="from">Signal of the queries.</param>
    /// <param name="on">Signal of the keys.</param>
    public double Share(int from, int on)
    {
        int n = (2 * _lags) + 1, at = ((from * _signals) + on) * n;
        double whole = 0;
        for (int s = 0; s < _signals; s++)
            whole += _profile.AsSpan(((from * _signals) + s) * n, n).ToArray().Sum();
        return _profile.AsSpan(at, n).ToArray().Sum() / whole;
    }

    /// <summary>Mean weight by lag, [2 <see cref="MaxLag"/> + 1], lag 0 in the middle; NaN where no pair has the lag.</summary>
    /// <param name="from">Signal of the queries.</param>
    /// <param name="on">Signal of the keys.</param>
    public double[] Profile(int from, int on)
    {
        int n = (2 * _lags) + 1, at = ((from * _signals) + on) * n;
        return [.. Enumerable.Range(at, n).Select(i => _profileCount[i] > 0 ? _profile[i] / _profileCount[i] : double.NaN)];
    }

    /// <summary>The lag with the largest mean weight within some tokens, refined by a parabola.</summary>
    /// <param name="from">Signal of the queries.</param>
    /// <param name="on">Signal of the keys.</param>
    /// <param name="most">Largest lag that is looked at, tokens.</param>
    public double Peak(int from, int on, int most)
    {
        double[] profile = Profile(from, on);
        int best = _lags;
        for (int k = Math.Max(0, _lags - most); k <= Math.Min(2 * _lags, _lags + most); k++)
            best = profile[k] > profile[best] ? k : best;
        if (best == 0 || best == 2 * _lags)
            return best - _lags;
        double a = profile[best - 1], b = profile[best], c = profile[best + 1], bend = a - (2 * b) + c;
        return best - _lags + (bend < 0 ? 0.5 * (a - c) / bend : 0);
    }
}
