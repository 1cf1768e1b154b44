using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration;

/// <summary>The signals of a task at 125 Hz on one time axis, beside the channel whose axis that is.</summary>
internal sealed class PreparedRecording
{
    private readonly float[]?[] _signals = new float[]?[Modalities.All.Count];
    private readonly IReadOnlyDictionary<Modality, Channel> _channels;

    private PreparedRecording(CardioTask task, IReadOnlyDictionary<Modality, Channel> channels, List<SignalWarning> warnings)
    {
        _channels = channels;
        Warnings = warnings;
        // In translation the longest condition gives the axis; among equals the first in slot order.
        Reference = task.Kind == TaskKind.Translate ? channels.Values.MaxBy(c => c.DurationSeconds)! : channels[task.Output];
        Length = NetworkSignal.ResamplerOf(Reference.SampleRate, NetworkSignal.Rate, Reference.Name).OutputLength(Reference.Length);
    }

    /// <summary>The channel that the result takes its rate and length from: the restored one, or the longest condition.</summary>
    public Channel Reference { get; }

    /// <summary><see cref="Reference"/>'s samples in its own unit and rate, short gaps bridged.</summary>
    public float[] Bridged { get; private set; } = [];

    /// <summary>The network's unit (mmHg for BP) over <see cref="Reference"/>'s; 1 in translation, whose result is in the network's
    /// unit.</summary>
    public double UnitFactor { get; private set; } = 1;

    /// <summary>Samples at 125 Hz, n.</summary>
    public int Length { get; }

    /// <summary>What a person should know.</summary>
    public List<SignalWarning> Warnings { get; }

    /// <summary>A condition's signal at 125 Hz, [n], NaN where missing; BP in mmHg.</summary>
    public ReadOnlySpan<float> Signal(Modality modality) => _signals[(int)modality];

    /// <summary>What is observed of a window.</summary>
    public WindowObservation Observe(SampleRange window) => new(_signals, window);

    /// <summary>Every signal, [3] in slot order; null where it is no condition.</summary>
    public IReadOnlyList<float[]?> Signals => _signals;

    /// <summary>A condition's channel as recorded.</summary>
    public Channel Channel(Modality modality) => _channels[modality];

    public static PreparedRecording Create(Recording recording, ChannelSelection selection, RestorationOptions options,
        CancellationToken cancellation)
    {
        CardioTask task = options.Task;
        var warnings = new List<SignalWarning>(recording.Warnings);
        IReadOnlyDictionary<Modality, Channel> channels = selection.Pick(recording, task.Conditions, warnings);
        var prepared = new PreparedRecording(task, channels, warnings);
        foreach ((Modality modality, Channel channel) in channels)
        {
            cancellation.ThrowIfCancellationRequested();
            prepared.Add(task, modality, channel, options.BridgedGapSeconds, cancellation);
        }
        if (options.Align)
            prepared.Align(task);
        prepared.Gate(task, options.GatesConditions, cancellation);
        return prepared;
    }

