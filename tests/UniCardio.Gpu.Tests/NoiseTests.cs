using UniCardio.Engine.Sampling;

namespace UniCardio.Gpu.Tests;

/// <summary>The kernels' random words against the engine's, on the host; the normals made of them are a row of the op cases.</summary>
public sealed class NoiseTests
{
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
}
