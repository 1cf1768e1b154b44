using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Quality;
using UniCardio.Weights;
using UniCardio.Weights.Quality;

namespace UniCardio.Engine.Tests.Quality;

public sealed class QualityNetworkTests
{
    // Odd channels, strides that do not divide, a window narrower than a vector; 397 -> 133 -> 34 -> 12 tokens.
    private static readonly QualityConfiguration Odd = new()
    {
        Width = 30,
        Heads = 3,
        Layers = 1,
        FeedForward = 7,
        Window = 2,
        Samples = 397,
        TokeniserChannels = (3, 5),
        Kernels = [9, 7, 3],
        Strides = [3, 4, 3],
    };

    [Theory]
    [InlineData("quality-tiny", 280_472)]
    [InlineData("quality-base", 9_576_714)]
    [InlineData("quality-large", 70_589_706)]
    [InlineData("quality-huge", 319_552_778)]
    public void CatalogHasThePublishedNumberOfParameters(string size, long parameters) =>
        Assert.Equal(parameters, QualityCatalog.For(QualityWeightFile.Sizes[size]).Sum(p => p.Count));

    [Theory]
    [InlineData(9000, 18)]
    [InlineData(3000, 6)]
    [InlineData(1, 1)]
    [InlineData(9001, 19)]
    public void TokensAreTheRoundedUpQuotientsOfTheStrides(int samples, int tokens) =>
        Assert.Equal(tokens, QualityConfiguration.Base.TokensOf(samples));

    [Fact]
    public void MetadataRoundTrips()
    {
        Assert.Equal(Odd, QualityConfiguration.FromMetadata(Odd.ToMetadata()));
        Assert.NotEqual(QualityConfiguration.Base, QualityConfiguration.FromMetadata(Odd.ToMetadata()));
        Assert.True(QualityConfiguration.IsDescribedBy(Odd.ToMetadata()));
        Assert.False(QualityConfiguration.IsDescribedBy(ModelConfiguration.Full.ToMetadata()));
    }

    [Theory]
    [InlineData("d", "105", "tokeniser_channels")]
    [InlineData("heads", "5", "d")]
    [InlineData("window", "3", "window")]
    [InlineData("kernels", "20,11,5", "kernels")]
    [InlineData("strides", "5,0,5", "strides")]
    [InlineData("strides", "5,4", "strides")]
    [InlineData("samples", "-1", "samples")]
    [InlineData("ffn", "many", "ffn")]
    public void ANumberThatDoesNotFitIsNamed(string key, string value, string setting)
    {
        var metadata = QualityConfiguration.Tiny.ToMetadata().ToDictionary();
        metadata[key] = value;
        var refused = Assert.Throws<ConfigurationException>(() => QualityConfiguration.FromMetadata(metadata).Validate());
        Assert.Equal(setting, refused.Setting);
    }

    [Fact]
    public void WeightsNameEveryTensorAtFault()
    {
        List<ParameterTensor> tensors = [.. Recipe(Odd)
            .Tensors.Where(t => t.Name != "encoder.patch_embed.conv2.bias" && !t.Name.StartsWith("head.", StringComparison.Ordinal))];
        tensors.Add(new ParameterTensor("decoder.extra", [1], new float[1]));
        tensors.Add(new ParameterTensor("head.af.classifier.bias", [1], new float[1]));
        var refused = Assert.Throws<WeightsException>(() => QualityWeights.Create(Odd, tensors));
        Assert.Equal(["decoder.extra", "encoder.patch_embed.conv2.bias", "head.af.classifier.weight"],
            refused.Problems.Select(p => p.Split(':')[0]).Order());
    }

    public static TheoryData<CpuInstructionSet, bool> SetsAndSizes()
    {
        var data = new TheoryData<CpuInstructionSet, bool>();
        foreach (CpuInstructionSet set in CpuInstructionSets.Supported)
        {
            data.Add(set, true);
            data.Add(set, false);
        }

        return data;
    }

