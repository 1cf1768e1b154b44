using System.Buffers.Binary;
using System.Text;
using UniCardio.Engine.Model;

namespace UniCardio.Weights.Tests.Torch;

/// <summary>Writes a pickle opcode by opcode, the sound and the unsound.</summary>
internal sealed class PickleBuilder
{
    private readonly List<byte> _bytes = [0x80, 2];

    public PickleBuilder Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleBuilder Op(char opcode) => Raw((byte)opcode);

    public PickleBuilder Global(string module, string name) => Raw(Encoding.UTF8.GetBytes($"c{module}\n{name}\n"));

    public PickleBuilder Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        Op('X').Raw(BitConverter.GetBytes(utf8.Length));
        return Raw(utf8);
    }

    public PickleBuilder Number(long value)
    {
        if (value is >= 0 and < 256)
            return Op('K').Raw((byte)value);
        if (value is >= 0 and < 65536)
            return Op('M').Raw((byte)value, (byte)(value >> 8));
        return value is >= int.MinValue and <= int.MaxValue ? Op('J').Raw(BitConverter.GetBytes((int)value))
            : Raw(0x8A, 8).Raw(BitConverter.GetBytes(value));
    }

    public PickleBuilder Tuple(params long[] values)
    {
        Op('(');
        foreach (long value in values)
            Number(value);
        return Op('t');
    }

    /// <summary>collections.OrderedDict().</summary>
    public PickleBuilder OrderedDictionary() => Global("collections", "OrderedDict").Op(')').Op('R');

    /// <summary>A tensor as torch writes it.</summary>
    public PickleBuilder Tensor(string storageType, string key, long count, long offset, long[] size, long[] stride) =>
        Global("torch._utils", "_rebuild_tensor_v2").Op('(')
            .Op('(').Text("storage").Global("torch", storageType).Text(key).Text("cuda:0").Number(count).Op('t').Op('Q')
            .Number(offset).Tuple(size).Tuple(stride).Raw(0x89).OrderedDictionary().Op('t').Op('R');

    public byte[] Stop() => [.. _bytes, (byte)'.'];
}

/// <summary>Writes a torch zip archive; entries are stored.</summary>
internal sealed class TorchBuilder
{
    public List<(string Name, byte[] Data)> Entries { get; } = [];

    public static long[] RowMajor(IReadOnlyList<long> size)
    {
        long[] stride = new long[size.Count];
        long step = 1;
        for (int i = size.Count - 1; i >= 0; i--)
        {
            stride[i] = step;
            step *= size[i];
        }

        return stride;
    }

    /// <summary>A state dict of contiguous float32 tensors, as nn.DataParallel and torch.save write it.</summary>
    public static TorchBuilder Of(IEnumerable<ParameterTensor> tensors, string prefix = "module.")
    {
        var builder = new TorchBuilder();
        PickleBuilder pickle = new PickleBuilder().OrderedDictionary().Op('(');
        builder.Entries.Add(("archive/data.pkl", []));
        int key = 0;
        foreach (ParameterTensor tensor in tensors)
        {
            long[] size = [.. tensor.Shape.Select(d => (long)d)];
            pickle.Text(prefix + tensor.Name).Tensor("FloatStorage", $"{key}", tensor.Data.Length, 0, size, RowMajor(size));
            builder.Entries.Add(($"archive/data/{key++}", System.Runtime.InteropServices.MemoryMarshal.AsBytes(tensor.Span).ToArray()));
        }

        // The modules' versions hang on the OrderedDict as an attribute.
        byte[] bytes = pickle.Op('u').Op('}').Text("_metadata").OrderedDictionary().Op('s').Op('b').Stop();
        builder.Entries[0] = ("archive/data.pkl", bytes);
        builder.Entries.Add(("archive/version", "3\n"u8.ToArray()));
        return builder;
    }

    /// <summary>A checkpoint of this pickle and these storages.</summary>
    public static TorchBuilder Of(byte[] pickle, params (string Key, byte[] Data)[] storages)
    {
        var builder = new TorchBuilder();
        builder.Entries.Add(("archive/data.pkl", pickle));
        builder.Entries.AddRange(storages.Select(s => ($"archive/data/{s.Key}", s.Data)));
        return builder;
    }

    public byte[] Bytes() => new ZipBuilder().Write(Entries);
}

/// <summary>A zip archive written field by field, so that each can lie.</summary>
internal sealed class ZipBuilder
{
    public int Alignment { get; init; } = 64;

    public bool Zip64End { get; init; } = true;

    public Action<byte[], int>? ChangeCentral { get; init; }

    public Action<byte[], int>? ChangeLocal { get; init; }

    public Action<byte[]>? ChangeEnd { get; init; }

    public byte[] Write(IReadOnlyList<(string Name, byte[] Data)> entries)
    {
        var file = new MemoryStream();
        var central = new MemoryStream();
        for (int i = 0; i < entries.Count; i++)
        {
            (string name, byte[] data) = entries[i];
            byte[] utf8 = Encoding.UTF8.GetBytes(name);
            int local = (int)file.Position;
            int extra = (int)(-(file.Position + 30 + utf8.Length) & (Alignment - 1));
            byte[] header = new byte[30];
            Put(header, 0, 0x04034B50, 4);
            Put(header, 6, 0x0800, 2);
            Put(header, 14, Crc(data), 4);
            Put(header, 18, data.Length, 4);
            Put(header, 22, data.Length, 4);
            Put(header, 26, utf8.Length, 2);
            Put(header, 28, extra, 2);
            ChangeLocal?.Invoke(header, i);
            file.Write([.. header, .. utf8, .. new byte[extra], .. data]);

            byte[] entry = new byte[46];
            Put(entry, 0, 0x02014B50, 4);
            Put(entry, 8, 0x0800, 2);
            Put(entry, 16, Crc(data), 4);
            Put(entry, 20, data.Length, 4);
            Put(entry, 24, data.Length, 4);
            Put(entry, 28, utf8.Length, 2);
            Put(entry, 42, local, 4);
            ChangeCentral?.Invoke(entry, i);
            central.Write([.. entry, .. utf8]);
        }

        long start = file.Position;
        file.Write(central.ToArray());
        byte[] end = new byte[Zip64End ? 98 : 22];
        if (Zip64End)
        {
            Put(end, 0, 0x06064B50, 4);
            Put(end, 4, 44, 8);
            Put(end, 24, entries.Count, 8);
            Put(end, 32, entries.Count, 8);
            Put(end, 40, central.Length, 8);
            Put(end, 48, start, 8);
            Put(end, 56, 0x07064B50, 4);
            Put(end, 64, start + central.Length, 8);
            Put(end, 72, 1, 4);
        }

        int plain = end.Length - 22;
        Put(end, plain, 0x06054B50, 4);
        Put(end, plain + 8, entries.Count, 2);
        Put(end, plain + 10, entries.Count, 2);
        Put(end, plain + 12, central.Length, 4);
        Put(end, plain + 16, start, 4);
        ChangeEnd?.Invoke(end);
        file.Write(end);
        return file.ToArray();
    }

    public static void Put(byte[] target, int at, long value, int size)
    {
        Span<byte> eight = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(eight, value);
        eight[..size].CopyTo(target.AsSpan(at));
    }

    // Bit by bit, on purpose other than the code under test.
    private static uint Crc(byte[] data)
    {
        uint crc = ~0u;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int k = 0; k < 8; k++)
                crc = (crc >> 1) ^ (0xEDB88320u & (uint)-(int)(crc & 1));
        }

        return ~crc;
    }
}
