using UniCardio.Signals;

namespace UniCardio.BeatCases;

/// <summary>Waves of one lead in mV; widths are standard deviations in seconds.</summary>
internal sealed record LeadShape
{
    public double P { get; init; } = 0.12;

    public double Q { get; init; } = -0.1;

    public double R { get; init; } = 1;

    public double S { get; init; } = -0.2;

    public double T { get; init; } = 0.25;

    public double Width { get; init; } = 0.011;

    public double TWidth { get; init; } = 0.045;

    public double PWidth { get; init; } = 0.02;

    public static LeadShape Drawn(Drawing d) => new()
    {
        P = d.Between(0.05, 0.18), Q = d.Between(-0.15, 0), R = d.Between(0.6, 1.6), S = d.Between(-0.4, 0), T = d.Between(0.1, 0.35),
        Width = d.Between(0.009, 0.014), TWidth = d.Between(0.04, 0.06),
    };

    /// <summary>A ventricular beat: broad, without P, T against it.</summary>
    public static LeadShape Ventricular(Drawing d, double size)
    {
        double up = d.Pick(1.0, 1.0, -1.0);
        return new()
        {
            P = 0, Q = 0, R = size * up, S = -0.35 * size * up, T = -0.35 * size * up, Width = d.Between(0.026, 0.038), TWidth = 0.065,
        };
    }

    public void Beat(Drawing d, double at, double interval)
    {
        double k = Math.Sqrt(Math.Clamp(interval, 0.25, 1.2));
        d.Bump(at, R, Width);
        d.Bump(at - (2.2 * Width), Q, 0.8 * Width);
        d.Bump(at + (2.4 * Width), S, Width);
        d.Bump(at + (0.29 * k) + (Width * 1.5), T, TWidth * k);
        d.Bump(at - (0.155 * k), P, PWidth * Math.Min(1, k * 1.2));
    }
}

internal static class EcgFamilies
{
    private const double Length = 60;

