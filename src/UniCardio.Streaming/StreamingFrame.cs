using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Streaming;

/// <summary>Receives the frames of a session, in order, never two at a time.</summary>
/// <param name="session">The session.</param>
/// <param name="frame">The frame; it and its spans are the session's own memory and valid during the call only.
/// <see cref="StreamingFrame.Clone"/> copies it.</param>
/// <remarks>
/// Called on the host's thread or on the thread that pushed: return soon, and hand long work to others. It may push samples and close the
/// session. An exception closes the session and becomes its <see cref="StreamingSession.Fault"/>.
/// </remarks>
public delegate void FrameHandler(StreamingSession session, StreamingFrame frame);

/// <summary>
/// One hop's worth of all three signals at 125 Hz. Frames follow each other without gap or overlap, except where the clock jumped.
/// </summary>
/// <remarks>Research software, not a medical device: no number in it may guide the care of a patient.</remarks>
public sealed class StreamingFrame
{
    /// <summary>Samples a second of every signal in a frame.</summary>
    public const double SampleRate = NetworkSignal.Rate;

    private const int Modalities = 3;
    private const long TicksPerSample = TimeSpan.TicksPerSecond / (long)SampleRate;
    private readonly float[][] _values, _low, _high, _measured;
    private readonly Provenance[][] _provenance;
    private readonly ModalityStatus[] _status = new ModalityStatus[Modalities];

    internal StreamingFrame(int capacity)
    {
        float[][] Rows() => [.. Enumerable.Range(0, Modalities).Select(_ => new float[capacity])];
        (_values, _low, _high, _measured) = (Rows(), Rows(), Rows(), Rows());
        _provenance = [.. Enumerable.Range(0, Modalities).Select(_ => new Provenance[capacity])];
    }

    /// <summary>Number of the hop, from 0; one frame a hop, none left out.</summary>
    public long Index { get; internal set; }

    /// <summary>How often the clock had jumped before; frames of one segment share a time axis.</summary>
    public int Segment { get; internal set; }

    /// <summary>
    /// Number of the window that the generated samples come from: <see cref="Index"/>, or a later one if the hop was skipped; -1 if
    /// nothing was computed.
    /// </summary>
    public long Window { get; internal set; }

    /// <summary>Whether the machine could not keep up and the hop's own window was not computed.</summary>
    public bool WasSkipped { get; internal set; }

    /// <summary>
    /// Whether it holds what is measured alone and comes again, with the same <see cref="Index"/>, once what is to be generated is there
    /// or was skipped; only with <see cref="StreamingSession.MeasuredFirst"/>.
    /// </summary>
    public bool IsPreliminary { get; internal set; }

    /// <summary>Whether it is the last frame of its segment.</summary>
    public bool IsLast { get; internal set; }

    /// <summary>Time of sample 0, on the clock of the time stamps that were pushed.</summary>
    public TimeSpan Start { get; internal set; }

    /// <summary>Samples n of each signal.</summary>
    public int Count { get; internal set; }

    /// <summary>Time of the sample after the last one: the next frame's <see cref="Start"/>.</summary>
    public TimeSpan End => TimeOf(Count);

    /// <summary>
    /// Time of the live signal from <see cref="End"/> to the end of the newest block that had come when all that the frame needs was there.
    /// </summary>
    public TimeSpan AlgorithmicDelay { get; internal set; }

    /// <summary>Time from then to the frame's delivery: waiting, computing, assembling.</summary>
    public TimeSpan ComputeDelay { get; internal set; }

    /// <summary>
    /// Frames that were dropped before this one because nobody read them (<see cref="StreamingSession.ReadAllAsync"/> only), since the
    /// session was opened.
    /// </summary>
    public long Dropped { get; internal set; }

    /// <summary>Time of a sample.</summary>
    /// <param name="sample">Sample, 0 to <see cref="Count"/>.</param>
    public TimeSpan TimeOf(int sample) => Start + TimeSpan.FromTicks(sample * TicksPerSample);

    /// <summary>The signal to show, [n]: measured where it is, generated where it is not, NaN where there is nothing.</summary>
    /// <param name="modality">The modality.</param>
    public ReadOnlySpan<float> Values(Modality modality) => _values[(int)modality].AsSpan(0, Count);

    /// <summary>5% quantile of the draws, [n]; NaN where nothing was generated or there is a single draw.</summary>
    /// <param name="modality">The modality.</param>
    public ReadOnlySpan<float> Low(Modality modality) => _low[(int)modality].AsSpan(0, Count);

    /// <summary>95% quantile of the draws, [n]; NaN where nothing was generated or there is a single draw.</summary>
    /// <param name="modality">The modality.</param>
    public ReadOnlySpan<float> High(Modality modality) => _high[(int)modality].AsSpan(0, Count);

    /// <summary>The input, [n], NaN where absent; differs from <see cref="Values"/> in what was generated and denoised.</summary>
    /// <param name="modality">The modality.</param>
    public ReadOnlySpan<float> Measured(Modality modality) => _measured[(int)modality].AsSpan(0, Count);

    /// <summary>Where each sample of <see cref="Values"/> comes from, [n].</summary>
    /// <param name="modality">The modality.</param>
    public ReadOnlySpan<Provenance> Provenance(Modality modality) => _provenance[(int)modality].AsSpan(0, Count);

    /// <summary>What is shown of the modality, and why.</summary>
    /// <param name="modality">The modality.</param>
    public ModalityStatus Status(Modality modality) => _status[(int)modality];

    /// <summary>A copy that keeps.</summary>
    public StreamingFrame Clone()
    {
        var copy = new StreamingFrame(Count)
        {
            Index = Index,
            Segment = Segment,
            Window = Window,
            WasSkipped = WasSkipped,
            IsLast = IsLast,
            IsPreliminary = IsPreliminary,
            Start = Start,
            Count = Count,
            AlgorithmicDelay = AlgorithmicDelay,
            ComputeDelay = ComputeDelay,
            Dropped = Dropped,
        };
        for (int m = 0; m < Modalities; m++)
        {
            _values[m].AsSpan(0, Count).CopyTo(copy._values[m]);
            _low[m].AsSpan(0, Count).CopyTo(copy._low[m]);
            _high[m].AsSpan(0, Count).CopyTo(copy._high[m]);
            _measured[m].AsSpan(0, Count).CopyTo(copy._measured[m]);
            _provenance[m].AsSpan(0, Count).CopyTo(copy._provenance[m]);
            copy._status[m] = _status[m];
        }
        return copy;
    }

    internal FrameRow Row(int modality) =>
        new(_values[modality], _low[modality], _high[modality], _measured[modality], _provenance[modality]);

    internal void SetStatus(int modality, in ModalityStatus status) => _status[modality] = status;
}

/// <summary>The arrays of one modality of a frame.</summary>
internal readonly record struct FrameRow(float[] Values, float[] Low, float[] High, float[] Measured, Provenance[] Provenance);
