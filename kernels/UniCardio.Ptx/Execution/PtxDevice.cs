using System.Runtime.InteropServices;

namespace UniCardio.Ptx.Execution;

/// <summary>A simulated device: memory, copies and launches. Launches are complete when they return.</summary>
/// <remarks>
/// Memory may be used from several threads; launches take turns. Addresses are never given out twice, so a use after
/// <see cref="Free"/> is out of bounds. A fault leaves the device usable, and what the kernel wrote until then is there.
/// </remarks>
internal sealed unsafe class PtxDevice : IDisposable
{
    private const ulong FirstAddress = 0x10_0000_0000;
    private const ulong Grain = 512;

    private readonly Lock _lock = new();
    private readonly Lock _turn = new();
    private volatile MemoryRegion[] _regions = [];
    private ulong _next = FirstAddress;
    private bool _isDisposed;

    /// <summary>A device without memory in use.</summary>
    public PtxDevice(PtxDeviceOptions? options = null)
    {
        Options = options ?? new PtxDeviceOptions();
    }

    /// <summary>How it behaves.</summary>
    public PtxDeviceOptions Options { get; }

    /// <summary>Bytes that are allocated.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Allocates memory, filled with a pattern that is a NaN as floats; 512-byte aligned.</summary>
    /// <param name="bytes">From 1 on.</param>
    /// <returns>Its address.</returns>
    /// <exception cref="PtxFaultException">The device has no room for it.</exception>
    public ulong Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (bytes > Options.MemoryBytes - AllocatedBytes)
                throw new PtxFaultException(PtxFaultKind.Resources,
                    $"no room for {bytes} bytes beside {AllocatedBytes} of {Options.MemoryBytes}");
            byte* host = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, (nuint)Grain);
            NativeMemory.Fill(host, (nuint)bytes, 0xff);
            // A gap after each, so that an overrun meets no neighbour.
            ulong address = _next;
            _next += (((ulong)bytes + Grain - 1) / Grain * Grain) + Grain;
            Add(new MemoryRegion(address, (ulong)bytes, host, isOwned: true));
            AllocatedBytes += bytes;
            return address;
        }
    }

    /// <summary>Makes memory of the host a part of the device's, at an address of the caller's choice; its content counts as
    /// written.</summary>
    /// <param name="address">Where the device sees it; must meet no other memory.</param>
    /// <param name="host">Where it is; stays the caller's, and must stay there until <see cref="Free"/>.</param>
    /// <param name="bytes">From 1 on.</param>
    public void Map(ulong address, nint host, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_regions.Any(r => address < r.Start + r.Length && r.Start < address + (ulong)bytes))
                throw new ArgumentException($"address {address:x} meets other memory", nameof(address));
            var region = new MemoryRegion(address, (ulong)bytes, (byte*)host, isOwned: false);
            Add(region);
            region.Shadow?.SetWritten(0, bytes);
        }
    }

    /// <summary>Frees an allocation, or lets go of mapped memory.</summary>
    /// <exception cref="PtxFaultException">There is none at this address.</exception>
    public void Free(ulong address)
    {
        lock (_turn)
        {
            lock (_lock)
            {
                MemoryRegion region = _regions.FirstOrDefault(r => r.Start == address)
                    ?? throw new PtxFaultException(PtxFaultKind.Bounds, $"no allocation begins at {address:x}");
                _regions = [.. _regions.Where(r => r != region)];
                Release(region);
            }
        }
    }

    /// <summary>Copies from the host.</summary>
    /// <exception cref="PtxFaultException">Outside the device's memory.</exception>
    public void Write(ulong address, ReadOnlySpan<byte> source)
    {
        if (source.Length == 0)
            return;
        lock (_turn)
        {
            MemoryRegion region = Region(address, source.Length);
            source.CopyTo(new Span<byte>(region.Host + (address - region.Start), source.Length));
            region.Shadow?.SetWritten((long)(address - region.Start), source.Length);
        }
    }

    /// <summary>Copies to the host.</summary>
    /// <exception cref="PtxFaultException">Outside the device's memory; with <see cref="PtxDeviceOptions.Sanitize"/>, of bytes that
    /// nothing has written.</exception>
    public void Read(ulong address, Span<byte> target)
    {
        if (target.Length == 0)
            return;
        lock (_turn)
        {
            MemoryRegion region = Region(address, target.Length);
            if (region.Shadow?.FirstUnwritten((long)(address - region.Start), target.Length) is long hole and >= 0)
                throw new PtxFaultException(PtxFaultKind.Unwritten,
                    $"byte {hole} of an allocation of {region.Length} bytes is read by the host, and nothing has written it");
            new Span<byte>(region.Host + (address - region.Start), target.Length).CopyTo(target);
        }
    }

    /// <summary>Copies within the device; unwritten bytes stay so.</summary>
    /// <exception cref="PtxFaultException">Outside the device's memory.</exception>
    public void Copy(ulong target, ulong source, long bytes)
    {
        if (bytes == 0)
            return;
        lock (_turn)
        {
            MemoryRegion from = Region(source, bytes), to = Region(target, bytes);
            Buffer.MemoryCopy(from.Host + (source - from.Start), to.Host + (target - to.Start), bytes, bytes);
            if (from.Shadow is not null)
                to.Shadow?.CopyWritten((long)(target - to.Start), from.Shadow, (long)(source - from.Start), bytes);
        }
    }

    /// <summary>Sets bytes to a value.</summary>
    /// <exception cref="PtxFaultException">Outside the device's memory.</exception>
    public void Fill(ulong address, byte value, long bytes)
    {
        if (bytes == 0)
            return;
        lock (_turn)
        {
            MemoryRegion region = Region(address, bytes);
            NativeMemory.Fill(region.Host + (address - region.Start), (nuint)bytes, value);
            region.Shadow?.SetWritten((long)(address - region.Start), bytes);
        }
    }

    /// <summary>Executes a kernel and waits for its end.</summary>
    /// <param name="kernel">An entry of any module.</param>
    /// <param name="grid">Groups along each axis.</param>
    /// <param name="group">Threads of a group along each axis.</param>
    /// <param name="parameters">All parameters, as <see cref="PtxKernel.Parameters"/> lays them out.</param>
    /// <param name="dynamicSharedBytes">Shared memory beside the kernel's own.</param>
    /// <param name="cancellation">Ends the launch early.</param>
    /// <returns>What was counted, with <see cref="PtxDeviceOptions.Profile"/>; otherwise null.</returns>
    /// <exception cref="PtxFaultException">The launch would be refused, or the kernel did wrong: the first fault of the first group that
    /// has one.</exception>
    public LaunchCounts? Launch(PtxKernel kernel, PtxDim grid, PtxDim group, ReadOnlySpan<byte> parameters, int dynamicSharedBytes = 0,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        lock (_turn)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            using var launch = new LaunchRun(this, kernel, grid, group, parameters, dynamicSharedBytes);
            return launch.Execute(cancellation);
        }
    }

    /// <summary>Frees everything.</summary>
    public void Dispose()
    {
        lock (_turn)
        {
            lock (_lock)
            {
                _isDisposed = true;
                foreach (MemoryRegion region in _regions)
                    Release(region);
                _regions = [];
            }
        }
    }

    internal IReadOnlyList<MemoryRegion> Regions => _regions;

    internal MemoryRegion? FindRegion(ulong address, int bytes)
    {
        MemoryRegion[] regions = _regions;
        int low = 0, high = regions.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            MemoryRegion region = regions[middle];
            if (region.Holds(address, (ulong)bytes))
                return region;
            if (address < region.Start)
                high = middle - 1;
            else
                low = middle + 1;
        }

        return null;
    }

    /// <summary>Which allocation an address is near.</summary>
    internal string Describe(ulong address)
    {
        MemoryRegion? before = _regions.LastOrDefault(r => r.Start <= address);
        return before is null ? "there is no allocation"
            : $"the nearest allocation before it has {before.Length} bytes and ends "
                + $"{address - before.Start - before.Length} bytes before that";
    }

    private MemoryRegion Region(ulong address, long bytes)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _regions.FirstOrDefault(r => r.Holds(address, (ulong)bytes))
            ?? throw new PtxFaultException(PtxFaultKind.Bounds, $"a copy of {bytes} bytes at {address:x} is not inside one allocation");
    }

    private void Add(MemoryRegion region)
    {
        if (Options.Sanitize)
            region.Shadow = new Shadow((long)region.Length);
        _regions = [.. _regions.Append(region).OrderBy(r => r.Start)];
    }

    private void Release(MemoryRegion region)
    {
        if (!region.IsOwned)
            return;
        AllocatedBytes -= (long)region.Length;
        NativeMemory.AlignedFree(region.Host);
    }
}
