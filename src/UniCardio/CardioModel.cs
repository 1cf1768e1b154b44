using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;
using UniCardio.Streaming;
using UniCardio.Weights;

namespace UniCardio;

/// <summary>How a call restores.</summary>
public sealed record CardioCallOptions
{
    /// <summary>Draws a sample's median and band come from, 1 to 4,096; more cost proportionally more time.</summary>
    public int Draws { get; init; } = 8;

    /// <summary>Key of the noise: equal seeds give equal bits.</summary>
    public ulong Seed { get; init; }

    /// <summary>The sampler; null for the default.</summary>
    public SamplerOptions? Sampler { get; init; }
}

/// <summary>
/// The network with its weights: array in, array out. Safe to use from several threads. Research software, not a medical device.
/// </summary>
/// <remarks>
/// <code>
/// using CardioModel model = CardioModel.Load();
/// var signals = new CardioSignals(125) { Ppg = ppg, BloodPressure = bp };      // NaN where the pressure is missing
/// CardioResult result = model.Impute(signals, Modality.Bp);
/// Console.WriteLine($"{result.Generated} samples generated. {CardioResult.Remark}");
/// </code>
/// <para>For recordings with several rates, units and files, use <see cref="Restorer"/> on <see cref="Engine"/>; for live signals
/// <see cref="OpenSession"/>.</para>
/// </remarks>
public sealed class CardioModel : IDisposable
{
    private readonly LoadedWeights _loaded;
    private readonly Lazy<StreamingHost> _host;

    private CardioModel(LoadedWeights loaded, EngineOptions? options)
    {
        _loaded = loaded;
        try
        {
            Engine = new InferenceEngine(loaded.Weights, options);
        }
        catch
        {
            loaded.Dispose();
            throw;
        }

        _host = new Lazy<StreamingHost>(() => new StreamingHost(Engine));
    }

    /// <summary>The engine, for everything that this class has no short form for.</summary>
    public InferenceEngine Engine { get; }

    /// <summary>What the weights say of themselves; to be shown beside results. Untrained weights say that they make noise.</summary>
    public string Description => _loaded.IsUntrained ? "untrained weights: their output is noise, not a signal" : _loaded.Description
        ?? "weights of unknown training";

    /// <summary>Whether the weights were never trained: their output is noise.</summary>
    public bool IsUntrained => _loaded.IsUntrained;

    /// <summary>What the weights are called: their file's name, or the recipe.</summary>
    public string Source => Path.GetFileName(_loaded.Source);

    /// <summary>Loads the weights that this package ships.</summary>
    /// <param name="options">Threads, backend, instruction set; the CPU with all its cores if null.</param>
    /// <exception cref="UniCardio.Engine.ConfigurationException">An option does not fit this machine.</exception>
    public static CardioModel Load(EngineOptions? options = null)
    {
        using Stream resource = typeof(CardioModel).Assembly.GetManifestResourceStream("compact.safetensors")!;
        return Load(resource, "compact.safetensors", options);
    }

    /// <summary>Loads weights from a file, or untrained ones from a recipe text.</summary>
    /// <param name="pathOrRecipe">A safetensors file or torch checkpoint, or <c>recipe:SEED</c>.</param>
    /// <param name="options">Threads, backend, instruction set; the CPU with all its cores if null.</param>
    /// <exception cref="UniCardio.Engine.UniCardioException">The file cannot be read, its tensors make no network, or an option does not
    /// fit.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static CardioModel Load(string pathOrRecipe, EngineOptions? options = null) => new(WeightFile.Load(pathOrRecipe), options);

    /// <summary>Loads weights from a stream, which is read to its end.</summary>
    /// <param name="weights">A safetensors file or torch checkpoint.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="options">Threads, backend, instruction set; the CPU with all its cores if null.</param>
    /// <exception cref="UniCardio.Engine.UniCardioException">The content cannot be read, its tensors make no network, or an option does not
    /// fit.</exception>
    public static CardioModel Load(Stream weights, string name, EngineOptions? options = null) =>
        new(WeightFile.Load(weights, name), options);

