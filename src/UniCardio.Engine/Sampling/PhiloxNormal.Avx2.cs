using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace UniCardio.Engine.Sampling;

/// <content>Eight counter blocks at a time, operation for operation the scalar twin.</content>
internal static partial class PhiloxNormal
{
    private const int BatchBlocks = 8;
    private const int BatchSamples = 4 * BatchBlocks;

    /// <summary>Needs AVX2 and FMA.</summary>
    internal static void FillAvx2(ulong seed, uint window, uint draw, uint step, uint block, Span<float> destination)
    {
        for (; destination.Length >= BatchSamples; block += BatchBlocks, destination = destination[BatchSamples..])
            Batch(seed, window, draw, step, block, ref MemoryMarshal.GetReference(destination));
        if (destination.Length <= 4)
        {
            FillScalar(seed, window, draw, step, block, destination);
            return;
        }

        Span<float> rest = stackalloc float[BatchSamples];
        Batch(seed, window, draw, step, block, ref MemoryMarshal.GetReference(rest));
        rest[..destination.Length].CopyTo(destination);
    }

    // Optimised from the first call: the interpreter-like first tier would be 50 times slower, and a session may need few calls.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Batch(ulong seed, uint window, uint draw, uint step, uint block, ref float destination)
    {
        // Philox on 32-bit words in 64-bit lanes, four counters a vector: vpmuludq reads the low halves, so whatever is left
        // above them never matters. Even counters in one vector, odd ones in the other; two independent chains.
        Vector256<uint> even0 = Vector256.Create(block) + Vector256.Create(0u, 0, 2, 0, 4, 0, 6, 0), odd0 = even0 + Vector256<uint>.One;
        Vector256<uint> even1 = Vector256.Create(draw), odd1 = even1;
        Vector256<uint> even2 = Vector256.Create(window), odd2 = even2;
        Vector256<uint> even3 = Vector256.Create(step), odd3 = even3;
        Vector256<uint> k0 = Vector256.Create((uint)seed), k1 = Vector256.Create((uint)(seed >> 32));
        for (int round = 0; round < Philox4x32.Rounds; round++)
        {
            Round(ref even0, ref even1, ref even2, ref even3, k0, k1);
            Round(ref odd0, ref odd1, ref odd2, ref odd3, k0, k1);
            k0 += Vector256.Create(Philox4x32.KeyStep0);
            k1 += Vector256.Create(Philox4x32.KeyStep1);
        }

        Vector256<float> r0 = Radius(Join(even0, odd0)), r1 = Radius(Join(even2, odd2));
        (Vector256<float> cos0, Vector256<float> sin0) = CosSin(Join(even1, odd1));
        (Vector256<float> cos1, Vector256<float> sin1) = CosSin(Join(even3, odd3));
        Store(r0 * cos0, r0 * sin0, r1 * cos1, r1 * sin1, ref destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref Vector256<uint> c0, ref Vector256<uint> c1, ref Vector256<uint> c2, ref Vector256<uint> c3,
        Vector256<uint> k0, Vector256<uint> k1)
    {
        Vector256<ulong> p0 = Avx2.Multiply(c0, Vector256.Create(Philox4x32.Multiplier0));
        Vector256<ulong> p1 = Avx2.Multiply(c2, Vector256.Create(Philox4x32.Multiplier1));
        c0 = (p1 >> 32).AsUInt32() ^ c1 ^ k0;
        c1 = p1.AsUInt32();
        c2 = (p0 >> 32).AsUInt32() ^ c3 ^ k1;
        c3 = p0.AsUInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Join(Vector256<uint> even, Vector256<uint> odd) =>
        Avx2.Blend(even, (odd.AsUInt64() << 32).AsUInt32(), 0b10101010);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Radius(Vector256<uint> word)
    {
        Vector256<float> u = Fma.MultiplyAdd(
            Avx.ConvertToVector256Single((word >> 1).AsInt32()), Vector256.Create(1 / 2147483648f), Vector256.Create(1 / 4294967296f));
        Vector256<int> bits = u.AsInt32();
        Vector256<int> e = (bits - Vector256.Create(LogOffset)) >> 23;
        Vector256<float> f = (bits - (e << 23)).AsSingle() - Vector256<float>.One;
        Vector256<float> p = Fma.MultiplyAdd(f, Vector256.Create(Log7), Vector256.Create(Log6));
        p = Fma.MultiplyAdd(f, p, Vector256.Create(Log5));
        p = Fma.MultiplyAdd(f, p, Vector256.Create(Log4));
        p = Fma.MultiplyAdd(f, p, Vector256.Create(Log3));
        p = Fma.MultiplyAdd(f, p, Vector256.Create(Log2));
        p = Fma.MultiplyAdd(f, p, Vector256.Create(Log1));
        p = Fma.MultiplyAdd(f, p, Vector256.Create(Log0));
        p = Fma.MultiplyAdd(f, p, Vector256.Create(-0.5f));
        p = Fma.MultiplyAdd(f * f, p, f);
        return Avx.Sqrt(Vector256.Create(-2f) * Fma.MultiplyAdd(Avx.ConvertToVector256Single(e), Vector256.Create(Ln2), p));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Cos, Vector256<float> Sin) CosSin(Vector256<uint> word)
    {
        Vector256<uint> q = (word + Vector256.Create(0x20000000u)) >> 30;
        Vector256<float> y = Avx.ConvertToVector256Single((word - (q << 30)).AsInt32()) * Vector256.Create(Turn);
        Vector256<float> y2 = y * y;
        Vector256<float> s = Fma.MultiplyAdd(y2, Vector256.Create(Sin2), Vector256.Create(Sin1));
        s = Fma.MultiplyAdd(y2, s, Vector256.Create(Sin0));
        s = Fma.MultiplyAdd(y * y2, s, y);
        Vector256<float> c = Fma.MultiplyAdd(y2, Vector256.Create(Cos2), Vector256.Create(Cos1));
        c = Fma.MultiplyAdd(y2, c, Vector256.Create(Cos0));
        c = Fma.MultiplyAdd(y2, c, Vector256.Create(-0.5f));
        c = Fma.MultiplyAdd(y2, c, Vector256<float>.One);

        // Odd quarters swap the two; the cosine is negative in quarters 1 and 2, the sine in 2 and 3.
        Vector256<float> odd = (q << 31).AsSingle();
        Vector256<float> cos = Avx.BlendVariable(c, s, odd), sin = Avx.BlendVariable(s, c, odd);
        Vector256<uint> sign = Vector256.Create(0x80000000u);
        return ((cos.AsUInt32() ^ (((q + Vector256<uint>.One) << 30) & sign)).AsSingle(), (sin.AsUInt32() ^ ((q << 30) & sign)).AsSingle());
    }

    /// <summary>Writes lane i of the four vectors to samples 4i .. 4i+3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> n0, Vector256<float> n1, Vector256<float> n2, Vector256<float> n3, ref float destination)
    {
        Vector256<float> low01 = Avx.UnpackLow(n0, n1), high01 = Avx.UnpackHigh(n0, n1);
        Vector256<float> low23 = Avx.UnpackLow(n2, n3), high23 = Avx.UnpackHigh(n2, n3);
        Vector256<float> lanes04 = Avx.Shuffle(low01, low23, 0b01_00_01_00), lanes15 = Avx.Shuffle(low01, low23, 0b11_10_11_10);
        Vector256<float> lanes26 = Avx.Shuffle(high01, high23, 0b01_00_01_00), lanes37 = Avx.Shuffle(high01, high23, 0b11_10_11_10);
        Avx.Permute2x128(lanes04, lanes15, 0x20).StoreUnsafe(ref destination);
        Avx.Permute2x128(lanes26, lanes37, 0x20).StoreUnsafe(ref destination, 8);
        Avx.Permute2x128(lanes04, lanes15, 0x31).StoreUnsafe(ref destination, 16);
        Avx.Permute2x128(lanes26, lanes37, 0x31).StoreUnsafe(ref destination, 24);
    }
}
