namespace UniCardio.Signals.Beats;

/// <summary>
/// Which candidates are beats: the path of largest total log-odds through the candidates of the last seconds, where each brings its own
/// (strength beside the beats' strength, agreement with templates of their shape) and each interval those of the rhythm. What lies further
/// back than the lag is final.
/// </summary>
internal sealed partial class BeatTracker
{
    private enum Proof
    {
        None,
        Part,
        Full,
    }

    private const int Capacity = 256, Templates = 4, Intervals = 12;
    private const double AgreementGain = 1 / 8.0;

    // Clarity up to which a signal is noisy; seconds without an event like a beat after which a clear signal has none, less than the lag.
    private const double OverClarity = 0.9, OverWait = 2.6, AlikeAgreement = 0.8, RecallAgreement = 0.9;

    // Pacing spikes without capture have 8 and 2.2 where they were resampled, QRS complexes up to 2.3 and 2.6, paced ones up to 12 and 1.3.
    private const double SpikeAbruptness = 5, SpikeSharpness = 1.7;

    // Response of the narrow wavelet over that of the wide one: 0.27 for a Gaussian of 38 ms, 0.17 for a tone of 3.4 Hz. What is blunter
    // than the second may be a beat, but not one that is unlike all others.
    private const double MinSharpness = 0.2, BluntSharpness = 0.4;
    private readonly BeatSettings _s;
    private readonly CandidateFinder _finder;
    private readonly Candidate[] _pending = new Candidate[Capacity], _older = new Candidate[Capacity];
    private readonly double[] _scratch = new double[Capacity], _sorted = new double[Capacity], _intervals = new double[Intervals],
        _sortedIntervals = new double[Intervals];
    private readonly int[] _path = new int[Capacity];
    private readonly float[][] _templates;
    private readonly double[] _templateWeight = new double[Templates], _sharpness = new double[Templates], _templateLevel =
        new double[Templates];
    private readonly double _rate;
    private int _count, _olderCount, _intervalCount, _nextInterval;
    private bool _tracking;
    private int _sign = 1;
    private double _level, _wideLevel, _afterStrength, _afterWide, _recentAgreement, _sureLevel, _sureSharpness, _noise, _expected,
        _spread = 0.3;
    private Candidate _anchor;
    private bool _hasAnchor;
    // Time counts from the first event, so that what stands still before it changes nothing.
    private long _origin = -1, _lastCommit, _lastAlike, _trackedSince, _doubtfulSince = long.MaxValue;
    private readonly double _floor;
    private readonly bool _allowsInversion, _assumesRhythm;

    public BeatTracker(BeatSettings settings, CandidateFinder finder, double floor, bool allowsInversion, bool assumesRhythm)
    {
        _assumesRhythm = assumesRhythm;
        _floor = floor;
        _allowsInversion = allowsInversion;
        _s = settings;
        _finder = finder;
        _rate = finder.Rate;
        _templates = new float[Templates][];
        for (int i = 0; i < Templates; i++)
            _templates[i] = new float[finder.ShapeLength];
    }

    /// <summary>Shapes that must be kept: those of pending candidates and some that are dropped before they get here.</summary>
    public const int Slots = 320;

    public bool IsInverted => _s.IsPulse ? _sign < 0 : _tracking && Deflection(0).Sign < 0;

    public bool IsTracking => _tracking;

    /// <summary>Whether no event has come yet.</summary>
    public bool IsEmpty => _origin < 0;

    /// <summary>When a candidate above the floor came last, and when any did (work samples).</summary>
    public long LastLarge { get; private set; } = long.MinValue / 2;

    public long LastSmall { get; private set; } = long.MinValue / 2;

    /// <summary>Where a template's largest deflection lies from its middle (s), and which way it points.</summary>
    public (double Offset, int Sign) Deflection(int template)
    {
        float[] t = _templates[Math.Max(0, template)];
        int middle = t.Length / 2, best = middle;
        for (int i = 0; i < t.Length; i++)
        {
            if (Math.Abs(i - middle) * _finder.ShapeStep <= 0.06 && Math.Abs(t[i]) > Math.Abs(t[best]))
                best = i;
        }
        return ((best - middle) * _finder.ShapeStep, t[best] < 0 ? -1 : 1);
    }

