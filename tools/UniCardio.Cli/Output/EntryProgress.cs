using UniCardio.Golden;

namespace UniCardio.Cli.Output;

/// <summary>Shows golden entries as a share of all.</summary>
internal sealed class EntryProgress(IProgress<(double Share, string What)> bar) : IProgress<GoldenProgress>
{
    public void Report(GoldenProgress value) => bar.Report((value.Done / (double)Math.Max(1, value.Total), value.Entry));
}
