using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Synthesis;

/// <summary>The kind of a synthetic beat.</summary>
public enum BeatKind
{
    /// <summary>Conducted from the atria, in sinus rhythm or atrial fibrillation.</summary>
    Normal,

    /// <summary>From a ventricle: premature, or one of a run.</summary>
    Ventricular,

    /// <summary>Premature, from an atrium.</summary>
    Atrial,
}

/// <summary>The truth about a beat whose R peak lies in the recording.</summary>
/// <param name="TimeSeconds">R peak, in seconds from the first sample.</param>
/// <param name="Sample">The sample nearest to the R peak.</param>
/// <param name="Kind">Its kind.</param>
public sealed record SyntheticBeat(double TimeSeconds, int Sample, BeatKind Kind)
{
    /// <summary>The sample of the least pressure before the beat's pulse, or null if its pulse does not lie wholly in the
    /// recording.</summary>
    public int? DiastolicSample { get; init; }

    /// <summary>The sample of the pulse's highest pressure, or null.</summary>
    public int? SystolicSample { get; init; }

    /// <summary>Diastolic pressure (mmHg) before the beat's pulse, as sampled, or null.</summary>
    public float? Diastolic { get; init; }

    /// <summary>Systolic pressure (mmHg) of the beat's pulse, as sampled, or null.</summary>
    public float? Systolic { get; init; }
}

/// <summary>Synthetic PPG, arterial blood pressure and ECG of one heart, with the truth about each beat.</summary>
public sealed class SyntheticRecording
{
    internal SyntheticRecording(SynthesisParameters parameters, ulong seed, float[] ppg, float[] bloodPressure, float[] ecg,
        IReadOnlyList<SyntheticBeat> beats)
    {
        Parameters = parameters;
        Seed = seed;
        Ppg = ppg;
        BloodPressure = bloodPressure;
        Ecg = ecg;
        Beats = beats;
    }

    /// <summary>What it was made from.</summary>
    public SynthesisParameters Parameters { get; }

    /// <summary>The seed it was made with.</summary>
    public ulong Seed { get; }

    /// <summary>PPG, [n], a pulse about 1 high.</summary>
    public float[] Ppg { get; }

    /// <summary>Arterial blood pressure, [n], mmHg.</summary>
    public float[] BloodPressure { get; }

    /// <summary>ECG, [n], mV.</summary>
    public float[] Ecg { get; }

    /// <summary>The beats whose R peak lies in the recording, in order of time.</summary>
    public IReadOnlyList<SyntheticBeat> Beats { get; }

    /// <summary>The signals as a recording with channels PPG, ABP and ECG and a WFDB annotation for each beat ("N", "A" or "V") and for the
    /// rhythm ("+").</summary>
    /// <param name="name">Name of the recording.</param>
    public Recording ToRecording(string name = "synthetic")
    {
        double rate = Parameters.SampleRate;
        // Codes of the WFDB annotation format: NORMAL 1, PVC 5, APC 8, RHYTHM 28.
        IEnumerable<Annotation> annotations = Beats.Select(b => b.Kind switch
        {
            BeatKind.Ventricular => new Annotation(b.TimeSeconds, b.Sample, "V") { Code = 5 },
            BeatKind.Atrial => new Annotation(b.TimeSeconds, b.Sample, "A") { Code = 8 },
            _ => new Annotation(b.TimeSeconds, b.Sample, "N") { Code = 1 },
        });
        var rhythm = new Annotation(0, 0, "+") { Code = 28, Text = Parameters.AtrialFibrillation ? "(AFIB" : "(N" };
        return new Recording(name,
            [
                new Channel("PPG", SignalUnit.Normalized, rate, Ppg, ChannelKind.Ppg),
                new Channel("ABP", SignalUnit.MillimetresOfMercury, rate, BloodPressure, ChannelKind.BloodPressure),
                new Channel("ECG", SignalUnit.Millivolts, rate, Ecg, ChannelKind.Ecg),
            ],
            annotations.Prepend(rhythm), comments: [$"Synthetic signals, seed {Seed}."]);
    }
}
