using System.Buffers.Binary;

namespace UniCardio.Signals.Tests.Formats;

/// <summary>
/// The encoding twin of the FLAC decoder, written from RFC 9639 on its own: bits are a list, checksums are divided out bit by bit. What it
/// codes how is told by the caller, so that every form the format has can be made.
/// </summary>
internal sealed class FlacEncoder
{
    /// <summary>How a channel of a frame is coded.</summary>
    public sealed record Coding(string Kind, int Order = 0, int Partitions = 0, bool WideRice = false, bool Escape = false, int Wasted = 0);

    private readonly List<bool> _bits = [];

    /// <summary>A stream: its description, then frames of so many samples.</summary>
    /// <param name="channels">Samples, [channel][time].</param>
    /// <param name="depth">Bits of a sample.</param>
    /// <param name="block">Samples of a frame; the last one may be shorter.</param>
    /// <param name="assignment">0: each channel alone; 8, 9, 10: left/side, side/right, mid/side.</param>
    /// <param name="coding">How each channel (after the assignment) of a frame is coded.</param>
    /// <param name="statesTotal">Whether the description says how many samples there are.</param>
    public static byte[] Stream(int[][] channels, int depth, int block, int assignment, Func<int, int, Coding> coding,
        bool statesTotal = true)
    {
        int length = channels[0].Length;
        var info = new byte[34];
        BinaryPrimitives.WriteUInt16BigEndian(info, (ushort)block);
        BinaryPrimitives.WriteUInt16BigEndian(info.AsSpan(2), (ushort)block);
        ulong packed = (360UL << 44) | ((ulong)(channels.Length - 1) << 41) | ((ulong)(depth - 1) << 36)
            | (statesTotal ? (ulong)length : 0);
        BinaryPrimitives.WriteUInt64BigEndian(info.AsSpan(10), packed);
        // A padding block follows, as encoders write.
        List<byte> stream = [.. "fLaC"u8, 0, 0, 0, 34, .. info, 0x81, 0, 0, 5, 0, 0, 0, 0, 0];
        for (int start = 0, frame = 0; start < length; start += block, frame++)
        {
            int[][] parts = [.. channels.Select(c => c[start..Math.Min(length, start + block)])];
            int number = frame;
            stream.AddRange(new FlacEncoder().Frame(parts, depth, assignment, frame, c => coding(number, c)));
        }
        return [.. stream];
    }

    private byte[] Frame(int[][] channels, int depth, int assignment, int number, Func<int, Coding> coding)
    {
        int count = channels[0].Length;
        Put(0x7FFC, 15);
        Put(0, 1);
        Put(7, 4); // 16 bits at the end of the header say how many samples
        Put(0, 4);
        Put(assignment >= 8 ? assignment : channels.Length - 1, 4);
        Put(depth switch { 8 => 1, 12 => 2, 16 => 4, 20 => 5, 24 => 6, _ => 0 }, 3);
        Put(0, 1);
        Number(number);
        Put(count - 1, 16);
        Put(Remainder(Bytes(), 0x07, 8), 8);
        int[][] coded = assignment switch
        {
            8 => [channels[0], [.. channels[0].Zip(channels[1], (l, r) => l - r)]],
            9 => [[.. channels[0].Zip(channels[1], (l, r) => l - r)], channels[1]],
            10 => [[.. channels[0].Zip(channels[1], (l, r) => (l + r) >> 1)], [.. channels[0].Zip(channels[1], (l, r) => l - r)]],
            _ => channels,
        };
        for (int c = 0; c < coded.Length; c++)
        {
            bool side = (assignment is 8 or 10 && c == 1) || (assignment == 9 && c == 0);
            Subframe(coded[c], depth + (side ? 1 : 0), coding(c));
        }
        while (_bits.Count % 8 != 0)
            Put(0, 1);
        Put(Remainder(Bytes(), 0x8005, 16), 16);
        return Bytes();
    }

