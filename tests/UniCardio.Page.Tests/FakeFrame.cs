using System.Buffers.Binary;

namespace UniCardio.Page.Tests;

/// <summary>Frames as PROTOCOL.md lays them out, written from its tables and not by the server's code: 75 beats a minute, 120/80 mmHg with
/// a mean of 100.</summary>
internal static class FakeFrame
{
    private const int Measured = 1, Denoised = 4, Translated = 5;
    private const double Beat = 0.8; // s
    private static readonly string[] Modalities = ["ppg", "bp", "ecg"];

    /// <param name="index">Hop.</param>
    /// <param name="setting">Of a modality: muted, generate, denoise.</param>
    /// <param name="pressureHalf">Half the width of generated pressure's band, mmHg.</param>
    /// <param name="waveHalf">Half the width of the other bands; the signals are 1 high.</param>
    public static byte[] Make(int index, Func<string, (bool Muted, bool Generate, bool Denoise)> setting, double pressureHalf,
        double waveHalf)
    {
        // Hops of 0.5 s are 62 and 63 samples in turn.
        int start = (index * 125 + 1) / 2, n = ((index + 1) * 125 + 1) / 2 - start;
        var bytes = new List<byte>(new byte[80]);
        for (int m = 0; m < 3; m++)
            AddSignal(bytes, m, start, n, setting(Modalities[m]), m == 1 ? pressureHalf : waveHalf);
        for (int m = 0; m < 3; m++)
            AddVitals(bytes, m, setting(Modalities[m]), m == 1 ? pressureHalf > 15 : waveHalf > 0.25);
        byte[] frame = [.. bytes];
        "UC"u8.CopyTo(frame);
        frame[2] = 1;
        frame[3] = 2;
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), frame.Length);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(8), index);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(16), start * 8000L);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(24), index);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(60), n);
        BinaryPrimitives.WriteSingleLittleEndian(frame.AsSpan(68), 0.098f);
        BinaryPrimitives.WriteSingleLittleEndian(frame.AsSpan(72), 0.031f);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(76), 28);
        return frame;
    }

    public static double Value(int modality, double time)
    {
        double phase = time / Beat % 1, pulse = phase < 0.25 ? (1 - Math.Cos(4 * Math.PI * phase)) / 2
            : (1 + Math.Cos(Math.PI * (phase - 0.25) / 0.75)) / 2;
        return modality switch
        {
            0 => pulse,
            1 => 80 + 40 * pulse,
            _ => Math.Exp(-Math.Pow((phase - 0.5) * Beat / 0.012, 2)) + 0.25 * Math.Exp(-Math.Pow((phase - 0.8) * Beat / 0.05, 2)),
        };
    }

    private static void AddSignal(List<byte> bytes, int modality, int start, int n, (bool Muted, bool Generate, bool Denoise) set,
        double half)
    {
        int provenance = set.Muted ? (set.Generate ? Translated : 0) : set.Denoise ? Denoised : Measured;
        bool band = provenance >= Denoised, input = provenance == Denoised;
        var head = new byte[40];
        head[0] = (byte)modality;
        head[1] = (byte)provenance;
        head[2] = (byte)(provenance == 0 ? 2 : 0); // not requested
        head[3] = (byte)(set.Muted ? 6 : 0); // muted
        head[4] = (byte)(provenance switch { Translated => 0, Denoised => 2, _ => 255 });
        head[5] = (byte)(7 & ~(1 << modality));
        head[6] = (byte)((band ? 2 : 0) | (input ? 4 : 0));
        BinaryPrimitives.WriteSingleLittleEndian(head.AsSpan(8), set.Muted ? 0 : 1);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(28), 1);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(32), n);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(36), provenance);
        bytes.AddRange(head);
        Add(bytes, start, n, t => provenance == 0 ? double.NaN : Value(modality, t));
        if (band)
        {
            Add(bytes, start, n, t => Value(modality, t) - half);
            Add(bytes, start, n, t => Value(modality, t) + half);
        }
        if (input)
            Add(bytes, start, n, t => Value(modality, t));
    }

    // What the server says of a signal: nothing of one that is not there, and of one whose draws disagree.
    private static void AddVitals(List<byte> bytes, int modality, (bool Muted, bool Generate, bool Denoise) set, bool wide)
    {
        bool absent = set.Muted && !set.Generate, generated = !absent && (set.Muted || set.Denoise), uncertain = generated && wide;
        var vital = new byte[28];
        float[] figures = absent || uncertain ? [float.NaN, float.NaN, float.NaN, float.NaN, 0, float.NaN]
            : modality == 1 ? [75, 120, 80, 100, 0.9f, 0.4f] : [75, float.NaN, float.NaN, float.NaN, 0.9f, 0.4f];
        for (int i = 0; i < figures.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(vital.AsSpan(4 * i), figures[i]);
        vital[24] = (byte)(absent ? 2 : uncertain ? 9 : 0); // no signal, uncertain
        vital[25] = (byte)(generated ? 1 : 0);
        bytes.AddRange(vital);
    }

    private static void Add(List<byte> bytes, int start, int n, Func<double, double> value)
    {
        Span<byte> four = stackalloc byte[4];
        for (int i = 0; i < n; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(four, (float)value((start + i) / 125.0));
            bytes.AddRange(four);
        }
    }
}
