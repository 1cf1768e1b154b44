using UniCardio.Training.Differentiation;

namespace UniCardio.Training.Quality;

/// <summary>Numbers of the published pretraining loss (arXiv 2509.06516 and its code).</summary>
internal sealed record QualityLossOptions
{
    /// <summary>Temperature of the teacher's softmax.</summary>
    public double TeacherTemperature { get; init; } = 0.04;

    /// <summary>Temperature of the student's softmax.</summary>
    public double StudentTemperature { get; init; } = 0.1;

    /// <summary>Share of the old centre that stays at an update.</summary>
    public double CentreMomentum { get; init; } = 0.9;

    /// <summary>Weight of the amplitude loss.</summary>
    public double Amplitude { get; init; } = 0.1;

    /// <summary>Weight of the phase loss.</summary>
    public double Phase { get; init; } = 0.1;
}

/// <summary>The parts of the pretraining loss, each with its gradient.</summary>
internal static class QualityLosses
{
    /// <summary>
    /// Distillation: mean over rows of -sum_k softmax((Ut - c) / Tt)_k logsoftmax(Us / Ts)_k. Gradient by Us: (softmax(Us / Ts) -
    /// softmax((Ut - c) / Tt)) / (rows Ts).
    /// </summary>
    /// <param name="student">[rows, d]; its gradient is added to.</param>
    /// <param name="teacher">[rows, d].</param>
    /// <param name="centre">[rows of a window, d].</param>
    /// <param name="options">Temperatures.</param>
    /// <param name="totalRows">Rows that the mean is over; those of the whole batch where this is a part of it.</param>
    /// <returns>The loss.</returns>
    public static double Distil(TapeMatrix student, ReadOnlySpan<float> teacher, ReadOnlySpan<float> centre, QualityLossOptions options,
        int totalRows)
    {
        int d = student.Columns;
        double[] target = new double[d], own = new double[d];
        double loss = 0;
        for (int row = 0; row < student.Rows; row++)
        {
            ReadOnlySpan<float> t = teacher.Slice(row * d, d), c = centre.Slice(row * d % centre.Length, d), s = student.Row(row);
            for (int k = 0; k < d; k++)
            {
                target[k] = ((double)t[k] - c[k]) / options.TeacherTemperature;
                own[k] = s[k] / options.StudentTemperature;
            }

            Softmax(target);
            double log = Softmax(own);
            Span<float> gradient = student.GradientRow(row);
            for (int k = 0; k < d; k++)
            {
                loss -= target[k] * ((s[k] / options.StudentTemperature) - log) / totalRows;
                gradient[k] += (float)((own[k] - target[k]) / (totalRows * options.StudentTemperature));
            }
        }

        return loss;
    }

    /// <summary>Smooth L1 with beta 1, mean over all elements of the batch: e^2 / 2 where |e| &lt; 1, else |e| - 1/2.</summary>
    /// <param name="prediction">[rows, d]; its gradient is added to.</param>
    /// <param name="target">[rows, d].</param>
    /// <param name="weight">Factor of the gradient.</param>
    /// <param name="totalRows">Rows that the mean is over.</param>
    /// <returns>The loss, without the factor.</returns>
    public static double SmoothL1(TapeMatrix prediction, ReadOnlySpan<double> target, double weight, int totalRows)
    {
        int d = prediction.Columns;
        double loss = 0, count = (double)totalRows * d;
        for (int row = 0; row < prediction.Rows; row++)
        {
            ReadOnlySpan<float> p = prediction.Row(row);
            Span<float> gradient = prediction.GradientRow(row);
            for (int k = 0; k < d; k++)
            {
                double error = p[k] - target[(row * d) + k], size = Math.Abs(error);
                loss += (size < 1 ? error * error / 2 : size - 0.5) / count;
                gradient[k] += (float)(weight * Math.Clamp(error, -1, 1) / count);
            }
        }

        return loss;
    }