    private void Subframe(int[] samples, int depth, Coding coding)
    {
        Put(0, 1);
        Put(coding.Kind switch { "constant" => 0, "verbatim" => 1, "fixed" => 8 + coding.Order, _ => 31 + coding.Order }, 6);
        Put(coding.Wasted > 0 ? 1 : 0, 1);
        if (coding.Wasted > 0)
        {
            Put(1, coding.Wasted);
            samples = [.. samples.Select(s => s >> coding.Wasted)];
            depth -= coding.Wasted;
        }
        if (coding.Kind == "constant")
        {
            Put(samples[0], depth);
            return;
        }
        int warm = coding.Kind == "verbatim" ? samples.Length : coding.Order;
        foreach (int s in samples[..warm])
            Put(s, depth);
        if (coding.Kind == "verbatim")
            return;
        int[] fixedCoefficients = coding.Order switch { 0 => [], 1 => [1], 2 => [2, -1], 3 => [3, -3, 1], _ => [4, -6, 4, -1] };
        // Any coefficients predict; these do so badly, which makes long codes.
        int[] coefficients = coding.Kind == "fixed" ? fixedCoefficients
            : [.. Enumerable.Range(0, coding.Order).Select(i => (i % 3) switch { 0 => 900, 1 => -500, _ => 77 })];
        int shift = coding.Kind == "fixed" ? 0 : 9;
        if (coding.Kind != "fixed")
        {
            Put(12 - 1, 4);
            Put(shift, 5);
            foreach (int c in coefficients)
                Put(c, 12);
        }
        var residual = new long[samples.Length];
        for (int i = coding.Order; i < samples.Length; i++)
        {
            long sum = 0;
            for (int k = 0; k < coding.Order; k++)
                sum += (long)coefficients[k] * samples[i - 1 - k];
            residual[i] = samples[i] - (sum >> shift);
        }
        Residual(residual, coding);
    }

    private void Residual(long[] residual, Coding coding)
    {
        Put(coding.WideRice ? 1 : 0, 2);
        Put(coding.Partitions, 4);
        int size = residual.Length >> coding.Partitions;
        for (int p = 0, at = coding.Order; p < 1 << coding.Partitions; p++)
        {
            long[] part = residual[at..((p + 1) * size)];
            at = (p + 1) * size;
            int width = coding.WideRice ? 5 : 4;
            if (coding.Escape)
            {
                long largest = part.Length == 0 ? 0 : part.Max(r => Math.Max(r, ~r));
                int bits = part.All(r => r == 0) ? 0 : 65 - System.Numerics.BitOperations.LeadingZeroCount((ulong)largest);
                Put((1 << width) - 1, width);
                Put(bits, 5);
                foreach (long r in part.Where(_ => bits > 0))
                    Put((int)r, bits);
                continue;
            }
            double mean = part.Length == 0 ? 0 : part.Average(r => Math.Abs((double)r));
            int parameter = Math.Clamp((int)Math.Log2(mean + 1), 0, coding.WideRice ? 30 : 14);
            Put(parameter, width);
            foreach (long r in part)
            {
                ulong folded = (ulong)((r << 1) ^ (r >> 63));
                for (ulong q = folded >> parameter; q > 0; q--)
                    Put(0, 1);
                Put(1, 1);
                Put((int)(folded & ((1UL << parameter) - 1)), parameter);
            }
        }
    }

    // As UTF-8 codes characters.
    private void Number(int number)
    {
        if (number < 0x80)
        {
            Put(number, 8);
            return;
        }
        Put(0xC0 | (number >> 6), 8);
        Put(0x80 | (number & 0x3F), 8);
    }

    private void Put(int value, int count)
    {
        for (int i = count - 1; i >= 0; i--)
            _bits.Add(((value >> i) & 1) != 0);
    }

    private byte[] Bytes()
    {
        var bytes = new byte[_bits.Count / 8];
        for (int i = 0; i < bytes.Length * 8; i++)
            bytes[i / 8] |= (byte)(_bits[i] ? 0x80 >> (i % 8) : 0);
        return bytes;
    }

    private static int Remainder(byte[] bytes, int polynomial, int width)
    {
        int sum = 0;
        foreach (byte b in bytes)
        {
            for (int bit = 7; bit >= 0; bit--)
            {
                int top = ((sum >> (width - 1)) & 1) ^ ((b >> bit) & 1);
                sum = ((sum << 1) & ((1 << width) - 1)) ^ (top * polynomial);
            }
        }
        return sum;
    }
}
