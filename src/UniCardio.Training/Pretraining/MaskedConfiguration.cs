using System.Globalization;
using UniCardio.Engine;
using UniCardio.Engine.Model;

namespace UniCardio.Training.Pretraining;

/// <summary>What a masked encoder is trained to do: the arms that are compared at equal steps.</summary>
internal enum MaskedArm
{
    /// <summary>A: an encoder a signal, each reconstructs its own masked patches.</summary>
    Unimodal,

    /// <summary>B: one encoder of all signals, no signal dropped.</summary>
    Joint,

    /// <summary>C: as B, and signals are dropped from the input and still reconstructed.</summary>
    InputDrop,

    /// <summary>D: as B, and signals are dropped from what is reconstructed.</summary>
    OutputDrop,

    /// <summary>E: an encoder a signal, pooled embeddings of one window are told from those of others.</summary>
    Contrastive,

    /// <summary>F: the weights that the others start from.</summary>
    Untrained,

    /// <summary>G: rates, variability, pressures, delays and quality indices in place of an embedding; no network.</summary>
    HandFeatures,
}

/// <summary>Sizes of a masked encoder over 10 s of PPG, pressure and ECG: patches of 200 ms, a token each.</summary>
internal sealed record MaskedConfiguration
{
    /// <summary>Samples of a patch at 125 Hz.</summary>
    public const int Patch = 25;

    /// <summary>Patches of a signal.</summary>
    public const int Patches = 50;

    /// <summary>Signals: PPG, pressure, ECG in this order.</summary>
    public const int Signals = 3;

    /// <summary>Tokens of a window; signal m's patch k is token m <see cref="Patches"/> + k.</summary>
    public const int Tokens = Signals * Patches;

    /// <summary>Samples of a signal.</summary>
    public const int Samples = Patch * Patches;

    /// <summary>Values of a token's input: its patch in the third of its signal, and which signal it is.</summary>
    public const int Inputs = (Signals * Patch) + Signals;

    private const string Kind = "masked";

    /// <summary>Features d of a token.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Layers of the encoder.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>Heads; divides <see cref="Width"/> and <see cref="DecoderWidth"/>.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Hidden width of a layer over its width.</summary>
    public int Expansion { get; init; } = 4;

    /// <summary>Features of the decoder's tokens.</summary>
    public int DecoderWidth { get; init; } = 64;

    /// <summary>Layers of the decoder.</summary>
    public int DecoderLayers { get; init; } = 2;

    /// <summary>What it was trained to do; decides which encoders there are.</summary>
    public MaskedArm Arm { get; init; } = MaskedArm.InputDrop;

    /// <summary>About a million weights.</summary>
    public static MaskedConfiguration Full { get; } = new();

    /// <summary>About 40 thousand weights, for a comparison on a starved core.</summary>
    public static MaskedConfiguration Reduced { get; } = new()
    {
        Width = 32, Layers = 2, Heads = 2, DecoderWidth = 32, DecoderLayers = 1,
    };

    /// <summary>Names of the signals, as in tables.</summary>
    public static IReadOnlyList<string> SignalNames { get; } = ["PPG", "BP", "ECG"];

    /// <summary>Whether each signal has an encoder of its own.</summary>
    public bool IsSplit => Arm is MaskedArm.Unimodal or MaskedArm.Contrastive;

    /// <summary>Prefix of a signal's encoder.</summary>
    public string Encoder(int signal) => IsSplit ? $"encoder.{SignalNames[signal]}" : "encoder";

    /// <summary>Prefix of a signal's decoder.</summary>
    public string Decoder(int signal) => IsSplit ? $"decoder.{SignalNames[signal]}" : "decoder";

