using UniCardio.Engine.Model;

namespace UniCardio.Weights.Onnx;

/// <summary>
/// The live-slot network as an ONNX graph: what a session computes in one call, from the same folded weights. The condition rows of a
/// window are computed once for all its draws.
/// </summary>
/// <remarks>
/// <code>
/// x_t [W, N, S], one input a condition [W, S], t [1]  ->  prediction [W, N, S]
/// rows  [W, 1, n S/p, C] of the conditions, [W, N, S/p, C] of the target
/// heads [W, N, heads, S/p, d] x [W, N, heads, d, (n + 1) S/p]
/// </code>
/// A step's biases are a table of T rows a block: Gather(t). Linear maps are MatMul over all rows at once; Q, K, V, the gate's halves,
/// residual and skip are products of their own, so that nothing has to be split. In the last block the conditions give keys and values
/// only.
/// </remarks>
internal sealed class OnnxNetwork
{
    private readonly FoldedNetwork _network;
    private readonly CardioTask _task;
    private readonly OnnxOptions _options;
    private readonly OnnxGraph _graph = new();
    private readonly List<IReadOnlyList<StepBias>> _steps;
    private readonly string _headShape, _rowShape, _half, _root, _one;
    private readonly Dictionary<string, string> _shared = new(StringComparer.Ordinal);
    private string _t = "";

    private OnnxNetwork(FoldedNetwork network, OnnxOptions options)
    {
        (_network, _task, _options) = (network, options.Task, options);
        ModelConfiguration m = Sizes;
        _steps = [.. Enumerable.Range(0, m.DiffusionSteps).Select(network.Steps.At)];
        // 0 keeps a dimension as it is.
        _headShape = _graph.Indices("head_shape", 0, 0, 0, m.Heads, m.HeadDim);
        _rowShape = _graph.Indices("row_shape", 0, 0, 0, m.Channels);
        _half = _graph.Constant("half", [0.5]);
        _root = _graph.Constant("root_half", [Math.Sqrt(0.5)]);
        _one = _graph.Constant("one", [1.0]);
    }

    private ModelConfiguration Sizes => _network.Configuration;

    private object Windows => _options.Windows is int windows ? windows : "windows";

    private object Draws => _options.Draws is int draws ? draws : "draws";

    /// <summary>Builds the graph.</summary>
    public static OnnxGraph Create(FoldedNetwork network, OnnxOptions options)
    {
        var builder = new OnnxNetwork(network, options);
        builder.Build();
        return builder._graph;
    }

    private void Build()
    {
        ModelConfiguration m = Sizes;
        int target = (int)_task.Target;
        string state = _graph.Input(OnnxFile.State, [Windows, Draws, m.SlotSamples], OnnxFile.StateMeaning(m, _task));
        string[] conditions = [.. _task.Conditions.Members().Select(c =>
            _graph.Input(c.Name(), [Windows, m.SlotSamples], OnnxFile.Meaning(c, _task)))];
        _t = _graph.Index(OnnxFile.Step, [1], $"diffusion step, 0 to {m.DiffusionSteps - 1}");

        int[] slots = [.. _task.Conditions.Members().Select(c => (int)c)];
        string[] encoded = [.. slots.Select((slot, i) => Encode($"condition{slot}", slot, conditions[i], oneDraw: true))];
        string read = encoded.Length == 1 ? encoded[0] : _graph.Node("Concat", "conditions", encoded, ("axis", 2L));
        string rows = Encode("target", target, state, oneDraw: false);
        string? skips = null;
        for (int i = 0; i < m.Blocks; i++)
        {
            var given = new Rows($"condition_block{i}", i, read, slots);
            var made = new Rows($"block{i}", i, rows, [target]);
            (string keys, string values) = KeysAndValues(given);
            (string ownKeys, string ownValues) = KeysAndValues(made);
            if (i < m.Blocks - 1)
                read = Residual(given, Gated(given, keys, values));
            string gated = Gated(made, Append(made, keys, ownKeys, 4), Append(made, values, ownValues, 3));
            skips = Skip(made, gated, skips);
            if (i < m.Blocks - 1)
                rows = Residual(made, gated);
        }

        Decode(skips!);
    }

