using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;
using UniCardio.Streaming.Planning;
using UniCardio.Streaming.State;

namespace UniCardio.Streaming.Patient;

/// <summary>The last minute of a session's own signals, and what moments of it that look alike say of a gap.</summary>
/// <remarks>
/// <para>Offline, an own beat is placed by detected beats; a live detector reports a beat 3.5 s late. Here nothing is detected: the samples
/// before the gap and the other signals, which have come as far as the window, are matched against the minute (<see cref="Analogues"/>), so
/// that the session's delay stays what it is.</para>
/// <para>How far it is to be trusted, measured stretches say that are hidden in turn, one signal a hop: the stretch that a gap's first hop
/// would have, and that of a gap <see cref="StreamingSessionOptions.ImputeFor"/> long. Its part in a gap is 1 / (1 + (e / 0.6)^2), e its
/// error there in standard deviations of the signal, 0.6 the network's usual one (as offline); none before four trials.</para>
/// <para>A function of the windows alone, so that a restored session continues to the same bits. Nothing is allocated after construction.
/// The session's lock guards it. 1 to 3 ms a hop and trial; 200 kB a session.</para>
/// </remarks>
internal sealed class LivePatient
{
    private const int Samples = 60 * (int)NetworkSignal.Rate, MinTrials = 4;

    // Fifteen seconds of a signal hold the ten to twenty beats that a match takes.
    private const int MinMeasured = 15 * (int)NetworkSignal.Rate;
    private const double NetworkError = 0.6, Memory = 0.1, Inner = 1.645;

    private readonly HopTiming _timing;
    private readonly float[][] _past = [.. Enumerable.Range(0, HopPlan.Modalities).Select(_ => new float[Samples])];
    private readonly float[] _hidden = new float[Samples];
    private readonly double[] _wave, _deviation;
    private readonly double[] _error = new double[HopPlan.Modalities];
    private readonly int[] _trials = new int[HopPlan.Modalities];
    private readonly Analogues _analogues;
    private long _end;

    /// <summary>Starts without a past.</summary>
    /// <param name="timing">The session's times.</param>
    public LivePatient(HopTiming timing)
    {
        _timing = timing;
        int longest = timing.MaxFrame + timing.FadeSamples;
        _analogues = new Analogues(Samples, longest);
        (_wave, _deviation) = (new double[longest], new double[longest]);
        Reset();
    }

    /// <summary>Forgets the past, as at a clock's jump.</summary>
    public void Reset()
    {
        foreach (float[] past in _past)
            Array.Fill(past, float.NaN);
        _error.AsSpan().Clear();
        _trials.AsSpan().Clear();
        _end = 0;
    }

    /// <summary>Takes a hop's windows along, and tells the gaps that it is to fill; its targets stand.</summary>
    /// <param name="plan">The hop.</param>
    public void Follow(HopPlan plan)
    {
        int fresh = (int)Math.Clamp(plan.WindowEnd - _end, 0, Samples);
        _end = plan.WindowEnd;
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            float[] past = _past[m];
            past.AsSpan(fresh).CopyTo(past);
            plan.Signal[m].CopyTo(past.AsSpan(Samples - plan.Signal[m].Length));
        }

