using UniCardio.Engine.Model;

namespace UniCardio.Engine.Quality;

/// <summary>Heads of the author's downstream tasks, each with weights of its own.</summary>
public enum QualityHead
{
    /// <summary>Atrial fibrillation: mean over tokens, one linear map to a logit.</summary>
    AtrialFibrillation,

    /// <summary>Blood pressure: mean over tokens, one linear map to two values.</summary>
    BloodPressure,

    /// <summary>False alarms of ventricular tachycardia: a residual network over the raw signals; the encoder's branch is computed and does
    /// not reach the logit.</summary>
    VentricularTachycardia,

    /// <summary>Ours: of every token, two logits for each of the first two channels: how good the signal is there, and whether the heart
    /// rate of the ten seconds that end with it can be read to 5 bpm. Quality of each, then readability of each.</summary>
    Quality,

    /// <summary>Ours: mean over tokens, one logit a rhythm: sinus, atrial fibrillation, ectopic beats, ventricular run.</summary>
    Rhythm,
}

/// <summary>Names and shapes of every parameter of a QualityFM network and of its task heads, as in the author's state dict.</summary>
internal static class QualityCatalog
{
    /// <summary>Prefix of every head's parameters.</summary>
    public const string HeadPrefix = "head.";

    /// <summary>Stages of the residual network of <see cref="QualityHead.VentricularTachycardia"/>: output channels and kernel size; stride
    /// 2, two blocks each.</summary>
    public static IReadOnlyList<(int Channels, int Kernel)> ResidualStages { get; } = [(64, 101), (128, 51), (256, 25), (128, 13)];

    /// <summary>Tokens that the head of <see cref="QualityHead.VentricularTachycardia"/> is made for: 10 s.</summary>
    public const int AlarmTokens = 6;

    /// <summary>Classes of <see cref="QualityHead.Rhythm"/>.</summary>
    public const int RhythmClasses = 4;

    /// <summary>The network's parameters: encoder, decoder, spectral heads.</summary>
    public static IReadOnlyList<ParameterShape> For(QualityConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        QualityConfiguration m = configuration.Validate();
        var list = new List<ParameterShape>();
        Part(list, m, "encoder.", m.Channels);
        Part(list, m, "decoder.", m.Tokens);
        foreach (string head in (string[])["decoder_amp_layer.", "decoder_pha_layer."])
        {
            Linear(list, head + "0", m.Width, m.Width);
            Linear(list, head + "2", m.Width, m.Width);
        }

        return list;
    }

    /// <summary>A head's parameters.</summary>
    public static IReadOnlyList<ParameterShape> For(QualityConfiguration configuration, QualityHead head)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var list = new List<ParameterShape>();
        int d = configuration.Width;
        switch (head)
        {
            case QualityHead.AtrialFibrillation:
                Linear(list, HeadPrefix + "af.classifier", 1, d);
                break;
            case QualityHead.BloodPressure:
                Linear(list, HeadPrefix + "bp.classifier", 2, d);
                break;
            case QualityHead.Quality:
                Linear(list, HeadPrefix + "quality.classifier", 2 * configuration.JudgedSignals, d);
                break;
            case QualityHead.Rhythm:
                Linear(list, HeadPrefix + "rhythm.classifier", RhythmClasses, d);
                break;
            default:
                Alarm(list, configuration);
                break;
        }

