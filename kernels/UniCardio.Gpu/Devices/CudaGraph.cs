using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace UniCardio.Gpu.Devices;

/// <summary>Launches of one stream, recorded once and launched again as one: by the driver's functions, as ILGPU has none for it.</summary>
/// <remarks>Recording launches nothing. Every call is made with the device's context current, in the device's turn.</remarks>
internal sealed class CudaGraph : IDisposable
{
    // ILGPU's own name of the driver's library.
    private const string Driver = "cuda";

    // Calls of other threads are no part of a recording, nor disturb it.
    private const int ThreadLocal = 1;

    private readonly CudaStream _stream;
    private nint _executable;

    private CudaGraph(CudaStream stream, nint executable)
    {
        _stream = stream;
        _executable = executable;
    }

    /// <summary>Records what <paramref name="work"/> gives the stream.</summary>
    /// <exception cref="CudaException">The driver refused.</exception>
    public static CudaGraph Record(CudaStream stream, Action work)
    {
        Check(cuStreamBeginCapture_v2(stream.StreamPtr, ThreadLocal));
        nint graph = 0;
        try
        {
            work();
        }
        catch
        {
            // The stream leaves the recording, whatever became of it.
            if (cuStreamEndCapture(stream.StreamPtr, out graph) == 0 && graph != 0)
                _ = cuGraphDestroy(graph);
            throw;
        }

        Check(cuStreamEndCapture(stream.StreamPtr, out graph));
        try
        {
            Check(cuGraphInstantiateWithFlags(out nint executable, graph, 0));
            return new CudaGraph(stream, executable);
        }
        finally
        {
            _ = cuGraphDestroy(graph);
        }
    }

    /// <summary>Launches all of it, after what the stream was given before.</summary>
    public void Launch() => Check(cuGraphLaunch(_executable, _stream.StreamPtr));

    /// <summary>Frees it; a device that failed refuses, and it goes with its context.</summary>
    public void Dispose()
    {
        if (_executable != 0)
            _ = cuGraphExecDestroy(_executable);
        _executable = 0;
    }

    private static void Check(int error) => CudaException.ThrowIfFailed((CudaError)error);

    [DllImport(Driver)]
    private static extern int cuStreamBeginCapture_v2(nint stream, int mode);

    [DllImport(Driver)]
    private static extern int cuStreamEndCapture(nint stream, out nint graph);

    [DllImport(Driver)]
    private static extern int cuGraphInstantiateWithFlags(out nint executable, nint graph, ulong flags);

    [DllImport(Driver)]
    private static extern int cuGraphLaunch(nint executable, nint stream);

    [DllImport(Driver)]
    private static extern int cuGraphExecDestroy(nint executable);

    [DllImport(Driver)]
    private static extern int cuGraphDestroy(nint graph);
}
