using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Sessions;

/// <summary>What a session runs. Checked when the session is made.</summary>
public sealed record SessionOptions
{
    /// <summary>Windows W of a run.</summary>
    public int Windows { get; init; } = 1;

    /// <summary>Draws N a window; all run as one batch and share the window's condition rows.</summary>
    public int Draws { get; init; } = 1;

    /// <summary>The sampler.</summary>
    public SamplerOptions Sampler { get; init; } = SamplerOptions.Default;

    /// <summary>Key of the noise; equal seeds, windows and draws give equal results.</summary>
    public ulong Seed { get; init; }
}
