using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>
/// Biases that depend on the diffusion step: with y = x + d(t), a map of y is W x + (b + W d), and y itself enters only the
/// residual beside attention's output. Computed in double on a step's first use, kept for the engine's life.
/// </summary>
internal sealed unsafe class StepTables : IDisposable
{
    private readonly ModelConfiguration _configuration;
    private readonly double[] _w1, _b1, _w2, _b2;
    private readonly Block[] _blocks;
    private readonly AlignedBuffer?[] _steps;
    private readonly Lock _filling = new();
    private readonly int _inStride, _outStride;

    public StepTables(ModelWeights weights, int panel)
    {
        _configuration = weights.Configuration;
        (_w1, _b1) = Copy(weights.Embedding1);
        (_w2, _b2) = Copy(weights.Embedding2);
        _blocks = [.. weights.Blocks.Select(b =>
        {
            (double[] diffusion, double[] diffusionBias) = Copy(b.DiffusionProjection);
            (double[] attention, double[] attentionBias) = Copy(b.AttentionIn);
            return new Block(diffusion, diffusionBias, attention, attentionBias, [.. b.AttentionOut.Bias.Span.ToArray().Select(v => (double)v)]);
        })];
        _steps = new AlignedBuffer?[_configuration.DiffusionSteps];
        _inStride = PackedNetwork.RoundUp(3 * _configuration.Channels, panel);
        _outStride = PackedNetwork.RoundUp(_configuration.Channels, panel);
    }

    private sealed record Block(double[] Diffusion, double[] DiffusionBias, double[] Attention, double[] AttentionBias, double[] OutBias);

    /// <summary>Bytes of the steps filled so far.</summary>
    public long Bytes => _steps.Sum(s => s?.Bytes ?? 0);

    /// <summary>What multiplies Q: softmax's 1/sqrt(head dim), and log2(e) so that e^x becomes 2^s.</summary>
    public static double QueryScale(ModelConfiguration m) => 1 / (Math.Sqrt(m.HeadDim) * Math.Log(2));

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
        int e = _configuration.Embedding, c = _configuration.Channels;
        double[] table = new double[e], hidden = new double[e], embedding = new double[e], d = new double[c], bias = new double[3 * c];
        ReferenceDiffusionEmbedding.Table(t, table);
        ReferenceLinear.Forward(table, _w1, _b1, hidden, table.Length);
        ReferenceSilu.Forward(hidden, hidden);
        ReferenceLinear.Forward(hidden, _w2, _b2, embedding, hidden.Length);
        ReferenceSilu.Forward(embedding, embedding);
        var buffer = new AlignedBuffer((long)_blocks.Length * (_inStride + _outStride));
        double scale = QueryScale(_configuration);
        for (int i = 0; i < _blocks.Length; i++)
        {
            ReferenceLinear.Forward(embedding, _blocks[i].Diffusion, _blocks[i].DiffusionBias, d, embedding.Length);
            ReferenceLinear.Forward(d, _blocks[i].Attention, _blocks[i].AttentionBias, bias, d.Length);
            Span<float> target = buffer.Span[(i * (_inStride + _outStride))..];
            for (int n = 0; n < 3 * c; n++)
                target[n] = (float)(n < c ? bias[n] * scale : bias[n]);
            for (int n = 0; n < c; n++)
                target[_inStride + n] = (float)(_blocks[i].OutBias[n] + d[n]);
        }

        return buffer;
    }

    private static (double[] Weight, double[] Bias) Copy(LinearWeights linear) =>
        (Array.ConvertAll(linear.Weight.Span.ToArray(), v => (double)v), Array.ConvertAll(linear.Bias.Span.ToArray(), v => (double)v));
}
