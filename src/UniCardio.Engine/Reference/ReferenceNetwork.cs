using UniCardio.Engine.Model;

namespace UniCardio.Engine.Reference;

/// <summary>
/// What the target reads of a window's conditions at one diffusion step: the keys and values of the condition tokens in every
/// block. It depends on (conditions, t) alone, never on the noisy target.
/// </summary>
/// <param name="T">The diffusion step.</param>
/// <param name="Blocks">Keys and values [conditions S/p, C] of each block, condition slots in slot order.</param>
internal sealed record ReferenceConditionState(int T, IReadOnlyList<ReferenceKeyValues> Blocks);

/// <summary>
/// The network in double precision, written to be read beside the description of the model: the dense form over all four slots with a
/// 0/-infinity mask, as the official code computes it, and the form over live slots only, which gives the same numbers.
/// </summary>
/// <remarks>
/// It is what every fast implementation is tested against. Source of the model: arXiv 2505.22306 and its published code. Safe to
/// use from several threads.
/// </remarks>
internal sealed class ReferenceNetwork
{
    private readonly NetworkWeights<LinearMap> _weights;
    private readonly int _threads;
    private readonly AttentionPattern _pattern;

    // [S/p, C] codes of each slot's tokens.
    private readonly double[][] _positions;

    /// <summary>Creates the network over a copy of the weights in double.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="threads">Most threads at a time; 0 for as many as the machine has. Results do not depend on it.</param>
    /// <param name="pattern">Which tokens of a readable slot are seen; the default, all of them, is the official network.</param>
    public ReferenceNetwork(ModelWeights weights, int threads = 0, AttentionPattern pattern = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        _pattern = pattern.Validate();
        ArgumentNullException.ThrowIfNull(weights);
        Configuration = weights.Configuration;
        _weights = weights.Network.Select(LinearMap.Of);
        _threads = threads;
        _positions = new double[ModelConfiguration.SlotCount][];
        for (int slot = 0; slot < _positions.Length; slot++)
        {
            _positions[slot] = new double[Configuration.SlotTokens * Configuration.Channels];
            ReferencePositionCode.Slot(Configuration, slot, _positions[slot]);
        }
    }

    /// <summary>The network's sizes.</summary>
    public ModelConfiguration Configuration { get; }

    /// <summary>The weights in double.</summary>
    public NetworkWeights<LinearMap> Weights => _weights;

    /// <summary>The dense form: all four slots, tokens of slot i at i S/p, the full mask.</summary>
    /// <param name="task">Conditions, target and decoder.</param>
    /// <param name="x">[4S] samples of slots A, B, C, D; the target's slot holds x_t.</param>
    /// <param name="t">Diffusion step, 0 to T-1.</param>
    /// <param name="prediction">[S] what the network predicts for the target (eps, v or x0, as the configuration says).</param>
    /// <param name="activations">Takes the intermediate values, if given.</param>
    /// <exception cref="ArgumentException">The lengths do not fit the configuration, or t is out of range.</exception>
    public void Dense(CardioTask task, ReadOnlySpan<double> x, int t, Span<double> prediction, ReferenceActivations? activations = null)
    {
        ModelConfiguration m = Configuration;
        ReferenceShape.Expect(x.Length, (long)ModelConfiguration.SlotCount * m.SlotSamples, "[4S]", nameof(x));
        ReferenceShape.Expect(prediction.Length, m.SlotSamples, "[S]", nameof(prediction));
        int[] slots = [0, 1, 2, 3];
        double[] tokens = Encode(slots, x, activations), positions = Positions(slots), embedding = Embedding(t);
        activations?.Keep("diffusion_embedding", embedding);
        double[] mask = ReferenceMask.Dense(task.Conditions, m.SlotTokens, _pattern);
        double[] skips = new double[tokens.Length];
        for (int i = 0; i < m.Blocks; i++)
        {
            BlockWeights<LinearMap> block = _weights.Blocks[i];
            double[] y = ReferenceBlock.AddStep(block, embedding, tokens);
            activations?.KeepInput(y);
            ReferenceKeyValues own = ReferenceBlock.KeysAndValues(block, y, _threads);
            ReferenceBlockOutput output = ReferenceBlock.Forward(block, m.Heads, tokens, y, own with { Mask = mask }, positions, _threads);
            activations?.KeepTransposed($"layer{i}/time_layer", output.TimeLayer, m.Channels);
            activations?.KeepTransposed($"layer{i}/x", output.X, m.Channels);
            activations?.KeepTransposed($"layer{i}/skip", output.Skip, m.Channels);
            ReferenceVector.AddScaled(1, output.Skip, skips);
            tokens = output.X;
        }

        int slot = m.SlotTokens * m.Channels;
        Decode(task.Output, skips.AsSpan((int)task.Target * slot, slot), prediction);
    }

    /// <summary>The condition rows of the live form: keys and values of the condition tokens in every block.</summary>
    /// <param name="conditions">The condition slots.</param>
    /// <param name="samples">[conditions, S], in slot order.</param>
    /// <param name="t">Diffusion step, 0 to T-1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit the configuration, or t is out of range.</exception>
    public ReferenceConditionState Conditions(ModalitySet conditions, ReadOnlySpan<double> samples, int t)
    {
        ModelConfiguration m = Configuration;
        int[] slots = [.. conditions.Members().Select(c => (int)c)];
        ReferenceShape.Expect(samples.Length, (long)slots.Length * m.SlotSamples, "[conditions, S]", nameof(samples));
        double[] tokens = Encode(slots, samples, null), positions = Positions(slots), embedding = Embedding(t);
        double[] mask = ReferenceMask.Live(slots.Length, slots.Length, m.SlotTokens, _pattern);
        var read = new List<ReferenceKeyValues>();
        foreach (BlockWeights<LinearMap> block in _weights.Blocks)
        {
            double[] y = ReferenceBlock.AddStep(block, embedding, tokens);
            ReferenceKeyValues own = ReferenceBlock.KeysAndValues(block, y, _threads);
            read.Add(own);
            // In the last block nothing but keys and values is read.
            if (read.Count < m.Blocks)
                tokens = ReferenceBlock.Forward(block, m.Heads, tokens, y, own with { Mask = mask }, positions, _threads).X;
        }

        return new ReferenceConditionState(t, read);
    }

