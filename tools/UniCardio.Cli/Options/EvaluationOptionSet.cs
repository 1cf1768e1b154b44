using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Evaluation;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Study;
using UniCardio.Evaluation.Study.Gaps;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Cli.Options;

/// <summary>What <c>evaluate</c> measures: tasks, windows, draws, sampler, noise and gaps.</summary>
internal sealed class EvaluationOptionSet
{
    private readonly Option<CardioTask[]> _tasks = new("--tasks")
    {
        Description = "Tasks, e.g. 'ppg->ecg' 'impute bp | ppg', or a whole kind: translate, impute, denoise; all 33 if left out.",
        HelpName = "TASK",
        AllowMultipleArgumentsPerToken = true,
        CustomParser = ReadTasks,
        DefaultValueFactory = _ => [],
    };

    private readonly Option<int?> _windows =
        Bounded.OptionalNumber("--windows", "Most windows of a recording (else 10; a study 4).", 1, 10_000);
    private readonly Option<int?> _draws =
        Bounded.OptionalNumber("--draws",
        "Draws a window (else 8). In a study: most draws of every sampler (else 32); the default sampler is tried with 50.", 1,
        InferencePlan.MaxBatch);
    private readonly Option<SamplerOptions?> _sampler =
        Parsed.One<SamplerOptions>("--sampler", $"E.g. dpm++2m:10, ddim:20,eta=0.5 or ddpm (else {SamplerOptions.Default}).", "SAMPLER");
    private readonly Option<SamplerOptions[]> _samplers =
        Parsed.Many<SamplerOptions>(
            "--samplers", "Only these samplers in a study, beside ddpm and the default; may be given several times.", "SAMPLER");
    private readonly Option<int?> _steps = Bounded.OptionalNumber("--steps", "Steps of the sampler: network calls a draw.", 1, 100_000);
    private readonly Option<ulong> _seed =
        new("--seed") { Description = "Equal seeds give equal numbers, whatever the number of threads.", HelpName = "SEED" };
    private readonly Option<double[]> _snr = new("--snr")
    {
        Description = "Signal-to-noise ratios to denoise at, in dB (else 5,10,15; a study 10).",
        HelpName = "DB,DB",
        CustomParser = ReadNumbers,
        DefaultValueFactory = _ => [],
    };

    private readonly Option<NoiseKind[]> _noise = new("--noise")
    {
        Description = "Noise to denoise: white (if left out), wander, motion, muscle, electrode.",
        HelpName = "KIND,KIND",
        CustomParser = result => [.. ReadingOptions.Split(result).Select(text => ReadNoise(text, result)).Distinct()],
        DefaultValueFactory = _ => [NoiseKind.White],
    };