    public void Add(in Candidate candidate)
    {
        if (_origin < 0)
            _origin = candidate.At;
        LastSmall = candidate.At;
        if (candidate.Strength < _floor || (_tracking && candidate.IsBlurred))
            return;
        LastLarge = candidate.At;
        if (_tracking && _s.IsPulse && candidate.Sign != _sign)
            return;
        if (_count == Capacity)
            Drop(1);
        _pending[_count] = candidate;
        if (_tracking)
            Weigh(ref _pending[_count]);
        _count++;
    }

    /// <summary>Decides what can be decided at a work sample.</summary>
    public void Decide(long now, bool final, BeatSink commit)
    {
        if (!_tracking)
        {
            if (!Learn(now, final))
            {
                // What may be a rhythm keeps its beats until it is known.
                int old = 0;
                while (old < _count && _pending[old].At < Math.Min(_doubtfulSince, now) - (long)((_s.Learning + 1) * _rate))
                    old++;
                PutAside(old, now);
                return;
            }
            Recall();
            foreach (ref Candidate c in _pending.AsSpan(0, _count))
                Weigh(ref c);
        }
        Track(now, final ? long.MaxValue : now - (long)(_s.Lag * _rate), commit);
        if (_tracking && ((now - Math.Max(_lastCommit, 0) > (long)((_s.Silence + _s.Lag) * _rate)) || IsLost))
        {
            _tracking = false;
            _hasAnchor = false;
        }
    }

    // Whether what is followed is no rhythm any longer but noise: irregular, unlike the beats, and smaller than they were, so that they
    // would be seen if there were any.
    private bool IsLost => !_assumesRhythm && _recentAgreement < _s.LostAgreement && Clarity < 0.4 && _spread > 0.3
        && _level < 0.8 * _sureLevel;

    // Whether the rhythm is at an end: nothing like a beat came for some time, nor comes until now, and what does is as blunt and uneven
    // as the waves of ventricular fibrillation. In noise a rhythm is followed for longer, a regular one until it is silent.
    private bool IsOver(long now, int n)
    {
        if (_assumesRhythm || !_hasAnchor)
            return false;
        if (_s.IsPulse)
            return IsRandom();
        bool isClear = Clarity > OverClarity;
        double unlike = (now - Math.Max(_lastAlike, _trackedSince)) / _rate;
        if (unlike < (isClear ? Math.Max(OverWait, 2.5 * _expected) : _s.Lag + Math.Max(1.5, 2 * _expected)))
            return false;
        for (int i = 0; i < _count; i++)
        {
            if (_pending[i].Sign == _sign && IsAlike(_pending[i]))
                return false;
        }
        if (n < 3)
            return false;
        if (!isClear)
            return _spread >= 0.25 || AreSpikes(n);
        return Middle(n, static c => c.Sharpness) < BluntSharpness && PathSpread(n) > 0.12;
    }

    // The path that ends with an event, latest first; its length.
    private int Trace(int end)
    {
        int n = 0;
        for (int i = end; i >= 0; i = _pending[i].Before)
            _path[n++] = i;
        return n;
    }

    // Mean deviation of the logarithms of the path's intervals from their median.
    private double PathSpread(int n)
    {
        for (int i = 0; i < n; i++)
            _sorted[i] = Math.Log((_pending[_path[i]].At - (i + 1 < n ? _pending[_path[i + 1]] : _anchor).At) / _rate);
        Array.Sort(_sorted, 0, n);
        double middle = _sorted[n / 2], sum = 0;
        for (int i = 0; i < n; i++)
            sum += Math.Abs(_sorted[i] - middle);
        return sum / n;
    }

    // Whether the last intervals are those of random times (0.55; of two together 0.4) rather than of fibrillation (0.3 and less) or of
    // early beats and their pauses, which are regular two by two.
    private bool IsRandom() => _intervalCount == Intervals && Spread(1) > 0.42 && Spread(2) > 0.3;

    // Standard deviation of the logarithms of so many intervals together, of the last ones.
    private double Spread(int together)
    {
        double sum = 0, squares = 0;
        int n = Intervals - together + 1;
        for (int i = 0; i < n; i++)
        {
            double t = _intervals[(_nextInterval + i) % Intervals];
            if (together == 2)
                t += _intervals[(_nextInterval + i + 1) % Intervals];
            (sum, squares) = (sum + Math.Log(t), squares + Math.Log(t) * Math.Log(t));
        }
        return Math.Sqrt(Math.Max(0, squares - sum * sum / n) / (n - 1));
    }

    private bool IsAlike(in Candidate c) => c.Agreement > AlikeAgreement && c.Strength > 0.5 * _sureLevel;

