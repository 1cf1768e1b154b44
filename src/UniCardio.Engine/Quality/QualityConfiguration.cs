using System.Globalization;

namespace UniCardio.Engine.Quality;

/// <summary>
/// The sizes of a QualityFM network (arXiv 2509.06516; the author's code at github.com/ZonghengGuo/Multimodal_PhyFM_on_Quality, commit
/// 41f6a18):
/// a convolutional tokeniser, post-norm blocks with windowed attention and one global token, a decoder over tokens as channels, spectral
/// heads. Immutable; <see cref="Validate"/> says which number does not fit.
/// </summary>
public sealed record QualityConfiguration
{
    /// <summary>eps of every norm.</summary>
    public const double NormEpsilon = 1e-5;

    /// <summary>Convolutions of a tokeniser.</summary>
    public const int TokeniserStages = 3;

    /// <summary>Rows of a window: PPG, then ECG lead II, then what else a network of our own is told (indices).</summary>
    public int Channels { get; init; } = 2;

    /// <summary>Channels d of a token. Published: 512; divisible by <see cref="Heads"/>.</summary>
    public int Width { get; init; } = 512;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Blocks of the encoder, and as many of the decoder.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Width of the feed-forward layer.</summary>
    public int FeedForward { get; init; } = 256;

    /// <summary>Attention window w, even: a token reads tokens at most w / 2 away, token 0 reads and is read by all.</summary>
    public int Window { get; init; } = 8;

    /// <summary>Samples S of a whole window; 9,000 is 30 s at 300 Hz. Shorter windows give fewer tokens, which the encoder takes and the
    /// decoder does not.</summary>
    public int Samples { get; init; } = 9000;

    /// <summary>Output channels of the first and second convolution; the third has <see cref="Width"/>.</summary>
    public (int First, int Second) TokeniserChannels { get; init; } = (5, 51);

    /// <summary>Kernel sizes of the three convolutions; odd.</summary>
    public IReadOnlyList<int> Kernels { get; init; } = [201, 101, 51];

    /// <summary>Strides of the three convolutions.</summary>
    public IReadOnlyList<int> Strides { get; init; } = [5, 10, 10];

    /// <summary>The published base model: 9,576,714 parameters.</summary>
    public static QualityConfiguration Base { get; } = new();

    /// <summary>The published large model: 70,589,706 parameters.</summary>
    public static QualityConfiguration Large { get; } = new() { Layers = 21, FeedForward = 512 };

    /// <summary>The published huge model: 319,552,778 parameters.</summary>
    public static QualityConfiguration Huge { get; } = new() { Heads = 8, Layers = 50, FeedForward = 2048 };

    /// <summary>The network of the small golden vectors: 280,472 parameters.</summary>
    public static QualityConfiguration Tiny { get; } = new()
    {
        Width = 104,
        FeedForward = 32,
        Window = 4,
        Samples = 1800,
        TokeniserChannels = (4, 8),
        Kernels = [21, 11, 5],
        Strides = [5, 4, 5],
    };

    /// <summary>Our small network: 30 s at 125 Hz, a token a second, 0.7 M parameters. Made to be run on a CPU beside a monitor.</summary>
    public static QualityConfiguration Small { get; } = new()
    {
        Width = 128,
        Samples = 3750,
        TokeniserChannels = (16, 48),
        Kernels = [21, 11, 5],
        Strides = [5, 5, 5],
    };

    /// <summary>Signals that <see cref="QualityHead.Quality"/> judges: the first two channels.</summary>
    internal int JudgedSignals => Math.Min(2, Channels);

    /// <summary>Channels of one head.</summary>
    public int HeadDim => Width / Heads;

    /// <summary>Tokens of a whole window.</summary>
    public int Tokens => TokensOf(Samples);

    /// <summary>Output channels of each convolution.</summary>
    public IReadOnlyList<int> StageChannels => [TokeniserChannels.First, TokeniserChannels.Second, Width];

    /// <summary>Tokens of a window of some length: each convolution gives ceil(length / stride).</summary>
    public int TokensOf(int samples)
    {
        int length = samples;
        foreach (int stride in Strides)
            length = (length + stride - 1) / stride;
        return length;
    }

    /// <summary>Whether token <paramref name="query"/> may read token <paramref name="key"/>.</summary>
    public bool Reads(int query, int key) => query == 0 || key == 0 || Math.Abs(query - key) <= Window / 2;

