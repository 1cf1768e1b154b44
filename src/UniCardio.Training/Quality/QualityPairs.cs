using UniCardio.Engine.Quality;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Quality;

/// <summary>Pairs of windows of synthetic hearts: an endless supply, each pair another subject, a function of (seed, index).</summary>
/// <remarks>A minute of one heart, two windows of it spoiled each by its own stretches (<see cref="CorruptionEpisodes"/>) and by what a
/// recording in good order still has. Rhythms: 35% sinus, 30% fibrillation, 20% ectopy, 15% runs of ventricular beats.</remarks>
internal sealed class QualityPairs
{
    private readonly CardiovascularSynthesizer _synthesizer = new();
    private readonly ulong _seed;
    private readonly int _samples;

    /// <summary>Creates the source; one thread at a time.</summary>
    /// <param name="seed">Equal seeds give equal pairs.</param>
    /// <param name="samples">Samples of a window, at 125 Hz.</param>
    public QualityPairs(ulong seed, int samples)
    {
        _seed = seed;
        _samples = samples;
    }

    /// <summary>Makes a pair.</summary>
    /// <param name="index">Which.</param>
    public QualityPair Make(long index)
    {
        ulong own = CounterRandom.Derive(_seed, (ulong)index);
        var random = new CounterRandom(own, 0x91);
        SynthesisParameters parameters = Rhythm(SynthesisParameters.Draw(own, QualityTrack.WorkRate), ref random);
        SyntheticRecording heart = _synthesizer.Generate(parameters, 2 * _samples, own);
        bool pressure = random.NextDouble() < 0.4;
        float[] pulse = pressure ? heart.BloodPressure : heart.Ppg;
        // One in six lacks a signal, as the network must do without it.
        double missing = random.NextDouble();
        (bool, bool) present = (missing > 0.09, missing < 0.91);
        QualityWindow first = Window(heart, pulse, pressure, 0, present, CounterRandom.Derive(own, 1), ref random),
            second = Window(heart, pulse, pressure, _samples, present, CounterRandom.Derive(own, 2), ref random);
        return first.Quality >= second.Quality ? new QualityPair(first, second) : new QualityPair(second, first);
    }

    private QualityWindow Window(SyntheticRecording heart, float[] pulse, bool pressure, int from, (bool Pulse, bool Ecg) present,
        ulong seed,
        ref CounterRandom random)
    {
        int seconds = _samples / QualityTrack.WorkRate;
        float[] signals = new float[2 * _samples], labels = new float[4 * seconds];
        for (int c = 0; c < 2; c++)
        {
            ChannelKind kind = c == 1 ? ChannelKind.Ecg : pressure ? ChannelKind.BloodPressure : ChannelKind.Ppg;
            float[] clean = (c == 0 ? pulse : heart.Ecg)[from..(from + _samples)];
            float[] spoiled = Spoil(clean, kind, CounterRandom.Derive(seed, (ulong)c), ref random);
            if (c == 0 ? !present.Pulse : !present.Ecg)
                continue;
            BeatSeries truth = BeatSeries.Of(clean, QualityTrack.WorkRate, kind), found = BeatSeries.Of(spoiled, QualityTrack.WorkRate,
                kind);
            QualityLabels label = QualityLabels.Of(clean, spoiled, truth, found);
            for (int s = 0; s < seconds; s++)
            {
                labels[(4 * s) + c] = label.Quality[s];
                labels[(4 * s) + 2 + c] = label.RateIsRight[s] ? 1 : 0;
            }

            QualityScale.Apply(spoiled, signals.AsSpan(c * _samples, _samples));
        }

        return new QualityWindow(signals, labels, present, RhythmOf(heart, from));
    }

    private static float[] Spoil(float[] clean, ChannelKind kind, ulong seed, ref CounterRandom random)
    {
        float[] spoiled = [.. clean];
        double dirt = random.NextDouble(), duty = random.NextDouble(), size = random.NextDouble();
        if (dirt < 0.7)
            SignalCorruption.Apply(spoiled, QualityTrack.WorkRate, new NoiseParameters
            {
                SignalToNoiseDecibels = 15 + (25 * random.NextDouble()),
                BaselineWander = kind == ChannelKind.BloodPressure ? 0 : 0.8 * size * size,
            }, seed);
        // A third of the windows is left alone, some are spoiled throughout.
        if (duty > 0.33)
            CorruptionEpisodes.Apply(spoiled, kind, QualityTrack.WorkRate, duty > 0.9 ? 1 : (duty - 0.3) / 0.6 * 0.8, 8, seed);
        return spoiled;
    }

    private static SynthesisParameters Rhythm(SynthesisParameters drawn, ref CounterRandom random)
    {
        double kind = random.NextDouble(), rate = random.NextUniform(45, 120), fast = random.NextUniform(55, 160),
            size = random.NextDouble(), often = random.NextDouble(), run = random.NextDouble();
        SynthesisParameters calm = drawn with
        {
            AtrialFibrillation = false, VentricularEctopy = 0, VentricularRun = 0, AtrialEctopy = 0, HeartRate = drawn.HeartRate,
        };
        return kind switch
        {
            // Every third heart in sinus rhythm breathes deeply: uneven, but not without rule.
            < 0.35 => often < 0.33 ? calm with { RespiratorySinusArrhythmia = 0.05 + (0.2 * size), HeartRate = rate,
                RandomVariability = 0.05 * run } : calm,
            < 0.65 => calm with { AtrialFibrillation = true, HeartRate = fast, FibrillatoryIrregularity = 0.12 + (0.2 * size),
                FibrillatoryWave = 0.15 * often * often },
            < 0.85 => run < 0.7 ? calm with { HeartRate = rate, VentricularEctopy = 0.03 + (0.3 * often * often), VentricularRun =
                    0.3 * size * size, VentricularRate = 110 + (70 * size) }
                : calm with { HeartRate = rate, AtrialEctopy = 0.04 + (0.3 * often) },
            _ => calm with { HeartRate = rate, VentricularEctopy = 0.03 + (0.3 * often), VentricularRun = 0.9 + (0.09 * size),
                VentricularRate = 105 + (110 * run) },
        };
    }

    // What the window itself shows: a run is five ventricular beats in a row at 100 a minute or more.
    private int RhythmOf(SyntheticRecording heart, int from)
    {
        int ectopic = 0, run = 0, longest = 0;
        foreach (SyntheticBeat beat in heart.Beats)
        {
            if (beat.Sample < from || beat.Sample >= from + _samples)
                continue;
            ectopic += beat.Kind == BeatKind.Normal ? 0 : 1;
            run = beat.Kind == BeatKind.Ventricular ? run + 1 : 0;
            longest = Math.Max(longest, run);
        }

        return longest >= 5 ? 3 : heart.Parameters.AtrialFibrillation ? 1 : ectopic > 0 ? 2 : 0;
    }
}