    private void Track(long now, long until, BeatSink commit)
    {
        int length = Trace(BestPath(now));
        if (until < long.MaxValue && IsOver(now, length))
        {
            _tracking = false;
            _hasAnchor = false;
            return;
        }
        int done = 0;
        for (int k = length - 1; k >= 0 && _pending[_path[k]].At <= until; k--)
        {
            int at = _path[k];
            for (; done < at; done++)
                Reject(_pending[done]);
            done = at + 1;
            Candidate next = k > 0 ? _pending[_path[k - 1]] : default;
            Commit(_pending[at], k > 0, next, commit);
            Follow(at, k > 0 ? next.At : now);
        }
        while (done < _count && _pending[done].At <= until)
            Reject(_pending[done++]);
        Drop(done);
    }

    private int BestPath(long now)
    {
        int best = -1;
        double bestScore = 0;
        for (int i = 0; i < _count; i++)
        {
            ref Candidate c = ref _pending[i];
            c.Before = -1;
            c.Path = double.NegativeInfinity;
            if (c.Sign != _sign || c.IsBlurred)
                continue;
            double from = _hasAnchor ? Transition(_anchor, c) : 0;
            int before = -1;
            for (int j = i - 1; j >= 0; j--)
            {
                double t = (c.At - _pending[j].At) / _rate;
                if (t > (_tracking ? _s.LongestPause : _s.MaxInterval))
                    break;
                if (t > _s.MaxInterval && _s.IsPulse && !(c.Agreement > 0.95 && _pending[j].Agreement > 0.95))
                    continue;
                if (t < _s.MinInterval)
                    continue;
                double score = _pending[j].Path + Transition(_pending[j], c);
                if (score > from || double.IsNegativeInfinity(from))
                    (from, before) = (score, j);
            }
            c.Path = from + c.Odds;
            c.Before = before;
            if (c.Path > bestScore)
                (bestScore, best) = (c.Path, i);
        }
        return best;
    }

    // Log-odds of an interval.
    private double Transition(in Candidate a, in Candidate b)
    {
        double t = (b.At - a.At) / _rate;
        if (t < _s.MinInterval)
            return double.NegativeInfinity;
        double score = 0;
        if (_expected > 0)
        {
            double spread = Math.Clamp(1.5 * _spread, 0.08, 0.5), r = Math.Log(t / _expected) / spread;
            score = (_s.RhythmWeight + _s.RegularWeight * Regularity) * (_s.RhythmClear - Clarity) * (2 * Math.Exp(-r * r / 2) - 1);
            // After a long pause the rhythm says little; but a pause is no better than the beats that it would leave out.
            // A beat that has become small comes when it is due.
            if (b.Withheld > 0 && t < 2.5 * _expected)
                score += b.Withheld * Regularity * Math.Clamp(2 - (20 * Math.Abs((t / _expected) - Math.Round(t / _expected))), 0, 1);
            if (t > 2.5 * _expected)
                score = Math.Max(score, -_s.PauseWeight);
        }
        double late = Math.Clamp((_s.AfterWave.None - t) / (_s.AfterWave.None - _s.AfterWave.Full), 0, 1);
        // A T wave is broad: its shape counts like its strength. An early beat looks like a beat.
        double ratio = b.Strength / a.Strength;
        if (ratio < 1)
            ratio *= Math.Clamp(Math.Sqrt(Sharpness(b) / Sharpness(a)), 0.3, 1);
        // What is much larger than that which follows the other beats is no T wave.
        if (b.IsUncommon && t > Math.Min(0.24, _expected > 0 ? 0.7 * _expected : 1)
            && (b.Strength > 0.5 * a.Strength || b.Wide > 0.5 * a.Wide))
            return score;
        bool alike = a.Template == b.Template && Math.Min(a.Agreement, b.Agreement) > 0.85;
        double weak = Math.Clamp(((alike ? 0.5 : 0.75) - ratio) / 0.25, 0, 1);
        return score - _s.AfterWaveWeight * late * weak;
    }