    // The target's own samples stay as they are: they are the user's. Poor seconds that are asked for all the same are said.
    private void Gate(CardioTask task, bool takesOut, CancellationToken cancellation)
    {
        foreach (Modality other in task.Conditions.Members().Where(m => m != task.Output))
        {
            float[] gated = takesOut ? _signals[(int)other]! : [.. _signals[(int)other]!];
            IReadOnlyList<int> poor = ConditionGate.Apply(other, gated, cancellation);
            if (poor.Count == 0)
                continue;
            string name = _channels[other].Name, used = takesOut ? "there it counts as missing"
                : "it is used all the same, as asked for, and what comes of it there may be made of noise";
            Warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"Channel '{name}' is too poor to work from for {poor.Count} s, from {poor[0]} s on: {used}."), name));
        }
    }

    private void Align(CardioTask task)
    {
        Modality reference = task.Kind == TaskKind.Translate ? task.Conditions.Members().First() : task.Output;
        foreach (Modality other in task.Conditions.Members().Where(m => m != reference))
        {
            var signals = new PatientSignals(NetworkSignal.Rate, _signals[0], _signals[1], _signals[2]);
            string name = _channels[other].Name;
            if (SignalAlignment.Find(signals, NetworkSignal.KindOf(reference), NetworkSignal.KindOf(other)) is not { } found)
            {
                Warnings.Add(
                    new SignalWarning(SignalWarningKind.Data, $"Channel '{name}' could not be aligned: too few of its beats pair.", name));
                continue;
            }

            if (!found.IsNone)
                _signals[(int)other] = found.Apply(_signals[(int)other], NetworkSignal.Rate);
            Warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"Channel '{name}' was aligned to '{_channels[reference].Name}': offset {1000 * found.OffsetSeconds:0} ms, drift "
                + $"{60000 * found.DriftSecondsPerSecond:0.0} ms/min, from {found.Pairs} beats."), name));
        }
    }

    private void Add(CardioTask task, Modality modality, Channel channel, double bridgedSeconds, CancellationToken cancellation)
    {
        double factor = Inspect(modality, channel);
        float[] samples = channel.Samples.ToArray();
        GapBridge.Fill(samples, (int)Math.Floor((bridgedSeconds * channel.SampleRate) + 1e-9));
        if (ReferenceEquals(channel, Reference))
        {
            Bridged = task.Kind == TaskKind.Translate ? [] : samples;
            UnitFactor = task.Kind == TaskKind.Translate ? 1 : factor;
        }

        Resampler resampler = NetworkSignal.ResamplerOf(channel.SampleRate, NetworkSignal.Rate, channel.Name);
        float[] signal = resampler.Resample(samples, cancellation);
        int measured = signal.Length;
        if (signal.Length != Length)
        {
            Array.Resize(ref signal, Length);
            if (measured < Length)
                signal.AsSpan(measured).Fill(float.NaN);
        }
        NetworkSignal.ToNetworkUnit(signal, factor);
        int infinite = signal.AsSpan().IndexOfAny(float.PositiveInfinity, float.NegativeInfinity);
        if (infinite >= 0)
            throw new RestorationException(
                string.Create(CultureInfo.InvariantCulture,
                    $"channel '{channel.Name}' has values near {infinite / NetworkSignal.Rate:0.###} s that are too large to be worked "
                    + $"with in float32"));
        _signals[(int)modality] = signal;
    }

    /// <summary>A signal that is no condition, on the same axis at 125 Hz, [n], in the network's unit: what a translation is calibrated
    /// by.</summary>
    public (float[] Samples, Channel Channel) Paired(Recording recording, ChannelSelection selection, Modality target,
        CancellationToken cancellation)
    {
        Channel channel = selection.NameOf(target) is { } name ? recording.Require(name) : recording.Require(NetworkSignal.KindOf(target));
        if (target == Modality.Bp && channel.Unit == SignalUnit.Normalized)
            throw new RestorationException(
                $"channel '{channel.Name}' is normalised, so it tells no level of a pressure; calibrate by one in mmHg");
        double factor = Inspect(target, channel);
        float[] signal = NetworkSignal.ResamplerOf(channel.SampleRate, NetworkSignal.Rate, channel.Name)
            .Resample(channel.Samples.Span, cancellation);
        int measured = signal.Length;
        Array.Resize(ref signal, Length);
        if (measured < Length)
            signal.AsSpan(measured).Fill(float.NaN);
        NetworkSignal.ToNetworkUnit(signal, factor);
        return (signal, channel);
    }

    // Returns the factor to the network's unit.
    private double Inspect(Modality modality, Channel channel)
    {
        double factor = NetworkSignal.UnitFactor(modality, channel);
        if (factor != 1)
        {
            Warnings.Add(new SignalWarning(SignalWarningKind.Unit, string.Create(CultureInfo.InvariantCulture,
                $"Blood pressure '{channel.Name}' is in {channel.Unit}; the network is given {factor:G6} times that, mmHg, and its "
                + $"result is converted back."), channel.Name));
        }
        else
        {
            Warnings.AddRange(RecordingChecks.Check(channel.WithKind(NetworkSignal.KindOf(modality))));
        }

        Warnings.AddRange(RecordingPreparation.Inspect(channel).Warnings());
        if (channel.SampleRate < 50)
        {
            Warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"Channel '{channel.Name}' has {channel.SampleRate:G4} samples a second; a network for 125 Hz misses the fast parts of "
                + $"its waves."), channel.Name));
        }
        return factor;
    }
}
