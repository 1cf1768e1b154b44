using System.Globalization;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Weights.Golden;

/// <summary>The names of golden entries: <c>key=value</c> parts between slashes after a kind.</summary>
/// <remarks>
/// <c>eps/cond=01/target=2/decoder=2/t=7</c>; <c>ddim/flag=20/decoder=0/steps=10/ratio=1.1</c> with flag = condition digits, then the
/// target's;
/// <c>grad/cond=0/target=2/decoder=2</c>. Runs of samplers that the official code does not have are named
/// <c>run/flag=02/decoder=2/sampler=dpm++2m:10</c>, the sampler in its text form.
/// </remarks>
internal static class GoldenName
{
    public const string Call = "eps";
    public const string Gradient = "grad";
    public const string Run = "run";

    /// <summary>Conditions, target and decoder as in <c>cond=01/target=2/decoder=2</c>.</summary>
    public static string Of(CardioTask task) =>
        string.Create(CultureInfo.InvariantCulture, $"cond={Digits(task)}/target={(int)task.Target}/decoder={(int)task.Output}");

    /// <summary>Name of a network call.</summary>
    public static string Of(CardioTask task, int t) => string.Create(CultureInfo.InvariantCulture, $"{Call}/{Of(task)}/t={t}");

    /// <summary>Name of a sampling run.</summary>
    public static string Of(CardioTask task, SamplerOptions sampler)
    {
        string slots = string.Create(CultureInfo.InvariantCulture, $"flag={Digits(task)}{(int)task.Target}/decoder={(int)task.Output}");
        return (sampler.OfficialCompatible, sampler.Kind) switch
        {
            (true, SamplerKind.Ddpm) => $"ddpm/{slots}",
            (true, SamplerKind.Improved) => $"improved/{slots}",
            (true, SamplerKind.Ddim) when sampler.Steps is int steps =>
                string.Create(CultureInfo.InvariantCulture,
                    $"ddim/{slots}/steps={steps}{(sampler.Ratio == 1 ? "" : $"/ratio={sampler.Ratio:R}")}"),
            _ => $"{Run}/{slots}/sampler={sampler}",
        };
    }

    /// <summary>Whether a name starts as a sampling run's.</summary>
    public static bool IsRun(string kind) => kind is Run or "ddpm" or "ddim" or "improved";

    /// <summary>Reads <c>cond=, target=, decoder=</c>.</summary>
    /// <exception cref="FormatException">A part is missing or does not make a task.</exception>
    public static CardioTask Task(IReadOnlyDictionary<string, string> parts) =>
        Task(Part(parts, "cond"), Part(parts, "target"), Part(parts, "decoder"));

    /// <summary>Reads <c>flag=, decoder=</c>.</summary>
    /// <exception cref="FormatException">A part is missing or does not make a task.</exception>
    public static CardioTask RunTask(IReadOnlyDictionary<string, string> parts)
    {
        string flag = Part(parts, "flag");
        return flag.Length >= 2
            ? Task(flag[..^1], flag[^1..], Part(parts, "decoder"))
            : throw new FormatException($"flag '{flag}' should be condition digits, then the target's");
    }

    /// <summary>The sampler that a run's name gives.</summary>
    /// <exception cref="FormatException">The parts do not make a sampler.</exception>
    public static SamplerOptions Sampler(string kind, IReadOnlyDictionary<string, string> parts)
    {
        string text = kind switch
        {
            "ddpm" => "ddpm,official",
            "improved" => "improved",
            Run => Part(parts, "sampler"),
            _ => "ddim" + (parts.TryGetValue("steps", out string? steps) ? ":" + steps : "") + ",official"
                + (parts.TryGetValue("ratio", out string? ratio) ? ",ratio=" + ratio : ""),
        };
        return SamplerOptions.Parse(text);
    }

    /// <summary>Reads a whole number from a part.</summary>
    /// <exception cref="FormatException">It is missing or not a whole number.</exception>
    public static int Number(IReadOnlyDictionary<string, string> parts, string key) =>
        int.TryParse(Part(parts, key), NumberStyles.None, CultureInfo.InvariantCulture, out int value)
            ? value
            : throw new FormatException($"{key} '{Part(parts, key)}' is not a whole number");

    /// <summary>The <c>key=value</c> parts after the kind.</summary>
    /// <exception cref="FormatException">A part has no '=' or a key is given twice.</exception>
    public static Dictionary<string, string> Parts(string name)
    {
        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string part in name.Split('/').Skip(1))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !parts.TryAdd(part[..equals], part[(equals + 1)..]))
                throw new FormatException($"'{part}' should be key=value, each key once");
        }

        return parts;
    }

    private static string Part(IReadOnlyDictionary<string, string> parts, string key) =>
        parts.TryGetValue(key, out string? value) ? value : throw new FormatException($"no '{key}=' in the name");

    private static CardioTask Task(string conditions, string target, string decoder)
    {
        ModalitySet set = ModalitySet.None;
        foreach (char digit in conditions)
        {
            if (digit is < '0' or > '2' || set.Contains((Modality)(digit - '0')))
                throw new FormatException($"conditions '{conditions}' should be digits 0 to 2, each once");
            set |= ((Modality)(digit - '0')).ToSet();
        }

        if (target is not [>= '0' and <= '3'])
            throw new FormatException($"target '{target}' should be a digit 0 to 3");
        if (decoder is not [>= '0' and <= '2'])
            throw new FormatException($"decoder '{decoder}' should be a digit 0 to 2");
        try
        {
            return CardioTask.FromSlots(set, (Slot)(target[0] - '0'), (Modality)(decoder[0] - '0'));
        }
        catch (ConfigurationException problem)
        {
            throw new FormatException(problem.Message, problem);
        }
    }

    private static string Digits(CardioTask task) => string.Concat(task.Conditions.Members().Select(m => (int)m));
}
