using System.Runtime.CompilerServices;
using ILGPU;

namespace UniCardio.CheckingDevice;

/// <summary>One group of a launch: its place and its shared memory.</summary>
internal sealed class SimulatedGroup(string kernel, Index3D grid, Index3D dimension, int sharedLimit) : IDisposable
{
    private readonly List<(CheckedMemory Memory, Type Element, int Length)> _shared = [];

    public string Kernel { get; } = kernel;

    public Index3D Grid { get; } = grid;

    public Index3D Dimension { get; } = dimension;

    public Index3D Index { get; private set; }

    public uint Poison { get; private set; }

    // The memory of the group before serves again, poisoned.
    public void Start(Index3D index, uint poison)
    {
        Index = index;
        // Not the pattern of the buffers, so that copying it to one does not look like leaving it unwritten.
        Poison = poison + 1;
        foreach ((CheckedMemory memory, _, _) in _shared)
            memory.Reset(Poison);
    }

    public ArrayView<T> Shared<T>(int number, int length)
        where T : unmanaged
    {
        if (number == _shared.Count)
        {
            long bytes = (long)length * Unsafe.SizeOf<T>();
            if (_shared.Sum(s => s.Memory.Bytes) + bytes > sharedLimit)
                throw KernelFault.Here(FaultKind.Resources, $"more than {sharedLimit} bytes of shared memory");
            var memory = new CheckedMemory($"shared memory {number}", bytes);
            memory.Reset(Poison);
            _shared.Add((memory, typeof(T), length));
        }

        (CheckedMemory block, Type element, int count) = _shared[number];
        if (element != typeof(T) || count != length)
            throw KernelFault.Here(FaultKind.Divergence, $"shared allocation {number} is {count} {element.Name} for one thread and {length} {typeof(T).Name} for another");
        return new ArrayView<T>(block, 0, length);
    }

    public void Dispose()
    {
        foreach ((CheckedMemory memory, _, _) in _shared)
            memory.Dispose();
    }
}

/// <summary>One thread of a group.</summary>
internal sealed class SimulatedThread(SimulatedGroup group, int linear)
{
    [ThreadStatic]
    private static SimulatedThread? t_current;

    private readonly List<CheckedMemory> _local = [];
    private int _sharedCount;

    public static SimulatedThread? Current
    {
        get => t_current;
        set => t_current = value;
    }

    public static SimulatedThread Running => t_current ?? throw new KernelFault(FaultKind.Resources, "kernel API was used outside a kernel");

    public SimulatedGroup Group { get; } = group;

    public int Linear { get; } = linear;

    public int X { get; } = linear % group.Dimension.X;

    public int Y { get; } = linear / group.Dimension.X % group.Dimension.Y;

    public int Z { get; } = linear / (group.Dimension.X * group.Dimension.Y);

    // What a barrier does where each simulated thread has an OS thread of its own.
    public Action<int>? OnBarrier { get; set; }

    public void Start()
    {
        _sharedCount = 0;
        _local.Clear();
    }

    public void Barrier(int line)
    {
        if (OnBarrier is null)
            throw KernelFault.Here(FaultKind.Resources, "a barrier in code that was taken to have none");
        OnBarrier(line);
    }

    public ArrayView<T> Shared<T>(int length)
        where T : unmanaged => Group.Shared<T>(_sharedCount++, length);

    public ArrayView<T> Local<T>(int length)
        where T : unmanaged
    {
        var memory = new CheckedMemory("local memory", (long)length * Unsafe.SizeOf<T>());
        memory.Reset(Group.Poison);
        _local.Add(memory);
        return new ArrayView<T>(memory, 0, length);
    }

    public string Describe() =>
        $"{Group.Kernel}, group ({Group.Index.X}, {Group.Index.Y}, {Group.Index.Z}), thread ({X}, {Y}, {Z})";
}
