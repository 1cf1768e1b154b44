using UniCardio.Engine.Model;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>The biases of each diffusion step (<see cref="StepBiases"/>), rounded on the step's first use and kept for the engine's
/// life.</summary>
internal sealed unsafe class StepTables : IDisposable
{
    private readonly StepBiases _biases;
    private readonly AlignedBuffer?[] _steps;
    private readonly Lock _filling = new();
    private readonly int _inStride, _outStride;

    public StepTables(FoldedNetwork folded, int panel)
    {
        _biases = folded.Steps;
        _steps = new AlignedBuffer?[folded.Configuration.DiffusionSteps];
        _inStride = PackedNetwork.RoundUp(3 * folded.Configuration.Channels, panel);
        _outStride = PackedNetwork.RoundUp(folded.Configuration.Channels, panel);
    }

    /// <summary>Bytes of the steps filled so far.</summary>
    public long Bytes => _steps.Sum(s => s?.Bytes ?? 0);

    /// <summary>Makes sure that a step's tables are there.</summary>
    public void Prepare(int t)
    {
        if (Volatile.Read(ref _steps[t]) is not null)
            return;
        lock (_filling)
        {
            if (_steps[t] is null)
                Volatile.Write(ref _steps[t], Fill(t));
        }
    }

    /// <summary>[3C padded] bias of a block's QKV map at t.</summary>
    public float* AttentionIn(int t, int block) => _steps[t]!.Pointer + ((nint)block * (_inStride + _outStride));

    /// <summary>[C padded] bias of attention's output plus d(t).</summary>
    public float* AttentionOut(int t, int block) => AttentionIn(t, block) + _inStride;

    public void Dispose()
    {
        foreach (AlignedBuffer? step in _steps)
            step?.Dispose();
    }

    private AlignedBuffer Fill(int t)
    {
        IReadOnlyList<StepBias> blocks = _biases.At(t);
        var buffer = new AlignedBuffer((long)blocks.Count * (_inStride + _outStride));
        for (int i = 0; i < blocks.Count; i++)
        {
            Span<float> target = buffer.Span.Slice(i * (_inStride + _outStride), _inStride + _outStride);
            Round(blocks[i].AttentionIn, target);
            Round(blocks[i].AttentionOut, target[_inStride..]);
        }

        return buffer;
    }

    private static void Round(double[] values, Span<float> target)
    {
        for (int n = 0; n < values.Length; n++)
            target[n] = (float)values[n];
    }
}
