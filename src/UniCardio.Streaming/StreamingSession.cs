using System.Globalization;
using System.Threading.Channels;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;

namespace UniCardio.Streaming;

/// <summary>
/// One patient's live signals: push what comes in, receive frames with what is missing filled in. Made by
/// <see cref="StreamingHost.Open"/>.
/// </summary>
/// <remarks>
/// <para>
/// <b>What is generated</b> is decided hop by hop. A modality that is absent in the hop is <em>imputed</em> if it is among
/// <see cref="Generate"/>, was there in at least a quarter of the window and not longer ago than
/// <see cref="StreamingSessionOptions.ImputeFor"/>; else <em>translated</em> from those others that cover
/// <see cref="StreamingSessionOptions.MinCoverage"/> of the window and reach into its last hop; else there is <em>no signal</em>, with the
/// reason. Flat, clipped and implausible samples count as absent (<see cref="ModalityQuality"/>). A patient without a pulse has a flat
/// line: what is then generated from another signal is an invention, which is one reason why this is no medical device; show provenance
/// and quality beside every trace.
/// </para>
/// <para>
/// <b>Delay.</b> A frame covers the hop that ended <see cref="StreamingSessionOptions.Fade"/> before the end of its window. The window is
/// complete as soon as every channel has come that far, plus the reach of the resampling filter where a channel is not at 125 Hz; or, for
/// a channel that is silent, when another one is
/// <see cref="StreamingSessionOptions.MaximumLateness"/> further (<see cref="AlgorithmicDelay"/>). Each frame states its delays.
/// </para>
/// <para>Safe to use from several threads; samples are taken in the order in which they get hold of the session.</para>
/// </remarks>
public sealed partial class StreamingSession : IDisposable
{
    internal static readonly TimeSpan MaxTime = TimeSpan.FromDays(36525);

    private readonly StreamingHost _host;
    private readonly TimeProvider _time;
    private readonly Lock _input = new();
    private readonly FrameHandler? _handler;
    private readonly Channel<StreamingFrame>? _frames;
    private readonly StreamingFrame _frame;
    private readonly long _deadline;
    private SessionTally _tally;
    private int _deliveries;
    private int _deliveringThread;
    private bool _isRead;
    private bool _isCompleted;
    private volatile bool _isClosed;
    private volatile bool _measuredFirst;

    internal StreamingSession(StreamingHost host, StreamingSessionOptions options, FrameHandler? handler, TimeProvider time)
    {
        (_host, _handler, _time) = (host, handler, time);
        Options = options.Resolve(TimeSpan.FromTicks(host.SlotSamples * HopTiming.SampleTicks));
        Timing = new HopTiming(Options, host.SlotSamples);
        foreach (Modality modality in Modalities.All)
            Channels |= Options.Channel(modality) is null ? ModalitySet.None : modality.ToSet();
        CheckSampling(Options.Sampling);
        _deadline = (long)(Options.Deadline.TotalSeconds * time.TimestampFrequency);
        _frame = new StreamingFrame(Timing.MaxFrame);
        _frames = handler is null ? System.Threading.Channels.Channel.CreateUnbounded<StreamingFrame>() : null;
        Queue = new HopQueue(host.SlotSamples, host.Options.MaxWaitingHops);
        Assembler = new FrameAssembler(Timing);
        Intake = new SignalIntake(Options, Timing, RentPlan, AddPlan);
    }

    /// <summary>
    /// The options in force: every default replaced by what it stands for. The four properties below may have changed since.
    /// </summary>
    public StreamingSessionOptions Options { get; }

    /// <summary>Modalities generated where they are absent, from the next window on.</summary>
    public ModalitySet Generate
    {
        get => Intake.Generate;
        set => Change(() => Intake.Generate = value & ModalitySet.All);
    }

    /// <summary>Modalities denoised where they are present, from the next window on.</summary>
    public ModalitySet Denoise
    {
        get => Intake.Denoise;
        set => Change(() => Intake.Denoise = value & ModalitySet.All);
    }

    /// <summary>Modalities treated as absent from the next window on, whatever comes in: to see the engine take over.</summary>
    public ModalitySet Muted
    {
        get => Intake.Muted;
        set => Change(() => Intake.Muted = value & ModalitySet.All);
    }