    /// <summary>Checks every number and how they divide.</summary>
    /// <returns>This configuration.</returns>
    /// <exception cref="ConfigurationException">A number is out of range or does not divide; it is named.</exception>
    public QualityConfiguration Validate()
    {
        InRange("channels", Channels, 1, 16);
        InRange("d", Width, 2, 4096);
        InRange("heads", Heads, 1, Width);
        InRange("layers", Layers, 1, 256);
        InRange("ffn", FeedForward, 1, 65536);
        InRange("window", Window, 2, 1 << 20);
        InRange("samples", Samples, 1, 1 << 24);
        InRange("tokeniser_channels", TokeniserChannels.First, 1, 4096);
        InRange("tokeniser_channels", TokeniserChannels.Second, 1, 4096);
        if (Width % Heads != 0)
            throw new ConfigurationException("d", $"{Width} is not a multiple of heads = {Heads}");
        if (Width % 2 != 0)
            throw new ConfigurationException("d", $"{Width} is odd; its position code has pairs of sine and cosine");
        if (Window % 2 != 0)
            throw new ConfigurationException("window", $"{Window} is odd; it reaches as far to either side");
        Three("kernels", Kernels, 1, 4095);
        Three("strides", Strides, 1, 4096);
        if (Kernels.FirstOrDefault(k => k % 2 == 0) is int even and > 0)
            throw new ConfigurationException("kernels", $"{even} has no middle; expected odd sizes");
        return this;
    }

    /// <summary>The configuration as the string pairs of a file's metadata.</summary>
    public IReadOnlyDictionary<string, string> ToMetadata() => new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["family"] = "quality",
        ["d"] = Text(Width),
        ["heads"] = Text(Heads),
        ["layers"] = Text(Layers),
        ["ffn"] = Text(FeedForward),
        ["window"] = Text(Window),
        ["samples"] = Text(Samples),
        ["tokeniser_channels"] = string.Join(',', StageChannels.Select(Text)),
        ["kernels"] = string.Join(',', Kernels.Select(Text)),
        ["strides"] = string.Join(',', Strides.Select(Text)),
    };

    /// <summary>Whether a file's string pairs describe a network of this family rather than UniCardio's.</summary>
    public static bool IsDescribedBy(IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return metadata.ContainsKey("tokeniser_channels") || (metadata.TryGetValue("family", out string? family) && family == "quality");
    }

    /// <summary>Reads the string pairs of <see cref="ToMetadata"/>; what is absent keeps <paramref name="defaults"/>' value (the base
    /// model's if null).</summary>
    /// <exception cref="ConfigurationException">A value does not parse or the configuration does not hold together.</exception>
    public static QualityConfiguration FromMetadata(IReadOnlyDictionary<string, string> metadata, QualityConfiguration? defaults = null)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        QualityConfiguration d = defaults ?? Base;
        int[] channels = Integers(metadata, "tokeniser_channels", d.StageChannels);
        int width = Integers(metadata, "d", [d.Width])[0];
        if (channels.Length != TokeniserStages || channels[2] != width)
            throw new ConfigurationException("tokeniser_channels",
                $"'{string.Join(',', channels)}' should be three numbers, the last of them d = {width}");
        return d with
        {
            Width = width,
            Heads = Integers(metadata, "heads", [d.Heads])[0],
            Layers = Integers(metadata, "layers", [d.Layers])[0],
            FeedForward = Integers(metadata, "ffn", [d.FeedForward])[0],
            Window = Integers(metadata, "window", [d.Window])[0],
            Samples = Integers(metadata, "samples", [d.Samples])[0],
            TokeniserChannels = (channels[0], channels[1]),
            Kernels = Integers(metadata, "kernels", d.Kernels),
            Strides = Integers(metadata, "strides", d.Strides),
        };
    }

    /// <summary>Equal numbers, lists included.</summary>
    public bool Equals(QualityConfiguration? other) => other is not null && ToMetadata().SequenceEqual(other.ToMetadata())
        && Channels == other.Channels;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Channels, Width, Heads, Layers, FeedForward, Window, Samples);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static int[] Integers(IReadOnlyDictionary<string, string> metadata, string key, IReadOnlyList<int> absent)
    {
        if (!metadata.TryGetValue(key, out string? text))
            return [.. absent];
        string[] parts = text.Split(',');
        int[] values = new int[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out values[i]))
                throw new ConfigurationException(
                    key, $"'{text}' is not {(absent.Count == 1 ? "a whole number" : "whole numbers with commas")}");
        }

        return values.Length == absent.Count ? values
            : throw new ConfigurationException(key, $"'{text}' should be {absent.Count} whole number(s)");
    }

    private static void InRange(string setting, int value, int low, int high)
    {
        if (value < low || value > high)
            throw new ConfigurationException(setting, $"{value} is not between {low} and {high}");
    }

    private static void Three(string setting, IReadOnlyList<int> values, int low, int high)
    {
        if (values.Count != TokeniserStages)
            throw new ConfigurationException(setting, $"{values.Count} numbers; expected {TokeniserStages}");
        foreach (int value in values)
            InRange(setting, value, low, high);
    }
}
