using UniCardio.Engine.Model;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Data;

/// <summary>How dirty a window is, drawn at random.</summary>
internal static class NoiseDraw
{
    /// <summary>Noise for a signal that is to be denoised: white noise, in three of five windows with wander, hum or motion.</summary>
    /// <remarks>
    /// Signal-to-noise ratios of the white part: half of them 10 to 18 dB, about the published 15 dB (arXiv 2505.22306), the rest -2 to 20 dB,
    /// and one in twenty 20 to 32 dB, so that a nearly clean window is left as it is.
    /// </remarks>
    public static NoiseParameters ToRemove(Modality modality, ref CounterRandom random)
    {
        double kind = random.NextDouble();
        double snr = kind < 0.05 ? random.NextUniform(20, 32) : kind < 0.5 ? random.NextUniform(-2, 20) : random.NextUniform(10, 18);
        bool mixed = random.NextDouble() < 0.6;
        // A pressure line is closed: it neither hums nor wanders much.
        double share = modality == Modality.Bp ? 0.25 : 0.5;
        bool wander = random.NextDouble() < share, hum = random.NextDouble() < (modality == Modality.Ecg ? 0.4 : 0.1), motion = random.NextDouble() < share;
        double wanderSize = random.NextUniform(0.1, modality == Modality.Bp ? 0.4 : 1.2), humSize = 0.6 * Square(random.NextDouble());
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
        };
    }

    /// <summary>What a recording in good order still has: white noise of 18 to 45 dB and coarse steps now and then. Null: nothing.</summary>
    /// <param name="dirt">How often relative to the usual two of three.</param>
    /// <param name="random">Where chance comes from.</param>
    public static NoiseParameters? Mild(double dirt, ref CounterRandom random)
    {
        bool any = random.NextDouble() < 0.67 * dirt, coarse = random.NextDouble() < 0.3;
        double snr = random.NextUniform(18, 45);
        int bits = 6 + (int)(5 * random.NextDouble());
        return any ? new NoiseParameters { SignalToNoiseDecibels = snr, QuantizationBits = coarse ? bits : null } : null;
    }

    /// <summary>Slow wander of a signal, in its standard deviations; 0 in half of the windows and for blood pressure.</summary>
    public static double Wander(Modality modality, double dirt, ref CounterRandom random)
    {
        bool any = random.NextDouble() < 0.5 * dirt;
        double size = 0.8 * Square(random.NextDouble());
        return any && modality != Modality.Bp ? size : 0;
    }

    private static double Square(double x) => x * x;
}
