using UniCardio.Signals;

namespace UniCardio.BeatCases;

/// <summary>Signals without a beat: nothing may be found in them.</summary>
internal static class SilentFamilies
{
    private const double Length = 60;

    private static readonly string[] s_colours = ["blue", "white", "pink", "red"];

    public static IReadOnlyList<BeatFamily> All { get; } =
    [
        .. s_colours.SelectMany((colour, k) => All3($"{colour} noise", (d, i) => d.Coloured(k - 1, d.Between(0.3, 1)))),
        Ecg("noise of 5 uV", (d, i) => d.Coloured(i % 3, 0.005), "mV", 0),
        .. All3("a flat line with a bit of noise", (d, i) => d.Map((t, x) => Math.Round(0.7 * d.Normal()) * 1e-3)),
        .. All3("random humps, any shape", (d, i) => Humps(d, alike: false)),
        .. All3("random humps of one shape", (d, i) => Humps(d, alike: true)),
        .. All3("swelling mains", (d, i) => Swelling(d)),
        // A tone of 20 to 300 a minute is what a much filtered pulse looks like: for pulses those below and above.
        .. All3("a tone", (d, i) =>
        {
            double f = i % 2 == 0 ? Math.Exp(d.Between(Math.Log(6), Math.Log(20))) : d.Between(0.05, 0.3);
            d.Add(t => Math.Sin(2 * Math.PI * f * t)).White(0.02);
        }),
        Ecg("a tone of 0.5 to 6 Hz", (d, i) =>
        {
            double f = Math.Exp(d.Between(Math.Log(0.5), Math.Log(6)));
            d.Add(t => Math.Sin(2 * Math.PI * f * t)).White(0.02);
        }, "mV", 1),
        Ecg("wander", (d, i) => d.Wander(1).White(0.005), "mV", 1),
        Ecg("ventricular fibrillation", (d, i) => Ventricular(d), "mV", 1),
        Ecg("muscle noise in bursts", (d, i) => d.Muscle(0.3), "mV", 1),
        Ecg("steps of an electrode", (d, i) =>
        {
            double level = 0;
            for (double t = 1; t < Length; t += d.Between(0.4, 4))
            {
                double step = d.Between(-2, 2), from = t;
                d.Map((u, x) => u >= from ? x + step : x);
                level += step;
            }
            d.White(0.01);
        }, "mV", 1),
        Ecg("pacing spikes without capture", (d, i) =>
        {
            double rate = d.Between(60, 100), height = d.Between(0.5, 5);
            foreach (double t in d.Rhythm(() => 60 / rate))
                d.Spike(t, height, 0.002);
            d.White(0.01);
        }, "mV", 0),
        .. All3("motion", (d, i) => d.Motion(1, d.Between(0.5, 3)).White(0.02)),
        Pressure("a line at 3 +- 1 mmHg", (d, i) => d.Coloured(i % 3, 1).Add(_ => 3)),
        Pressure("a zeroed line", (d, i) => d.White(0.3)),
        Pressure("a flushed line", (d, i) => d.White(0.5).Add(_ => 300)),
        Pressure("a venous pulse, 4 to 12 mmHg", (d, i) =>
        {
            double f = d.Between(0.9, 1.8);
            d.Add(t => 8 + (3 * Math.Sin(2 * Math.PI * f * t)) + Math.Sin(4 * Math.PI * f * t)).White(0.2);
        }),
        Pressure("noise on 80 mmHg", (d, i) => d.Coloured(i % 3, d.Between(0.3, 5)).Add(_ => 80)),
    ];

    private static BeatFamily Ecg(string name, Action<Drawing, int> draw, string unit, double gain) => new($"none, ECG: {name}", i =>
    {
        var d = new Drawing((name.Length * 4007) + (i * 104729) + 1, new double[] { 125, 250, 250, 360, 500 }[i % 5], Length);
        draw(d, i);
        if (gain > 0 && i % 2 == 1)
        {
            double g = Math.Pow(10, d.Between(-1, 1));
            d.Map((_, x) => g * x);
        }
        return d.Case($"none, ECG: {name}", i, ChannelKind.Ecg, gain > 0 && i % 2 == 1 ? "" : unit);
    });

    private static BeatFamily Pressure(string name, Action<Drawing, int> draw) => new($"none, ABP: {name}", i =>
    {
        var d = new Drawing((name.Length * 3023) + (i * 104729) + 2, new double[] { 100, 125, 125, 250, 500 }[i % 5], Length);
        draw(d, i);
        return d.Case($"none, ABP: {name}", i, ChannelKind.BloodPressure, "mmHg");
    });

    private static IEnumerable<BeatFamily> All3(string name, Action<Drawing, int> draw)
    {
        yield return Ecg(name, draw, "mV", 1);
        yield return new BeatFamily($"none, PPG: {name}", i =>
        {
            var d = new Drawing((name.Length * 2003) + (i * 104729) + 3, new double[] { 100, 125, 200, 250 }[i % 4], Length);
            draw(d, i);
            double gain = Math.Pow(10, d.Between(-2, 3));
            d.Map((_, x) => gain * x);
            return d.Case($"none, PPG: {name}", i, ChannelKind.Ppg);
        });
        yield return new BeatFamily($"none, ABP: {name}", i =>
        {
            var d = new Drawing((name.Length * 1009) + (i * 104729) + 4, new double[] { 100, 125, 250 }[i % 3], Length);
            draw(d, i);
            double gain = d.Between(3, 20);
            d.Map((_, x) => 90 + (gain * x));
            return d.Case($"none, ABP: {name}", i, ChannelKind.BloodPressure, "mmHg");
        });
    }

    // Bumps at exponentially distributed intervals, at least 0.15 s apart.
    private static void Humps(Drawing d, bool alike)
    {
        double perSecond = d.Between(0.8, 2.5), width = d.Between(0.015, 0.12), height = 1;
        for (double t = 0.5; t < Length; t += 0.15 - (Math.Log(1 - d.Random.NextDouble()) / perSecond))
        {
            if (!alike)
                (width, height) = (Math.Exp(d.Between(Math.Log(0.015), Math.Log(0.15))), d.Between(0.3, 1) * d.Pick(1, 1, -1));
            d.Bump(t, height, width);
            if (!alike && d.Pick(true, false))
                d.Bump(t + (width * d.Between(0.5, 3)), height * d.Between(-0.7, 0.7), width * d.Between(0.4, 1.5));
        }
        d.White(0.01);
    }

    private static void Swelling(Drawing d)
    {
        double f = d.Pick(50.0, 60.0) + d.Between(-0.3, 0.3), beat = Math.Exp(d.Between(Math.Log(0.2), Math.Log(3))),
            depth = d.Between(0.3, 1), p = d.Between(0, 6);
        d.Add(t => (1 + (depth * Math.Sin((2 * Math.PI * beat * t) + p))) * Math.Sin(2 * Math.PI * f * t)).White(0.02);
    }

    // A narrow band about 4 to 7 Hz whose size and frequency wander.
    private static void Ventricular(Drawing d)
    {
        double phase = 0, f0 = d.Between(4, 7), f = f0, size = 0.5, r = Math.Exp(-1 / (0.4 * d.Rate));
        foreach (ref double x in d.Samples)
        {
            f = f0 + (r * (f - f0)) + (Math.Sqrt(1 - (r * r)) * 0.8 * d.Normal());
            size = 0.5 + (r * (size - 0.5)) + (Math.Sqrt(1 - (r * r)) * 0.2 * d.Normal());
            phase += f / d.Rate;
            x += size * Math.Sin(2 * Math.PI * phase);
        }
        d.White(0.01);
    }
}
