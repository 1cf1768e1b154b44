using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.OpCases;

namespace UniCardio.Gpu.Tests;

/// <summary>Every kernel, by itself, against the double twin of its row in the list of op cases, at the row's sizes and bounds.</summary>
public abstract class KernelTests(TestDevice device) : DeviceTests(device)
{
    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (KernelLaunch launch in KernelLaunch.All)
            {
                foreach (int[] n in launch.Row.Sizes.Where(launch.Takes))
                    cases.Add(launch.Name, OpRow.Text(n));
            }

            return cases;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void KernelMatchesItsTwin(string kernel, string size)
    {
        KernelLaunch launch = KernelLaunch.All.Single(k => k.Name == kernel);
        int[] n = launch.Row.Sizes.Single(s => OpRow.Text(s) == size);
        Skip.If(launch.OnTensorCores && !TestDevices.HasTensorCores, "tensor cores are CUDA's");
        Skip.If(TestDevices.IsSlow && n[0] > 17, "too slow on ILGPU's CPU device");
        float[][] x = launch.Row.Values(n);
        string? complaint = launch.Row.Complaint(n, x, launch.Run(n, x), launch.BoundFactor);
        Assert.True(complaint is null, complaint);
    }

    // What a tile of queries may not see is made NaN: a key tile that is read all the same spoils its rows, for 0 x NaN is NaN.
    [SkippableTheory]
    [InlineData(100, 12, 0, 0)]
    [InlineData(100, 36, 8, 0)]
    [InlineData(100, 36, 33, 0)]
    [InlineData(500, 30, 8, 3)]
    [InlineData(500, 64, 8, 0)]
    [InlineData(300, 128, 4, 1)]
    public void KeyTilesOutsideTheWindowAreNotRead(int tokens, int headDim, int window, int globals)
    {
        Skip.If(TestDevices.IsSlow, "too slow on ILGPU's CPU device");
        const int Tile = AttentionKernel<HeadWidth16>.TileTokens;
        var row = new SlotAttention();
        int[] n = [tokens, headDim, window, globals];
        AttentionPattern pattern = SlotAttention.Pattern(n);
        (_, _, int heads, int firstSlot) = SlotAttention.Batch(n);
        int tiles = (tokens + Tile - 1) / Tile, hidden = 0, slot = tokens * heads * headDim, slots = SlotAttention.Slots(n);
        float[][] x = row.Values(n);
        double[] expected = row.Twin(n, OpRow.Doubles(x))[0];
        foreach (int queries in (int[])[0, tiles / 2, tiles - 1])
        {
            float[][] spoiled = [x[0], [.. x[1]], [.. x[2]]];
            for (int keys = 0; keys < tiles; keys++)
            {
                bool seen = Enumerable.Range(queries * Tile, Tile)
                    .Any(q => Enumerable.Range(keys * Tile, Tile).Any(k => q < tokens && k < tokens && pattern.Sees(q, k)));
                if (seen)
                    continue;
                hidden++;
                int first = keys * Tile * heads * headDim, length = Math.Min(slot, (keys + 1) * Tile * heads * headDim) - first;
                for (int s = 0; s < slots; s++)
                {
                    foreach (float[] part in spoiled[1..])
                        part.AsSpan((s * slot) + first, length).Fill(float.NaN);
                }
            }

            float[] actual = AttentionLaunch.Slots(n, spoiled, onTensorCores: false);
            int from = queries * Tile * heads * headDim, to = Math.Min(slot, from + (Tile * heads * headDim));
            for (int s = 0; s < slots - firstSlot; s++)
            {
                double error = RelativeError.Of(actual.AsSpan((s * slot) + from, to - from),
                    [.. expected[((s * slot) + from)..((s * slot) + to)].Select(v => (float)v)]);
                Assert.True(error <= 2e-6, $"query tile {queries} of slot {s}: relative error {error}");
            }
        }

        Assert.True(hidden > 0, "nothing was hidden");
    }
}

/// <summary>On OpenCL.</summary>
public sealed class OpenClKernelTests() : KernelTests(TestDevice.OpenCl);

/// <summary>On the simulator.</summary>
public sealed class SimulatedKernelTests() : KernelTests(TestDevice.Simulated);

/// <summary>The list of launches is whole.</summary>
public sealed class KernelLaunchTests
{
    [Fact]
    public void EveryKernelHasARow()
    {
        HashSet<string> launched = [.. KernelLaunch.All.SelectMany(k => k.Kernels)];
        Assert.Equal([], KernelCatalog.All.Concat(KernelCatalog.Tensor).Select(k => k.Name).Where(k => !launched.Contains(k)));
        Assert.Equal([], OpList.Stages.Select(s => s.Name).Except(KernelLaunch.All.Select(k => k.Row.Name)));
    }
}
