using System.CommandLine;
using UniCardio.Engine.Model;
using UniCardio.Training.Curricula;
using UniCardio.Training.Objectives;
using UniCardio.Training.Optimization;
using UniCardio.Training.Runs;

namespace UniCardio.Cli.Options;

/// <summary>
/// Options that the result of a training run depends on; each left out keeps the preset's value, or that of the run in the folder.
/// </summary>
internal sealed class TrainingOptionSet
{
    private const double DefaultShare = 0.5;

    private readonly Option<long?> _steps =
        new("--steps") { Description = "Updates of the whole run; phases and learning rate are spread over them (100000).",
        HelpName = "N" };
    private readonly Option<int?> _batch = Bounded.OptionalNumber("--batch", "Windows of an update (32; published 128).", 1, 65536);
    private readonly Option<ulong?> _seed = new("--seed") { Description = "Of weights, tasks, noise (0).", HelpName = "SEED" };
    private readonly Option<ulong?> _dataSeed = new("--data-seed") { Description = "Of the synthetic windows (1).", HelpName = "SEED" };
    private readonly Option<string?> _data = new(
        "--data") { Description =
            "Folder of recordings, a subfolder or file a subject; a fifth of the subjects is kept apart for the held-out checks.",
            HelpName = "DIR" };
    private readonly Option<string?> _distil = new("--distil")
        { Description =
            "File of a teacher's samples to learn in one call or two (--distil-calls); finetune draws it with --weights as the teacher "
            + "where it is not there (see --pairs). The result's metadata names its sampler.", HelpName = "FILE" };
    private readonly Option<int?> _pairs =
        Bounded.OptionalNumber("--pairs", "Samples that the teacher draws for --distil, 21 calls each (20000).", 1, 1_000_000);
    private readonly Option<int?> _calls =
        Bounded.OptionalNumber("--distil-calls", "Calls that a student, or a network of --score-draws, is to need, 1 or 2 (1).", 1, 2);
    private readonly Option<int?> _pairDraws =
        Bounded.OptionalNumber("--pair-draws", "Of them of one window, which share its condition rows (4).", 1, 64);
    private readonly Option<int?> _scored = Bounded.OptionalNumber("--score-draws",
        "Learns to draw in one call or two (--distil-calls) without a teacher: so many draws of a window, 2 to 16, are scored together "
        + "against the true signal by the energy score. The result's metadata names its sampler (0: the diffusion loss).", 0, 16);
    private readonly Option<double?> _dataShare =
        Bounded.OptionalNonNegative("--data-share", "Share of windows that are of recordings (0.5 with --data).", "SHARE");
    private readonly Option<double?> _rate = Bounded.OptionalNonNegative("--lr", "Peak of the learning rate (1e-3).", "RATE");
    private readonly Option<LearningRateShape?> _schedule = new("--schedule")
        { Description = "Learning rate after warm-up: constant, step, cosine (default) or trapezoid (falls at its end, see --cooldown)." };
    private readonly Option<double?> _cooldown =
        Bounded.OptionalNonNegative("--cooldown", "Share of the updates over which a trapezoid falls (0.2).", "SHARE");
    private readonly Option<int?> _warmup =
        Bounded.OptionalNumber("--warmup", "Updates of linear warm-up (500; published 0).", 0, int.MaxValue);
    private readonly Option<InitializationKind?> _initialization = new("--init")
        { Description = "published, or aligned: two heads a block start by looking at equal positions (default with slot positions)." };
    private readonly Option<double?> _dropout = Bounded.OptionalNonNegative("--dropout", "Dropout (0; published 0.1).", "P");
    private readonly Option<double?> _ema =
        Bounded.OptionalNonNegative("--ema", "Decay of the averaged weights (0.999; published 0).", "D");
    private readonly Option<double?> _decay = Bounded.OptionalNonNegative("--weight-decay", "Weight decay (1e-6).", "D");
    private readonly Option<WeightDecayKind?> _decayKind = new("--decay") { Description = "l2 (Adam, default) or decoupled (AdamW)." };
    private readonly Option<OptimizerKind?> _optimizer =
        new("--optimizer") { Description = "adam (default), or muon for the maps inside blocks and decoders with Adam for the rest." };
    private readonly Option<double?> _muonSize = Bounded.OptionalNonNegative("--muon-size",
        "Root mean square of muon's updates over the learning rate (0.2; about adam's).", "SIZE");
    private readonly Option<double?> _clip =
        Bounded.OptionalNonNegative("--clip", "Largest norm of the gradient (1; published none).", "NORM");
    private readonly Option<StepWeighting?> _weighting =
        new("--weighting") { Description = "Weight of diffusion steps: none (default), minsnr (gamma 5) or p2 (gamma 1)." };
    private readonly Option<double?> _amplitude = Bounded.OptionalNonNegative("--spectral-amplitude",
        "Weight of the amplitude spectrum's error of the predicted clean signal (0).", "W");
    private readonly Option<double?> _phase =
        Bounded.OptionalNonNegative("--spectral-phase", "Weight of the phase spectrum's error (0).", "W");
    private readonly Option<double?> _peakL1 = Bounded.OptionalNonNegative("--peak-l1",
        "Weight of the absolute error of the predicted clean signal, peaks counting more (0).", "W");
    private readonly Option<double?> _drop =
        Bounded.OptionalNonNegative("--condition-drop", "Chance that a window loses some of its further conditions (0).", "P");
    private readonly Option<double?> _corruption = Bounded.OptionalNonNegative("--condition-corruption",
        "Chance that one further condition of a window is noise, another subject's, a straight line or badly damaged (0).", "P");
    private readonly Option<UncertaintyKind?> _uncertainty = new("--uncertainty") { Description =
        "Learns log-variances that weigh the losses: task, one a task; output, one a kind of task, output and tenth of the diffusion "
        + "steps (none)." };
    private readonly Option<double?> _uncertaintyBeta = Bounded.OptionalNonNegative("--uncertainty-beta",
        "Of the beta-NLL, 0 to 1: how far log-variances leave the weights of losses as they are (0).", "BETA");
    private readonly Option<double?> _layerRates = new("--layer-rates") { Description =
        "Learning rates by layer: power of a layer's gradient norm over its weights', -1 to 1, measured over the first 50 updates; "
        + "adam only (0: one rate).", HelpName = "POWER" };
    private readonly Option<double?> _gateL1 = Bounded.OptionalNonNegative("--gate-l1", "L1 on the weights of the gates (0).", "W");
    private readonly Option<TaskWeight[]> _weights = Parsed.Many<TaskWeight>("--weight",
        "How often a task comes with --preset mixed, e.g. 'ppg->ecg=4' or translate=2 (1); may be given several times.", "TASK=W");
    private readonly Option<CardioTask[]> _tasks =
        Parsed.Many<CardioTask>("--task", "Only these tasks, e.g. 'ppg->ecg'; may be given several times.", "TASK");
    private readonly Option<int?> _validateEvery =
        Bounded.OptionalNumber("--validate-every", "Updates between two held-out checks (2000).", 1, int.MaxValue);
    private readonly Option<int?> _validateWindows = Bounded.OptionalNumber("--validate-windows", "Held-out windows a task (12).", 1, 4096);

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_steps, _batch, _seed, _dataSeed, _data, _distil, _calls, _pairs, _pairDraws,
            _scored, _dataShare, _rate, _schedule, _cooldown, _warmup, _initialization, _dropout, _ema, _optimizer, _muonSize, _decay,
            _decayKind, _clip, _weighting, _amplitude, _phase, _peakL1, _drop, _corruption, _uncertainty, _uncertaintyBeta,
            _layerRates, _gateL1, _weights, _tasks, _validateEvery, _validateWindows])
            command.Add(option);
    }

    /// <summary>How many samples a teacher is to draw where the file of them is not there, and how many of a window.</summary>
    public (int Count, int Draws) Pairs(ParseResult parsed) =>
        (parsed.GetValue(_pairs) ?? 20_000, parsed.GetValue(_pairDraws) ?? 4);

    /// <summary>What was given, over what it starts from.</summary>
    public TrainingOptions Read(ParseResult parsed, TrainingOptions basis)
    {
        string? folder = parsed.GetValue(_data) is string given ? Path.GetFullPath(given) : basis.RecordingFolder;
        StepWeighting weighting = parsed.GetValue(_weighting) ?? basis.Objective.Weighting;
        CardioTask[] tasks = parsed.GetValue(_tasks) ?? [];
        TaskWeight[] weights = parsed.GetValue(_weights) ?? [];
        bool reweighted = weighting != basis.Objective.Weighting;
        string? pairs = parsed.GetValue(_distil) is string told ? Path.GetFullPath(told) : basis.PairFile;
        LearningRateShape shape = parsed.GetValue(_schedule) ?? basis.LearningRate.Shape;
        int scored = parsed.GetValue(_scored) ?? basis.Objective.ScoredDraws;
        Needs(parsed, pairs is not null || scored > 0, "--distil or --score-draws", _calls);
        Needs(parsed, pairs is not null, "--distil", _pairs, _pairDraws);
        Needs(parsed, folder is not null, "--data", _dataShare);
        Needs(parsed, shape == LearningRateShape.Trapezoid, "--schedule trapezoid", _cooldown);
        return basis with
        {
            PairFile = pairs,
            StudentCalls = parsed.GetValue(_calls) ?? basis.StudentCalls,
            Steps = parsed.GetValue(_steps) ?? basis.Steps,
            Batch = parsed.GetValue(_batch) ?? basis.Batch,
            Seed = parsed.GetValue(_seed) ?? basis.Seed,
            DataSeed = parsed.GetValue(_dataSeed) ?? basis.DataSeed,
            RecordingFolder = folder,
            RecordingShare = folder is null ? 0
                : parsed.GetValue(_dataShare) ?? (basis.RecordingFolder is null ? DefaultShare : basis.RecordingShare),
            Initialization = parsed.GetValue(_initialization) ?? (basis.Network.Positions == PositionKind.Slot ? basis.Initialization
                : InitializationKind.Published),
            Dropout = parsed.GetValue(_dropout) ?? basis.Dropout,
            EmaDecay = parsed.GetValue(_ema) ?? basis.EmaDecay,
            LearningRate = basis.LearningRate with
            {
                Peak = parsed.GetValue(_rate) ?? basis.LearningRate.Peak,
                Shape = shape,
                Cooldown = parsed.GetValue(_cooldown) ?? basis.LearningRate.Cooldown,
                WarmupSteps = parsed.GetValue(_warmup) ?? basis.LearningRate.WarmupSteps,
            },
            Adam = basis.Adam with
            {
                WeightDecay = parsed.GetValue(_decay) ?? basis.Adam.WeightDecay,
                Decay = parsed.GetValue(_decayKind) ?? basis.Adam.Decay,
                ClipNorm = parsed.GetValue(_clip) ?? basis.Adam.ClipNorm,
            },
            Muon = ReadMuon(parsed, basis.Muon),
            Uncertainty = ReadUncertainty(parsed, basis.Uncertainty),
            LayerRates = parsed.GetValue(_layerRates) is double power
                ? power == 0 ? null : (basis.LayerRates ?? new LayerRateOptions()) with { Power = power } : basis.LayerRates,
            GateL1 = parsed.GetValue(_gateL1) ?? basis.GateL1,
            ConditionCorruption = parsed.GetValue(_corruption) ?? basis.ConditionCorruption,
            Objective = basis.Objective with
            {
                Weighting = weighting,
                Distils = pairs is not null,
                ScoredDraws = scored,
                SpectralAmplitude = parsed.GetValue(_amplitude) ?? basis.Objective.SpectralAmplitude,
                SpectralPhase = parsed.GetValue(_phase) ?? basis.Objective.SpectralPhase,
                PeakL1 = parsed.GetValue(_peakL1) ?? basis.Objective.PeakL1,
                WeightingGamma = !reweighted ? basis.Objective.WeightingGamma : weighting == StepWeighting.P2 ? 1 : 5,
            },
            Curriculum = basis.Curriculum with
            {
                ConditionDrop = parsed.GetValue(_drop) ?? basis.Curriculum.ConditionDrop,
                Weights = weights.Length == 0 ? basis.Curriculum.Weights : [.. weights.Select(w => w.ToString())],
                Tasks = tasks.Length == 0 ? basis.Curriculum.Tasks : [.. tasks.Select(t => t.ToString())],
            },
            Validation = basis.Validation with
            {
                Every = parsed.GetValue(_validateEvery) ?? basis.Validation.Every,
                Windows = parsed.GetValue(_validateWindows) ?? basis.Validation.Windows,
            },
        };
    }

    /// <summary>What nothing would take is refused, not passed over.</summary>
    private static void Needs(ParseResult parsed, bool given, string what, params ReadOnlySpan<Option> options)
    {
        foreach (Option option in options)
        {
            if (!given && parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name} is for {what}");
        }
    }

    private UncertaintyOptions? ReadUncertainty(ParseResult parsed, UncertaintyOptions? basis)
    {
        double? beta = parsed.GetValue(_uncertaintyBeta);
        UncertaintyOptions? of = parsed.GetValue(_uncertainty) is UncertaintyKind kind
            ? (basis ?? new UncertaintyOptions()) with { Of = kind } : basis;
        Needs(parsed, of is not null, "--uncertainty", _uncertaintyBeta);
        return of is not null && beta is double given ? of with { Beta = given } : of;
    }

    private MuonOptions? ReadMuon(ParseResult parsed, MuonOptions? basis)
    {
        OptimizerKind kind = parsed.GetValue(_optimizer) ?? (basis is null ? OptimizerKind.Adam : OptimizerKind.Muon);
        double? size = parsed.GetValue(_muonSize);
        Needs(parsed, kind == OptimizerKind.Muon, "--optimizer muon", _muonSize);
        if (kind == OptimizerKind.Adam)
            return null;
        MuonOptions muon = basis ?? new MuonOptions();
        return size is double given ? muon with { Size = given } : muon;
    }
}

/// <summary>What moves the linear maps.</summary>
internal enum OptimizerKind
{
    Adam,
    Muon,
}
