using System.Globalization;
using UniCardio.Signals.Formats.Flac;

namespace UniCardio.Signals.Formats.Wfdb;

/// <summary>Reads the signal files of an ordinary (one-segment) WFDB record into digital samples.</summary>
internal sealed class WfdbSignalReader(WfdbHeader header, RecordFiles files, RecordingReadOptions options, List<SignalWarning> warnings)
{
    // Samples decoded at a time.
    private const int BlockSamples = 1 << 14;

    /// <summary>A signal file and the signals that share it, in the order in which a frame holds their samples.</summary>
    private sealed record SignalFile(string Name, byte[] Data, int Offset, WfdbSampleFormat Format, int[] Signals, long FrameSamples)
    {
        public ReadOnlySpan<byte> Samples => Data.AsSpan(Offset);

        /// <summary>Whole frames that it holds, set once they are counted.</summary>
        public long Present { get; set; }

        /// <summary>Samples of each of a FLAC stream's channels.</summary>
        public FlacDecoder? Flac { get; init; }
    }

    /// <summary>Length of the record in frames, from the header or else the signal files.</summary>
    /// <exception cref="SignalException">A file is missing or shorter than the header states.</exception>
    public long Frames => _frames ??= FindFrames();

    private long? _frames;
    private List<SignalFile>? _signalFiles;

    /// <summary>Digital samples of every signal over a stretch of frames.</summary>
    /// <param name="first">First frame.</param>
    /// <param name="end">Frame after the last.</param>
    /// <param name="cancellation">Checked between blocks.</param>
    /// <returns>For each signal its samples, (end - first) times its samples per frame; <see cref="WfdbSamples.Missing"/> where
    /// missing.</returns>
    /// <exception cref="SignalException">A file is missing or shorter than the header states, or the samples exceed the limit.</exception>
    public int[][] Read(long first, long end, CancellationToken cancellation)
    {
        long frames = Frames;
        if (first < 0 || end < first || end > frames)
            throw new ArgumentOutOfRangeException(nameof(first), first,
                $"The stretch to {end} lies outside the record of {frames} frames.");
        UInt128 total = (UInt128)(ulong)(end - first) * (ulong)header.Signals.Sum(s => (long)s.SamplesPerFrame);
        if (total > (UInt128)(ulong)options.MaxSamples)
            throw new SignalLimitException(header.File, "samples", (long)UInt128.Min(total, long.MaxValue), options.MaxSamples);
        long present = OpenFiles().Sum(f => Math.Min(f.Present, end - first) * f.FrameSamples);
        GapBudget.Check(header.File, (long)total - Math.Min(present, (long)total), present, options);
        var samples = new int[header.Signals.Count][];
        for (int s = 0; s < samples.Length; s++)
        {
            samples[s] = new int[(end - first) * header.Signals[s].SamplesPerFrame];
            samples[s].AsSpan().Fill(WfdbSamples.Missing);
        }
        foreach (SignalFile file in OpenFiles())
        {
            if (file.Flac is not null)
                ReadFlac(file, first, end, samples, cancellation);
            else
                ReadFile(file, Math.Min(frames, file.Present), first, end, samples, cancellation);
        }
        return samples;
    }

