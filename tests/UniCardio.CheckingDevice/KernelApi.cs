using System.Runtime.CompilerServices;
using UniCardio.CheckingDevice;

namespace ILGPU
{
    /// <summary>The group of the running thread.</summary>
    public static class Group
    {
        public static int IdxX => SimulatedThread.Running.X;

        public static int IdxY => SimulatedThread.Running.Y;

        public static int IdxZ => SimulatedThread.Running.Z;

        public static int DimX => SimulatedThread.Running.Group.Dimension.X;

        public static int DimY => SimulatedThread.Running.Group.Dimension.Y;

        public static int DimZ => SimulatedThread.Running.Group.Dimension.Z;

        public static Index3D Dimension => SimulatedThread.Running.Group.Dimension;

        public static int LinearIndex => SimulatedThread.Running.Linear;

        public static bool IsFirstThread => SimulatedThread.Running.Linear == 0;

        /// <summary>Waits for all threads of the group.</summary>
        public static void Barrier([CallerLineNumber] int line = 0) => SimulatedThread.Running.Barrier(line);
    }

    /// <summary>The grid of the running launch.</summary>
    public static class Grid
    {
        public static int IdxX => SimulatedThread.Running.Group.Index.X;

        public static int IdxY => SimulatedThread.Running.Group.Index.Y;

        public static int IdxZ => SimulatedThread.Running.Group.Index.Z;

        public static int DimX => SimulatedThread.Running.Group.Grid.X;

        public static int DimY => SimulatedThread.Running.Group.Grid.Y;

        public static int DimZ => SimulatedThread.Running.Group.Grid.Z;
    }

    /// <summary>Memory that a group shares; poisoned when the group starts.</summary>
    public static class SharedMemory
    {
        public static ArrayView<T> Allocate<T>(int length)
            where T : unmanaged => SimulatedThread.Running.Shared<T>(length);

        public static ArrayView1D<T, Stride1D.Dense> Allocate1D<T>(Index1D length)
            where T : unmanaged => new(Allocate<T>(length.X));
    }

    /// <summary>Memory of one thread; poisoned when it is allocated.</summary>
    public static class LocalMemory
    {
        public static ArrayView<T> Allocate<T>(int length)
            where T : unmanaged => SimulatedThread.Running.Local<T>(length);

        public static ArrayView1D<T, Stride1D.Dense> Allocate1D<T>(Index1D length)
            where T : unmanaged => new(Allocate<T>(length.X));
    }

    /// <summary>Bit casts.</summary>
    public static class Interop
    {
        public static uint FloatAsInt(float value) => BitConverter.SingleToUInt32Bits(value);

        public static float IntAsFloat(uint value) => BitConverter.UInt32BitsToSingle(value);
    }
}

namespace ILGPU.Algorithms
{
    /// <summary>Mathematics of kernels, float only.</summary>
    public static class XMath
    {
        public static float Abs(float x) => MathF.Abs(x);

        public static float Min(float x, float y) => MathF.Min(x, y);

        public static float Max(float x, float y) => MathF.Max(x, y);

        public static int Min(int x, int y) => Math.Min(x, y);

        public static int Max(int x, int y) => Math.Max(x, y);

        public static float Exp(float x) => MathF.Exp(x);

        public static float Exp2(float x) => MathF.Pow(2, x);

        public static float Log(float x) => MathF.Log(x);

        public static float Log2(float x) => MathF.Log2(x);

        public static float Sqrt(float x) => MathF.Sqrt(x);

        public static float Rsqrt(float x) => 1 / MathF.Sqrt(x);

        public static float Rcp(float x) => 1 / x;

        public static float Sin(float x) => MathF.Sin(x);

        public static float Cos(float x) => MathF.Cos(x);
    }
}
