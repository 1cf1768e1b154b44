using System.Reflection;
using ILGPU.Runtime;
using UniCardio.CheckingDevice;

namespace ILGPU
{
    /// <summary>The devices of a process: here the checking device alone.</summary>
    public sealed class Context : IDisposable
    {
        private Context(Builder builder) => Devices = [new Device(builder)];

        public IReadOnlyList<Device> Devices { get; }

        public static Context Create(Action<Builder> build)
        {
            var builder = new Builder();
            build(builder);
            return new Context(builder);
        }

        public void Dispose()
        {
        }

        /// <summary>Options; the checking device has none of ILGPU's.</summary>
        public sealed class Builder
        {
            public Builder Default() => this;

            public Builder EnableAlgorithms() => this;

            public Builder Optimize(OptimizationLevel level) => this;
        }
    }

    public enum OptimizationLevel
    {
        O0,
        O1,
        O2,
    }
}

namespace ILGPU.Runtime
{
    public enum AcceleratorType
    {
        CPU,
        Cuda,
        OpenCL,
    }

    public sealed class Device
    {
        internal Device(Context.Builder builder) => _ = builder;

        public string Name => "checking device";

        public AcceleratorType AcceleratorType => AcceleratorType.CPU;

        public int MaxNumThreadsPerGroup => 1024;

        public int MaxSharedMemoryPerGroup => 48 * 1024;

        public int NumMultiprocessors { get; init; } = 1;

        public long MemorySize => int.MaxValue;

        public Accelerator CreateAccelerator(Context context) => new(context, this);
    }

    /// <summary>Grid and group of a launch.</summary>
    public readonly struct KernelConfig
    {
        public KernelConfig(Index1D grid, Index1D group)
            : this(new Index3D(grid.X, 1, 1), new Index3D(group.X, 1, 1))
        {
        }

        public KernelConfig(Index2D grid, Index2D group)
            : this(new Index3D(grid.X, grid.Y, 1), new Index3D(group.X, group.Y, 1))
        {
        }

        public KernelConfig(Index3D grid, Index3D group)
        {
            GridDim = grid;
            GroupDim = group;
        }

        public Index3D GridDim { get; }

        public Index3D GroupDim { get; }
    }

    /// <summary>Launches run at once, in the caller's thread.</summary>
    public sealed class AcceleratorStream
    {
        public void Synchronize()
        {
        }
    }

    /// <summary>The checking device as the backend sees it.</summary>
    public sealed class Accelerator : IDisposable
    {
        private int _buffers;
        private bool _disposed;

        internal Accelerator(Context context, Device device)
        {
            Context = context;
            Device = device;
        }

        public Context Context { get; }

        public Device Device { get; }

        public string Name => Device.Name;

        public AcceleratorType AcceleratorType => Device.AcceleratorType;

        public int MaxNumThreadsPerGroup => Device.MaxNumThreadsPerGroup;

        public int NumMultiprocessors => Device.NumMultiprocessors;

        public AcceleratorStream DefaultStream { get; } = new();

        /// <summary>How thoroughly launches from here on are checked.</summary>
        public CheckDepth Depth { get; set; } = CheckDepth.Full;

        /// <summary>Launches so far.</summary>
        public int Launches { get; private set; }

        public void Bind() => ObjectDisposedException.ThrowIf(_disposed, this);

        public void Synchronize() => Bind();

        public MemoryBuffer1D<T, Stride1D.Dense> Allocate1D<T>(long length)
            where T : unmanaged
        {
            Bind();
            if (length <= 0)
                throw new KernelFault(FaultKind.Resources, $"a buffer of {length} elements");
            return new MemoryBuffer1D<T, Stride1D.Dense>(length, $"buffer {++_buffers} ({length} {typeof(T).Name})");
        }

        public void Dispose() => _disposed = true;

        internal void Launch(CheckedKernel kernel, KernelConfig config, params object?[] arguments)
        {
            Bind();
            Index3D grid = config.GridDim, group = config.GroupDim;
            if (Math.Min(Math.Min(grid.X, grid.Y), grid.Z) < 1 || Math.Min(Math.Min(group.X, group.Y), group.Z) < 1 || group.Size > MaxNumThreadsPerGroup)
                throw new KernelFault(FaultKind.Resources, $"{kernel.Name}: a grid of {grid} groups of {group} threads");
            if (grid.Y > 65535 || grid.Z > 65535)
                throw new KernelFault(FaultKind.Resources, $"{kernel.Name}: a grid of {grid} is more than CUDA takes");
            new CheckedLaunch(kernel, grid, group, arguments, Device.MaxSharedMemoryPerGroup).Run(Depth, Launches++);
        }
    }

    /// <summary>A buffer of the device.</summary>
    public sealed class MemoryBuffer1D<T, TStride> : IDisposable
        where T : unmanaged
        where TStride : struct
    {
        private readonly CheckedMemory _memory;

        internal MemoryBuffer1D(long length, string name)
        {
            Length = length;
            _memory = new CheckedMemory(name, length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        }

        public long Length { get; }

        public long LengthInBytes => _memory.Bytes;

        public ArrayView1D<T, TStride> View => new(new ArrayView<T>(_memory, 0, Length));

        public void Dispose() => _memory.Dispose();
    }

    /// <summary>Page-locked host memory; an array here.</summary>
    public sealed class PageLockedArray1D<T>(long length) : IDisposable
        where T : unmanaged
    {
        private readonly T[] _array = new T[length];

        public Span<T> Span => _array;

        public long Length => _array.Length;

        public void Dispose()
        {
        }
    }
}