    // A file that ends early gives what it holds: the record is as long as its longest file, and no longer than its header says.
    private long FindFrames()
    {
        long? stated = header.Frames;
        long shortest = long.MaxValue, longest = 0;
        foreach (SignalFile file in OpenFiles())
        {
            long present = file.Flac is not null ? CountFlac(file, stated) : WfdbSamples.Capacity(file.Format,
                file.Data.Length - file.Offset) / file.FrameSamples;
            file.Present = present;
            if (stated > present)
            {
                warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                    $"{files.Describe(file.Name)} ends early: it holds {present} frames of {file.FrameSamples} samples (format "
                    + $"{(int)file.Format}), but {header.File} states {stated}; the rest is missing.")));
            }
            // Packed formats end with a whole group of samples, up to two of them padding.
            long padding = file.Format is WfdbSampleFormat.Packed12 or WfdbSampleFormat.Packed10Words or WfdbSampleFormat.Packed10 ? 2 : 0;
            if (file.Flac is null
                && (WfdbSamples.Capacity(file.Format, file.Data.Length - file.Offset) - padding) / file.FrameSamples > stated)
            {
                warnings.Add(new SignalWarning(SignalWarningKind.Header, string.Create(CultureInfo.InvariantCulture,
                    $"{files.Describe(file.Name)} holds {present} frames; the {stated} that {header.File} states are read.")));
            }
            (shortest, longest) = (Math.Min(shortest, present), Math.Max(longest, present));
        }
        if (stated is not null && shortest != long.MaxValue && longest == 0)
            throw new SignalFormatException(header.File, "has signal files of which the longest holds 0 frames.");
        if (stated is null && shortest is 0 or long.MaxValue)
            throw new SignalFormatException(header.File, "states no length, and its signal files hold no frame.");
        return stated is { } frames ? (shortest == long.MaxValue ? frames : Math.Min(frames, longest)) : shortest;
    }

    private FlacDecoder OpenFlac(string name, byte[] data, WfdbSampleFormat format, int[] members)
    {
        var flac = new FlacDecoder(data, files.Describe(name));
        if (flac.Bits != WfdbSamples.FlacBits(format) || flac.Channels != members.Length)
        {
            throw new SignalFormatException(files.Describe(name),
                $"is a FLAC stream of {flac.Channels} channels of {flac.Bits} bits, but {header.File} states {members.Length} signals in "
                + $"format {(int)format}.");
        }
        if (members.Select(s => header.Signals[s].SamplesPerFrame).Distinct().Count() > 1)
            throw new SignalFormatException(header.File, $"gives signals of one FLAC file, '{name}', different samples per frame.");
        return flac;
    }

    // The stream's own count may be wrong: frames are decoded to see how many there are.
    private long CountFlac(SignalFile file, long? stated)
    {
        int perFrame = header.Signals[file.Signals[0]].SamplesPerFrame;
        long max = stated is { } s ? Math.Min(s, long.MaxValue / perFrame) * perFrame : options.MaxSamples, samples = 0;
        FlacEnd end = file.Flac!.Decode((_, count) => (samples += count) - file.Offset < max, CancellationToken.None);
        if (end == FlacEnd.Truncated && stated is null)
            warnings.Add(new SignalWarning(SignalWarningKind.Data,
                $"{files.Describe(file.Name)} ends within a frame of its FLAC stream; those before it are read."));
        if (samples == 0)
            throw new SignalFormatException(files.Describe(file.Name), "is a damaged FLAC stream: it holds no whole frame.");
        return Math.Max(0, samples - file.Offset) / perFrame;
    }

    private void ReadFlac(SignalFile file, long first, long end, int[][] samples, CancellationToken cancellation)
    {
        WfdbSignal[] signals = [.. file.Signals.Select(s => header.Signals[s])];
        int size = signals[0].SamplesPerFrame;
        int missing = WfdbSamples.MissingValue(file.Format)!.Value;
        var sums = new ushort[signals.Length];
        // A byte offset means nothing in a packed stream: it counts samples.
        long at = -file.Offset, all = Math.Min(Frames, file.Present) * size;
        file.Flac!.Decode((block, count) =>
        {
            for (int s = 0; s < signals.Length; s++)
            {
                int[] destination = samples[file.Signals[s]];
                long shift = (first + signals[s].Skew) * size;
                for (int i = 0; i < count; i++)
                {
                    long index = at + i;
                    if (index < 0 || index >= all)
                        continue;
                    int value = block[s][i];
                    sums[s] = unchecked((ushort)(sums[s] + value));
                    long target = index - shift;
                    if (target >= 0 && target < destination.Length)
                        destination[target] = value == missing ? WfdbSamples.Missing : value;
                }
            }
            at += count;
            return at < Math.Min(all, (end + signals.Max(s => (long)s.Skew)) * size);
        }, cancellation);
        if (first == 0 && end >= Frames && file.Present >= Frames)
            CheckSums(file, signals, sums);
    }

    private List<SignalFile> OpenFiles()
    {
        if (_signalFiles is not null)
            return _signalFiles;
        var opened = new List<SignalFile>();
        foreach (IGrouping<string, int> group in Enumerable.Range(0, header.Signals.Count).Where(s =>
            !header.Signals[s].IsNull).GroupBy(s => header.Signals[s].FileName))
        {
            int[] members = [.. group];
            WfdbSignal lead = header.Signals[members[0]];
            foreach (int s in members)
            {
                if (header.Signals[s].Format != lead.Format)
                    throw new SignalFormatException(header.File,
                        $"gives formats {(int)lead.Format} and {(int)header.Signals[s].Format} to signals of one file, '{group.Key}'.");
                if (header.Signals[s].ByteOffset is { } other && other != (lead.ByteOffset ?? 0))
                    throw new SignalFormatException(header.File, $"gives two byte offsets to signals of one file, '{group.Key}'.");
            }
            string name = files.Resolve(group.Key);
            byte[] data = files.Read(name, options.MaxFileBytes, options.MaxFileBytes);
            long offset = lead.ByteOffset ?? 0;
            bool flac = WfdbSamples.FlacBits(lead.Format) > 0;
            if (offset > (flac ? int.MaxValue : data.Length))
                throw new SignalFormatException(files.Describe(name),
                    $"has {data.Length} bytes, but {header.File} lets samples begin at byte {offset}.");
            opened.Add(new SignalFile(name, data, (int)offset, lead.Format, members,
                members.Sum(s => (long)header.Signals[s].SamplesPerFrame))
            {
                Flac = flac ? OpenFlac(name, data, lead.Format, members) : null,
            });
        }
        return _signalFiles = opened;
    }

    private void ReadFile(SignalFile file, long frames, long first, long end, int[][] samples, CancellationToken cancellation)
    {
        WfdbSignal[] signals = [.. file.Signals.Select(s => header.Signals[s])];
        bool differences = file.Format == WfdbSampleFormat.Difference8;
        int? missing = WfdbSamples.MissingValue(file.Format);
        var levels = signals.Select(s => s.InitialValue).ToArray();
        var sums = new ushort[signals.Length];
        // A skewed signal's samples come later in the file; sums of differences start at the beginning.
        long begin = differences ? 0 : first;
        long stop = Math.Min(frames, end + signals.Max(s => (long)s.Skew));
        if (stop <= begin)
            return;
        var block = new int[Math.Min(Math.Max(BlockSamples / file.FrameSamples, 1), stop - begin) * file.FrameSamples];
        for (long frame = begin; frame < stop;)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = (int)Math.Min(block.Length / file.FrameSamples, stop - frame);
            Span<int> decoded = block.AsSpan(0, (int)(count * file.FrameSamples));
            WfdbSamples.Decode(file.Format, file.Samples, frame * file.FrameSamples, decoded);
            int at = 0;
            for (int f = 0; f < count; f++, frame++)
            {
                for (int s = 0; s < signals.Length; s++)
                {
                    long target = frame - signals[s].Skew;
                    int[] destination = samples[file.Signals[s]];
                    int size = signals[s].SamplesPerFrame;
                    for (int k = 0; k < size; k++)
                    {
                        int value = decoded[at++];
                        if (differences)
                            value = levels[s] = unchecked(levels[s] + value);
                        sums[s] = unchecked((ushort)(sums[s] + value));
                        if (target >= first && target < end)
                            destination[((target - first) * size) + k] = value == missing ? WfdbSamples.Missing : value;
                    }
                }
            }
        }
        if (begin == 0 && stop == Frames)
            CheckSums(file, signals, sums);
    }

    private void CheckSums(SignalFile file, WfdbSignal[] signals, ushort[] sums)
    {
        for (int s = 0; s < signals.Length; s++)
        {
            if (signals[s].Checksum is { } stated && unchecked((ushort)stated) != sums[s])
            {
                warnings.Add(new SignalWarning(SignalWarningKind.Checksum,
                    $"{header.File} states checksum {stated} for '{signals[s].Description}', but the samples in {file.Name} sum to "
                    + $"{unchecked((short)sums[s])}.", signals[s].Description));
            }
        }
    }
}
