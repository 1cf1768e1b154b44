namespace UniCardio.Signals.Patient;

/// <summary>A heart rate from several signals.</summary>
/// <param name="Rate">[seconds] beats a minute; NaN where it abstains.</param>
/// <param name="Deviation">[seconds] standard deviation of its error, bpm; NaN where it abstains.</param>
internal sealed record HeartRateTrack(double[] Rate, double[] Deviation);

/// <summary>One heart rate from the rates and quality indices of several signals, each second.</summary>
/// <remarks>
/// <para>Ours (<see cref="Fuse"/>): each rate z_m has the variance v_m = (b + 10 (1 - q_m))^2 + c (its intervals' spread)^2, q_m its
/// index; b = 0.1 bpm and c = 0 for an ECG, whose R peaks are the heart's beats, 0.7 and 0.3 for a pressure, 0.9 and 0.3 for a PPG, whose
/// pulses arrive earlier and later. What all of them share, the heart's own irregularity, is no error of any. A rate that differs from the
/// median of all by more than 5 bpm and three deviations is voted out where two others agree; of two that differ, the one nearer to the
/// prediction stays. A pulse that comes twice as often as the beats of a good ECG is a wave with a second peak that is counted too: it is
/// voted out whatever the prediction, which it may have led itself, and whoever agrees with it. The rest are fused with weights
/// q_m / v_m, variance with a common-mode term (one heart's irregularity is in all of them: rho = 0.3), and followed by a Kalman
/// filter with a random walk of variance 2 bpm^2 a second. It abstains where no index reaches 0.5. The constants were chosen on twelve
/// synthetic subjects.</para>
/// <para>Beside it the two published rules as baselines: switching (Johnson et al., Physiol Meas 36, 2015: the first signal in the order
/// ECG, pressure, PPG with an index above 0.8, else the best) and the Kalman fusion of Li, Mark and Clifford (Physiol Meas 29, 2008), with
/// the innovation weighting that they use.</para>
/// </remarks>
internal static class FusedHeartRate
{
    /// <summary>Index that a signal must reach to be believed at all.</summary>
    public const double MinIndex = 0.5;

    private const double CommonMode = 0.3, Walk = 2, Vote = 5, Doubt = 10, GoodEcg = 0.8, Octave = 0.1;

    /// <summary>Fuses rates.</summary>
    /// <param name="signals">The signals in any order, each of as many seconds.</param>
    public static HeartRateTrack Fuse(IReadOnlyList<BeatQuality> signals)
    {
        int seconds = Seconds(signals);
        double[] rate = new double[seconds], deviation = new double[seconds];
        double x = double.NaN, p = double.NaN;
        var taken = new List<(bool IsEcg, double Rate, double Variance, double Index)>();
        for (int s = 0; s < seconds; s++)
        {
            taken.Clear();
            foreach (BeatQuality signal in signals)
            {
                double q = signal.Index[s];
                if (q >= MinIndex && !double.IsNaN(signal.Rate[s]))
                    taken.Add((signal.Kind == ChannelKind.Ecg, signal.Rate[s], Variance(signal.Kind, q, signal.Deviation[s]), q));
            }

            p += Walk;
            bool settled = VoteOutSecondPeaks(taken);
            VoteOut(taken, x, p);
            if (taken.Count == 0)
            {
                (rate[s], deviation[s]) = (double.NaN, double.NaN);
                continue;
            }

            (double z, double r) = Combine(taken);
            if (double.IsNaN(x))
            {
                (x, p) = (z, r);
            }
            else
            {
                // A jump that a single signal claims is believed slowly.
                double innovation = z - x;
                if (taken.Count == 1 && !settled && innovation * innovation > 9 * (p + r))
                    r = Math.Max(r, (innovation * innovation / 9) - p);
                double gain = p / (p + r);
                x += gain * innovation;
                p *= 1 - gain;
            }

            (rate[s], deviation[s]) = (x, Math.Sqrt(p));
        }

        return new HeartRateTrack(rate, deviation);
    }

    /// <summary>Switching (Johnson et al. 2015): the first signal whose index is above 0.8, else the one with the highest. It never
    /// abstains while a signal has a rate.</summary>
    /// <param name="signals">The signals in order of trust.</param>
    public static double[] Switch(IReadOnlyList<BeatQuality> signals)
    {
        var rate = new double[Seconds(signals)];
        for (int s = 0; s < rate.Length; s++)
        {
            BeatQuality? chosen = signals.FirstOrDefault(q => q.Index[s] > 0.8 && !double.IsNaN(q.Rate[s]))
                ?? signals.Where(q => !double.IsNaN(q.Rate[s])).MaxBy(q => q.Index[s]);
            rate[s] = chosen?.Rate[s] ?? double.NaN;
        }

        return rate;
    }

