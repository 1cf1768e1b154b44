using System.Globalization;

namespace UniCardio.Benchmarks.Soak;

/// <summary>What a soak does: <c>soak [--minutes 30] [--malformed 100000] ...</c>.</summary>
internal sealed record SoakOptions
{
    /// <summary>Length in minutes, without the comparison at the end.</summary>
    public double Minutes { get; init; } = 30;

    /// <summary>Patients in real time: one that is left in peace, the others with drop-outs, reconnects and clock jumps.</summary>
    public int Patients { get; init; } = 3;

    /// <summary>Malformed messages, bodies and requests that the server is to refuse.</summary>
    public int Malformed { get; init; } = 100_000;

    /// <summary>How often the server is killed, and how many minutes apart; from then on one process has to last.</summary>
    public int Kills { get; init; } = 4;

    public double KillMinutes { get; init; } = 2;

    public string Weights { get; init; } = "recipe:1,compact";

    public int Draws { get; init; } = 2;

    public string Sampler { get; init; } = "ddim:1";

    public int Seed { get; init; } = 1;

    public int Threads { get; init; } = 1;

    /// <summary>Whether the result goes out as JSON too.</summary>
    public bool Json { get; init; }

    public TimeSpan Duration => TimeSpan.FromMinutes(Minutes);

    /// <exception cref="FormatException">Not an option, or not its value.</exception>
    public static SoakOptions Parse(string[] args)
    {
        var options = new SoakOptions();
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--json")
            {
                options = options with { Json = true };
                continue;
            }
            string value = i + 1 < args.Length ? args[++i] : throw new FormatException($"{args[i]} lacks a value");
            options = args[i - 1] switch
            {
                "--minutes" => options with { Minutes = Number(value) },
                "--patients" => options with { Patients = Math.Max(1, (int)Number(value)) },
                "--malformed" => options with { Malformed = (int)Number(value) },
                "--kills" => options with { Kills = (int)Number(value) },
                "--kill-minutes" => options with { KillMinutes = Number(value) },
                "--weights" => options with { Weights = value },
                "--draws" => options with { Draws = (int)Number(value) },
                "--sampler" => options with { Sampler = value },
                "--seed" => options with { Seed = (int)Number(value) },
                "--threads" => options with { Threads = (int)Number(value) },
                _ => throw new FormatException($"{args[i - 1]} is not an option of soak"),
            };
        }
        return options;
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
