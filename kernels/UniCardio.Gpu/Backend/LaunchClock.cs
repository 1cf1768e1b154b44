using ILGPU.Runtime;

namespace UniCardio.Gpu.Backend;

/// <summary>Device time of launches: an event of the stream before each, so that all of them add up to the call.</summary>
/// <remarks>A launch's time is from the event before it to the next one: with the gap between two launches in it.</remarks>
internal sealed class LaunchClock(AcceleratorStream stream) : IDisposable
{
    private readonly List<(string Kernel, ProfilingMarker Event)> _marks = [];

    /// <summary>Called before a launch, with the kernel's name, and with an empty one after the last.</summary>
    public void Mark(string kernel) => _marks.Add((kernel, stream.AddProfilingMarker()));

    /// <summary>Kernels and microseconds of what was marked, in order; waits for the last of it and forgets it.</summary>
    public IReadOnlyList<(string Kernel, double Microseconds)> Take()
    {
        stream.Synchronize();
        var times = new List<(string, double)>();
        for (int i = 0; i + 1 < _marks.Count; i++)
        {
            if (_marks[i].Kernel.Length > 0)
                times.Add((_marks[i].Kernel, _marks[i + 1].Event.MeasureFrom(_marks[i].Event).TotalMicroseconds));
        }

        Dispose();
        return times;
    }

    public void Dispose()
    {
        foreach ((_, ProfilingMarker mark) in _marks)
            mark.Dispose();
        _marks.Clear();
    }
}
