using System.Globalization;

namespace UniCardio.Engine.Model;

/// <summary>Which position a token's sine/cosine code is taken at.</summary>
public enum PositionKind
{
    /// <summary>The token's place on the axis of all four slots (official).</summary>
    Global,

    /// <summary>The token's place within its slot, used in cond(pe) and added once to the encoder's output.</summary>
    Slot,
}

/// <summary>What the network predicts.</summary>
public enum PredictionKind
{
    /// <summary>The noise eps (official).</summary>
    Epsilon,

    /// <summary>v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans and Ho, arXiv 2202.00512).</summary>
    V,

    /// <summary>The clean signal x0.</summary>
    Sample,

    /// <summary>
    /// What to add to a proposal in a gap. In place of x_t the target's slot holds the measured window with the proposal in its gap (-1
    /// throughout, as wherever something is missing, where there is none: the answer is then the prediction alone); the restored
    /// signal's own condition has its gap as ever. A proposal is taken for a signal with some noise: one call at the step whose noise is
    /// nearest to 0.2, nothing drawn (<see cref="Sampling.SamplerOptions.Correction"/>). Imputation only.
    /// </summary>
    Correction,
}

/// <summary>How beta_t runs from its start to its end.</summary>
public enum ScheduleKind
{
    /// <summary>Linear in sqrt(beta) (official).</summary>
    Quad,

    /// <summary>Linear in beta.</summary>
    Linear,
}

/// <summary>The sizes and conventions of a network. Immutable; <see cref="Validate"/> says which number does not fit.</summary>
public sealed record ModelConfiguration
{
    /// <summary>Key of <see cref="OwnSampler"/> in metadata; absent where it is null.</summary>
    public const string OwnSamplerKey = "own_sampler";

    /// <summary>Key of <see cref="OwnTasks"/> in metadata; absent where it is null.</summary>
    public const string OwnTasksKey = "own_tasks";

    /// <summary>Channels C of a token. Divisible by <see cref="Heads"/> and by 6 times <see cref="SamplesPerToken"/>. Official:
    /// 288.</summary>
    public int Channels { get; init; } = 288;

    /// <summary>Attention heads. Official: 8.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Residual blocks. Official: 5.</summary>
    public int Blocks { get; init; } = 5;

    /// <summary>Width of the feed-forward layer. Official: 64.</summary>
    public int FeedForward { get; init; } = 64;

    /// <summary>Width E of the diffusion embedding; even, at least 4. Official: 256.</summary>
    public int Embedding { get; init; } = 256;

    /// <summary>Diffusion steps T. Official: 50.</summary>
    public int DiffusionSteps { get; init; } = 50;

    /// <summary>beta at t = 0. Official: 1e-4.</summary>
    public double BetaStart { get; init; } = 1e-4;

    /// <summary>beta at t = T - 1. Official: 0.5.</summary>
    public double BetaEnd { get; init; } = 0.5;

    /// <summary>Shape of the noise schedule.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Quad;

    /// <summary>Samples S of a slot at 125 Hz. Official: 500, that is 4 s.</summary>
    public int SlotSamples { get; init; } = 500;

    /// <summary>Samples p of a token; 1 is the official network.</summary>
    public int SamplesPerToken { get; init; } = 1;

    /// <summary>Where position codes count from.</summary>
    public PositionKind Positions { get; init; } = PositionKind.Global;

    /// <summary>
    /// The sampler that the weights were made for, as text (a distilled network knows only the levels it was taught); null for any. It
    /// takes the place of
    /// <see cref="Sampling.SamplerOptions.Default"/> wherever that is used.
    /// </summary>
    public string? OwnSampler { get; init; }

    /// <summary>The tasks that the network learned where it learned some only, texts of <see cref="CardioTask"/> with ';' between them;
    /// null where it takes all. Sessions of others are refused: what it would make of them looks like an answer and is none.</summary>
    public string? OwnTasks { get; init; }

    /// <summary>What the network predicts.</summary>
    public PredictionKind Prediction { get; init; } = PredictionKind.Epsilon;

    /// <summary>The published network: 288 channels, 8 heads, 5 blocks, 500 tokens a slot.</summary>
    public static ModelConfiguration Full { get; } = new();

