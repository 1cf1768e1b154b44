using System.CommandLine;
using UniCardio.Cli.Bench;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Weights;

namespace UniCardio.Cli.Options;

/// <summary>Sizes that have a recipe.</summary>
internal enum NetworkSize
{
    Full,
    Compact,
    Tiny,
}

/// <summary>Which network calls <c>bench</c> and <c>profile</c> make.</summary>
internal sealed class CallOptions
{
    private readonly Option<NetworkSize?> _size =
        new("--size") { Description = "Untrained weights of this size: full (the published network), compact or tiny." };
    private readonly WeightOptions _weights = WeightOptions.Optional("recipe weights of --size");
    private readonly Option<CardioTask> _task = new("--task")
    {
        Description = "Conditions and target, e.g. 'ppg->ecg' or 'impute bp | ppg'.",
        HelpName = "TASK",
        CustomParser = result => Parsed.Read<CardioTask>(result.Tokens[0].Value, result.AddError),
        DefaultValueFactory = _ => CardioTask.Translate(ModalitySet.Ppg, Modality.Ecg),
    };

    private readonly Option<int> _windows = Bounded.Number("--windows", "Windows a call.", 1, InferencePlan.MaxBatch, 1);
    private readonly Option<int> _draws = Bounded.Number("--draws", "Draws a window.", 1, InferencePlan.MaxBatch, 1);
    private readonly Option<SamplerOptions?> _sampler = Parsed.One<SamplerOptions>("--sampler",
        $"Sampler whose rows the calls are, e.g. ddim:20 (else {SamplerOptions.Default}).", "SAMPLER");
    private readonly Option<bool> _targetOnly = new("--target-only") { Description = "Calls at one t, which share the condition rows." };
    private readonly BackendOptions _backend = new(choosesBackend: false);

    public void AddTo(Command command)
    {
        command.Add(_size);
        _weights.AddTo(command);
        foreach (Option option in (Option[])[_task, _windows, _draws, _sampler, _targetOnly])
            command.Add(option);
        _backend.AddTo(command);
    }

    /// <summary>Whether one network was named, rather than the speed table meant.</summary>
    public bool IsChosen(ParseResult parsed) => parsed.GetValue(_size) is not null || _weights.Source(parsed) is not null;

    /// <summary>The speed table; options that mean one configuration are refused.</summary>
    public IReadOnlyList<BenchCase> SpeedTable(ParseResult parsed)
    {
        foreach (Option option in (Option[])[_task, _windows, _draws, _sampler, _targetOnly])
        {
            if (parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name} goes with --size or --weights; without them the whole speed table is measured");
        }

        return _backend.Threads(parsed) == 0
            ? Bench.SpeedTable.Cases(_backend.InstructionSet(parsed))
            : throw new UsageException("--threads goes with --size or --weights; the speed table has its own");
    }

    public BenchCase Read(ParseResult parsed)
    {
        NetworkSize? size = parsed.GetValue(_size);
        if (size is not null && _weights.Source(parsed) is not null)
            throw new UsageException("--size and --weights are two ways to name one network; give one of them");
        string weights = _weights.Source(parsed) ?? $"recipe:1,{(size ?? NetworkSize.Full).ToString().ToLowerInvariant()}";
        CardioTask task = parsed.GetValue(_task);
        int windows = parsed.GetValue(_windows), draws = parsed.GetValue(_draws);
        return new BenchCase($"{size?.ToString().ToLowerInvariant() ?? weights}: {task}, {windows} x {draws}", weights)
        {
            Task = task,
            Windows = windows,
            Draws = draws,
            Threads = _backend.Threads(parsed),
            Isa = _backend.InstructionSet(parsed),
            Sampler = parsed.GetValue(_sampler) ?? SamplerOptions.Default,
            TargetOnly = parsed.GetValue(_targetOnly),
            Profiled = true,
        };
    }

    public WeightLoadOptions Loading(ParseResult parsed) => _weights.Loading(parsed);
}
