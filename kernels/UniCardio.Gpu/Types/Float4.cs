using System.Runtime.InteropServices;

namespace UniCardio.Gpu.Types;

/// <summary>Four neighbouring floats, moved as one 16-byte load or store.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct Float4
{
    /// <summary>Element 0.</summary>
    public float X;

    /// <summary>Element 1.</summary>
    public float Y;

    /// <summary>Element 2.</summary>
    public float Z;

    /// <summary>Element 3.</summary>
    public float W;

    /// <summary>Creates it from its elements.</summary>
    public Float4(float x, float y, float z, float w)
    {
        X = x;
        Y = y;
        Z = z;
        W = w;
    }

    /// <summary>a b + c, element by element; the assembler makes fused multiply-adds of it.</summary>
    public static Float4 MultiplyAdd(float a, Float4 b, Float4 c) =>
        new((a * b.X) + c.X, (a * b.Y) + c.Y, (a * b.Z) + c.Z, (a * b.W) + c.W);

    /// <summary>a b + c, element by element.</summary>
    public static Float4 MultiplyAdd(Float4 a, Float4 b, Float4 c) =>
        new((a.X * b.X) + c.X, (a.Y * b.Y) + c.Y, (a.Z * b.Z) + c.Z, (a.W * b.W) + c.W);

    /// <summary>a + b.</summary>
    public static Float4 Add(Float4 a, Float4 b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);

    /// <summary>a b, element by element.</summary>
    public static Float4 Multiply(Float4 a, Float4 b) => new(a.X * b.X, a.Y * b.Y, a.Z * b.Z, a.W * b.W);

    /// <summary>a b.</summary>
    public static Float4 Scale(float a, Float4 b) => new(a * b.X, a * b.Y, a * b.Z, a * b.W);

    /// <summary>Inner product a . b, added to c.</summary>
    public static float Dot(Float4 a, Float4 b, float c) => (a.X * b.X) + ((a.Y * b.Y) + ((a.Z * b.Z) + ((a.W * b.W) + c)));
}

/// <summary>What one thread accumulates in registers: 4 rows of 4 neighbouring columns.</summary>
internal struct Tile
{
    /// <summary>Row 0.</summary>
    public Float4 R0;

    /// <summary>Row 1.</summary>
    public Float4 R1;

    /// <summary>Row 2.</summary>
    public Float4 R2;

    /// <summary>Row 3.</summary>
    public Float4 R3;
}
