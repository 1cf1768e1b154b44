using UniCardio.Engine.Model;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Weights.Tests;

public sealed class Int8Tests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void AWeightErrsByHalfAStepOfItsRowAtMostAndTheFileIsAQuarter()
    {
        string exact = Path.Combine(_folder, "f32.safetensors"), rounded = Path.Combine(_folder, "int8.safetensors");
        using LoadedWeights a = WeightFile.Convert("recipe:5,compact", exact);
        WeightFile.Convert("recipe:5,compact", rounded, type: ElementType.I8).Dispose();
        using LoadedWeights b = WeightFile.Load(rounded);
        foreach ((ParameterTensor x, ParameterTensor y) in a.Weights.Tensors.Zip(b.Weights.Tensors))
        {
            if (x.Shape.Count < 2)
            {
                Assert.True(x.Span.SequenceEqual(y.Span), x.Name);
                continue;
            }

            int columns = x.Span.Length / x.Shape[0];
            for (int r = 0; r < x.Shape[0]; r++)
            {
                ReadOnlySpan<float> row = x.Span.Slice(r * columns, columns), other = y.Span.Slice(r * columns, columns);
                float most = 0, error = 0;
                for (int i = 0; i < columns; i++)
                    (most, error) = (Math.Max(most, Math.Abs(row[i])), Math.Max(error, Math.Abs(row[i] - other[i])));
                // Half a step of 127, and float32's rounding of scale and product.
                Assert.True(error <= most / 254 * (1 + 1e-4), $"{x.Name}[{r}]: {error}, largest {most}");
            }
        }

        Assert.InRange(new FileInfo(rounded).Length / (double)new FileInfo(exact).Length, 0.24, 0.32);
    }

    [Fact]
    public void IntegersWithoutScalesOrWithWrongOnesAreRefused()
    {
        byte[] file = File.ReadAllBytes(Written());
        string text = System.Text.Encoding.Latin1.GetString(file);
        byte[] Changed(string from, string to) => System.Text.Encoding.Latin1.GetBytes(text.Replace(from, to, StringComparison.Ordinal));
        string broken = Path.Combine(_folder, "broken.safetensors");
        // The scales under another name of equal length: integers without scales, and a tensor too many.
        File.WriteAllBytes(broken, Changed(".int8_scale", ".int8_other"));
        Assert.Contains("I8", Assert.ThrowsAny<Exception>(() => WeightFile.Load(broken)).Message, StringComparison.Ordinal);
        using SafetensorsFile sound = SafetensorsFile.Open(Written());
        Assert.Contains(sound.Entries, e => e.Type == ElementType.I8);
    }

    private string Written()
    {
        string path = Path.Combine(_folder, "int8.safetensors");
        WeightFile.Convert("recipe:5,tiny", path, type: ElementType.I8).Dispose();
        return path;
    }
}
