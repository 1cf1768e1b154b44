using UniCardio.Engine.Sampling;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration;

/// <summary>
/// Standard deviation of the broadband noise of a recording's windows: the white noise at 125 Hz that has as much power per Hertz, which is
/// what a state of the diffusion holds.
/// </summary>
/// <remarks>
/// At 125 Hz or below the noise is measured on the channel's own samples, whose whole band it fills. A faster channel is measured after
/// resampling: its own upper band is often empty, as analogue filters see to that; what the resampler takes away near 62.5 Hz is made up for by
/// a factor found once with white noise.
/// </remarks>
internal sealed class WindowNoise
{
    private const int ProbeSamples = 8192;

    private readonly ReadOnlyMemory<float> _own;
    private readonly double _rate;
    private readonly double _factor;
    private readonly double? _given;
    private readonly float[] _signal;

    public WindowNoise(PreparedRecording prepared, RestorationOptions options)
    {
        _rate = prepared.Reference.SampleRate;
        double density = Math.Sqrt(RecordingPreparation.NetworkRate / _rate);
        _given = options.NoiseLevel * prepared.UnitFactor * density;
        bool isFaster = _rate > RecordingPreparation.NetworkRate;
        _own = prepared.Reference.Samples;
        _signal = isFaster ? prepared.Signal(options.Task.Output).ToArray() : [];
        _factor = isFaster ? density / Resampled(_rate, prepared.Reference.Name) : density * prepared.UnitFactor;
    }

    /// <summary>Of one window, in the network's unit (mmHg for BP).</summary>
    /// <param name="window">The window at 125 Hz.</param>
    public double Level(SampleRange window)
    {
        if (_given is { } given)
            return given;
        if (_signal.Length > 0)
            return _factor * WhiteNoise.Level(_signal.AsSpan(window.Start, window.Length));
        double scale = _rate / RecordingPreparation.NetworkRate;
        int from = Math.Min((int)(window.Start * scale), _own.Length), to = Math.Min((int)Math.Ceiling(window.End * scale), _own.Length);
        return _factor * WhiteNoise.Level(_own.Span[from..to]);
    }

    // What is measured of unit white noise after it went through the resampler.
    private static double Resampled(double rate, string channel)
    {
        float[] white = new float[(int)Math.Min(1 << 20, ProbeSamples * Math.Ceiling(rate / RecordingPreparation.NetworkRate))];
        PhiloxNormal.Fill(0, 0, 0, 0, white);
        return WhiteNoise.Level(PreparedRecording.ResamplerOf(rate, RecordingPreparation.NetworkRate, channel).Resample(white, CancellationToken.None));
    }
}
