using System.Reflection;

namespace UniCardio.Gpu.Tests;

/// <summary>ILGPU's own compiler takes every kernel, for every architecture that we name.</summary>
public sealed class EmissionTests
{
    // Static shared memory of a group: what every CUDA device has.
    private const int SharedLimit = 48 * 1024;

    public static TheoryData<string> Kernels => [.. KernelCatalog.All.Select(k => k.Name)];

    [Theory]
    [MemberData(nameof(Kernels))]
    public void CompilesToPtxAndOpenCl(string name)
    {
        MethodInfo kernel = KernelCatalog.All.Single(k => k.Name == name).Method;
        foreach (string architecture in KernelEmitter.Architectures)
        {
            string ptx = KernelEmitter.Emit(kernel, "ptx", architecture);
            // ILGPU names the newest target that it has features for, which is sm_80 for SM_90.
            Assert.Contains(architecture == "SM_75" ? ".target sm_75" : ".target sm_80", ptx, StringComparison.Ordinal);
            var statistics = PtxStatistics.Of(ptx);
            Assert.Equal(0, statistics.Local);
            Assert.Equal(0, statistics.LocalBytes);
            Assert.True(statistics.SharedBytes <= SharedLimit, $"{statistics.SharedBytes} bytes of shared memory");
        }

        Assert.Contains("kernel void", KernelEmitter.Emit(kernel, "opencl", ""), StringComparison.Ordinal);
    }

    // The widest group of every kernel; a strip's is as many threads as columns and rows make, of every width that the layout takes.
    [Fact]
    public void EveryGroupHasItsRegisters()
    {
        int strips = 0;
        for (int quads = 1; Strip.RowsPerThread * (quads + ((6 - (quads % 4)) % 4)) <= Strip.Capacity; quads++)
        {
            int columns = Math.Max(4, quads), rows = Math.Min(Strip.MaxRows / Strip.RowsPerThread, Strip.MaxThreads / columns);
            Assert.True(rows >= 1, $"{4 * quads} channels have groups of {columns} threads");
            strips = Math.Max(strips, columns * rows);
        }

        foreach ((string name, MethodInfo method) in KernelCatalog.All.Concat(KernelCatalog.Tensor))
        {
            Ptx.Code.PtxKernel kernel = Assert.Single(Ptx.Text.PtxModule.Parse(KernelEmitter.Emit(method, "ptx", "SM_90")).Kernels);
            int threads = name switch
            {
                nameof(TensorAttentionKernel) => TensorAttentionKernel.Threads,
                nameof(TensorGateRowsKernel) or nameof(TensorOutputRowsKernel) => TensorRows.Threads,
                nameof(TensorFeedForwardKernel) or nameof(TensorDecoderKernel) => TensorFeedForwardKernel.Threads,
                _ when name.StartsWith("Tensor", StringComparison.Ordinal) => TensorTile.Threads,
                _ when name.StartsWith("Encoder", StringComparison.Ordinal) => Convolution.MaxThreads,
                _ when name.StartsWith("Attention", StringComparison.Ordinal) && name != nameof(AttentionOutKernel) => 64,
                nameof(NoiseKernel) or nameof(RowProductKernel) => 64,
                nameof(RowNormKernel) => RowNormKernel.WindowThreads,
                nameof(RowMeanKernel) => RowMeanKernel.Threads,
                _ => strips,
            };
            // A scheduler has a quarter of 65,536 and a quarter of the warps; registers are given out by 8.
            int warps = ((threads / 32) + 3) / 4, most = Math.Min(255, 65536 / 4 / warps / 32 / 8 * 8);
            int estimate = Ptx.Profiling.LaunchTime.EstimatedRegisters(kernel);
            Assert.True(estimate <= most, $"{name}: {estimate} registers of {most} that a group of {threads} has");
        }
    }

    [Fact]
    public void TensorKernelsCompileForSm80AndLater()
    {
        Assert.All(KernelCatalog.Tensor, kernel =>
        {
            foreach (string architecture in (string[])["SM_80", "SM_90"])
            {
                string ptx = KernelEmitter.Emit(kernel.Method, "ptx", architecture);
                // Sums in named registers: an operand of an emitted text would pass through local memory.
                Assert.Equal(0, PtxStatistics.Of(ptx).LocalBytes);
                Assert.Contains($".entry Kernel_{kernel.Method.Name}", ptx, StringComparison.Ordinal);
                Ptx.Code.PtxKernel parsed = Assert.Single(Ptx.Text.PtxModule.Parse(ptx).Kernels);
                // Three groups of 128 threads a multiprocessor.
                Assert.True(parsed.LiveRegisters <= 168 && parsed.SharedBytes <= SharedLimit,
                    $"{parsed.LiveRegisters} registers, {parsed.SharedBytes} bytes");
            }
        });
    }
}
