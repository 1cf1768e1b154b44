using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Sampling;

namespace UniCardio.Gpu.Tests;

/// <summary>The kernels' noise against the engine's.</summary>
public abstract class NoiseTests(TestDevice device) : DeviceTests(device)
{
    // The engine's steps fuse multiplication and addition, the kernels' need not: a few roundings of values up to 6.7.
    private const float Tolerance = 2e-6f;

    [Fact]
    public void WordsAreTheEngines()
    {
        var random = new Random(4);
        for (int i = 0; i < 1000; i++)
        {
            uint Next() => (uint)random.NextInt64(1L << 32);
            (uint c0, uint c1, uint c2, uint c3, uint k0, uint k1) = (Next(), Next(), Next(), Next(), Next(), Next());
            Words words = PhiloxNoise.Block(c0, c1, c2, c3, k0, k1);
            Assert.Equal(Philox4x32.Block((c0, c1, c2, c3), ((ulong)k1 << 32) | k0), (words.W0, words.W1, words.W2, words.W3));
        }
    }

    [SkippableTheory]
    [InlineData(0ul, 0u, 0u)]
    [InlineData(0xFEDCBA9876543210ul, 4_000_000_000u, 50u)]
    public void NormalsAreTheEnginesWithinRounding(ulong seed, uint window, uint step)
    {
        const int Samples = 77, Draws = 3;
        using DeviceLease lease = TestDevices.Open();
        Accelerator accelerator = lease.Device.Accelerator;
        using MemoryBuffer1D<int, Stride1D.Dense> keys = accelerator.Allocate1D<int>(2 * 3);
        using MemoryBuffer1D<float, Stride1D.Dense> state = accelerator.Allocate1D<float>(2 * Draws * Samples);
        // Each window has a seed of its own.
        ulong other = ~seed;
        ((ArrayView<int>)keys.View)
            .CopyFromCPU([(int)window, (int)(uint)seed, (int)(uint)(seed >> 32), 3, (int)(uint)other, (int)(uint)(other >> 32)]);
        var values = new StepValues { FirstDraw = 4, NoiseIndex = (int)step, Draws = Draws };
        lease.Device.Kernels.Noise(accelerator.DefaultStream, new KernelConfig(((int)state.Length + 31) / 32, 32), values, Samples,
            keys.View, state.View);
        float[] actual = new float[state.Length], expected = new float[Samples];
        ((ArrayView<float>)state.View).CopyToCPU(actual);
        for (int draw = 0; draw < 2 * Draws; draw++)
        {
            PhiloxNormal.Fill(draw < Draws ? seed : other, draw < Draws ? window : 3, (uint)(4 + (draw % Draws)), step, expected);
            for (int i = 0; i < Samples; i++)
                Assert.True(Math.Abs(expected[i] - actual[(draw * Samples) + i]) <= Tolerance,
                    $"sample {i} of draw {draw}: {actual[(draw * Samples) + i]}, expected {expected[i]}");
        }
    }
}

/// <summary>On OpenCL.</summary>
public sealed class OpenClNoiseTests() : NoiseTests(TestDevice.OpenCl);

/// <summary>On the simulator.</summary>
public sealed class SimulatedNoiseTests() : NoiseTests(TestDevice.Simulated);
