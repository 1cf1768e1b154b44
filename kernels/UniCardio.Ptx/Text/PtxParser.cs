using System.Globalization;

namespace UniCardio.Ptx.Text;

// Reads a module: its header, variables and entries. Entries become kernels once they are read.
internal sealed class PtxParser
{
    private readonly TokenReader _tokens;
    private readonly string[] _lines;
    private readonly List<Variable> _moduleVariables = [];

    public PtxParser(string text)
    {
        _tokens = new TokenReader(PtxLexer.Read(text));
        _lines = text.Split('\n');
        while (!_tokens.AtEnd)
            ReadDirective();
        if (Version.Length == 0 || Target.Length == 0)
            throw new PtxException(1, "no .version or no .target");
    }

    public string Version { get; private set; } = "";

    public string Target { get; private set; } = "";

    public List<PtxKernel> Kernels { get; } = [];

    private void ReadDirective()
    {
        Token token = _tokens.Next();
        switch (token.Text)
        {
            case ".version":
                Version = _tokens.Word();
                break;
            case ".target":
                Target = _tokens.Word();
                while (_tokens.TryTake(","))
                    _tokens.Word();
                break;
            case ".address_size":
                if (!_tokens.TryTake("64"))
                    throw new PtxException(token.Line, "addresses of 64 bits are the only ones known");
                break;
            case ".visible" or ".weak" or ".extern":
                break;
            case ".shared":
                _moduleVariables.AddRange(VariableText.Read(_tokens, isShared: true));
                break;
            case ".entry":
                ReadEntry();
                break;
            default:
                throw new PtxException(token.Line, $"'{token.Text}' is not known to the simulator");
        }
    }

    private void ReadEntry()
    {
        string name = _tokens.Word();
        if (Kernels.Exists(k => k.Name == name))
            throw new PtxException(_tokens.Line, $"two entries are named {name}");
        List<PtxParameter> parameters = ReadParameters();
        int maxThreads = 0, minGroups = 0;
        while (!_tokens.TryTake("{"))
        {
            string limit = _tokens.Word();
            int[] values = Numbers();
            switch (limit)
            {
                case ".maxntid" or ".reqntid":
                    maxThreads = values.Aggregate(1, (a, b) => a * b);
                    break;
                case ".minnctapersm":
                    minGroups = values[0];
                    break;
                case ".maxnreg":
                    break;
                default:
                    throw new PtxException(_tokens.Line, $"'{limit}' is not known to the simulator");
            }
        }

        var body = new BodyParser(_tokens, _lines, parameters, _moduleVariables);
        Kernels.Add(new PtxKernel(name, parameters, body, maxThreads, minGroups));
    }

    private int[] Numbers()
    {
        var values = new List<int>();
        do
            values.Add(_tokens.Count());
        while (_tokens.TryTake(","));
        return [.. values];
    }

    // ".param .align 4 .b8 name[28]" or ".param .b32 name"
    private List<PtxParameter> ReadParameters()
    {
        var parameters = new List<PtxParameter>();
        if (!_tokens.TryTake("("))
            return parameters;
        int offset = 0;
        while (!_tokens.TryTake(")"))
        {
            if (parameters.Count > 0)
                _tokens.Take(",");
            _tokens.Take(".param");
            int alignment = 0;
            if (_tokens.TryTake(".align"))
                alignment = _tokens.Count();
            PtxType type = _tokens.Type();
            string name = _tokens.Word();
            int bytes = type.Size();
            if (_tokens.TryTake("["))
            {
                bytes *= _tokens.Count();
                _tokens.Take("]");
            }

            if (alignment == 0)
                alignment = type.Size();
            offset = (offset + alignment - 1) / alignment * alignment;
            if (parameters.Exists(p => p.Name == name))
                throw new PtxException(_tokens.Line, $"two parameters are named {name}");
            parameters.Add(new PtxParameter(name, offset, bytes, alignment));
            offset += bytes;
        }

        return parameters;
    }
}

// Steps through the tokens and says what was expected where something else is.
internal sealed class TokenReader(List<Token> tokens)
{
    private int _at;

    public bool AtEnd => _at >= tokens.Count;

    public int Line => tokens.Count == 0 ? 1 : tokens[Math.Min(_at, tokens.Count - 1)].Line;

    public Token Peek(int ahead = 0) => _at + ahead < tokens.Count ? tokens[_at + ahead] : new Token("", Line);

    public Token Next() => AtEnd ? throw new PtxException(Line, "the text ends too early") : tokens[_at++];

    public bool TryTake(string text)
    {
        if (!Peek().Is(text))
            return false;
        _at++;
        return true;
    }

    public void Take(string text)
    {
        Token token = Next();
        if (!token.Is(text))
            throw new PtxException(token.Line, $"'{text}' was expected, not '{token.Text}'");
    }

    public string Word()
    {
        Token token = Next();
        return token.IsWord ? token.Text : throw new PtxException(token.Line, $"a name was expected, not '{token.Text}'");
    }

    public int Count()
    {
        Token token = Next();
        return int.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int value)
            ? value
            : throw new PtxException(token.Line, $"a number was expected, not '{token.Text}'");
    }

    public PtxType Type()
    {
        Token token = Next();
        return token.Text.StartsWith('.') && PtxTypes.TryParse(token.Text[1..], out PtxType type)
            ? type
            : throw new PtxException(token.Line, $"a type was expected, not '{token.Text}'");
    }
}

// ".align 16 .b8 name[37888];" after its space; an empty size is dynamic shared memory.
internal static class VariableText
{
    public static List<Variable> Read(TokenReader tokens, bool isShared)
    {
        var variables = new List<Variable>();
        int alignment = 0;
        if (tokens.TryTake(".align"))
            alignment = tokens.Count();
        PtxType type = tokens.Type();
        do
        {
            string name = tokens.Word();
            int bytes = type.Size();
            bool isDynamic = false;
            while (tokens.TryTake("["))
            {
                if (tokens.TryTake("]"))
                {
                    isDynamic = isShared;
                    bytes = 0;
                    break;
                }

                bytes = checked(bytes * tokens.Count());
                tokens.Take("]");
            }

            variables.Add(new Variable(name, isShared, Math.Max(alignment, type.Size()), bytes, isDynamic));
        }
        while (tokens.TryTake(","));
        tokens.Take(";");
        return variables;
    }
}