    // Sums of n = 530 products (the widest convolution of tiny) in float32 err by at most n u = 3e-5 of their magnitudes in the worst
    // order, by sqrt(n) u = 1.4e-6 as a rule; norms between keep it from growing. Measured: 1.1e-6. The tolerance is that of every float32
    // backend.
    [Theory]
    [MemberData(nameof(SetsAndSizes))]
    public void CpuAgreesWithTheReference(CpuInstructionSet set, bool odd)
    {
        using QualityWeights weights = Recipe(odd ? Odd : QualityConfiguration.Tiny);
        using IQualityNetwork reference = QualityNetwork.Reference(weights),
            cpu = QualityNetwork.Cpu(weights, new CpuBackendOptions { InstructionSet = set, Threads = 2 });
        QualityConfiguration m = weights.Configuration;
        foreach (int samples in (int[])[m.Samples, m.Samples / 3, 1])
        {
            float[] x = Vectors.Uniform(3 * m.Channels * samples, 1), expected = new float[3 * m.TokensOf(samples) * m.Width],
                actual = new float[expected.Length];
            reference.Encode(x, 3, expected);
            cpu.Encode(x, 3, actual);
            Vectors.AssertClose(expected, actual, 1e-5);
        }
    }

    public static TheoryData<string, QualityConfiguration, int, int> Shapes()
    {
        QualityConfiguration tiny = QualityConfiguration.Tiny;
        // As deep, with as many heads and as wide a feed-forward layer for its width, as large and huge; head sizes of 26 and 13.
        QualityConfiguration large = tiny with { Layers = 21, FeedForward = 104 },
            huge = tiny with { Layers = 50, Heads = 8, FeedForward = 416 };
        var data = new TheoryData<string, QualityConfiguration, int, int>();
        foreach ((string name, QualityConfiguration m) in ((string, QualityConfiguration)[])[("large", large), ("huge", huge)])
        {
            // Whole windows, one token, an odd length; one window, a few, and more than a group holds.
            data.Add(name, m, 1800, 1);
            data.Add(name, m, 1, 3);
            data.Add(name, m, 701, 2);
        }

        // Every reach: the narrowest, an odd half, one that opens the mask but for a pair, and one that opens it.
        foreach (int w in (int[])[2, 6, 32, 34, 36, 100])
            data.Add($"w {w}", tiny with { Window = w }, 1800, 2);
        // Tokens that are no multiple of a vector: 60, 61, 130.
        foreach (int samples in (int[])[6000, 6001, 13000])
            data.Add($"{samples} samples", tiny with { Window = 8 }, samples, 1);
        data.Add("17 windows", tiny, 1800, 17);
        data.Add("33 windows", tiny with { Window = 2 }, 901, 33);
        data.Add("one channel", tiny with { Channels = 1 }, 1800, 2);
        data.Add("16 channels", tiny with { Channels = 16 }, 1800, 2);
        return data;
    }

    // Rounding grows with the square root of the layers at most, since every block ends in a norm: sqrt(50) times the 3e-7 of a layer
    // (that of tiny with two) is 2e-6; the bound is that of every float32 backend. Measured: 50 layers 1.4e-6.
    [Theory]
    [MemberData(nameof(Shapes), DisableDiscoveryEnumeration = true)]
    public void CpuAgreesWithTheReferenceInEveryShape(string name, QualityConfiguration m, int samples, int count)
    {
        Assert.NotEmpty(name);
        using QualityWeights weights = Recipe(m);
        using IQualityNetwork reference = QualityNetwork.Reference(weights),
            cpu = QualityNetwork.Cpu(weights, new CpuBackendOptions { Threads = 2 });
        float[] x = Vectors.Uniform(count * m.Channels * samples, 5), expected = new float[count * m.TokensOf(samples) * m.Width],
            actual = new float[expected.Length];
        reference.Encode(x, count, expected);
        cpu.Encode(x, count, actual);
        Vectors.AssertClose(expected, actual, 1e-5);
        if (samples != m.Samples)
            return;
        float[][] spectra = [.. Enumerable.Range(0, 4).Select(_ => new float[count * m.TokensOf(m.Width) * m.Width])];
        reference.Decode(expected, count, spectra[0], spectra[1]);
        cpu.Decode(expected, count, spectra[2], spectra[3]);
        Vectors.AssertClose(spectra[0], spectra[2], 1e-5);
        Vectors.AssertClose(spectra[1], spectra[3], 1e-5);
    }

