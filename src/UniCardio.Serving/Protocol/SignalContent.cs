using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Streaming;

namespace UniCardio.Serving.Protocol;

/// <summary>A run of samples from one source.</summary>
/// <param name="Start">First sample.</param>
/// <param name="Count">Number of samples.</param>
/// <param name="Provenance">The source.</param>
internal readonly record struct Stretch(int Start, int Count, Provenance Provenance);

/// <summary>The stretches of a signal, in order.</summary>
internal ref struct StretchEnumerator(ReadOnlySpan<Provenance> all)
{
    private readonly ReadOnlySpan<Provenance> _all = all;

    public Stretch Current { get; private set; }

    public readonly StretchEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        int start = Current.Start + Current.Count;
        if (start >= _all.Length)
            return false;
        int length = _all[start..].IndexOfAnyExcept(_all[start]);
        Current = new Stretch(start, length < 0 ? _all.Length - start : length, _all[start]);
        return true;
    }
}

/// <summary>Which arrays of a signal a frame's message carries.</summary>
internal readonly record struct SignalContent(int Stretches, bool HasBand, bool HasMeasured)
{
    /// <summary>Arrays of n samples: values, band, input.</summary>
    public int Arrays => 1 + (HasBand ? 2 : 0) + (HasMeasured ? 1 : 0);

    public static SignalContent Of(StreamingFrame frame, Modality modality)
    {
        int stretches = 0;
        bool measured = false;
        foreach (Stretch stretch in new StretchEnumerator(frame.Provenance(modality)))
        {
            stretches++;
            measured |= stretch.Provenance == Provenance.Denoised;
        }
        bool band = false;
        foreach (float x in frame.Low(modality))
            band |= !float.IsNaN(x);
        return new SignalContent(stretches, band, measured);
    }
}