        Try((int)(plan.Index % HopPlan.Modalities), plan);
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            if (plan.Targets[m].Task is { IsValid: true, Kind: TaskKind.Impute } && _trials[m] >= MinTrials)
                Tell(m, plan);
        }
    }

    private static int FrameStart(HopPlan plan) => Samples - (int)(plan.WindowEnd - plan.FrameStart);

    // Hides the newest samples of a signal that is all there.
    private void Try(int m, HopPlan plan)
    {
        int start = FrameStart(plan), from = plan.Index / HopPlan.Modalities % 2 == 0 ? start
            : Math.Min(start, Samples - _timing.ImputeSamples);
        ReadOnlySpan<float> truth = _past[m];
        int length = Samples - start;
        if (from < 1 || GapFinder.CountMeasured(truth[from..]) < Samples - from || !IsKnown(m)
            || SignalMoments.Of(truth) is not { Deviation: > 0 } moments)
            return;
        truth.CopyTo(_hidden);
        _hidden.AsSpan(from).Fill(float.NaN);
        if (!Estimate(m, new SampleRange(start, length)))
            return;
        double sum = 0;
        for (int t = 0; t < length; t++)
            sum += (_wave[t] - truth[start + t]) * (_wave[t] - truth[start + t]);
        double error = Math.Sqrt(sum / length) / moments.Deviation, share = Math.Max(Memory, 1.0 / (_trials[m] + 1));
        _error[m] += share * (error - _error[m]);
        _trials[m] = Math.Min(_trials[m] + 1, 1 << 20);
    }

    private void Tell(int m, HopPlan plan)
    {
        int start = FrameStart(plan), slot = plan.Signal[m].Length;
        ReadOnlySpan<float> past = _past[m];
        int first = past[start..].IndexOf(float.NaN), last = past[start..].LastIndexOf(float.NaN);
        if (first < 0 || !IsKnown(m) || SignalMoments.Of(past) is not { Deviation: > 0 } moments)
            return;
        var gap = SampleRange.Between(start + first, start + last + 1);
        past.CopyTo(_hidden);
        _hidden.AsSpan(gap.Start, gap.Length).Fill(float.NaN);
        if (!Estimate(m, gap))
            return;
        Span<float> own = plan.Own[m];
        own.Fill(float.NaN);
        for (int t = 0; t < gap.Length; t++)
            own[gap.Start + t - (Samples - slot)] = (float)_wave[t];
        plan.OwnShare[m] = (float)(1 / (1 + (_error[m] * _error[m] / (NetworkError * NetworkError))));
        plan.OwnBand[m] = (float)(Inner * _error[m] * moments.Deviation);
    }

    private bool IsKnown(int m) => GapFinder.CountMeasured(_past[m]) >= MinMeasured;

    // Of the hidden signal m from the others, those that are measured through the gap.
    private bool Estimate(int m, SampleRange gap) => _analogues.Estimate(_hidden, Other((m + 1) % HopPlan.Modalities),
        Other((m + 2) % HopPlan.Modalities), gap, _wave.AsSpan(0, gap.Length), _deviation.AsSpan(0, gap.Length));

    private ReadOnlySpan<float> Other(int m) => IsKnown(m) ? _past[m] : default;

    /// <summary>Blends what the network made with what the patient's own signals say, where they do.</summary>
    /// <param name="plan">The hop; its network results stand.</param>
    /// <param name="m">Which signal.</param>
    public static void Blend(HopPlan plan, int m)
    {
        float share = plan.OwnShare[m];
        if (!(share > 0))
            return;
        Span<float> own = plan.Own[m], center = plan.Center[m], low = plan.Low[m], high = plan.High[m];
        for (int t = 0; t < own.Length; t++)
        {
            if (float.IsNaN(own[t]))
                continue;
            float below = center[t] - low[t], above = high[t] - center[t], ours = share * plan.OwnBand[m];
            center[t] += share * (own[t] - center[t]);
            (low[t], high[t]) = (center[t] - Together((1 - share) * below, ours), center[t] + Together((1 - share) * above, ours));
        }
    }

    private static float Together(float a, float b) => MathF.Sqrt((a * a) + (b * b));

    /// <summary>Saves it.</summary>
    public void Save(CheckpointWriter writer)
    {
        writer.Write(_end);
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            writer.Write(_error[m]);
            writer.Write(_trials[m]);
            writer.Write(_past[m].AsSpan());
        }
    }

    /// <summary>Loads what <see cref="Save"/> wrote.</summary>
    public void Load(CheckpointReader reader)
    {
        _end = reader.Index("end of the patient's past");
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            _error[m] = reader.Double();
            reader.Require(_error[m] is >= 0 and < 1e6, $"{_error[m]} is no error");
            _trials[m] = reader.Int(0, 1 << 20, "trials");
            reader.Signal(_past[m]);
        }
    }
}
