using UniCardio.Engine.Model;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>
/// A weight matrix W [outputs, inputs] packed for the register tile: panels of 2W columns, each [inputs, 2W] dense, the last
/// one padded with zero columns. Rows of a product are tokens, so one packing serves all windows and draws.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private readonly AlignedBuffer _panels;
    private readonly AlignedBuffer _bias;

    /// <summary>Packs a map, rounding each element once.</summary>
    /// <param name="map">The map; one without outputs takes no room.</param>
    /// <param name="panelWidth">Columns of a panel, two vectors.</param>
    public PackedMatrix(LinearMap map, int panelWidth)
        : this(map.Outputs, map.Inputs, panelWidth)
    {
        for (int n = 0; n < Outputs; n++)
        {
            float* column = Panel(n / panelWidth) + (n % panelWidth);
            for (int k = 0; k < Inputs; k++)
                column[(nint)k * panelWidth] = (float)map.Weight[(n * Inputs) + k];
            Bias[n] = (float)map.Bias[n];
        }
    }

    /// <summary>A matrix of zeros, to be filled panel by panel.</summary>
    /// <param name="outputs">Columns N of the product.</param>
    /// <param name="inputs">Depth K.</param>
    /// <param name="panelWidth">Columns of a panel, two vectors.</param>
    public PackedMatrix(int outputs, int inputs, int panelWidth)
    {
        Outputs = outputs;
        Inputs = inputs;
        PanelWidth = panelWidth;
        Panels = (outputs + panelWidth - 1) / panelWidth;
        _panels = new AlignedBuffer((long)Panels * inputs * panelWidth);
        _bias = new AlignedBuffer(Panels * panelWidth);
    }

    /// <summary>Columns N of the product without padding.</summary>
    public int Outputs { get; }

    /// <summary>Depth K.</summary>
    public int Inputs { get; }

    /// <summary>Columns of a panel.</summary>
    public int PanelWidth { get; }

    /// <summary>Number of panels.</summary>
    public int Panels { get; }

    /// <summary>Columns with padding.</summary>
    public int PaddedOutputs => Panels * PanelWidth;

    /// <summary>[padded outputs], zero where there is none.</summary>
    public float* Bias => _bias.Pointer;

    /// <summary>Bytes held.</summary>
    public long Bytes => _panels.Bytes + _bias.Bytes;

    /// <summary>Panel i, [inputs, panel width].</summary>
    public float* Panel(int i) => _panels.Pointer + ((nint)i * Inputs * PanelWidth);

    public void Dispose()
    {
        _panels.Dispose();
        _bias.Dispose();
    }
}
