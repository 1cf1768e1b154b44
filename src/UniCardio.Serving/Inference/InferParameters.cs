using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving.Inference;

/// <summary>What the output <c>signal</c> is.</summary>
internal enum InferSummary
{
    /// <summary>Median of the draws.</summary>
    Median,

    /// <summary>Mean of the draws.</summary>
    Mean,

    /// <summary>
    /// Of denoising: the mean of the clean signal given the measurement, which draws nothing
    /// (<see cref="Engine.Sessions.InferenceSession.Estimate"/>).
    /// </summary>
    Estimate,
}

/// <summary>What the parameters of an infer request ask for.</summary>
internal sealed record InferParameters
{
    private const string Known =
        "target (ppg, bp or ecg), draws, sampler, steps, seed, summary (median or mean; estimate for denoise), binary_data_output";

    public Modality Target { get; init; } = Modality.Bp;

    public required int Draws { get; init; }

    public required SamplerOptions Sampler { get; init; }

    public ulong Seed { get; init; }

    /// <summary>Null for the model's own: estimate for denoising, else median.</summary>
    public InferSummary? Summary { get; init; }

    public bool BinaryOutput { get; init; }

    /// <exception cref="RequestException">A parameter is unknown or out of range; it is named.</exception>
    public static InferParameters Read(IReadOnlyDictionary<string, object> parameters, ServerOptions options)
    {
        var read = new InferParameters { Draws = options.Draws, Sampler = options.Sampler };
        int? steps = null;
        foreach ((string name, object value) in parameters)
        {
            switch (name)
            {
                case "target":
                    read = read with { Target = value is string target && Modalities.TryParse(target, out Modality modality) ? modality
                        : throw Wrong(name, value, "one of ppg, bp and ecg") };
                    break;
                case "draws":
                    read = read with { Draws = Whole(name, value, options.MaxDraws) };
                    break;
                case "sampler":
                    read = read with { Sampler = ReadSampler(value) };
                    break;
                case "steps":
                    steps = Whole(name, value, 1_000_000);
                    break;
                case "seed":
                    read = read with { Seed = ReadSeed(value) };
                    break;
                case "summary":
                    read = read with { Summary = value switch { "median" => InferSummary.Median, "mean" => InferSummary.Mean, "estimate" =>
                        InferSummary.Estimate, _ => throw Wrong(name, value, "median, mean or estimate") } };
                    break;
                case "binary_data_output":
                    read = read with { BinaryOutput = value is bool binary ? binary : throw Wrong(name, value, "true or false") };
                    break;
                // What clients of other servers send along: codecs, where tensors say all that is needed, and wishes for a queue that has
                // one order.
                case "content_type":
                case "priority":
                case "timeout":
                    break;
                default:
                    throw RequestException.Bad($"there is no parameter '{name}'; expected {Known}");
            }
        }
        return steps is null ? read : read with { Sampler = read.Sampler with { Steps = steps } };
    }

    private static SamplerOptions ReadSampler(object value)
    {
        try
        {
            return SamplerOptions.Parse(value as string ?? throw Wrong("sampler", value, "a text such as dpm++2m:10"));
        }
        catch (FormatException problem)
        {
            throw RequestException.Bad($"parameter 'sampler': {problem.Message}", problem);
        }
    }

    private static ulong ReadSeed(object value) => value switch
    {
        decimal whole when whole >= 0 && whole <= ulong.MaxValue => (ulong)whole,
        string text when ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed) => seed,
        _ => throw Wrong("seed", value, "a whole number from 0 to 18446744073709551615, as a number or a text"),
    };

    private static int Whole(string name, object value, int max) =>
        value is decimal whole && whole >= 1 && whole <= max ? (int)whole : throw Wrong(name, value, $"a whole number from 1 to {max}");

    private static RequestException Wrong(string name, object value, string expected)
    {
        string text = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        return RequestException.Bad($"parameter '{name}' is {(text.Length > 64 ? text[..64] + "..." : text)}; expected {expected}");
    }
}
