using System.Globalization;
using System.Diagnostics;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Pipeline.Patient;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration;

/// <summary>The main job: a recording goes in, the recording with one signal imputed, denoised or translated comes out.</summary>
/// <remarks>
/// <code>
/// using CardioModel model = CardioModel.Load();                              // or an InferenceEngine of your own
/// Recording recording = RecordingFile.Read("icu.csv", new RecordingReadOptions { SampleRate = 125 });
/// var restorer = new Restorer(model.Engine, new RestorationOptions { Task = CardioTask.Parse("impute bp | ppg", null), Draws = 20 });
/// RestorationResult result = restorer.Run(recording);
/// foreach (SignalWarning warning in result.Warnings)
///     Console.Error.WriteLine(warning);
/// Console.Error.WriteLine($"{result.GeneratedCount} samples generated. {RestorationResult.Remark}");
/// RecordingFile.Write("icu-filled.csv", result.Recording);
/// </code>
/// <para>
/// Each signal is resampled to 125 Hz on the time axis of the restored channel (of the longest condition in translation) and cut into
/// overlapping windows, which run in batches; results are crossfaded and brought back to the channel's own rate and unit. Scaling is one
/// affine map a window and signal: BP (mmHg - 100) / 50, PPG and ECG by what is measured in the window.
/// </para>
/// <list type="bullet">
/// <item>Imputation computes only windows that hold a gap and changes no measured sample.</item>
/// <item>Denoising replaces every measured sample and leaves gaps as they are: impute first to have them filled. A channel faster than
/// 125 Hz loses what lies above 50 Hz.</item>
/// <item>What is translated is in normalised units at its longest condition's rate, a pressure too: no other signal tells its level. With
/// <see cref="RestorationOptions.Calibration"/> it is in its own unit.</item>
/// <item>A missing sample of a condition is -1 in scaled units, as in training. A condition without any measured sample in a window is
/// left out there: the window runs the task without it. An imputation target that has none there is translated from the other
/// conditions and takes the scale of the nearest measured samples. A window with nothing to work from is left missing in translation and
/// refused in imputation.</item>
/// </list>
/// <para>
/// Memory does not grow with draws times windows: three signals at 125 Hz are accumulated beside the recording and one batch. Safe to use
/// from several threads; each run has sessions of its own. Research software, not a medical device.
/// </para>
/// </remarks>
public sealed class Restorer
{
    private const double MinSeconds = 8;

    private readonly InferenceEngine _engine;
    private readonly RestorationOptions _options;

    /// <summary>Creates a restorer.</summary>
    /// <param name="engine">The network; must outlive the runs.</param>
    /// <param name="options">What to do.</param>
    /// <exception cref="ConfigurationException">An option is out of range or does not fit the network; it is named.</exception>
    public Restorer(InferenceEngine engine, RestorationOptions options)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(options);
        _engine = engine;
        // By its true name from here on: results say how they were drawn.
        _options = options.Validate() with { Sampler = options.Sampler.For(engine.Configuration) };
        new WindowShape(options.Task, options.Draws, options.Sampler).Validate(engine.Configuration);
    }

    // A patient of whom next to nothing is measured has no own beat yet.
    private RestorationOptions Effective(PreparedRecording prepared)
    {
        if (!_options.UsesPatient)
            return _options;
        double seconds = GapFinder.CountMeasured(prepared.Signal(_options.Task.Output)) / NetworkSignal.Rate;
        if (seconds >= MinSeconds)
            return _options;
        prepared.Warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
            $"Channel '{prepared.Reference.Name}' is measured for {seconds:0.0} s only; an own beat needs {MinSeconds} s, so the "
            + $"network alone fills its gaps."), prepared.Reference.Name));
        return _options with { Estimator = EstimatorChoice.Network };
    }

    /// <summary>What is done.</summary>
    public RestorationOptions Options => _options;

    /// <summary>Restores one recording.</summary>
    /// <param name="recording">The recording; it is not changed.</param>
    /// <param name="channels">Which channel is which signal; null for all by kind.</param>
    /// <param name="progress">Told after every sampler step.</param>
    /// <param name="cancellation">Looked at before every sampler step.</param>
    /// <exception cref="ChannelNotFoundException">A signal that the task needs is not there.</exception>
    /// <exception cref="ConfigurationException">One channel was chosen for two signals.</exception>
    /// <exception cref="RecordingShorterThanWindowException">The recording is shorter than a window.</exception>
    /// <exception cref="GapTooLongException">A gap can be filled from nothing.</exception>
    /// <exception cref="RestorationException">A channel cannot be worked with, or the network went out of range on it.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public RestorationResult Run(Recording recording, ChannelSelection? channels = null, IProgress<RestorationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recording);
        long start = Stopwatch.GetTimestamp();
        PreparedRecording prepared = PreparedRecording.Create(recording, channels ?? ChannelSelection.ByKind, _options, cancellation);
        RestorationOptions options = Effective(prepared);
        if (options.Task is { Kind: TaskKind.Translate, Output: Modality.Ecg })
            prepared.Warnings.Add(new SignalWarning(SignalWarningKind.Data, RestorationResult.NotForRhythm));
        if (options.IsPaired)
        {
            RestoredSignal paired =
                CalibratedTranslation.Make(prepared, recording, channels ?? ChannelSelection.ByKind, options, cancellation);
            return ResultAssembly.Assemble(recording, prepared, null, paired, options, start, cancellation);
        }

        WindowSchedule schedule = WindowSchedule.Create(prepared, options, _engine.Configuration.SlotSamples);
        var runner = new WindowRunner(_engine, options, prepared, schedule);
        runner.Run(progress, cancellation);
        RestoredSignal made = options.Task is { Kind: TaskKind.Translate, Output: Modality.Bp } ? Level(prepared, runner.Result, options)
            : runner.Result;
        return ResultAssembly.Assemble(recording, prepared, schedule, made, options, start, cancellation);
    }

    // A translated pressure has the level that cuff readings give it, or none.
    private static RestoredSignal Level(PreparedRecording prepared, RestoredSignal made, RestorationOptions options)
    {
        if (options.Calibration is not { } calibration)
        {
            prepared.Warnings.Add(new SignalWarning(SignalWarningKind.Unit, RestorationResult.NoLevel));
            return made;
        }

        if (!TranslationLevel.ByCuff(made, calibration.Cuffs))
            throw new RestorationException("the translated pressure has no beats that a cuff reading could level");
        double last = calibration.Cuffs.Max(c => c.TimeSeconds);
        string by = calibration.Cuffs.Count == 1 ? "a cuff reading"
            : FormattableString.Invariant($"{calibration.Cuffs.Count} cuff readings");
        var report =
            new CalibrationReport(by, calibration.Cuffs.Count, last, Math.Max(0, (prepared.Length / NetworkSignal.Rate) - last), null);
        return made with { Unit = SignalUnit.MillimetresOfMercury, Calibration = report };
    }
}
