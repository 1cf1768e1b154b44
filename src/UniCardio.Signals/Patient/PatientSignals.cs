using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Patient;

/// <summary>PPG, arterial blood pressure and ECG of one patient at one rate on one time axis, as far as they are there, and the beats in
/// them.</summary>
/// <remarks>Beats are found when they are first asked for. Not to be changed afterwards; safe to read from several threads once they
/// are.</remarks>
internal sealed class PatientSignals
{
    /// <summary>The three signals in the order of the network's slots.</summary>
    public static IReadOnlyList<ChannelKind> Kinds { get; } = [ChannelKind.Ppg, ChannelKind.BloodPressure, ChannelKind.Ecg];

    private readonly float[]?[] _signals;
    private readonly BeatTrain?[] _beats = new BeatTrain?[3];

    /// <summary>Takes the signals; they are not copied.</summary>
    /// <param name="sampleRate">Samples a second, 50 to 1000.</param>
    /// <param name="ppg">PPG in any unit, [n], NaN where missing; null if there is none.</param>
    /// <param name="bloodPressure">Arterial blood pressure (mmHg), [n], or null.</param>
    /// <param name="ecg">ECG in any unit, [n], or null.</param>
    /// <exception cref="ArgumentException">The lengths differ, or there is no signal.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of range.</exception>
    public PatientSignals(double sampleRate, float[]? ppg, float[]? bloodPressure, float[]? ecg)
    {
        if (sampleRate is not (>= 50 and <= 1000))
            throw new ArgumentOutOfRangeException(nameof(sampleRate), sampleRate, "Signals of a patient have 50 to 1000 samples a second.");
        _signals = [ppg, bloodPressure, ecg];
        Length = _signals.Max(s => s?.Length ?? 0);
        if (Length == 0 || _signals.Any(s => s is not null && s.Length != Length))
            throw new ArgumentException(
                $"The signals have {ppg?.Length}, {bloodPressure?.Length} and {ecg?.Length} samples; expected the same number, at "
                + $"least one.");
        SampleRate = sampleRate;
    }

    /// <summary>Samples a second.</summary>
    public double SampleRate { get; }

    /// <summary>Samples, n.</summary>
    public int Length { get; }

    /// <summary>A signal, [n], NaN where missing; empty if it is not there.</summary>
    /// <param name="kind">Which of the three.</param>
    public ReadOnlySpan<float> this[ChannelKind kind] => _signals[IndexOf(kind)];

    /// <summary>Whether a signal is there.</summary>
    /// <param name="kind">Which of the three.</param>
    public bool Has(ChannelKind kind) => _signals[IndexOf(kind)] is not null;

    /// <summary>The beats of a signal.</summary>
    /// <param name="kind">Which of the three; it must be there.</param>
    public BeatTrain BeatsOf(ChannelKind kind) => _beats[IndexOf(kind)] ??= BeatTrain.Detect(kind, this[kind], SampleRate);

    /// <summary>The same signals with one of them replaced, the others' beats kept.</summary>
    /// <param name="kind">Which of the three.</param>
    /// <param name="signal">Its samples, [n]; not copied.</param>
    public PatientSignals With(ChannelKind kind, float[] signal)
    {
        float[]?[] signals = [.. _signals];
        signals[IndexOf(kind)] = signal;
        var other = new PatientSignals(SampleRate, signals[0], signals[1], signals[2]);
        for (int i = 0; i < 3; i++)
            other._beats[i] = i == IndexOf(kind) ? null : _beats[i];
        return other;
    }

    /// <summary>The same signals with a stretch of one of them taken for missing; its beats are found anew, as they would be had it never
    /// been measured.</summary>
    /// <param name="kind">Which of the three; it must be there.</param>
    /// <param name="hidden">The stretch.</param>
    public PatientSignals Hide(ChannelKind kind, SampleRange hidden)
    {
        float[] signal = this[kind].ToArray();
        signal.AsSpan(hidden.Start, hidden.Length).Fill(float.NaN);
        return With(kind, signal);
    }

    /// <summary>A stretch of the signals, with the beats found in the whole.</summary>
    /// <param name="stretch">The stretch.</param>
    public PatientSignals Slice(SampleRange stretch)
    {
        if (stretch.Start == 0 && stretch.Length == Length)
            return this;
        float[]? Cut(float[]? signal) => signal?[stretch.Start..stretch.End];
        var part = new PatientSignals(SampleRate, Cut(_signals[0]), Cut(_signals[1]), Cut(_signals[2]));
        foreach (ChannelKind kind in Kinds.Where(Has))
            part._beats[IndexOf(kind)] = BeatsOf(kind).Within(stretch);
        return part;
    }

    internal static int IndexOf(ChannelKind kind) => kind switch
    {
        ChannelKind.Ppg => 0,
        ChannelKind.BloodPressure => 1,
        ChannelKind.Ecg => 2,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "A patient's signals are PPG, blood pressure and ECG."),
    };
}
