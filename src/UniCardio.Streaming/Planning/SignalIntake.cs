using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Quality;
using UniCardio.Streaming.Patient;

namespace UniCardio.Streaming.Planning;

/// <summary>A session's input side: blocks to channels, channels to windows, windows to plans. The session's lock guards it.</summary>
internal sealed class SignalIntake
{
    private readonly StreamingSessionOptions _options;
    private readonly HopTiming _timing;
    private readonly LiveChannel?[] _channels = new LiveChannel?[HopPlan.Modalities];
    private readonly double[] _noiseFactors = new double[HopPlan.Modalities];
    private readonly ChannelTally[] _tallies = [new(), new(), new()];
    private readonly LiveQuality?[] _judges = new LiveQuality?[HopPlan.Modalities];
    private readonly long[] _judged = new long[HopPlan.Modalities];
    private readonly float[] _fresh;
    private readonly WindowReader _reader;
    private readonly AbsenceReason[] _reasons;
    private readonly Func<HopPlan> _rent;
    private readonly Action<HopPlan> _add;

    /// <param name="options">The session's.</param>
    /// <param name="timing">Its times.</param>
    /// <param name="rent">Gives out room for a plan.</param>
    /// <param name="add">Takes the plan.</param>
    public SignalIntake(StreamingSessionOptions options, HopTiming timing, Func<HopPlan> rent, Action<HopPlan> add)
    {
        (_options, _timing, _rent, _add) = (options, timing, rent, add);
        Clock = new BlockClock(timing.JumpTicks);
        Policy = new GenerationPolicy(timing, options.MinCoverage, options.MinIndex);
        _reasons = new AbsenceReason[timing.SlotSamples];
        _fresh = new float[timing.SlotSamples];
        double highest = NetworkSignal.Rate;
        var resamplers = new Dictionary<double, Resampler>();
        foreach (Modality modality in Modalities.All)
        {
            if (options.Channel(modality) is not { } channel)
                continue;
            highest = Math.Max(highest, channel.SampleRate);
            if (!resamplers.TryGetValue(channel.SampleRate, out Resampler? resampler))
                resamplers.Add(channel.SampleRate, resampler = new Resampler(channel.SampleRate, NetworkSignal.Rate));
            _noiseFactors[(int)modality] = WhiteNoise.ResamplingFactor(resampler);
            _channels[(int)modality] = new LiveChannel(channel, timing, resampler, options.BridgedGap, _tallies[(int)modality]);
        }
        _reader = new WindowReader(timing, highest);
        Patient = options.OwnSignals ? new LivePatient(timing) : null;
        (Generate, Denoise, Sampling) = (options.Generate, options.Denoise, options.Sampling);
    }

    /// <summary>The patient's own last minute; null where only the network fills gaps.</summary>
    public LivePatient? Patient { get; }

    public BlockClock Clock { get; }

    public GenerationPolicy Policy { get; }

    public ModalitySet Generate { get; set; }

    public ModalitySet Denoise { get; set; }

    public ModalitySet Muted { get; set; }

    public LiveSampling Sampling { get; set; }

    /// <summary>Time of the segment's sample 0, in ticks.</summary>
    public long Origin { get; set; }

    public int Segment { get; set; }

    /// <summary>Hops planned since the session was opened.</summary>
    public long Hops { get; set; }

    /// <summary>Hops planned in this segment.</summary>
    public long SegmentHops { get; set; }

    /// <summary>White noise at 125 Hz over what is measured of it (<see cref="WhiteNoise.ResamplingFactor"/>).</summary>
    public double NoiseFactor(int modality) => _noiseFactors[modality];

    public LiveChannel? Channel(int modality) => _channels[modality];

    public ChannelTally Tally(int modality) => _tallies[modality];

    /// <summary>Longest that a frame waits for samples after its last one, but for a block's duration.</summary>
    public TimeSpan MaxDelay
    {
        get
        {
            double reach = 0;
            foreach (LiveChannel? channel in _channels)
                reach = Math.Max(reach, channel?.ReachSeconds ?? 0);
            return _options.Fade + _options.MaximumLateness + TimeSpan.FromSeconds(reach)
                + TimeSpan.FromTicks(2 * HopTiming.SampleTicks);
        }
    }

    public PushResult Push(Modality modality, long time, ReadOnlySpan<float> samples)
    {
        ChannelTally tally = _tallies[(int)modality];
        tally.Blocks++;
        tally.Samples += samples.Length;
        long end = EndOf(modality, time, samples.Length);
        switch (Clock.Judge(modality, time))
        {
            case ClockVerdict.First:
                Begin(time);
                break;
            case ClockVerdict.SetAside:
                DropAside();
                Clock.SetAside(modality, time, end, samples);
                return new PushResult(0, 0, 0, samples.Length);
            case ClockVerdict.Jumped:
                Jump(Math.Min(time, Clock.AsideTime));
                break;
        }
        return Take(modality, time, end, samples);
    }

    /// <summary>Says that time has gone on.</summary>
    public void AdvanceTo(long time)
    {
        if (!Clock.IsNear(time) || time <= Clock.Newest)
            return;
        Clock.GoTo(time, Clock.End);
        GiveUpBefore(Clock.Newest - _timing.LatenessTicks);
    }

    /// <summary>Ends the session.</summary>
    public void Complete()
    {
        DropAside();
        if (Clock.HasStarted)
            EndSegment(endsSession: true);
    }

    private long EndOf(Modality modality, long time, int samples) =>
        time + (long)Math.Round(samples / _channels[(int)modality]!.Rate * TimeSpan.TicksPerSecond);

