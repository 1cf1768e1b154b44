using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Pipeline.Patient;
using UniCardio.Signals;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Windows;

namespace UniCardio.Restoration;

/// <summary>Windows that run the same task, in order of time.</summary>
/// <param name="Task">The task asked for, or what is left of it where signals are missing.</param>
/// <param name="Windows">Numbers of the windows.</param>
internal sealed record TaskWindows(CardioTask Task, IReadOnlyList<int> Windows);

/// <summary>Which windows are computed, and which task each of them runs.</summary>
internal sealed class WindowSchedule
{
    private WindowSchedule(WindowCover cover, IReadOnlyList<TaskWindows> groups)
    {
        Cover = cover;
        Groups = groups;
        Computed = groups.Sum(g => g.Windows.Count);
    }

    /// <summary>Windows and their weights.</summary>
    public WindowCover Cover { get; }

    /// <summary>The windows to compute, by task.</summary>
    public IReadOnlyList<TaskWindows> Groups { get; }

    /// <summary>Number of windows to compute.</summary>
    public int Computed { get; }

    public static WindowSchedule Create(PreparedRecording prepared, RestorationOptions options, int windowSamples)
    {
        // Beside other estimators the network takes the gaps that a window holds enough around.
        int longest = !options.UsesPatient ? int.MaxValue : options.Estimator == EstimatorChoice.Auto
            ? GapNetwork.MaxLengthOf(windowSamples) : 0;
        double rate = NetworkSignal.Rate;
        if (prepared.Length < windowSamples)
            throw new RecordingShorterThanWindowException(prepared.Reference.Name, prepared.Reference.DurationSeconds,
                windowSamples / rate);
        int overlap = Math.Min(windowSamples - 1, (int)Math.Round(options.Overlap * windowSamples));
        var cover = new WindowCover(prepared.Length, windowSamples, overlap);
        CardioTask task = options.Task;
        Dictionary<Modality, int[]> counts = task.Conditions.Members().ToDictionary(m => m, m => Running(prepared.Signal(m)));
        int[] needed = task.Kind == TaskKind.Impute ? RunningNeeds(prepared, longest) : [];
        if (task.Kind == TaskKind.Impute)
        {
            CheckScale(prepared, task, counts);
            CheckLongGaps(prepared, task, cover, counts, needed);
        }

        var groups = new List<(CardioTask Task, List<int> Windows)>();
        var without = new SortedDictionary<Modality, List<int>>();
        for (int window = 0; window < cover.Count; window++)
        {
            SampleRange range = cover[window];
            if (task.Kind == TaskKind.Impute && Within(needed, range) == 0)
                continue;
            ModalitySet there = Measured(counts, range);
            foreach (Modality missing in (task.Conditions & ~there).Members())
            {
                if (!without.TryGetValue(missing, out List<int>? list))
                    without.Add(missing, list = []);
                list.Add(window);
            }
            if (Reduce(task, there) is not { } reduced)
                continue;
            int at = groups.FindIndex(g => g.Task == reduced);
            if (at < 0)
            {
                at = groups.Count;
                groups.Add((reduced, []));
            }
            groups[at].Windows.Add(window);
        }

        Warn(prepared, task, cover, without);
        return new WindowSchedule(cover, [.. groups.Select(g => new TaskWindows(g.Task, g.Windows))]);
    }

    /// <summary>What is left of a task where only <paramref name="there"/> is measured; null where nothing can be done.</summary>
    internal static CardioTask? Reduce(CardioTask task, ModalitySet there)
    {
        ModalitySet conditions = task.Conditions & there;
        ModalitySet others = conditions & ~task.Output.ToSet();
        return task.Kind switch
        {
            TaskKind.Translate => conditions == ModalitySet.None ? null : CardioTask.Translate(conditions, task.Output),
            TaskKind.Denoise => conditions.Contains(task.Output) ? CardioTask.Denoise(task.Output, others) : null,
            _ when conditions.Contains(task.Output) => CardioTask.Impute(task.Output, others),
            _ => others == ModalitySet.None ? null : CardioTask.Translate(others, task.Output),
        };
    }

    private static ModalitySet Measured(Dictionary<Modality, int[]> counts, SampleRange range)
    {
        ModalitySet set = ModalitySet.None;
        foreach ((Modality modality, int[] running) in counts)
            set |= Within(running, range) > 0 ? modality.ToSet() : ModalitySet.None;
        return set;
    }

