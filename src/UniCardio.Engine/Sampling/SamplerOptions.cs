using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace UniCardio.Engine.Sampling;

/// <summary>Which sampler turns noise into a signal.</summary>
public enum SamplerKind
{
    /// <summary>Ancestral sampling through all T steps (Ho et al., arXiv 2006.11239).</summary>
    Ddpm,

    /// <summary>DDIM (Song et al., arXiv 2010.02502).</summary>
    Ddim,

    /// <summary>Second-order multistep DPM-Solver++ (Lu et al., arXiv 2211.01095, algorithm 2).</summary>
    DpmSolver2M,

    /// <summary>Third-order multistep DPM-Solver++.</summary>
    DpmSolver3M,

    /// <summary>The official code's "improved" sampler, two evaluations a step; only official-compatible.</summary>
    Improved,
}

/// <summary>Where a sampler with fewer steps than the schedule puts its evaluations.</summary>
public enum StepPlacement
{
    /// <summary>Uniform in lambda = ln(alpha/sigma), rounded to distinct discrete t.</summary>
    LogSnr,

    /// <summary>Uniform in t, counted from the noisy end: t_i = round(T - i T/N) - 1.</summary>
    Uniform,

    /// <summary>
    /// Uniform in lambda = ln(alpha/sigma) from t = T-1 to t = 0, both evaluated: the level nearest to the clean signal is seen by the
    /// network, and the jump from it to the clean signal, which loses spread, is the shortest there is. Rounded to distinct discrete t.
    /// </summary>
    LogSnrToEnd,
}

/// <summary>
/// A sampler and its settings. Text form, which parses back: <c>ddpm</c>, <c>ddim:20</c>, <c>ddim:20,eta=0.5</c>,
/// <c>dpm++2m:10</c>, <c>dpm++3m:10,placement=uniform</c>, <c>dpm++2m:8,placement=logsnr-to-end</c>, <c>ddim:6,official</c>,
/// <c>ddim:10,official,ratio=1.1</c>,
/// <c>improved</c>, each also with <c>threshold=off</c>.
/// </summary>
/// <remarks>
/// Golden runs of the official code are <c>ddpm,official</c>, <c>ddim:N,official[,ratio=R]</c> and <c>improved</c>: official
/// forms never threshold, other forms do unless told not to (<see cref="Threshold"/>).
/// </remarks>
public sealed record SamplerOptions : IParsable<SamplerOptions>
{
    /// <summary>Steps of DPM-Solver++ where none are given.</summary>
    public const int DefaultSolverSteps = 10;

    /// <summary>
    /// The sampler used where none is named: <c>ddim:6</c>. Of 21 samplers tried with the shipped weights (<c>unicardio evaluate --study
    /// samplers</c>) those with fewer calls lose detail (spectrum) and band, those with more gain no accuracy; weights/STUDIES.md has the
    /// table.
    /// </summary>
    public static SamplerOptions Default { get; } = new() { Kind = SamplerKind.Ddim, Steps = 6 };

    /// <summary>
    /// The only sampler of a network that corrects proposals (<see cref="Model.PredictionKind.Correction"/>): one call at the step
    /// whose noise is nearest to 0.2. Its state is given as explicit noise (<see cref="NoiseSource"/>): the window with the proposal in its
    /// gap. What comes out is the correction.
    /// </summary>
    public static SamplerOptions Correction { get; } = new() { Kind = SamplerKind.Ddim, Steps = 1, Threshold = false };

    /// <summary>Which sampler.</summary>
    public SamplerKind Kind { get; init; } = SamplerKind.DpmSolver2M;

    /// <summary>
    /// Steps N, 1 to T; null for the sampler's own: T for DDIM, <see cref="DefaultSolverSteps"/> (T if that is less) for
    /// DPM-Solver++. DDPM and "improved" always take all T.
    /// </summary>
    public int? Steps { get; init; }

    /// <summary>DDIM's share of fresh noise, 0 (deterministic) to 1 (the DDPM posterior). 0 for every other sampler.</summary>
    public double Eta { get; init; }

