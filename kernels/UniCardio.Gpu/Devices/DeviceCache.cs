using ILGPU.Runtime;
using UniCardio.Engine.Backends;

namespace UniCardio.Gpu.Devices;

/// <summary>The devices that a process uses: each is opened once, keeps its compiled kernels, and stays until the process ends.</summary>
/// <remarks>
/// Safe to use from several threads. A device that failed is handed out no more: a compilation that failed can spoil ILGPU's context,
/// and an error on a GPU its own. The next to ask gets a fresh one; the failed one goes with the last backend that uses it.
/// </remarks>
internal sealed class DeviceCache(Func<DeviceSelector, GpuDevice> open) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<DeviceSelector, Entry> _entries = [];

    /// <summary>The device of a kind, opened if it is not there yet.</summary>
    /// <param name="kind">What <c>open</c> is given.</param>
    /// <returns>To be disposed when the device is not used any more.</returns>
    public DeviceLease Rent(DeviceSelector kind)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(kind, out Entry? entry) || entry.Device.HasFailed)
                _entries[kind] = entry = new Entry(open(kind));
            entry.Users++;
            return new DeviceLease(entry.Device, () => Return(kind, entry));
        }
    }

    /// <summary>Starts something on the first of several kinds that it starts on.</summary>
    /// <param name="kinds">Kinds, the best first.</param>
    /// <param name="start">Takes over the lease, unless it throws.</param>
    /// <exception cref="BackendUnavailableException">It starts on none; the message says why for each.</exception>
    public T Start<T>(IReadOnlyList<DeviceSelector> kinds, Func<DeviceLease, T> start)
    {
        var refusals = new List<BackendUnavailableException>();
        foreach (DeviceSelector kind in kinds)
        {
            DeviceLease? lease = null;
            try
            {
                lease = Rent(kind);
                return start(lease);
            }
            catch (BackendUnavailableException e)
            {
                lease?.Dispose();
                refusals.Add(e);
            }
            catch
            {
                lease?.Dispose();
                throw;
            }
        }

        throw refusals.Count == 1 ? refusals[0]
            : new BackendUnavailableException("gpu", string.Join("; ", refusals.Select(e => e.Reason)), refusals[0]);
    }

    /// <summary>Lets go of every device that nobody uses.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (DeviceSelector kind in _entries.Where(e => e.Value.Users == 0).Select(e => e.Key).ToArray())
            {
                Release(_entries[kind].Device);
                _entries.Remove(kind);
            }
        }
    }

    private void Return(DeviceSelector kind, Entry entry)
    {
        lock (_lock)
        {
            if (--entry.Users > 0 || !entry.Device.HasFailed)
                return;
            if (_entries.TryGetValue(kind, out Entry? current) && current == entry)
                _entries.Remove(kind);
        }

        Release(entry.Device);
    }

    private static void Release(GpuDevice device)
    {
        try
        {
            device.Dispose();
        }
        catch (AcceleratorException)
        {
            // It failed before, or never gave what it is asked to free; what is left goes with the process.
        }
    }

    private sealed class Entry(GpuDevice device)
    {
        public GpuDevice Device => device;

        public int Users { get; set; }
    }
}

/// <summary>The use of a shared device by one backend.</summary>
internal sealed class DeviceLease(GpuDevice device, Action giveBack) : IDisposable
{
    private Action? _giveBack = giveBack;

    public GpuDevice Device => device;

    public void Dispose() => Interlocked.Exchange(ref _giveBack, null)?.Invoke();
}