    // Samples [W, S] or [W, N, S] to token rows [W, 1 or N, S/p, C].
    private string Encode(string name, int slot, string samples, bool oneDraw)
    {
        ModelConfiguration m = Sizes;
        FoldedEncoder encoder = _network.Encoders[slot];
        long patch = EncoderPatch.Samples(m);
        // [W N, 1, S] -> [W N, C, S/p] -> [W N, S/p, C]
        string flat = _graph.Node("Reshape", name + "_flat", [samples, _graph.Indices("flat", -1, 1, m.SlotSamples)]);
        string taps = _graph.Node("Conv", name + "_convolutions",
            [flat, _graph.Constant(name + "_taps", encoder.Patch.Weight, m.Channels, 1, patch),
                _graph.Constant(name + "_taps_bias", encoder.Patch.Bias, m.Channels)],
            ("kernel_shape", (long[])[patch]), ("strides", (long[])[m.SamplesPerToken]),
            ("pads", (long[])[EncoderPatch.Reach, EncoderPatch.Reach]));
        string tokens = _graph.Node("Transpose", name + "_tokens", [taps], ("perm", (long[])[0, 2, 1]));
        string normed = _graph.Node("LayerNormalization", name + "_norm",
            [tokens, _graph.Constant(name + "_gain", encoder.Plane.Weight, m.SlotTokens, m.Channels),
                _graph.Constant(name + "_offset", encoder.Plane.Bias, m.SlotTokens, m.Channels)],
            ("axis", -2L), ("epsilon", (float)ModelConfiguration.LayerNormEpsilon));
        if (oneDraw)
            return _graph.Node("Unsqueeze", name + "_rows", [normed, _graph.Indices("draw_axis", 1)]);
        string shape = _graph.Node("Concat", name + "_shape",
            [_graph.Node("Shape", "batch", [samples], ("start", 0L), ("end", 2L)), _graph.Indices("token_shape", m.SlotTokens, m.Channels)],
            ("axis", 0L));
        return _graph.Node("Reshape", name + "_rows", [normed, shape]);
    }

    // Keys [W, N, heads, d, tokens], values [W, N, heads, tokens, d].
    private (string Keys, string Values) KeysAndValues(Rows rows) =>
        (Heads(rows, "keys", 1, [0, 1, 3, 4, 2]), Heads(rows, "values", 2, [0, 1, 3, 2, 4]));

    private string Heads(Rows rows, string name, int third, long[] order)
    {
        int c = Sizes.Channels;
        LinearMap map = _network.Blocks[rows.Block].AttentionIn;
        // Folding scales queries for 2^s; ONNX's softmax is of e^s.
        double scale = third == 0 ? Math.Log(2) : 1;
        if (scale != 1)
            map = map.Scale((n, _) => n < c ? scale : 1);
        string biases = StepTable($"{rows.Short}_{name}_steps", t => _steps[t][rows.Block].AttentionIn.AsSpan(third * c, c), scale);
        string product = _graph.Node("MatMul", $"{rows.Name}_{name}_product",
            [rows.X, Shared($"{rows.Short}_{name}_weight", n => _graph.Weight(n, map, third * c, c))]);
        string sum = _graph.Node("Add", $"{rows.Name}_{name}_rows", [product, biases]);
        string split = _graph.Node("Reshape", $"{rows.Name}_{name}_heads", [sum, _headShape]);
        return _graph.Node("Transpose", $"{rows.Name}_{name}", [split], ("perm", order));
    }

    // A step's row of a table [T, C].
    private string StepTable(string name, TableRow row, double scale) => Shared(name + "_row", gathered =>
    {
        int c = Sizes.Channels;
        double[] table = new double[Sizes.DiffusionSteps * c];
        for (int i = 0; i < table.Length; i++)
            table[i] = row(i / c)[i % c] * scale;
        return _graph.Node("Gather", gathered, [_graph.Constant(name, table, Sizes.DiffusionSteps, c), _t], ("axis", 0L));
    });