    /// <summary>The compact network: p 5, 180 channels, 6 heads of 30, 4 blocks, 100 tokens a slot.</summary>
    public static ModelConfiguration Compact { get; } =
        new() { Channels = 180, Heads = 6, Blocks = 4, Embedding = 128, SamplesPerToken = 5 };

    /// <summary>The network of the small golden vectors: 48 channels, 4 heads, 2 blocks, 100 tokens a slot.</summary>
    public static ModelConfiguration Tiny { get; } = new() { Channels = 48, Heads = 4, Blocks = 2, Embedding = 32, SlotSamples = 100 };

    /// <summary>Channels of one head, C / heads.</summary>
    public int HeadDim => Channels / Heads;

    /// <summary>Tokens of a slot, S / p.</summary>
    public int SlotTokens => SlotSamples / SamplesPerToken;

    /// <summary>Output channels of one encoder convolution at full rate, C / (6 p).</summary>
    public int ChannelsPerKernel => Channels / (EncoderKernels.Count * SamplesPerToken);

    /// <summary>Kernel sizes of the six encoder convolutions.</summary>
    public static IReadOnlyList<int> EncoderKernels { get; } = [1, 3, 5, 7, 9, 11];

    /// <summary>Slots on the token axis, live or not.</summary>
    public const int SlotCount = 4;

    /// <summary>eps of every LayerNorm.</summary>
    public const double LayerNormEpsilon = 1e-5;

    /// <summary>Checks every number and how they divide.</summary>
    /// <returns>This configuration.</returns>
    /// <exception cref="ConfigurationException">A number is out of range or does not divide; it is named.</exception>
    public ModelConfiguration Validate()
    {
        InRange("channels", Channels, 6, 4096);
        InRange("heads", Heads, 1, Channels);
        InRange("blocks", Blocks, 1, 256);
        InRange("feed_forward", FeedForward, 1, 65536);
        InRange("embedding", Embedding, 4, 65536);
        InRange("steps", DiffusionSteps, 1, 100_000);
        InRange("slot", SlotSamples, 1, 1 << 16);
        InRange("samples_per_token", SamplesPerToken, 1, SlotSamples);
        Divides("channels", Channels, "heads", Heads);
        Divides("channels", Channels, "6 * samples_per_token", 6 * SamplesPerToken);
        Divides("slot", SlotSamples, "samples_per_token", SamplesPerToken);
        Divides("embedding", Embedding, "2", 2);
        if (!(BetaStart > 0 && BetaStart < 1))
            throw new ConfigurationException("beta_start", $"{BetaStart} is not between 0 and 1");
        if (!(BetaEnd >= BetaStart && BetaEnd < 1))
            throw new ConfigurationException("beta_end", $"{BetaEnd} is not between beta_start ({BetaStart}) and 1");
        Known("schedule", Schedule);
        Known("positions", Positions);
        Known("prediction", Prediction);
        if (OwnSampler is not null && !Sampling.SamplerOptions.TryParse(OwnSampler, null, out _))
            throw new ConfigurationException(OwnSamplerKey, $"'{OwnSampler}' is not a sampler");
        foreach (string task in OwnTaskTexts)
        {
            if (!CardioTask.TryParse(task, null, out _))
                throw new ConfigurationException(OwnTasksKey, $"'{task}' is not a task");
        }

        return this;
    }

    /// <summary>Whether the network learned a task.</summary>
    /// <param name="task">The task.</param>
    public bool Knows(CardioTask task) => OwnTasks is null || OwnTaskTexts.Any(t => CardioTask.Parse(t) == task);

    private string[] OwnTaskTexts => OwnTasks?.Split(';', StringSplitOptions.TrimEntries) ?? [];

    /// <summary>The configuration as the string pairs that stand in a weight file's or golden file's metadata.</summary>
    public IReadOnlyDictionary<string, string> ToMetadata()
    {
        var pairs = Sizes();
        if (OwnSampler is not null)
            pairs[OwnSamplerKey] = OwnSampler;
        if (OwnTasks is not null)
            pairs[OwnTasksKey] = OwnTasks;
        return pairs;
    }