    private void Begin(long time)
    {
        Origin = _timing.Origin(time);
        SegmentHops = 0;
        foreach (LiveChannel? channel in _channels)
            channel?.Reset(Origin);
        Policy.Reset();
        Patient?.Reset();
        Array.Clear(_judges);
        Array.Clear(_judged);
    }

    private void Jump(long firstTime)
    {
        EndSegment(endsSession: false);
        Clock.Restart();
        Segment++;
        Begin(firstTime);
        Take(Clock.AsideModality, Clock.AsideTime, EndOf(Clock.AsideModality, Clock.AsideTime, Clock.Aside.Length), Clock.Aside);
        Clock.DropAside();
    }

    private void DropAside()
    {
        if (Clock.HasAside)
            _tallies[(int)Clock.AsideModality].StraySamples += Clock.Aside.Length;
        Clock.DropAside();
    }

    private PushResult Take(Modality modality, long time, long end, ReadOnlySpan<float> samples)
    {
        Clock.GoTo(time, end);
        // First, so that the windows that this ends are read before the block overwrites what they hold.
        GiveUpBefore(Clock.Newest - _timing.LatenessTicks);
        PushResult result = _channels[(int)modality]!.Write(time, samples);
        PlanReadyHops();
        return result;
    }

    // A hop at a time, so that no channel runs away from a window that another one still holds up.
    private void GiveUpBefore(long time)
    {
        long min = time;
        foreach (LiveChannel? channel in _channels)
        {
            if (channel is not null)
                min = Math.Min(min, channel.TimeOf(channel.Frontier));
        }
        for (long bound = min; bound < time;)
        {
            bound = Math.Min(time, bound + _timing.HopTicks);
            foreach (LiveChannel? channel in _channels)
                channel?.GiveUpBefore(channel.IndexBefore(bound));
            PlanReadyHops();
        }
    }

    private void PlanReadyHops()
    {
        long ready = long.MaxValue;
        foreach (LiveChannel? channel in _channels)
        {
            if (channel is not null)
                ready = Math.Min(ready, channel.Produced);
        }
        while (_timing.Boundary(SegmentHops + 1) <= ready)
        {
            long end = _timing.Boundary(SegmentHops + 1);
            Plan(end, end - _timing.FadeSamples, isLast: false, endsSession: false);
        }
    }

    private void EndSegment(bool endsSession)
    {
        long last = long.MinValue, end = 0;
        foreach (LiveChannel? channel in _channels)
        {
            if (channel is not null)
                last = Math.Max(last, channel.TimeOf(channel.Top));
        }
        GiveUpBefore(last);
        foreach (LiveChannel? channel in _channels)
        {
            channel?.Complete();
            end = Math.Max(end, channel?.Produced ?? 0);
        }
        foreach (LiveChannel? channel in _channels)
            channel?.PadTo(end);
        while (_timing.Boundary(SegmentHops + 1) < end)
        {
            long boundary = _timing.Boundary(SegmentHops + 1);
            Plan(boundary, boundary - _timing.FadeSamples, isLast: false, endsSession: false);
        }
        Plan(end, end, isLast: true, endsSession);
    }

    private void Plan(long windowEnd, long frameEnd, bool isLast, bool endsSession)
    {
        HopPlan plan = _rent();
        plan.Clear();
        (plan.Index, plan.Segment, plan.Origin) = (Hops, Segment, Origin);
        (plan.WindowEnd, plan.FrameStart, plan.FrameEnd) =
            (windowEnd, Math.Max(0, _timing.Boundary(SegmentHops) - _timing.FadeSamples), frameEnd);
        (plan.IsLast, plan.EndsSession, plan.NewestTime, plan.Sampling) = (isLast, endsSession, Clock.End, Sampling);
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            if (_channels[m] is { } channel && !Muted.Contains((Modality)m))
                _reader.Read(channel, windowEnd, plan.Signal[m], plan.Source[m], _reasons);
            else
                WindowReader.ReadNothing(_channels[m] is null ? AbsenceReason.NoSensor : AbsenceReason.Muted, plan.Signal[m],
                    plan.Source[m], _reasons);
            plan.Quality[m] = Judged(m, windowEnd, WindowReader.Rate(_reasons.AsSpan(_timing.SlotSamples - _timing.WindowSamples)));
        }
        Policy.Decide(plan, Generate, Denoise);
        Patient?.Follow(plan);
        (Hops, SegmentHops) = (Hops + 1, SegmentHops + 1);
        _add(plan);
    }

    // The index of what the channel brought, muted or not, so that it is known when the sensor is trusted again. A judge begins with its
    // segment, and with a session that goes on from a checkpoint.
    private ModalityQuality Judged(int m, long windowEnd, in ModalityQuality shares)
    {
        if (_options.MinIndex == 0 || _channels[m] is not { } channel)
            return shares;
        LiveQuality judge = _judges[m] ??= new LiveQuality(NetworkSignal.KindOf((Modality)m), VitalSigns.UnitOf((Modality)m));
        long from = Math.Max(_judged[m], windowEnd - _fresh.Length);
        Span<float> fresh = _fresh.AsSpan(0, (int)Math.Max(0, windowEnd - from));
        channel.ReadResampled(from, fresh);
        judge.Push(fresh);
        _judged[m] = windowEnd;
        return double.IsNaN(judge.Index) ? shares : shares with { Index = (float)judge.Index, Reasons = judge.Reasons };
    }
}
