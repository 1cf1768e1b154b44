using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Wfdb;

/// <summary>Writes WFDB records in format 16.</summary>
internal static class WfdbWriter
{
    private const int MissingSample = short.MinValue;
    private const int MaxSamplesPerFrame = 100_000;
    private const int BlockFrames = 1 << 12;

    /// <summary>How a channel becomes integers, and what its header line states of them.</summary>
    private sealed class Plan(Channel channel, double gain, int baseline, int samplesPerFrame)
    {
        public Channel Channel => channel;

        public double Gain => gain;

        public int Baseline => baseline;

        public int SamplesPerFrame => samplesPerFrame;

        public short Initial { get; set; }

        public ushort Sum { get; set; }

        public short Quantize(long index)
        {
            float value = index < channel.Length ? channel.Samples.Span[(int)index] : float.NaN;
            return float.IsNaN(value) ? (short)MissingSample : (short)Math.Round((value * gain) + baseline, MidpointRounding.ToEven);
        }
    }

    public static void Write(string path, Recording recording, RecordingWriteOptions options, CancellationToken cancellation)
    {
        string name = Path.GetFileName(path);
        string record = name.EndsWith(".hea", StringComparison.OrdinalIgnoreCase) ? name[..^4] : name;
        if (record.Length is 0 or > 100 || record.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-')))
            throw new SignalFileException(path,
                "does not name a WFDB record; expected letters, digits, underscores and hyphens before .hea.");
        string stem = Path.Combine(Path.GetDirectoryName(path) ?? "", record);
        (double frameRate, int[] perFrame) = Frame(recording);
        Plan[] plans = [.. recording.Channels.Select((c, i) => PlanFor(c, perFrame[i]))];
        long frames = plans.Max(p => (p.Channel.Length + (long)p.SamplesPerFrame - 1) / p.SamplesPerFrame);
        if (frames == 0)
            throw new SignalException($"Recording '{recording.Name}' has no samples to write.");
        var files = new List<(string, Action<Stream>)> { (stem + ".dat", s => WriteSamples(s, plans, frames, cancellation)) };
        if (recording.Annotations.Count > 0)
            files.Add((stem + ".atr", s => WfdbAnnotations.Write(s, recording.Annotations, recording.Channels.Max(c => c.SampleRate),
                frameRate)));
        files.Add((stem + ".hea", s => s.Write(Encoding.UTF8.GetBytes(Header(record, recording, plans, frameRate, frames)))));
        // An older record of that name may have left annotations that are not this one's.
        BoundedFile.WriteAtomically(files, options.Overwrite,
            recording.Annotations.Count == 0 && options.Overwrite ? [stem + ".atr"] : []);
    }

    /// <summary>The highest frame rate that every channel has a whole number of samples of.</summary>
    private static (double Rate, int[] SamplesPerFrame) Frame(Recording recording)
    {
        double lowest = recording.Channels.Min(c => c.SampleRate);
        for (int divisor = 1; divisor <= 1000; divisor++)
        {
            double rate = lowest / divisor;
            double[] ratios = [.. recording.Channels.Select(c => c.SampleRate / rate)];
            // Rates come as decimals of ten digits or so.
            if (ratios.All(r => r <= MaxSamplesPerFrame && Math.Abs(r - Math.Round(r)) <= 1e-9 * r))
                return (rate, [.. ratios.Select(r => (int)Math.Round(r))]);
        }
        throw new SignalException(string.Create(CultureInfo.InvariantCulture,
            $"WFDB needs sample rates that are multiples of a common frame rate; found "
            + $"{string.Join(", ", recording.Channels.Select(c => c.SampleRate).Distinct())} Hz."));
    }

    private static Plan PlanFor(Channel channel, int samplesPerFrame)
    {
        if (channel.Quantization is { } q && IsExact(channel, q))
            return new Plan(channel, q.Gain, (int)q.Baseline, samplesPerFrame);
        (double low, double high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (float value in channel.Samples.Span)
        {
            if (!float.IsNaN(value))
                (low, high) = (Math.Min(low, value), Math.Max(high, value));
        }
        if (low > high)
            return new Plan(channel, WfdbHeaderParser.DefaultGain, 0, samplesPerFrame);
        double centre = (low + high) / 2, half = (high - low) / 2;
        // The baseline is a 32-bit integer in the header, and the header's gain must be readable as a double.
        double gain = Math.Min(half > 0 ? 32_000 / half : WfdbHeaderParser.DefaultGain, centre == 0 ? double.PositiveInfinity
            : (1 << 30) / Math.Abs(centre));
        gain = double.Parse(Math.Clamp(gain, 1e-36, 1e36).ToString("G9", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return new Plan(channel, gain, (int)-Math.Round(centre * gain), samplesPerFrame);
    }

    // Whether every sample is a step of the channel's own converter, to the precision of float32.
    private static bool IsExact(Channel channel, ChannelQuantization q)
    {
        if (!double.IsFinite(q.Gain) || q.Gain == 0 || q.Baseline != Math.Round(q.Baseline) || Math.Abs(q.Baseline) > 1 << 30)
            return false;
        foreach (float value in channel.Samples.Span)
        {
            if (float.IsNaN(value))
                continue;
            double digital = (value * q.Gain) + q.Baseline;
            double nearest = Math.Round(digital, MidpointRounding.ToEven);
            // float32 rounding of the physical value, in steps, with a factor of two to spare.
            double tolerance = Math.Min(0.25, 1e-9 + (Math.Abs(value * q.Gain) * 1.2e-7));
            if (Math.Abs(nearest) > short.MaxValue || Math.Abs(digital - nearest) > tolerance)
                return false;
        }
        return true;
    }

    private static void WriteSamples(Stream stream, Plan[] plans, long frames, CancellationToken cancellation)
    {
        foreach (Plan plan in plans)
        {
            plan.Sum = 0;
            plan.Initial = plan.Quantize(0);
        }
        int frameSize = plans.Sum(p => p.SamplesPerFrame);
        var block = new byte[2 * frameSize * (int)Math.Clamp(BlockFrames / frameSize, 1, frames)];
        int at = 0;
        for (long frame = 0; frame < frames; frame++)
        {
            foreach (Plan plan in plans)
            {
                for (int k = 0; k < plan.SamplesPerFrame; k++)
                {
                    short value = plan.Quantize((frame * plan.SamplesPerFrame) + k);
                    plan.Sum = unchecked((ushort)(plan.Sum + value));
                    BinaryPrimitives.WriteInt16LittleEndian(block.AsSpan(at), value);
                    at += 2;
                }
            }
            if (at == block.Length || frame == frames - 1)
            {
                cancellation.ThrowIfCancellationRequested();
                stream.Write(block.AsSpan(0, at));
                at = 0;
            }
        }
    }

    // Written after the samples, whose first values and checksums it states.
    private static string Header(string record, Recording recording, Plan[] plans, double frameRate, long frames)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{record} {plans.Length} {frameRate:R} {frames}");
        if (recording.StartTime is { } start)
            text.Append(CultureInfo.InvariantCulture,
                $" {start:HH\\:mm\\:ss\\.fff}{(start.Year > 1 ? start.ToString(" dd\\/MM\\/yyyy", CultureInfo.InvariantCulture) : "")}");
        text.Append('\n');
        foreach (Plan plan in plans)
        {
            string frame = plan.SamplesPerFrame > 1 ? string.Create(CultureInfo.InvariantCulture, $"x{plan.SamplesPerFrame}") : "";
            text.Append(CultureInfo.InvariantCulture,
                $"{record}.dat 16{frame} {plan.Gain:R}({plan.Baseline})/{Unit(plan.Channel.Unit)} 16 0 {plan.Initial} "
                + $"{unchecked((short)plan.Sum)} 0 {OneLine(plan.Channel.Name)}\n");
        }
        foreach (string comment in recording.Comments)
            text.Append(CultureInfo.InvariantCulture, $"# {OneLine(comment)}\n");
        return text.ToString();
    }

    private static string Unit(string unit) => unit.Length == 0 ? SignalUnit.Normalized
        : string.Concat(unit.Select(c => char.IsWhiteSpace(c) || char.IsControl(c) ? '_' : c));

    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
}
