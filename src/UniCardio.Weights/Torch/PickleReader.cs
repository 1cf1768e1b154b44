using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace UniCardio.Weights.Torch;

/// <summary>
/// Reads the pickle of a torch state dict as data. A pickle is a program for a stack machine; this one knows the opcodes that torch.save
/// writes for tensors in dictionaries, and the few names in <see cref="PickleGlobal"/>. Whatever else appears ends the reading: no code of
/// the file is run, nothing is imported, and no object but the kinds of value below can come into being. Plain values beside the tensors
/// (an optimiser's settings, an epoch) are passed over.
/// </summary>
/// <remarks>Opcodes as documented in CPython's Lib/pickletools.py, protocol 2.</remarks>
internal ref struct PickleReader
{
    /// <summary>Longest pickle that is read; the official checkpoint's has some 60 KB.</summary>
    public const int MaxLength = 4 << 20;

    private const int MaxStack = 1 << 18;
    private const int MaxTensors = 65_536;
    private const int MaxDimensions = 8;

    private static readonly object Mark = new();

    private readonly string _file;
    private readonly string _entry;
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private readonly Dictionary<string, StorageReference> _storages = new(StringComparer.Ordinal);
    private int _at;
    private int _opcodeAt;
    private int _tensorCount;

    private PickleReader(string file, string entry, ReadOnlySpan<byte> bytes)
    {
        _file = file;
        _entry = entry;
        _bytes = bytes;
    }

    /// <summary>Reads the dictionary that the pickle leaves on its stack.</summary>
    /// <exception cref="WeightFormatException">The pickle is no state dict, is damaged, or would run code.</exception>
    public static PickleDictionary Read(string file, string entry, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxLength)
            throw new WeightFormatException(file, $"the pickle has {bytes.Length} bytes, over {MaxLength}", entry);
        return new PickleReader(file, entry, bytes).Run();
    }

    private PickleDictionary Run()
    {
        if (_bytes.Length < 2 || _bytes[0] != 0x80 || _bytes[1] != 2)
            throw Problem(_bytes.Length > 1 && _bytes[0] == 0x80 ? $"pickle protocol {_bytes[1]}, expected 2 (torch.save's own)"
                : "is not a pickle of protocol 2");
        _at = 2;
        while (true)
        {
            _opcodeAt = _at;
            byte opcode = Byte();
            if (opcode == '.')
                return Finish();
            Execute(opcode);
            if (_stack.Count > MaxStack || _memo.Count > MaxStack)
                throw Problem($"the pickle puts over {MaxStack} values aside");
        }
    }

    private PickleDictionary Finish()
    {
        if (_at != _bytes.Length)
            throw Problem($"{_bytes.Length - _at} bytes follow the end of the pickle");
        if (_stack.Count != 1)
            throw Problem($"the pickle leaves {_stack.Count} values, expected 1");
        return _stack[0] as PickleDictionary
            ?? throw Problem($"holds {Kind(_stack[0])}, expected a state dict: an OrderedDict of tensors by name");
    }

    private void Execute(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'(': Push(Mark); break;
            case (byte)')': Push(Array.Empty<object?>()); break;
            case (byte)'t': Push(PopToMark()); break;
            case 0x85: Push(PopMany(1)); break;
            case 0x86: Push(PopMany(2)); break;
            case 0x87: Push(PopMany(3)); break;
            case (byte)']': Push(new PicklePlain("a list")); break;
            case (byte)'a': Append(PopMany(1)); break;
            case (byte)'e': Append(PopToMark()); break;
            case (byte)'G': Take(8); Push(PicklePlain.Value); break;
            case (byte)'}': Push(new PickleDictionary(isOrdered: false)); break;
            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'K': Push((long)Byte()); break;
            case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case 0x8A: Push(Long(Byte())); break;
            case (byte)'X': Push(Text()); break;
            case (byte)'c': Push(Global()); break;
            case (byte)'Q': Push(Storage(Pop())); break;
            case (byte)'R': Reduce(); break;
            case (byte)'b': Build(); break;
            case (byte)'s': SetItems(PopMany(2)); break;
            case (byte)'u': SetItems(PopToMark()); break;
            case (byte)'q': Put(Byte()); break;
            case (byte)'r': Put(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
            case (byte)'h': Get(Byte()); break;
            case (byte)'j': Get(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
            default: throw Problem(
                $"pickle opcode 0x{opcode:X2}{OpcodeName(opcode)} is not one that torch.save writes for a state dict; refused, "
                + $"nothing was run");
        }
    }

    private static string OpcodeName(byte opcode) => opcode switch
    {
        (byte)'i' => " (INST)",
        (byte)'o' => " (OBJ)",
        0x81 => " (NEWOBJ)",
        0x92 => " (NEWOBJ_EX)",
        0x93 => " (STACK_GLOBAL)",
        0x82 or 0x83 or 0x84 => " (EXT)",
        (byte)'P' => " (PERSID)",
        0x80 => " (PROTO)",
        0x95 => " (FRAME)",
        _ => "",
    };

    private object Global()
    {
        string module = Line(), name = Line();
        return (module, name) switch
        {
            ("collections", "OrderedDict") => PickleGlobal.OrderedDictionary,
            ("torch._utils", "_rebuild_tensor_v2") => PickleGlobal.RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => PickleGlobal.RebuildParameter,
            ("torch._utils", "_rebuild_parameter_with_state") => PickleGlobal.RebuildParameter,
            ("collections", "defaultdict") => PickleGlobal.DefaultDictionary,
            ("collections", "Counter") => PickleGlobal.Counter,
            ("__builtin__" or "builtins", "dict" or "list" or "int" or "float" or "str" or "bool") => PickleGlobal.PlainType,
            ("__builtin__" or "builtins", "set" or "frozenset" or "bytearray" or "bytes" or "complex") => PickleGlobal.PlainValue,
            ("_codecs", "encode") => PickleGlobal.PlainValue,
            ("torch", "Size") => PickleGlobal.Size,
            ("torch", "device") => PickleGlobal.Device,
            ("torch", "float32" or "float64" or "float16" or "bfloat16" or "int64" or "int32" or "int16" or "int8" or "uint8" or "bool") =>
                PickleGlobal.DataType,
            ("torch", "FloatStorage") => PickleGlobal.FloatStorage,
            ("torch", "DoubleStorage") => PickleGlobal.DoubleStorage,
            ("torch", "HalfStorage") => PickleGlobal.HalfStorage,
            ("torch", "BFloat16Storage") => PickleGlobal.BFloat16Storage,
            ("torch", "LongStorage") => PickleGlobal.LongStorage,
            ("torch", "IntStorage") => PickleGlobal.IntStorage,
            ("torch", "ShortStorage") => PickleGlobal.ShortStorage,
            ("torch", "CharStorage") => PickleGlobal.CharStorage,
            ("torch", "ByteStorage") => PickleGlobal.ByteStorage,
            ("torch", "BoolStorage") => PickleGlobal.BoolStorage,
            _ => throw Problem(
                $"names '{WeightFormatException.Shorten(module)}.{WeightFormatException.Shorten(name)}', which is not part of a state "
                + $"dict; loading this file in Python would call it. Refused, nothing was run"),
        };
    }

    private static ElementType? TypeOf(object? value) => value switch
    {
        PickleGlobal.FloatStorage => ElementType.F32,
        PickleGlobal.DoubleStorage => ElementType.F64,
        PickleGlobal.HalfStorage => ElementType.F16,
        PickleGlobal.BFloat16Storage => ElementType.BF16,
        PickleGlobal.LongStorage => ElementType.I64,
        PickleGlobal.IntStorage => ElementType.I32,
        PickleGlobal.ShortStorage => ElementType.I16,
        PickleGlobal.CharStorage => ElementType.I8,
        PickleGlobal.ByteStorage => ElementType.U8,
        PickleGlobal.BoolStorage => ElementType.Bool,
        _ => null,
    };

    // ('storage', type, key, device, number of elements); the device is where it lived when it was saved.
    private StorageReference Storage(object? id)
    {
        if (id is not object?[] { Length: 5 } parts || parts[0] is not "storage" || TypeOf(parts[1]) is not ElementType type
            || parts[2] is not string key || parts[3] is not string || parts[4] is not long count || count < 0)
            throw Problem("a persistent id is not ('storage', type, key, device, count of 0 or more)");
        var storage = new StorageReference(type, key, count);
        if (_storages.TryGetValue(key, out StorageReference? known) && known != storage)
            throw Problem(
                $"storage '{WeightFormatException.Shorten(key)}' is {known.Count} elements of {known.Type} here and {count} of "
                + $"{type} there");
        _storages[key] = known ?? storage;
        return _storages[key];
    }

    private void Reduce()
    {
        object?[] pair = PopMany(2);
        object?[] arguments = pair[1] as object?[] ?? throw Problem($"a call with {Kind(pair[1])} as its arguments, expected a tuple");
        Push(pair[0] switch
        {
            PickleGlobal.OrderedDictionary when arguments.Length == 0 => new PickleDictionary(isOrdered: true),
            PickleGlobal.OrderedDictionary => throw Problem("an OrderedDict made from arguments"),
            PickleGlobal.RebuildTensor => Tensor(arguments),
            // (tensor, requires_grad, hooks[, state]): a parameter is its tensor.
            PickleGlobal.RebuildParameter => arguments is [TensorReference tensor, bool, PickleDictionary { Items.Count: 0 }, ..]
                && arguments.Length <= 4
                ? tensor : throw Problem("a parameter is not (tensor, requires_grad, no hooks)"),
            PickleGlobal.DefaultDictionary when arguments is [] or [PickleGlobal.PlainType or PickleGlobal.PlainValue] =>
                new PickleDictionary(isOrdered: false),
            PickleGlobal.Counter when arguments is [] or [PickleDictionary] => new PickleDictionary(isOrdered: false),
            // Text and an encoding make bytes, a list makes a set: what they would make is not kept.
            PickleGlobal.Size or PickleGlobal.Device or PickleGlobal.PlainValue when arguments.Length <= 2 => PicklePlain.Value,
            _ => throw Problem($"a call of {Kind(pair[0])}"),
        });
    }

    // (storage, offset, size, stride, requires_grad, backward_hooks)
    private TensorReference Tensor(object?[] arguments)
    {
        if (arguments.Length != 6 || arguments[0] is not StorageReference storage || arguments[1] is not long offset
            || arguments[2] is not object?[] size || arguments[3] is not object?[] stride || arguments[4] is not bool
                || arguments[5] is not PickleDictionary { Items.Count: 0 })
            throw Problem("a tensor is not (storage, offset, size, stride, requires_grad, no hooks)");
        if (size.Length != stride.Length || size.Length > MaxDimensions)
            throw Problem($"a tensor of {size.Length} dimensions with {stride.Length} strides; up to {MaxDimensions} are read");
        int[] sizes = new int[size.Length];
        long[] strides = new long[size.Length];
        for (int i = 0; i < sizes.Length; i++)
        {
            if (size[i] is not long d || d < 0 || d > int.MaxValue)
                throw Problem($"a tensor's dimension {i} is {Number(size[i])}, expected 0 to {int.MaxValue}");
            if (stride[i] is not long s || s < 0)
                throw Problem($"a tensor's stride {i} is {Number(stride[i])}, expected 0 or more");
            (sizes[i], strides[i]) = ((int)d, s);
        }

        CheckBounds(storage, offset, sizes, strides);
        if (++_tensorCount > MaxTensors)
            throw Problem($"over {MaxTensors} tensors");
        return new TensorReference(storage, offset, sizes, strides);
    }

    private readonly void CheckBounds(StorageReference storage, long offset, int[] size, long[] stride)
    {
        bool isEmpty = size.Contains(0);
        Int128 last = offset;
        for (int i = 0; i < size.Length && !isEmpty; i++)
            last += (Int128)(size[i] - 1) * stride[i];
        if (offset < 0 || (isEmpty ? offset > storage.Count : last >= storage.Count))
            throw Problem(
                $"a tensor of size [{string.Join(", ", size)}], strides [{string.Join(", ", stride)}] and offset {offset} reaches past "
                + $"storage '{WeightFormatException.Shorten(storage.Key)}' of {storage.Count} elements");
    }

    // torch keeps the modules' versions as an attribute of the state dict; they are read and dropped.
    private void Build()
    {
        object?[] pair = PopMany(2);
        if (pair[0] is not PickleDictionary { IsOrdered: true } target)
            throw Problem($"state set on {Kind(pair[0])}; only an OrderedDict may carry any");
        if (pair[1] is not PickleDictionary state || state.Items.Any(i => i.Key != "_metadata"))
            throw Problem("an OrderedDict carries other state than '_metadata'");
        Push(target);
    }

    private readonly void Append(object?[] items)
    {
        if (_stack.Count == 0 || _stack[^1] is not PicklePlain { IsList: true })
            throw Problem($"{items.Length} items added to {(_stack.Count == 0 ? "nothing" : Kind(_stack[^1]))}, expected a list");
    }

    private readonly void SetItems(object?[] items)
    {
        if (_stack.Count == 0 || _stack[^1] is not PickleDictionary target)
            throw Problem($"items set on {(_stack.Count == 0 ? "nothing" : Kind(_stack[^1]))}, expected a dictionary");
        if (items.Length % 2 != 0)
            throw Problem("a key without a value");
        for (int i = 0; i < items.Length; i += 2)
        {
            // An optimiser numbers its parameters. What has no name at all (a table by epoch and loss) is passed over.
            string? key = items[i] switch
            {
                string text => text,
                long number => number.ToString(CultureInfo.InvariantCulture),
                null or PicklePlain { IsList: false } or object?[] => null,
                _ => throw Problem($"a dictionary key is {Kind(items[i])}, expected text"),
            };
            if (key is not null && !target.TryAdd(key, items[i + 1]))
                throw Problem($"key '{WeightFormatException.Shorten(key)}' is there twice");
        }
    }

    private readonly void Push(object? value) => _stack.Add(value);

    private readonly object? Pop() => PopMany(1)[0];

    private readonly object?[] PopMany(int count)
    {
        int from = _stack.Count - count;
        if (from < 0 || _stack.IndexOf(Mark, from) >= 0)
            throw Problem("the pickle takes more from its stack than it put there");
        object?[] values = [.. _stack[from..]];
        _stack.RemoveRange(from, count);
        return values;
    }

    private readonly object?[] PopToMark()
    {
        int mark = _stack.LastIndexOf(Mark);
        if (mark < 0)
            throw Problem("the pickle takes more from its stack than it put there");
        object?[] values = [.. _stack[(mark + 1)..]];
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private readonly void Put(uint index)
    {
        if (_stack.Count == 0 || _stack[^1] == Mark)
            throw Problem("the pickle remembers a value that is not there");
        _memo[index] = _stack[^1];
    }

    private readonly void Get(uint index) => Push(_memo.TryGetValue(index, out object? value) ? value
        : throw Problem($"the pickle asks for value {index}, which it never put aside"));

    private string Text()
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
        if (length > _bytes.Length - _at)
            throw Problem($"a text of {length} bytes reaches past the end of the pickle");
        ReadOnlySpan<byte> bytes = Take((int)length);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw Problem("a text is not UTF-8");
    }

    // A seed of 64 bits takes nine bytes: beside the tensors, and no size of anything.
    private object Long(int length)
    {
        ReadOnlySpan<byte> bytes = Take(length);
        if (length > 8)
            return new PicklePlain($"a whole number of {length} bytes");
        long value = length > 0 && (bytes[^1] & 0x80) != 0 ? -1 : 0;
        for (int i = length - 1; i >= 0; i--)
            value = (value << 8) | bytes[i];
        return value;
    }

    private string Line()
    {
        int length = _bytes[_at..].IndexOf((byte)'\n');
        if (length is < 0 or > 256 || !Ascii.IsValid(_bytes.Slice(_at, length)))
            throw Problem("a global's name does not end, or is not ASCII");
        string line = Encoding.ASCII.GetString(Take(length));
        _at++;
        return line;
    }

    private byte Byte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _at)
            throw Problem("the pickle breaks off");
        ReadOnlySpan<byte> taken = _bytes.Slice(_at, count);
        _at += count;
        return taken;
    }

    private static string Number(object? value) => value is long n ? n.ToString(CultureInfo.InvariantCulture) : Kind(value);

    private static string Kind(object? value) => value switch
    {
        null => "None",
        string => "text",
        long => "a whole number",
        bool => "a truth value",
        object?[] => "a tuple",
        PickleDictionary => "a dictionary",
        PicklePlain plain => plain.Kind,
        TensorReference => "a tensor",
        StorageReference => "a storage",
        PickleGlobal global => $"'{global}'",
        _ => "a mark",
    };

    private readonly WeightFormatException Problem(string problem) => new(_file, problem, _entry, _opcodeAt);
}
