using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;

namespace UniCardio.Training.Network;

/// <summary>The golden loss and its gradients.</summary>
/// <param name="Loss">Sum over the windows.</param>
/// <param name="Parameters">Gradient of every parameter, row-major, by name without <see cref="ParameterCatalog.Prefix"/>; zeros where the
/// loss does not depend on it.</param>
internal sealed record LossGradients(double Loss, IReadOnlyDictionary<string, ReadOnlyMemory<float>> Parameters);

/// <summary>Compares the losses and gradients of golden vectors with those of a network that trains.</summary>
internal static class GoldenGradients
{
    /// <summary>
    /// Tolerance of a parameter's gradient. It is a sum over tokens and windows whose terms partly cancel: n = 800 terms of float32 (6e-8)
    /// add up to at most 5e-5 of their magnitudes in the worst order, on each side. Measured against the official code: 6e-6. Losses are
    /// held to
    /// <see cref="GoldenVerifier.BackendTolerance"/>, as the predictions that they are made of.
    /// </summary>
    public const double Tolerance = 1e-4;

    /// <summary>Adds the comparison of gradients to what <see cref="GoldenVerifier"/> reports; without any in the file the report stays as
    /// it is.</summary>
    /// <param name="report">The report on the file's other entries.</param>
    /// <param name="file">The golden vectors.</param>
    /// <param name="weights">The weights; their configuration must be the file's.</param>
    /// <param name="create">Makes the network, without dropout; it is disposed at the end.</param>
    /// <param name="tolerance">Largest relative error allowed; null for <see cref="Tolerance"/>, and the backends' for losses.</param>
    /// <param name="cancellation">Asked before each entry.</param>
    /// <exception cref="GoldenException">The weights or the network are of another configuration.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static GoldenReport AddTo(
        GoldenReport report,
        GoldenVectors file,
        ModelWeights weights,
        Func<ModelConfiguration, IGradientNetwork> create,
        double? tolerance = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(create);
        GoldenGradient[] entries = [.. file.Entries.OfType<GoldenGradient>()];
        if (entries.Length == 0)
            return report;
        file.CheckConfiguration(weights.Configuration);
        using IGradientNetwork network = create(weights.Configuration);
        file.CheckConfiguration(network.Configuration);
        network.Layout.Read(weights, network.Parameters);
        network.ParametersChanged();
        var results = new List<GoldenResult>(report.Results);
        foreach (GoldenGradient entry in entries)
        {
            cancellation.ThrowIfCancellationRequested();
            results.AddRange(Compare(file, entry, network, tolerance));
        }

        return report with
        {
            Results = results,
            NotVerified = [.. report.NotVerified.Where(o => entries.All(e => e.Name != o.Name))],
            Gradients =
                $"training network {CpuInstructionSets.Name(network.InstructionSet)} x {network.Threads} "
                + $"thread{(network.Threads == 1 ? "" : "s")}",
        };
    }

    /// <summary>Loss sum((targets - prediction)^2) / (4S) over B windows, and its gradients: the official loss divides by all four slots,
    /// of which three are masked.</summary>
    /// <param name="network">The network with its parameters.</param>
    /// <param name="task">Conditions, target and decoder of every window.</param>
    /// <param name="steps">[B] diffusion step of each window.</param>
    /// <param name="inputs">[B, 4S], x_t in the target's slot; dead slots are not read.</param>
    /// <param name="targets">[B, S] what the network should predict.</param>
    public static LossGradients Of(IGradientNetwork network, CardioTask task, IReadOnlyList<int> steps, ReadOnlyMemory<float> inputs,
        ReadOnlyMemory<float> targets)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(steps);
        int samples = network.Configuration.SlotSamples;
        var batch = new TrainingBatch(steps.Count, network.Configuration.SlotSamples);
        inputs.Span.CopyTo(batch.Inputs);
        for (int window = 0; window < batch.Count; window++)
            (batch.Tasks[window], batch.Steps[window]) = (task, steps[window]);
        double[] losses = new double[batch.Count];
        network.Accumulate(batch, (window, prediction, gradient) =>
            Loss(prediction, targets.Span.Slice(window * samples, samples), gradient), 0, losses);
        var parameters = new Dictionary<string, ReadOnlyMemory<float>>(StringComparer.Ordinal);
        foreach (ParameterSlice slice in network.Layout.Slices)
            parameters[slice.Name[ParameterCatalog.Prefix.Length..]] = slice.Of(network.Gradients).ToArray();
        return new LossGradients(losses.Sum(), parameters);
    }

    private static double Loss(ReadOnlySpan<float> prediction, ReadOnlySpan<float> target, Span<float> gradient)
    {
        double loss = 0, share = 1.0 / (ModelConfiguration.SlotCount * prediction.Length);
        for (int i = 0; i < prediction.Length; i++)
        {
            double difference = prediction[i] - target[i];
            loss += share * difference * difference;
            gradient[i] = (float)(2 * share * difference);
        }

        return loss;
    }

    // The loss, the gradients that the file holds, and those that it should hold because they are not zero.
    private static IEnumerable<GoldenResult> Compare(GoldenVectors file, GoldenGradient entry, IGradientNetwork network, double? tolerance)
    {
        LossGradients computed = Of(network, entry.Task, entry.Steps, file.Values(entry.Name + "/x"), file.Values(entry.Name + "/noise"));
        string loss = entry.Name + "/loss";
        yield return new GoldenResult(loss, RelativeError.Of([(float)computed.Loss], file.Values(loss).Span),
            tolerance ?? GoldenVerifier.BackendTolerance);
        double allowed = tolerance ?? Tolerance;
        foreach (string parameter in entry.Parameters)
        {
            string name = $"{entry.Name}/d/{parameter}";
            yield return new GoldenResult(name, RelativeError.Of(computed.Parameters[parameter].Span, file.Values(name).Span), allowed);
        }

        // A parameter that the file leaves out has no gradient. Zeros are not listed; anything else is infinitely far from zero, or NaN.
        HashSet<string> held = [.. entry.Parameters];
        foreach ((string parameter, ReadOnlyMemory<float> actual) in computed.Parameters.Where(p => !held.Contains(p.Key)))
        {
            double error = RelativeError.Of(actual.Span, new float[actual.Length]);
            if (!(error <= 0))
                yield return new GoldenResult($"{entry.Name}/d/{parameter}", error, allowed);
        }
    }
}
