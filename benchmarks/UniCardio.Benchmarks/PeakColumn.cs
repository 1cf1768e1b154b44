using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Parameters;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace UniCardio.Benchmarks;

/// <summary>GFLOP/s reached as a share of one thread's multiply-add peak on the same instruction set, measured in the same process just
/// before and after.</summary>
internal sealed class PeakColumn : IColumn
{
    public string Id => nameof(PeakColumn);

    public string ColumnName => "% of peak";

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend =>
        "2 x multiply-adds / mean time / multiply-add peak of one thread in this process; '-' where a kernel is not multiply-adds";

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        if (summary[benchmarkCase]?.ResultStatistics is not { } statistics
            || Activator.CreateInstance(benchmarkCase.Descriptor.Type) is not KernelBenchmark benchmark)
            return "-";
        foreach (ParameterInstance parameter in benchmarkCase.Parameters.Items)
            benchmark.GetType().GetProperty(parameter.Name)!.SetValue(benchmark, parameter.Value);
        return benchmark.Flop > 0 && benchmark.MeasuredPeak is double peak
            ? (benchmark.Flop / statistics.Mean / peak).ToString("P0", CultureInfo.InvariantCulture)
            : "-";
    }
}