    public static IReadOnlyList<BeatFamily> All { get; } =
    [
        Make("sinus, 20 to 300 a minute", (d, i) => Sinus(d, 20 + (280 * ((i * 7) % 20) / 19.0))),
        Make("sinus at 60 to 1000 Hz", (d, i) => Sinus(d, d.Between(45, 130)), 60, 75, 100, 128, 180, 200, 257, 360, 400, 512, 1000),
        Make("tall T, 1.0 to 1.5 R", TallT),
        Make("bigeminy, small normal beats", Bigeminy),
        Make("atrial pacing", (d, i) => Paced(d, atrial: true)),
        Make("ventricular pacing", (d, i) => Paced(d, atrial: false)),
        Make("pacing without capture at times", Failing),
        Make("spikes 20 to 200 times R", Spikes),
        Make("fibrillation", (d, i) => Fibrillation(d, 0)),
        Make("fibrillation with early beats", (d, i) => Fibrillation(d, d.Between(0.05, 0.2))),
        Make("fibrillation with early beats in noise", (d, i) =>
        {
            Fibrillation(d, d.Between(0.05, 0.2));
            d.White(d.Between(0.03, 0.1)).Wander(0.3);
        }),
        Make("early ventricular beats, couplets", Ectopy),
        Make("Wenckebach and blocked beats", Wenckebach),
        Make("complete block, P waves march through", CompleteBlock),
        Make("ventricular tachycardia", Tachycardia),
        Make("mains, 0.1 to 0.5 R", (d, i) =>
        {
            Sinus(d, d.Between(45, 150));
            d.Mains(d.Between(0.1, 0.5), d.Pick(50.0, 60.0));
        }, 200, 250, 360, 500),
        Make("white noise, 6 to 20 dB", (d, i) =>
        {
            Sinus(d, d.Between(45, 150));
            d.White(d.Between(0.02, 0.1));
        }),
        Make("muscle and wander", (d, i) =>
        {
            Sinus(d, d.Between(45, 150));
            d.Muscle(d.Between(0.05, 0.2)).Wander(d.Between(0.3, 2));
        }),
        Make("motion", (d, i) =>
        {
            Sinus(d, d.Between(45, 120));
            d.Motion(d.Between(0.3, 0.8), 0.6).White(0.02);
        }),
        Make("gaps", (d, i) =>
        {
            Sinus(d, d.Between(50, 130));
            d.White(0.01);
            for (double t = d.Between(3, 9); t < 55; t += d.Between(6, 14))
                d.Gap(t, t + d.Between(0.02, 2.5));
        }),
        Make("small, 0.05 to 0.2 mV", (d, i) =>
        {
            Sinus(d, d.Between(50, 120));
            double gain = d.Between(0.05, 0.2);
            d.Map((_, x) => x * gain).White(0.004);
        }),
        Make("clipped", (d, i) =>
        {
            Sinus(d, d.Between(50, 120));
            double limit = d.Between(0.25, 0.5);
            d.White(0.01).Map((_, x) => Math.Clamp(x, -limit, limit));
        }),
        Make("pauses of 3 to 7 s", (d, i) =>
        {
            var shape = LeadShape.Drawn(d);
            double rate = d.Between(45, 100), pause = d.Between(15, 20);
            foreach (double t in d.Rhythm(() => 60 / rate * (1 + (0.02 * d.Normal()))).Where(t => t % pause > pause - d.Between(8, 12)))
                Put(d, t, shape, 60 / rate);
            d.White(0.008);
        }),
        Make("beats, then asystole with 5 uV", (d, i) =>
        {
            Sinus(d, d.Between(50, 120), until: d.Between(15, 40));
            d.White(0.005);
        }),
        Make("beats, then ventricular fibrillation", (d, i) => Ends(d, (e, from) =>
        {
            double phase = 0, f0 = e.Between(4, 7), f = f0, size = 0.5, r = Math.Exp(-1 / (0.4 * e.Rate)), q = Math.Sqrt(1 - (r * r));
            e.Map((t, x) =>
            {
                (f, size) = (f0 + (r * (f - f0)) + (q * 0.8 * e.Normal()), 0.5 + (r * (size - 0.5)) + (q * 0.2 * e.Normal()));
                return t < from ? x : x + (Math.Min(1, t - from) * size * Math.Sin(2 * Math.PI * (phase += f / e.Rate)));
            });
        })),
        Make("beats, then noise", (d, i) => Ends(d, (e, from) =>
        {
            double size = e.Between(0.1, 0.5);
            e.Map((t, x) => t < from ? x : x + (size * e.Normal()));
        })),
        Make("beats, then movements", (d, i) => Ends(d, (e, from) =>
        {
            for (double t = from; t < e.Seconds; t -= Math.Log(1 - e.Random.NextDouble()) / 2)
                e.Bump(t, e.Normal(), e.Between(0.02, 0.3));
        })),
        Make("electrode off and on", (d, i) =>
        {
            Sinus(d, d.Between(50, 120));
            double from = d.Between(20, 30), to = from + d.Between(4, 12), level = d.Pick(-5, 0, 5);
            d.White(0.005).Map((t, x) => t > from && t < to ? level : x + (t >= to ? 1.5 * Math.Exp((to - t) / 0.8) : 0));
            d.Truth.RemoveAll(t => t > from - 0.06 && t < to + 0.06);
        }),
        Make("shock and recovery", (d, i) =>
        {
            Sinus(d, d.Between(60, 120));
            double at = d.Between(20, 35), size = d.Between(20, 200);
            d.White(0.01).Map((t, x) => x + (t < at ? 0 : t < at + 0.02 ? size : -0.3 * size * Math.Exp((at - t) / 0.5)));
        }),
        Make("units: uV, V, none with gain", (d, i) =>
        {
            Sinus(d, d.Between(50, 120));
            d.White(0.01);
        }, units: ["uV", "V", ""]),
    ];

    private static BeatFamily Make(string name, Action<Drawing, int> draw, params double[] rates) => Make(name, draw, ["mV"], rates);