    /// <summary>Draws and sampler from the next window on.</summary>
    /// <exception cref="Engine.ConfigurationException">The sampler does not fit the network.</exception>
    public LiveSampling Sampling
    {
        get => Intake.Sampling;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            CheckSampling(value.Validate());
            Change(() => Intake.Sampling = value);
        }
    }

    /// <summary>
    /// Whether a frame of which something is still to be generated is handed on twice: at once with what is measured
    /// (<see cref="StreamingFrame.IsPreliminary"/>), and again when it is whole. So a measured sample waits for no computation, be the
    /// machine as loaded as it may. Not in a checkpoint.
    /// </summary>
    public bool MeasuredFirst
    {
        get => _measuredFirst;
        set => _measuredFirst = value;
    }

    /// <summary>
    /// Largest <see cref="StreamingFrame.AlgorithmicDelay"/>, to which comes the duration of a block, of two while a channel is silent:
    /// fade, reach of the resampling filters, maximum lateness.
    /// </summary>
    public TimeSpan AlgorithmicDelay => Intake.MaxDelay;

    /// <summary>What the session has done.</summary>
    public SessionCounts Counts
    {
        get
        {
            lock (_host.Gate)
                return _tally.ToCounts(Intake.Segment);
        }
    }

    /// <summary>What the frame handler threw, or null.</summary>
    public Exception? Fault { get; private set; }

    internal HopTiming Timing { get; }

    internal ModalitySet Channels { get; }

    internal ulong Seed => Options.Seed;

    /// <summary>Hops that are not delivered; the host's gate guards it, and the two below.</summary>
    internal HopQueue Queue { get; }

    internal FrameAssembler Assembler { get; }

    internal ref SessionTally Tally => ref _tally;

    /// <summary>The input side; the session's own lock guards it.</summary>
    internal SignalIntake Intake { get; }

    /// <summary>What the session has seen of a modality.</summary>
    /// <param name="modality">The modality.</param>
    public InputCounts InputCounts(Modality modality)
    {
        lock (_input)
            return Intake.Channel((int)modality)?.Counts ?? default;
    }

    /// <summary>Takes a block of evenly spaced samples.</summary>
    /// <param name="modality">What they measure; the session must have a channel for it.</param>
    /// <param name="time">Time of the first sample, on any clock that all channels of the session share; within 100 years of zero.</param>
    /// <param name="samples">[n] at the channel's rate, NaN where the sender knows that a sample is missing; at most
    /// <see cref="StreamingSessionOptions.MaxBlock"/>.</param>
    /// <returns>What became of them.</returns>
    /// <remarks>
    /// <para>A channel's samples are evenly spaced from its first block in the segment on; in frames they stand at most half a sample of
    /// theirs from there. Time stamps, in this order:</para>
    /// <list type="bullet">
    /// <item><b>Duplicates.</b> A block with the time stamp of one of the last 32 blocks of its channel has that block's place: the first
    /// wins, a longer second one adds its tail.</item>
    /// <item><b>Jitter.</b> A block that begins within <see cref="ChannelOptions.JitterSeconds"/> of the end of the newest samples, or of
    /// the start of the oldest gap that is still waited for, follows without a seam.</item>
    /// <item><b>Otherwise</b> the block stands at the sample nearest to its time stamp. Where it overlaps older samples, those win.
    /// Samples between are a gap, bridged if it is no longer than <see cref="StreamingSessionOptions.BridgedGap"/>; so a device whose
    /// clock drifts loses or repeats a sample now and then.</item>
    /// <item><b>Late blocks</b> are taken, in their place, until their samples have been given up
    /// (<see cref="StreamingSessionOptions.MaximumLateness"/>).</item>
    /// <item><b>Clock jumps.</b> A block that begins more than <see cref="StreamingSessionOptions.ClockJump"/> after the end of all
    /// samples or before the newest block is set aside. If the next such block, of any channel, is within that distance of it, the clock
    /// has jumped: the segment ends, its last samples go out, and a new one begins with both blocks and no memory of the past. Otherwise
    /// the block was a stray and is dropped.</item>
    /// </list>
    /// </remarks>
    /// <exception cref="ArgumentException">The session has no channel for the modality, or the block is too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is more than 100 years from zero.</exception>
    /// <exception cref="SessionClosedException">The session is completed, closed, or its handler failed.</exception>
    public PushResult Push(Modality modality, TimeSpan time, ReadOnlySpan<float> samples)
    {
        if (modality is < Modality.Ppg or > Modality.Ecg || Options.Channel(modality) is not { } channel)
            throw new ArgumentException($"the session has no channel for {modality}; it has {Channels}", nameof(modality));
        if (samples.Length > Options.MaxBlock.TotalSeconds * channel.SampleRate)
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture,
                    $"{samples.Length} samples at {channel.SampleRate} Hz are more than the {Options.MaxBlock.TotalSeconds} s that a "
                    + $"block may have"), nameof(samples));
        CheckTime(time);
        MakeRoom();
        PushResult result;
        lock (_input)
        {
            CheckOpen();
            result = samples.IsEmpty ? default : Intake.Push(modality, time.Ticks, samples);
        }
        GoOn();
        return result;
    }

    /// <summary>
    /// Says that the clock has come to a time although no samples have: hops before it, less the maximum lateness, go out as they are.
    /// </summary>
    /// <param name="time">The time; nothing happens if it is not after the newest block's, or more than
    /// <see cref="StreamingSessionOptions.ClockJump"/> after the newest sample.</param>
    /// <exception cref="SessionClosedException">The session is completed, closed, or its handler failed.</exception>
    public void AdvanceTo(TimeSpan time)
    {
        CheckTime(time);
        MakeRoom();
        lock (_input)
        {
            CheckOpen();
            Intake.AdvanceTo(time.Ticks);
        }
        GoOn();
    }

    /// <summary>Ends the session: what has come goes out, to the last sample. Later pushes are refused.</summary>
    public void Complete()
    {
        lock (_input)
        {
            if (_isCompleted || _isClosed)
                return;
            _isCompleted = true;
            bool hasFrames = Intake.Clock.HasStarted;
            Intake.Complete();
            if (!hasFrames)
                Close(null);
        }
        GoOn();
    }

    /// <summary>The frames of a session without a handler, in order, until the session is completed or closed. One reader.</summary>
    /// <param name="cancellation">Stops reading.</param>
    /// <exception cref="InvalidOperationException">The session has a handler, or is read already.</exception>
    public IAsyncEnumerable<StreamingFrame> ReadAllAsync(CancellationToken cancellation = default)
    {
        if (_frames is null)
            throw new InvalidOperationException("the session hands its frames to a handler; open it without one to read them");
        if (Interlocked.Exchange(ref _isRead, true))
            throw new InvalidOperationException("the session is read already; it has one reader");
        return _frames.Reader.ReadAllAsync(cancellation);
    }

    /// <summary>
    /// Some seconds of state, from which <see cref="StreamingHost.Restore"/> continues: options, samples that later windows reach, hops
    /// that are not delivered.
    /// </summary>
    /// <returns>A versioned, checksummed file's worth of bytes. Blocks set aside are not in it, nor frames that wait for a reader, nor
    /// <see cref="Muted"/>.</returns>
    /// <exception cref="SessionClosedException">The session is completed, closed, or its handler failed.</exception>
    public byte[] Checkpoint()
    {
        lock (_input)
        {
            CheckOpen();
            lock (_host.Gate)
                return SessionCheckpoint.Write(this);
        }
    }

    /// <summary>
    /// Closes the session at once; frames that were not delivered are not. A call of the handler that is under way on another thread ends
    /// by itself.
    /// </summary>
    public void Dispose() => Close(null);

    private HopPlan RentPlan()
    {
        lock (_host.Gate)
            return Queue.Rent();
    }

    private void AddPlan(HopPlan plan)
    {
        plan.ReadyTimestamp = _time.GetTimestamp();
        plan.Deadline = plan.ReadyTimestamp + _deadline;
        plan.State = plan.Wanted == 0 ? HopState.Passive : HopState.Waiting;
        lock (_host.Gate)
        {
            if (_isClosed)
                return;
            Queue.Add(plan);
            _tally.Hops++;
            if (plan.Wanted != 0)
                _host.CountWanted(plan);
        }
    }

    /// <summary>Sends out what can go out and has the rest computed.</summary>
    internal void GoOn()
    {
        Deliver();
        bool isAnyWaiting;
        lock (_host.Gate)
            isAnyWaiting = Queue.Waiting > 0;
        if (isAnyWaiting)
            _host.Wake();
    }

    /// <summary>Puts a hop of a checkpoint back; its deadline counts from now.</summary>
    internal void Requeue(HopPlan plan)
    {
        plan.ReadyTimestamp = _time.GetTimestamp();
        plan.Deadline = plan.ReadyTimestamp + _deadline;
        Queue.Add(plan);
    }

    /// <summary>Checks the sampler that a checkpoint names.</summary>
    internal void Require(LiveSampling sampling, CheckpointReader reader)
    {
        try
        {
            CheckSampling(sampling.Validate());
        }
        catch (ConfigurationException problem)
        {
            throw reader.Problem(problem.Message, problem);
        }
    }

    /// <summary>A window has been computed, or not.</summary>
    internal void TakeResult(HopPlan plan, int modality, bool isComputed, bool hasFailed)
    {
        int bit = 1 << modality;
        plan.InBatch &= ~bit;
        if (isComputed)
        {
            plan.Failed |= hasFailed ? bit : 0;
            plan.Done |= hasFailed ? 0 : bit;
            _tally.Windows++;
            _tally.FailedWindows += hasFailed ? 1 : 0;
        }
        if (plan.IsDelivered)
            Queue.Return(plan);
        else if (plan.State == HopState.Started && plan.Open == 0 && plan.InBatch == 0)
            plan.State = HopState.Done;
    }

    internal void CountSkipped(int hops)
    {
        _tally.SkippedHops += hops;
        if (hops > 0)
            StreamingMetrics.SkippedHops.Add(hops);
    }

    private void Close(Exception? fault)
    {
        lock (_host.Gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            Fault = fault;
            Queue.Clear();
        }
        _frames?.Writer.TryComplete(fault is null ? null : new SessionClosedException(fault));
        _host.Remove(this);
    }

    private void Change(Action change)
    {
        lock (_input)
            change();
    }

    private void CheckSampling(LiveSampling sampling)
    {
        foreach (WindowShape shape in sampling.Reachable(Channels, ModalitySet.All, ModalitySet.None))
            shape.Validate(_host.Engine.Configuration);
    }

    private void CheckOpen()
    {
        if (_isClosed || _isCompleted)
            throw new SessionClosedException(Fault);
    }

    private static void CheckTime(TimeSpan time)
    {
        if (time < -MaxTime || time > MaxTime)
            throw new ArgumentOutOfRangeException(nameof(time), time, "A time is within 100 years of zero.");
    }
}
