using FsCheck;
using FsCheck.Fluent;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Tests.Reference;

/// <summary>Every op of the reference against something that it does not share code with.</summary>
public class ReferenceOpTests
{
    // Sums of n products of values near 1 in double: n ulp of the sum of magnitudes, n below 300 here.
    private const double Rounding = 1e-13;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 7, 3)]
    [InlineData(4, 36, 36)]
    [InlineData(11, 19, 288)]
    public void LinearIsTheTripleLoop(int rows, int outputs, int inputs)
    {
        double[] x = Values(rows * inputs, 1), w = Values(outputs * inputs, 2), b = Values(outputs, 3), y = new double[rows * outputs];
        ReferenceLinear.Forward(x, w, b, y, inputs);
        for (int r = 0; r < rows; r++)
        {
            for (int o = 0; o < outputs; o++)
            {
                double sum = b[o];
                for (int i = 0; i < inputs; i++)
                    sum += x[(r * inputs) + i] * w[(o * inputs) + i];
                Assert.InRange(y[(r * outputs) + o] - sum, -Rounding, Rounding);
            }
        }
    }

    [Fact]
    public void LinearOfAPartOfTheOutputsIsThatPart()
    {
        var map = new LinearMap(Values(6 * 5, 1), Values(6, 2));
        double[] x = Values(3 * 5, 3), all = new double[3 * 6], part = new double[3 * 2];
        map.Forward(x, all);
        map.Forward(2, 2, x, part);
        for (int r = 0; r < 3; r++)
            Assert.Equal(all[((r * 6) + 2)..((r * 6) + 4)], part[(r * 2)..((r * 2) + 2)]);
    }

    [Fact]
    public void ConvolutionOfAnImpulseIsTheReversedKernel()
    {
        double[] x = new double[9], y = new double[2 * 9];
        x[4] = 1;
        ReferenceConvolution.Forward(x, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [0, 100], y);
        Assert.Equal([0, 0, 5, 4, 3, 2, 1, 0, 0, 100, 100, 110, 109, 108, 107, 106, 100, 100], y);
    }

    [Fact]
    public void ConvolutionPadsWithZeros()
    {
        double[] y = new double[2];
        ReferenceConvolution.Forward([1, 10], [1, 2, 3, 4, 5], [0], y);
        Assert.Equal([3 + 40, 2 + 30], y);
        Assert.Throws<ArgumentException>(() => ReferenceConvolution.Forward([1, 2], [1, 2], [0], new double[2]));
    }

    [Fact]
    public void ConvolutionIsLinearAndMovesWithItsInput()
    {
        Gen<double> value = Gen.Choose(-1000, 1000).Select(n => n / 128.0);
        Gen<(double[] X, double[] Y, double[] W, double A)> cases =
            from samples in Gen.Choose(13, 40)
            from half in Gen.Choose(0, 5)
            from x in Gen.ArrayOf(value, samples)
            from y in Gen.ArrayOf(value, samples)
            from w in Gen.ArrayOf(value, (2 * half) + 1)
            from a in value
            select (x, y, w, a);
        Check(Prop.ForAll(cases.ToArbitrary(), c =>
        {
            double[] sum = [.. c.X.Zip(c.Y, (x, y) => (c.A * x) + y)], cx = Convolve(c.X, c.W), cy = Convolve(c.Y, c.W),
                cs = Convolve(sum, c.W);
            // 11 products of numbers up to 8 and 8 * 8 * 8: 6e3 in 53 bits, a few roundings.
            bool linear = Enumerable.Range(0, sum.Length).All(i => Math.Abs(cs[i] - ((c.A * cx[i]) + cy[i])) <= 1e-11);
            double[] moved = Convolve([0, .. c.X[..^1]], c.W);
            int half = c.W.Length / 2;
            bool moves = Enumerable.Range(half + 1, sum.Length - (2 * half) - 1).All(i => Math.Abs(moved[i] - cx[i - 1]) <= 1e-11);
            return linear && moves;
        }));
    }

    [Fact]
    public void LayerNormOfKnownRows()
    {
        double[] y = new double[8];
        // Mean 2.5, biased variance 1.25; with epsilon 0.3125 the deviation is 1.25. A constant row leaves beta alone.
        ReferenceLayerNorm.Forward([1, 2, 3, 4, 7, 7, 7, 7], [1, 1, 10, 1], [0, 0, 0, 5], 0.3125, y);
        double[] expected = [-1.2, -0.4, 4, 6.2, 0, 0, 0, 5];
        for (int i = 0; i < y.Length; i++)
            Assert.InRange(y[i] - expected[i], -1e-15, 1e-15);
    }

    [Fact]
    public void LayerNormKeepsItsMeaningForLargeOffsets()
    {
        double[] x = [.. Values(64, 5)], far = [.. x.Select(v => v + 1e6)], one = [.. Enumerable.Repeat(1.0, 64)], zero = new double[64],
            a = new double[64], b = new double[64];
        ReferenceLayerNorm.Forward(x, one, zero, 1e-5, a);
        ReferenceLayerNorm.Forward(far, one, zero, 1e-5, b);
        for (int i = 0; i < 64; i++)
            // x + 1e6 is rounded to 1.2e-10.
            Assert.InRange(a[i] - b[i], -1e-9, 1e-9);
        Assert.InRange(a.Sum(), -1e-13, 1e-13);
        Assert.InRange(a.Sum(v => v * v) / 64, 0.999, 1);
    }

    [Fact]
    public void AttentionOfEqualScoresIsTheMean()
    {
        const int Keys = 7, Channels = 6;
        double[] values = Values(Keys * Channels, 1), output = new double[2 * Channels];
        ReferenceAttention.Forward(new double[2 * Channels], Values(Keys * Channels, 2), values, default, 2, Channels, output);
        for (int i = 0; i < output.Length; i++)
            Assert.InRange(output[i] - Enumerable.Range(0, Keys).Average(k => values[(k * Channels) + (i % Channels)]), -1e-15, 1e-15);
    }

    [Fact]
    public void AttentionIsTheTextbookFormula()
    {
        const int Queries = 5, Keys = 9, Channels = 12, Heads = 3, D = Channels / Heads;
        double[] q = Values(Queries * Channels, 1), k = Values(Keys * Channels, 2), v = Values(Keys * Channels, 3),
            output = new double[Queries * Channels];
        double[] mask = [.. Enumerable.Range(0, Queries * Keys).Select(i => i % 4 == 1 ? double.NegativeInfinity : i % 5 * 0.1)];
        ReferenceAttention.Forward(q, k, v, mask, Heads, Channels, output);
        for (int query = 0; query < Queries; query++)
        {
            for (int c = 0; c < Channels; c++)
            {
                int head = c / D;
                double[] e = [.. Enumerable.Range(0, Keys).Select(key => Math.Exp(
                    (Enumerable.Range(head * D, D).Sum(i => q[(query * Channels) + i] * k[(key * Channels) + i]) / Math.Sqrt(D))
                        + mask[(query * Keys) + key]))];
                double expected = Enumerable.Range(0, Keys).Sum(key => e[key] * v[(key * Channels) + c]) / e.Sum();
                Assert.InRange(output[(query * Channels) + c] - expected, -Rounding, Rounding);
            }
        }
    }

    [Fact]
    public void MaskedKeysAreAsIfTheyWereNotThere()
    {
        const int Keys = 6, Channels = 4;
        double[] q = Values(2 * Channels, 1), k = Values(Keys * Channels, 2), v = Values(Keys * Channels, 3),
            masked = new double[2 * Channels], cut = new double[2 * Channels];
        const double No = double.NegativeInfinity;
        // Poison in what may not be read.
        v.AsSpan(4 * Channels).Fill(1e300);
        ReferenceAttention.Forward(q, k, v, [0, 0, 0, 0, No, No, 0, 0, 0, 0, No, No], 2, Channels, masked);
        ReferenceAttention.Forward(q, k.AsSpan(0, 4 * Channels), v.AsSpan(0, 4 * Channels), default, 2, Channels, cut);
        for (int i = 0; i < cut.Length; i++)
            Assert.InRange(masked[i] - cut[i], -1e-15, 1e-15);
        Assert.Throws<ArgumentException>(() => ReferenceAttention.Forward(q, k, v, Enumerable.Repeat(No, 12).ToArray(), 2, Channels, cut));
        Assert.Throws<ArgumentException>(() => ReferenceAttention.Forward(q, k, v, default, 3, Channels, cut));
    }

    [Fact]
    public void SoftmaxDoesNotOverflow()
    {
        double[] row = [1e308, 1e308, -1e308, double.NegativeInfinity];
        ReferenceAttention.Softmax(row);
        Assert.Equal([0.5, 0.5, 0, 0], row);
    }

    // Lengths around the vectors' width, scores over the whole range in which an exponential is not 0.
    [Fact]
    public void SoftmaxIsTheTextbookFormulaAtEveryLength()
    {
        for (int n = 1; n < 40; n++)
        {
            double[] row = [.. Enumerable.Range(0, n).Select(k => k * 37 % 41 * -18.25)], p = [.. row];
            row[n / 2] = p[n / 2] = n > 1 ? double.NegativeInfinity : 0;
            ReferenceAttention.Softmax(p);
            double largest = row.Max(), sum = row.Sum(s => Math.Exp(s - largest));
            for (int k = 0; k < n; k++)
            {
                double expected = Math.Exp(row[k] - largest) / sum;
                // Two exponentials of 1 ulp each, a sum and a quotient; below 1e-300 they may be subnormal and coarser.
                Assert.InRange(p[k] - expected, -1e-300 - (1e-15 * expected), 1e-300 + (1e-15 * expected));
            }
        }
    }

    [Theory]
    [InlineData(ModalitySet.Ppg, "1000 1100 1010 1001")]
    [InlineData(ModalitySet.Bp | ModalitySet.Ecg, "1110 0110 0110 0111")]
    [InlineData(ModalitySet.All, "1110 1110 1110 1111")]
    public void MaskFollowsTheRule(ModalitySet conditions, string rows)
    {
        string[] expected = rows.Split(' ');
        double[] mask = ReferenceMask.Dense(conditions, 2);
        for (int q = 0; q < 8; q++)
        {
            for (int k = 0; k < 8; k++)
                Assert.Equal(expected[q / 2][k / 2] == '1' ? 0 : double.NegativeInfinity, mask[(q * 8) + k]);
        }
    }

    // Rows are queries 0 to 4 of a slot of five tokens.
    [Theory]
    [InlineData(null, 0, "11111 11111 11111 11111 11111")]
    [InlineData(0, 0, "10000 01000 00100 00010 00001")]
    [InlineData(1, 0, "11000 11100 01110 00111 00011")]
    [InlineData(1, 2, "11111 11111 11110 11111 11011")]
    [InlineData(4, 0, "11111 11111 11111 11111 11111")]
    public void PatternFollowsTheRule(int? window, int globals, string rows)
    {
        string[] expected = rows.Split(' ');
        double[] mask = ReferenceMask.Dense(ModalitySet.Ppg, 5, new AttentionPattern { Window = window, GlobalTokens = globals });
        for (int q = 0; q < 5; q++)
        {
            for (int k = 0; k < 5; k++)
            {
                double value = expected[q][k] == '1' ? 0 : double.NegativeInfinity;
                Assert.Equal(value, mask[(q * 20) + k]);
                // Slot B reads A in the same places, and A does not read B.
                Assert.Equal(value, mask[((5 + q) * 20) + k]);
                Assert.Equal(double.NegativeInfinity, mask[(q * 20) + 5 + k]);
            }
        }
    }

    [Fact]
    public void EncoderFoldsConsecutiveSamplesIntoChannels()
    {
        // A kernel of two channels, the input and the input + 10; p = 3. The LayerNorm over all 12 values is undone by their known mean and
        // deviation.
        var copies = new LinearMap([1, 1], [0, 10]);
        double[] plane = new double[12], one = [.. Enumerable.Repeat(1.0, 12)];
        ReferenceEncoder.Forward(new EncoderWeights<LinearMap>([copies], new LinearMap(one, new double[12])), [0, 1, 2, 3, 4, 5], 3, plane);
        // Mean 7.5, variance 35/12 within a channel and 25 between them. [C = 6, tokens = 2]: channel 3 c + o of token k is sample 3 k + o
        // of channel c.
        int[] values = [.. plane.Select(v => (int)Math.Round((v * Math.Sqrt((35.0 / 12) + 25)) + 7.5))];
        Assert.Equal([0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15], values);
    }

    [Fact]
    public void DecoderUnfoldsChannelsIntoSamples()
    {
        // C = 2, p = 3: hidden = relu(x), samples of a token = (h0, h1, h0 + h1 + 1).
        var weights = new DecoderWeights<LinearMap>(new LinearMap([1, 0, 0, 1], [0, 0]), new LinearMap([1, 0, 0, 1, 1, 1], [0, 0, 1]));
        double[] samples = new double[6];
        ReferenceDecoder.Forward(weights, [2, 3, -5, 7], samples);
        Assert.Equal([2, 3, 6, 0, 7, 8], samples);
    }

    [Fact]
    public void SamplerUpdateIsItsFormula()
    {
        var step = new SamplerStep
        {
            T = 3, CleanFromState = 2, CleanFromPrediction = -1, State = 0.5, Clean0 = 10, Clean1 = 100, Clean2 = 1000, Noise = 4,
            NoiseIndex = 7, ClampLow = -3, ClampHigh = 3,
        };
        double[] state = [1, 2], clean = new double[2];
        ReferenceSamplerUpdate.Forward(step, [1, -5], state, clean, [0.1, 0.2], [0.01, 0.02], [0.25, -0.25]);
        // x0 = 2 * 1 - 1 = 1, and 2 * 2 + 5 = 9, clamped to 3.
        Assert.Equal([1, 3], clean);
        Assert.Equal([0.5 + 10 + 10 + 10 + 1, 1 + 30 + 20 + 20 - 1], state.Select(v => Math.Round(v, 12)));
        // Without noise no values for it are needed, and NaN in them does not reach the state.
        ReferenceSamplerUpdate.Forward(step with { Noise = 0 }, [0, 0], state, clean, [0, 0], [0, 0], [double.NaN, double.NaN]);
        Assert.All(state, v => Assert.True(double.IsFinite(v)));
    }

    private static double[] Convolve(double[] x, double[] w)
    {
        double[] y = new double[x.Length];
        ReferenceConvolution.Forward(x, w, [0], y);
        return y;
    }

    private static void Check(Property property) => property.Check(Config.QuickThrowOnFailure.WithReplay(20240601, 11));

    private static double[] Values(int count, int seed)
    {
        var random = new Random(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++)
            values[i] = (2 * random.NextDouble()) - 1;
        return values;
    }
}