    private SortedDictionary<string, string> Sizes() => new(StringComparer.Ordinal)
    {
        ["channels"] = Text(Channels),
        ["heads"] = Text(Heads),
        ["layers"] = Text(Blocks),
        ["feed_forward"] = Text(FeedForward),
        ["embedding"] = Text(Embedding),
        ["steps"] = Text(DiffusionSteps),
        ["beta_start"] = BetaStart.ToString("R", CultureInfo.InvariantCulture),
        ["beta_end"] = BetaEnd.ToString("R", CultureInfo.InvariantCulture),
        ["schedule"] = Name(Schedule),
        ["slot"] = Text(SlotSamples),
        ["samples_per_token"] = Text(SamplesPerToken),
        ["positions"] = Name(Positions),
        ["prediction"] = Name(Prediction),
    };

    /// <summary>
    /// Reads the string pairs of <see cref="ToMetadata"/>. What is absent keeps <paramref name="defaults"/>' value (the
    /// official network's if null); other keys are left alone.
    /// </summary>
    /// <exception cref="ConfigurationException">A value does not parse or the configuration does not hold together.</exception>
    public static ModelConfiguration FromMetadata(IReadOnlyDictionary<string, string> metadata, ModelConfiguration? defaults = null)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ModelConfiguration d = defaults ?? Full;
        return new ModelConfiguration
        {
            Channels = Integer(metadata, "channels", d.Channels),
            Heads = Integer(metadata, "heads", d.Heads),
            Blocks = Integer(metadata, "layers", d.Blocks),
            FeedForward = Integer(metadata, "feed_forward", d.FeedForward),
            Embedding = Integer(metadata, "embedding", d.Embedding),
            DiffusionSteps = Integer(metadata, "steps", d.DiffusionSteps),
            BetaStart = Real(metadata, "beta_start", d.BetaStart),
            BetaEnd = Real(metadata, "beta_end", d.BetaEnd),
            Schedule = Choice(metadata, "schedule", d.Schedule),
            SlotSamples = Integer(metadata, "slot", d.SlotSamples),
            SamplesPerToken = Integer(metadata, "samples_per_token", d.SamplesPerToken),
            Positions = Choice(metadata, "positions", d.Positions),
            Prediction = Choice(metadata, "prediction", d.Prediction),
            OwnSampler = metadata.GetValueOrDefault(OwnSamplerKey) ?? d.OwnSampler,
            OwnTasks = metadata.GetValueOrDefault(OwnTasksKey) ?? d.OwnTasks,
        }.Validate();
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static int Integer(IReadOnlyDictionary<string, string> metadata, string key, int absent)
    {
        if (!metadata.TryGetValue(key, out string? text))
            return absent;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value)
            ? value
            : throw new ConfigurationException(key, $"'{text}' is not a whole number");
    }

    private static double Real(IReadOnlyDictionary<string, string> metadata, string key, double absent)
    {
        if (!metadata.TryGetValue(key, out string? text))
            return absent;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            ? value
            : throw new ConfigurationException(key, $"'{text}' is not a number");
    }

    private static T Choice<T>(IReadOnlyDictionary<string, string> metadata, string key, T absent)
        where T : struct, Enum
    {
        if (!metadata.TryGetValue(key, out string? text))
            return absent;
        foreach (T value in Enum.GetValues<T>())
        {
            if (string.Equals(Name(value), text.Trim(), StringComparison.OrdinalIgnoreCase))
                return value;
        }

        throw new ConfigurationException(key, $"'{text}' is none of {string.Join(", ", Enum.GetValues<T>().Select(Name))}");
    }

    private static void InRange(string setting, int value, int low, int high)
    {
        if (value < low || value > high)
            throw new ConfigurationException(setting, $"{value} is not between {low} and {high}");
    }

    private static void Divides(string setting, int value, string divisorName, int divisor)
    {
        if (value % divisor != 0)
            throw new ConfigurationException(setting, divisorName == Text(divisor) ? $"{value} is not a multiple of {divisor}"
                : $"{value} is not a multiple of {divisorName} = {divisor}");
    }

    private static void Known<T>(string setting, T value)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw new ConfigurationException(setting, $"{value} is none of {string.Join(", ", Enum.GetValues<T>().Select(Name))}");
    }
}
