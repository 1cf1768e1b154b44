using UniCardio.Engine.Model;

namespace UniCardio.Pipeline;

/// <summary>
/// Wander and motion in a measured window, as the network tells them: <c>s = H (y - x)</c>, y measured, x what the network makes of the
/// window in one call from noise, which has y as a condition only. <c>y - s</c> is left to an estimate, which takes off the broadband
/// noise.
/// </summary>
/// <remarks>
/// <para>In the residual y - x the network's own error has about the power E_k where no noise lies in its band, broadband noise of standard
/// deviation sigma has sigma^2, and what stands above both is noise: H_k = max(0, 1 - (E_k + sigma^2) / P_k) over the cosine transform,
/// P_k the residual's mean power about k. The mean (k = 0) stays the measured one: no window tells the level. Nothing is taken off above 15
/// Hz, where neither wander nor motion is.</para>
/// <para>E_k: of the shipped compact weights on synthetic subjects whose noise lay in other bands (24 subjects, 92 windows a signal),
/// interpolated in the logarithms; no recording of a person had a part in it.</para>
/// <para>The dual of <see cref="ResidualFilter"/>, which gives the same excess back as the network's error: a slow excess is one or the
/// other, and which of them only who knows the recording can say. Not safe for use from several threads.</para>
/// </remarks>
internal sealed class SlowNoise
{
    private const double HighestFrequency = 15;

    // E at the middle of octaves of k (k = 1, 2-3, 4-7, ... at S = 500), scaled units, an orthonormal coefficient.
    private static readonly double[] s_places = [1, 2.5, 5.5, 11.5, 23.5, 47.5, 95.5];
    private static readonly double[][] s_errors =
    [
        [0.32, 0.30, 0.046, 0.035, 0.020, 0.008, 0.0044],
        [0.13, 0.16, 0.040, 0.030, 0.020, 0.008, 0.0044],
        [0.042, 0.034, 0.034, 0.032, 0.016, 0.010, 0.0065],
    ];

    private readonly CosineTransform _transform;
    private readonly double[] _residual, _spectrum, _kept;
    private readonly double[][] _floors;

    /// <summary>Makes room.</summary>
    /// <param name="samples">S, samples of a window at 125 Hz; at least 8.</param>
    /// <exception cref="Engine.ConfigurationException">Fewer.</exception>
    public SlowNoise(int samples)
    {
        _transform = new CosineTransform(samples);
        (_residual, _spectrum) = (new double[samples], new double[samples]);
        _kept = new double[Math.Min(samples, (int)(HighestFrequency * 2 * samples / NetworkSignal.Rate))];
        // An orthonormal coefficient's power does not depend on S, its frequency does.
        _floors = [.. s_errors.Select(errors => Enumerable.Range(0, _kept.Length)
            .Select(k => Interpolate(errors, k * 500.0 / samples)).ToArray())];
    }

    /// <summary>Takes wander and motion off a window.</summary>
    /// <param name="modality">Which signal it is.</param>
    /// <param name="noiseLevel">sigma, standard deviation of the broadband noise in scaled units.</param>
    /// <param name="made">[S] the network's window in scaled units, finite.</param>
    /// <param name="measured">[S] the measured one, without gaps; is left without them.</param>
    public void Remove(Modality modality, double noiseLevel, ReadOnlySpan<float> made, Span<float> measured)
    {
        for (int n = 0; n < _residual.Length; n++)
            _residual[n] = (double)measured[n] - made[n];
        _transform.Forward(_residual, _spectrum);
        CosineTransform.SmoothPower(_spectrum, first: 1, _kept);
        double[] floor = _floors[(int)modality];
        for (int k = 0; k < _kept.Length; k++)
        {
            double stays = floor[k] + (noiseLevel * noiseLevel);
            _kept[k] = k > 0 && _kept[k] > stays ? _spectrum[k] * (1 - (stays / _kept[k])) : 0;
        }

        _transform.Inverse(_kept, _residual);
        for (int n = 0; n < _residual.Length; n++)
            measured[n] -= (float)_residual[n];
    }

    private static double Interpolate(double[] errors, double place)
    {
        int i = 0;
        while (i < s_places.Length - 2 && place > s_places[i + 1])
            i++;
        double share = Math.Clamp(Math.Log(Math.Max(place, 1) / s_places[i]) / Math.Log(s_places[i + 1] / s_places[i]), 0, 1);
        return Math.Exp(((1 - share) * Math.Log(errors[i])) + (share * Math.Log(errors[i + 1])));
    }
}
