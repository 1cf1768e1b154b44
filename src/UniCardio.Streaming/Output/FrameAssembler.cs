using UniCardio.Engine.Model;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Output;

/// <summary>
/// Puts a hop's frame together and fades each window's results in over those of the one before. The host's lock guards it.
/// </summary>
internal sealed class FrameAssembler
{
    private readonly HopTiming _timing;
    private readonly double[] _fadeIn;
    private readonly WindowTail[] _tails;

    public FrameAssembler(HopTiming timing)
    {
        _timing = timing;
        _tails = [new(timing.FadeSamples), new(timing.FadeSamples), new(timing.FadeSamples)];
        // A raised cosine that is still 0 just before the fade and 1 just after it.
        _fadeIn = [.. Enumerable.Range(0, timing.FadeSamples)
            .Select(i => 0.5 - (0.5 * Math.Cos(Math.PI * (i + 1) / (timing.FadeSamples + 1))))];
    }

    public WindowTail Tail(int modality) => _tails[modality];

    /// <summary>Builds the preliminary frame of a hop: what is measured of it.</summary>
    /// <param name="plan">The hop.</param>
    /// <param name="frame">The frame.</param>
    public void BuildMeasured(HopPlan plan, StreamingFrame frame)
    {
        Begin(plan, frame);
        frame.IsPreliminary = true;
        frame.WasSkipped = false;
        int at = (int)(plan.FrameStart - (plan.WindowEnd - _timing.SlotSamples));
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            FrameRow row = frame.Row(m);
            plan.Signal[m].AsSpan(at, frame.Count).CopyTo(row.Values);
            plan.Signal[m].AsSpan(at, frame.Count).CopyTo(row.Measured);
            plan.Source[m].AsSpan(at, frame.Count).CopyTo(row.Provenance);
            row.Low.AsSpan(0, frame.Count).Fill(float.NaN);
            row.High.AsSpan(0, frame.Count).Fill(float.NaN);
            bool isMissing = row.Provenance.AsSpan(0, frame.Count).Contains(Provenance.NoSignal);
            NoSignalReason reason = plan.Targets[m].IsWanted ? NoSignalReason.Pending : plan.Targets[m].Reason;
            frame.SetStatus(m, new ModalityStatus(frame.Count > 0 ? row.Provenance[frame.Count - 1] : Provenance.NoSignal,
                isMissing ? reason : NoSignalReason.None, default, plan.Quality[m], false));
        }
    }

    /// <summary>Builds a frame.</summary>
    /// <param name="plan">The hop.</param>
    /// <param name="source">Whose results fill it, or null.</param>
    /// <param name="frame">The frame.</param>
    /// <returns>Whether something that was to be generated is not there because the hop was skipped.</returns>
    public bool Build(HopPlan plan, HopPlan? source, StreamingFrame frame)
    {
        Begin(plan, frame);
        bool isLost = false;
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            HopPlan? results = source is not null && source.HasResult(m) ? source : null;
            if (results is not null)
                frame.Window = results.Index;
            NoSignalReason missing = Fill(plan, results, m, frame);
            isLost |= missing == NoSignalReason.Overload;
            HopPlan shown = results ?? plan;
            Provenance newest = frame.Count > 0 ? frame.Provenance((Modality)m)[^1] : Provenance.NoSignal;
            frame.SetStatus(m, new ModalityStatus(newest, missing, results?.TaskOf(m) ?? default, plan.Quality[m],
                shown.Targets[m].IsNormalized && results is not null));
        }
        KeepTails(plan);
        return isLost;
    }

    private static void Begin(HopPlan plan, StreamingFrame frame)
    {
        frame.Index = plan.Index;
        frame.Segment = plan.Segment;
        frame.IsLast = plan.IsLast;
        frame.IsPreliminary = false;
        frame.WasSkipped = plan.State == HopState.Skipped;
        frame.Start = TimeSpan.FromTicks(plan.Origin + (plan.FrameStart * HopTiming.SampleTicks));
        frame.Count = (int)(plan.FrameEnd - plan.FrameStart);
        frame.Window = -1;
        frame.AlgorithmicDelay = TimeSpan.FromTicks(plan.NewestTime) - frame.End;
    }

    private NoSignalReason Fill(HopPlan plan, HopPlan? results, int m, StreamingFrame frame)
    {
        FrameRow row = frame.Row(m);
        NoSignalReason missing = NoSignalReason.None;
        int at = (int)(plan.FrameStart - (plan.WindowEnd - _timing.SlotSamples));
        int from = results is null ? 0 : (int)(plan.FrameStart - (results.WindowEnd - _timing.SlotSamples));
        for (int i = 0; i < frame.Count; i++)
        {
            float measured = plan.Signal[m][at + i];
            var sample = new FrameSample(measured, float.NaN, float.NaN, plan.Source[m][at + i], false);
            if (results is not null)
                sample = Generated(sample, results, m, from + i);
            sample = _tails[m].Blend(sample, plan.FrameStart + i, _fadeIn);
            if (sample.Provenance == Provenance.NoSignal)
                missing = Reason(plan, m);
            (row.Values[i], row.Low[i], row.High[i], row.Measured[i], row.Provenance[i]) =
                (sample.Value, sample.Low, sample.High, measured, sample.Provenance);
        }
        return missing;
    }

    // What is measured stays, unless its noise was taken off; a denoised window says nothing where the signal is absent.
    private static FrameSample Generated(FrameSample sample, HopPlan results, int m, int at)
    {
        Provenance provenance = Provenances.Of(results.TaskOf(m).Kind, sample.Provenance);
        return provenance.IsGenerated()
            ? new FrameSample(results.Center[m][at], results.Low[m][at], results.High[m][at], provenance, results.Targets[m].IsNormalized)
            : sample;
    }

    private static NoSignalReason Reason(HopPlan plan, int m)
    {
        if ((plan.Failed & (1 << m)) != 0)
            return NoSignalReason.ComputeFailed;
        if (plan.Targets[m].IsWanted)
            return NoSignalReason.Overload;
        return plan.Targets[m].Reason;
    }

    private void KeepTails(HopPlan plan)
    {
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            if (plan.State == HopState.Done && plan.HasResult(m) && !plan.IsLast)
                _tails[m].Set(plan, m);
            else
                _tails[m].Clear();
        }
    }
}
