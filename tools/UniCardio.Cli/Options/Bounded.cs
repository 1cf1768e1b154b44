using System.CommandLine;
using System.Globalization;

namespace UniCardio.Cli.Options;

/// <summary>Options whose value has a range, which the command line refuses at once.</summary>
internal static class Bounded
{
    /// <summary>A whole number.</summary>
    public static Option<int> Number(string name, string description, int min, int max, int otherwise)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => otherwise };
        Check(option, x => x >= min && x <= max, $"between {min} and {max}");
        return option;
    }

    /// <summary>A whole number that may be left out.</summary>
    public static Option<int?> OptionalNumber(string name, string description, int min, int max)
    {
        var option = new Option<int?>(name) { Description = description, HelpName = "N" };
        Check(option, x => x >= min && x <= max, $"between {min} and {max}");
        return option;
    }

    /// <summary>Whole numbers, none or several.</summary>
    public static Option<int[]> Numbers(string name, string description, string helpName, int min, int max)
    {
        var option = new Option<int[]>(name) { Description = description, HelpName = helpName, AllowMultipleArgumentsPerToken = true };
        Check(option, x => x >= min && x <= max, $"between {min} and {max}");
        return option;
    }

    /// <summary>A number from 0 on that may be left out.</summary>
    public static Option<double?> OptionalNonNegative(string name, string description, string helpName)
    {
        var option = new Option<double?>(name) { Description = description, HelpName = helpName };
        Check(option, x => x >= 0 && double.IsFinite(x), "a finite number from 0 on");
        return option;
    }

    // What is no number at all is refused by the parser itself.
    private static void Check(Option option, Func<double, bool> fits, string expected) => option.Validators.Add(result =>
    {
        foreach (string value in result.Tokens.Select(t => t.Value))
        {
            if (double.TryParse(value, CultureInfo.InvariantCulture, out double x) && !fits(x))
                result.AddError($"{option.Name} {value} is not {expected}");
        }
    });
}
