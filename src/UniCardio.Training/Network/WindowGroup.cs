using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Kernels;

namespace UniCardio.Training.Network;

/// <summary>One slot of a window on the group's rows.</summary>
/// <param name="Window">Index in the batch.</param>
/// <param name="Place">Index in the group.</param>
/// <param name="Slot">0 to 3.</param>
/// <param name="Row">First row.</param>
internal readonly record struct SlotRows(int Window, int Place, int Slot, int Row);

/// <summary>
/// Windows that pass through the network together, and where their live tokens stand: all condition rows first, then all target rows,
/// so that what only targets need (skips, the last block) is one range.
/// </summary>
internal sealed class WindowGroup
{
    /// <summary>Lays out some windows of a batch.</summary>
    public WindowGroup(ModelConfiguration m, TrainingBatch batch, IReadOnlyList<int> windows)
    {
        int tokens = m.SlotTokens, row = 0, targets = windows.Sum(w => batch.Tasks[w].Conditions.Count()) * tokens;
        TargetRow = targets;
        Rows = targets + (windows.Count * tokens);
        var slots = new List<SlotRows>();
        Windows = new WindowRows[windows.Count];
        for (int i = 0; i < windows.Count; i++)
        {
            CardioTask task = batch.Tasks[windows[i]];
            int first = row;
            foreach (Modality condition in task.Conditions.Members())
            {
                slots.Add(new SlotRows(windows[i], i, (int)condition, row));
                row += tokens;
            }

            Windows[i] = new WindowRows(windows[i], first, row - first, targets + (i * tokens), tokens);
        }

        for (int i = 0; i < windows.Count; i++)
            slots.Add(new SlotRows(windows[i], i, (int)batch.Tasks[windows[i]].Target, targets + (i * tokens)));
        Slots = [.. slots];
    }

    /// <summary>The windows' rows.</summary>
    public WindowRows[] Windows { get; }

    /// <summary>Every live slot, rows ascending.</summary>
    public SlotRows[] Slots { get; }

    /// <summary>First target row.</summary>
    public int TargetRow { get; }

    /// <summary>All rows.</summary>
    public int Rows { get; }
}