    /// <summary>Repeats the official code with its quirks (see <see cref="SamplerTable"/>).</summary>
    public bool OfficialCompatible { get; init; }

    /// <summary>What official-compatible DDIM divides the predicted noise by. 1 for everything else.</summary>
    public double Ratio { get; init; } = 1;

    /// <summary>
    /// Whether every predicted clean signal is clamped to <see cref="PlausibleRange"/>. Null, the default: yes, except in
    /// official-compatible runs, where it must not be true.
    /// </summary>
    public bool? Threshold { get; init; }

    /// <summary>Where steps are placed; null for the sampler's own: <see cref="StepPlacement.Uniform"/> for DDIM,
    /// <see cref="StepPlacement.LogSnr"/> for DPM-Solver++.</summary>
    public StepPlacement? Placement { get; init; }

    /// <summary>Whether the predicted clean signal is clamped, <see cref="Threshold"/>'s default resolved.</summary>
    public bool Thresholds => Threshold ?? !OfficialCompatible;

    /// <summary>Checks that the settings go together.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">A setting is out of range or means nothing for this sampler; it is named.</exception>
    public SamplerOptions Validate()
    {
        if (!Enum.IsDefined(Kind))
            throw new ConfigurationException("sampler", $"{(int)Kind} is not a sampler");
        if (Steps is < 1)
            throw new ConfigurationException("steps", $"{Steps} is less than 1");
        if (Steps is not null && Kind is (SamplerKind.Ddpm or SamplerKind.Improved))
            throw new ConfigurationException(
                "steps", $"{Name(Kind)} always takes all of the model's steps, not {Steps}; 'ddim:{Steps},eta=1' takes fewer");
        if (!(Eta >= 0 && Eta <= 1))
            throw new ConfigurationException("eta", $"{Text(Eta)} is not between 0 and 1");
        if (Eta != 0 && (Kind != SamplerKind.Ddim || OfficialCompatible))
            throw new ConfigurationException(
                "eta", $"only DDIM in its standard form takes eta, not {Name(Kind)}{(OfficialCompatible ? ",official" : "")}");
        if (!(Ratio >= 1e-3 && Ratio <= 1e3))
            throw new ConfigurationException("ratio", $"{Text(Ratio)} is not between 0.001 and 1000");
        if (Ratio != 1 && (Kind != SamplerKind.Ddim || !OfficialCompatible))
            throw new ConfigurationException("ratio", "only official-compatible DDIM takes a ratio");
        if (OfficialCompatible && Kind is (SamplerKind.DpmSolver2M or SamplerKind.DpmSolver3M))
            throw new ConfigurationException("official", $"the official code has no {Name(Kind)}");
        if (!OfficialCompatible && Kind == SamplerKind.Improved)
            throw new ConfigurationException("official", "the 'improved' sampler exists only in its official form");
        if (OfficialCompatible && Threshold == true)
            throw new ConfigurationException("threshold", "official-compatible runs do not threshold");
        if (Placement is StepPlacement placement)
            CheckPlacement(placement);
        return this;
    }

    /// <summary>The sampler that runs on a network where this one is asked for: the network's own in place of <see cref="Default"/>, else
    /// this one.</summary>
    /// <param name="configuration">The network.</param>
    public SamplerOptions For(Model.ModelConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return this == Default && configuration.OwnSampler is string own ? Parse(own) : this;
    }

    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">The text is not a sampler; the message says why.</exception>
    public static SamplerOptions Parse(string s, IFormatProvider? provider = null)
    {
        ArgumentNullException.ThrowIfNull(s);
        (SamplerOptions? options, string? problem) = Read(s);
        return options
            ?? throw new FormatException(
                $"'{s}' is not a sampler: {problem}. Examples: 'dpm++2m:10', 'ddim:20,eta=0.5', 'ddpm', 'ddim:6,official', 'improved'.");
    }

    /// <summary>Reads the text form.</summary>
    /// <returns>False where the text is not a sampler.</returns>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out SamplerOptions result)
    {
        result = s is null ? null : Read(s).Options;
        return result is not null;
    }

