namespace UniCardio.Cli.Bench;

/// <summary>Times of the calls in milliseconds.</summary>
internal sealed record CallTimes(double P50, double P90, double P99, double Max)
{
    /// <summary>Quantiles, linear between order statistics.</summary>
    public static CallTimes Of(double[] milliseconds)
    {
        double[] sorted = [.. milliseconds.Order()];
        double At(double share)
        {
            double at = share * (sorted.Length - 1);
            int below = (int)at;
            return sorted[below] + ((at - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]));
        }

        return new CallTimes(At(0.5), At(0.9), At(0.99), sorted[^1]);
    }
}

/// <summary>What was measured of one configuration; the fields of <c>bench --json</c>.</summary>
internal sealed record BenchResult
{
    /// <summary>What the configuration shows.</summary>
    public required string Name { get; init; }

    public required string Weights { get; init; }

    public required string Task { get; init; }

    public required string Sampler { get; init; }

    public required int Windows { get; init; }

    public required int Draws { get; init; }

    public required int Threads { get; init; }

    /// <summary>The instruction set that ran.</summary>
    public required string Isa { get; init; }

    /// <summary><c>target</c>, or <c>target+condition</c> where every call computes the condition rows too.</summary>
    public required string Rows { get; init; }

    /// <summary>Calls timed.</summary>
    public required int Calls { get; init; }

    public required CallTimes Ms { get; init; }

    /// <summary>Median call over windows times draws.</summary>
    public required double MsPerDraw { get; init; }

    /// <summary>GFLOP of a call: twice the live multiply-adds.</summary>
    public required double GflopPerCall { get; init; }

    /// <summary>GFLOP/s of the median call.</summary>
    public required double Gflops { get; init; }

    /// <summary>Multiply-add peak of the same threads and instructions, the larger of before and after the calls.</summary>
    public required double FmaPeakGflops { get; init; }

    public required double FractionOfPeak { get; init; }

    /// <summary>Multiply-add peak of the same threads with AVX2; null where the machine has none.</summary>
    public double? Avx2PeakGflops { get; init; }

    /// <summary>The same with AVX-512.</summary>
    public double? Avx512PeakGflops { get; init; }

    /// <summary>Memory bandwidth of the same threads.</summary>
    public required double BandwidthGbs { get; init; }

    /// <summary>Managed heap allocated a call.</summary>
    public required double BytesPerCall { get; init; }

    /// <summary>Working memory beyond the packed weights.</summary>
    public required long ArenaBytes { get; init; }

    /// <summary>Packed weights with their tables.</summary>
    public required long PackedBytes { get; init; }

    /// <summary>Share of the peak while in linear maps, as profiled.</summary>
    public double? LinearFractionOfPeak { get; init; }

    /// <summary>Share of the peak while in attention, as profiled.</summary>
    public double? AttentionFractionOfPeak { get; init; }

    /// <summary>Blocks of keys that the lazy softmax repeated in the online form, a block of queries, as profiled.</summary>
    public double? SoftmaxRepeats { get; init; }

    /// <summary>Share of the step that is not in the network's kernels: sampler, noise, barriers, hand-over.</summary>
    public double? BeyondKernels { get; init; }

    /// <summary>Loading a safetensors file of these weights, packing it and the first call.</summary>
    public double? LoadMs { get; init; }

    /// <summary>The same in median calls.</summary>
    public double? LoadCalls { get; init; }
}
