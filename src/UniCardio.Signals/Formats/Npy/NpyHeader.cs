using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Npy;

/// <summary>Header of a NumPy array file, versions 1 to 3 (numpy.lib.format): element type, order and shape.</summary>
/// <param name="Kind">'f', 'i' or 'u'.</param>
/// <param name="ElementSize">Bytes an element: 1, 2, 4 or 8.</param>
/// <param name="BigEndian">Byte order.</param>
/// <param name="FortranOrder">Whether the first index runs fastest.</param>
/// <param name="Shape">One or two sizes.</param>
/// <param name="DataOffset">Where the elements begin.</param>
internal sealed record NpyHeader(char Kind, int ElementSize, bool BigEndian, bool FortranOrder, long[] Shape, int DataOffset)
{
    private const int MaxHeader = 64 << 10;

    /// <exception cref="SignalFormatException">Not such a header, or of a type or shape that signals do not have.</exception>
    public static NpyHeader Parse(ReadOnlySpan<byte> data, string file)
    {
        if (data.Length < 10 || !data.StartsWith((ReadOnlySpan<byte>)[0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y']))
            throw new SignalFormatException(file, "does not begin as a NumPy array (\\x93NUMPY).", new SignalLocation(ByteOffset: 0));
        int version = data[6];
        if (version is < 1 or > 3)
            throw new SignalFormatException(file, $"has array format version {version}; expected 1, 2 or 3.",
                new SignalLocation(ByteOffset: 6));
        int lengthSize = version == 1 ? 2 : 4;
        if (data.Length < 8 + lengthSize)
            throw new SignalFormatException(file, "ends within its header.", new SignalLocation(ByteOffset: data.Length));
        long length = version == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(data[8..])
            : BinaryPrimitives.ReadUInt32LittleEndian(data[8..]);
        int start = 8 + lengthSize;
        if (length > MaxHeader || length > data.Length - start)
            throw new SignalFormatException(file,
                $"states a header of {length} bytes; expected at most {Math.Min(MaxHeader, data.Length - start)}.",
                new SignalLocation(ByteOffset: 8));
        string text = (version == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(data.Slice(start, (int)length));
        return new Literal(text, file, start).Read(start + (int)length);
    }

    // The header is a Python dictionary of three keys with constant values: '<f4', True, (3, 4).
    private sealed class Literal(string text, string file, int offset)
    {
        private int _at;

        public NpyHeader Read(int dataOffset)
        {
            string? type = null;
            bool? fortran = null;
            long[]? shape = null;
            Expect('{');
            while (!Accept('}'))
            {
                string key = QuotedText();
                Expect(':');
                switch (key)
                {
                    case "descr" when type is null:
                        if (Peek() == '[')
                            throw Error("has records for elements; expected plain numbers");
                        type = QuotedText();
                        break;
                    case "fortran_order" when fortran is null:
                        fortran = Truth();
                        break;
                    case "shape" when shape is null:
                        shape = Tuple();
                        break;
                    default:
                        throw Error($"has an unknown or repeated key '{key}'; expected descr, fortran_order and shape once each");
                }
                if (!Accept(','))
                {
                    Expect('}');
                    break;
                }
            }
            if (Peek() != '\0')
                throw Error("continues after its dictionary");
            if (type is null || fortran is null || shape is null)
                throw Error("lacks descr, fortran_order or shape");
            (char kind, int size, bool bigEndian) = ElementType(type);
            if (shape.Length is < 1 or > 2)
                throw Error($"has {shape.Length} dimensions; expected 1 (samples) or 2 (channels and samples)");
            return new NpyHeader(kind, size, bigEndian, fortran.Value, shape, dataOffset);
        }

        private (char Kind, int Size, bool BigEndian) ElementType(string type) => type.Length == 3 && type[0] is '<' or '>' or '|' or '='
            ? type[1..] switch
        {
            "f2" or "f4" or "f8" or "i1" or "i2" or "i4" or "i8" or "u1" or "u2" or "u4" or "u8" => (type[1], type[2] - '0',
                type[0] == '>'),
            _ => throw Error($"has elements of type '{type}'; expected f2, f4, f8, i1..i8 or u1..u8"),
        }
        : throw Error($"has elements of type '{(type.Length <= 20 ? type : type[..20])}'; expected f2, f4, f8, i1..i8 or u1..u8");

        private char Peek()
        {
            while (_at < text.Length && char.IsWhiteSpace(text[_at]))
                _at++;
            return _at < text.Length ? text[_at] : '\0';
        }

        private bool Accept(char c)
        {
            if (Peek() != c)
                return false;
            _at++;
            return true;
        }

        private void Expect(char c)
        {
            if (!Accept(c))
                throw Error($"is malformed; expected '{c}'");
        }

        private string QuotedText()
        {
            char quote = Peek();
            if (quote is not ('\'' or '"'))
                throw Error("is malformed; expected a quoted text");
            int end = text.IndexOf(quote, _at + 1);
            if (end < 0)
                throw Error("has a text that is never closed");
            string value = text[(_at + 1)..end];
            _at = end + 1;
            return value.Length <= 64 ? value : value[..64];
        }

        private bool Truth()
        {
            Peek();
            foreach ((string word, bool value) in (ReadOnlySpan<(string, bool)>)[("True", true), ("False", false)])
            {
                if (string.CompareOrdinal(text, _at, word, 0, word.Length) == 0)
                {
                    _at += word.Length;
                    return value;
                }
            }
            throw Error("has a fortran_order that is neither True nor False");
        }

        private long[] Tuple()
        {
            var sizes = new List<long>();
            Expect('(');
            while (!Accept(')'))
            {
                Peek();
                int start = _at;
                while (_at < text.Length && char.IsAsciiDigit(text[_at]))
                    _at++;
                if (!long.TryParse(text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out long size))
                    throw Error("has a shape that does not consist of whole numbers from 0 to 2^63");
                // Python 2 wrote long integers with an L.
                Accept('L');
                sizes.Add(size);
                if (sizes.Count > 32)
                    throw Error("has more than 32 dimensions");
                if (!Accept(','))
                {
                    Expect(')');
                    break;
                }
            }
            return [.. sizes];
        }

        private SignalFormatException Error(string problem) =>
            new(file, $"the array header {problem}.", new SignalLocation(ByteOffset: offset + Math.Min(_at, text.Length)));
    }
}
