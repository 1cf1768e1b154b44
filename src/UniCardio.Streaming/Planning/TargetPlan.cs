using UniCardio.Engine.Model;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Planning;

/// <summary>What is to become of one modality in one hop.</summary>
/// <param name="Task">The task to run, invalid if none.</param>
/// <param name="Scale">From the network's units to the output's.</param>
/// <param name="IsNormalized">Whether the output has no unit.</param>
/// <param name="Reason">Why absent samples stay absent if no task runs.</param>
internal readonly record struct TargetPlan(CardioTask Task, AffineScale Scale, bool IsNormalized, NoSignalReason Reason)
{
    /// <summary>Whether there is something to compute.</summary>
    public bool IsWanted => Task.IsValid;
}