    /// <summary>Kalman fusion (Li, Mark and Clifford 2008): a scalar filter a signal, R = exp(1 / q^2 - 1), Q = 0.1; fused with weights
    /// that fall with each one's squared innovation over its squared index.</summary>
    /// <param name="signals">The signals.</param>
    public static double[] Kalman(IReadOnlyList<BeatQuality> signals)
    {
        const double Q = 0.1, Start = 100;
        var rate = new double[Seconds(signals)];
        int n = signals.Count;
        double[] x = new double[n], p = new double[n], cost = new double[n];
        Array.Fill(x, double.NaN);
        for (int s = 0; s < rate.Length; s++)
        {
            double sum = 0, total = 0;
            for (int k = 0; k < n; k++)
            {
                bool missing = double.IsNaN(signals[k].Rate[s]);
                if (missing && double.IsNaN(x[k]))
                    continue;
                double z = missing ? x[k] : signals[k].Rate[s], q = missing ? 1e-5 : Math.Max(1e-5, signals[k].Index[s]);
                if (double.IsNaN(x[k]))
                    (x[k], p[k]) = (z, Start);
                double r = Math.Min(1e6, Math.Exp(Math.Min(50, (1 / (q * q)) - 1))), before = p[k] + Q, gain = before / (before + r),
                    nu = z - x[k];
                x[k] += gain * nu;
                p[k] = (1 - gain) * before;
                cost[k] = Math.Max(1e-10, Square((nu == 0 ? 1e-5 : nu) / q));
                sum += x[k] / cost[k];
                total += 1 / cost[k];
            }

            rate[s] = total > 0 ? sum / total : double.NaN;
        }

        return rate;
    }

    private static double Variance(ChannelKind kind, double index, double spread)
    {
        (double least, double share) = kind switch
        {
            ChannelKind.Ecg => (0.1, 0.0),
            ChannelKind.BloodPressure => (0.7, 0.3),
            _ => (0.9, 0.3),
        };
        return Square(least + (Doubt * (1 - index))) + (share * spread * spread);
    }

    private static bool VoteOutSecondPeaks(List<(bool IsEcg, double Rate, double Variance, double Index)> taken)
    {
        double beats = taken.Find(t => t.IsEcg && t.Index >= GoodEcg).Rate;
        return beats > 0 && taken.RemoveAll(t => !t.IsEcg && Math.Abs((t.Rate / (2 * beats)) - 1) <= Octave) > 0;
    }

    private static void VoteOut(List<(bool IsEcg, double Rate, double Variance, double Index)> taken, double x, double p)
    {
        if (taken.Count >= 3)
        {
            double[] sorted = [.. taken.Select(t => t.Rate).Order()];
            double median = sorted[sorted.Length / 2];
            if (taken.Count(t => Math.Abs(t.Rate - median) <= Vote) >= 2)
                taken.RemoveAll(t => Math.Abs(t.Rate - median) > Math.Max(Vote, 3 * Math.Sqrt(t.Variance)));
        }
        else if (taken.Count == 2 && !double.IsNaN(x)
            && Math.Abs(taken[0].Rate - taken[1].Rate) > Math.Max(Vote, 3 * Math.Sqrt(Math.Max(taken[0].Variance, taken[1].Variance))))
        {
            // A prediction that is old tells no more than the index does.
            double Cost((bool IsEcg, double Rate, double Variance, double Index) t) =>
                Square(t.Rate - x) / (p + t.Variance) / Square(t.Index);
            taken.RemoveAt(Cost(taken[0]) > Cost(taken[1]) ? 0 : 1);
        }
    }

    private static (double Rate, double Variance) Combine(List<(bool IsEcg, double Rate, double Variance, double Index)> taken)
    {
        double total = taken.Sum(t => t.Index / t.Variance), rate = 0, variance = 0;
        for (int a = 0; a < taken.Count; a++)
        {
            double wa = taken[a].Index / taken[a].Variance / total;
            rate += wa * taken[a].Rate;
            for (int b = 0; b < taken.Count; b++)
            {
                double wb = taken[b].Index / taken[b].Variance / total;
                variance += wa * wb * Math.Sqrt(taken[a].Variance * taken[b].Variance) * (a == b ? 1 : CommonMode);
            }
        }

        return (rate, variance);
    }

    private static int Seconds(IReadOnlyList<BeatQuality> signals)
    {
        ArgumentNullException.ThrowIfNull(signals);
        if (signals.Count == 0 || signals.Any(s => s.Rate.Length != signals[0].Rate.Length))
            throw new ArgumentException("Signals to be fused are of as many seconds each, and at least one.", nameof(signals));
        return signals[0].Rate.Length;
    }

    private static double Square(double x) => x * x;
}