    [Theory]
    [MemberData(nameof(SetsAndSizes))]
    public void DecoderAndLinearHeadsAgreeWithTheReference(CpuInstructionSet set, bool odd)
    {
        using QualityWeights weights = Recipe(odd ? Odd : QualityConfiguration.Tiny);
        using IQualityNetwork reference = QualityNetwork.Reference(weights),
            cpu = QualityNetwork.Cpu(weights, new CpuBackendOptions { InstructionSet = set, Threads = 1 });
        QualityConfiguration m = weights.Configuration;
        float[] features = Vectors.Uniform(2 * m.Tokens * m.Width, 2);
        int outputs = m.TokensOf(m.Width);
        float[][] expected = [new float[2 * outputs * m.Width], new float[2 * outputs * m.Width], new float[2], new float[4],
            new float[2 * m.Tokens * 2 * m.JudgedSignals], new float[2 * QualityCatalog.RhythmClasses]];
        float[][] actual = [.. expected.Select(e => new float[e.Length])];
        foreach ((IQualityNetwork network, float[][] results) in ((IQualityNetwork, float[][])[])[(reference, expected), (cpu, actual)])
        {
            network.Decode(features, 2, results[0], results[1]);
            network.Head(QualityHead.AtrialFibrillation, features, 2, results[2]);
            network.Head(QualityHead.BloodPressure, features, 2, results[3]);
            network.Head(QualityHead.Quality, features, 2 * m.Tokens, results[4]);
            network.Head(QualityHead.Rhythm, features, 2, results[5]);
        }

        for (int i = 0; i < expected.Length; i++)
            Vectors.AssertClose(expected[i], actual[i], 1e-5);
    }

    [Fact]
    public void AnyNumberOfThreadsAndAnyGroupingGivesTheSameBits()
    {
        using QualityWeights weights = Recipe(QualityConfiguration.Tiny);
        QualityConfiguration m = weights.Configuration;
        const int count = 19;
        int window = m.Channels * m.Samples, made = m.Tokens * m.Width;
        float[] x = Vectors.Uniform(count * window, 3), expected = new float[count * made];
        using (IQualityNetwork one = QualityNetwork.Cpu(weights, new CpuBackendOptions { Threads = 1 }))
        {
            for (int i = 0; i < count; i++)
                one.Encode(x.AsSpan(i * window, window), 1, expected.AsSpan(i * made, made));
        }

        foreach (int threads in (int[])[1, 2, 3, 4])
        {
            using IQualityNetwork network = QualityNetwork.Cpu(weights, new CpuBackendOptions { Threads = threads });
            float[] actual = new float[expected.Length];
            network.Encode(x, count, actual);
            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void BadArgumentsAreRefusedAtTheDoor()
    {
        using QualityWeights weights =
            QualityWeights.Create(Odd, Recipe(Odd).Tensors.Where(t => !t.Name.StartsWith("head.", StringComparison.Ordinal)));
        float[] x = Vectors.Uniform(2 * 397, 4), features = new float[12 * 30];
        foreach (IQualityNetwork network in (IQualityNetwork[])[QualityNetwork.Reference(weights), QualityNetwork.Cpu(weights)])
        {
            using (network)
            {
                Assert.Throws<ArgumentException>("windows", () => network.Encode(x.AsSpan(1), 1, features));
                Assert.Throws<ArgumentException>("features", () => network.Encode(x, 1, features.AsSpan(1)));
                float[] broken = [.. x];
                broken[5] = float.NaN;
                Assert.Throws<ArgumentException>("windows", () => network.Encode(broken, 1, features));
                Assert.Throws<ArgumentException>("head", () => network.Head(QualityHead.AtrialFibrillation, features, 1, new float[1]));
                Assert.Throws<ArgumentException>("head", () => network.Alarm(x, 1, new float[1]));
            }
        }
    }

    internal static QualityWeights Recipe(QualityConfiguration configuration) => QualityWeightFile.Load("recipe:7", configuration);
}
