namespace UniCardio.Engine.Model;

/// <summary>A weight and its bias: a linear map y = W x + b, a convolution, or a LayerNorm's gamma and beta.</summary>
/// <param name="Weight">[outputs, inputs], [outputs, inputs, 1], [outputs, 1, kernel]; a LayerNorm's has its bias' shape.</param>
/// <param name="Bias">[outputs].</param>
/// <typeparam name="T">What stands for one tensor: its name and shape, its values, its place in a vector.</typeparam>
public sealed record WeightAndBias<T>(T Weight, T Bias);

/// <summary>Encoder of one slot.</summary>
/// <param name="Convolutions">Six, kernels 1, 3, 5, 7, 9, 11; weights [C/(6p), 1, k].</param>
/// <param name="Norm">LayerNorm over the [C, S/p] plane.</param>
/// <typeparam name="T">What stands for one map.</typeparam>
public sealed record EncoderWeights<T>(IReadOnlyList<T> Convolutions, T Norm)
{
    /// <summary>The same structure with every map replaced.</summary>
    public EncoderWeights<TResult> Select<TResult>(Func<T, TResult> replace) => new([.. Convolutions.Select(replace)], replace(Norm));
}

/// <summary>Decoder of one modality: C -&gt; C, ReLU, C -&gt; p.</summary>
/// <param name="Hidden">First map.</param>
/// <param name="Output">Second map.</param>
/// <typeparam name="T">What stands for one map.</typeparam>
public sealed record DecoderWeights<T>(T Hidden, T Output)
{
    /// <summary>The maps in the official checkpoint's order.</summary>
    public IEnumerable<T> Parts => [Hidden, Output];

    /// <summary>The same structure with every map replaced.</summary>
    public DecoderWeights<TResult> Select<TResult>(Func<T, TResult> replace)
    {
        ArgumentNullException.ThrowIfNull(replace);
        return new(replace(Hidden), replace(Output));
    }
}

/// <summary>One residual block. The only list of its matrices: names, values, packed and folded forms and gradients are all of this
/// type.</summary>
/// <param name="DiffusionProjection">E -&gt; C, of the diffusion embedding.</param>
/// <param name="ConditionProjection">C -&gt; 2C, of the position code.</param>
/// <param name="MidProjection">C -&gt; 2C, into the gate.</param>
/// <param name="OutputProjection">C -&gt; 2C, [residual, skip].</param>
/// <param name="AttentionIn">C -&gt; 3C, [Q, K, V].</param>
/// <param name="AttentionOut">C -&gt; C, of the heads side by side.</param>
/// <param name="FeedForwardIn">C -&gt; F.</param>
/// <param name="FeedForwardOut">F -&gt; C.</param>
/// <param name="Norm1">LayerNorm over C, after attention.</param>
/// <param name="Norm2">LayerNorm over C, after the feed-forward layer.</param>
/// <typeparam name="T">What stands for one map or norm.</typeparam>
public sealed record BlockWeights<T>(
    T DiffusionProjection,
    T ConditionProjection,
    T MidProjection,
    T OutputProjection,
    T AttentionIn,
    T AttentionOut,
    T FeedForwardIn,
    T FeedForwardOut,
    T Norm1,
    T Norm2)
{
    /// <summary>The ten parts in the official checkpoint's order.</summary>
    public IEnumerable<T> Parts =>
    [
        DiffusionProjection, ConditionProjection, MidProjection, OutputProjection, AttentionIn, AttentionOut, FeedForwardIn, FeedForwardOut,
        Norm1, Norm2,
    ];

    /// <summary>The same structure with every part replaced.</summary>
    public BlockWeights<TResult> Select<TResult>(Func<T, TResult> replace)
    {
        TResult[] u = [.. Parts.Select(replace)];
        return new(u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9]);
    }
}

/// <summary>A whole network.</summary>
/// <param name="Embedding1">First map of the diffusion embedding, E -&gt; E.</param>
/// <param name="Embedding2">Second map of the diffusion embedding, E -&gt; E.</param>
/// <param name="Encoders">Of slots A, B, C, D.</param>
/// <param name="Decoders">Of PPG, BP, ECG.</param>
/// <param name="Blocks">The residual blocks in order.</param>
/// <typeparam name="T">What stands for one map or norm.</typeparam>
public sealed record NetworkWeights<T>(
    T Embedding1,
    T Embedding2,
    IReadOnlyList<EncoderWeights<T>> Encoders,
    IReadOnlyList<DecoderWeights<T>> Decoders,
    IReadOnlyList<BlockWeights<T>> Blocks)
{
    /// <summary>Every map and norm in the official checkpoint's order: the encoders' norms come last.</summary>
    public IEnumerable<T> Parts =>
    [
        Embedding1,
        Embedding2,
        .. Encoders.SelectMany(e => e.Convolutions),
        .. Decoders.SelectMany(d => d.Parts),
        .. Blocks.SelectMany(b => b.Parts),
        .. Encoders.Select(e => e.Norm),
    ];

    /// <summary>The same structure with every map and norm replaced.</summary>
    public NetworkWeights<TResult> Select<TResult>(Func<T, TResult> replace)
    {
        ArgumentNullException.ThrowIfNull(replace);
        return new(
            replace(Embedding1),
            replace(Embedding2),
            [.. Encoders.Select(e => e.Select(replace))],
            [.. Decoders.Select(d => d.Select(replace))],
            [.. Blocks.Select(b => b.Select(replace))]);
    }
}
