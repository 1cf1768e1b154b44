using UniCardio.Engine.Model;

namespace UniCardio.Engine.Sampling;

/// <summary>DDIM as the official code computes it; see <see cref="SamplerTable"/> for its quirks.</summary>
internal static class OfficialDdim
{
    /// <summary>ceil(T / stride) - 1 rows, stride = T / N.</summary>
    /// <exception cref="ConfigurationException">N leaves a single t, so that the official code would return its noise.</exception>
    public static (SamplerStep[] Steps, int NoiseDraws) Rows(RowFactory rows, int steps, double ratio, CardioTask task)
    {
        NoiseSchedule schedule = rows.Schedule;
        int stride = schedule.Steps / steps;
        int count = ((schedule.Steps + stride - 1) / stride) - 1;
        if (count == 0)
            throw new ConfigurationException("steps", $"official DDIM makes no update with {steps} of {schedule.Steps} steps and would return noise; use 2 or more, or the standard form");
        bool keepsClean = task.Kind == TaskKind.Translate && task.Conditions == ModalitySet.Ecg && task.Output == Modality.Bp;
        var table = new SamplerStep[count];
        for (int i = 0; i < count; i++)
        {
            int t = (count - i) * stride, next = t - stride;

            // Both x0 and the noise term use eps / ratio, and eps / ratio = (x - alpha_t x0) / sigma_t for that x0, so only the
            // prediction of x0 knows the ratio.
            double state = schedule.Sigma[next] / schedule.Sigma[t];
            table[i] = keepsClean
                ? rows.Row(t, 0, 1, ratio: ratio)
                : rows.Row(t, state, schedule.Alpha[next] - (schedule.Alpha[t] * state), ratio: ratio);
        }

        return (table, 1);
    }
}
