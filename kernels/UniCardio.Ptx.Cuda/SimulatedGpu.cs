namespace UniCardio.Ptx.Cuda;

/// <summary>What the simulated device says of itself.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Major">Compute capability before the point.</param>
/// <param name="Minor">Compute capability after the point.</param>
/// <param name="Multiprocessors">Multiprocessors.</param>
internal sealed record SimulatedGpu(string Name, int Major, int Minor, int Multiprocessors)
{
    /// <summary>An H100 in size; the name says that it is simulated.</summary>
    public static SimulatedGpu H100 { get; } = new("simulated H100", 9, 0, 132);

    /// <summary>Registers of a multiprocessor, of which one group may take all.</summary>
    public int Registers { get; init; } = 65536;

    /// <summary>How the simulator executes.</summary>
    public PtxDeviceOptions Options { get; init; } = new();

    // Numbers of CUdevice_attribute; what is not named is 0, which is "no" or "none" in all of them.
    internal int Attribute(int attribute) => attribute switch
    {
        1 => Options.GroupThreads,
        2 or 3 => Options.GroupThreads,
        4 => 64,
        5 => int.MaxValue,
        6 or 7 => 65535,
        8 or 97 => Options.SharedBytes,
        9 => 65536,
        10 => 32,
        11 => int.MaxValue,
        12 or 82 => Registers,
        13 => 1_755_000,
        14 => 512,
        15 or 19 or 31 or 41 => 1,
        16 => Multiprocessors,
        36 => 2_619_000,
        37 => 5120,
        38 => 50 << 20,
        39 => 2048,
        40 => 3,
        75 => Major,
        76 => Minor,
        81 => 228 << 10,
        106 => 32,
        _ => 0,
    };
}
