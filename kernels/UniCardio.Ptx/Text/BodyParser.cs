using System.Globalization;

namespace UniCardio.Ptx.Text;

// Reads an entry's body after its opening brace: declarations, labels and instructions, with the scopes of inner braces.
internal sealed class BodyParser
{
    private static readonly string[] s_special =
    [
        "%tid.x", "%tid.y", "%tid.z", "%ntid.x", "%ntid.y", "%ntid.z", "%ctaid.x", "%ctaid.y", "%ctaid.z",
        "%nctaid.x", "%nctaid.y", "%nctaid.z", "%laneid", "%warpid",
    ];

    private readonly TokenReader _tokens;
    private readonly string[] _lines;
    private readonly Stack<Dictionary<string, object>> _scopes = new();
    private readonly List<(Operand Operand, int Line)> _labelUses = [];

    public BodyParser(TokenReader tokens, string[] lines, IReadOnlyList<PtxParameter> parameters, IReadOnlyList<Variable> moduleVariables)
    {
        _tokens = tokens;
        _lines = lines;
        Variables.AddRange(moduleVariables.Select(v => v with { }));
        _scopes.Push(Variables.ToDictionary(v => v.Name, object (v) => v, StringComparer.Ordinal));
        foreach (PtxParameter parameter in parameters)
            _scopes.Peek()[parameter.Name] = parameter;
        while (_scopes.Count > 0)
            ReadLine();
        foreach ((Operand label, int line) in _labelUses)
        {
            if (!Labels.ContainsKey(label.Text))
                throw new PtxException(line, $"there is no register, variable or label '{label.Text}'");
        }
    }

    /// <summary>The special registers in the order of their rows.</summary>
    public static IReadOnlyList<string> Special => s_special;

    public List<Statement> Statements { get; } = [];

    /// <summary>Label to the index of the statement that follows it.</summary>
    public Dictionary<string, int> Labels { get; } = new(StringComparer.Ordinal);

    public List<Register> Registers { get; } = [];

    public List<Variable> Variables { get; } = [];

    private void ReadLine()
    {
        Token token = _tokens.Next();
        switch (token.Text)
        {
            case "{":
                _scopes.Push(new Dictionary<string, object>(StringComparer.Ordinal));
                return;
            case "}":
                _scopes.Pop();
                return;
            case ";":
                return;
            case ".reg":
                ReadRegisters();
                return;
            case ".shared" or ".local":
                foreach (Variable variable in VariableText.Read(_tokens, token.Is(".shared")))
                {
                    Declare(variable.Name, variable, token.Line);
                    Variables.Add(variable);
                }

                return;
            case ".pragma" or ".loc":
                while (!_tokens.Next().Is(";"))
                {
                }

                return;
        }

        if (token.IsWord && _tokens.Peek().Is(":"))
        {
            _tokens.Next();
            if (!Labels.TryAdd(token.Text, Statements.Count))
                throw new PtxException(token.Line, $"two labels are named {token.Text}");
            return;
        }

        ReadStatement(token);
    }

    // ".reg .b32 %r<145>;" or ".reg .f32 %a, %b;"
    private void ReadRegisters()
    {
        int line = _tokens.Line;
        PtxType type = _tokens.Type();
        if (type is PtxType.B8 or PtxType.U8 or PtxType.S8 or PtxType.F64)
            throw new PtxException(line, $"registers of {type.Name()} are not known to the simulator");
        do
        {
            string name = _tokens.Word();
            if (_tokens.TryTake("<"))
            {
                int count = _tokens.Count();
                _tokens.Take(">");
                for (int i = 0; i < count; i++)
                    DeclareRegister(string.Create(CultureInfo.InvariantCulture, $"{name}{i}"), type, line);
            }
            else
            {
                DeclareRegister(name, type, line);
            }
        }
        while (_tokens.TryTake(","));
        _tokens.Take(";");
    }

    private void DeclareRegister(string name, PtxType type, int line)
    {
        var register = new Register(name, type, Registers.Count);
        Registers.Add(register);
        Declare(name, register, line);
    }

    private void Declare(string name, object what, int line)
    {
        if (!_scopes.Peek().TryAdd(name, what))
            throw new PtxException(line, $"'{name}' is declared twice");
    }

