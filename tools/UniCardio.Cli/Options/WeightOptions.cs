using System.CommandLine;
using UniCardio.Engine.Model;
using UniCardio.Weights;

namespace UniCardio.Cli.Options;

/// <summary>What a weight file cannot tell about its network: <c>--heads</c>, <c>--positions</c>, <c>--prediction</c>.</summary>
internal sealed class NetworkOptions
{
    private readonly Option<int?> _heads =
        new("--heads") { Description = "Attention heads; shapes do not show them (else the file's metadata, else 8).", HelpName = "N" };
    private readonly Option<PositionKind?> _positions =
        new("--positions") { Description = "Position codes: global or slot (else the file's metadata, else global)." };
    private readonly Option<PredictionKind?> _prediction =
        new("--prediction") { Description = "What the network predicts: epsilon, v, sample or correction (else the file's metadata, "
            + "else epsilon)." };

    public void AddTo(Command command)
    {
        command.Add(_heads);
        command.Add(_positions);
        command.Add(_prediction);
    }

    /// <summary>Reads the options.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="known">The network as something better than the weight file tells it, e.g. golden vectors: it wins over the file's
    /// metadata, which may hold no more than what was assumed when it was converted. What the user says wins over both.</param>
    public WeightLoadOptions Read(ParseResult parsed, ModelConfiguration? known = null) => new()
    {
        Heads = parsed.GetValue(_heads) ?? known?.Heads,
        Positions = parsed.GetValue(_positions) ?? known?.Positions,
        Prediction = parsed.GetValue(_prediction) ?? known?.Prediction,
        Fallback = known,
    };
}

/// <summary>Where weights come from: <c>--weights</c> with <see cref="NetworkOptions"/>.</summary>
internal sealed class WeightOptions
{
    private readonly NetworkOptions _network = new();
    private readonly Option<string?> _weights;

    private WeightOptions(Option<string?> weights) => _weights = weights;

    /// <summary>The option must be given.</summary>
    public static WeightOptions Required() =>
        new(new Option<string?>("--weights") { Required = true,
            Description = "A .safetensors or .pth file, or recipe:SEED[,full|compact|tiny].", HelpName = "W" });

    /// <summary>Left out, the command chooses.</summary>
    public static WeightOptions Optional(string otherwise) =>
        new(new Option<string?>("--weights")
            { Description = $"A .safetensors or .pth file, or recipe:SEED[,full|compact|tiny]; {otherwise} if left out.", HelpName = "W" });

    public void AddTo(Command command)
    {
        command.Add(_weights);
        _network.AddTo(command);
    }

    /// <summary>What was given, null if nothing was.</summary>
    public string? Source(ParseResult parsed) => parsed.GetValue(_weights);

    /// <summary>What the options tell about the network.</summary>
    public WeightLoadOptions Loading(ParseResult parsed) => _network.Read(parsed);

    /// <summary>Loads what was given.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="otherwise">The source where none was given.</param>
    /// <param name="known">See <see cref="NetworkOptions.Read"/>.</param>
    public LoadedWeights Load(ParseResult parsed, string? otherwise = null, ModelConfiguration? known = null) =>
        WeightFile.Load(Source(parsed) ?? otherwise ?? throw new UsageException("no weights were given (--weights)"),
            _network.Read(parsed, known));
}
