using UniCardio.Engine.Model;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Weights.Tests.Safetensors;

public class RoundedWeightTests
{
    // Half a unit in the last place: of float16's 11 significant bits 2^-11 of the value, of bfloat16's 8 bits 2^-8; and below float16's
    // normal range (6e-5) half its smallest number, 2^-25.
    [Theory]
    [InlineData(ElementType.F16, 1.0 / 2048)]
    [InlineData(ElementType.BF16, 1.0 / 256)]
    public void HalfTheSizeAndTheNearestValue(ElementType type, double unit)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        float[] values = [0, 1, -1, 0.1f, 3.14159f, -0.001f, 1.00390625f, 1.01171875f, 60000, .. Enumerable.Range(1, 70_000)
            .Select(i => MathF.Sin(i))];
        try
        {
            SafetensorsWriter.Write(path, [new ParameterTensor("a", [values.Length], values)], type: type);
            Assert.True(new FileInfo(path).Length < (2 * values.Length) + 200);
            using SafetensorsFile file = SafetensorsFile.Open(path);
            ReadOnlySpan<float> read = file.Tensor("a").Span;
            for (int i = 0; i < values.Length; i++)
            {
                double most = (unit * Math.Abs(values[i])) + (type == ElementType.F16 ? 1.0 / (1 << 25) : 0);
                Assert.True(Math.Abs(read[i] - values[i]) <= most, $"{values[i]} became {read[i]}");
            }

            if (type == ElementType.BF16)
            {
                // Ties go to the even one: 1 + 1/256 to 1, 1 + 3/256 to 1 + 4/256.
                Assert.Equal(1, read[6]);
                Assert.Equal(1.015625f, read[7]);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void WhatFloat16CannotHoldIsRefusedByNameAndNothingIsWritten()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var refused = Assert.Throws<WeightFormatException>(() =>
            SafetensorsWriter.Write(path, [new ParameterTensor("big", [1], new float[] { 70000 })], type: ElementType.F16));
        Assert.Contains("big", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            SafetensorsWriter.Write(path, [new ParameterTensor("a", [1], new float[] { 1 })], type: ElementType.F64));
    }
}