    private readonly Option<GapLength[]> _gaps = new("--gap")
    {
        Description = "Gaps to fill, in seconds or percent of the window: 30% if left out.",
        HelpName = "LENGTH,LENGTH",
        CustomParser = result => [.. ReadingOptions.Split(result).Select(text => Parsed.Read<GapLength>(text, result.AddError))],
        DefaultValueFactory = _ => [new GapLength(0.3, true)],
    };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_tasks, _windows, _draws, _sampler, _samplers, _steps, _seed, _snr, _noise, _gaps])
            command.Add(option);
    }

    /// <summary>What a run measures.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="configuration">The network, which gives the window's length.</param>
    public EvaluationOptions Read(ParseResult parsed, ModelConfiguration configuration)
    {
        SamplerOptions sampler = parsed.GetValue(_sampler) ?? SamplerOptions.Default;
        if (parsed.GetValue(_samplers) is { Length: > 0 })
            throw new UsageException("--samplers is for --study samplers; --sampler names the one of an evaluation");
        if (parsed.GetValue(_steps) is { } steps)
            sampler = sampler with { Steps = steps };
        return (Read(parsed, configuration, CardioTask.All, windows: 10, [5, 10, 15]) with { Sampler = sampler }).Validate(configuration);
    }

    /// <summary>What a study of samplers compares.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="configuration">The network.</param>
    public SamplerStudyOptions ReadStudy(ParseResult parsed, ModelConfiguration configuration)
    {
        if (parsed.GetValue(_sampler) is not null || parsed.GetValue(_steps) is not null)
            throw new UsageException("--study samplers runs its own samplers; leave --sampler and --steps out");
        EvaluationOptions options = Read(parsed, configuration, SamplerStudyOptions.UsualTasks, windows: 4, [10]);
        var study = new SamplerStudyOptions { Evaluation = options };
        if (parsed.GetValue(_samplers) is { Length: > 0 } samplers)
            study = study with { Samplers = samplers };
        if (parsed.GetValue(_draws) is { } max)
        {
            int[] Up(IEnumerable<int> counts) => [.. counts.Where(d => d < max), max];
            study = study with { Draws = Up(study.Draws), ManyDraws = Up(study.ManyDraws) };
        }

        return study.Validate(configuration);
    }

    /// <summary>The seed.</summary>
    /// <param name="parsed">The command line.</param>
    public ulong Seed(ParseResult parsed) => parsed.GetValue(_seed);

    /// <summary>What a study of gaps fills.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="configuration">The network.</param>
    public GapStudyOptions ReadGaps(ParseResult parsed, ModelConfiguration configuration)
    {
        var study = new GapStudyOptions();
        CardioTask[] tasks = [.. parsed.GetValue(_tasks)!.Distinct()];
        double window = configuration.SlotSamples / NetworkSignal.Rate;
        return (study with
        {
            Tasks = tasks.Length > 0 ? tasks : study.Tasks,
            GapSeconds = parsed.GetResult(_gaps) is { Implicit: false } ? [.. parsed.GetValue(_gaps)!.Select(g => g.Seconds(window))]
                : study.GapSeconds,
            GapsPerRecording = parsed.GetValue(_windows) ?? study.GapsPerRecording,
            Draws = parsed.GetValue(_draws) ?? study.Draws,
            Sampler = (parsed.GetValue(_sampler) ?? SamplerOptions.Default).For(configuration),
            Seed = parsed.GetValue(_seed),
        }).Validate();
    }

    private EvaluationOptions Read(ParseResult parsed, ModelConfiguration configuration, IReadOnlyList<CardioTask> otherwiseTasks,
        int windows, double[] otherwiseSnr)
    {
        double window = configuration.SlotSamples / NetworkSignal.Rate;
        CardioTask[] tasks = [.. parsed.GetValue(_tasks)!.Distinct()];
        double[] snr = parsed.GetValue(_snr)!;
        return new EvaluationOptions
        {
            Tasks = tasks.Length > 0 ? tasks : otherwiseTasks,
            WindowsPerRecording = parsed.GetValue(_windows) ?? windows,
            Draws = parsed.GetValue(_draws) ?? 8,
            Seed = parsed.GetValue(_seed),
            SnrDecibels = snr.Length > 0 ? snr : otherwiseSnr,
            NoiseKinds = parsed.GetValue(_noise)!,
            GapSeconds = [.. parsed.GetValue(_gaps)!.Select(g => g.Seconds(window))],
        }.Validate(configuration);
    }

    private static CardioTask[] ReadTasks(ArgumentResult result)
    {
        var tasks = new List<CardioTask>();
        foreach (Token token in result.Tokens)
        {
            if (!token.Value.Contains('-', StringComparison.Ordinal)
                && Enum.TryParse(token.Value.Trim(), ignoreCase: true, out TaskKind kind) && Enum.IsDefined(kind))
                tasks.AddRange(CardioTask.All.Where(t => t.Kind == kind));
            else if (!token.Value.Trim().Equals("all", StringComparison.OrdinalIgnoreCase))
                tasks.Add(Parsed.Read<CardioTask>(token.Value, result.AddError));
            else
                tasks.AddRange(CardioTask.All);
        }

        return [.. tasks];
    }

    private static NoiseKind ReadNoise(string text, ArgumentResult result)
    {
        foreach (NoiseKind kind in Enum.GetValues<NoiseKind>())
        {
            if (text.Equals(kind.ToString(), StringComparison.OrdinalIgnoreCase))
                return kind;
        }

        result.AddError($"--noise '{text}' is none of {string.Join(", ", Enum.GetNames<NoiseKind>()).ToLowerInvariant()}");
        return default;
    }

    private static double[] ReadNumbers(ArgumentResult result)
    {
        var numbers = new List<double>();
        foreach (string text in ReadingOptions.Split(result))
        {
            if (double.TryParse(text, CultureInfo.InvariantCulture, out double number))
                numbers.Add(number);
            else
                result.AddError($"--snr '{text}' is not a number");
        }

        return [.. numbers];
    }
}
