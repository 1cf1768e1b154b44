namespace UniCardio.Signals.Beats;

// Without a rhythm: level, noise, polarity and templates from the pending events, and the proof that they are a rhythm.
internal sealed partial class BeatTracker
{
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

    // Of the beats' strength and sharpness before: P waves have 0.05 to 0.25 and 0.3 to 0.6, an electrode that moved leaves the second.
    private const double MaxRemnant = 0.3, BluntRemnant = 0.75;

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
        int n = Trace(BestPath(now));
        double agreement = 0;
        for (int i = 0; i < n; i++)
            agreement += _pending[_path[i]].Agreement;
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
        _trackedSince = now;
        (_recentAgreement, _sureLevel, _sureSharpness) = (1, _level, _wideLevel > 0 ? _level / _wideLevel : 0);
        return true;
    }

    // A rhythm proved in part must stay so for as long again as is learned from; a signal that ends before is not asked for more.
    private bool IsProven(Proof proof, long now, bool final)
    {
        long window = (long)(_s.Learning * _rate);
        bool isProven = proof == Proof.Full
            || (proof == Proof.Part && (now - _doubtfulSince >= window || (final && now - _origin < 2 * window)));
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
        if (!_s.IsPulse && AreSpikes(n))
            return Proof.None;
        for (int i = 0; i < n; i++)
            _sorted[i] = _pending[_path[i]].Strength / _templateLevel[Math.Max(0, _pending[_path[i]].Template)];
        double uneven = QuartileRatio(n);
        double middle = Middle(n, static c => c.Strength);
        // What goes on where beats were, much smaller and blunter than they, are P waves without beats.
        if (middle < MaxRemnant * _sureLevel && Middle(n, static c => c.Sharpness) < BluntRemnant * _sureSharpness)
            return Proof.None;
        // No QRS complex is as broad as the waves of a slow tone.
        if (_wideLevel > 0 && middle < MinSharpness * _wideLevel)
            return Proof.None;
        // Early beats and their pauses make intervals uneven, and less so two of them together.
        double irregular = Irregularity(n, 1);
        if (n >= 6)
            irregular = Math.Min(irregular, Irregularity(n, 2));
        double chaos = irregular * uneven;
        if (irregular > _s.MaxHumpIrregularity && AreHumps(n))
            return Proof.None;
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

    // Waves as steep behind as before, on a line that is flat between them: most pulses rise more steeply than they fall (1.4 times and
    // more in the recordings at hand), have a second wave, or have been filtered into one another. Others must be regular.
    private bool AreHumps(int n)
    {
        double skew = Middle(n, static c => c.Skew), width = Middle(n, static c => c.HalfWidth), tail = Middle(n, static c => c.Tail);
        for (int i = 0; i + 1 < n; i++)
            _sorted[i] = (_pending[_path[i]].At - _pending[_path[i + 1]].At) / _rate;
        Array.Sort(_sorted, 0, n - 1);
        return skew < _s.MinSkew && tail < _s.MinTail && width < _s.MaxHumpShare * _sorted[(n - 1) / 2];
    }

    // Pacing spikes that no wave follows; resampled, they have side lobes that a median does not take off.
    private bool AreSpikes(int n) =>
        Middle(n, static c => c.Abruptness) > SpikeAbruptness && Middle(n, static c => c.Sharpness) > SpikeSharpness;

    private static bool IsSpike(in Candidate c) => c.Abruptness > SpikeAbruptness && c.Sharpness > SpikeSharpness;

    // Median over the path.
    private double Middle(int n, Func<Candidate, double> of)
    {
        for (int i = 0; i < n; i++)
            _sorted[i] = of(_pending[_path[i]]);
        Array.Sort(_sorted, 0, n);
        return _sorted[n / 2];
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
            else if (_pending[i].Sign == _sign && _pending[i].Strength > 0.7 * middle
                && (_pending[i].IsBlurred || _pending[i].Agreement > 0.93 || IsMirrored(_pending[i].Slot)))
                twins++;
        }
        return twins;
    }

    // The other half of a tone's wave; the waves of a QRS complex are nearer to each other than two events are.
    private bool IsMirrored(int slot)
    {
        for (int t = 0; t < Templates; t++)
        {
            if (_templateWeight[t] > 0 && Agreement(_templates[t], slot, -1) > 0.93)
                return true;
        }
        return false;
    }

    private bool IsStrong(int i) => !_pending[i].IsBlurred && _pending[i].Sign == _sign
        && _pending[i].Strength > 0.25 * _level && _pending[i].Strength < 3 * _level;

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
            if (_pending[i].At < from || _pending[i].IsBlurred || (_s.IsPulse && _pending[i].Sign != sign))
                continue;
            int b = Math.Clamp((int)((_pending[i].At - from) / length), 0, blocks - 1);
            largest[b] = Math.Max(largest[b], _pending[i].Strength);
        }
        largest = largest[..blocks];
        largest.Sort();
        return blocks == 1 ? largest[0] : largest[blocks - 2];
    }
}
