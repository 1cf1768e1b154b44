using UniCardio.Signals;

namespace UniCardio.BeatCases;

/// <summary>A pulse: a rise, a decay and a second wave. Heights relative to the pulse, times in seconds.</summary>
internal sealed record PulseForm
{
    public double Rise { get; init; } = 0.11;

    public double Decay { get; init; } = 0.4;

    /// <summary>Height of the second peak over the foot as a share of the first, its time after the foot, its width; the notch between
    /// them.</summary>
    public double Second { get; init; } = 0.35;

    public double SecondAt { get; init; } = 0.38;

    public double SecondWidth { get; init; } = 0.05;

    public double Notch { get; init; } = 0.08;

    public static PulseForm Drawn(Drawing d) => new()
    {
        Rise = d.Between(0.08, 0.14), Decay = d.Between(0.25, 0.6), Second = d.Between(0.1, 0.5), SecondAt = d.Between(0.33, 0.42),
        SecondWidth = d.Between(0.04, 0.06), Notch = d.Between(0, 0.12),
    };

    /// <summary>Value at a time after the foot, where the next foot is at the interval's end (scaled for fast rates).</summary>
    public double At(double t, double interval)
    {
        double k = Math.Clamp(interval / 0.75, 0.3, 1.15), rise = Rise * k, at = SecondAt * k;
        if (t < 0)
            return 0;
        double first = t < rise ? (1 - Math.Cos(Math.PI * t / rise)) / 2 : Math.Exp(-(t - rise) / (Decay * k)),
            base2 = Math.Exp(-(at - rise) / (Decay * k));
        double u = (t - at) / (SecondWidth * k), v = (t - at + (2 * SecondWidth * k)) / (0.5 * SecondWidth * k);
        return first + ((Second - base2) is > 0 and var more ? more * Math.Exp(-u * u / 2) : 0) - (Notch * Math.Exp(-v * v / 2));
    }
}

internal static class PulseFamilies
{
    private const double Length = 60;

    public static IReadOnlyList<BeatFamily> All { get; } =
    [
        Make("sinus, 20 to 300 a minute", (d, i) => Sinus(d, 20 + (280 * ((i * 7) % 20) / 19.0))),
        Make("sinus at 30 to 1000 Hz", (d, i) => Sinus(d, d.Between(45, 130)), 30, 40, 60, 64, 100, 128, 200, 250, 500, 1000),
        Make("220 a minute and around", (d, i) => Sinus(d, d.Between(180, 260))),
        Make("second peak 60 to 95%", (d, i) => Sinus(d, d.Between(45, 110), PulseForm.Drawn(d) with
        {
            Second = 0.6 + (0.35 * (i % 10) / 9.0), SecondAt = d.Between(0.32, 0.45), SecondWidth = d.Between(0.04, 0.07),
            Notch = d.Between(0, 0.25), Decay = d.Between(0.2, 0.45),
        })),
        Make("alternans", (d, i) =>
            Beats(d, [.. d.Sinus(d.Between(55, 120))], PulseForm.Drawn(d), k => k % 2 == 0 ? 1 : d.Between(0.5, 0.75))),
        Make("fibrillation", (d, i) => Fibrillation(d)),
        Make("early beats and pauses", Ectopy),
        Make("white noise, 10 to 25 dB", (d, i) =>
        {
            Sinus(d, d.Between(45, 130));
            d.White(d.Between(0.015, 0.1));
        }),
        Make("motion and wander", (d, i) =>
        {
            Sinus(d, d.Between(50, 120));
            d.Motion(d.Between(0.2, 0.5), 0.4).Wander(d.Between(0.1, 1)).White(0.01);
        }),
        Make("mains", (d, i) =>
        {
            Sinus(d, d.Between(50, 120));
            d.Mains(d.Between(0.05, 0.3), d.Pick(50.0, 60.0));
        }, 200, 250),
        Make("clipped", (d, i) =>
        {
            Sinus(d, d.Between(50, 120));
            double top = d.Between(0.5, 0.8);
            d.White(0.01).Map((_, x) => Math.Min(x, top));
        }),
        Make("gaps", (d, i) =>
        {
            Sinus(d, d.Between(50, 130));
            d.White(0.01);
            for (double t = d.Between(3, 9); t < 55; t += d.Between(6, 14))
            {
                double to = t + d.Between(0.02, 2.5);
                d.Gap(t, to);
                // An upstroke within the gap is seen no more.
                d.Truth.RemoveAll(x => x > t - 0.2 && x < to + 0.05);
            }
        }),
        Make("pulses, then movements", (d, i) =>
        {
            double from = d.Between(15, 40);
            Beats(d, [.. d.Sinus(d.Between(50, 120)).Where(t => t < from)], PulseForm.Drawn(d), _ => 1);
            for (double t = from + 1; t < d.Seconds; t -= Math.Log(1 - d.Random.NextDouble()) / 1.5)
                d.Bump(t, 0.7 * d.Normal(), d.Between(0.05, 0.4));
            d.White(0.01);
        }),
        Make("spikes 20 to 200 times", (d, i) =>
        {
            Sinus(d, d.Between(50, 120));
            d.White(0.01);
            int count = d.Random.Next(1, 5);
            for (int k = 0; k < count; k++)
                d.Spike(d.Between(2, 55), d.Pick(1, -1) * d.Between(20, 200), d.Pick(0.001, 0.008, 0.016));
        }),
        Pressure("pressure, damped to 8 to 20 mmHg", (d, i) =>
            Sinus(d, d.Between(50, 110), PulseForm.Drawn(d) with { Rise = 0.18, Second = 0,
            Notch = 0 }), (d, _) => (d.Between(60, 90), d.Between(8, 20))),
        Pressure("pressure, flushed and back", (d, i) => Sinus(d, d.Between(50, 110)), (d, _) =>
            (d.Between(50, 90), d.Between(25, 60)), (d, _) =>
        {
            double from = d.Between(12, 30), to = from + d.Between(1.5, 8);
            d.Map((t, x) => t > from && t < to ? 300 : t >= to && t < to + 0.5
                ? x + (18 * Math.Exp((to - t) / 0.07) * Math.Cos(75 * (t - to))) : x);
            d.Truth.RemoveAll(t => t > from - 0.25 && t < to + 0.1);
        }),
        Pressure("pressure, then the line open at 3 mmHg", (d, i) => Sinus(d, d.Between(50, 110)), (d, _) => (d.Between(50, 90),
            d.Between(25, 60)), (d, _) =>
        {
            double from = d.Between(12, 30), level = d.Between(-5, 8);
            d.Map((t, x) => t > from ? level + (d.Between(0.5, 1.5) * d.Normal()) : x);
            d.Truth.RemoveAll(t => t > from - 0.25);
        }),
        Pressure("pressure, zeroed and back", (d, i) => Sinus(d, d.Between(50, 110)), (d, _) =>
            (d.Between(50, 90), d.Between(25, 60)), (d, _) =>
        {
            double from = d.Between(12, 30), to = from + d.Between(3, 12);
            d.Map((t, x) => t > from && t < to ? 0.3 * d.Normal() : x);
            d.Truth.RemoveAll(t => t > from - 0.25 && t < to + 0.1);
        }),
        Pressure("pressure in kPa", (d, i) => Sinus(d, d.Between(45, 130)), (d, _) => (d.Between(6, 11), d.Between(3, 8)), unit: "kPa"),
    ];