    /// <summary>Names and shapes of all parameters.</summary>
    public IReadOnlyList<ParameterShape> Shapes()
    {
        var shapes = new List<ParameterShape>();
        void Map(string name, int outputs, int inputs)
        {
            shapes.Add(new ParameterShape(name + ".weight", [outputs, inputs]));
            shapes.Add(new ParameterShape(name + ".bias", [outputs]));
        }

        void Norm(string name, int width)
        {
            shapes.Add(new ParameterShape(name + ".weight", [width]));
            shapes.Add(new ParameterShape(name + ".bias", [width]));
        }

        void Stack(string part, int width, int layers)
        {
            for (int i = 0; i < layers; i++)
            {
                string layer = $"{part}.layers.{i}";
                Norm(layer + ".norm1", width);
                Map(layer + ".in", 3 * width, width);
                Map(layer + ".out", width, width);
                Norm(layer + ".norm2", width);
                Map(layer + ".feed1", Expansion * width, width);
                Map(layer + ".feed2", width, Expansion * width);
            }

            Norm(part + ".norm", width);
        }

        for (int signal = 0; signal < (IsSplit ? Signals : 1); signal++)
        {
            Map(Encoder(signal) + ".embed", Width, Inputs);
            Stack(Encoder(signal), Width, Layers);
            if (Arm == MaskedArm.Contrastive)
            {
                Map(Decoder(signal) + ".project1", Width, Width);
                Map(Decoder(signal) + ".project2", Width, Width);
                continue;
            }

            Map(Decoder(signal) + ".embed", DecoderWidth, Width);
            Map(Decoder(signal) + ".place", DecoderWidth, Signals);
            Map(Decoder(signal) + ".masked", DecoderWidth, 1);
            Stack(Decoder(signal), DecoderWidth, DecoderLayers);
            Map(Decoder(signal) + ".patch", Signals * Patch, DecoderWidth);
        }

        return shapes;
    }

    /// <summary>Checks that the sizes hold together.</summary>
    /// <exception cref="ConfigurationException">They do not.</exception>
    public MaskedConfiguration Validate()
    {
        static void Range(string name, int value, int most)
        {
            if (value < 1 || value > most)
                throw new ConfigurationException(name, $"{value} is not between 1 and {most}");
        }

        Range("width", Width, 1024);
        Range("layers", Layers, 64);
        Range("heads", Heads, 64);
        Range("expansion", Expansion, 8);
        Range("decoder_width", DecoderWidth, 1024);
        Range("decoder_layers", DecoderLayers, 64);
        if (Width % Heads != 0 || DecoderWidth % Heads != 0)
            throw new ConfigurationException("heads", $"{Heads} does not divide the widths {Width} and {DecoderWidth}");
        return this;
    }

    /// <summary>The sizes as a file's metadata.</summary>
    public IReadOnlyDictionary<string, string> ToMetadata()
    {
        static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["model"] = Kind, ["arm"] = Arm.ToString(), ["width"] = Text(Width), ["layers"] = Text(Layers), ["heads"] = Text(Heads),
            ["expansion"] = Text(Expansion), ["decoder_width"] = Text(DecoderWidth), ["decoder_layers"] = Text(DecoderLayers),
        };
    }

    /// <summary>Reads what <see cref="ToMetadata"/> wrote; null where a file is of another kind.</summary>
    /// <exception cref="ConfigurationException">A size is missing, no number or out of range.</exception>
    public static MaskedConfiguration? FromMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (metadata.GetValueOrDefault("model") != Kind)
            return null;
        int Number(string name) =>
            int.TryParse(metadata.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n
             : throw new ConfigurationException(name, $"'{metadata.GetValueOrDefault(name)}' is no whole number");
        if (!Enum.TryParse(metadata.GetValueOrDefault("arm"), out MaskedArm arm) || !Enum.IsDefined(arm))
            throw new ConfigurationException("arm", $"'{metadata.GetValueOrDefault("arm")}' is not known");
        return new MaskedConfiguration
        {
            Width = Number("width"), Layers = Number("layers"), Heads = Number("heads"), Expansion = Number("expansion"),
            DecoderWidth = Number("decoder_width"), DecoderLayers = Number("decoder_layers"), Arm = arm,
        }.Validate();
    }
}
