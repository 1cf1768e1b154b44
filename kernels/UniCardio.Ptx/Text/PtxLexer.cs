namespace UniCardio.Ptx.Text;

internal readonly record struct Token(string Text, int Line)
{
    public bool Is(string text) => Text == text;

    // Names and numbers: letters, digits, _, $, %, and dots inside (opcodes, %tid.x).
    public bool IsWord => Text.Length > 0 && (char.IsLetterOrDigit(Text[0]) || Text[0] is '_' or '$' or '%' or '.');
}

// Cuts PTX text into words and single signs; comments go.
internal static class PtxLexer
{
    public static List<Token> Read(string text)
    {
        var tokens = new List<Token>();
        int at = 0, line = 1;
        while (at < text.Length)
        {
            char c = text[at];
            if (c == '\n')
            {
                line++;
                at++;
            }
            else if (char.IsWhiteSpace(c))
            {
                at++;
            }
            else if (c == '/' && at + 1 < text.Length && text[at + 1] is '/' or '*')
            {
                at = SkipComment(text, at, ref line);
            }
            else if (IsWordPart(c))
            {
                int start = at;
                while (at < text.Length && IsWordPart(text[at]))
                    at++;
                tokens.Add(new Token(text[start..at], line));
            }
            else if (c == ':' && at + 1 < text.Length && text[at + 1] == ':')
            {
                // ".shared::cta" stays one word.
                if (tokens.Count == 0 || !tokens[^1].IsWord)
                    throw new PtxException(line, "'::' follows no word");
                int start = at;
                at += 2;
                while (at < text.Length && IsWordPart(text[at]))
                    at++;
                tokens[^1] = new Token(tokens[^1].Text + text[start..at], line);
            }
            else if ("{}()[]<>,;:@!|+-=".Contains(c, StringComparison.Ordinal))
            {
                tokens.Add(new Token(c.ToString(), line));
                at++;
            }
            else
            {
                throw new PtxException(line, $"'{c}' is not a sign of the language");
            }
        }

        return tokens;
    }

    private static bool IsWordPart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '%' or '.';

    private static int SkipComment(string text, int at, ref int line)
    {
        if (text[at + 1] == '/')
        {
            int end = text.IndexOf('\n', at);
            return end < 0 ? text.Length : end;
        }

        int close = text.IndexOf("*/", at + 2, StringComparison.Ordinal);
        if (close < 0)
            throw new PtxException(line, "a comment that does not end");
        line += text.AsSpan(at, close - at).Count('\n');
        return close + 2;
    }
}