        return list;
    }

    /// <summary>Name of a linear head's map.</summary>
    internal static string MapOf(QualityHead head) => HeadPrefix + head switch
    {
        QualityHead.AtrialFibrillation => "af.classifier",
        QualityHead.BloodPressure => "bp.classifier",
        QualityHead.Quality => "quality.classifier",
        QualityHead.Rhythm => "rhythm.classifier",
        _ => throw new ArgumentOutOfRangeException(nameof(head), head, "not one linear map"),
    };

    /// <summary>Whether a tensor of the author's checkpoints is no parameter: the position tables, and counters of batch norm.</summary>
    public static bool IsKnownUnused(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.EndsWith(".pos_encoder.pe", StringComparison.Ordinal)
            || name.EndsWith(".num_batches_tracked", StringComparison.Ordinal);
    }

    private static void Part(List<ParameterShape> list, QualityConfiguration m, string part, int channels)
    {
        IReadOnlyList<int> outputs = m.StageChannels;
        for (int stage = 0; stage < QualityConfiguration.TokeniserStages; stage++)
        {
            int inputs = stage == 0 ? channels : outputs[stage - 1];
            string name = $"{part}patch_embed.conv{stage + 1}";
            list.Add(new ParameterShape(name + ".weight", [outputs[stage], inputs, m.Kernels[stage]]));
            list.Add(new ParameterShape(name + ".bias", [outputs[stage]]));
            Pair(list, $"{part}patch_embed.norm{stage + 1}", outputs[stage]);
        }

        for (int layer = 0; layer < m.Layers; layer++)
        {
            string name = $"{part}longformer_encoder.layers.{layer}.";
            list.Add(new ParameterShape(name + "self_attn.in_proj_weight", [3 * m.Width, m.Width]));
            list.Add(new ParameterShape(name + "self_attn.in_proj_bias", [3 * m.Width]));
            Linear(list, name + "self_attn.out_proj", m.Width, m.Width);
            Linear(list, name + "linear1", m.FeedForward, m.Width);
            Linear(list, name + "linear2", m.Width, m.FeedForward);
            Pair(list, name + "norm1", m.Width);
            Pair(list, name + "norm2", m.Width);
        }

        Linear(list, part + "output_feature_layer", m.Width, m.Width);
    }

    private static void Alarm(List<ParameterShape> list, QualityConfiguration m)
    {
        const string head = HeadPrefix + "vtac.";
        Linear(list, head + "fcn.0", 256, AlarmTokens * m.Width);
        Linear(list, head + "fcn.3", 64, 256);
        list.Add(new ParameterShape(head + "fcn_head.conv0.weight", [64, m.Channels, 201]));
        list.Add(new ParameterShape(head + "fcn_head.conv0.bias", [64]));
        BatchNorm(list, head + "fcn_head.bn1", 64);
        int inputs = 64;
        for (int stage = 0; stage < ResidualStages.Count; stage++)
        {
            (int outputs, int kernel) = ResidualStages[stage];
            for (int block = 0; block < 2; block++)
            {
                string name = $"{head}fcn_head.stage{stage}.{block}.";
                list.Add(new ParameterShape(name + "conv1.weight", [outputs, inputs, kernel]));
                BatchNorm(list, name + "bn1", outputs);
                list.Add(new ParameterShape(name + "conv2.weight", [outputs, outputs, kernel]));
                BatchNorm(list, name + "bn2", outputs);
                if (block == 0)
                {
                    list.Add(new ParameterShape(name + "shortcut.0.weight", [outputs, inputs, 1]));
                    BatchNorm(list, name + "shortcut.1", outputs);
                }

                inputs = outputs;
            }
        }

        Linear(list, head + "fcn_head.projector.0", 64, inputs);
        BatchNorm(list, head + "fcn_head.projector.1", 64);
        Linear(list, head + "classifier", 1, 64);
    }

    private static void Linear(List<ParameterShape> list, string name, int outputs, int inputs)
    {
        list.Add(new ParameterShape(name + ".weight", [outputs, inputs]));
        list.Add(new ParameterShape(name + ".bias", [outputs]));
    }

    private static void Pair(List<ParameterShape> list, string name, int channels)
    {
        list.Add(new ParameterShape(name + ".weight", [channels]));
        list.Add(new ParameterShape(name + ".bias", [channels]));
    }

    private static void BatchNorm(List<ParameterShape> list, string name, int channels)
    {
        Pair(list, name, channels);
        list.Add(new ParameterShape(name + ".running_mean", [channels]));
        list.Add(new ParameterShape(name + ".running_var", [channels]));
    }
}
