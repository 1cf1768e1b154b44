namespace UniCardio.Signals.Beats;

/// <summary>
/// Which candidates are beats: the path of largest total log-odds through the candidates of the last seconds, where each brings its own
/// (strength beside the beats' strength, agreement with templates of their shape) and each interval those of the rhythm. What lies further
/// back than the lag is final.
/// </summary>
internal sealed class BeatTracker
{
    private enum Proof
    {
        None,
        Part,
        Full,
    }

    private const int Capacity = 256, Templates = 4, Intervals = 12;
    private const double AgreementGain = 1 / 8.0;
    private readonly BeatSettings _s;
    private readonly CandidateFinder _finder;
    private readonly Candidate[] _pending = new Candidate[Capacity];
    private readonly double[] _scratch = new double[Capacity], _sorted = new double[Capacity], _intervals = new double[Intervals],
        _sortedIntervals = new double[Intervals];
    private readonly int[] _path = new int[Capacity];
    private readonly float[][] _templates;
    private readonly double[] _templateWeight = new double[Templates], _sharpness = new double[Templates], _templateLevel =
        new double[Templates];
    private readonly double _rate;
    private int _count, _intervalCount, _nextInterval;
    private bool _tracking;
    private int _sign = 1;
    private double _level, _wideLevel, _afterStrength, _afterWide, _recentAgreement, _sureLevel, _noise, _expected, _spread = 0.3;
    private Candidate _anchor;
    private bool _hasAnchor;
    // Time counts from the first event, so that what stands still before it changes nothing.
    private long _origin = -1, _lastCommit, _doubtfulSince = long.MaxValue;
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
        if (candidate.Strength < _floor)
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
                Drop(old);
                return;
            }
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

    private void Track(long now, long until, BeatSink commit)
    {
        int end = BestPath(now);
        int length = 0;
        for (int i = end; i >= 0; i = _pending[i].Before)
            _path[length++] = i;
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
            if (c.Sign != _sign)
                continue;
            double from = _hasAnchor ? Transition(_anchor, c) : 0;
            int before = -1;
            for (int j = i - 1; j >= 0; j--)
            {
                double t = (c.At - _pending[j].At) / _rate;
                if (t > _s.MaxInterval)
                    break;
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
        if (b.IsUncommon && t > Math.Min(0.24, _expected > 0 ? 0.7 * _expected : 1) && (b.Strength > 0.5 * a.Strength || b.Wide > 0.5 * a.Wide))
            return score;
        bool alike = a.Template == b.Template && Math.Min(a.Agreement, b.Agreement) > 0.85;
        double weak = Math.Clamp(((alike ? 0.5 : 0.75) - ratio) / 0.25, 0, 1);
        return score - _s.AfterWaveWeight * late * weak;
    }

    private void Weigh(ref Candidate c)
    {
        (c.Agreement, c.Forgiven, c.Withheld) = (-1, 0, 0);
        for (int t = 0; t < Templates; t++)
        {
            if (_templateWeight[t] <= 0)
                continue;
            double r = Agreement(_templates[t], c.Slot);
            if (r > c.Agreement)
                (c.Agreement, c.Template) = (r, t);
        }
        double a = Math.Log(c.Strength / _level);
        // A ventricular beat may be broad.
        c.IsUncommon = Clarity > _s.UncommonClarity && _afterStrength > 0 && !FollowsWider(c)
            && (c.Strength > _s.Uncommon * Math.Max(_afterStrength, 0.12 * _level)
                || (_afterWide > 0 && c.Wide > 2 * Math.Max(_afterWide, 0.25 * _wideLevel)));
        if (a < 0 && c.Wide > 0 && _wideLevel > 0 && Clarity > _s.WideClarity && (c.IsUncommon || !FollowsSharper(c)))
        {
            double wide = Math.Log(c.Wide / _wideLevel);
            a = Math.Max(a, Math.Min(0, Math.Log(_s.WideShare) + (wide < 0 ? 2 * wide : wide)));
        }
        double k = _s.StrengthWeight / -Math.Log(_s.Even);
        double odds = a <= 0 ? _s.StrengthWeight + k * a : _s.StrengthWeight - 6 * k * Math.Max(0, a - Math.Log(_s.Surplus));
        // In noise as large as the beats strength says little.
        double clarity = Clarity;
        double shape = Math.Clamp((c.Agreement - _s.EvenAgreement) / (1 - _s.EvenAgreement), -1, 1);
        // A template of one or two events, of which this may be one, does not yet say that it is a beat; nor does a wave of its shape that
        // is much smaller than its waves are (a P wave looks like a small QRS complex).
        if (shape > 0)
        {
            shape *= Math.Min(1, _templateWeight[c.Template] / _s.Trusted);
            double alike = Math.Clamp(1 + (Math.Log(c.Strength / _templateLevel[c.Template] / _s.Alike) / Math.Log(2)), 0, 1);
            c.Withheld = shape * (1 - alike) * _s.ShapeWeight * (1 - _s.ShapeClear * clarity);
            shape *= alike;
        }
        else if (c.Strength < _s.OddSurplus * _level && !c.IsCut)
        {
            double forgiven = _s.OddShapeClear * clarity * shape;
            shape -= forgiven;
            c.Forgiven = -forgiven * _s.ShapeWeight * (1 - _s.ShapeClear * clarity);
        }
        if (c.IsCut && c.Agreement < 0.9)
            shape = -1;
        c.Odds = (odds > 0 ? odds * clarity : odds) + _s.ShapeWeight * (1 - _s.ShapeClear * clarity) * shape
            - 8 * Math.Clamp((c.StepShare - 0.75) / 0.15, 0, 1);
    }

    // How sharp the averaged shape is that a candidate agrees with: root mean square of its steps over that of its values.
    private double Sharpness(in Candidate c) => _sharpness[Math.Max(0, c.Template)];

    // Whether a stronger event lies where the beat of a T wave would.
    private bool FollowsSharper(in Candidate c, double sharper = 0)
    {
        for (int i = 0; i < _count && _pending[i].At < c.At; i++)
        {
            ref Candidate b = ref _pending[i];
            double t = (c.At - b.At) / _rate;
            if (t < _s.AfterWave.None && t > 0.12 && b.Sign == c.Sign && b.Strength > 1.2 * c.Strength && b.Strength > 0.3 * _level
                && b.Strength * c.Wide >= sharper * c.Strength * b.Wide)
                return true;
        }
        return false;
    }

    // Whether a ventricular beat lies where that of a T wave would.
    private bool FollowsWider(in Candidate c)
    {
        for (int i = 0; i < _count && _pending[i].At < c.At; i++)
        {
            double t = (c.At - _pending[i].At) / _rate;
            if (t < _s.AfterWave.None && t > 0.12 && _pending[i].Sign == c.Sign && _pending[i].Wide > 1.5 * c.Wide
                && _pending[i].Strength > c.Strength)
                return true;
        }
        return false;
    }

    private static double SharpnessOf(ReadOnlySpan<float> shape)
    {
        double steps = 0, values = 0;
        for (int i = 1; i < shape.Length; i++)
        {
            double d = shape[i] - shape[i - 1];
            steps += d * d;
            values += (double)shape[i] * shape[i];
        }
        return Math.Sqrt(steps / (values + 1e-300)) + 1e-9;
    }

    public float QualityOf(in Candidate c) => (float)(Math.Max(0, c.Agreement) * (0.5 + 0.5 * Clarity));

    // How regular the rhythm is: 0 to 1.
    private double Regularity => _expected > 0 ? Math.Clamp((0.2 - _spread) / 0.15, 0, 1) : 0;

    private double Clarity => Math.Clamp(Math.Log(_level / _noise) / Math.Log(_s.Clear), 0.25, 1);

    private double Agreement(float[] template, int slot)
    {
        ReadOnlySpan<float> shape = _finder.ShapeOf(slot);
        double best = -1;
        for (int shift = 0; shift < 5; shift++)
        {
            double xy = 0, xx = 0;
            for (int i = 0; i < template.Length; i++)
            {
                double x = shape[i + shift];
                xy += x * template[i];
                xx += x * x;
            }
            best = Math.Max(best, xx > 0 ? xy / Math.Sqrt(xx) : -1);
        }
        return best;
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
        if (c.Agreement > 0.9 && Clarity > 0.8)
            _sureLevel += AgreementGain * (_level - _sureLevel);
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

    private void Teach(in Candidate c)
    {
        int t = c.Agreement >= 0.8 ? c.Template : -1;
        ReadOnlySpan<float> shape = _finder.ShapeOf(c.Slot).Slice(2, _finder.ShapeLength);
        if (t < 0)
        {
            // What is much larger than the beats and unlike them is an artefact rather than a beat of another kind.
            if (c.Agreement >= 0.6 || Clarity < _s.NewShapeClarity || c.Strength > _s.OddSurplus * _level)
                return;
            t = 0;
            for (int i = 1; i < Templates; i++)
                t = _templateWeight[i] < _templateWeight[t] ? i : t;
            if (_templateWeight[t] > 1)
                _templateWeight[t] *= 0.9;
            else
                SetTemplate(t, shape, 1, c.Strength);
            return;
        }
        _templateLevel[t] *= Math.Exp(0.15 * Math.Clamp(Math.Log(c.Strength / _templateLevel[t]), -0.7, 0.7));
        double norm = Norm(shape);
        double rate = Math.Max(0.1, 1 / (_templateWeight[t] + 1));
        for (int i = 0; i < shape.Length; i++)
            _templates[t][i] += (float)(rate * (shape[i] / norm - _templates[t][i]));
        Scale(_templates[t]);
        _sharpness[t] = SharpnessOf(_templates[t]);
        _templateWeight[t] = Math.Min(_templateWeight[t] + 1, 20);
    }

    private void SetTemplate(int t, ReadOnlySpan<float> shape, double weight, double level)
    {
        _templateLevel[t] = level;
        shape.CopyTo(_templates[t]);
        Scale(_templates[t]);
        _sharpness[t] = SharpnessOf(_templates[t]);
        _templateWeight[t] = weight;
    }

    private static double Norm(ReadOnlySpan<float> shape)
    {
        double sum = 0;
        foreach (float x in shape)
            sum += (double)x * x;
        return Math.Sqrt(sum) + 1e-300;
    }

    private static void Scale(Span<float> shape)
    {
        double norm = Norm(shape);
        foreach (ref float x in shape)
            x = (float)(x / norm);
    }

    private void Drop(int count)
    {
        if (count <= 0)
            return;
        Array.Copy(_pending, count, _pending, 0, _count - count);
        _count -= count;
    }

    // Learning: level, noise, polarity and templates from the pending candidates; true if they make a rhythm.
    private bool Learn(long now, bool final)
    {
        long window = (long)(_s.Learning * _rate), from = Math.Max(_origin, Math.Min(_doubtfulSince, now) - window);
        if (!final && (_origin < 0 || now - _origin < window))
            return false;
        if (_count < 2)
        {
            _doubtfulSince = long.MaxValue;
            return false;
        }
        _sign = 1;
        if (_allowsInversion)
        {
            double up = BlockLevel(from, now, 1), down = BlockLevel(from, now, -1);
            _sign = down > 1.25 * up ? -1 : 1;
        }
        _level = BlockLevel(from, now, _sign);
        if (!(_level > 0))
        {
            _doubtfulSince = long.MaxValue;
            return false;
        }
        return LearnFrom(now, final);
    }

    private bool LearnFrom(long now, bool final)
    {
        Array.Clear(_templateWeight);
        // The shape that agrees best with the others of about the level.
        for (int t = 0; t < 2; t++)
        {
            int best = -1, bestCount = 0;
            double bestSum = 0;
            for (int i = 0; i < _count; i++)
            {
                if (!IsStrong(i) || Known(i, t))
                    continue;
                ReadOnlySpan<float> shape = _finder.ShapeOf(_pending[i].Slot).Slice(2, _finder.ShapeLength);
                SetTemplate(Templates - 1, shape, 0, 0);
                double sum = 0;
                int agreeing = 0;
                for (int j = 0; j < _count; j++)
                {
                    if (!IsStrong(j) || Known(j, t))
                        continue;
                    double r = Agreement(_templates[Templates - 1], _pending[j].Slot);
                    if (r > 0.7)
                        (sum, agreeing) = (sum + r * _pending[j].Strength, agreeing + 1);
                }
                if (sum > bestSum)
                    (bestSum, best, bestCount) = (sum, i, agreeing);
            }
            if (best < 0 || (t > 0 && bestCount < 2))
                break;
            SetTemplate(t, _finder.ShapeOf(_pending[best].Slot).Slice(2, _finder.ShapeLength), bestCount, bestSum / bestCount);
        }
        _noise = _level / 4;
        _wideLevel = WideLevel();
        LearnAfterWave();
        (_expected, _spread, _intervalCount, _nextInterval) = (0, 0.3, 0, 0);
        _hasAnchor = false;
        for (int i = 0; i < _count; i++)
            Weigh(ref _pending[i]);
        int end = BestPath(now), n = 0;
        double agreement = 0, first = 0, last = 0;
        for (int i = end; i >= 0; i = _pending[i].Before)
        {
            _path[n++] = i;
            agreement += _pending[i].Agreement;
            last = n == 1 ? _pending[i].At : last;
            first = _pending[i].At;
        }
        if (n < 2)
        {
            _doubtfulSince = long.MaxValue;
            return false;
        }
        agreement /= n;
        // Noise: the median of what is not on the path.
        int others = 0;
        for (int i = 0, k = n - 1; i < _count; i++)
        {
            if (k >= 0 && _path[k] == i)
                k--;
            else if (_pending[i].Sign == _sign)
                _scratch[others++] = _pending[i].Strength;
        }
        Array.Sort(_scratch, 0, others);
        double noise = others > 0 ? _scratch[others / 2] : _level / 10;
        if (!_assumesRhythm && !IsProven(Prove(n, others, agreement, noise), now, final))
            return false;
        _noise = Math.Clamp(noise, _level / 50, _level);
        _tracking = true;
        _lastCommit = now;
        (_recentAgreement, _sureLevel) = (1, _level);
        return true;
    }

    // A rhythm proved in part must stay so for as long again as is learned from; a signal that ends before is not asked for more.
    private bool IsProven(Proof proof, long now, bool final)
    {
        long window = (long)(_s.Learning * _rate);
        bool isProven = proof == Proof.Full || (proof == Proof.Part && (now - _doubtfulSince >= window || (final && now - _origin < 2 * window)));
        _doubtfulSince = proof == Proof.Part && !isProven ? Math.Min(_doubtfulSince, now) : long.MaxValue;
        return isProven;
    }

    // What the path's n events, latest first, prove: that they are beats, that they may be, or nothing.
    // Alike, standing out from the others, and regular: each may be less so where the rest is more so.
    private Proof Prove(int n, int others, double agreement, double noise)
    {
        // Three beats are within the window at the slowest rate.
        if (n < 3)
            return Proof.None;
        for (int i = 0; i < n; i++)
            _sorted[i] = _pending[_path[i]].Strength / _templateLevel[Math.Max(0, _pending[_path[i]].Template)];
        double uneven = QuartileRatio(n);
        for (int i = 0; i < n; i++)
            _sorted[i] = _pending[_path[i]].Strength;
        Array.Sort(_sorted, 0, n);
        double middle = _sorted[n / 2];
        // Early beats and their pauses make intervals uneven, and less so two of them together.
        double irregular = Irregularity(n, 1);
        if (n >= 6)
            irregular = Math.Min(irregular, Irregularity(n, 2));
        double chaos = irregular * uneven;
        // Where next to nothing else is there, the floor took it.
        double ratio = 3 * others < n ? (_floor > 0 ? middle / _floor : double.PositiveInfinity) : middle / noise;
        // A tone: the path skips waves that are the same.
        if (Twins(n, middle) * 10 > n)
            return Proof.None;
        // Events at random times come after very short and very long intervals; and out of many events some are regular by chance.
        double order = (n >= 6 ? Math.Max(Order(n, 1), Order(n, 2)) : Order(n, 1)) - (n * Math.Clamp(Math.Log(uneven / 1.5), 0, 1)),
            need = Surprise(n, Rivals(n, middle));
        if (order < 0.5 * need)
            return Proof.None;
        if (order < need)
            return agreement >= Math.Max(_s.MinAgreement, 0.88) && ratio > 1.25 ? Proof.Part : Proof.None;
        // Few events agree by chance.
        if (n < 6)
            return agreement >= 0.95 + 0.01 * (5 - n) && ratio > 3 && chaos < 1.6 ? Proof.Full : Proof.None;
        // An alternating pulse is uneven but in time.
        if (ratio > 2 && ((agreement >= 0.95 && chaos < (irregular < 1.2 ? 2.6 : 1.7)) || (agreement >= 0.87 && chaos < 1.35 && n >= 8)))
            return Proof.Full;
        bool standsOut = ratio > 2 || (agreement >= 0.94 && ratio > 1.25);
        return agreement >= Math.Max(_s.MinAgreement, 0.88) && standsOut && chaos < (agreement >= 0.975 ? 2.5 : 2) ? Proof.Part
            : Proof.None;
    }

    // How much likelier the intervals between events so many apart are in a rhythm than at random times (nepers): by the spread of their
    // logarithms, which is about 0.55 at random times with a refractory period.
    private double Order(int n, int apart)
    {
        int m = n - apart;
        double sum = 0, squares = 0;
        for (int i = 0; i < m; i++)
        {
            double x = Math.Log(_pending[_path[i]].At - _pending[_path[i + apart]].At);
            (sum, squares) = (sum + x, squares + x * x);
        }
        double spread = m < 2 ? 0.55 : Math.Sqrt(Math.Max(0, (squares - sum * sum / m) / (m - 1)));
        return m / (double)apart * Math.Log(0.55 / Math.Max(spread, 0.03));
    }

    // What a rhythm among rivals must be likelier by: there are that many ways to pick its events.
    private static double Surprise(int n, int rivals)
    {
        double ways = 0;
        for (int i = 1; i <= rivals; i++)
            ways += Math.Log((n + i) / (double)i);
        return 6.5 + 0.7 * ways;
    }

    // Events off the path that are about as strong as those on it.
    private int Rivals(int n, double middle)
    {
        int rivals = 0;
        for (int i = 0, k = n - 1; i < _count; i++)
        {
            if (k >= 0 && _path[k] == i)
                k--;
            else if (_pending[i].Sign == _sign && _pending[i].Strength > 0.65 * middle)
                rivals++;
        }
        return rivals;
    }

    // Upper over lower quartile of the intervals between events so many apart.
    private double Irregularity(int n, int apart)
    {
        for (int i = 0; i + apart < n; i++)
            _sorted[i] = _pending[_path[i]].At - _pending[_path[i + apart]].At;
        return QuartileRatio(n - apart);
    }

    private double QuartileRatio(int n)
    {
        Array.Sort(_sorted, 0, n);
        return n < 2 ? 1 : _sorted[3 * n / 4] / _sorted[n / 4];
    }

    // Events off the path as strong as those on it and of their shape.
    private int Twins(int n, double middle)
    {
        int twins = 0;
        for (int i = 0, k = n - 1; i < _count; i++)
        {
            if (k >= 0 && _path[k] == i)
                k--;
            else if (_pending[i].Sign == _sign && _pending[i].Agreement > 0.93 && _pending[i].Strength > 0.7 * middle)
                twins++;
        }
        return twins;
    }

    private bool IsStrong(int i) => _pending[i].Sign == _sign && _pending[i].Strength > 0.25 * _level && _pending[i].Strength < 3 * _level;

    private bool Known(int i, int templates)
    {
        for (int t = 0; t < templates; t++)
        {
            if (Agreement(_templates[t], _pending[i].Slot) > 0.8)
                return true;
        }
        return false;
    }

    private double WideLevel()
    {
        int n = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_pending[i].Strength > 0.5 * _level && _pending[i].Strength < 3 * _level && _pending[i].Wide > 0)
                _sorted[n++] = _pending[i].Wide;
        }
        Array.Sort(_sorted, 0, n);
        return n == 0 ? 0 : _sorted[n / 2];
    }

    // The largest of what follows a sharp event within the time of a T wave or dicrotic wave: the median over the events.
    private void LearnAfterWave()
    {
        int n = 0;
        for (int i = 0; i < _count; i++)
        {
            if (!IsStrong(i) || FollowsSharper(_pending[i], 1.5))
                continue;
            (_sorted[n], _scratch[n]) = After(i, long.MaxValue);
            n++;
        }
        Array.Sort(_sorted, 0, n);
        Array.Sort(_scratch, 0, n);
        (_afterStrength, _afterWide) = n == 0 ? (0, 0) : (_sorted[n / 2], _scratch[n / 2]);
    }

    // Strength and width of the largest waves after a beat. What dwarfs the beat belongs to another one.
    private (double Strength, double Wide) After(int beat, long until)
    {
        double strength = 0.05 * _level, wide = 0.05 * _wideLevel;
        ref Candidate from = ref _pending[beat];
        for (int j = beat + 1; j < _count && _pending[j].At < until - 0.05 * _rate; j++)
        {
            double t = (_pending[j].At - from.At) / _rate;
            if (t >= _s.AfterWave.None)
                break;
            if (t < 0.14 || _pending[j].Sign != _sign || _pending[j].Wide > 3.5 * from.Wide)
                continue;
            strength = Math.Max(strength, _pending[j].Strength);
            wide = Math.Max(wide, _pending[j].Wide);
        }
        return (strength, wide);
    }

    // The second largest of the maxima of two-second blocks: neither one artefact nor a pause sets it.
    private double BlockLevel(long from, long now, int sign)
    {
        int blocks = Math.Clamp((int)((now - from) / (2 * _rate)), 1, 16);
        double length = (now - from + 1) / (double)blocks;
        Span<double> largest = stackalloc double[16];
        largest.Clear();
        for (int i = 0; i < _count; i++)
        {
            if (_pending[i].At < from || (_s.IsPulse && _pending[i].Sign != sign))
                continue;
            int b = Math.Clamp((int)((_pending[i].At - from) / length), 0, blocks - 1);
            largest[b] = Math.Max(largest[b], _pending[i].Strength);
        }
        largest = largest[..blocks];
        largest.Sort();
        return blocks == 1 ? largest[0] : largest[blocks - 2];
    }
}

internal delegate void BeatSink(in Candidate beat, bool hasNext, in Candidate next);