    private static BeatFamily Make(string name, Action<Drawing, int> draw, params double[] rates)
    {
        rates = rates.Length > 0 ? rates : [64, 100, 125, 125, 250];
        return new BeatFamily("PPG: " + name, i =>
        {
            var d = new Drawing((name.Length * 6977) + (i * 104729) + 5, rates[i % rates.Length], Length);
            draw(d, i);
            double gain = i % 2 == 0 ? 1 : Math.Pow(10, d.Between(-2, 4)), sign = i % 3 == 2 ? -1 : 1, offset = i % 4 == 1
                ? d.Between(-5, 5) : 0;
            d.Map((_, x) => gain * ((sign * x) + offset));
            return d.Case("PPG: " + name, i, ChannelKind.Ppg, "", sign < 0 ? "inverted" : "");
        });
    }

    private static BeatFamily Pressure(string name, Action<Drawing, int> draw, Func<Drawing, int, (double Foot, double Height)> size,
        Action<Drawing, int>? after = null, string unit = "mmHg") => new("ABP: " + name, i =>
    {
        var d = new Drawing((name.Length * 5323) + (i * 104729) + 11, new double[] { 100, 125, 125, 250, 500 }[i % 5], Length);
        draw(d, i);
        (double foot, double height) = size(d, i);
        d.Map((_, x) => foot + (height * x)).White(0.01 * height);
        after?.Invoke(d, i);
        return d.Case("ABP: " + name, i, ChannelKind.BloodPressure, unit);
    });

    private static void Sinus(Drawing d, double rate, PulseForm? form = null) =>
        Beats(d, d.Sinus(rate), form ?? PulseForm.Drawn(d), _ => 1);

    private static void Beats(Drawing d, List<double> feet, PulseForm form, Func<int, double> height)
    {
        double typical = feet.Zip(feet.Skip(1), (a, b) => b - a).Order().ElementAt(feet.Count / 2);
        // The wave runs off from where it was when the next begins, so that no step stands at a foot.
        for (int k = 0; k < feet.Count; k++)
        {
            double h = height(k), to = k + 1 < feet.Count ? feet[k + 1] : d.Seconds;
            double left = d.Samples[Math.Clamp((int)(feet[k] * d.Rate), 0, d.Samples.Length - 1)];
            for (int i = (int)Math.Ceiling(feet[k] * d.Rate); i < d.Samples.Length && i / d.Rate < to + 3; i++)
            {
                double t = (i / d.Rate) - feet[k];
                // What remains of the last pulse ends within the rise.
                d.Samples[i] = (h * form.At(t, typical)) + (left * Math.Exp(-t / 0.3));
            }
            d.Truth.Add(feet[k]);
        }
    }

    private static void Fibrillation(Drawing d)
    {
        double rate = d.Between(60, 130);
        List<double> feet = d.Fibrillation(rate, 0.2);
        double mean = 60 / rate;
        // A short filling makes a small pulse.
        double[] heights = [.. feet.Select((t, k) => k == 0 ? 1 : Math.Clamp(0.45 + (0.6 * (t - feet[k - 1]) / mean), 0.35, 1.3))];
        Beats(d, feet, PulseForm.Drawn(d), k => heights[k]);
        d.White(0.01);
    }

    private static void Ectopy(Drawing d, int i)
    {
        double rr = 60 / d.Between(55, 95), share = d.Between(0.05, 0.2);
        var feet = new List<double>();
        var heights = new List<double>();
        for (double t = 0.7; t < Length - 1; t += rr)
        {
            feet.Add(t);
            heights.Add(heights.Count > 0 && feet.Count > 1 && t - feet[^2] > 1.2 * rr ? 1.15 : 1);
            if (d.Random.NextDouble() < share && t < Length - 4)
            {
                feet.Add(t + (d.Between(0.6, 0.75) * rr));
                heights.Add(d.Between(0.45, 0.7));
                t += rr;
            }
        }
        Beats(d, feet, PulseForm.Drawn(d), k => heights[k]);
        d.White(0.01);
    }
}
