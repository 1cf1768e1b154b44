using System.CommandLine;
using System.CommandLine.Parsing;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Pipeline.Patient;
using UniCardio.Restoration;
using UniCardio.Signals.Formats;

namespace UniCardio.Cli.Options;

/// <summary>Which signal is made from which and how: <c>--target</c>, <c>--with</c>, <c>--channel</c>, <c>--draws</c> and what belongs to
/// them.</summary>
internal sealed class RestoringOptions
{
    private readonly TaskKind _kind;
    private readonly Option<Modality> _target;
    private readonly Option<ModalitySet> _with;

    private readonly Option<ChannelSelection> _channels = new("--channel")
    {
        Description = "Takes the channel of this name for a signal, e.g. bp=ART2; may be repeated. Else the first channel of each kind.",
        HelpName = "SIGNAL=NAME",
        CustomParser = ReadChannels,
    };

    private readonly Option<int> _draws =
        new("--draws") { Description = "Draws a window; from 2 on there is a 5-95% band.", DefaultValueFactory = _ => 8, HelpName = "N" };
    private readonly Option<DrawSummary> _summary = new("--summary") { Description = "How draws become one signal: median or mean." };
    private readonly Option<SamplerOptions?> _sampler =
        Parsed.One<SamplerOptions>("--sampler", $"E.g. dpm++2m:10, ddim:20,eta=0.5 or ddpm (else {SamplerOptions.Default}).", "SAMPLER");
    private readonly Option<ulong> _seed =
        new("--seed") { Description = "Equal seeds give equal results, whatever the number of threads.", HelpName = "SEED" };
    private readonly Option<double> _overlap = new("--overlap")
        { Description = "Share of a window that is crossfaded with the next, 0 to 0.9.", DefaultValueFactory = _ => 0.25, HelpName = "X" };
    private readonly Option<ResidualRule> _residual = new("--residual")
        { Description =
            "With draws: wiener gives back what of measured minus generated stands above broadband noise: level, amplitude and slow "
            + "waves come from the measurement, and so do wander and motion. none (default): the network alone." };
    private readonly Option<DenoisingMethod> _method = new("--method")
    {
        Description =
            "estimate: the mean of the clean signal given the measurement, two network calls a window, no band; for broadband noise "
            + "(wander and motion: --slow-noise). draws: draws from noise, with a band; takes off wander too. estimate is the default "
            + "unless an option of draws is given (--draws, --summary, --sampler, --residual, --band-channels).",
    };

    private readonly Option<double?> _noise = new("--noise-level")
        { Description =
            "Standard deviation of the noise that an estimate takes off, in the channel's unit; measured window by window if left out.",
            HelpName = "X" };
    private readonly Option<bool> _slow = new("--slow-noise")
        { Description =
            "The estimate takes off wander and motion too, with one more network call a window; what of the signal itself is as slow, "
            + "such as breathing in a PPG, goes in part. Wander slower than a window of 4 s stays in part: a high-pass takes that." };
    private readonly Option<EstimatorChoice> _estimator = new("--estimator")
    {
        Description =
            "What fills the gaps. auto (default): network, the patient's own beat, a filter from the other signals and lines, each by "
            + "how it does on measured stretches of the same recording that are hidden in turn. network: as the network made it. beat: "
            + "the own beat, placed by another signal or by rhythm. fir: the filter. line: straight lines.",
        DefaultValueFactory = _ => EstimatorChoice.Auto,
    };

    private readonly CalibrationOption _calibration = new();

    private readonly Option<bool> _align = new(
        "--align") { Description =
            "Brings the other signals to the target's time first, where beats show that a device's clock is off or drifts; what was "
            + "done is told." };

    private readonly Option<bool> _ungated = new("--ungated") { Description =
        "Works from other signals where their quality index is too low, too; else such seconds of theirs count as missing, which is "
        + "told." };

    private readonly Option<bool> _band = new("--band-channels") { Description = "Also writes the band as two channels." };