    // The conditions' keys or values, which all draws of a window read, before a draw's own.
    private string Append(Rows rows, string given, string own, long axis)
    {
        if (_options.Draws != 1)
            given = _graph.Node("Expand", given + "_of_draws", [given, Shared("draw_shape", DrawShape)]);
        return _graph.Node("Concat", own + "_read", [given, own], ("axis", axis));
    }

    // [1, N, 1, 1, 1]
    private string DrawShape(string name)
    {
        if (_options.Draws is int draws)
            return _graph.Indices(name, 1, draws, 1, 1, 1);
        string count = _graph.Node("Shape", "draw_count", [OnnxFile.State], ("start", 1L), ("end", 2L));
        return _graph.Node("Concat", name, [_graph.Indices("ones_before", 1), count, _graph.Indices("ones_after", 1, 1, 1)], ("axis", 0L));
    }

    // From attention to the gate: [W, N, tokens, C].
    private string Gated(Rows rows, string keys, string values)
    {
        BlockWeights<LinearMap> block = _network.Blocks[rows.Block];
        int c = Sizes.Channels;
        string queries = Heads(rows, "queries", 0, [0, 1, 3, 2, 4]);
        string scores = _graph.Node("MatMul", rows.Name + "_scores", [queries, keys]);
        string weights = _graph.Node("Softmax", rows.Name + "_softmax", [scores], ("axis", -1L));
        string heads = _graph.Node("MatMul", rows.Name + "_attention_heads", [weights, values]);
        string turned = _graph.Node("Transpose", rows.Name + "_attention_turned", [heads], ("perm", (long[])[0, 1, 3, 2, 4]));
        string attended = _graph.Node("Reshape", rows.Name + "_attention", [turned, _rowShape]);
        string mapped = Map(rows, "attention_out", attended, block.AttentionOut, 0, c);
        string step = StepTable(rows.Short + "_attention_out_steps", t => _steps[t][rows.Block].AttentionOut, 1);
        string sum = _graph.Node("Add", rows.Name + "_attention_residual",
            [_graph.Node("Add", rows.Name + "_attention_sum", [mapped, step]), rows.X]);
        string first = Normalize(rows, "norm1", sum, block.Norm1.Weight, block.Norm1.Bias);

        string hidden = Gelu(rows, Biased(rows, "feed_forward_in", first, block.FeedForwardIn, 0, block.FeedForwardIn.Outputs));
        string fed = Biased(rows, "feed_forward_out", hidden, block.FeedForwardOut, 0, c);
        string second = _graph.Node("Add", rows.Name + "_feed_forward_residual", [fed, first]);
        // Gain and offset are in the next map and in the position constants.
        string normed = Normalize(rows, "norm2", second, [.. Enumerable.Repeat(1.0, c)], new double[c]);

        (string startA, string startB) = Positions(rows);
        string a = _graph.Node("Sigmoid", rows.Name + "_sigmoid", [Mid(rows, "mid_a", normed, 0, startA)]);
        string b = _graph.Node("Tanh", rows.Name + "_tanh", [Mid(rows, "mid_b", normed, c, startB)]);
        return _graph.Node("Mul", rows.Name + "_gate", [a, b]);
    }

    private string Map(Rows rows, string name, string x, LinearMap map, int firstOutput, int outputs) => _graph.Node("MatMul",
        $"{rows.Name}_{name}", [x, Shared($"{rows.Short}_{name}_weight", n => _graph.Weight(n, map, firstOutput, outputs))]);

    private string Biased(Rows rows, string name, string x, LinearMap map, int firstOutput, int outputs)
    {
        string bias = Shared($"{rows.Short}_{name}_bias", n => _graph.Constant(n, map.Bias.AsSpan(firstOutput, outputs), outputs));
        return _graph.Node("Add", $"{rows.Name}_{name}_sum", [Map(rows, name, x, map, firstOutput, outputs), bias]);
    }

