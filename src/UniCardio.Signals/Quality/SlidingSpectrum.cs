namespace UniCardio.Signals.Quality;

/// <summary>Power of the last ten seconds in bins of 0.1 Hz up to 40 Hz, second by second: the transform of a window is the sum of those of
/// its seconds, since all share the phase of the whole. 400 bins a sample, 0 B a second.</summary>
internal sealed class SlidingSpectrum
{
    private const int Bins = 401, Window = PublishedIndices.WindowSeconds, Length = Window * QualityTrack.WorkRate;
    private static readonly (float[] Cos, float[] Sin) s_table = Table();
    private readonly double[] _real = new double[Window * Bins];
    private readonly double[] _imaginary = new double[Window * Bins];
    private readonly double[] _power = new double[Bins];
    private int _seconds;

    /// <summary>Takes a second.</summary>
    /// <param name="x">[<see cref="QualityTrack.WorkRate"/>].</param>
    public void Push(ReadOnlySpan<float> x)
    {
        int slot = _seconds % Window, at = slot * QualityTrack.WorkRate;
        _seconds++;
        // The level would leak into every bin of a first, shorter window.
        float level = x[0];
        for (int k = 1; k < Bins; k++)
        {
            double real = 0, imaginary = 0;
            for (int i = 0, turn = (int)((long)k * at % Length); i < x.Length; i++, turn = (turn + k) % Length)
            {
                real += (x[i] - level) * s_table.Cos[turn];
                imaginary -= (x[i] - level) * s_table.Sin[turn];
            }

            _real[(slot * Bins) + k] = real + (level * Ones(k, at, true));
            _imaginary[(slot * Bins) + k] = imaginary + (level * Ones(k, at, false));
        }

        for (int k = 1; k < Bins; k++)
        {
            double real = 0, imaginary = 0;
            for (int s = 0; s < Math.Min(_seconds, Window); s++)
            {
                real += _real[(s * Bins) + k];
                imaginary += _imaginary[(s * Bins) + k];
            }

            _power[k] = (real * real) + (imaginary * imaginary);
        }
    }

    /// <summary>Power from <paramref name="low"/> up to <paramref name="high"/> Hz over that of another band; 0 without power. The mean
    /// (bin 0) counts for nothing.</summary>
    public double Share(double low, double high, double ofLow, double ofHigh)
    {
        double part = Sum(low, high), whole = Sum(ofLow, ofHigh);
        return whole > 0 ? part / whole : 0;
    }

    private double Sum(double low, double high)
    {
        double sum = 0;
        for (int k = Math.Max(1, (int)Math.Round(10 * low)); k <= Math.Min(Bins - 1, (int)Math.Round(10 * high)); k++)
            sum += _power[k];
        return sum;
    }

    // The transform of a second of ones, in closed form.
    private static double Ones(int k, int at, bool real)
    {
        double half = Math.PI * k / Length, centre = half * ((2 * at) + QualityTrack.WorkRate - 1);
        double size = Math.Sin(half * QualityTrack.WorkRate) / Math.Sin(half);
        return real ? size * Math.Cos(centre) : -size * Math.Sin(centre);
    }

    private static (float[] Cos, float[] Sin) Table()
    {
        float[] cos = new float[Length], sin = new float[Length];
        for (int i = 0; i < Length; i++)
            (sin[i], cos[i]) = ((float)Math.Sin(2 * Math.PI * i / Length), (float)Math.Cos(2 * Math.PI * i / Length));
        return (cos, sin);
    }
}
