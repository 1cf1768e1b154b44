using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;

namespace UniCardio.Streaming;

/// <summary>
/// How much computing a window gets: speed against quality. Hops of different sessions run as one batch only where this is equal.
/// </summary>
public sealed record LiveSampling
{
    /// <summary>Most draws of a window in a live session.</summary>
    public const int MaxDraws = 256;

    /// <summary>Draws N a window, 1 to <see cref="MaxDraws"/>. There is a band from 2 on; 5% and 95% mean little below some 20.</summary>
    public int Draws { get; init; } = 8;

    /// <summary>The sampler: <c>ddim:6</c> unless told otherwise, six network calls a draw.</summary>
    public SamplerOptions Sampler { get; init; } = SamplerOptions.Default;

    /// <summary>What the windows of a task compute: denoising is an estimate, which has neither draws nor sampler.</summary>
    internal WindowShape ShapeOf(CardioTask task) => task.Kind == TaskKind.Denoise ? WindowShape.Estimate(task)
        : new WindowShape(task, Draws, Sampler);

    /// <summary>The shapes that a session with these channels and targets can ask for.</summary>
    internal IEnumerable<WindowShape> Reachable(ModalitySet channels, ModalitySet generated, ModalitySet denoised) => CardioTask.All
        .Where(t => (t.Kind == TaskKind.Denoise ? denoised : generated).Contains(t.Output) && (t.Conditions & ~channels) == 0)
        .Select(ShapeOf);

    /// <summary>Checks every setting.</summary>
    /// <returns>These settings.</returns>
    /// <exception cref="ConfigurationException">A setting is out of range; it is named.</exception>
    public LiveSampling Validate()
    {
        if (Draws is < 1 or > MaxDraws)
            throw new ConfigurationException("draws", $"{Draws} is not between 1 and {MaxDraws}");
        if (Sampler is null)
            throw new ConfigurationException("sampler", "no sampler given");
        Sampler.Validate();
        return this;
    }
}
