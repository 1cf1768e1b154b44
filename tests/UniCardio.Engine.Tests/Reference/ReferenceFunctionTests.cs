using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Tests.Reference;

/// <summary>Scalar functions and tables against values computed elsewhere (mpmath with 40 digits; PyTorch for the tables).</summary>
public class ReferenceFunctionTests
{
    public static TheoryData<double, double, double> ErfValues => new()
    {
        { 1e-300, 1.1283791670955126e-300, 1.0 },
        { 1e-12, 1.1283791670955126e-12, 0.9999999999988716 },
        { 0.0625, 0.07043197772238707, 0.9295680222776129 },
        { 0.2, 0.22270258921047847, 0.7772974107895215 },
        { 0.46874999, 0.49261346416000656, 0.5073865358399934 },
        { 0.46875, 0.49261347321793797, 0.507386526782062 },
        { 0.46875001, 0.4926134822758693, 0.5073865177241307 },
        { 0.5, 0.5204998778130465, 0.4795001221869535 },
        { 0.75, 0.7111556336535151, 0.28884436634648486 },
        { 1.0, 0.8427007929497149, 0.15729920705028513 },
        { 1.5, 0.9661051464753108, 0.033894853524689274 },
        { 2.0, 0.9953222650189527, 0.004677734981047266 },
        { 2.7, 0.9998656672600594, 0.0001343327399405242 },
        { 3.3, 0.9999969422902035, 3.0577097964381654e-06 },
        { 3.9999, 0.9999999845700388, 1.5429961215558176e-08 },
        { 4.0, 0.9999999845827421, 1.541725790028002e-08 },
        { 4.0001, 0.9999999845954353, 1.5404564743590145e-08 },
        { 5.0, 0.9999999999984626, 1.537459794428035e-12 },
        { 5.9, 0.9999999999999999, 7.190409783550478e-17 },
        { 8.0, 1.0, 1.1224297172982926e-29 },
        { 12.3, 1.0, 9.029925149482068e-68 },
        { 20.0, 1.0, 5.395865611607901e-176 },
        { 26.0, 1.0, 5.663192408856143e-296 },
    };

    // The bound that ReferenceErf states.
    private const double ErfBound = 6e-16;

    [Theory]
    [MemberData(nameof(ErfValues))]
    public void ErfAndItsComplementKeepTheirBound(double x, double erf, double erfc)
    {
        Near(erf, ReferenceErf.Erf(x), ErfBound);
        Near(-erf, ReferenceErf.Erf(-x), ErfBound);
        Near(erfc, ReferenceErf.Erfc(x), ErfBound);
        Near(1 + erf, ReferenceErf.Erfc(-x), ErfBound);
    }

    [Fact]
    public void ErfAtTheEndsOfItsRange()
    {
        Assert.Equal(0, ReferenceErf.Erf(0));
        Assert.Equal(1, ReferenceErf.Erf(double.PositiveInfinity));
        Assert.Equal(-1, ReferenceErf.Erf(double.NegativeInfinity));
        Assert.Equal(0, ReferenceErf.Erfc(1e300));
        Assert.Equal(2, ReferenceErf.Erfc(double.NegativeInfinity));
        Assert.True(double.IsNaN(ReferenceErf.Erf(double.NaN)));
        Assert.True(double.IsNaN(ReferenceErf.Erfc(double.NaN)));
    }

    // Independent of the rational approximations: the slope is the Gaussian, whose integral by Gauss-Legendre over a short step is exact to
    // rounding.
    [Fact]
    public void ErfIsTheIntegralOfTheGaussian()
    {
        double[] nodes = [0, 0.5384693101056831, -0.5384693101056831, 0.9061798459386640, -0.9061798459386640];
        double[] weights = [0.5688888888888889, 0.4786286704993665, 0.4786286704993665, 0.2369268850561891, 0.2369268850561891];
        const double Step = 1.0 / 64;
        for (double x = -6; x < 6; x += Step)
        {
            double integral = 0;
            for (int i = 0; i < nodes.Length; i++)
            {
                double u = x + (Step / 2 * (1 + nodes[i]));
                integral += weights[i] * Step / 2 * Math.Exp(-u * u);
            }

            // Two values near 1 are subtracted: 2 ulp of 1 and the quadrature's 1e-17.
            Assert.InRange(ReferenceErf.Erf(x + Step) - ReferenceErf.Erf(x) - (2 / Math.Sqrt(Math.PI) * integral), -5e-16, 5e-16);
        }
    }

