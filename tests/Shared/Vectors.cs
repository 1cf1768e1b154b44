namespace UniCardio.Tests;

/// <summary>Vectors that tests draw and compare.</summary>
internal static class Vectors
{
    /// <summary>[count] uniform in [-1, 1].</summary>
    public static float[] Uniform(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((2 * random.NextDouble()) - 1))];
    }

    /// <summary>The largest difference is within a share of the largest magnitude expected; nothing is NaN or infinite.</summary>
    public static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance, string what = "result")
    {
        Assert.Equal(expected.Length, actual.Length);
        double difference = 0, largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(float.IsFinite(actual[i]), $"{what}: element {i} is {actual[i]}");
            difference = Math.Max(difference, Math.Abs((double)expected[i] - actual[i]));
            largest = Math.Max(largest, Math.Abs(expected[i]));
        }

        Assert.True(difference <= tolerance * largest,
            $"{what} differs by {difference / largest:e2} of the largest, tolerance {tolerance:e2}");
    }
}
