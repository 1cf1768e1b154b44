using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Data;

/// <summary>
/// A minute of one synthetic subject, as a recording would have it: what is true, and what the monitor shows. Beats have waves that only
/// this subject has (<see cref="IndividualWaves"/>), and nothing stays as it is: shapes, strokes, levels, delays and gains drift and follow
/// breath, so that an own beat errs as it does on patients.
/// </summary>
/// <remarks>
/// Sizes are chosen: with them the own beat errs on these subjects by about what it errs by on patients. Each kind of change has a share
/// of subjects without it.
/// </remarks>
internal sealed class LivingSubject
{
    private readonly float[][] _truth = new float[3][];

    /// <summary>Makes a subject.</summary>
    /// <param name="seed">Another seed gives other subjects.</param>
    /// <param name="number">Which of them.</param>
    /// <param name="seconds">How long it is recorded.</param>
    /// <param name="drift">Whether its pressure wanders over minutes.</param>
    public LivingSubject(ulong seed, ulong number, int seconds, bool drift = false)
    {
        Number = number;
        ulong own = CounterRandom.Derive(seed, number);
        Length = seconds * (int)NetworkSignal.Rate;
        var life = new CounterRandom(own, 0x61);
        SynthesisParameters p = Enliven(SynthesisParameters.Draw(own, NetworkSignal.Rate, SubjectLimits.None), ref life);
        SyntheticRecording recording = new CardiovascularSynthesizer().Generate(p, Length, own);
        IndividualWaves.Add(recording, own, variation: Rarely(0.8, 0.6, ref life));
        Warp(recording, p, ref life);
        if (drift)
            DriftPressure(recording.BloodPressure, CounterRandom.Derive(own, 0x62));
        var shown = new float[3][];
        foreach (Modality modality in Modalities.All)
        {
            float[] clean =
                modality switch { Modality.Ppg => recording.Ppg, Modality.Bp => recording.BloodPressure, _ => recording.Ecg };
            ulong dirt = CounterRandom.Derive(own, 100 + (ulong)modality);
            var random = new CounterRandom(dirt, 3);
            DriftGain(clean, modality, ref life);

            // Wander belongs to what is measured and so to the truth; noise and steps do not.
            double wander = NoiseDraw.Wander(modality, 1, ref random);
            if (wander > 0)
                SignalCorruption.Apply(clean, NetworkSignal.Rate, new NoiseParameters { BaselineWander = wander }, dirt);
            float[] dirty = [.. clean];
            if (NoiseDraw.Mild(modality, 1, ref random) is { } noise)
                SignalCorruption.Apply(dirty, NetworkSignal.Rate, noise, dirt);
            (_truth[(int)modality], shown[(int)modality]) = (clean, dirty);
        }

        Signals = new PatientSignals(NetworkSignal.Rate, shown[0], shown[1], shown[2]);

        // Found once, not once a window.
        foreach (ChannelKind kind in PatientSignals.Kinds)
            _ = Signals.BeatsOf(kind);
    }

    /// <summary>Which subject.</summary>
    public ulong Number { get; }

    /// <summary>Samples at 125 Hz.</summary>
    public int Length { get; }

    /// <summary>What the monitor shows.</summary>
    public PatientSignals Signals { get; }

    /// <summary>What the monitor shows, as a recording.</summary>
    /// <param name="name">Its name.</param>
    public Recording ToRecording(string name) => new(name,
    [
        new Channel("PPG", "", NetworkSignal.Rate, Signals[ChannelKind.Ppg].ToArray(), ChannelKind.Ppg),
        new Channel("ABP", SignalUnit.MillimetresOfMercury, NetworkSignal.Rate, Signals[ChannelKind.BloodPressure].ToArray(),
            ChannelKind.BloodPressure),
        new Channel("ECG", SignalUnit.Millivolts, NetworkSignal.Rate, Signals[ChannelKind.Ecg].ToArray(), ChannelKind.Ecg),
    ]);

    /// <summary>What is true.</summary>
    public float[] Truth(Modality modality) => _truth[(int)modality];

