namespace UniCardio.Weights.Torch;

/// <summary>A name that a pickle may call or refer to. Nothing else can be named, and none of them is ever run: they are read as
/// data.</summary>
internal enum PickleGlobal
{
    OrderedDictionary,
    RebuildTensor,
    FloatStorage,
    DoubleStorage,
    HalfStorage,
    BFloat16Storage,
    LongStorage,
    IntStorage,
    ShortStorage,
    CharStorage,
    ByteStorage,
    BoolStorage,
    RebuildParameter,
    DefaultDictionary,
    Counter,

    /// <summary>dict, list, int and the like: what a defaultdict makes of a key that is not there.</summary>
    PlainType,

    /// <summary>What makes a plain value of plain values: set, bytes, complex.</summary>
    PlainValue,
    Size,
    Device,

    /// <summary>torch.float32 and the like.</summary>
    DataType,
}

/// <summary>A value that a training checkpoint keeps beside its tensors (a list, a learning rate): passed over, its content is not
/// kept.</summary>
internal sealed class PicklePlain(string kind)
{
    public static readonly PicklePlain Value = new("a plain value");

    /// <summary>What it is, for messages.</summary>
    public string Kind { get; } = kind;

    /// <summary>Whether items may be added to it.</summary>
    public bool IsList => Kind == "a list";
}

/// <summary>A dict or OrderedDict with text keys, in the order of insertion.</summary>
internal sealed class PickleDictionary(bool isOrdered)
{
    /// <summary>True for OrderedDict, the one kind of object that may carry attributes.</summary>
    public bool IsOrdered { get; } = isOrdered;

    public List<KeyValuePair<string, object?>> Items { get; } = [];

    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);

    public bool TryAdd(string key, object? value)
    {
        if (!_keys.Add(key))
            return false;
        Items.Add(new(key, value));
        return true;
    }
}

/// <summary>A run of elements in an entry of the archive.</summary>
internal sealed record StorageReference(ElementType Type, string Key, long Count);

/// <summary>A strided view of a storage; offset and strides count elements.</summary>
internal sealed record TensorReference(StorageReference Storage, long Offset, int[] Size, long[] Stride);
