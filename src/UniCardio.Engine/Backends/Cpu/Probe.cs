using System.Diagnostics;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>The kernels of a network call, as rows of a profile.</summary>
internal enum CpuKernel
{
    /// <summary>Six convolutions of a slot as one map.</summary>
    Encoder,

    /// <summary>LayerNorm over a slot's plane.</summary>
    PlaneNorm,

    /// <summary>x to Q, K, V.</summary>
    AttentionIn,

    /// <summary>Q, K, V to attention's layouts.</summary>
    HeadScatter,

    /// <summary>Softmax(Q K) V.</summary>
    Attention,

    /// <summary>Attention's output map with the residual.</summary>
    AttentionOut,

    /// <summary>First LayerNorm.</summary>
    Norm1,

    /// <summary>Feed-forward, first map.</summary>
    FeedForwardIn,

    /// <summary>GELU.</summary>
    Gelu,

    /// <summary>Feed-forward, second map with the residual.</summary>
    FeedForwardOut,

    /// <summary>Second LayerNorm.</summary>
    Norm2,

    /// <summary>Mid projection.</summary>
    Mid,

    /// <summary>sigmoid times tanh.</summary>
    Gate,

    /// <summary>Output projection.</summary>
    Output,

    /// <summary>Residual and skip sums.</summary>
    Residual,

    /// <summary>Decoder, first map and ReLU.</summary>
    DecoderHidden,

    /// <summary>Decoder, second map.</summary>
    DecoderOutput,

    /// <summary>Noise of a sampler's row.</summary>
    Noise,

    /// <summary>Clean signal and state update of a sampler's row.</summary>
    SamplerUpdate,

    /// <summary>Waiting for other threads.</summary>
    Barrier,
}

/// <summary>One span of work: what, on which thread and kind of rows, from when to when.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="IsCondition">Whether it worked on a condition rows.</param>
/// <param name="Part">The team's member.</param>
/// <param name="Start">Stopwatch ticks.</param>
/// <param name="End">Stopwatch ticks.</param>
internal readonly record struct CpuSpan(CpuKernel Kernel, bool IsCondition, int Part, long Start, long End);

/// <summary>Whether kernels are timed; a constant to the JIT, so that off costs nothing.</summary>
internal interface IProbe
{
    static abstract bool IsOn { get; }
}

/// <summary>Timing off.</summary>
internal readonly struct ProbeOff : IProbe
{
    public static bool IsOn => false;
}

/// <summary>Timing on.</summary>
internal readonly struct ProbeOn : IProbe
{
    public static bool IsOn => true;
}

/// <summary>Where timed spans go: one list a thread, allocated ahead; when a list is full, later spans are counted but not kept.</summary>
internal sealed class CpuProfile
{
    private readonly CpuSpan[][] _spans;
    private readonly PaddedInt[] _counts, _queryBlocks, _repeats;

    /// <summary>Allocates the lists.</summary>
    /// <param name="parts">Members of the team.</param>
    /// <param name="capacity">Spans kept a member.</param>
    public CpuProfile(int parts, int capacity = 1 << 16)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _spans = [.. Enumerable.Range(0, parts).Select(_ => new CpuSpan[capacity])];
        (_counts, _queryBlocks, _repeats) = (new PaddedInt[parts], new PaddedInt[parts], new PaddedInt[parts]);
    }

    /// <summary>Spans that did not fit.</summary>
    public long Dropped => _counts.Zip(_spans, (c, s) => Math.Max(0L, c.Value - s.Length)).Sum();

    /// <summary>The spans kept, thread by thread in time order.</summary>
    public IEnumerable<CpuSpan> Spans => _spans.SelectMany((s, part) => s.Take(_counts[part].Value));

    /// <summary>Blocks of queries that attention worked on, one for each head.</summary>
    public long QueryBlocks => _queryBlocks.Sum(c => (long)c.Value);

    /// <summary>Blocks of keys that attention repeated in the online form, because a score was too far above the lazy softmax's
    /// reference.</summary>
    public long SoftmaxRepeats => _repeats.Sum(c => (long)c.Value);

    /// <summary>Forgets all spans and counts.</summary>
    public void Clear()
    {
        Array.Clear(_counts);
        Array.Clear(_queryBlocks);
        Array.Clear(_repeats);
    }

    internal void AddSoftmax(int part, int queryBlocks, int repeats)
    {
        _queryBlocks[part].Value += queryBlocks;
        _repeats[part].Value += repeats;
    }

    internal void Add(CpuKernel kernel, bool isCondition, int part, long start)
    {
        int i = _counts[part].Value++;
        if (i < _spans[part].Length)
            _spans[part][i] = new CpuSpan(kernel, isCondition, part, start, Stopwatch.GetTimestamp());
    }
}
