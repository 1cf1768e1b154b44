using System.CommandLine;
using UniCardio.Engine;

namespace UniCardio.Cli.Options;

/// <summary>Options whose values have a text form of their own.</summary>
internal static class Parsed
{
    /// <summary>An option that takes one value.</summary>
    public static Option<T?> One<T>(string name, string description, string helpName)
        where T : IParsable<T> => new(name)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result => Read<T>(result.Tokens[0].Value, result.AddError),
        };

    /// <summary>An option that may be given several times.</summary>
    public static Option<T[]> Many<T>(string name, string description, string helpName)
        where T : IParsable<T> => new(name)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result => [.. result.Tokens.Select(t => Read<T>(t.Value, result.AddError)!)],
            DefaultValueFactory = _ => [],
        };

    /// <summary>Parses text; a problem is told and gives the default.</summary>
    public static T? Read<T>(string text, Action<string> problem)
        where T : IParsable<T>
    {
        try
        {
            return T.Parse(text, null);
        }
        catch (Exception e) when (e is FormatException or UniCardioException or OverflowException)
        {
            problem(e.Message);
            return default;
        }
    }
}
