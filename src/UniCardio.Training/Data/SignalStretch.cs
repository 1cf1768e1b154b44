using UniCardio.Engine.Model;
using UniCardio.Signals.Processing;

namespace UniCardio.Training.Data;

/// <summary>The three signals about a window in physical units, before and after corruption. Reused from window to window.</summary>
internal sealed class SignalStretch
{
    private readonly float[][] _clean, _dirty;

    /// <param name="capacity">Most samples of a stretch.</param>
    public SignalStretch(int capacity)
    {
        _clean = [new float[capacity], new float[capacity], new float[capacity]];
        _dirty = [new float[capacity], new float[capacity], new float[capacity]];
    }

    /// <summary>Samples n of the stretch.</summary>
    public int Length { get; private set; }

    /// <summary>Where the window is in it; what surrounds it matters only to scales of windows with little measured in them.</summary>
    public SampleRange Window { get; private set; }

    public void Resize(int length, SampleRange window)
    {
        Length = length;
        Window = window;
    }

    /// <summary>[n] the signal as it should be restored, NaN where unknown.</summary>
    public Span<float> Clean(Modality modality) => _clean[(int)modality].AsSpan(0, Length);

    /// <summary>[n] the signal as the network is to meet it, NaN where missing.</summary>
    public Span<float> Dirty(Modality modality) => _dirty[(int)modality].AsSpan(0, Length);
}
