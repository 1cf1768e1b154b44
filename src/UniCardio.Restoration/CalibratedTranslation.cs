using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration;

/// <summary>A translation by what target and conditions did in seconds in which they were measured together.</summary>
internal static class CalibratedTranslation
{
    // Between another recording and this one: no beat's wave reaches over it.
    private const double SeamSeconds = 4;

    // A pressure's standard deviation (mmHg): other signals' levels walk by the same share of theirs.
    private const double UsualDeviation = 20;

    /// <summary>Makes the signal; no network takes part.</summary>
    /// <exception cref="RestorationException">Too little is measured together.</exception>
    public static RestoredSignal Make(PreparedRecording prepared, Recording recording, ChannelSelection selection,
        RestorationOptions options, CancellationToken cancellation)
    {
        Calibration calibration = options.Calibration!;
        Modality target = options.Task.Output;
        (float[]?[] signals, Channel channel, SampleRange make) = calibration.Recording is { } other
            ? Joined(prepared, other, selection, options, cancellation)
            : Within(prepared, recording, selection, options, cancellation);
        var patient = new PatientSignals(NetworkSignal.Rate, signals[0], signals[1], signals[2]);
        cancellation.ThrowIfCancellationRequested();
        PairedTranslation made = PairedTranslation.Make(patient, NetworkSignal.KindOf(target),
            options.Task.Conditions.Members().Select(NetworkSignal.KindOf), make)
            ?? throw new RestorationException(
                $"channel '{channel.Name}' and the conditions share fewer than six beats in the calibration; give it a longer stretch in "
                + $"which all are measured");
        double unit = target == Modality.Bp ? 1
            : (SignalMoments.Of(signals[(int)target])?.Deviation ?? UsualDeviation) / UsualDeviation;
        double Wide(double age, double half) => CalibrationReport.Widening(age, Math.Abs(half) / unit);
        (double From, double To)? known = When(calibration, recording);
        (double from, double to) = known ?? (0, 0);
        double AgeAt(double seconds) => Math.Max(0, Math.Max(from - seconds, seconds - to));
        float[] low = new float[make.Length], high = new float[make.Length], weight = new float[make.Length];
        for (int i = 0; i < make.Length; i++)
        {
            double age = AgeAt(i / NetworkSignal.Rate);
            low[i] = (float)(made.Value[i] + (Wide(age, made.Below[i]) * made.Below[i]));
            high[i] = (float)(made.Value[i] + (Wide(age, made.Above[i]) * made.Above[i]));
            weight[i] = float.IsNaN(made.Value[i]) ? 0 : 1;
        }

        string by = calibration.Recording is { } paired ? $"paired seconds of '{paired.Name}'"
            : string.Create(CultureInfo.InvariantCulture,
                $"paired seconds {calibration.StartSeconds:0.#} to {calibration.EndSeconds:0.#} s");
        // In translation the result is in the network's unit: mmHg, or the unit of the PPG or ECG that it was paired with.
        return new RestoredSignal(made.Value, low, high, weight)
        {
            Calibration = new CalibrationReport(by, made.Beats, to, AgeAt(make.Length / NetworkSignal.Rate),
                made.Source switch { ChannelKind.Ecg => "ecg", ChannelKind.BloodPressure => "bp", _ => "ppg" })
            {
                MayBeOlder = known is null, StartSeconds = known?.From,
            },
            Unit = target == Modality.Bp ? SignalUnit.MillimetresOfMercury : channel.Unit,
        };
    }

    // The paired seconds on the recording's own clock; null where nothing says when they were.
    private static (double From, double To)? When(Calibration calibration, Recording recording)
    {
        if (calibration.Recording is not { } other)
            return (calibration.StartSeconds!.Value, calibration.EndSeconds!.Value);
        // A time of day without a date is of the year 1.
        if (other.StartTime is not { Year: > 1 } theirs || recording.StartTime is not { Year: > 1 } ours)
            return null;
        double from = (theirs - ours).TotalSeconds;
        return (from, from + other.DurationSeconds);
    }

    // The target is looked at within the stretch and nowhere else.
    private static (float[]?[] Signals, Channel Channel, SampleRange Make) Within(
        PreparedRecording prepared, Recording recording, ChannelSelection selection, RestorationOptions options,
        CancellationToken cancellation)
    {
        (float[] target, Channel channel) = prepared.Paired(recording, selection, options.Task.Output, cancellation);
        Calibration calibration = options.Calibration!;
        int from = (int)Math.Min(target.Length, calibration.StartSeconds!.Value * NetworkSignal.Rate),
            to = (int)Math.Min(target.Length, calibration.EndSeconds!.Value * NetworkSignal.Rate);
        target.AsSpan(0, from).Fill(float.NaN);
        target.AsSpan(to).Fill(float.NaN);
        float[]?[] signals = [.. prepared.Signals];
        signals[(int)options.Task.Output] = target;
        return (signals, channel, new SampleRange(0, prepared.Length));
    }

    // The other recording, a seam, and this one.
    private static (float[]?[] Signals, Channel Channel, SampleRange Make) Joined(
        PreparedRecording prepared, Recording other, ChannelSelection selection, RestorationOptions options, CancellationToken cancellation)
    {
        PreparedRecording paired = PreparedRecording.Create(other, selection, options, cancellation);
        (float[] target, Channel channel) = paired.Paired(other, selection, options.Task.Output, cancellation);
        int seam = (int)(SeamSeconds * NetworkSignal.Rate), start = paired.Length + seam;
        var signals = new float[]?[3];
        foreach (Modality modality in (options.Task.Conditions | options.Task.Output.ToSet()).Members())
        {
            float[] all = new float[start + prepared.Length];
            Array.Fill(all, float.NaN);
            (modality == options.Task.Output ? target : paired.Signals[(int)modality]!).CopyTo(all, 0);
            if (modality != options.Task.Output)
                prepared.Signals[(int)modality]!.CopyTo(all, start);
            signals[(int)modality] = all;
        }

        return (signals, channel, new SampleRange(start, prepared.Length));
    }
}
