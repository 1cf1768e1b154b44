using System.Diagnostics;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Training.Curricula;
using UniCardio.Training.Data;
using UniCardio.Training.Network;
using UniCardio.Training.Objectives;
using UniCardio.Training.Optimization;
using UniCardio.Training.Randomness;

namespace UniCardio.Training.Runs;

/// <summary>A training run in a folder: continues from its last checkpoint to the same bits that it would have reached without a
/// stop.</summary>
/// <remarks>The same bits mean: on the same instruction set of the network. Not safe for use from several threads.</remarks>
public sealed class TrainingRun : IDisposable
{
    // How often the curve is drawn and the machine's peak, which neighbours change, measured anew.
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan PauseLook = TimeSpan.FromMilliseconds(200);

    private readonly RunFolder _folder;
    private RunRecord _record;
    private readonly RunSettings _settings;
    private readonly IGradientNetwork _network;
    private readonly IExampleSource _training;
    private readonly Curriculum _curriculum;
    private readonly DiffusionObjective _objective;
    private readonly ValidationSet _validation;
    private readonly Adam _adam;
    private readonly Muon? _muon;
    private readonly SecondCall? _second;
    private readonly LearnedUncertainty? _uncertainty;
    private readonly LayerRates? _layerRates;
    private readonly GateShrinkage? _gates;
    private readonly AveragedParameters _averaged;
    private readonly DivergenceWatch _watch = new();
    private readonly StepWork _work;
    private readonly WindowLoss _loss;
    private readonly double[] _losses;
    private readonly IDisposable _lock;
    private readonly RunLog _log;
    private readonly ValidationLog _checks;
    private readonly double _secondsBefore;
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly long _firstUpdate;
    private TimeSpan _paused;
    private TrainingBatch? _batch;
    private long _updates;
    private long _checkedAt;

    /// <summary>Begins a run, or takes one up where its last checkpoint is.</summary>
    /// <param name="folder">The run's folder; made if it is not there.</param>
    /// <param name="options">The options; those of run.json if there is one.</param>
    /// <param name="network">A network of these options' configuration. The caller disposes it.</param>
    /// <param name="training">Examples to learn from.</param>
    /// <param name="validation">Examples that training never sees; another identity than <paramref name="training"/>'s.</param>
    /// <param name="settings">How to carry it out.</param>
    /// <param name="start">Weights to start from and what to call them; the initialisation of the options if null.</param>
    /// <exception cref="RunFolderException">The folder holds another run or is in use.</exception>
    /// <exception cref="Weights.WeightFormatException">The checkpoints cannot be read.</exception>
    /// <exception cref="ConfigurationException">An option is out of range or does not fit the network or the examples.</exception>
    public TrainingRun(RunFolder folder, TrainingOptions options, IGradientNetwork network, IExampleSource training,
        IExampleSource validation, RunSettings settings, StartWeights? start = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(validation);
        ArgumentNullException.ThrowIfNull(settings);
        options.Validate();
        CheckFit(options, network, training, validation);
        (_folder, _network, _training, _settings) = (folder, network, training, settings);
        _record = new RunRecord(options, training.Identity, validation.Identity,
            start?.Name ?? $"initialisation {options.Initialization.ToString().ToLowerInvariant()}", RunRecord.CurrentCode);
        _curriculum = new Curriculum(options.Curriculum, options.Steps, options.Seed);
        _objective = new DiffusionObjective(options.Network, options.Objective);
        _second = options.Objective.ScoredDraws > 0 && options.StudentCalls == 2 ? new SecondCall(options.Network) : null;
        // Other noise than training's: keyed by the complement of the seed.
        _validation = new ValidationSet(options.Network, _curriculum.Tasks, validation, options.Validation.Windows, ~options.Seed,
            options.Objective, _second);
        _muon = options.Muon is MuonOptions muon ? new Muon(network.Layout, muon, network.InstructionSet, network.Threads) : null;
        _adam = new Adam(network.Layout, options.Adam, _muon);
        _uncertainty = options.Uncertainty is { } learned ? new LearnedUncertainty(learned, options.Network, options.Batch) : null;
        _layerRates = options.LayerRates is { } layered ? new LayerRates(network.Layout, layered) : null;
        _gates = options.GateL1 > 0 ? new GateShrinkage(network.Layout, options.GateL1) : null;
        _work = new StepWork(options.Network);
        _losses = new double[options.Batch];
        _loss = Loss;
        _lock = folder.Lock();
        try
        {
            TrainingState state = TakeUp(start);
            _averaged = new AveragedParameters(state.Averaged.Span, options.EmaDecay);
            Restore(state);
            (_firstUpdate, _secondsBefore) = (state.Updates, state.Seconds);
            _log = new RunLog(folder.LogFile, options, state);
            _checks = new ValidationLog(folder.ValidationFile, state.CheckedAt);
        }
        catch
        {
            _checks?.Dispose();
            _log?.Dispose();
            _lock.Dispose();
            _muon?.Dispose();
            throw;
        }
    }

