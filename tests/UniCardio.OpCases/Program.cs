using System.Globalization;
using UniCardio.Engine.Backends.Cpu;

namespace UniCardio.OpCases;

/// <summary>The list as a program, for machines that no test host is at hand for (<c>tools/arm64-check</c>): every op at every size on
/// every instruction set that the machine has, against its twin.</summary>
internal static class Program
{
    /// <returns>0; 1 where an element is beyond its bound or a kernel wrote past its buffers.</returns>
    public static int Main()
    {
        int failed = 0;
        foreach (CpuInstructionSet set in CpuInstructionSets.Supported)
        {
            int cases = 0;
            double worst = 0;
            string at = "";
            foreach ((Op op, int[] n) in OpList.All.SelectMany(op => op.Sizes.Select(n => (op, n))))
            {
                double share = Share(op, set, n);
                cases++;
                failed += share <= 1 ? 0 : 1;
                if (!(share <= worst))
                    (worst, at) = (share, $"{op.Name} {Op.Text(n)}");
            }

            Console.WriteLine($"{CpuInstructionSets.Name(set)}: {OpList.All.Count} ops, {cases} cases; largest share of an error bound "
                + $"{worst.ToString("0.00", CultureInfo.InvariantCulture)} in {at}");
        }

        return failed == 0 ? 0 : 1;
    }

    // The largest error over its bound; infinite where the kernel wrote past its buffers or gave what is no number.
    private static double Share(Op op, CpuInstructionSet set, int[] n)
    {
        float[][] x = op.Values(n);
        double[][] wide = Op.Doubles(x), expected = op.Twin(n, wide);
        using OpCall call = OpList.Bind(op, set, n, x);
        call.Run();
        float[][] actual = call.Results();
        double share = call.Memory.IsWhole ? 0 : double.PositiveInfinity;
        for (int output = 0; output < expected.Length; output++)
        {
            for (int i = 0; i < expected[output].Length; i++)
            {
                double error = Math.Abs(actual[output][i] - expected[output][i]);
                if (error == 0)
                    continue;
                double part = error / op.Bound(n, wide, expected, output, i);
                share = Math.Max(share, part >= 0 ? part : double.PositiveInfinity);
            }
        }

        return share;
    }
}
