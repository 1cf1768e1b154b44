using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using UniCardio.Engine.Backends;

namespace UniCardio.Gpu.Devices;

/// <summary>Buffers of one owner, freed together.</summary>
internal sealed class DeviceMemory : IDisposable
{
    private readonly List<IDisposable> _all = [];
    private readonly Accelerator _accelerator;

    public DeviceMemory(Accelerator accelerator)
    {
        _accelerator = accelerator;
        accelerator.Bind();
    }

    /// <summary>Bytes on the device and of page-locked memory.</summary>
    public long Bytes { get; private set; }

    /// <summary>Asks whether the device has room for what is to be taken, before any of it is; CUDA devices can say.</summary>
    /// <exception cref="BackendUnavailableException">It has not; the message has both numbers. Nothing was taken.</exception>
    /// <exception cref="AcceleratorException">The device failed.</exception>
    public void Require(long bytes)
    {
        if (_accelerator is CudaAccelerator cuda && cuda.GetFreeMemory() is long free && free < bytes)
            throw new BackendUnavailableException(
                "gpu", $"{_accelerator.Name} has no room for {bytes} bytes: {free} of {cuda.MemorySize} are free");
    }

    /// <summary>A buffer of the device.</summary>
    /// <exception cref="BackendUnavailableException">The device has no room for it; it is as good as before.</exception>
    /// <exception cref="AcceleratorException">The device failed.</exception>
    public unsafe MemoryBuffer1D<T, Stride1D.Dense> Take<T>(long length)
        where T : unmanaged => Add(() => _accelerator.Allocate1D<T>(length), length * sizeof(T));

    /// <summary>Page-locked host memory, for copies to and from the device.</summary>
    /// <exception cref="BackendUnavailableException">The host has no room for it.</exception>
    public PageLockedArray1D<float> Pin(int length) =>
        Add(() => _accelerator.AllocatePageLocked1D<float>(length, false), sizeof(float) * (long)length);

    public void Dispose()
    {
        foreach (IDisposable buffer in _all)
        {
            try
            {
                buffer.Dispose();
            }
            catch (AcceleratorException)
            {
                // The device failed before, and its memory is gone with it.
            }
        }

        _all.Clear();
    }

    private TBuffer Add<TBuffer>(Func<TBuffer> allocate, long bytes)
        where TBuffer : IDisposable
    {
        TBuffer buffer;
        try
        {
            buffer = allocate();
        }
        catch (Exception e) when (e is AcceleratorException or OutOfMemoryException)
        {
            // Refuses too if it is not the room that is missing but the device.
            _accelerator.Synchronize();
            throw new BackendUnavailableException(
                "gpu", $"{_accelerator.Name} has no room for {bytes} more bytes beside the {Bytes} taken before: {e.Message}", e);
        }

        _all.Add(buffer);
        Bytes += bytes;
        return buffer;
    }
}
