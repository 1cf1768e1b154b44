using UniCardio.Engine.Quality;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Quality;

/// <summary>Pairs of windows of synthetic hearts: an endless supply, each pair another subject, a function of (seed, index).</summary>
/// <remarks>A minute of one heart, two windows of it spoiled each by its own stretches (<see cref="CorruptionEpisodes"/>) and by what a
/// recording in good order still has. Rhythms are those of <see cref="RhythmDraw"/>.</remarks>
internal sealed class QualityPairs
{
    private readonly CardiovascularSynthesizer _synthesizer = new();
    private readonly ulong _seed;
    private readonly QualityConfiguration _m;
    private readonly int _samples;
    private readonly bool _indexed;

    /// <summary>Creates the source; one thread at a time.</summary>
    /// <param name="seed">Equal seeds give equal pairs, whatever the network takes.</param>
    /// <param name="network">Whose windows they are.</param>
    /// <param name="indexed">Whether the windows tell their indices even where the network takes none.</param>
    public QualityPairs(ulong seed, QualityConfiguration network, bool indexed = false)
    {
        _seed = seed;
        (_m, _samples) = (network, network.Samples);
        _indexed = indexed || QualityInputs.TakesIndices(network);
    }

    /// <summary>Makes a pair.</summary>
    /// <param name="index">Which.</param>
    public QualityPair Make(long index)
    {
        ulong own = CounterRandom.Derive(_seed, (ulong)index);
        var random = new CounterRandom(own, 0x91);
        SynthesisParameters parameters = RhythmDraw.Draw(SynthesisParameters.Draw(own, QualityTrack.WorkRate), ref random);
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
        float[] signals = new float[_m.Channels * _samples], labels = new float[4 * seconds];
        float[][] indices = [[], []];
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

            if (_indexed)
                indices[c] = QualityInputs.IndicesOf(QualityTrack.Of(found, spoiled, kind == ChannelKind.BloodPressure
                    ? SignalUnit.MillimetresOfMercury : ""));
            QualityInputs.Fill(_m, c, spoiled, indices[c], signals);
        }

        return new QualityWindow(signals, labels, present, (int)RhythmDraw.TruthOf(heart, from, from + _samples)) { Indices = indices };
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
}
