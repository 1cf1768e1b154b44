using UniCardio.Engine.Model;
using UniCardio.Weights;

namespace UniCardio.Cli.Output;

/// <summary>What <c>info</c> says of weights.</summary>
internal sealed record WeightInfo(
    string File,
    string Kind,
    WeightFormat Format,
    IReadOnlyDictionary<string, string> Configuration,
    int Tensors,
    long ParameterCount,
    string? Untrained,
    string? Trained,
    IReadOnlyList<string> Notes)
{
    public static WeightInfo Of(LoadedWeights weights) => new(
        weights.Source,
        "weights",
        weights.Format,
        weights.Configuration.ToMetadata(),
        weights.Weights.Tensors.Count,
        Parameters(weights.Weights),
        weights.Recipe,
        weights.Description,
        weights.Notes);

    public static long Parameters(ModelWeights weights) => weights.Tensors.Sum(t => (long)t.Data.Length);

    public void WriteTo(Terminal terminal)
    {
        terminal.Out.WriteLine($"{File}: weights ({Format}), {Tensors} tensors, {ParameterCount} parameters");
        var table = ResultTable.Create("setting", ">value");
        foreach ((string key, string value) in Configuration)
            table.Add(key, value);
        terminal.Write(table);
        if (Trained is not null)
            terminal.Out.WriteLine($"trained: {Trained}");
        foreach (string note in Notes)
            terminal.Out.WriteLine(note);
    }
}
