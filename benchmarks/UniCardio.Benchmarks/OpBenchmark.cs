using BenchmarkDotNet.Attributes;
using UniCardio.OpCases;

namespace UniCardio.Benchmarks;

/// <summary>Every op of the list at the network's sizes, beside its twin in double.</summary>
public class OpBenchmark : KernelBenchmark
{
    public static IEnumerable<string> Ops { get; } =
        [.. OpList.All.SelectMany(op => op.TimedSizes.Select(n => $"{op.Name} {UniCardio.OpCases.Op.Text(n)}"))];

    [ParamsSource(nameof(Ops))]
    public string Op { get; set; } = Ops.First();

    public override string Case => Op;

    // What is not made of multiply-adds has no share of their peak.
    public override double Flop => Row is Linear or LinearByPanels or HeadAttention or WindowAttention ? Row.Work(Size).Flops : 0;

    private UniCardio.OpCases.Op Row => OpList.Named(Op.Split(' ')[0]);

    private int[] Size => Row.TimedSizes.Single(n => Op == $"{Row.Name} {UniCardio.OpCases.Op.Text(n)}");

    internal override (Action Kernel, Action Naive) Make<S, V>()
    {
        int[] n = Size;
        float[][] x = Row.Values(n);
        double[][] wide = UniCardio.OpCases.Op.Doubles(x);
        UniCardio.OpCases.Op row = Row;
        return (row.Bind<S, V>(n, x).Run, () => row.Twin(n, wide));
    }
}
