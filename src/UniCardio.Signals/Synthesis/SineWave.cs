namespace UniCardio.Signals.Synthesis;

/// <summary>Adds sines to a sampled signal.</summary>
internal static class SineWave
{
    // A rotation a sample, started afresh now and then so that rounding does not add up: 4096 times 1e-16 stays far below float32.
    private const int Fresh = 4096;

    /// <summary>Adds amplitude * sin(2 pi (phase + i * step)) to sample i.</summary>
    /// <param name="signal">The signal.</param>
    /// <param name="amplitude">In the signal's unit.</param>
    /// <param name="phase">Phase of sample 0, in turns.</param>
    /// <param name="step">Turns a sample.</param>
    public static void Add(Span<float> signal, double amplitude, double phase, double step)
    {
        if (amplitude == 0)
            return;
        double turnSin = PortableMath.SinTurns(step), turnCos = PortableMath.CosTurns(step);
        for (int from = 0; from < signal.Length; from += Fresh)
        {
            double sin = amplitude * PortableMath.SinTurns(phase + from * step),
                cos = amplitude * PortableMath.CosTurns(phase + from * step);
            int to = Math.Min(signal.Length, from + Fresh);
            for (int i = from; i < to; i++)
            {
                signal[i] += (float)sin;
                (sin, cos) = (sin * turnCos + cos * turnSin, cos * turnCos - sin * turnSin);
            }
        }
    }
}
