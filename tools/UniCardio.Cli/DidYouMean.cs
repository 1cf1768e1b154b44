using System.CommandLine;

namespace UniCardio.Cli;

/// <summary>What may have been meant by words that no command or option is called.</summary>
internal static class DidYouMean
{
    private const int MaxDistance = 3;

    /// <summary>A line for each unknown word that is near a known one.</summary>
    public static IEnumerable<string> Of(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string[] options = [.. command.Options.Concat(parsed.RootCommandResult.Command.Options)
            .SelectMany(o => o.Aliases.Append(o.Name)).Distinct()];
        string[] commands = [.. command.Subcommands.Select(c => c.Name)];
        foreach (string token in parsed.UnmatchedTokens.Distinct())
        {
            string word = token.Split('=', 2)[0];
            (string Name, int Distance) nearest = (word.StartsWith('-') ? options : commands)
                .Select(name => (name, Distance(word, name))).OrderBy(c => c.Item2).FirstOrDefault(("", int.MaxValue));
            // Of a short word hardly anything is left after three changes.
            if (nearest.Distance <= Math.Min(MaxDistance, word.TrimStart('-').Length / 2))
                yield return $"'{word}': did you mean '{nearest.Name}'?";
        }
    }

    // Changes of one letter, or two letters swapped, that lead from one word to the other (Damerau 1964, adjacent swaps only).
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }
}
