using UniCardio.Serving.Inference;

namespace UniCardio.Serving.Tests;

/// <summary>Bytes of a body: what was written stays while they grow, below and beyond the size from which they are mapped.</summary>
public class GrowingBytesTests
{
    [Theory]
    [InlineData(1, 2)]
    [InlineData(1000, 200_000)]
    [InlineData(131_071, 131_072)]
    [InlineData(131_072, 131_073)]
    [InlineData(200_000, 70_000_001)]
    public unsafe void WhatIsThereStays(int first, int second)
    {
        using var bytes = new GrowingBytes();
        bytes.GrowTo((nuint)first);
        for (int i = 0; i < first; i++)
            bytes.Pointer[i] = (byte)(i * 7);
        bytes.GrowTo((nuint)second);
        Assert.Equal((nuint)second, bytes.Capacity);
        for (int i = 0; i < first; i++)
            Assert.Equal((byte)(i * 7), bytes.Pointer[i]);
        // All of it can be written.
        new Span<byte>(bytes.Pointer, second).Fill(1);
        bytes.GrowTo((nuint)first);
        Assert.Equal((nuint)second, bytes.Capacity);
        bytes.Dispose();
        Assert.Equal((nuint)0, bytes.Capacity);
        bytes.GrowTo(16);
        bytes.Pointer[15] = 1;
    }
}
