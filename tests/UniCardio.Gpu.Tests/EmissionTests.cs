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
