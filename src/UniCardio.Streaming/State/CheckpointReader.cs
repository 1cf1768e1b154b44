using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.State;

/// <summary>Reads what a <see cref="CheckpointWriter"/> wrote, and believes nothing of it: every number has its range.</summary>
internal sealed class CheckpointReader : ICountVisitor
{
    /// <summary>Largest index of a sample or a hop; some centuries.</summary>
    public const long MaxIndex = 1L << 46;

    // Larger than any signal that a session lets in, and far from overflow in what is computed with it.
    private const float MaxValue = 1e10f;

    private readonly byte[] _bytes;

    public CheckpointReader(byte[] bytes) => _bytes = bytes;

    /// <summary>Bytes read.</summary>
    public int Offset { get; private set; }

    public bool IsAtEnd => Offset == _bytes.Length;

    public CheckpointException Problem(string what, Exception? inner = null) => new(Offset, what, inner);

    public void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw Problem(otherwise);
    }

    public ReadOnlySpan<byte> Bytes(int count)
    {
        Require(count >= 0 && count <= _bytes.Length - Offset, $"it ends after {_bytes.Length} bytes; expected {count} more");
        Offset += count;
        return _bytes.AsSpan(Offset - count, count);
    }

    public byte Byte(int max, [CallerArgumentExpression(nameof(max))] string what = "")
    {
        byte value = Bytes(1)[0];
        Require(value <= max, $"{value} is not one of 0 to {max} ({what})");
        return value;
    }

    public bool Bool() => Byte(1) == 1;

    public int Int(int min, int max, string what) => (int)InRange(MemoryMarshal.Read<int>(Bytes(sizeof(int))), min, max, what);

    public uint UInt() => MemoryMarshal.Read<uint>(Bytes(sizeof(uint)));

    public ulong ULong() => MemoryMarshal.Read<ulong>(Bytes(sizeof(ulong)));

    public long Long(long min, long max, string what) => InRange(MemoryMarshal.Read<long>(Bytes(sizeof(long))), min, max, what);

    public long Index(string what) => Long(0, MaxIndex, what);

    /// <summary>A time that stamps can have, with room for what is reckoned from them.</summary>
    public long Time(string what) => Long(-2 * StreamingSession.MaxTime.Ticks, 2 * StreamingSession.MaxTime.Ticks, what);

    public TimeSpan Span() => TimeSpan.FromTicks(MemoryMarshal.Read<long>(Bytes(sizeof(long))));

    public double Double() => MemoryMarshal.Read<double>(Bytes(sizeof(double)));

    public float Float() => MemoryMarshal.Read<float>(Bytes(sizeof(float)));

    public void Visit(ref long count) => count = Index("count");

    /// <summary>Reads values of a signal: NaN, or finite.</summary>
    public void Signal(Span<float> values)
    {
        MemoryMarshal.Cast<byte, float>(Bytes(values.Length * sizeof(float))).CopyTo(values);
        foreach (float value in values)
        {
            if (!(float.IsNaN(value) || MathF.Abs(value) <= MaxValue))
                throw Problem($"{value} is not a signal's value");
        }
    }

    public string Text(int longest)
    {
        int length = Int(0, longest, "length of text");
        return Encoding.UTF8.GetString(Bytes(length));
    }

    public LiveSampling Sampling()
    {
        int draws = Int(1, LiveSampling.MaxDraws, "draws");
        string text = Text(256);
        return SamplerOptions.TryParse(text, null, out SamplerOptions? sampler)
            ? new LiveSampling { Draws = draws, Sampler = sampler }
            : throw Problem($"'{text}' is not a sampler");
    }

    /// <summary>Reads a task; an invalid one comes back as the default.</summary>
    public CardioTask Task()
    {
        var kind = (TaskKind)Byte(2);
        var conditions = (ModalitySet)Byte(7);
        var output = (Modality)Byte(2);
        if (conditions == ModalitySet.None)
            return default;
        Require(conditions.Contains(output) != (kind == TaskKind.Translate), $"no task {kind}s {output} from {conditions}");
        ModalitySet others = conditions & ~output.ToSet();
        return kind switch
        {
            TaskKind.Translate => CardioTask.Translate(conditions, output),
            TaskKind.Impute => CardioTask.Impute(output, others),
            _ => CardioTask.Denoise(output, others),
        };
    }

    public AffineScale Scale()
    {
        double center = Double(), halfRange = Double();
        Require(Math.Abs(center) <= MaxValue && halfRange > 1e-30 && halfRange <= MaxValue, $"{center} and {halfRange} are no scale");
        return new AffineScale(center, halfRange);
    }

    private long InRange(long value, long min, long max, string what)
    {
        Require(value >= min && value <= max, $"{what} {value} is not between {min} and {max}");
        return value;
    }
}