    /// <summary>Fills the gaps of one signal from what is measured of it and from the other signals given. Changes no measured
    /// sample.</summary>
    /// <param name="signals">The signals; at least 4 s.</param>
    /// <param name="target">Which signal has the gaps.</param>
    /// <param name="options">Draws, seed, sampler.</param>
    /// <param name="cancellation">Looked at before every sampler step.</param>
    /// <exception cref="ArgumentException">The target is not given, or arrays differ in length.</exception>
    /// <exception cref="RestorationException">A gap can be filled from nothing, or a signal cannot be worked with.</exception>
    /// <exception cref="SignalException">A rate cannot be brought to the network's, or a signal has no measured sample.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public CardioResult Impute(CardioSignals signals, Modality target, CardioCallOptions? options = null,
        CancellationToken cancellation = default) =>
        Run(signals, CardioTask.Impute(target, Others(signals, target, isGiven: true)), options, cancellation);

    /// <summary>Takes broadband noise off one signal, with the help of the others given. Leaves gaps as they are.</summary>
    /// <inheritdoc cref="Impute"/>
    public CardioResult Denoise(CardioSignals signals, Modality target, CardioCallOptions? options = null,
        CancellationToken cancellation = default) =>
        Run(signals, CardioTask.Denoise(target, Others(signals, target, isGiven: true)), options, cancellation);

    /// <summary>Makes one signal from the others given. A made PPG or ECG has no amplitude of its own; take no pressure from a made
    /// pressure.</summary>
    /// <inheritdoc cref="Impute"/>
    public CardioResult Translate(CardioSignals signals, Modality target, CardioCallOptions? options = null,
        CancellationToken cancellation = default) =>
        Run(signals, CardioTask.Translate(Others(signals, target, isGiven: false), target), options, cancellation);

    /// <summary>The beats of one signal: R peaks, or onsets of pulses. None where no rhythm is proved; the reason says why.</summary>
    /// <param name="signals">The signals.</param>
    /// <param name="of">Which one.</param>
    /// <exception cref="ArgumentException">It is not given.</exception>
    public static BeatSeries Beats(CardioSignals signals, Modality of) => BeatSeries.Of(Require(signals, of).Channel(of));

    /// <summary>How far one signal can be relied on, by simple signs; shares of its samples.</summary>
    /// <inheritdoc cref="Beats"/>
    public static CardioQuality Quality(CardioSignals signals, Modality of)
    {
        Channel channel = Require(signals, of).Channel(of);
        ReadOnlySpan<float> samples = channel.Samples.Span;
        int missing = 0;
        foreach (float x in samples)
            missing += float.IsNaN(x) ? 1 : 0;
        double flat = SignalQuality.FindFlatRuns(samples, Math.Max(2, (int)Math.Round(channel.SampleRate)))
            .Sum(r => (double)r.Range.Length);
        double clipped = SignalQuality.FindClippedRuns(samples).Sum(r => (double)r.Range.Length);
        BeatSeries beats = BeatSeries.Of(channel);
        double length = samples.Length;
        return new CardioQuality(missing / length, flat / length, clipped / length, beats.Quality, beats.RateBpm, beats.Reason);
    }

    /// <summary><see cref="Impute"/>, <see cref="Denoise"/> or <see cref="Translate"/> on the thread pool.</summary>
    /// <param name="signals">The signals.</param>
    /// <param name="task">What to do; its conditions must be given.</param>
    /// <param name="options">Draws, seed, sampler.</param>
    /// <param name="cancellation">Looked at before every sampler step.</param>
    /// <inheritdoc cref="Impute" path="/exception"/>
    public Task<CardioResult> RunAsync(CardioSignals signals, CardioTask task, CardioCallOptions? options = null,
        CancellationToken cancellation = default) =>
        Task.Run(() => Run(signals, task, options, cancellation), cancellation);

    /// <summary>Opens a live session of one patient; sessions of one model share its engine.</summary>
    /// <param name="options">Which signals come, which are generated.</param>
    /// <param name="handler">Told every frame; null to read them by <see cref="StreamingSession.ReadAllAsync"/>.</param>
    /// <exception cref="UniCardio.Engine.ConfigurationException">An option is out of range.</exception>
    public StreamingSession OpenSession(StreamingSessionOptions options, FrameHandler? handler = null) =>
        _host.Value.Open(options, handler);

    /// <summary>Ends the live sessions and releases engine and weights.</summary>
    public void Dispose()
    {
        if (_host.IsValueCreated)
            _host.Value.Dispose();
        Engine.Dispose();
        _loaded.Dispose();
    }

    private static CardioSignals Require(CardioSignals signals, Modality of)
    {
        ArgumentNullException.ThrowIfNull(signals);
        return signals.Present.Contains(of) ? signals : throw new ArgumentException($"{of.Name()} is not given", nameof(of));
    }

    private static ModalitySet Others(CardioSignals signals, Modality target, bool isGiven)
    {
        ArgumentNullException.ThrowIfNull(signals);
        ModalitySet present = signals.Present;
        if (isGiven && !present.Contains(target))
            throw new ArgumentException($"{target.Name()} is not given; to make it from the other signals, translate", nameof(target));
        ModalitySet others = present & ~target.ToSet();
        return isGiven || others != ModalitySet.None ? others
            : throw new ArgumentException($"nothing is given that {target.Name()} could be made from", nameof(signals));
    }

    /// <summary>Runs any task.</summary>
    /// <inheritdoc cref="RunAsync"/>
    public CardioResult Run(CardioSignals signals, CardioTask task, CardioCallOptions? options = null,
        CancellationToken cancellation = default)
    {
        options ??= new CardioCallOptions();
        var restorer = new Restorer(
            Engine, new RestorationOptions { Task = task, Draws = options.Draws, Seed = options.Seed,
                Sampler = options.Sampler ?? SamplerOptions.Default });
        RestorationResult result = restorer.Run(signals.ToRecording(), cancellation: cancellation);
        return new CardioResult(result.Channel.Samples, result.Band?.Low ?? default, result.Band?.High ?? default, result.Provenance,
            [.. result.Warnings.Select(w => w.Message)]);
    }
}