    [Theory]
    [InlineData(-30.0, -1.472014178144456e-196)]
    [InlineData(-10.0, -7.619853024160526e-23)]
    [InlineData(-5.0, -1.4332578593959695e-06)]
    [InlineData(-2.0, -0.04550026389635842)]
    [InlineData(-0.75, -0.16997051428265114)]
    [InlineData(-0.1, -0.0460172162722971)]
    [InlineData(0.1, 0.053982783727702904)]
    [InlineData(0.75, 0.5800294857173488)]
    [InlineData(2.0, 1.9544997361036416)]
    [InlineData(5.0, 4.999998566742141)]
    [InlineData(10.0, 10.0)]
    public void GeluIsExactFarIntoItsTail(double x, double expected)
    {
        // x / sqrt 2 is rounded before the exponential, which multiplies that rounding by x^2.
        Near(expected, ReferenceGelu.Value(x), 1e-15 + (x * x * 2.3e-16));
        double[] y = [x, 0];
        ReferenceGelu.Forward(y, y);
        Assert.Equal([ReferenceGelu.Value(x), 0], y);
    }

    [Fact]
    public void GateIsSigmoidTimesTanhOfTheHalves()
    {
        // Two rows of C = 3: the first half of a row goes through the sigmoid, the second through tanh.
        double[] y = [0, Math.Log(3), 1e3, -1e3, 2, 1e3, -1e3, 5, -Math.Log(3), 0.25, 0, -2];
        double[] z = new double[6];
        ReferenceGate.Forward(y, 3, z);
        double[] expected = [-0.5, 0.75 * Math.Tanh(2), 1, 0, 0, 0.25 * Math.Tanh(-2)];
        for (int i = 0; i < z.Length; i++)
            Near(expected[i], z[i], 4e-16);
        Assert.Throws<ArgumentException>(() => ReferenceGate.Forward(y, 5, z));
        Assert.Throws<ArgumentException>(() => ReferenceGate.Forward(y, 3, new double[5]));
    }

    [Fact]
    public void SiluOfKnownValues()
    {
        double[] y = [0, Math.Log(3), -Math.Log(3), 800, -800];
        ReferenceSilu.Forward(y, y);
        Assert.Equal(0, y[0]);
        Near(0.75 * Math.Log(3), y[1], 4e-16);
        Near(-0.25 * Math.Log(3), y[2], 4e-16);
        Assert.Equal(800, y[3]);
        Assert.Equal(0, y[4]);
    }

    // Row 49 of the official table (E = 256), from PyTorch 1.13: element, sine, cosine. The arguments there are 49 .. 490,000. Elements 119
    // and
    // 126 move by 2e-3 or more if any one of the three float32 roundings (exponent, frequency, angle) is left out.
    [Theory]
    [InlineData(0, -0.9537526369094849, 0.3005925416946411)]
    [InlineData(1, 0.6604726910591125, -0.7508500814437866)]
    [InlineData(64, -0.8333322405815125, -0.5527724027633667)]
    [InlineData(100, -0.9002325534820557, 0.43540939688682556)]
    [InlineData(119, 0.7500336170196533, -0.6613997220993042)]
    [InlineData(126, 0.4876730740070343, -0.8730263113975525)]
    [InlineData(127, -0.4700661301612854, 0.8826311826705933)]
    public void DiffusionTableIsTheOfficialOne(int j, double sine, double cosine)
    {
        double[] table = new double[256];
        ReferenceDiffusionEmbedding.Table(49, table);
        // One float32 ulp below 1.
        Assert.InRange(table[j] - sine, -6e-8, 6e-8);
        Assert.InRange(table[128 + j] - cosine, -6e-8, 6e-8);
    }

    [Fact]
    public void DiffusionTableAtStepZeroIsSineAndCosineOfZero()
    {
        double[] table = new double[6];
        ReferenceDiffusionEmbedding.Table(0, table);
        Assert.Equal([0, 0, 0, 1, 1, 1], table);
        Assert.Throws<ArgumentException>(() => ReferenceDiffusionEmbedding.Table(0, new double[5]));
        Assert.Throws<ArgumentException>(() => ReferenceDiffusionEmbedding.Table(0, new double[2]));
    }

    // From PyTorch 1.13, C = 288: position, channel, value.
    [Theory]
    [InlineData(0, 0, 0.0)]
    [InlineData(0, 1, 1.0)]
    [InlineData(1, 0, 0.8414709568023682)]
    [InlineData(1999, 0, 0.8117090463638306)]
    [InlineData(1999, 1, 0.5840620398521423)]
    [InlineData(1234, 2, 0.9911431074142456)]
    [InlineData(1999, 57, 0.9028445482254028)]
    [InlineData(777, 287, 0.9965713620185852)]
    public void PositionCodeIsTheOfficialOne(int position, int channel, double expected)
    {
        double[] code = new double[288];
        ReferencePositionCode.Row(position, code);
        // One float32 ulp below 1.
        Assert.InRange(code[channel] - expected, -6e-8, 6e-8);
    }

    private static void Near(double expected, double actual, double relative) =>
        Assert.True(Math.Abs(actual - expected) <= relative * Math.Abs(expected),
            $"{actual:R}, expected {expected:R} within {relative:g2} relative, is off by "
            + $"{Math.Abs(actual - expected) / Math.Abs(expected):g2}");
}
