#if TORCH
using TorchSharp;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace UniCardio.Benchmarks.Peers;

/// <summary>
/// The live-slot network in eager PyTorch, from the same folded weights; conditions once for all draws. Built with -p:Torch=true only.
/// </summary>
internal sealed class TorchPeer : INetworkPeer
{
    private readonly FoldedNetwork _network;
    private readonly InferencePlan _plan;
    private readonly Dictionary<string, Tensor> _constants = new(StringComparer.Ordinal);
    private readonly Tensor _conditions, _state;
    private readonly Dictionary<(int T, int Block, bool Out), Tensor> _steps = [];

    public TorchPeer(ModelWeights weights, InferencePlan plan, int threads, float[] conditions, float[] state)
    {
        (_network, _plan) = (new FoldedNetwork(weights), plan);
        ModelConfiguration m = plan.Configuration;
        torch.set_num_threads(threads);
        _conditions = tensor(conditions, [plan.Windows, plan.Conditions.Count, m.SlotSamples]);
        _state = tensor(state, [plan.Windows * plan.Draws, 1, m.SlotSamples]);
        Prediction = new float[state.Length];
        for (int t = 0; t < m.DiffusionSteps; t++)
        {
            IReadOnlyList<StepBias> steps = _network.Steps.At(t);
            for (int block = 0; block < m.Blocks; block++)
            {
                _steps[(t, block, false)] = Of(Natural(steps[block].AttentionIn, 1), 3 * m.Channels);
                _steps[(t, block, true)] = Of(steps[block].AttentionOut, m.Channels);
            }
        }

        // Starts the pool's threads and makes the constants.
        Call(0);
    }

    public float[] Prediction { get; }

    public void Call(int t)
    {
        using IDisposable inference = inference_mode();
        using DisposeScope scope = NewDisposeScope();
        Forward(t).cpu().contiguous().data<float>().CopyTo(Prediction);
    }

    public void Dispose()
    {
        foreach (Tensor constant in (Tensor[])[.. _constants.Values, .. _steps.Values, _conditions, _state])
            constant.Dispose();
    }

    private Tensor Forward(int t)
    {
        ModelConfiguration m = _plan.Configuration;
        int[] slots = [.. _plan.Conditions.Select(c => (int)c)];
        Tensor read = cat([.. slots.Select((slot, i) => Encode(slot, _conditions.slice(1, i, i + 1, 1)))], 1);
        Tensor rows = Encode((int)_plan.Target, _state);
        Tensor? skips = null;
        for (int i = 0; i < m.Blocks; i++)
        {
            (Tensor? queries, Tensor keys, Tensor values) = Project(read, t, i, i < m.Blocks - 1);
            (Tensor? own, Tensor ownKeys, Tensor ownValues) = Project(rows, t, i, true);
            Tensor allKeys = cat([keys.repeat_interleave(_plan.Draws, 0), ownKeys], 2);
            Tensor allValues = cat([values.repeat_interleave(_plan.Draws, 0), ownValues], 2);
            Tensor output = Gated(rows, Attend(own!, allKeys, allValues), t, i, [(int)_plan.Target]);
            Tensor skip = Map(output, i, "skip");
            skips = skips is null ? skip : skips.add_(skip);
            if (i == m.Blocks - 1)
                break;
            rows = (rows * (float)Math.Sqrt(0.5)).add_(Map(output, i, "residual"));
            read = (read * (float)Math.Sqrt(0.5)).add_(Map(Gated(read, Attend(queries!, keys, values), t, i, slots), i, "residual"));
        }

        DecoderWeights<LinearMap> decoder = _network.Decoders[(int)_plan.Task.Output];
        Tensor hidden = Linear(skips!, "hidden", () => decoder.Hidden, 0, m.Channels).relu_();
        return Linear(hidden, "output", () => decoder.Output, 0, m.SamplesPerToken).reshape(-1);
    }

    private Tensor Encode(int slot, Tensor samples)
    {
        ModelConfiguration m = _plan.Configuration;
        FoldedEncoder encoder = _network.Encoders[slot];
        Tensor taps = functional.conv1d(samples, Constant($"taps{slot}", () => encoder.Patch.Weight, m.Channels, 1, EncoderPatch.Samples(m)),
            Constant($"taps_bias{slot}", () => encoder.Patch.Bias, m.Channels), m.SamplesPerToken, EncoderPatch.Reach);
        return functional.layer_norm(taps.transpose(1, 2), [m.SlotTokens, m.Channels],
            Constant($"gain{slot}", () => encoder.Plane.Weight, m.SlotTokens, m.Channels),
            Constant($"offset{slot}", () => encoder.Plane.Bias, m.SlotTokens, m.Channels), ModelConfiguration.LayerNormEpsilon);
    }

