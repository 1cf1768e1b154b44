namespace UniCardio.Signals.Beats;

/// <summary>Finite filters of odd length, index half + k for sample k.</summary>
internal static class Kernels
{
    /// <summary>Minus the second derivative of a Gaussian: responds to a peak, not to an offset or a ramp.</summary>
    public static double[] Second(double sigma) => Make(sigma, 4, x => (1 - x * x) * Math.Exp(-x * x / 2), odd: false);

    /// <summary>Third derivative of a Gaussian: responds to a rise between two dips.</summary>
    public static double[] Third(double sigma) => Make(sigma, 4, x => (3 * x - x * x * x) * Math.Exp(-x * x / 2), odd: true);

    /// <summary>First derivative of a Gaussian less one of four times its width, so that a ramp gives nothing.</summary>
    public static double[] Slope(double sigma)
    {
        double[] k = Make(sigma, 14, x => x * Math.Exp(-x * x / 2), odd: false),
            wide = Make(sigma, 14, x => x * Math.Exp(-x * x / 32), odd: false);
        double a = Ramp(k), b = Ramp(wide);
        for (int i = 0; i < k.Length; i++)
            k[i] -= wide[i] * a / b;
        return Normalize(k);
    }

    /// <summary>A narrow Gaussian less a wide one.</summary>
    public static double[] Band(double fine, double coarse)
    {
        int half = (int)Math.Ceiling(3 * coarse);
        var a = new double[2 * half + 1];
        var b = new double[2 * half + 1];
        for (int i = 0; i < a.Length; i++)
        {
            double x = i - half;
            a[i] = Math.Exp(-x * x / (2 * fine * fine));
            b[i] = Math.Exp(-x * x / (2 * coarse * coarse));
        }
        double sa = a.Sum(), sb = b.Sum();
        for (int i = 0; i < a.Length; i++)
            a[i] = a[i] / sa - b[i] / sb;
        return a;
    }

    private static double[] Make(double sigma, double reach, Func<double, double> shape, bool odd)
    {
        int half = (int)Math.Ceiling(reach * sigma);
        var k = new double[2 * half + 1];
        for (int i = 0; i < k.Length; i++)
            k[i] = shape((i - half) / sigma);
        if (odd)
        {
            // Takes off what a ramp would still give.
            double a = Ramp(k), square = 0;
            for (int i = 0; i < k.Length; i++)
                square += (double)(i - half) * (i - half);
            for (int i = 0; i < k.Length; i++)
                k[i] -= a * (i - half) / square;
        }
        else
        {
            double mean = k.Sum() / k.Length;
            for (int i = 0; i < k.Length; i++)
                k[i] -= mean;
        }
        return Normalize(k);
    }

    private static double Ramp(double[] k)
    {
        double sum = 0;
        for (int i = 0; i < k.Length; i++)
            sum += k[i] * (i - k.Length / 2);
        return sum;
    }

    // Positive weights sum up to 1, so that a response is in the signal's unit.
    private static double[] Normalize(double[] k)
    {
        double sum = k.Where(x => x > 0).Sum();
        for (int i = 0; i < k.Length; i++)
            k[i] /= sum;
        return k;
    }
}