    private void Commit(in Candidate c, bool hasNext, in Candidate next, BeatSink commit)
    {
        double interval = _hasAnchor ? (c.At - _anchor.At) / _rate : 0;
        if (interval > 0 && interval <= _s.MaxInterval)
        {
            _intervals[_nextInterval] = interval;
            _nextInterval = (_nextInterval + 1) % Intervals;
            _intervalCount = Math.Min(_intervalCount + 1, Intervals);
            Rhythm();
        }
        _level *= Math.Exp(0.12 * Math.Clamp(Math.Log(c.Strength / _level), -0.7, 0.7));
        if (c.Wide > 0 && _wideLevel > 0)
            _wideLevel *= Math.Exp(0.12 * Math.Clamp(Math.Log(c.Wide / _wideLevel), -0.7, 0.7));
        _recentAgreement += AgreementGain * (Math.Max(0, c.Agreement) - _recentAgreement);
        if (IsAlike(c))
            _lastAlike = c.At;
        if (c.Agreement > 0.9 && Clarity > 0.8)
        {
            _sureLevel += AgreementGain * (_level - _sureLevel);
            _sureSharpness += AgreementGain * (c.Sharpness - _sureSharpness);
        }
        // A shape of its own may be a beat; more of them, each another one, are noise.
        if (c.Agreement < _s.OddAgreement)
            _noise *= Math.Exp(_s.OddGain * Math.Clamp(Math.Log(c.Strength / _noise), -1, 1));
        if (c.Agreement > 0.6 || c.Odds - c.Forgiven > _s.StrengthWeight * 0.3)
            Teach(c);
        _anchor = c;
        _hasAnchor = true;
        _lastCommit = c.At;
        commit(c, hasNext, next);
    }

    // What follows a beat and is none.
    private void Follow(int beat, long until)
    {
        if (_afterStrength <= 0 || until - _pending[beat].At < 0.4 * _rate)
            return;
        (double strength, double wide) = After(beat, until);
        _afterStrength *= Math.Exp(0.2 * Math.Clamp(Math.Log(strength / _afterStrength), -0.7, 0.7));
        if (wide > 0 && _afterWide > 0)
            _afterWide *= Math.Exp(0.2 * Math.Clamp(Math.Log(wide / _afterWide), -0.7, 0.7));
    }

    private void Rhythm()
    {
        if (_intervalCount < 3)
            return;
        Array.Copy(_intervals, _sortedIntervals, _intervalCount);
        Array.Sort(_sortedIntervals, 0, _intervalCount);
        _expected = _intervalCount % 2 == 1 ? _sortedIntervals[_intervalCount / 2]
            : Math.Sqrt(_sortedIntervals[_intervalCount / 2] * _sortedIntervals[_intervalCount / 2 - 1]);
        double sum = 0;
        for (int i = 0; i < _intervalCount; i++)
            sum += Math.Abs(Math.Log(_intervals[i] / _expected));
        _spread = sum / _intervalCount;
    }

    private void Reject(in Candidate c)
    {
        if (_s.IsPulse && c.Sign != _sign)
            return;
        _noise *= Math.Exp(_s.NoiseGain * Math.Clamp(Math.Log(c.Strength / _noise), -1, 1));
    }

    // Events from before the stretch that a rhythm is learned from, for twice as long again.
    private void PutAside(int count, long now)
    {
        long from = now - (long)((3 * _s.Learning + 1) * _rate);
        int old = 0;
        while (old < _olderCount && (_older[old].At < from || _olderCount - old + count > Capacity))
            old++;
        Array.Copy(_older, old, _older, 0, _olderCount - old);
        _olderCount -= old;
        for (int i = 0; i < count; i++)
        {
            if (_pending[i].At >= from)
                _older[_olderCount++] = _pending[i];
        }
        Drop(count);
    }

    // A rhythm that is known makes those of them beats that are like its own, back to the first that is not there.
    private void Recall()
    {
        int n = 0;
        for (int i = 0; i < _olderCount; i++)
        {
            ref Candidate c = ref _older[i];
            if (c.Sign != _sign || c.IsBlurred)
                continue;
            Weigh(ref c);
            if (c.Agreement > (_s.IsPulse ? 0.97 : RecallAgreement) && c.Strength > 0.5 * _level && c.Strength < 2 * _level)
                _older[n++] = c;
        }
        n = Math.Min(n, Capacity - _count);
        Array.Copy(_pending, 0, _pending, n, _count);
        Array.Copy(_older, _pending, n);
        _count += n;
        _olderCount = 0;
    }

    private void Drop(int count)
    {
        if (count <= 0)
            return;
        Array.Copy(_pending, count, _pending, 0, _count - count);
        _count -= count;
    }
}

internal delegate void BeatSink(in Candidate beat, bool hasNext, in Candidate next);
