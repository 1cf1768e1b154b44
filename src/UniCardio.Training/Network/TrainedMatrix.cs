using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;

namespace UniCardio.Training.Network;

/// <summary>A weight W [outputs, inputs] packed twice: for Y = X W^T and for dX = dY W.</summary>
internal sealed unsafe class TrainedMatrix : IDisposable
{
    /// <summary>Allocates both packings.</summary>
    /// <param name="outputs">Rows of W.</param>
    /// <param name="inputs">Columns of W.</param>
    /// <param name="width">Columns of a panel, 2W.</param>
    public TrainedMatrix(int outputs, int inputs, int width)
    {
        Forward = new PackedMatrix(outputs, inputs, width);
        Backward = new PackedMatrix(inputs, outputs, width);
    }

    /// <summary>Room for a map of the flat vector; a LayerNorm's gamma and beta are a map of depth 1.</summary>
    public static TrainedMatrix For(WeightAndBias<ParameterSlice> place, int width) => new(place.Weight.Rows, place.Weight.Columns, width);

    /// <summary>Panels of outputs, depth inputs; its bias is the map's.</summary>
    public PackedMatrix Forward { get; }

    /// <summary>Panels of inputs, depth outputs; no bias.</summary>
    public PackedMatrix Backward { get; }

    /// <summary>Of a LayerNorm, which is a map of depth 1: [outputs padded].</summary>
    public float* Gamma => Forward.Panel(0);

    /// <summary>Of a LayerNorm: [outputs padded].</summary>
    public float* Beta => Forward.Bias;

    /// <summary>Packs W and its bias from where they stand in the flat vector.</summary>
    public void Pack(WeightAndBias<ParameterSlice> place, ReadOnlySpan<float> parameters) =>
        Pack(place.Weight.Of(parameters), place.Bias.Of(parameters));

    /// <summary>Packs W and its bias.</summary>
    /// <param name="weight">[outputs, inputs] row-major.</param>
    /// <param name="bias">[outputs], or empty for none.</param>
    public void Pack(ReadOnlySpan<float> weight, ReadOnlySpan<float> bias)
    {
        int outputs = Forward.Outputs, inputs = Forward.Inputs, width = Forward.PanelWidth;
        fixed (float* w = weight)
        {
            for (int panel = 0; panel < Forward.Panels; panel++)
            {
                float* target = Forward.Panel(panel);
                int first = panel * width, count = Math.Min(width, outputs - first);
                for (int k = 0; k < inputs; k++, target += width)
                {
                    float* source = w + ((nint)first * inputs) + k;
                    for (int j = 0; j < count; j++, source += inputs)
                        target[j] = *source;
                }
            }

            for (int panel = 0; panel < Backward.Panels; panel++)
            {
                float* target = Backward.Panel(panel);
                int first = panel * width, count = Math.Min(width, inputs - first);
                for (int n = 0; n < outputs; n++, target += width)
                    new ReadOnlySpan<float>(w + ((nint)n * inputs) + first, count).CopyTo(new Span<float>(target, count));
            }
        }

        bias.CopyTo(new Span<float>(Forward.Bias, outputs));
    }

    public void Dispose()
    {
        Forward.Dispose();
        Backward.Dispose();
    }
}
