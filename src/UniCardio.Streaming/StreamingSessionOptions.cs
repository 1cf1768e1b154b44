using UniCardio.Engine;
using UniCardio.Engine.Model;

namespace UniCardio.Streaming;

/// <summary>What one patient's session takes and makes. Checked when the session is opened.</summary>
/// <remarks>
/// Equal samples, options and weights give equal bits, however the samples were cut into blocks and whenever they came, as long as none
/// came later than <see cref="MaximumLateness"/> and no hop missed its <see cref="Deadline"/>: the noise of window k for modality m is
/// keyed by (<see cref="Seed"/>, 4 k + m).
/// </remarks>
public sealed record StreamingSessionOptions
{
    /// <summary>The PPG that comes in; null if there is no such sensor.</summary>
    public ChannelOptions? Ppg { get; init; }

    /// <summary>The arterial blood pressure that comes in, in mmHg; null if there is no such sensor.</summary>
    public ChannelOptions? Bp { get; init; }

    /// <summary>The ECG that comes in, in mV; null if there is no such sensor.</summary>
    public ChannelOptions? Ecg { get; init; }

    /// <summary>Modalities that are generated where they are absent.</summary>
    public ModalitySet Generate { get; init; } = ModalitySet.All;

    /// <summary>
    /// Modalities that are denoised where they are present: broadband noise, whose level is measured window by window, by
    /// <see cref="Engine.Sessions.InferenceSession.Estimate"/>. It draws nothing, so there is no band. A channel below 62.5 Hz comes out
    /// as it is.
    /// </summary>
    public ModalitySet Denoise { get; init; }

    /// <summary>
    /// Whether gaps that are imputed are filled by the patient's own last minute too, matched by how it looks about the gap and weighed
    /// against the network by how it does on measured stretches. The delay stays what it is; a checkpoint grows by 90 kB, a hop's
    /// planning by some milliseconds.
    /// </summary>
    public bool OwnSignals { get; init; }

    /// <summary>Draws and sampler.</summary>
    public LiveSampling Sampling { get; init; } = new();

    /// <summary>Key of the noise.</summary>
    public ulong Seed { get; init; }

    /// <summary>
    /// How far back a window looks, from half of what the network takes to all of it (4 s for the published sizes); null for all. What
    /// lies further back is shown to the network as missing.
    /// </summary>
    public TimeSpan? Window { get; init; }

