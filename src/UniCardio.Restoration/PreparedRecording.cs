using UniCardio.Engine.Model;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration;

/// <summary>The signals of a task at 125 Hz on one time axis, beside the channel whose axis that is.</summary>
internal sealed class PreparedRecording
{
    private readonly Dictionary<Modality, float[]> _signals = [];
    private readonly Dictionary<Modality, Channel> _channels;

    private PreparedRecording(CardioTask task, Dictionary<Modality, Channel> channels, List<SignalWarning> warnings)
    {
        _channels = channels;
        Warnings = warnings;
        // In translation the longest condition gives the axis; among equals the first in slot order.
        Reference = task.Kind == TaskKind.Translate ? channels.Values.MaxBy(c => c.DurationSeconds)! : channels[task.Output];
        Length = ResamplerOf(Reference.SampleRate, RecordingPreparation.NetworkRate, Reference.Name).OutputLength(Reference.Length);
    }

    /// <summary>The channel that the result takes its rate and length from: the restored one, or the longest condition.</summary>
    public Channel Reference { get; }

    /// <summary><see cref="Reference"/>'s samples in its own unit and rate, short gaps bridged.</summary>
    public float[] Bridged { get; private set; } = [];

    /// <summary>The network's unit (mmHg for BP) over <see cref="Reference"/>'s; 1 in translation, whose result is in the network's unit.</summary>
    public double UnitFactor { get; private set; } = 1;

    /// <summary>Samples at 125 Hz, n.</summary>
    public int Length { get; }

    /// <summary>What a person should know.</summary>
    public List<SignalWarning> Warnings { get; }

    /// <summary>A condition's signal at 125 Hz, [n], NaN where missing; BP in mmHg.</summary>
    public ReadOnlySpan<float> Signal(Modality modality) => _signals[modality];

    /// <summary>A condition's channel as recorded.</summary>
    public Channel Channel(Modality modality) => _channels[modality];

    public static PreparedRecording Create(Recording recording, ChannelSelection selection, RestorationOptions options, CancellationToken cancellationToken)
    {
        CardioTask task = options.Task;
        var warnings = new List<SignalWarning>(recording.Warnings);
        Dictionary<Modality, Channel> channels = selection.Pick(recording, task.Conditions, warnings);
        var prepared = new PreparedRecording(task, channels, warnings);
        foreach ((Modality modality, Channel channel) in channels)
        {
            cancellationToken.ThrowIfCancellationRequested();
            prepared.Add(task, modality, channel, options.BridgedGapSeconds, cancellationToken);
        }
        return prepared;
    }

    /// <summary>A resampler, or the error that names the channel.</summary>
    public static Resampler ResamplerOf(double inputRate, double outputRate, string channel)
    {
        if (inputRate / outputRate is not (>= 1.0 / 1024 and <= 1024))
            throw new RestorationException(FormattableString.Invariant($"channel '{channel}' has {inputRate} or is to have {outputRate} samples a second; expected a ratio of at most 1024"));
        return new Resampler(inputRate, outputRate);
    }

    private void Add(CardioTask task, Modality modality, Channel channel, double bridgedSeconds, CancellationToken cancellationToken)
    {
        double factor = Inspect(modality, channel);
        float[] samples = channel.Samples.ToArray();
        GapBridge.Fill(samples, (int)Math.Floor((bridgedSeconds * channel.SampleRate) + 1e-9));
        if (ReferenceEquals(channel, Reference))
        {
            Bridged = task.Kind == TaskKind.Translate ? [] : samples;
            UnitFactor = task.Kind == TaskKind.Translate ? 1 : factor;
        }

        Resampler resampler = ResamplerOf(channel.SampleRate, RecordingPreparation.NetworkRate, channel.Name);
        float[] signal = resampler.Resample(samples, cancellationToken);
        int measured = signal.Length;
        if (signal.Length != Length)
        {
            Array.Resize(ref signal, Length);
            if (measured < Length)
                signal.AsSpan(measured).Fill(float.NaN);
        }
        if (factor != 1)
        {
            for (int i = 0; i < signal.Length; i++)
                signal[i] = (float)(signal[i] * factor);
        }
        int infinite = signal.AsSpan().IndexOfAny(float.PositiveInfinity, float.NegativeInfinity);
        if (infinite >= 0)
            throw new RestorationException(FormattableString.Invariant($"channel '{channel.Name}' has values near {infinite / RecordingPreparation.NetworkRate:0.###} s that are too large to be worked with in float32"));
        _signals.Add(modality, signal);
    }

    // Returns the factor to the network's unit.
    private double Inspect(Modality modality, Channel channel)
    {
        double factor = 1;
        Channel known = channel.WithKind(ChannelSelection.KindOf(modality));
        if (modality == Modality.Bp && SignalUnit.TryGetFactor(channel.Unit, SignalUnit.MillimetresOfMercury, out double toMmHg) && toMmHg != 1)
        {
            factor = toMmHg;
            Warnings.Add(new SignalWarning(SignalWarningKind.Unit, FormattableString.Invariant(
                $"Blood pressure '{channel.Name}' is in {channel.Unit}; the network is given {toMmHg:G6} times that, mmHg, and its result is converted back."), channel.Name));
        }
        else
        {
            Warnings.AddRange(RecordingChecks.Check(known));
        }

        Warnings.AddRange(RecordingPreparation.Inspect(channel).Warnings());
        if (channel.SampleRate < 50)
        {
            Warnings.Add(new SignalWarning(SignalWarningKind.Data, FormattableString.Invariant(
                $"Channel '{channel.Name}' has {channel.SampleRate:G4} samples a second; a network for 125 Hz misses the fast parts of its waves."), channel.Name));
        }
        return factor;
    }
}