    // More of what varies within a minute than a window of 4 s needs.
    private static SynthesisParameters Enliven(SynthesisParameters p, ref CounterRandom life) => p with
    {
        SlowVariability = Math.Min(0.2, p.SlowVariability + Rarely(0.6, 0.12, ref life)),
        RandomVariability = Math.Min(0.1, p.RandomVariability + Rarely(0.5, 0.08, ref life)),
        StrokeVariability = Math.Min(0.2, p.StrokeVariability + Rarely(0.7, 0.2, ref life)),
        RespiratoryStroke = Math.Min(0.3, p.RespiratoryStroke + Rarely(0.7, 0.3, ref life)),
        RespiratoryPressure = Math.Min(20, p.RespiratoryPressure + Rarely(0.7, 16, ref life)),
        SlowPressure = Math.Min(20, p.SlowPressure + Rarely(0.7, 18, ref life)),
        PpgPulseRespiration = Math.Min(0.6, p.PpgPulseRespiration + Rarely(0.6, 0.35, ref life)),
        EcgRespiration = Math.Min(0.4, p.EcgRespiration + Rarely(0.7, 0.4, ref life)),
    };

    // Pulse waves arrive earlier and later: with breath, and slowly (half a minute and more), by up to 30 and 60 ms; PPG more than
    // pressure.
    private void Warp(SyntheticRecording recording, SynthesisParameters p, ref CounterRandom life)
    {
        double breath = Rarely(0.8, 0.03, ref life), slow = Rarely(0.8, 0.06, ref life),
            phase = life.NextDouble(), slowPhase = life.NextDouble(), period = life.NextUniform(30, 90);
        if (breath + slow == 0)
            return;
        foreach ((float[] signal, double share) in ((float[], double)[])[(recording.Ppg, 1), (recording.BloodPressure, 0.6)])
        {
            float[] before = [.. signal];
            for (int i = 0; i < Length; i++)
            {
                double t = i / NetworkSignal.Rate, delay = share * ((breath * PortableMath.SinTurns((t * p.RespiratoryRate / 60) + phase))
                    + (slow * PortableMath.SinTurns((t / period) + slowPhase)));
                double at = Math.Clamp(i - (delay * NetworkSignal.Rate), 1, Length - 3);
                int k = (int)at;
                signal[i] = Cubic(before.AsSpan(k - 1, 4), (float)(at - k));
            }
        }
    }

    // A probe that shifts, an electrode that dries: the size follows a slow wave of up to 20%, about the signal's mean (pressure: 5%).
    private void DriftGain(float[] signal, Modality modality, ref CounterRandom life)
    {
        double size = Rarely(0.5, modality == Modality.Bp ? 0.05 : 0.2, ref life), phase = life.NextDouble(),
            period = life.NextUniform(20, 120), mean = 0;
        foreach (float v in signal)
            mean += v / (double)Length;
        for (int i = 0; i < Length && size > 0; i++)
            signal[i] = (float)(mean + ((signal[i] - mean) * (1 + (size * PortableMath.SinTurns((i / NetworkSignal.Rate / period)
                + phase)))));
    }

    // Mean pressure as a random walk that is drawn back (Uhlenbeck and Ornstein 1930): 1 to 8 mmHg off after a minute, back within 3 to 20
    // minutes; pulse pressure follows it by a hundredth a mmHg. Sizes are chosen to span what three people in hospital beds did.
    private static void DriftPressure(float[] pressure, ulong seed)
    {
        var random = new CounterRandom(seed, 1);
        double step = random.NextUniform(1, 8) / Math.Sqrt(60), back = 1 / (60 * random.NextUniform(3, 20)), level = 0, next = 0, mean = 0;
        foreach (float v in pressure)
            mean += v / (double)pressure.Length;
        int rate = (int)NetworkSignal.Rate;
        for (int i = 0; i < pressure.Length; i++)
        {
            if (i % rate == 0)
                (level, next) = (next, Math.Clamp(next * (1 - back) + (step * random.NextGaussian()), -40, 60));
            double at = level + ((next - level) * (i % rate) / rate);
            pressure[i] = (float)Math.Max(5, mean + at + ((pressure[i] - mean) * Math.Max(0.4, 1 + (0.01 * at))));
        }
    }

    // Catmull-Rom through four samples, x of 0 to 1 between the middle two.
    private static float Cubic(ReadOnlySpan<float> v, float x) => v[1] + (0.5f * x * (v[2] - v[0]
        + (x * ((2 * v[0]) - (5 * v[1]) + (4 * v[2]) - v[3] + (x * ((3 * (v[1] - v[2])) + v[3] - v[0]))))));

    // In a share of subjects more than nothing, small more often than large.
    private static double Rarely(double share, double largest, ref CounterRandom random)
    {
        bool any = random.NextDouble() < share;
        double size = random.NextDouble();
        return any ? largest * size * size : 0;
    }
}
