namespace UniCardio.Engine.Model;

/// <summary>Names and shapes of every live parameter of a configuration, in the official checkpoint's order.</summary>
public static class ParameterCatalog
{
    /// <summary>Prefix of every parameter's name.</summary>
    public const string Prefix = "diffmodel.";

    /// <summary>The live parameters; <c>feature_layer</c> and <c>alpha_torch</c>, which the network never reads, are not among them.</summary>
    public static IReadOnlyList<ParameterShape> For(ModelConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ModelConfiguration m = configuration.Validate();
        int c = m.Channels, e = m.Embedding;
        var list = new List<ParameterShape>();
        void Add(string name, params int[] shape) => list.Add(new ParameterShape(Prefix + name, shape));
        void Linear(string name, int outputs, int inputs, bool pointwise = false)
        {
            if (pointwise)
                Add(name + ".weight", outputs, inputs, 1);
            else
                Add(name + ".weight", outputs, inputs);
            Add(name + ".bias", outputs);
        }

        Linear("diffusion_embedding.projection1", e, e);
        Linear("diffusion_embedding.projection2", e, e);
        for (int slot = 1; slot <= ModelConfiguration.SlotCount; slot++)
        {
            for (int k = 0; k < ModelConfiguration.EncoderKernels.Count; k++)
            {
                string name = $"input_projection_modality_{slot}.conv_layers.{k}";
                Add(name + ".weight", m.ChannelsPerKernel, 1, ModelConfiguration.EncoderKernels[k]);
                Add(name + ".bias", m.ChannelsPerKernel);
            }
        }

        for (int decoder = 1; decoder <= 3; decoder++)
        {
            Linear($"output_projection{decoder}_1", c, c, pointwise: true);
            Linear($"output_projection{decoder}_2", m.SamplesPerToken, c, pointwise: true);
        }

        for (int block = 0; block < m.Blocks; block++)
        {
            string name = $"residual_layers.{block}.";
            Linear(name + "diffusion_projection", c, e);
            Linear(name + "cond_projection", 2 * c, c, pointwise: true);
            Linear(name + "mid_projection", 2 * c, c, pointwise: true);
            Linear(name + "output_projection", 2 * c, c, pointwise: true);
            name += "time_layer.layers.0.";
            Add(name + "self_attn.in_proj_weight", 3 * c, c);
            Add(name + "self_attn.in_proj_bias", 3 * c);
            Linear(name + "self_attn.out_proj", c, c);
            Linear(name + "linear1", m.FeedForward, c);
            Linear(name + "linear2", c, m.FeedForward);
            foreach (string norm in (string[])["norm1", "norm2"])
            {
                Add(name + norm + ".weight", c);
                Add(name + norm + ".bias", c);
            }
        }

        for (int slot = 1; slot <= ModelConfiguration.SlotCount; slot++)
        {
            Add($"norm{slot}.weight", c, m.SlotTokens);
            Add($"norm{slot}.bias", c, m.SlotTokens);
        }

        return list;
    }

    /// <summary>Whether a tensor of the official checkpoint is known to be unused: the dead <c>feature_layer</c> twins and the buffer <c>alpha_torch</c>.</summary>
    public static bool IsKnownUnused(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name == "alpha_torch" || (name.StartsWith(Prefix, StringComparison.Ordinal) && name.Contains(".feature_layer.", StringComparison.Ordinal));
    }
}
