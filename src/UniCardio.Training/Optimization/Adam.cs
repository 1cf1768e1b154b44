using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using UniCardio.Training.Network;

namespace UniCardio.Training.Optimization;

/// <summary>Adam over the flat vectors of a <see cref="ParameterLayout"/> (Kingma and Ba, arXiv 1412.6980), with L2 or decoupled weight
/// decay.</summary>
/// <remarks>
/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, p -= rate / (1 - b1^k) m / (sqrt(v) / sqrt(1 - b2^k) + eps), k = 1 in the first update.
/// Eight lanes at a time without fused operations: every machine computes the same bits.
/// </remarks>
internal sealed class Adam
{
    private readonly AdamOptions _options;
    private readonly float[] _moment1;
    private readonly float[] _moment2;

    // Where decoupled decay applies; ranges of whole tensors.
    private readonly (int Offset, int Count)[] _decayed;

    // What it moves: ranges between the tensors of another optimiser, whole lines of 16.
    private readonly List<(int Offset, int Count)> _moved = [];

    /// <summary>Creates the optimiser with zero moments.</summary>
    /// <param name="layout">The parameters.</param>
    /// <param name="options">Its numbers.</param>
    /// <param name="muon">Moves some of the tensors instead, with <see cref="Moment1"/> as its momentum; null where all are Adam's.</param>
    /// <exception cref="Engine.ConfigurationException">A number is out of range.</exception>
    public Adam(ParameterLayout layout, AdamOptions options, Muon? muon = null)
        : this((layout ?? throw new ArgumentNullException(nameof(layout))).Length, layout.Slices, options, muon)
    {
    }

    /// <summary>Creates the optimiser of any flat vector of tensors, each starting on a line of 16.</summary>
    internal Adam(int length, IReadOnlyList<ParameterSlice> slices, AdamOptions options, Muon? muon = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Validate();
        _moment1 = new float[length];
        _moment2 = new float[length];
        _decayed = options.Decay == WeightDecayKind.Decoupled && options.WeightDecay > 0
            ? [.. slices.Where(s => s.Shape.Count > 1 && !s.Name.Contains("norm", StringComparison.Ordinal))
                .Select(s => (s.Offset, s.Count))]
            : [];
        int from = 0;
        for (int i = 0; i < slices.Count; i++)
        {
            if (muon is null || !muon.Slices.Contains(slices[i]))
                continue;
            _moved.Add((from, slices[i].Offset - from));
            from = i + 1 < slices.Count ? slices[i + 1].Offset : length;
        }

        _moved.Add((from, length - from));
    }

    /// <summary>[N] running mean of the gradients.</summary>
    public Memory<float> Moment1 => _moment1;

    /// <summary>[N] running mean of the squared gradients.</summary>
    public Memory<float> Moment2 => _moment2;

    /// <summary>Updates done, for the correction of the moments' start at zero.</summary>
    public long Updates { get; set; }

    /// <summary>One update.</summary>
    /// <param name="parameters">[N].</param>
    /// <param name="gradients">[N], not changed.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="layers">Rates by layer, of a layout of which this optimiser moves every tensor; null for one rate.</param>
    /// <returns>Euclidean norm of the gradients before clipping. Where it is not finite, nothing was changed.</returns>
    /// <exception cref="ArgumentException">A length differs.</exception>
    public double Update(Span<float> parameters, ReadOnlySpan<float> gradients, double rate, LayerRates? layers = null)
    {
        if (parameters.Length != _moment1.Length || gradients.Length != _moment1.Length)
            throw new ArgumentException(
                $"{parameters.Length} parameters and {gradients.Length} gradients, the optimiser has {_moment1.Length}");
        double norm = Math.Sqrt(VectorSum.OfSquares(gradients));
        if (!double.IsFinite(norm))
            return norm;
        Updates++;
        foreach ((int offset, int count) in _decayed)
            Scale(parameters.Slice(offset, count), (float)(1 - (rate * _options.WeightDecay)));
        float scale = ClipScale(norm);
        if (layers is null)
        {
            foreach ((int offset, int count) in _moved)
                Move(parameters.Slice(offset, count), gradients.Slice(offset, count), offset, scale, rate);
            return norm;
        }

        layers.Include(parameters, gradients);
        double[] factors = layers.Factors();
        foreach ((ParameterSlice tensor, int layer) in layers.Tensors)
        {
            // To the end of its last line of 16, which is zero and stays so.
            int count = (tensor.Count + 15) / 16 * 16;
            Move(parameters.Slice(tensor.Offset, count), gradients.Slice(tensor.Offset, count), tensor.Offset, scale,
                rate * factors[layer]);
        }

        return norm;
    }

    /// <summary>Factor that clipping gives gradients of this norm.</summary>
    internal float ClipScale(double norm) => norm > _options.ClipNorm ? (float)(_options.ClipNorm / norm) : 1;

    private void Move(Span<float> parameters, ReadOnlySpan<float> gradients, int offset, float scale, double rate)
    {
        float decay = _options.Decay == WeightDecayKind.L2 ? (float)_options.WeightDecay : 0;
        float b1 = (float)_options.Beta1, c1 = (float)(1 - _options.Beta1), b2 = (float)_options.Beta2, c2 = (float)(1 - _options.Beta2);
        float eps = (float)_options.Epsilon, step = (float)(rate / (1 - Math.Pow(_options.Beta1, Updates)));
        float root = (float)(1 / Math.Sqrt(1 - Math.Pow(_options.Beta2, Updates)));
        ref float p = ref MemoryMarshal.GetReference(parameters), m = ref MemoryMarshal.GetReference(_moment1.AsSpan(offset)),
            v = ref MemoryMarshal.GetReference(_moment2.AsSpan(offset));
        ref float g = ref MemoryMarshal.GetReference(gradients);
        // Tensors start on lines of 16.
        for (nuint i = 0; i < (nuint)parameters.Length; i += 8)
        {
            Vector256<float> at = Vector256.LoadUnsafe(ref p, i);
            Vector256<float> gradient = (Vector256.LoadUnsafe(ref g, i) * scale) + (at * decay);
            Vector256<float> mean = (Vector256.LoadUnsafe(ref m, i) * b1) + (gradient * c1);
            Vector256<float> square = (Vector256.LoadUnsafe(ref v, i) * b2) + (gradient * gradient * c2);
            mean.StoreUnsafe(ref m, i);
            square.StoreUnsafe(ref v, i);
            (at - (mean * step / ((Vector256.Sqrt(square) * root) + Vector256.Create(eps)))).StoreUnsafe(ref p, i);
        }
    }

    private static void Scale(Span<float> x, float factor)
    {
        for (int i = 0; i < x.Length; i++)
            x[i] *= factor;
    }
}