    /// <summary>The target rows of the live form.</summary>
    /// <param name="task">Target and decoder.</param>
    /// <param name="conditions">The condition rows of the same window, whose t is this call's.</param>
    /// <param name="state">[S] x_t.</param>
    /// <param name="prediction">[S] what the network predicts.</param>
    /// <exception cref="ArgumentException">The lengths do not fit the configuration.</exception>
    public void Target(CardioTask task, ReferenceConditionState conditions, ReadOnlySpan<double> state, Span<double> prediction)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        ModelConfiguration m = Configuration;
        ReferenceShape.Expect(state.Length, m.SlotSamples, "[S]", nameof(state));
        ReferenceShape.Expect(prediction.Length, m.SlotSamples, "[S]", nameof(prediction));
        int[] slots = [(int)task.Target];
        double[] mask = ReferenceMask.Live(1, task.Conditions.Count() + 1, m.SlotTokens, _pattern);
        double[] tokens = Encode(slots, state, null), positions = Positions(slots), embedding = Embedding(conditions.T);
        double[] skips = new double[tokens.Length];
        for (int i = 0; i < m.Blocks; i++)
        {
            BlockWeights<LinearMap> block = _weights.Blocks[i];
            double[] y = ReferenceBlock.AddStep(block, embedding, tokens);
            ReferenceKeyValues read = conditions.Blocks[i].Append(ReferenceBlock.KeysAndValues(block, y, _threads));
            ReferenceBlockOutput output = ReferenceBlock.Forward(block, m.Heads, tokens, y, read with { Mask = mask }, positions, _threads);
            ReferenceVector.AddScaled(1, output.Skip, skips);
            tokens = output.X;
        }

        Decode(task.Output, skips, prediction);
    }

    // samples [slots, S] -> tokens [slots S/p, C].
    private double[] Encode(int[] slots, ReadOnlySpan<double> samples, ReferenceActivations? activations)
    {
        ModelConfiguration m = Configuration;
        int slotLength = m.SlotTokens * m.Channels;
        double[] tokens = new double[slots.Length * slotLength], plane = new double[slotLength];
        for (int i = 0; i < slots.Length; i++)
        {
            ReferenceEncoder.Tokens(m, _weights.Encoders[slots[i]], slots[i], samples.Slice(i * m.SlotSamples, m.SlotSamples), plane,
                tokens.AsSpan(i * slotLength, slotLength));
            activations?.Keep($"encoder{slots[i] + 1}", plane);
        }

        return tokens;
    }

    // [slots S/p, C]
    private double[] Positions(int[] slots) => [.. slots.SelectMany(slot => _positions[slot])];

    // [E]
    private double[] Embedding(int t)
    {
        if (t < 0 || t >= Configuration.DiffusionSteps)
            throw new ArgumentOutOfRangeException(nameof(t), t, $"not a diffusion step, expected 0 to {Configuration.DiffusionSteps - 1}");
        double[] embedding = new double[Configuration.Embedding];
        ReferenceDiffusionEmbedding.Forward(_weights.Embedding1, _weights.Embedding2, t, embedding);
        return embedding;
    }

    // skips [S/p, C], summed over the blocks.
    private void Decode(Modality decoder, ReadOnlySpan<double> skips, Span<double> prediction)
    {
        double[] mean = new double[skips.Length];
        ReferenceVector.AddScaled(1 / Math.Sqrt(Configuration.Blocks), skips, mean);
        ReferenceDecoder.Forward(_weights.Decoders[(int)decoder], mean, prediction);
    }
}

/// <summary>Intermediate values of one pass of the dense four-slot form, under the names of the golden vectors.</summary>
/// <remarks>
/// <c>encoder{1..4}</c> [C, S/p] (before any position code), <c>diffusion_embedding</c> [E], and for each block i from 0
/// <c>layer{i}/time_layer</c>, <c>layer{i}/x</c> and <c>layer{i}/skip</c>, [C, 4 S/p]: channels first, as PyTorch lays them out.
/// </remarks>
internal sealed class ReferenceActivations
{
    private readonly Dictionary<string, double[]> _values = new(StringComparer.Ordinal);
    private readonly List<double[]> _inputs = [];

    /// <summary>The values by name.</summary>
    public IReadOnlyDictionary<string, double[]> Values => _values;

    /// <summary>[tokens, C] of each block in turn: its input with the diffusion step added, which attention looks at; in no golden
    /// file.</summary>
    public IReadOnlyList<double[]> BlockInputs => _inputs;

    internal void KeepInput(ReadOnlySpan<double> rows) => _inputs.Add(rows.ToArray());

    internal void Keep(string name, ReadOnlySpan<double> values) => _values[name] = values.ToArray();

    // rows [tokens, channels] are kept as [channels, tokens].
    internal void KeepTransposed(string name, ReadOnlySpan<double> rows, int channels)
    {
        int tokens = ReferenceShape.Rows(rows.Length, channels);
        double[] values = new double[rows.Length];
        for (int k = 0; k < tokens; k++)
        {
            for (int c = 0; c < channels; c++)
                values[(c * tokens) + k] = rows[(k * channels) + c];
        }

        _values[name] = values;
    }
}