    // What the mid projection's two halves start from by position, [tokens, C] each.
    private (string A, string B) Positions(Rows rows)
    {
        int c = Sizes.Channels, tokens = Sizes.SlotTokens, all = rows.Slots.Length * tokens;
        double[] a = new double[all * c], b = new double[all * c];
        for (int i = 0; i < rows.Slots.Length; i++)
        {
            double[] codes = _network.Positions.Codes(rows.Slots[i]);
            Parallel.For(0, tokens, token =>
            {
                double[] row = new double[2 * c];
                _network.Positions.Row(rows.Block, codes.AsSpan(token * c, c), row);
                row.AsSpan(0, c).CopyTo(a.AsSpan(((i * tokens) + token) * c));
                row.AsSpan(c).CopyTo(b.AsSpan(((i * tokens) + token) * c));
            });
        }

        return (_graph.Constant(rows.Name + "_positions_a", a, all, c), _graph.Constant(rows.Name + "_positions_b", b, all, c));
    }

    private string Mid(Rows rows, string name, string x, int firstOutput, string positions) => _graph.Node("Add", $"{rows.Name}_{name}_sum",
        [Map(rows, name, x, _network.Blocks[rows.Block].MidProjection, firstOutput, Sizes.Channels), positions]);

    private string Normalize(Rows rows, string name, string x, double[] gain, double[] offset) => _graph.Node("LayerNormalization",
        $"{rows.Name}_{name}",
        [x, Shared($"{rows.Short}_{name}_gain", n => _graph.Constant(n, gain, gain.Length)),
            Shared($"{rows.Short}_{name}_offset", n => _graph.Constant(n, offset, offset.Length))],
        ("axis", -1L), ("epsilon", (float)ModelConfiguration.LayerNormEpsilon));

    // x (1 + erf(x / sqrt 2)) / 2; an operator of its own only from opset 20 on.
    private string Gelu(Rows rows, string x)
    {
        string erf = _graph.Node("Erf", rows.Name + "_erf", [_graph.Node("Mul", rows.Name + "_gelu_argument", [x, _root])]);
        string both = _graph.Node("Mul", rows.Name + "_gelu_product", [x, _graph.Node("Add", rows.Name + "_gelu_sum", [erf, _one])]);
        return _graph.Node("Mul", rows.Name + "_gelu", [both, _half]);
    }

    private string Residual(Rows rows, string gated)
    {
        string residual = Biased(rows, "residual", gated, _network.Blocks[rows.Block].OutputProjection, 0, Sizes.Channels);
        return _graph.Node("Add", rows.Name + "_x", [_graph.Node("Mul", rows.Name + "_scaled", [rows.X, _root]), residual]);
    }

    private string Skip(Rows rows, string gated, string? sum)
    {
        int c = Sizes.Channels;
        string skip = Biased(rows, "skip", gated, _network.Blocks[rows.Block].OutputProjection, c, c);
        return sum is null ? skip : _graph.Node("Add", rows.Name + "_skips", [sum, skip]);
    }

    private void Decode(string skips)
    {
        ModelConfiguration m = Sizes;
        DecoderWeights<LinearMap> decoder = _network.Decoders[(int)_task.Output];
        var rows = new Rows("decoder", 0, skips, []);
        string hidden = _graph.Node("Relu", "decoder_relu", [Biased(rows, "hidden", skips, decoder.Hidden, 0, m.Channels)]);
        // [W, N, S/p, p] row-major is the sample axis itself.
        string tokens = Biased(rows, "output", hidden, decoder.Output, 0, m.SamplesPerToken);
        string prediction = _graph.Node("Reshape", OnnxFile.Prediction, [tokens, _graph.Indices("sample_shape", 0, 0, m.SlotSamples)]);
        _graph.Output(prediction, [Windows, Draws, m.SlotSamples], OnnxFile.PredictionMeaning(m));
    }

    // Made once under its name: a block's weights serve condition and target rows.
    private string Shared(string name, Func<string, string> make)
    {
        if (!_shared.TryGetValue(name, out string? made))
            _shared[name] = made = make(name);
        return made;
    }

    private delegate ReadOnlySpan<double> TableRow(int t);

    // Rows of one kind in one block, by the value that holds them, and the slots that they fill.
    private sealed record Rows(string Name, int Block, string X, int[] Slots)
    {
        // What names the weights, which both kinds of rows share.
        public string Short => Slots.Length == 0 ? Name : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"block{Block}");
    }
}
