namespace UniCardio.Signals.Beats;

// What an event has for being a beat: its strength, its agreement with the templates of their shapes, and what the templates learn.
internal sealed partial class BeatTracker
{
    private void Weigh(ref Candidate c)
    {
        (c.Agreement, c.Forgiven, c.Withheld) = (-1, 0, 0);
        if (c.IsBlurred)
        {
            c.Odds = double.NegativeInfinity;
            return;
        }
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
            - 8 * Math.Clamp((c.StepShare - 0.75) / 0.15, 0, 1) - (clarity > 0.95 && IsSpike(c) ? 8 : 0);
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

    private double Agreement(float[] template, int slot, int sign = 1)
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
            best = Math.Max(best, xx > 0 ? sign * xy / Math.Sqrt(xx) : -1);
        }
        return best;
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
}