    /// <summary>Time from one window to the next, at least 40 ms and at most half a window.</summary>
    public TimeSpan Hop { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a new window is faded in over the one before; below <see cref="Hop"/>. Output lags by that much.</summary>
    public TimeSpan Fade { get; init; } = TimeSpan.FromMilliseconds(96);

    /// <summary>
    /// How long a channel is waited for, 0 to 5 s: a sample counts as missing once a block that starts this much later has come on any
    /// channel, and is dropped as late if it comes after all. While a sensor is silent, output lags by that much.
    /// </summary>
    public TimeSpan MaximumLateness { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Distance of a time stamp from those before, 1 to 60 s, beyond which the clock is taken to have jumped (see
    /// <see cref="StreamingSession.Push"/>).
    /// </summary>
    public TimeSpan ClockJump { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest block that can be pushed, 0.1 to 60 s. Memory grows with it.</summary>
    public TimeSpan MaxBlock { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long after its last sample a modality is imputed from what it was like; after that it is translated from the others. 1.2 s is
    /// the gap that the published network was trained to fill, 30% of a window.
    /// </summary>
    public TimeSpan ImputeFor { get; init; } = TimeSpan.FromSeconds(1.2);

    /// <summary>
    /// Share of a window that a signal must be there for to be a condition of another one, 0.25 to 1; and its last sample must be no older
    /// than a hop.
    /// </summary>
    public double MinCoverage { get; init; } = 0.5;

    /// <summary>
    /// Least index (<see cref="ModalityQuality.Index"/>, 0 to 1) for a signal to be a condition of another one: above 0, nothing is made
    /// from a signal whose heart rate cannot be read; 0.5 is where <c>unicardio quality</c> draws that line. 0, the default, lets every
    /// signal be one, and the session judges none. A signal that was not judged yet is trusted, and so is one of which too little came. A
    /// session that continues from a checkpoint judges anew, so that with a limit its bits may differ for the first 15 s.
    /// </summary>
    public double MinIndex { get; init; }

    /// <summary>Gaps that last no longer than this (0 to 0.2 s) are bridged by a straight line and never generated.</summary>
    public TimeSpan BridgedGap { get; init; } = TimeSpan.FromMilliseconds(16);

    /// <summary>
    /// How long a hop may wait for its computation to begin, 0 to 1 h. A session whose oldest hop has waited longer skips to its newest.
    /// </summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Frames that wait for a reader of <see cref="StreamingSession.ReadAllAsync"/>; beyond that the oldest is dropped and counted. 1 to
    /// 4096.
    /// </summary>
    public int FrameQueue { get; init; } = 64;

    /// <summary>The options of a modality's channel, or null.</summary>
    /// <param name="modality">The modality.</param>
    public ChannelOptions? Channel(Modality modality) => modality switch
    {
        Modality.Ppg => Ppg,
        Modality.Bp => Bp,
        Modality.Ecg => Ecg,
        _ => throw new ArgumentOutOfRangeException(nameof(modality), modality, "not a modality"),
    };

    /// <summary>Checks every setting against a network's window.</summary>
    /// <param name="slot">What the network takes, S / 125 Hz.</param>
    /// <returns>These options, with every default replaced by what it stands for.</returns>
    /// <exception cref="ConfigurationException">A setting is out of range; it is named.</exception>
    internal StreamingSessionOptions Resolve(TimeSpan slot)
    {
        TimeSpan window = Window ?? slot;
        Require(Ppg is not null || Bp is not null || Ecg is not null, "channels",
            "no channel given; expected at least one of PPG, BP and ECG");
        Require((Generate & ~ModalitySet.All) == 0, "generate", $"{(int)Generate} holds an unknown modality");
        Require((Denoise & ~ModalitySet.All) == 0, "denoise", $"{(int)Denoise} holds an unknown modality");
        Require(Sampling is not null, "sampling", "none given");
        Require(window >= slot / 2 && window <= slot, "window", Seconds(window, slot / 2, slot));
        Require(Hop >= TimeSpan.FromMilliseconds(40) && Hop <= window / 2, "hop", Seconds(Hop, TimeSpan.FromMilliseconds(40), window / 2));
        Require(Fade >= TimeSpan.Zero && Fade <= Hop - TimeSpan.FromMilliseconds(16), "fade",
            Seconds(Fade, TimeSpan.Zero, Hop - TimeSpan.FromMilliseconds(16)));
        Require(MaximumLateness >= TimeSpan.Zero && MaximumLateness <= TimeSpan.FromSeconds(5), "maximum lateness",
            Seconds(MaximumLateness, TimeSpan.Zero, TimeSpan.FromSeconds(5)));
        Require(ClockJump >= TimeSpan.FromSeconds(1) && ClockJump <= TimeSpan.FromSeconds(60), "clock jump",
            Seconds(ClockJump, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60)));
        Require(ClockJump > MaximumLateness, "clock jump",
            FormattableString.Invariant($"{ClockJump.TotalSeconds} s is not more than the maximum lateness"));
        Require(MaxBlock >= TimeSpan.FromSeconds(0.1) && MaxBlock <= TimeSpan.FromSeconds(60), "longest block",
            Seconds(MaxBlock, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(60)));
        Require(ImputeFor >= TimeSpan.Zero && ImputeFor <= window, "impute for", Seconds(ImputeFor, TimeSpan.Zero, window));
        Require(MinCoverage is >= 0.25 and <= 1, "min coverage",
            FormattableString.Invariant($"{MinCoverage} is not between 0.25 and 1 of a window"));
        Require(MinIndex is >= 0 and <= 1, "min index", FormattableString.Invariant($"{MinIndex} is not between 0 and 1"));
        Require(BridgedGap >= TimeSpan.Zero && BridgedGap <= TimeSpan.FromSeconds(0.2), "bridged gap",
            Seconds(BridgedGap, TimeSpan.Zero, TimeSpan.FromSeconds(0.2)));
        Require(Deadline >= TimeSpan.Zero && Deadline <= TimeSpan.FromHours(1), "deadline",
            Seconds(Deadline, TimeSpan.Zero, TimeSpan.FromHours(1)));
        Require(FrameQueue is >= 1 and <= 4096, "frame queue", $"{FrameQueue} is not between 1 and 4096");
        Sampling!.Validate();
        return this with { Window = window, Ppg = Ppg?.Resolve(Modality.Ppg), Bp = Bp?.Resolve(Modality.Bp),
            Ecg = Ecg?.Resolve(Modality.Ecg) };
    }

    private static string Seconds(TimeSpan value, TimeSpan min, TimeSpan max) =>
        FormattableString.Invariant($"{value.TotalSeconds} s is not between {min.TotalSeconds} and {max.TotalSeconds} s");

    private static void Require(bool holds, string setting, string otherwise)
    {
        if (!holds)
            throw new ConfigurationException(setting, otherwise);
    }
}
