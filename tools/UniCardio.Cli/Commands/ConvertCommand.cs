using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Quality;
using UniCardio.Weights;
using UniCardio.Weights.Quality;

namespace UniCardio.Cli.Commands;

/// <summary><c>convert IN OUT</c>: weights to safetensors.</summary>
internal static class ConvertCommand
{
    public static Command Create(Terminal terminal)
    {
        var source = new Argument<string>(
            "IN") { Description = "A torch checkpoint (.pth), a .safetensors file or recipe:SEED[,full|compact|tiny]." };
        var destination = new Argument<string>("OUT") { Description = "The .safetensors file to write; replaced if it exists." };
        var network = new NetworkOptions();
        var command = new ExampleCommand("convert",
            "Converts weights to safetensors and says what was left out. A checkpoint's pickle is read, never run.",
            "convert checkpoint.pth unicardio.safetensors",
            "convert official.pth official.safetensors",
            "convert recipe:2,tiny tiny.safetensors",
            "convert quality.pth quality.safetensors")
        {
            source,
            destination,
        };
        network.AddTo(command);
        command.SetAction((parsed, cancellation) =>
            Task.FromResult(Run(terminal, parsed.GetValue(source)!, parsed.GetValue(destination)!, network.Read(parsed), cancellation)));
        return command;
    }

    private static int Run(Terminal terminal, string source, string destination, WeightLoadOptions options, CancellationToken cancellation)
    {
        if (QualityWeightFile.IsQuality(source))
        {
            using QualityWeights quality = QualityWeightFile.Convert(source, destination, cancellation: cancellation);
            terminal.Out.WriteLine(
                $"wrote {destination}: {quality.Tensors.Count} tensors of a QualityFM network, "
                + $"{quality.Tensors.Sum(t => (long)t.Span.Length)} parameters");
            return ExitCode.Success;
        }

        using LoadedWeights loaded = WeightFile.Convert(source, destination, options, cancellation: cancellation);
        foreach (string note in loaded.Notes)
            terminal.Out.WriteLine(note);
        terminal.Out.WriteLine(
            $"wrote {destination}: {loaded.Weights.Tensors.Count} tensors, {WeightInfo.Parameters(loaded.Weights)} parameters");
        return ExitCode.Success;
    }
}
