using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Tests.Synthesis;

public class PortableMathTests
{
    [Fact]
    public void FunctionsAgreeWithThePlatformS()
    {
        for (double x = -690; x < 690; x += 0.7137)
            // The product with log2 e rounds the reduced argument's low part: a few units of 1.1e-16.
            Assert.InRange(PortableMath.Exp(x) / Math.Exp(x) - 1, -1e-15, 1e-15);
        for (double x = 1e-12; x < 1e12; x *= 1.317)
            Assert.InRange(PortableMath.Log(x) - Math.Log(x), -1e-15 * (1 + Math.Abs(Math.Log(x))), 1e-15 * (1 + Math.Abs(Math.Log(x))));
        for (double x = -3; x < 3; x += 0.00917)
        {
            // 2 pi x itself rounds by up to 19 * 1.1e-16 in the platform's argument.
            Assert.InRange(PortableMath.SinTurns(x) - Math.Sin(2 * Math.PI * x), -4e-15, 4e-15);
            Assert.InRange(PortableMath.CosTurns(x) - Math.Cos(2 * Math.PI * x), -4e-15, 4e-15);
        }
        Assert.Equal(1, PortableMath.Exp(0));
        Assert.Equal(0, PortableMath.Log(1));
        Assert.Equal(0, PortableMath.Exp(-1e9));
    }

    [Fact]
    public void RandomNumbersAreTheSameEverywhere()
    {
        var random = new CounterRandom(42, 7);
        // Recorded once; integer arithmetic leaves no room for another answer.
        Assert.Equal([RandomBits0, RandomBits1], [random.NextBits(), random.NextBits()]);
        Assert.NotEqual(new CounterRandom(42, 8).NextBits(), new CounterRandom(42, 7).NextBits());
        Assert.NotEqual(new CounterRandom(43, 7).NextBits(), new CounterRandom(42, 7).NextBits());
        Assert.NotEqual(CounterRandom.Derive(1, 2), CounterRandom.Derive(2, 1));
    }

    [Fact]
    public void RandomNumbersHaveTheDistributionsTheyClaim()
    {
        const int N = 200_000;
        var random = new CounterRandom(1, 1);
        double sum = 0, squares = 0, fourth = 0, uniform = 0, exponential = 0, lag = 0, before = 0;
        for (int i = 0; i < N; i++)
        {
            double g = random.NextGaussian();
            sum += g;
            squares += g * g;
            fourth += g * g * g * g;
            lag += g * before;
            before = g;
            uniform += random.NextDouble();
            exponential += random.NextExponential();
        }
        // Five standard errors each: of a mean of unit variance 1 / sqrt(N) = 0.0022, of g^2 sqrt 2, of g^4 sqrt 96, of a uniform 1 / sqrt
        // 12.
        double error = 5 / Math.Sqrt(N);
        Assert.InRange(sum / N, -error, error);
        Assert.InRange(squares / N - 1, -1.42 * error, 1.42 * error);
        Assert.InRange(fourth / N - 3, -9.8 * error, 9.8 * error);
        Assert.InRange(lag / N, -error, error);
        Assert.InRange(uniform / N - 0.5, -0.29 * error, 0.29 * error);
        Assert.InRange(exponential / N - 1, -error, error);
    }

    private const ulong RandomBits0 = 15998080344958768265, RandomBits1 = 4975102090523119172;
}