    private static BeatFamily Make(string name, Action<Drawing, int> draw, string[] units, params double[] rates)
    {
        if (rates.Length == 0)
            rates = [125, 250, 250, 360, 500];
        return new BeatFamily("ECG: " + name, i =>
        {
            var d = new Drawing((name.Length * 7919) + (i * 104729), rates[i % rates.Length], Length);
            draw(d, i);
            string unit = units[i % units.Length];
            double gain = unit switch { "uV" => 1000, "V" => 0.001, "" => Math.Pow(10, d.Between(-3, 3)), _ => 1 },
                sign = i % 4 == 3 ? -1 : 1, offset = i % 3 == 1 ? d.Between(-3, 3) : 0;
            d.Map((_, x) => gain * ((sign * x) + offset));
            return d.Case("ECG: " + name, i, ChannelKind.Ecg, unit, sign < 0 ? "inverted" : "");
        });
    }

    private static void Put(Drawing d, double at, LeadShape shape, double interval)
    {
        shape.Beat(d, at, interval);
        d.Truth.Add(at);
    }

    private static void Sinus(Drawing d, double rate, double until = double.MaxValue)
    {
        LeadShape shape = LeadShape.Drawn(d);
        // At 200 a minute and more the P wave is in the T wave before it.
        if (rate > 180)
            shape = shape with { P = 0, T = Math.Min(shape.T, 0.2), TWidth = 0.04 };
        foreach (double t in d.Sinus(rate).Where(t => t < until))
            Put(d, t, shape, 60 / rate);
    }

    private static void Ends(Drawing d, Action<Drawing, double> after)
    {
        double from = d.Between(15, 40);
        Sinus(d, d.Between(50, 120), from);
        after(d, from + 0.5);
        d.White(0.005);
    }

    private static void TallT(Drawing d, int i)
    {
        double rate = d.Between(45, 130);
        LeadShape drawn = LeadShape.Drawn(d),
            shape = drawn with { T = drawn.R * (1 + (0.5 * (i % 10) / 9.0)), TWidth = d.Between(0.035, 0.06) };
        foreach (double t in d.Sinus(rate))
            Put(d, t, shape, 60 / rate);
        d.White(0.01);
    }

    private static void Bigeminy(Drawing d, int i)
    {
        double mean = 60 / d.Between(55, 95), early = d.Between(0.5, 0.65);
        LeadShape normal = LeadShape.Drawn(d), small = normal with { R = d.Between(0.25, 0.5), Q = -0.05, S = -0.1, T = 0.08, P = 0.05 },
            wide = LeadShape.Ventricular(d, d.Between(1, 1.6));
        for (double t = 0.7; t < Length - 1.6; t += 2 * mean)
        {
            Put(d, t, small, mean);
            Put(d, t + (early * mean) + (0.005 * d.Normal()), wide, mean);
        }
        d.White(0.01);
    }

    private static void Paced(Drawing d, bool atrial)
    {
        double rate = d.Between(55, 110), before = atrial ? d.Between(0.12, 0.2) : d.Between(0.02, 0.05), height = d.Between(0.8, 6)
            * d.Pick(1, -1), width = d.Pick(0.0005, 0.002);
        LeadShape shape = atrial ? LeadShape.Drawn(d) : LeadShape.Ventricular(d, d.Between(0.7, 1.4));
        foreach (double t in d.Rhythm(() => 60 / rate))
        {
            d.Spike(t - before, height, width);
            Put(d, t, shape, 60 / rate);
        }
        d.White(0.01);
    }

    private static void Failing(Drawing d, int i)
    {
        double rate = d.Between(60, 80), height = d.Between(1, 4);
        LeadShape shape = LeadShape.Ventricular(d, 1.1);
        int k = 0, run = 0;
        bool captures = true;
        foreach (double t in d.Rhythm(() => 60 / rate))
        {
            if (run-- == 0)
                (captures, run) = (!captures, captures ? d.Random.Next(1, 4) : d.Random.Next(6, 15));
            d.Spike(t - 0.04, height, 0.002);
            if (captures || k++ == 0)
                Put(d, t, shape, 60 / rate);
        }
        d.White(0.01);
    }

