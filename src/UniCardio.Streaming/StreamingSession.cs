using UniCardio.Engine.Model;

namespace UniCardio.Streaming;

/// <summary>One patient's live signals: push what comes in, receive frames with what is missing filled in. Made by <see cref="StreamingHost.Open"/>.</summary>
/// <remarks>
/// <para>
/// <b>What is generated</b> is decided hop by hop. A modality that is absent in the hop is <em>imputed</em> if it is among <see cref="Generate"/>, was there in at
/// least a quarter of the window and not longer ago than <see cref="StreamingSessionOptions.ImputeFor"/>; else <em>translated</em> from those others that cover
/// <see cref="StreamingSessionOptions.LeastCoverage"/> of the window and reach into its last hop; else there is <em>no signal</em>, with the reason. Flat, clipped and
/// implausible samples count as absent (<see cref="ModalityQuality"/>). A patient without a pulse has a flat line: what is then generated from another signal is
/// an invention, which is one reason why this is no medical device; show provenance and quality beside every trace.
/// </para>
/// <para>
/// <b>Delay.</b> A frame covers the hop that ended <see cref="StreamingSessionOptions.Fade"/> before the end of its window. The window is complete as soon as every channel has
/// come that far, plus the reach of the resampling filter where a channel is not at 125 Hz; or, for a channel that is silent, when another one is
/// <see cref="StreamingSessionOptions.MaximumLateness"/> further (<see cref="AlgorithmicDelay"/>). Each frame states its delays.
/// </para>
/// <para>Safe to use from several threads; samples are taken in the order in which they get hold of the session.</para>
/// </remarks>
public sealed class StreamingSession : IDisposable
{
    internal StreamingSession() => throw new NotImplementedException();

    /// <summary>The options in force: every default replaced by what it stands for. The four properties below may have changed since.</summary>
    public StreamingSessionOptions Options => throw new NotImplementedException();

    /// <summary>Modalities generated where they are absent, from the next window on.</summary>
    public ModalitySet Generate { get => throw new NotImplementedException(); set => throw new NotImplementedException(); }

    /// <summary>Modalities denoised where they are present, from the next window on.</summary>
    public ModalitySet Denoise { get => throw new NotImplementedException(); set => throw new NotImplementedException(); }

    /// <summary>Modalities treated as absent from the next window on, whatever comes in: to see the engine take over.</summary>
    public ModalitySet Muted { get => throw new NotImplementedException(); set => throw new NotImplementedException(); }

    /// <summary>Draws and sampler from the next window on.</summary>
    /// <exception cref="Engine.ConfigurationException">The sampler does not fit the network.</exception>
    public StreamSampling Sampling { get => throw new NotImplementedException(); set => throw new NotImplementedException(); }

    /// <summary>Largest <see cref="StreamingFrame.AlgorithmicDelay"/>, to which comes the duration of one block: fade, reach of the resampling filters, maximum lateness.</summary>
    public TimeSpan AlgorithmicDelay => throw new NotImplementedException();

    /// <summary>What the session has done.</summary>
    public SessionCounts Counts => throw new NotImplementedException();

    /// <summary>What the session has seen of a modality.</summary>
    /// <param name="modality">The modality.</param>
    public InputCounts InputCounts(Modality modality) => throw new NotImplementedException();

    /// <summary>What the frame handler threw, or null.</summary>
    public Exception? Fault => throw new NotImplementedException();

    /// <summary>Takes a block of evenly spaced samples.</summary>
    /// <param name="modality">What they measure; the session must have a channel for it.</param>
    /// <param name="time">Time of the first sample, on any clock that all channels of the session share; within 100 years of zero.</param>
    /// <param name="samples">[n] at the channel's rate, NaN where the sender knows that a sample is missing; at most <see cref="StreamingSessionOptions.LongestBlock"/>.</param>
    /// <returns>What became of them.</returns>
    /// <remarks>
    /// <para>Time stamps, in this order:</para>
    /// <list type="bullet">
    /// <item><b>Duplicates.</b> A block with the time stamp of one of the last 32 blocks of its channel has that block's place: the first wins, a longer second one adds its tail.</item>
    /// <item><b>Jitter.</b> A block that begins within <see cref="ChannelOptions.JitterSeconds"/> of the end of the newest samples, or of the start of the oldest gap that is still waited for, follows without a seam.</item>
    /// <item><b>Otherwise</b> the block stands at the sample nearest to its time stamp. Where it overlaps older samples, those win. Samples between are a gap, bridged if it
    /// is no longer than <see cref="StreamingSessionOptions.BridgedGap"/>; so a device whose clock drifts loses or repeats a sample now and then.</item>
    /// <item><b>Late blocks</b> are taken, in their place, until their samples have been given up (<see cref="StreamingSessionOptions.MaximumLateness"/>).</item>
    /// <item><b>Clock jumps.</b> A block that begins more than <see cref="StreamingSessionOptions.ClockJump"/> after the end of all samples or before the newest block is set aside.
    /// If the next such block, of any channel, is within that distance of it, the clock has jumped: the segment ends, its last samples go out, and a new one begins
    /// with both blocks and no memory of the past. Otherwise the block was a stray and is dropped.</item>
    /// </list>
    /// </remarks>
    /// <exception cref="ArgumentException">The session has no channel for the modality, or the block is too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is more than 100 years from zero.</exception>
    /// <exception cref="SessionClosedException">The session is completed, closed, or its handler failed.</exception>
    public PushResult Push(Modality modality, TimeSpan time, ReadOnlySpan<float> samples) => throw new NotImplementedException();

    /// <summary>Says that the clock has come to a time although no samples have: hops before it, less the maximum lateness, go out as they are.</summary>
    /// <param name="time">The time; nothing happens if it is not after the newest block's, or more than <see cref="StreamingSessionOptions.ClockJump"/> after the newest sample.</param>
    /// <exception cref="SessionClosedException">The session is completed, closed, or its handler failed.</exception>
    public void AdvanceTo(TimeSpan time) => throw new NotImplementedException();

    /// <summary>Ends the stream: what has come goes out, to the last sample. Later pushes are refused.</summary>
    public void Complete() => throw new NotImplementedException();

    /// <summary>The frames of a session without a handler, in order, until the session is completed or closed. One reader.</summary>
    /// <param name="cancellation">Stops reading.</param>
    /// <exception cref="InvalidOperationException">The session has a handler, or is read already.</exception>
    public IAsyncEnumerable<StreamingFrame> ReadAllAsync(CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>Some seconds of state, from which <see cref="StreamingHost.Restore"/> goes on: options, samples that later windows reach, hops that are not delivered.</summary>
    /// <returns>A versioned, checksummed file's worth of bytes. Blocks set aside are not in it, nor frames that wait for a reader, nor <see cref="Muted"/>.</returns>
    /// <exception cref="SessionClosedException">The session is completed, closed, or its handler failed.</exception>
    public byte[] Checkpoint() => throw new NotImplementedException();

    /// <summary>Closes the session at once; frames that were not delivered are not.</summary>
    public void Dispose() => throw new NotImplementedException();
}
