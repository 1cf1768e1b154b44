using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using UniCardio.Engine.Model;

namespace UniCardio.Streaming.State;

/// <summary>Writes numbers, little-endian, one after the other.</summary>
internal sealed class CheckpointWriter : ICountVisitor
{
    private readonly ArrayBufferWriter<byte> _buffer = new(1 << 16);

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public void Visit(ref long count) => Write(count);

    public void Write(long value) => Write(MemoryMarshal.AsBytes(new ReadOnlySpan<long>(in value)));

    public void Write(int value) => Write(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in value)));

    public void Write(uint value) => Write(unchecked((int)value));

    public void Write(double value) => Write(BitConverter.DoubleToInt64Bits(value));

    public void Write(float value) => Write(BitConverter.SingleToInt32Bits(value));

    public void Write(byte value) => _buffer.Write([value]);

    public void Write(bool value) => Write((byte)(value ? 1 : 0));

    public void Write(TimeSpan value) => Write(value.Ticks);

    public void Write(ReadOnlySpan<byte> values) => _buffer.Write(values);

    public void Write(ReadOnlySpan<float> values) => Write(MemoryMarshal.AsBytes(values));

    public void Write(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Write(bytes.Length);
        Write(bytes.AsSpan());
    }

    public void Write(LiveSampling sampling)
    {
        Write(sampling.Draws);
        Write(sampling.Sampler.ToString());
    }

    public void Write(CardioTask task)
    {
        Write((byte)task.Kind);
        Write((byte)task.Conditions);
        Write((byte)task.Output);
    }
}