    public RestoringOptions(TaskKind kind)
    {
        _kind = kind;
        bool translates = kind == TaskKind.Translate;
        string what =
            kind switch { TaskKind.Impute => "whose gaps are filled", TaskKind.Denoise => "that is denoised", _ => "that is made" };
        _target = new Option<Modality>("--target") { Required = true, Description = $"The signal {what}: ppg, bp or ecg.",
            HelpName = "SIGNAL", CustomParser = ReadTarget };
        _with = new Option<ModalitySet>("--with")
        {
            Required = translates,
            Description = translates ? "The signals it is made from, e.g. ppg or ppg,bp."
                : "Other signals to condition on, e.g. ppg or ppg,ecg; none if left out.",
            HelpName = "SIGNALS",
            CustomParser = ReadSet,
        };
    }

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_target, _with, _channels, _draws, _summary, _sampler, _seed, _overlap, _band, _align,
            _ungated])
            command.Add(option);
        if (_kind == TaskKind.Impute)
            command.Add(_estimator);
        if (_kind == TaskKind.Translate)
            _calibration.AddTo(command);
        if (_kind == TaskKind.Denoise)
        {
            command.Add(_method);
            command.Add(_noise);
            command.Add(_slow);
            command.Add(_residual);
        }
    }

    public ChannelSelection Channels(ParseResult parsed) => parsed.GetValue(_channels) ?? ChannelSelection.ByKind;

    public RestorationOptions Read(ParseResult parsed, Func<RecordingReadOptions> reading) => new RestorationOptions
    {
        Task = Task(parsed.GetValue(_target), parsed.GetValue(_with)),
        Method = Method(parsed),
        NoiseLevel = _kind == TaskKind.Denoise ? parsed.GetValue(_noise) : null,
        RemovesSlowNoise = _kind == TaskKind.Denoise && parsed.GetValue(_slow),
        Estimator = _kind == TaskKind.Impute ? parsed.GetValue(_estimator) : EstimatorChoice.Network,
        Calibration = _kind == TaskKind.Translate ? _calibration.Read(parsed, reading) : null,
        Align = parsed.GetValue(_align),
        GatesConditions = !parsed.GetValue(_ungated),
        Draws = parsed.GetValue(_draws),
        Summary = parsed.GetValue(_summary),
        Residual = _kind == TaskKind.Denoise ? parsed.GetValue(_residual) : ResidualRule.None,
        Sampler = parsed.GetValue(_sampler) ?? SamplerOptions.Default,
        Seed = parsed.GetValue(_seed),
        Overlap = parsed.GetValue(_overlap),
        BandChannels = parsed.GetValue(_band),
    }.Validate();

    private DenoisingMethod Method(ParseResult parsed)
    {
        if (_kind != TaskKind.Denoise)
            return default;
        string? ofDraws = ((Option[])[_draws, _summary, _sampler, _residual, _band])
            .FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false })?.Name;
        bool chosen = parsed.GetResult(_method) is { Implicit: false };
        DenoisingMethod method = chosen ? parsed.GetValue(_method) : ofDraws is null ? DenoisingMethod.Estimate : DenoisingMethod.Draws;
        if (method == DenoisingMethod.Estimate && ofDraws is not null)
            throw new UsageException($"{ofDraws} says nothing to an estimate, which draws nothing; leave it out or take --method draws");
        if (method == DenoisingMethod.Draws && parsed.GetValue(_noise) is not null)
            throw new UsageException("--noise-level is for --method estimate; draws do not ask for it");
        return method;
    }

    private CardioTask Task(Modality target, ModalitySet with) => _kind switch
    {
        TaskKind.Impute => CardioTask.Impute(target, with),
        TaskKind.Denoise => CardioTask.Denoise(target, with),
        _ => CardioTask.Translate(with, target),
    };

    private static Modality ReadTarget(ArgumentResult result)
    {
        if (!Modalities.TryParse(result.Tokens[0].Value, out Modality modality))
            result.AddError($"--target '{result.Tokens[0].Value}' is none of ppg, bp, ecg");
        return modality;
    }

    private static ModalitySet ReadSet(ArgumentResult result)
    {
        ModalitySet set = ModalitySet.None;
        foreach (string name in ReadingOptions.Split(result))
        {
            if (Modalities.TryParse(name, out Modality modality))
                set |= modality.ToSet();
            else
                result.AddError($"--with '{name}' is none of ppg, bp, ecg");
        }

        return set;
    }

    private static ChannelSelection ReadChannels(ArgumentResult result)
    {
        ChannelSelection selection = ChannelSelection.ByKind;
        foreach (Token token in result.Tokens)
        {
            string[] pair = token.Value.Split('=', 2, StringSplitOptions.TrimEntries);
            if (pair is not [_, { Length: > 0 } name] || !Modalities.TryParse(pair[0], out Modality modality))
                result.AddError($"--channel '{token.Value}' should be SIGNAL=NAME with a signal of ppg, bp, ecg");
            else
                selection = modality switch
                {
                    Modality.Ppg => selection with { Ppg = name },
                    Modality.Bp => selection with { BloodPressure = name },
                    _ => selection with { Ecg = name },
                };
        }

        return selection;
    }
}
