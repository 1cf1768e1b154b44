namespace UniCardio.Signals.Beats;

/// <summary>The constants of the detector for one kind of wave. Lengths in seconds; scores are log-odds in nepers unless said
/// otherwise.</summary>
internal sealed record BeatSettings
{
    public required bool IsPulse { get; init; }

    /// <summary>Lowest sample rate (Hz).</summary>
    public required double MinRate { get; init; }

    /// <summary>The rate that samples are averaged down to is at least this, where the input's is (Hz).</summary>
    public required double WorkRate { get; init; }

    /// <summary>Half length of the running median that takes off pacing spikes; 0 for none.</summary>
    public double MedianHalf { get; init; }

    /// <summary>Width (standard deviation) of the wavelet whose response is a candidate's strength.</summary>
    public required double Sigma { get; init; }

    /// <summary>Width of a second wavelet for ventricular beats, and what its response counts for; 0 for none.</summary>
    public double WideSigma { get; init; }

    public double WideClarity { get; init; } = 0.95;

    public double WideShare { get; init; }

    /// <summary>Strength over that of the beats from which an event is rather an artefact.</summary>
    public double Surplus { get; init; } = 3;

    /// <summary>Widths of the difference of Gaussians whose output is compared with templates.</summary>
    public required (double Fine, double Coarse) ShapeBand { get; init; }

    /// <summary>The compared stretch about a candidate: before, after and step.</summary>
    public required (double Before, double After, double Step) Shape { get; init; }

    /// <summary>A candidate is the strongest within this on either side.</summary>
    public double Neighbourhood { get; init; } = 0.09;

    /// <summary>Candidates nearer to a gap than this are passed over.</summary>
    public double GapMargin { get; init; } = 0.05;

    /// <summary>Shortest and longest interval of two beats: 300 and 20 a minute.</summary>
    public double MinInterval { get; init; } = 0.2;

    public double MaxInterval { get; init; } = 3.2;

    /// <summary>Longest pause or gap between beats of one rhythm that is known.</summary>
    public double LongestPause { get; init; } = 9;

    /// <summary>How long a decision waits for what comes after.</summary>
    public double Lag { get; init; } = 3;

    /// <summary>The stretch that a rhythm is learned from, and the shortest rest without a beat after which it is learned anew.</summary>
    public double Learning { get; init; } = 8;

    public double Silence { get; init; } = 5;

    /// <summary>Strength of a candidate, as a share of the beats', at which it is as likely a beat as not.</summary>
    public double Even { get; init; } = 0.35;

    /// <summary>Log-odds for a candidate as strong as the beats.</summary>
    public double StrengthWeight { get; init; } = 3;

    /// <summary>Log-odds that full agreement with a template adds; agreement at <see cref="EvenAgreement"/> adds nothing.</summary>
    public double ShapeWeight { get; init; } = 4;

    public double EvenAgreement { get; init; } = 0.7;

    /// <summary>Strength over that of a template's events from which agreement with it counts fully; at half of it, not at all.</summary>
    public double Alike { get; init; } = 0.6;

    /// <summary>Strength over that of the waves that follow the beats from which an event is none of them, in signals at least so
    /// clear.</summary>
    public double Uncommon { get; init; } = 2.5;

    public double UncommonClarity { get; init; } = 0.6;

    /// <summary>How much less disagreement with all templates counts in a clear signal.</summary>
    public double OddShapeClear { get; init; } = 0.5;

    public double OddSurplus { get; init; } = 1.6;

    public double OddAgreement { get; init; } = 0.6;

    public double OddGain { get; init; } = 0.1;

    /// <summary>Log-odds for an interval as expected, and against one far from it.</summary>
    public double RhythmWeight { get; init; } = 1;

    public double RegularWeight { get; init; } = 1;

    /// <summary>Largest log-odds against an interval that is far too long.</summary>
    public double PauseWeight { get; init; } = 2;

    public double RhythmClear { get; init; } = 1.2;

    public double NoiseGain { get; init; } = 0.08;

    public double Clear { get; init; } = 4;

    public double NewShapeClarity { get; init; } = 0.8;

    public double ShapeClear { get; init; } = 0.5;

    /// <summary>Log-odds against a much weaker event shortly after a beat: T wave, dicrotic wave.</summary>
    public double AfterWaveWeight { get; init; } = 9;

    /// <summary>Until when after a beat such waves are looked for: fully, and not at all beyond.</summary>
    public (double Full, double None) AfterWave { get; init; } = (0.36, 0.48);

    /// <summary>Least strength of a beat in mV or mmHg, where the unit is known. A wave's strength is about half its height.</summary>
    public required double Floor { get; init; }

    /// <summary>Least mean agreement with the templates at which a rhythm counts as found.</summary>
    public double MinAgreement { get; init; } = 0.8;

    /// <summary>Mean agreement of the last events below which a rhythm is lost, where they are irregular and noise as large as they
    /// are.</summary>
    public double LostAgreement { get; init; } = 0.8;

    /// <summary>Waves that fall less than so many times as long as they rise, have so short a tail (1.65 for a Gaussian hump) and are
    /// narrower than the share of their intervals are pulses only where the intervals' quartiles are nearer than the ratio.</summary>
    public double MinSkew { get; init; } = 1.25;

    public double MinTail { get; init; } = 2;

    public double MaxHumpShare { get; init; } = 0.38;

    public double MaxHumpIrregularity { get; init; } = double.PositiveInfinity;

    /// <summary>Events that a template needs to count fully.</summary>
    public double Trusted { get; init; } = 4;

    public double SureAgreement { get; init; } = 0.88;

    public static BeatSettings Ecg { get; } = new()
    {
        IsPulse = false, MinRate = 50, WorkRate = 180, MedianHalf = 0.011, Sigma = 0.0124, WideSigma = 0.035, WideShare = 0.65,
            WideClarity = 0.97, ShapeBand = (0.0084, 0.062),
        Shape = (0.084, 0.108, 0.008), Floor = 0.015, Even = 0.30, StrengthWeight = 4.2, ShapeWeight = 4.6, EvenAgreement = 0.79,
        RhythmWeight = 1.05, RegularWeight = 3.4,
        RhythmClear = 1.18, NoiseGain = 0.15, Clear = 7.8, NewShapeClarity = 0.51, ShapeClear = 0.35,
    };

    public static BeatSettings Pulse { get; } = new()
    {
        IsPulse = true, MinRate = 25, WorkRate = 60, MedianHalf = 0.032, Sigma = 0.04, ShapeBand = (0.02, 0.25),
            Shape = (0.12, 0.3, 0.02), Floor = 0.8, Surplus = 1.9, EvenAgreement = 0.7, SureAgreement = 0.94, MinAgreement = 0.92,
        GapMargin = 0.12, Alike = 1e-9, Uncommon = double.PositiveInfinity, OddShapeClear = 0, OddGain = 0, PauseWeight = 0,
        AfterWave = (0.42, 0.6), MaxHumpIrregularity = 1.3,
    };
}
