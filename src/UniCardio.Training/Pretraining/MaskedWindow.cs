using UniCardio.Signals.Beats;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Pretraining;

/// <summary>What the generator knows of a window.</summary>
/// <param name="Rate">Beats a minute, 60 over the mean interval.</param>
/// <param name="Systolic">Mean systolic pressure, mmHg.</param>
/// <param name="Diastolic">Mean diastolic pressure, mmHg.</param>
/// <param name="Delay">Seconds from R peak to the foot of the PPG's pulse, of the subject.</param>
/// <param name="IsFibrillating">Whether the rhythm is atrial fibrillation.</param>
/// <param name="HasEctopy">Whether an early beat is in it, fibrillation aside.</param>
internal readonly record struct MaskedTruth(double Rate, double Systolic, double Diastolic, double Delay, bool IsFibrillating,
    bool HasEctopy);

/// <summary>Ten seconds of three signals.</summary>
/// <param name="Subject">Whose; windows of one subject stay on one side of a split.</param>
/// <param name="Values">[3, 1250] PPG and ECG by the window's mean and standard deviation; the pressure as (mmHg - 90) / 30, which keeps
/// its level.</param>
/// <param name="Targets">[3, 1250] each by its own window's mean and standard deviation.</param>
/// <param name="Raw">[3, 1250] in the signals' units.</param>
/// <param name="Truth">Labels.</param>
internal sealed record MaskedWindow(int Subject, float[] Values, float[] Targets, float[] Raw, MaskedTruth Truth)
{
    /// <summary>This window with signals of others in place of some of its own.</summary>
    /// <param name="from">[3] where each signal comes from.</param>
    public MaskedWindow With(IReadOnlyList<MaskedWindow> from)
    {
        const int N = MaskedConfiguration.Samples;
        float[] values = new float[3 * N], targets = new float[3 * N], raw = new float[3 * N];
        for (int m = 0; m < MaskedConfiguration.Signals; m++)
        {
            from[m].Values.AsSpan(m * N, N).CopyTo(values.AsSpan(m * N));
            from[m].Targets.AsSpan(m * N, N).CopyTo(targets.AsSpan(m * N));
            from[m].Raw.AsSpan(m * N, N).CopyTo(raw.AsSpan(m * N));
        }

        return new MaskedWindow(Subject, values, targets, raw, Truth);
    }
}

/// <summary>Windows of synthetic subjects with drawn rhythms and light noise. A subject is a function of seed and number.</summary>
internal static class MaskedWindows
{
    // mmHg; chosen, about the mean and spread of arterial pressures.
    private const float PressureCentre = 90, PressureSpread = 30;

    /// <summary>A subject's windows, one after the other in time.</summary>
    /// <param name="seed">Equal seeds give equal windows.</param>
    /// <param name="subject">Which subject.</param>
    /// <param name="count">Windows.</param>
    public static MaskedWindow[] Of(ulong seed, int subject, int count)
    {
        const int N = MaskedConfiguration.Samples, Rate = QualityTrack.WorkRate;
        ulong own = CounterRandom.Derive(seed, (ulong)subject);
        var random = new CounterRandom(own, 0x4d);
        SynthesisParameters parameters = RhythmDraw.Draw(SynthesisParameters.Draw(own, Rate), ref random);
        SyntheticRecording heart = new CardiovascularSynthesizer().Generate(parameters, count * N, own);
        float[][] signals = [[.. heart.Ppg], [.. heart.BloodPressure], [.. heart.Ecg]];
        for (int m = 0; m < signals.Length; m++)
            SignalCorruption.Apply(signals[m], Rate, new NoiseParameters { SignalToNoiseDecibels = random.NextUniform(20, 40) },
                CounterRandom.Derive(own, (ulong)m));
        var windows = new MaskedWindow[count];
        for (int w = 0; w < count; w++)
        {
            float[] raw = new float[3 * N];
            for (int m = 0; m < signals.Length; m++)
                signals[m].AsSpan(w * N, N).CopyTo(raw.AsSpan(m * N));
            windows[w] = Of(subject, raw, TruthOf(heart, w * N, (w + 1) * N));
        }

        return windows;
    }

    /// <summary>A window of measured signals.</summary>
    /// <param name="subject">Whose.</param>
    /// <param name="raw">[3, 1250] finite, the pressure in mmHg.</param>
    /// <param name="truth">What is known of it.</param>
    public static MaskedWindow Of(int subject, float[] raw, MaskedTruth truth)
    {
        const int N = MaskedConfiguration.Samples;
        float[] values = new float[raw.Length], targets = new float[raw.Length];
        for (int m = 0; m < MaskedConfiguration.Signals; m++)
        {
            ReadOnlySpan<float> signal = raw.AsSpan(m * N, N);
            double mean = 0, square = 0;
            foreach (float x in signal)
                mean += x / (double)N;
            foreach (float x in signal)
                square += (x - mean) * (x - mean) / N;
            double scale = square > 1e-12 ? 1 / Math.Sqrt(square) : 0;
            for (int i = 0; i < N; i++)
            {
                targets[(m * N) + i] = (float)((signal[i] - mean) * scale);
                values[(m * N) + i] = m == 1 ? (signal[i] - PressureCentre) / PressureSpread : targets[(m * N) + i];
            }
        }

        return new MaskedWindow(subject, values, targets, raw, truth);
    }

    private static MaskedTruth TruthOf(SyntheticRecording heart, int from, int to)
    {
        double systolic = 0, diastolic = 0;
        int pulses = 0, first = -1, last = -1, beats = 0;
        foreach (SyntheticBeat beat in heart.Beats)
        {
            if (beat.Sample < from || beat.Sample >= to)
                continue;
            (first, last, beats) = (first < 0 ? beat.Sample : first, beat.Sample, beats + 1);
            if (beat is not { Systolic: float high, Diastolic: float low })
                continue;
            (systolic, diastolic, pulses) = (systolic + high, diastolic + low, pulses + 1);
        }

        RhythmKind rhythm = RhythmDraw.TruthOf(heart, from, to);
        return new MaskedTruth(beats < 2 ? 0 : 60.0 * QualityTrack.WorkRate * (beats - 1) / (last - first), systolic / Math.Max(1, pulses),
            diastolic / Math.Max(1, pulses), heart.Parameters.PpgDelay, rhythm == RhythmKind.AtrialFibrillation,
            rhythm is RhythmKind.Ectopy or RhythmKind.VentricularRun);
    }
}
