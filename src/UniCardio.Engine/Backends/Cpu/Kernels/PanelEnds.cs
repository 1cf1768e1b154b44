using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>What becomes of one panel of a linear map's results while it is in cache.</summary>
internal unsafe interface IPanelEnd
{
    /// <summary>Takes [rows, 2W], dense.</summary>
    /// <param name="panel">The results.</param>
    /// <param name="column">Their first column in the map.</param>
    /// <param name="rows">Tokens.</param>
    void Take<S, V>(float* panel, int column, int rows)
        where S : struct, ISimd<S, V>
        where V : struct;
}

/// <summary>
/// Q, K and V of a strip to where attention reads them: K and V head by head with dense rows, Q transposed into blocks of 2W queries.
/// </summary>
/// <remarks>No arithmetic. A panel's columns fall into runs that end with Q, with a head of K or V, or with the panel. 24 C bytes a
/// token.</remarks>
internal unsafe struct QkvEnd : IPanelEnd
{
    /// <summary>[blocks, C, 2W] at the strip's first block; null where no queries are wanted.</summary>
    public float* Queries;

    /// <summary>Row of the strip at which a block of W queries begins; null where none does.</summary>
    public int? HalfBlock;

    /// <summary>[heads, capacity, head dim] at the strip's first row of head 0.</summary>
    public float* Keys;

    /// <summary>The same for V.</summary>
    public float* Values;

    /// <summary>Floats between heads.</summary>
    public nint HeadStride;

    /// <summary>C.</summary>
    public int Channels;

    /// <summary>Head dim.</summary>
    public int HeadDim;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Take<S, V>(float* panel, int column, int rows)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width, end = Math.Min(column + width, 3 * Channels);
        for (int at = column, next; at < end; at = next)
        {
            float* from = panel + (at - column);
            if (at < Channels)
            {
                next = Math.Min(end, Channels);
                if (Queries != null)
                    HeadScatter.Queries<S, V>(from, width, Queries, HalfBlock, rows, Channels, at, next - at);
                continue;
            }

            int channel = at % Channels, head = channel / HeadDim, d = channel % HeadDim;
            next = Math.Min(end, at + HeadDim - d);
            float* to = (at < 2 * Channels ? Keys : Values) + (head * HeadStride) + d;
            HeadScatter.Columns<S, V>(from, width, to, HeadDim, rows, next - at);
        }
    }
}
