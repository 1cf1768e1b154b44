using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Quality;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;
using UniCardio.Weights.Quality;

namespace UniCardio.Pipeline.Tests;

public class QualityReaderTests
{
    private const int Rate = QualityTrack.WorkRate;

    private static (QualityTrack Pulse, QualityTrack Ecg) Heart(int seconds)
    {
        SyntheticRecording heart = new CardiovascularSynthesizer().Generate(new SynthesisParameters(), seconds * Rate, 7);
        return (QualityTrack.Of(ChannelKind.Ppg, heart.Ppg, Rate), QualityTrack.Of(ChannelKind.Ecg, heart.Ecg, Rate));
    }

    private static void Same(QualityReading a, QualityReading b)
    {
        for (int c = 0; c < 2; c++)
        {
            Assert.Equal(a.Quality[c], b.Quality[c]);
            Assert.Equal(a.Readable[c], b.Readable[c]);
        }

        Assert.Equal(a.Rhythm, b.Rhythm);
    }

    // A recording as long as a window, and one that is shorter, is one window: the same call, so the same bits.
    [Theory]
    [InlineData(30)]
    [InlineData(17)]
    public void OnePassOverAWindowIsThatWindow(int seconds)
    {
        using QualityWeights weights = QualityWeightFile.Load("recipe:3,quality-small");
        using IQualityNetwork network = QualityNetwork.Cpu(weights, new CpuBackendOptions { Threads = 1 });
        var reader = new QualityReader(network);
        (QualityTrack pulse, QualityTrack ecg) = Heart(seconds);
        QualityReading windows = reader.Read(pulse, ecg), whole = reader.ReadInOnePass(pulse, ecg, out float[] features);
        Same(windows, whole);
        Assert.Equal(seconds * weights.Configuration.Width, features.Length);
        Assert.Equal(seconds, whole.Rhythm.Length);
    }

    // Two minutes: 120 tokens in the double reference, dense masked attention, against the CPU's sparse one. The bound is that of the
    // family's golden vectors on the CPU, 1e-5 of the largest feature.
    [Fact]
    public void OnePassIsTheReferencesForwardOfTheWholeRecording()
    {
        using QualityWeights weights = QualityWeightFile.Load("recipe:3,quality-small");
        using IQualityNetwork reference = QualityNetwork.Reference(weights),
            network = QualityNetwork.Cpu(weights, new CpuBackendOptions { Threads = 2 });
        (QualityTrack pulse, QualityTrack ecg) = Heart(120);
        new QualityReader(reference).ReadInOnePass(pulse, ecg, out float[] expected);
        new QualityReader(network).ReadInOnePass(pulse, ecg, out float[] features);
        float largest = expected.Max(MathF.Abs);
        Assert.Equal(120 * weights.Configuration.Width, features.Length);
        Assert.All(features.Zip(expected), p => Assert.InRange(MathF.Abs(p.First - p.Second), 0, 1e-5f * largest));
    }

    // One thread or two, and a signal that is not there.
    [Fact]
    public void OnePassIsTheSameBitsForAnyThreads()
    {
        using QualityWeights weights = QualityWeightFile.Load("recipe:3,quality-small");
        (_, QualityTrack ecg) = Heart(100);
        var readings = new List<QualityReading>();
        foreach (int threads in (int[])[1, 2])
        {
            using IQualityNetwork network = QualityNetwork.Cpu(weights, new CpuBackendOptions { Threads = threads });
            readings.Add(new QualityReader(network).ReadInOnePass(null, ecg, out _));
        }

        Same(readings[0], readings[1]);
    }

    [Fact]
    public void ANetworkWhoseTokensAreNoSecondsIsRefused()
    {
        using QualityWeights weights = QualityWeightFile.Load("recipe:3,quality-tiny");
        using IQualityNetwork network = QualityNetwork.Cpu(weights);
        Assert.Throws<ArgumentException>(() => new QualityReader(network));
    }

    // A network that is told the indices sees those of the seconds that its window covers.
    [Fact]
    public void IndicesOfAWindowAreThoseOfItsSeconds()
    {
        QualityConfiguration m = QualityConfiguration.Small with { Channels = QualityInputs.IndexedChannels };
        (QualityTrack pulse, _) = Heart(40);
        float[] indices = QualityInputs.IndicesOf(pulse), window = new float[m.Channels * m.Samples];
        QualityInputs.Fill(m, 0, pulse.Work.AsSpan(10 * Rate), indices.AsSpan(10 * QualityInputs.Indices), window);
        for (int s = 0; s < 30; s++)
        {
            Assert.Equal((float)pulse.Index[10 + s], window[(2 * m.Samples) + (s * Rate) + 60]);
            Assert.Equal((float)pulse.Indices[10 + s].Template, window[(8 * m.Samples) + (s * Rate)]);
        }

        Assert.All(window[m.Samples..(2 * m.Samples)], x => Assert.Equal(0, x));
        Assert.All(window[(9 * m.Samples)..], x => Assert.Equal(0, x));
    }
}