    // [rows, heads, tokens, d] each.
    private (Tensor? Queries, Tensor Keys, Tensor Values) Project(Tensor x, int t, int block, bool withQueries)
    {
        ModelConfiguration m = _plan.Configuration;
        int c = m.Channels, first = withQueries ? 0 : c;
        LinearMap map = _network.Blocks[block].AttentionIn;
        Tensor weight = Constant($"in{block}", () => Natural(map.Weight, map.Inputs), 3 * c, c), bias = _steps[(t, block, false)];
        if (!withQueries)
            (weight, bias) = (weight.slice(0, first, 3 * c, 1), bias.slice(0, first, 3 * c, 1));
        Tensor[] parts = functional.linear(x, weight, bias).chunk(withQueries ? 3 : 2, -1);
        Tensor[] heads = [.. parts.Select(p => p.view(x.shape[0], x.shape[1], m.Heads, m.HeadDim).transpose(1, 2))];
        return withQueries ? (heads[0], heads[1], heads[2]) : (null, heads[0], heads[1]);
    }

    // Folding scales queries for 2^s and by 1/sqrt(d), which scaled_dot_product_attention does itself.
    private double[] Natural(double[] values, int inputs)
    {
        double scale = 1 / FoldedNetwork.QueryScale(_plan.Configuration);
        return [.. values.Select((v, i) => i < _plan.Configuration.Channels * inputs ? v * scale : v)];
    }

    private Tensor Attend(Tensor queries, Tensor keys, Tensor values) => functional.scaled_dot_product_attention(queries, keys, values)
        .transpose(1, 2).reshape(queries.shape[0], queries.shape[2], _plan.Configuration.Channels);

    private Tensor Gated(Tensor x, Tensor attended, int t, int block, int[] slots)
    {
        int c = _plan.Configuration.Channels;
        BlockWeights<LinearMap> b = _network.Blocks[block];
        Tensor mapped = functional.linear(attended, Constant($"out{block}", () => b.AttentionOut.Weight, c, c), _steps[(t, block, true)]);
        Tensor first = functional.layer_norm(mapped.add_(x), [c], Constant($"gamma{block}", () => b.Norm1.Weight, c),
            Constant($"beta{block}", () => b.Norm1.Bias, c), ModelConfiguration.LayerNormEpsilon);
        Tensor hidden = functional.gelu(Linear(first, $"in1{block}", () => b.FeedForwardIn, 0, b.FeedForwardIn.Outputs));
        Tensor second = functional.layer_norm(Linear(hidden, $"out2{block}", () => b.FeedForwardOut, 0, c).add_(first), [c], null, null,
            ModelConfiguration.LayerNormEpsilon);
        Tensor mid = functional.linear(second, Constant($"mid{block}", () => b.MidProjection.Weight, 2 * c, c))
            .add_(Constant($"positions{block}{slots[0]}", () => Positions(block, slots), slots.Length * _plan.Configuration.SlotTokens, 2 * c));
        Tensor[] halves = mid.chunk(2, -1);
        return halves[0].sigmoid().mul_(halves[1].tanh());
    }

    private double[] Positions(int block, int[] slots)
    {
        int c = _plan.Configuration.Channels, tokens = _plan.Configuration.SlotTokens;
        double[] all = new double[slots.Length * tokens * 2 * c];
        for (int i = 0; i < slots.Length; i++)
        {
            double[] codes = _network.Positions.Codes(slots[i]);
            for (int token = 0; token < tokens; token++)
                _network.Positions.Row(block, codes.AsSpan(token * c, c), all.AsSpan(((i * tokens) + token) * 2 * c, 2 * c));
        }

        return all;
    }

    private Tensor Map(Tensor x, int block, string half) => Linear(x, half + block, () => _network.Blocks[block].OutputProjection,
        half == "skip" ? _plan.Configuration.Channels : 0, _plan.Configuration.Channels);

    private Tensor Linear(Tensor x, string name, Func<LinearMap> map, int first, int outputs) => functional.linear(x,
        Constant(name, () => map().Weight.AsSpan(first * map().Inputs, outputs * map().Inputs).ToArray(), outputs, map().Inputs),
        Constant(name + "_bias", () => map().Bias.AsSpan(first, outputs).ToArray(), outputs));

    private Tensor Constant(string name, Func<double[]> values, params long[] shape)
    {
        if (!_constants.TryGetValue(name, out Tensor? made))
            _constants[name] = made = Of(values(), shape);
        return made;
    }

    private static Tensor Of(double[] values, params long[] shape) =>
        tensor(Array.ConvertAll(values, v => (float)v), shape).DetachFromDisposeScope();
}
#endif