    // Without any measured sample there is no scale to fill in at, nor a pressure's level: no other signal tells them.
    private static void CheckScale(PreparedRecording prepared, CardioTask task, Dictionary<Modality, int[]> counts)
    {
        ModalitySet others = task.Conditions & ~task.Output.ToSet();
        if (counts[task.Output][^1] > 0 || others == ModalitySet.None)
            return;
        string lacks = task.Output == Modality.Bp ? "level to fill it in at" : "scale to fill it in",
            how = task.Output == Modality.Bp ? ", calibrated where a level is needed" : "";
        throw new RestorationException(
            $"channel '{prepared.Reference.Name}' has no measured sample, so there is no {lacks}; translate it instead "
            + $"('{CardioTask.Translate(others, task.Output)}'{how})");
    }

    private static void CheckLongGaps(PreparedRecording prepared, CardioTask task, WindowCover cover, Dictionary<Modality, int[]> counts,
        int[] needed)
    {
        ModalitySet others = task.Conditions & ~task.Output.ToSet();
        double rate = NetworkSignal.Rate, window = cover.WindowLength / rate;
        foreach (SampleRange gap in GapFinder.Find(prepared.Signal(task.Output)))
        {
            if (gap.Length < cover.WindowLength || Within(needed, gap) == 0)
                continue;
            int first = cover.WindowsAt(gap.Start).First;
            (int from, int count) = cover.WindowsAt(gap.End - 1);
            for (int w = first; w < from + count; w++)
            {
                if ((Measured(counts, cover[w]) & others) != ModalitySet.None)
                    continue;
                string reason = others == ModalitySet.None
                    ? "no other signal was given to fill it from"
                    : string.Create(CultureInfo.InvariantCulture,
                        $"neither {string.Join(" nor ", others.Members().Select(m => $"'{prepared.Channel(m).Name}'"))} is measured from "
                        + $"{cover[w].Start / rate:0.###} s to {cover[w].End / rate:0.###} s");
                throw new GapTooLongException(prepared.Reference.Name, gap.Start / rate, gap.End / rate, window, reason);
            }
        }
    }

    private static void Warn(PreparedRecording prepared, CardioTask task, WindowCover cover, SortedDictionary<Modality, List<int>> without)
    {
        double rate = NetworkSignal.Rate;
        foreach ((Modality modality, List<int> windows) in without)
        {
            string name = prepared.Channel(modality).Name;
            string what = modality != task.Output ? "they ran without it"
                : task.Kind != TaskKind.Impute ? "they were left as they are"
                : task.Output == Modality.Bp ? "there it was translated from the other signals, and its level is the network's guess"
                : "there it was translated from the other signals";
            if (task.Conditions.Count() == 1)
                what = "they were left missing";
            prepared.Warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"Channel '{name}' has no measured sample in {windows.Count} of {cover.Count} windows, the first from "
                + $"{cover[windows[0]].Start / rate:0.0} s; {what}."), name));
        }
    }

    // needed[i + 1] - needed[i] is 1 where the 125 Hz sample i has a say in a sample of the channel's own rate that is missing.
    private static int[] RunningNeeds(PreparedRecording prepared, int longest)
    {
        var needs = new bool[prepared.Length];
        double ratio = NetworkSignal.Rate / prepared.Reference.SampleRate;
        bool same = prepared.Reference.SampleRate == NetworkSignal.Rate;
        foreach (SampleRange gap in GapFinder.Find(prepared.Bridged))
        {
            if (gap.Length * ratio > longest)
                continue;
            // One more on either side: instants of uncommon rates are rounded when resampled.
            int from = same ? gap.Start : (int)Math.Floor(gap.Start * ratio) - 1;
            int to = same ? gap.End : (int)Math.Ceiling((gap.End - 1) * ratio) + 2;
            from = Math.Max(0, from);
            needs.AsSpan(from, Math.Min(prepared.Length, to) - from).Fill(true);
        }

        var running = new int[needs.Length + 1];
        for (int i = 0; i < needs.Length; i++)
            running[i + 1] = running[i] + (needs[i] ? 1 : 0);
        return running;
    }

    private static int[] Running(ReadOnlySpan<float> signal)
    {
        var running = new int[signal.Length + 1];
        for (int i = 0; i < signal.Length; i++)
            running[i + 1] = running[i] + (float.IsNaN(signal[i]) ? 0 : 1);
        return running;
    }

    private static int Within(int[] running, SampleRange range) => running[range.End] - running[range.Start];
}
