using System.Text.Json;
using System.Text.Json.Serialization;

namespace UniCardio.Training.Pretraining;

/// <summary>What a run of a masked encoder does; its result is a function of these alone.</summary>
internal sealed record MaskedTrainingOptions
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Converters = { new JsonStringEnumConverter() } };

    /// <summary>Sizes and arm.</summary>
    public required MaskedConfiguration Network { get; init; }

    /// <summary>Updates.</summary>
    public int Steps { get; init; } = 2000;

    /// <summary>Windows a step; a multiple of <see cref="WindowsPerSubject"/>.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Windows that one subject gives to a batch.</summary>
    public int WindowsPerSubject { get; init; } = 4;

    /// <summary>Learning rate after 5% of warm-up; a cosine down to a hundredth follows.</summary>
    public double Rate { get; init; } = 3e-3;

    /// <summary>Decoupled weight decay of matrices.</summary>
    public double Decay { get; init; } = 0.05;

    /// <summary>Whether momentum is made orthogonal for the maps inside the layers (Muon); else all is AdamW's.</summary>
    public bool Muon { get; init; } = true;

    /// <summary>How often signals are dropped (arms C and D).</summary>
    public double DropRate { get; init; } = 0.5;

    /// <summary>Share of the patches that are masked.</summary>
    public double Masked { get; init; } = 0.5;

    /// <summary>Temperature of the contrast (arm E).</summary>
    public double Temperature { get; init; } = 0.1;

    /// <summary>Equal seeds give equal weights and windows.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Updates between checkpoints.</summary>
    public int CheckpointEvery { get; init; } = 100;

    /// <summary>Updates between rows of the log.</summary>
    public int LogEvery { get; init; } = 20;

    /// <summary>As text; two runs with equal texts are one run.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, s_json);
}
