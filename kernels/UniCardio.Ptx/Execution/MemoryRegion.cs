namespace UniCardio.Ptx.Execution;

// One allocation of the device: addresses from Start on, kept at Host.
internal sealed unsafe class MemoryRegion(ulong start, ulong length, byte* host, bool isOwned)
{
    public readonly ulong Start = start;
    public readonly ulong Length = length;
    public readonly byte* Host = host;
    public readonly bool IsOwned = isOwned;

    /// <summary>What has been written and by whom; only on a device that checks.</summary>
    public Shadow? Shadow;

    public bool Holds(ulong address, ulong bytes) => address - Start < Length && bytes <= Length - (address - Start);
}