    /// <summary>The text form, which <see cref="Parse"/> reads back.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Name(Kind));
        if (Steps is int steps)
            text.Append(CultureInfo.InvariantCulture, $":{steps}");
        if (OfficialCompatible && Kind != SamplerKind.Improved)
            text.Append(",official");
        if (Eta != 0)
            text.Append(",eta=").Append(Text(Eta));
        if (Ratio != 1)
            text.Append(",ratio=").Append(Text(Ratio));
        if (Placement is StepPlacement placement)
            text.Append(",placement=").Append(Name(placement));
        if (Threshold is bool threshold)
            text.Append(",threshold=").Append(threshold ? "on" : "off");
        return text.ToString();
    }

    private void CheckPlacement(StepPlacement placement)
    {
        if (!Enum.IsDefined(placement))
            throw new ConfigurationException("placement", $"{(int)placement} is not a step placement");
        if (OfficialCompatible || Kind is SamplerKind.Ddpm)
            throw new ConfigurationException("placement", $"the steps of {this} are fixed");
    }

    private static string Name(SamplerKind kind) => kind switch
    {
        SamplerKind.Ddpm => "ddpm",
        SamplerKind.Ddim => "ddim",
        SamplerKind.DpmSolver2M => "dpm++2m",
        SamplerKind.DpmSolver3M => "dpm++3m",
        SamplerKind.Improved => "improved",
        _ => kind.ToString(),
    };

    private static string Name(StepPlacement placement) => placement switch
    {
        StepPlacement.Uniform => "uniform",
        StepPlacement.LogSnrToEnd => "logsnr-to-end",
        _ => "logsnr",
    };

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static (SamplerOptions? Options, string? Problem) Read(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        string[] head = parts[0].Split(':', 2, StringSplitOptions.TrimEntries);
        SamplerKind? kind = Enum.GetValues<SamplerKind>().Cast<SamplerKind?>()
            .FirstOrDefault(k => string.Equals(Name(k!.Value), head[0], StringComparison.OrdinalIgnoreCase));
        if (kind is null)
            return (null, $"the name should be one of {string.Join(", ", Enum.GetValues<SamplerKind>().Select(Name))}");
        var options = new SamplerOptions { Kind = kind.Value, OfficialCompatible = kind == SamplerKind.Improved };
        if (head.Length == 2)
        {
            if (!int.TryParse(head[1], NumberStyles.None, CultureInfo.InvariantCulture, out int steps))
                return (null, $"'{head[1]}' is not a number of steps");
            options = options with { Steps = steps };
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string part in parts.Skip(1))
        {
            string[] pair = part.ToLowerInvariant().Split('=', 2, StringSplitOptions.TrimEntries);
            if (!seen.Add(pair[0]))
                return (null, $"'{pair[0]}' is given twice");
            if (Read(options, pair[0], pair.Length == 2 ? pair[1] : null) is not SamplerOptions next)
                return (null, $"'{part}' is none of eta=X, official, ratio=X, placement=logsnr|logsnr-to-end|uniform, threshold=on|off");
            options = next;
        }

        try
        {
            return (options.Validate(), null);
        }
        catch (ConfigurationException problem)
        {
            return (null, problem.Message);
        }
    }

    private static SamplerOptions? Read(SamplerOptions options, string key, string? value) => (key, value) switch
    {
        ("official", null) => options with { OfficialCompatible = true },
        ("eta", not null) when Number(value, out double eta) => options with { Eta = eta },
        ("ratio", not null) when Number(value, out double ratio) => options with { Ratio = ratio },
        ("placement", "logsnr") => options with { Placement = StepPlacement.LogSnr },
        ("placement", "logsnr-to-end") => options with { Placement = StepPlacement.LogSnrToEnd },
        ("placement", "uniform") => options with { Placement = StepPlacement.Uniform },
        ("threshold", "on") => options with { Threshold = true },
        ("threshold", "off") => options with { Threshold = false },
        _ => null,
    };

    private static bool Number(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
}