    private void ReadStatement(Token token)
    {
        Register? guard = null;
        bool negated = false;
        int line = token.Line;
        if (token.Is("@"))
        {
            negated = _tokens.TryTake("!");
            string name = _tokens.Word();
            guard = Find(name) as Register ?? throw new PtxException(line, $"'{name}' is not a declared register");
            if (guard.Type != PtxType.Pred)
                throw new PtxException(line, $"'{name}' is no predicate");
            token = _tokens.Next();
        }

        if (!token.IsWord || token.Text[0] is '.' or '%')
            throw new PtxException(token.Line, $"an instruction was expected, not '{token.Text}'");
        string[] parts = token.Text.Split('.');
        var operands = new List<Operand>();
        if (!_tokens.TryTake(";"))
        {
            do
                operands.Add(ReadOperand());
            while (_tokens.TryTake(","));
            _tokens.Take(";");
        }

        Statements.Add(new Statement(line, _lines[line - 1].Trim(), parts[0], parts[1..], operands) { Guard = guard,
            IsGuardNegated = negated });
    }

    private Operand ReadOperand()
    {
        Token token = _tokens.Next();
        switch (token.Text)
        {
            case "{":
                var elements = new List<Operand>();
                do
                    elements.Add(ReadOperand());
                while (_tokens.TryTake(","));
                _tokens.Take("}");
                return new Operand(OperandKind.Vector, "{}") { Elements = elements };
            case "[":
                return ReadAddress();
            case "_":
                return new Operand(OperandKind.Sink, "_");
            case "-":
                Operand value = ReadOperand();
                return value.Kind == OperandKind.Integer
                    ? value with { Bits = -value.Bits, Text = "-" + value.Text }
                    : throw new PtxException(token.Line, $"'-' before '{value.Text}', expected before a number");
        }

        if (!token.IsWord)
            throw new PtxException(token.Line, $"an operand was expected, not '{token.Text}'");
        Operand single = char.IsAsciiDigit(token.Text[0]) ? ReadNumber(token) : ReadName(token);
        if (single.Kind == OperandKind.Register && _tokens.TryTake("|"))
            return new Operand(OperandKind.Vector, "|") { Elements = [single, ReadOperand()] };
        return single;
    }

    private Operand ReadAddress()
    {
        Operand inner = ReadOperand();
        long offset = 0;
        if (inner.Kind == OperandKind.Integer)
            (offset, inner) = (inner.Bits, inner with { Bits = 0 });
        else if (inner.Kind is not (OperandKind.Register or OperandKind.Variable or OperandKind.Parameter))
            throw new PtxException(_tokens.Line, $"'{inner.Text}' is no address");
        if (_tokens.TryTake("+") || _tokens.Peek().Is("-"))
        {
            Operand number = ReadOperand();
            if (number.Kind != OperandKind.Integer)
                throw new PtxException(_tokens.Line, $"'{number.Text}' is no offset");
            offset += number.Bits;
        }

        _tokens.Take("]");
        return new Operand(OperandKind.Address, "[]") { Base = inner, Bits = offset };
    }

    private Operand ReadName(Token token)
    {
        switch (Find(token.Text))
        {
            case Register register:
                return new Operand(OperandKind.Register, token.Text) { Register = register };
            case Variable variable:
                return new Operand(OperandKind.Variable, token.Text) { Variable = variable };
            case PtxParameter parameter:
                return new Operand(OperandKind.Parameter, token.Text) { Parameter = parameter };
        }

        if (token.Text[0] == '%')
        {
            int special = Array.IndexOf(s_special, token.Text);
            return special >= 0
                ? new Operand(OperandKind.Special, token.Text) { Bits = special }
                : throw new PtxException(token.Line, $"'{token.Text}' is no declared register and no special one that the simulator knows");
        }

        var label = new Operand(OperandKind.Label, token.Text);
        _labelUses.Add((label, token.Line));
        return label;
    }

    private static Operand ReadNumber(Token token)
    {
        string text = token.Text;
        if (text.Length > 2 && text[0] == '0' && text[1] is 'f' or 'F' or 'd' or 'D')
        {
            int size = text[1] is 'f' or 'F' ? 4 : 8;
            if (text.Length == 2 + (2 * size)
                && ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits))
                return new Operand(OperandKind.Float, text) { Bits = (long)bits, FloatSize = size };
            throw new PtxException(token.Line, $"'{text}' is no float");
        }

        string digits = text.TrimEnd('U');
        bool isHex = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (ulong.TryParse(isHex ? digits.AsSpan(2) : digits, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None,
            CultureInfo.InvariantCulture, out ulong value)
            && (isHex || digits == "0" || digits[0] != '0'))
            return new Operand(OperandKind.Integer, text) { Bits = (long)value };
        throw new PtxException(token.Line, $"'{text}' is no number that the simulator knows");
    }

    private object? Find(string name)
    {
        foreach (Dictionary<string, object> scope in _scopes)
        {
            if (scope.TryGetValue(name, out object? found))
                return found;
        }

        return null;
    }
}
