using UniCardio.Signals;
using UniCardio.Signals.Plotting;

namespace UniCardio.Cli.Output;

/// <summary>Pictures as files: SVG, or PNG where the name ends so.</summary>
internal static class PlotFile
{
    private const string Png = ".png";

    /// <summary>What a picture's name may end in.</summary>
    public static readonly string[] Extensions = [".svg", Png];

    /// <summary>Writes a picture, complete or not at all.</summary>
    /// <param name="plot">The picture.</param>
    /// <param name="path">The file, replaced if it exists.</param>
    /// <exception cref="SignalFileException">The file cannot be written.</exception>
    /// <exception cref="UsageException">The machine has no fonts for a PNG.</exception>
    public static void Save(SignalPlot plot, string path)
    {
        if (!path.EndsWith(Png, StringComparison.OrdinalIgnoreCase))
        {
            plot.Save(path);
            return;
        }

        using PngCanvas canvas = plot.Draw((width, height) => new PngCanvas(width, height));
        OutputFile.Write(path, canvas.WriteTo);
    }
}