    private static void Spikes(Drawing d, int i)
    {
        Sinus(d, d.Between(50, 120));
        d.White(0.01);
        int count = d.Random.Next(1, 5);
        for (int k = 0; k < count; k++)
            d.Spike(d.Between(2, 55), d.Pick(1, -1) * d.Between(20, 200), d.Pick(0.001, 0.004, 0.02));
    }

    private static void Fibrillation(Drawing d, double early)
    {
        double rate = d.Between(60, 160);
        LeadShape shape = LeadShape.Drawn(d) with { P = 0 }, wide = LeadShape.Ventricular(d, d.Between(0.8, 1.6));
        double last = 0, f = d.Between(4.5, 8), size = d.Between(0.02, 0.08);
        bool wasEarly = false;
        foreach (double regular in d.Fibrillation(rate))
        {
            double t = regular;
            bool isEarly = d.Random.NextDouble() < early && !wasEarly;
            if (isEarly)
                t = Math.Min(regular, last + Math.Max(0.33, 0.6 * 60 / rate));
            if (t - last < 0.26)
                continue;
            Put(d, t, isEarly ? wide : shape, 60 / rate);
            (last, wasEarly) = (t, isEarly);
        }
        d.Add(t => size * Math.Sin((2 * Math.PI * f * t) + (2 * Math.Sin(1.7 * t)))).White(0.01);
    }

    private static void Ectopy(Drawing d, int i)
    {
        double rr = 60 / d.Between(55, 100), share = d.Between(0.08, 0.3);
        LeadShape shape = LeadShape.Drawn(d), wide = LeadShape.Ventricular(d, d.Between(0.8, 1.8));
        for (double t = 0.7; t < Length - 0.9;)
        {
            Put(d, t, shape, rr);
            if (d.Random.NextDouble() < share && t < Length - 4)
            {
                int run = d.Random.Next(1, 4);
                double early = d.Between(0.5, 0.75) * rr;
                for (int k = 0; k < run; k++)
                    Put(d, t += Math.Max(0.3, early), wide, rr);
                t += 1.3 * rr;
            }
            else
            {
                t += rr * (1 + (0.02 * d.Normal()));
            }
        }
        d.White(0.015);
    }

    private static void Wenckebach(Drawing d, int i)
    {
        double pp = 60 / d.Between(60, 100);
        LeadShape shape = LeadShape.Drawn(d) with { P = 0 };
        int cycle = d.Random.Next(2, 6), k = 0;
        foreach (double t in d.Rhythm(() => pp * (1 + (0.01 * d.Normal()))))
        {
            d.Bump(t - 0.16, d.Between(0.1, 0.16), 0.02);
            k = (k + 1) % cycle;
            if (k != 0 || cycle == 1)
                Put(d, t + (0.12 * (1 - Math.Pow(0.5, k - 1))), shape, pp);
        }
        d.White(0.01);
    }

    private static void CompleteBlock(Drawing d, int i)
    {
        double pp = 60 / d.Between(70, 100), rr = 60 / d.Between(28, 45);
        LeadShape shape = d.Pick(true, false) ? LeadShape.Drawn(d) with { P = 0 } : LeadShape.Ventricular(d, d.Between(0.8, 1.4));
        for (double t = 0.3; t < Length; t += pp)
            d.Bump(t, 0.14, 0.022);
        foreach (double t in d.Rhythm(() => rr * (1 + (0.01 * d.Normal()))))
            Put(d, t, shape, rr);
        d.White(0.01);
    }

    private static void Tachycardia(Drawing d, int i)
    {
        double rate = d.Between(120, 220);
        LeadShape wide = LeadShape.Ventricular(d, d.Between(0.8, 1.8)) with { Width = d.Between(0.024, 0.032), TWidth = 0.05 };
        foreach (double t in d.Rhythm(() => 60 / rate * (1 + (0.015 * d.Normal()))))
            Put(d, t, wide, 60 / rate);
        d.White(0.015);
    }
}
