using UniCardio.Signals;

namespace UniCardio.BeatCases;

/// <summary>A signal under construction: waves, noise and faults are added to it. Times in seconds.</summary>
public sealed class Drawing
{
    private readonly double[] _x;

    public Drawing(int seed, double rate, double seconds)
    {
        Random = new Random(seed);
        Rate = rate;
        Seconds = seconds;
        _x = new double[(int)(rate * seconds)];
    }

    public Random Random { get; }

    public double Rate { get; }

    public double Seconds { get; }

    public Span<double> Samples => _x;

    public List<double> Truth { get; } = [];

    public double Between(double low, double high) => low + ((high - low) * Random.NextDouble());

    public T Pick<T>(params T[] items) => items[Random.Next(items.Length)];

    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - Random.NextDouble())) * Math.Cos(2 * Math.PI * Random.NextDouble());

    public BeatCase Case(string family, int number, ChannelKind kind, string unit = "", string remark = "") =>
        new(family, $"{number} at {Rate} Hz{(remark.Length > 0 ? ", " : "")}{remark}", kind, unit, Rate, [.. _x.Select(x => (float)x)],
            [.. Truth]);

    public Drawing Map(Func<double, double, double> change)
    {
        for (int i = 0; i < _x.Length; i++)
            _x[i] = change(i / Rate, _x[i]);
        return this;
    }

    public Drawing Add(Func<double, double> wave) => Map((t, x) => x + wave(t));

    /// <summary>A Gaussian bump.</summary>
    public void Bump(double at, double height, double width)
    {
        for (int i = Math.Max(0, (int)((at - (6 * width)) * Rate)); i < Math.Min(_x.Length, (at + (6 * width)) * Rate); i++)
        {
            double u = ((i / Rate) - at) / width;
            _x[i] += height * Math.Exp(-u * u / 2);
        }
    }

    /// <summary>A rectangle; at least a sample wide.</summary>
    public void Spike(double at, double height, double width)
    {
        int first = (int)Math.Round(at * Rate), count = Math.Max(1, (int)Math.Round(width * Rate));
        for (int i = first; i < Math.Min(_x.Length, first + count); i++)
            _x[i] += height;
    }

    public Drawing White(double deviation) => Map((_, x) => x + (deviation * Normal()));

    /// <summary>Noise whose power falls with the frequency to the given exponent (0 white, 1 pink, 2 red; -1 blue), of unit deviation times
    /// the given one.</summary>
    public Drawing Coloured(double exponent, double deviation)
    {
        var n = new double[_x.Length];
        // A sum of first-order filters an octave apart is 1/f within a decibel; red and blue are an integral and a difference.
        if (exponent is 1)
        {
            for (double f = Rate / 4; f > 0.05; f /= 2)
            {
                double a = Math.Exp(-2 * Math.PI * f / Rate), y = Normal(), g = Math.Sqrt(1 - (a * a));
                for (int i = 0; i < n.Length; i++)
                    n[i] += y = (a * y) + (g * Normal());
            }
        }
        else
        {
            double y = 0, last = 0, a = exponent > 0 ? Math.Exp(-2 * Math.PI * 0.1 / Rate) : 0;
            for (int i = 0; i < n.Length; i++)
            {
                double w = Normal();
                n[i] = exponent > 0 ? y = (a * y) + w : exponent < 0 ? w - last : w;
                last = w;
            }
        }
        double mean = n.Average(), root = Math.Sqrt(n.Average(v => (v - mean) * (v - mean)));
        for (int i = 0; i < n.Length; i++)
            _x[i] += deviation * (n[i] - mean) / root;
        return this;
    }

    /// <summary>Slow wandering: respiration and drift.</summary>
    public Drawing Wander(double size)
    {
        double f = Between(0.12, 0.4), p = Between(0, 6), q = Between(0, 6);
        return Add(t => size * ((0.6 * Math.Sin((2 * Math.PI * f * t) + p)) + (0.4 * Math.Sin((2 * Math.PI * f * 0.31 * t) + q))));
    }

    /// <summary>The mains with two harmonics.</summary>
    public Drawing Mains(double size, double frequency)
    {
        double p = Between(0, 6);
        return Add(t => size * (Math.Sin((2 * Math.PI * frequency * t) + p) + (0.2 * Math.Sin((6 * Math.PI * frequency * t) + p))));
    }

    /// <summary>Bursts of muscle noise.</summary>
    public Drawing Muscle(double size)
    {
        double p = Between(0, 6), f = Between(0.1, 0.3);
        return Map((t, x) => x + (size * Math.Max(0, Math.Sin((2 * Math.PI * f * t) + p)) * Normal()));
    }

    /// <summary>Movements: bumps of 50 to 400 ms at random times.</summary>
    public Drawing Motion(double size, double perSecond)
    {
        for (double t = 0; t < Seconds; t += -Math.Log(1 - Random.NextDouble()) / perSecond)
            Bump(t, size * Normal(), Between(0.05, 0.4));
        return this;
    }

    /// <summary>Missing samples; the beats whose middle they take are true no longer.</summary>
    public Drawing Gap(double from, double to)
    {
        Map((t, x) => t >= from && t < to ? double.NaN : x);
        Truth.RemoveAll(t => t > from - 0.05 && t < to + 0.05);
        return this;
    }

    /// <summary>Times of beats from 0.7 s to 0.9 s before the end, each interval as drawn.</summary>
    public List<double> Rhythm(Func<double> interval)
    {
        var times = new List<double>();
        for (double t = 0.7; t < Seconds - 0.9; t += interval())
            times.Add(t);
        return times;
    }

    public List<double> Sinus(double rate, double variability = 0.03)
    {
        double f = Between(0.15, 0.35), p = Between(0, 6), t = 0;
        return Rhythm(() =>
        {
            double rr = 60 / rate * (1 + (variability * Math.Sin((2 * Math.PI * f * t) + p)) + (0.3 * variability * Normal()));
            t += rr;
            return rr;
        });
    }

    /// <summary>Fibrillation: independent intervals of a gamma-like law over the node's refractory time.</summary>
    public List<double> Fibrillation(double rate, double irregularity = 0.24)
    {
        double mean = 60 / rate, least = Math.Max(0.27, mean * 0.45);
        return Rhythm(() => Math.Max(least, mean * Math.Exp((irregularity * Normal()) - (irregularity * irregularity / 2))));
    }
}
