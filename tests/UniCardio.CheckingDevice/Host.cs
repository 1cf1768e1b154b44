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

        /// <summary>Class of a kernel that does not compile here.</summary>
        public string? RefusedKernel { get; set; }

        /// <summary>Kernels compiled so far.</summary>
        public int Compiled { get; private set; }

        /// <summary>As with ILGPU, a compilation that failed can leave the context unable to compile anything.</summary>
        public bool IsSpoiled { get; private set; }

        public static Context Create(Action<Builder> build)
        {
            var builder = new Builder();
            build(builder);
            return new Context(builder);
        }

        public void Dispose()
        {
        }

        internal void Compile(string kernel)
        {
            if (IsSpoiled)
                throw new NullReferenceException("the context is spoiled by a compilation that failed");
            if (kernel != RefusedKernel)
            {
                Compiled++;
                return;
            }

            IsSpoiled = true;
            throw new InternalCompilerException($"{kernel} is not supported");
        }

        /// <summary>Options; the checking device has none of ILGPU's.</summary>
        public sealed class Builder
        {
            public Builder Default() => this;

            public Builder EnableAlgorithms() => this;

            public Builder Optimize(OptimizationLevel level) => this;
        }
    }

    /// <summary>A kernel that does not compile.</summary>
    public sealed class InternalCompilerException(string message) : Exception(message);

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

    /// <summary>Whatever a device refuses.</summary>
    public abstract class AcceleratorException(string message, Exception? inner) : Exception(message, inner)
    {
        public abstract AcceleratorType AcceleratorType { get; }
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
    public sealed class AcceleratorStream(Accelerator accelerator)
    {
        public void Synchronize() => accelerator.Synchronize();
    }

    /// <summary>The checking device as the backend sees it.</summary>
    public sealed class Accelerator : IDisposable
    {
        private int _buffers;
        private int _launching;
        private long _allocated;

        internal Accelerator(Context context, Device device)
        {
            Context = context;
            Device = device;
            DefaultStream = new AcceleratorStream(this);
        }

        public Context Context { get; }

        public Device Device { get; }

        public string Name => Device.Name;

        public AcceleratorType AcceleratorType => Device.AcceleratorType;

        public int MaxNumThreadsPerGroup => Device.MaxNumThreadsPerGroup;

        public int NumMultiprocessors => Device.NumMultiprocessors;

        public AcceleratorStream DefaultStream { get; }

        /// <summary>How thoroughly launches from here on are checked.</summary>
        public CheckDepth Depth { get; set; } = CheckDepth.Full;

        /// <summary>Launches so far.</summary>
        public int Launches { get; private set; }

        /// <summary>Whether the accelerator was let go.</summary>
        public bool IsDisposed { get; private set; }

        /// <summary>Bytes of buffers that were not disposed yet.</summary>
        public long AllocatedBytes => Interlocked.Read(ref _allocated);

        /// <summary>Bytes that all buffers together may have.</summary>
        public long MemoryLimit { get; set; } = long.MaxValue;

        /// <summary>Whether every call is refused from here on, as after an error on a GPU.</summary>
        public bool IsLost { get; set; }

        public void Bind()
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            if (IsLost)
                throw new KernelFault(FaultKind.Lost, "the device answers no more");
        }

        public void Synchronize() => Bind();

        public MemoryBuffer1D<T, Stride1D.Dense> Allocate1D<T>(long length)
            where T : unmanaged
        {
            Bind();
            if (length <= 0)
                throw new KernelFault(FaultKind.Resources, $"a buffer of {length} elements");
            long bytes = length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
            if (AllocatedBytes + bytes > MemoryLimit)
                throw new KernelFault(FaultKind.Resources, $"{bytes} bytes beside {AllocatedBytes} are more than {MemoryLimit}");
            Interlocked.Add(ref _allocated, bytes);
            return new MemoryBuffer1D<T, Stride1D.Dense>(length, $"buffer {Interlocked.Increment(ref _buffers)} ({length} {typeof(T).Name})", freed => Interlocked.Add(ref _allocated, -freed));
        }

        public void Dispose() => IsDisposed = true;

        internal CheckedKernel Load(System.Reflection.MethodInfo method)
        {
            Bind();
            Context.Compile((method.DeclaringType?.Name ?? method.Name).Split('`')[0]);
            return new CheckedKernel(method);
        }

        internal void Launch(CheckedKernel kernel, KernelConfig config, params object?[] arguments)
        {
            Bind();
            Index3D grid = config.GridDim, group = config.GroupDim;
            if (Math.Min(Math.Min(grid.X, grid.Y), grid.Z) < 1 || Math.Min(Math.Min(group.X, group.Y), group.Z) < 1 || group.Size > MaxNumThreadsPerGroup)
                throw new KernelFault(FaultKind.Resources, $"{kernel.Name}: a grid of {grid} groups of {group} threads");
            if (grid.Y > 65535 || grid.Z > 65535)
                throw new KernelFault(FaultKind.Resources, $"{kernel.Name}: a grid of {grid} is more than CUDA takes");
            if (Interlocked.Exchange(ref _launching, 1) != 0)
                throw new KernelFault(FaultKind.Concurrency, $"{kernel.Name} was launched while another thread's launch was under way");
            try
            {
                new CheckedLaunch(kernel, grid, group, arguments, Device.MaxSharedMemoryPerGroup).Run(Depth, Launches++);
            }
            finally
            {
                Volatile.Write(ref _launching, 0);
            }
        }
    }

    /// <summary>A buffer of the device.</summary>
    public sealed class MemoryBuffer1D<T, TStride> : IDisposable
        where T : unmanaged
        where TStride : struct
    {
        private readonly CheckedMemory _memory;
        private Action<long>? _freed;

        internal MemoryBuffer1D(long length, string name, Action<long> freed)
        {
            Length = length;
            _freed = freed;
            _memory = new CheckedMemory(name, length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        }

        public long Length { get; }

        public long LengthInBytes => _memory.Bytes;

        public ArrayView1D<T, TStride> View => new(new ArrayView<T>(_memory, 0, Length));

        public void Dispose()
        {
            _memory.Dispose();
            Interlocked.Exchange(ref _freed, null)?.Invoke(Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        }
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
