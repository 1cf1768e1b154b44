using UniCardio.Engine.Model;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Data;

/// <summary>How dirty a window is, drawn at random.</summary>
internal static class NoiseDraw
{
    /// <summary>Noise for a signal that is to be denoised: white noise, in three of five windows with wander, hum, motion or muscle
    /// noise.</summary>
    /// <remarks>
    /// Signal-to-noise ratios of the white part: half of them 10 to 18 dB, about the published 15 dB (arXiv 2505.22306), the rest -2 to 20
    /// dB, and one in twenty 20 to 32 dB, so that a nearly clean window is left as it is.
    /// </remarks>
    public static NoiseParameters ToRemove(Modality modality, ref CounterRandom random)
    {
        double kind = random.NextDouble();
        double snr = kind < 0.05 ? random.NextUniform(20, 32) : kind < 0.5 ? random.NextUniform(-2, 20) : random.NextUniform(10, 18);
        bool mixed = random.NextDouble() < 0.6;
        // A pressure line is closed: it neither hums nor wanders much.
        double share = modality == Modality.Bp ? 0.25 : 0.5;
        bool wander = random.NextDouble() < share, hum = random.NextDouble() < (modality == Modality.Ecg ? 0.4 : 0.1),
            motion = random.NextDouble() < share;
        double wanderSize = random.NextUniform(0.1, modality == Modality.Bp ? 0.4 : 1.2), humSize = 0.6 * Square(random.NextDouble());
        double muscle = random.NextDouble() < (modality == Modality.Ecg ? 0.35 : 0.08) ? 0.8 * Square(random.NextDouble()) : 0;
        double motionRate = random.NextUniform(10, 40), motionSize = random.NextUniform(0.3, 2.5);
        double frequency = random.NextDouble() < 0.5 ? 50 : 60;
        return new NoiseParameters
        {
            SignalToNoiseDecibels = snr,
            BaselineWander = mixed && wander ? wanderSize : 0,
            Powerline = mixed && hum ? humSize : 0,
            PowerlineFrequency = frequency,
            MotionBurstsPerMinute = mixed && motion ? motionRate : 0,
            MotionAmplitude = motionSize,
            MuscleNoise = mixed ? muscle : 0,
        };
    }

    /// <summary>What a recording in good order still has: some white noise, in the ECG muscle noise and hum, now and then motion, coarse
    /// steps or clipping.</summary>
    /// <param name="modality">What it is of.</param>
    /// <param name="dirt">How often relative to the usual two of three (ECG: four of five).</param>
    /// <param name="random">Where chance comes from.</param>
    /// <returns>Null: nothing.</returns>
    public static NoiseParameters? Mild(Modality modality, double dirt, ref CounterRandom random)
    {
        bool electrical = modality == Modality.Ecg;
        bool any = random.NextDouble() < (electrical ? 0.8 : 0.65) * dirt, coarse = random.NextDouble() < 0.3,
            clipped = random.NextDouble() < 0.05;
        bool muscular = random.NextDouble() < 0.4, hums = random.NextDouble() < 0.3;
        double snr = random.NextUniform(electrical ? 13 : 18, 45), muscle = 0.3 * Square(random.NextDouble()),
            hum = 0.15 * Square(random.NextDouble());
        double frequency = random.NextDouble() < 0.5 ? 50 : 60, range = random.NextUniform(0.75, 1);
        int bits = 6 + (int)(5 * random.NextDouble());
        bool moves = random.NextDouble() < 0.1;
        double motionRate = random.NextUniform(6, 20), motionSize = random.NextUniform(0.1, modality == Modality.Bp ? 0.4 : 1);
        return any ? new NoiseParameters
        {
            SignalToNoiseDecibels = snr,
            MuscleNoise = electrical && muscular ? muscle : 0,
            Powerline = electrical && hums ? hum : 0,
            PowerlineFrequency = frequency,
            MotionBurstsPerMinute = moves ? motionRate : 0,
            MotionAmplitude = motionSize,
            ClippingRange = clipped && modality != Modality.Bp ? range : null,
            QuantizationBits = coarse ? bits : null,
        } : null;
    }

    /// <summary>Slow wander of a signal, in its standard deviations; 0 in half of the windows and for blood pressure.</summary>
    public static double Wander(Modality modality, double dirt, ref CounterRandom random)
    {
        bool any = random.NextDouble() < 0.5 * dirt;
        double size = 1.2 * Square(random.NextDouble());
        return any && modality != Modality.Bp ? size : 0;
    }

    private static double Square(double x) => x * x;
}