    /// <summary>Our phase loss: mean over elements of a (1 - cos(prediction - target)), a the amplitude over its row's mean: a phase where
    /// there is no power says nothing, and a turn more or less is no error.</summary>
    /// <param name="prediction">[rows, d] radians; its gradient is added to.</param>
    /// <param name="target">[rows, d] radians.</param>
    /// <param name="amplitude">[rows, d] weights, mean 1 a row.</param>
    /// <param name="weight">Factor of the gradient.</param>
    /// <param name="totalRows">Rows that the mean is over.</param>
    /// <returns>The loss, without the factor.</returns>
    public static double Phase(TapeMatrix prediction, ReadOnlySpan<double> target, ReadOnlySpan<double> amplitude, double weight,
        int totalRows)
    {
        int d = prediction.Columns;
        double loss = 0, count = (double)totalRows * d;
        for (int row = 0; row < prediction.Rows; row++)
        {
            ReadOnlySpan<float> p = prediction.Row(row);
            Span<float> gradient = prediction.GradientRow(row);
            for (int k = 0; k < d; k++)
            {
                double error = p[k] - target[(row * d) + k], a = amplitude[(row * d) + k];
                loss += a * (1 - Math.Cos(error)) / count;
                gradient[k] += (float)(weight * a * Math.Sin(error) / count);
            }
        }

        return loss;
    }

    /// <summary>Binary cross-entropy of logits with labels of 0 to 1: mean over labelled elements of log(1 + e^z) - y z.</summary>
    /// <param name="logits">[rows, n]; its gradient is added to.</param>
    /// <param name="labels">[rows, n]; NaN where there is none.</param>
    /// <param name="weight">Factor of the gradient.</param>
    /// <returns>The loss, without the factor.</returns>
    public static double BinaryCrossEntropy(TapeMatrix logits, ReadOnlySpan<float> labels, double weight)
    {
        int n = logits.Columns, count = 0;
        foreach (float y in labels)
            count += float.IsNaN(y) ? 0 : 1;
        double loss = 0;
        for (int row = 0; row < logits.Rows; row++)
        {
            ReadOnlySpan<float> z = logits.Row(row);
            Span<float> gradient = logits.GradientRow(row);
            for (int k = 0; k < n; k++)
            {
                float y = labels[(row * n) + k];
                if (float.IsNaN(y))
                    continue;
                loss += (Math.Max(z[k], 0) + Math.Log(1 + Math.Exp(-Math.Abs(z[k]))) - (y * z[k])) / count;
                gradient[k] += (float)(weight * ((1 / (1 + Math.Exp(-z[k]))) - y) / count);
            }
        }

        return loss;
    }

    /// <summary>Cross-entropy of a softmax with classes: mean over windows that have one of -log softmax(z)_y.</summary>
    /// <param name="logits">[windows, classes]; its gradient is added to.</param>
    /// <param name="classes">[windows]; -1 where there is none.</param>
    /// <param name="weight">Factor of the gradient.</param>
    /// <returns>The loss, without the factor.</returns>
    public static double CrossEntropy(TapeMatrix logits, ReadOnlySpan<int> classes, double weight)
    {
        int count = 0;
        foreach (int c in classes)
            count += c >= 0 ? 1 : 0;
        double loss = 0;
        double[] p = new double[logits.Columns];
        for (int row = 0; row < logits.Rows; row++)
        {
            if (classes[row] < 0)
                continue;
            ReadOnlySpan<float> z = logits.Row(row);
            for (int k = 0; k < p.Length; k++)
                p[k] = z[k];
            double log = Softmax(p);
            loss += (log - z[classes[row]]) / count;
            Span<float> gradient = logits.GradientRow(row);
            for (int k = 0; k < p.Length; k++)
                gradient[k] += (float)(weight * (p[k] - (k == classes[row] ? 1 : 0)) / count);
        }

        return loss;
    }

    /// <summary>c &lt;- momentum c + (1 - momentum) mean over windows of the teacher's features.</summary>
    /// <param name="centre">[tokens, d], updated.</param>
    /// <param name="teacher">[windows, tokens, d].</param>
    /// <param name="options">The momentum.</param>
    public static void UpdateCentre(Span<float> centre, ReadOnlySpan<float> teacher, QualityLossOptions options)
    {
        int windows = teacher.Length / centre.Length;
        for (int i = 0; i < centre.Length; i++)
        {
            double mean = 0;
            for (int w = 0; w < windows; w++)
                mean += teacher[(w * centre.Length) + i];
            centre[i] = (float)((options.CentreMomentum * centre[i]) + ((1 - options.CentreMomentum) * mean / windows));
        }
    }

    // In place; returns log of the sum of exponentials.
    private static double Softmax(double[] row)
    {
        double largest = row.Max(), sum = 0;
        for (int k = 0; k < row.Length; k++)
            sum += row[k] = Math.Exp(row[k] - largest);
        for (int k = 0; k < row.Length; k++)
            row[k] /= sum;
        return largest + Math.Log(sum);
    }
}