    /// <summary>Updates done.</summary>
    public long Updates => _updates;

    /// <summary>What run.json says.</summary>
    public RunRecord Record => _record;

    /// <summary>[N] the averaged weights, which are what a run makes.</summary>
    public ReadOnlySpan<float> Averaged => _averaged.Values.Span;

    private TrainingOptions Options => _record.Options;

    // The loss is told as it is without log-variances, so that curves of runs can be compared.
    private double Loss(int window, ReadOnlySpan<float> prediction, Span<float> gradient)
    {
        double loss = _objective.Evaluate(_batch!, window, prediction, gradient);
        _uncertainty?.Weigh(_batch!, window, loss, gradient);
        return loss;
    }

    // Pauses are no part of what a run takes.
    private double Seconds => _secondsBefore + (Stopwatch.GetElapsedTime(_started) - _paused).TotalSeconds;

    /// <summary>Trains until the last step, the end of the time or cancellation; the state is saved in each case.</summary>
    /// <param name="progress">Told after every update; called on this thread.</param>
    /// <param name="cancellation">Asked between updates.</param>
    /// <exception cref="TrainingDivergedException">The loss or gradient went astray; the last checkpoint is kept.</exception>
    /// <exception cref="IOException">A file of the run cannot be written.</exception>
    public RunOutcome Run(IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var feed = new BatchFeed(Options, _curriculum, _objective, _training, _updates);
        double peak = MeasurePeak(double.NaN);
        long saved = Stopwatch.GetTimestamp(), looked = saved;
        try
        {
            while (true)
            {
                CheckIfDue(progress, cancellation);
                if (_updates == Options.Steps)
                    return Finish(RunOutcome.Completed);
                if (_settings.StopAfter is TimeSpan limit && Stopwatch.GetElapsedTime(_started) >= limit)
                    return Finish(RunOutcome.TimeUp);
                if (Stopwatch.GetElapsedTime(saved) >= _settings.CheckpointEvery)
                {
                    Save();
                    saved = Stopwatch.GetTimestamp();
                }

                if (Stopwatch.GetElapsedTime(looked) >= LookEvery)
                {
                    RunCurve.Write(_folder, _record);
                    peak = MeasurePeak(peak);
                    looked = Stopwatch.GetTimestamp();
                }

                cancellation.ThrowIfCancellationRequested();
                if (PauseIfAsked(progress, cancellation))
                {
                    saved = Stopwatch.GetTimestamp();
                    continue;
                }

                Update(feed, peak, progress, cancellation);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return Finish(RunOutcome.Cancelled);
        }
    }

    // Waits while somebody wants the machine for something else; whether there was a pause.
    private bool PauseIfAsked(IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        bool Asked() => File.Exists(_folder.PauseFile) || _settings.IsPaused?.Invoke() == true;
        if (!Asked())
            return false;
        Save();
        long begun = Stopwatch.GetTimestamp();
        void Tell(string news) => progress?.Report(
            Progress(_curriculum.Phase(_updates), Options.LearningRate.At(Math.Min(_updates, Options.Steps - 1), Options.Steps), news));
        Tell($"paused; the state is saved. It continues when '{_folder.PauseFile}' is gone and no signal holds it");
        while (Asked())
        {
            if (_settings.StopAfter is TimeSpan limit && Stopwatch.GetElapsedTime(_started) >= limit)
                break;
            cancellation.WaitHandle.WaitOne(PauseLook);
            cancellation.ThrowIfCancellationRequested();
        }

        _paused += Stopwatch.GetElapsedTime(begun);
        Tell("continues");
        return true;
    }

    /// <summary>Closes the files; what was done since the last checkpoint is not saved.</summary>
    public void Dispose()
    {
        _checks.Dispose();
        _log.Dispose();
        _lock.Dispose();
        _muon?.Dispose();
    }

    private static void CheckFit(TrainingOptions options, IGradientNetwork network, IExampleSource training, IExampleSource validation)
    {
        if (network.Configuration != options.Network)
            throw new ConfigurationException("network", "the network has another configuration than the options");
        foreach (IExampleSource source in (IExampleSource[])[training, validation])
        {
            if (source.SlotSamples != options.Network.SlotSamples)
                throw new ConfigurationException(
                    "data", $"windows of {source.SlotSamples} samples, the network has slots of {options.Network.SlotSamples}");
        }

        if (training.Identity == validation.Identity)
            throw new ConfigurationException("data", "training and held-out examples are the same");
    }

    // The state to continue from: the newest checkpoint's, else a fresh one, which is saved so that a later start finds it.
    private TrainingState TakeUp(StartWeights? start)
    {
        _folder.Clean();
        if (_folder.HasRun)
        {
            RunRecord there = _folder.ReadRecord();
            TrainingState? state = _folder.ReadState(_network.Layout.Length, there);
            _record = Agree(there, state);
            if (state is not null)
                return state;
        }

        float[] fresh = new float[_network.Layout.Length];
        if (start is null)
            InitialWeights.Fill(_network.Layout, Options.Initialization, Options.Seed, fresh);
        else
            _network.Layout.ReadAs(start.Weights, fresh);
        if (Options.Network.Prediction == PredictionKind.Correction && start?.Weights.Configuration.Prediction != PredictionKind.Correction)
            InitialWeights.BecomeCorrection(_network.Layout, fresh, start?.Weights.Configuration.Prediction,
                new NoiseSchedule(Options.Network));
        if (!_folder.HasRun)
            _folder.WriteRecord(_record);
        return new TrainingState { Parameters = fresh, Averaged = fresh, Moment1 = new float[fresh.Length],
            Moment2 = new float[fresh.Length], RecentLosses = ReadOnlyMemory<float>.Empty };
    }

    // The record to continue with: the folder's own, or ours as its amendment.
    private RunRecord Agree(RunRecord there, TrainingState? state)
    {
        // What the run started from is past once there is a state.
        RunRecord wanted = state is null ? _record : _record with { Start = there.Start };
        IReadOnlyList<string> changes = there.Differences(wanted);
        if (changes.Count == 0)
            return there;
        if (!_settings.AmendsRun)
            throw new RunFolderException(
                _folder.Path,
                $"holds another run ({string.Join("; ", changes)}); use another folder, leave options out to continue with its own, "
                + $"or amend it");
        wanted = wanted with { Amendments = [.. there.Amendments, new RunAmendment(state?.Updates ?? 0, changes, there.Identity)] };
        _folder.WriteRecord(wanted);
        return wanted;
    }

    private void Restore(TrainingState state)
    {
        state.Parameters.Span.CopyTo(_network.Parameters);
        _network.ParametersChanged();
        state.Moment1.CopyTo(_adam.Moment1);
        state.Moment2.CopyTo(_adam.Moment2);
        _adam.Updates = _updates = state.Updates;
        TakeUp(state.Uncertainty, _uncertainty?.State ?? default);
        TakeUp(state.Sensitivity, _layerRates?.State ?? default);
        _checkedAt = state.CheckedAt;
        _watch.Restore(state.RecentLosses.Span);
    }

    // An option that an amendment began starts afresh, and so does a table of other cells.
    private static void TakeUp(ReadOnlyMemory<float> kept, Memory<float> state)
    {
        if (kept.Length == state.Length)
            kept.CopyTo(state);
    }

    private void Update(BatchFeed feed, double peak, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        long begun = Stopwatch.GetTimestamp();
        TrainingBatch batch = _batch = feed.Take(cancellation);
        _second?.Prepare(batch, _network);
        ulong masks = new KeyedRandom(Options.Seed, RandomUse.Dropout, 0, _updates).NextBits();
        _network.Accumulate(batch, _loss, masks, _losses);
        double loss = _losses.Sum(), rate = Options.LearningRate.At(_updates, Options.Steps);
        if (_watch.Include(loss) is string fault)
            throw new TrainingDivergedException(_updates, fault);
        double norm = _adam.Update(_network.Parameters, _network.Gradients, rate, _layerRates);
        if (!double.IsFinite(norm))
            throw new TrainingDivergedException(_updates, $"the norm of the gradient is {norm}");
        _muon?.Update(_network.Parameters, _network.Gradients, _adam.Moment1.Span, _adam.ClipScale(norm), rate, _network.Share);
        _uncertainty?.Update(_updates + 1, rate / Options.LearningRate.Peak);
        _gates?.Apply(_network.Parameters, rate);
        _network.ParametersChanged();
        int phase = _curriculum.Phase(_updates);
        _updates++;
        _averaged.Include(_network.Parameters, _updates);
        double gflop = _work.Gflop(batch);
        feed.Return(batch);
        _log.Include(new(_updates, phase, loss, rate, norm), gflop, Stopwatch.GetElapsedTime(begun), peak, Seconds);
        progress?.Report(Progress(phase, rate, null));
    }

    private TrainingProgress Progress(int phase, double rate, string? news)
    {
        long done = _updates - _firstUpdate;
        TimeSpan? remaining = done < Options.LogEvery ? null
            : (Stopwatch.GetElapsedTime(_started) - _paused) / done * (Options.Steps - _updates);
        return new TrainingProgress
        {
            Updates = _updates, Steps = Options.Steps, Phase = phase, Loss = _log.Loss, LearningRate = rate,
            ExamplesPerSecond = _log.ExamplesPerSecond, PeakShare = _log.PeakShare, Remaining = remaining, Event = news,
        };
    }

    private void CheckIfDue(IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        if (_checkedAt == _updates || !(Options.Validation.IsDue(_updates) || _updates == Options.Steps))
            return;
        int phase = _curriculum.Phase(_updates);
        float[] raw = _network.Parameters.ToArray();
        IReadOnlyList<TaskValidation> averaged, own = [];
        try
        {
            if (Options.Validation.ChecksRaw)
                own = _validation.Evaluate(_network, cancellation);
            _averaged.Values.Span.CopyTo(_network.Parameters);
            _network.ParametersChanged();
            averaged = _validation.Evaluate(_network, cancellation);
        }
        finally
        {
            raw.CopyTo(_network.Parameters);
            _network.ParametersChanged();
        }

        _checks.Append(_updates, phase, "averaged", averaged);
        _checks.Append(_updates, phase, "raw", own);
        _checkedAt = _updates;
        progress?.Report(
            Progress(phase, Options.LearningRate.At(Math.Min(_updates, Options.Steps - 1), Options.Steps),
                ValidationLog.Summary(averaged, Options.Network.Prediction == PredictionKind.Correction)));
    }

    // The best so far: a measurement that other processes disturb is too low, never too high.
    private double MeasurePeak(double before) => _settings.MeasurePeak is Func<double> measure
        ? Math.Max(measure(), double.IsNaN(before) ? 0 : before) : double.NaN;

    private RunOutcome Finish(RunOutcome outcome)
    {
        Save();
        RunCurve.Write(_folder, _record);
        return outcome;
    }

    private void Save()
    {
        _log.FlushToDisk();
        _checks.FlushToDisk();
        Checkpoint.Write(_folder.CheckpointFile, _folder.PreviousFile, new TrainingState
        {
            Updates = _updates,
            CheckedAt = _checkedAt,
            Parameters = _network.Parameters.ToArray(),
            Averaged = _averaged.Values,
            Moment1 = _adam.Moment1,
            Moment2 = _adam.Moment2,
            Uncertainty = _uncertainty?.State ?? default,
            Sensitivity = _layerRates?.State ?? default,
            RecentLosses = _watch.Losses,
            LossSum = _log.LossSum,
            NormSum = _log.NormSum,
            Seconds = Seconds,
        }, _record.Identity);
    }
}
