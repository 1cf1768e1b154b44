using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Measures;

namespace UniCardio.Evaluation;

/// <summary>One method's scores for the windows of a case.</summary>
/// <param name="Name">Name in tables.</param>
/// <param name="Draws">Draws that its result is made of; 0 for a baseline or an estimate.</param>
/// <param name="NetworkCalls">Network calls a window: draws times steps, 2 or 3 at most for an estimate; 0 for a baseline.</param>
/// <param name="Settings">Settings in words, or "".</param>
/// <param name="SeesBeyondWindow">Whether it looks at the recording beside the window, which the network does not see.</param>
/// <param name="Scores">A score for each of <see cref="CaseResult.Windows"/>.</param>
internal sealed record MethodScores(string Name, int Draws, int NetworkCalls, string Settings, bool SeesBeyondWindow,
    IReadOnlyList<WindowScore> Scores)
{
    /// <summary>End of the name of a denoised result with its residual's Wiener part.</summary>
    public const string WithResidual = ", residual by Wiener";

    /// <summary>Name of denoising by estimate.</summary>
    public const string Estimate = "network, estimate";

    /// <summary>Name of denoising by an estimate that takes off wander and motion.</summary>
    public const string SlowEstimate = "network, estimate without slow noise";

    /// <summary>Of a case's methods the mean of the draws, or the only draw.</summary>
    internal static MethodScores MeanOf(IReadOnlyList<MethodScores> methods) => methods.FirstOrDefault(m => m.Draws > 1) ?? methods[0];

    /// <summary>Whether the network made it.</summary>
    public bool IsNetwork => NetworkCalls > 0;
}

/// <summary>A window worth looking at.</summary>
internal sealed record WindowExample
{
    /// <summary>"best", "median" or "worst".</summary>
    public required string Rank { get; init; }

    /// <summary>The window.</summary>
    public required EvaluationWindow Window { get; init; }

    /// <summary>The score of the mean of the draws.</summary>
    public required WindowScore Score { get; init; }

    /// <summary>[S] mean of the draws in the result's unit.</summary>
    public required ReadOnlyMemory<float> Result { get; init; }

    /// <summary>[S] 5% of the draws, or empty.</summary>
    public required ReadOnlyMemory<float> Low { get; init; }

    /// <summary>[S] 95% of the draws, or empty.</summary>
    public required ReadOnlyMemory<float> High { get; init; }

    /// <summary>Name of the case's best baseline.</summary>
    public required string Baseline { get; init; }

    /// <summary>Its score.</summary>
    public required WindowScore BaselineScore { get; init; }

    /// <summary>[S] what it made.</summary>
    public required ReadOnlyMemory<float> BaselineResult { get; init; }
}

/// <summary>One task with one corruption on all recordings that have its signals.</summary>
/// <param name="Task">The task.</param>
/// <param name="Corruption">What was done to its target.</param>
/// <param name="Windows">The windows, by recording and time.</param>
/// <param name="Methods">What was tried: the network's rows first.</param>
/// <param name="Examples">The best, median and worst window by the mean of the draws.</param>
internal sealed record CaseResult(CardioTask Task, Corruption Corruption, IReadOnlyList<WindowPlace> Windows,
    IReadOnlyList<MethodScores> Methods, IReadOnlyList<WindowExample> Examples)
{
    /// <summary>The mean of the draws, or the only draw.</summary>
    public MethodScores Mean => MethodScores.MeanOf(Methods);
}

/// <summary>Where a window comes from.</summary>
/// <param name="Recording">The recording.</param>
/// <param name="StartSeconds">Its start in it.</param>
internal sealed record WindowPlace(EvaluationRecording Recording, double StartSeconds);

/// <summary>What an evaluation found.</summary>
/// <param name="Options">What was measured.</param>
/// <param name="Windows">The windows of each recording.</param>
/// <param name="Cases">Tasks with corruptions; those without a recording are left out.</param>
/// <param name="NetworkCalls">Network calls in all.</param>
/// <param name="NetworkTime">Time in the network.</param>
/// <param name="TotalTime">Time in all.</param>
internal sealed record EvaluationResult(
    EvaluationOptions Options,
    IReadOnlyList<(EvaluationRecording Recording, WindowSelection Selection)> Windows,
    IReadOnlyList<CaseResult> Cases,
    long NetworkCalls,
    TimeSpan NetworkTime,
    TimeSpan TotalTime);

/// <summary>How far an evaluation is.</summary>
/// <param name="Share">0 to 1.</param>
/// <param name="Case">What is at hand, such as "denoise ecg, 10 dB".</param>
/// <param name="CasesDone">Cases that are complete.</param>
/// <param name="CasesTotal">Cases in all.</param>
internal readonly record struct EvaluationProgress(double Share, string Case, int CasesDone, int CasesTotal);
