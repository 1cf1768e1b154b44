using UniCardio.Engine.Model;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Output;

/// <summary>One sample on its way into a frame.</summary>
internal readonly record struct FrameSample(float Value, float Low, float High, Provenance Provenance, bool IsNormalized);

/// <summary>The end of the last computed window of a modality, which the next one is faded in over.</summary>
internal sealed class WindowTail
{
    public WindowTail(int samples) => (Center, Low, High) = (new float[samples], new float[samples], new float[samples]);

    /// <summary>Whether there is one.</summary>
    public bool IsSet { get; set; }

    /// <summary>Its first sample in the segment.</summary>
    public long Start { get; set; }

    public Provenance Provenance { get; set; }

    public bool IsNormalized { get; set; }

    public float[] Center { get; }

    public float[] Low { get; }

    public float[] High { get; }

    public void Clear() => IsSet = false;

    /// <summary>Keeps what a hop's window says about the samples after its frame.</summary>
    public void Set(HopPlan plan, int m)
    {
        int from = plan.Center[m].Length - Center.Length;
        plan.Center[m].AsSpan(from).CopyTo(Center);
        plan.Low[m].AsSpan(from).CopyTo(Low);
        plan.High[m].AsSpan(from).CopyTo(High);
        Start = plan.WindowEnd - Center.Length;
        Provenance = Provenances.Of(plan.TaskOf(m).Kind);
        IsNormalized = plan.Targets[m].IsNormalized;
        IsSet = true;
    }

    /// <summary>Fades a sample in over the tail.</summary>
    public FrameSample Blend(FrameSample sample, long at, double[] fadeIn)
    {
        if (!IsSet || at < Start || at >= Start + Center.Length)
            return sample;
        int i = (int)(at - Start);
        if (sample.Provenance == Provenance.NoSignal)
        {
            // The window before still knows this sample; a denoised one knows only what was measured.
            return Provenance == Provenance.Denoised ? sample : new FrameSample(Center[i], Low[i], High[i], Provenance, IsNormalized);
        }
        bool isMeasured = sample.Provenance is Provenance.Measured or Provenance.Bridged;
        // A measured sample is faded only out of denoising, and nothing is faded between units.
        if ((isMeasured || sample.Provenance == Provenance.Denoised) != (Provenance == Provenance.Denoised)
            || sample.IsNormalized != IsNormalized)
            return sample;
        double w = fadeIn[i];
        float Mix(float before, float now) => (float)(((1 - w) * before) + (w * now));
        return new FrameSample(Mix(Center[i], sample.Value), Mix(Low[i], sample.Low), Mix(High[i], sample.High), isMeasured
            ? Provenance.Denoised : sample.Provenance, IsNormalized);
    }
}
