using System.Globalization;

namespace UniCardio.Signals.Formats.Wfdb;

/// <summary>Assembles a WFDB record, of one segment or several, into channels in physical units.</summary>
internal sealed class WfdbRecordReader(RecordFiles files, RecordingReadOptions options, CancellationToken cancellation)
{
    // Headers are text of a line a signal or segment; even day-long records have some thousands.
    private const long MaxHeaderBytes = 16 << 20;

    private readonly List<SignalWarning> _warnings = [];

    /// <summary>Reads a record by name.</summary>
    /// <exception cref="SignalException">Malformed, incomplete or over a limit.</exception>
    public Recording Read(string recordName)
    {
        RecordingSelection.CheckTimes(options);
        WfdbHeader header = ReadHeader(recordName);
        if (header.StartProblem is { } problem)
            _warnings.Add(new SignalWarning(SignalWarningKind.Header, $"{header.File}: {problem}."));
        (Channel[] channels, WfdbHeader described, double start) = header.IsMultiSegment ? ReadSegments(header) : ReadOrdinary(header);
        DateTime? startTime = RecordingSelection.Later(header.StartTime ?? described.StartTime, start);
        (IEnumerable<Annotation> annotations, double annotationRate) = ReadAnnotations(recordName, header.FrameRate, start);
        var recording = new Recording(header.RecordName, ChannelLabels.Override(channels, options, header.File), annotations, startTime,
            _warnings, header.Comments.Count > 0 ? header.Comments : described.Comments);
        return RecordingSelection.Apply(recording, options, annotationRate, alreadyCut: true);
    }

    /// <summary>A record's header.</summary>
    public WfdbHeader ReadHeader(string recordName)
    {
        string name = files.Resolve(recordName + ".hea");
        return WfdbHeaderParser.Parse(files.Read(name, Math.Min(options.MaxFileBytes, MaxHeaderBytes), options.MaxFileBytes),
            files.Describe(name), options);
    }

    /// <summary>Digital samples of an ordinary record over a stretch of frames (to the end if null), for tests and checks.</summary>
    public int[][] ReadDigital(WfdbHeader header, long first, long? end)
    {
        var reader = new WfdbSignalReader(header, files, options, _warnings);
        return reader.Read(first, end ?? reader.Frames, cancellation);
    }

    private (Channel[] Channels, WfdbHeader Header, double Start) ReadOrdinary(WfdbHeader header)
    {
        var reader = new WfdbSignalReader(header, files, options, _warnings);
        (long first, long end) = Stretch(header, reader.Frames);
        int[][] digital = reader.Read(first, end, cancellation);
        var channels = new Channel[digital.Length];
        for (int s = 0; s < digital.Length; s++)
        {
            WfdbSignal signal = header.Signals[s];
            var samples = new float[digital[s].Length];
            ToPhysical(header, signal, digital[s], 1, samples);
            // The digital form is not needed again; a long record holds one channel of it less at a time.
            digital[s] = [];
            channels[s] = Channel(header, signal, samples);
        }
        return (channels, header, first / header.FrameRate);
    }

    private (Channel[] Channels, WfdbHeader Header, double Start) ReadSegments(WfdbHeader master)
    {
        long total = 0;
        foreach (WfdbSegment segment in master.Segments)
        {
            if (segment.Frames > long.MaxValue - total)
                throw new SignalFormatException(master.File, "states segments whose lengths add up to more than 2^63 frames.");
            total += segment.Frames;
        }
        if (total == 0)
            throw new SignalFormatException(master.File, "states segments of no length at all.");
        if (master.Frames is { } stated && stated != total)
        {
            _warnings.Add(new SignalWarning(SignalWarningKind.Header, string.Create(CultureInfo.InvariantCulture,
                $"{master.File} states {stated} frames, but its segments have {total}; these are read.")));
        }
        WfdbHeader layout = ReadLayout(master);
        (long first, long end) = Stretch(master, total);
        UInt128 samples = (UInt128)(ulong)(end - first) * (ulong)layout.Signals.Sum(s => (long)s.SamplesPerFrame);
        if (samples > (UInt128)(ulong)options.MaxSamples)
            throw new SignalLimitException(master.File, "samples", (long)UInt128.Min(samples, long.MaxValue), options.MaxSamples);
        long present = PresentSamples(master, layout, first, end);
        GapBudget.Check(master.File, (long)samples - Math.Min(present, (long)samples), present, options);
        var physical = layout.Signals.Select(s => new float[(end - first) * s.SamplesPerFrame]).ToArray();
        foreach (float[] p in physical)
            p.AsSpan().Fill(float.NaN);
        long begin = 0;
        foreach (WfdbSegment segment in master.Segments)
        {
            cancellation.ThrowIfCancellationRequested();
            long from = Math.Max(first, begin), to = Math.Min(end, begin + segment.Frames);
            if (!segment.IsNull && from < to)
                ReadSegment(master, layout, segment, from - begin, to - begin, from - first, physical);
            begin += segment.Frames;
        }
        return ([.. layout.Signals.Select((s, i) => Channel(layout, s, physical[i]))], layout, first / master.FrameRate);
    }

    // What the segments' files can hold, before memory is taken for what the record says that they do.
    private long PresentSamples(WfdbHeader master, WfdbHeader layout, long first, long end)
    {
        long begin = 0, present = 0;
        foreach (WfdbSegment segment in master.Segments)
        {
            long from = Math.Max(first, begin), to = Math.Min(end, begin + segment.Frames);
            if (!segment.IsNull && from < to && files.Exists(files.Resolve(segment.RecordName + ".hea")))
            {
                foreach (IGrouping<string, WfdbSignal> file in ReadHeader(segment.RecordName).Signals.Where(s => !s.IsNull).GroupBy(s =>
                    s.FileName))
                    present += WfdbSamples.MaxSamples(file.First().Format, files.LengthOf(files.Resolve(file.Key)));
            }
            begin += segment.Frames;
        }
        return Math.Min(present, (end - first) * layout.Signals.Sum(s => (long)s.SamplesPerFrame));
    }

    // A variable layout has a header of its own; in a fixed one every segment has the same signals.
    private WfdbHeader ReadLayout(WfdbHeader master)
    {
        WfdbSegment? first = master.HasVariableLayout ? master.Segments[0] : master.Segments.FirstOrDefault(s => !s.IsNull);
        if (first is null)
            throw new SignalFormatException(master.File, "has only null segments, so its signals are not known.");
        WfdbHeader layout = ReadHeader(first.RecordName);
        if (layout.IsMultiSegment)
            throw new SignalFormatException(layout.File, $"is a multi-segment record; {master.File} can only refer to ordinary ones.");
        if (layout.Signals.Count != master.SignalCount)
            throw new SignalFormatException(layout.File,
                $"has {layout.Signals.Count} signals, but {master.File} states {master.SignalCount}.");
        RequireRate(master, layout);
        return layout with { FrameRate = master.FrameRate };
    }

    private void ReadSegment(WfdbHeader master, WfdbHeader layout, WfdbSegment segment, long from, long to, long target, float[][] physical)
    {
        // A gap where there were signals would pass for one of the recording's own.
        if (!files.Exists(files.Resolve(segment.RecordName + ".hea")))
            throw new SignalFileException(files.Describe(segment.RecordName + ".hea"),
                $"there is no such file, but {master.File} names it as a segment; a stretch without it can be read by start and end.");
        WfdbHeader header = ReadHeader(segment.RecordName);
        if (header.IsMultiSegment)
            throw new SignalFormatException(header.File, $"is a multi-segment record; {master.File} can only refer to ordinary ones.");
        RequireRate(master, header);
        if (!master.HasVariableLayout && header.Signals.Count != layout.Signals.Count)
            throw new SignalFormatException(header.File,
                $"has {header.Signals.Count} signals, but the record's first segment has {layout.Signals.Count}.");
        var reader = new WfdbSignalReader(header, files, options, _warnings);
        if (reader.Frames < segment.Frames)
        {
            _warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"{header.File} has {reader.Frames} frames, but {master.File} states {segment.Frames} for this segment; the rest "
                + $"is missing.")));
            to = Math.Min(to, reader.Frames);
            if (from >= to)
                return;
        }
        else if (reader.Frames > segment.Frames)
        {
            _warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"{header.File} has {reader.Frames} frames, but {master.File} states {segment.Frames} for this segment; the rest "
                + $"is left out.")));
        }
        int[][] digital = reader.Read(from, to, cancellation);
        var taken = new HashSet<int>();
        for (int s = 0; s < digital.Length; s++)
        {
            WfdbSignal signal = header.Signals[s];
            int place = master.HasVariableLayout ? PlaceOf(layout, signal, taken) : s;
            if (place < 0)
            {
                _warnings.Add(new SignalWarning(SignalWarningKind.Header,
                    $"{header.File}: signal '{signal.Description}' is not in {layout.File} and is left out.", signal.Description));
                continue;
            }
            WfdbSignal wanted = layout.Signals[place];
            if (signal.SamplesPerFrame != wanted.SamplesPerFrame)
            {
                throw new SignalFormatException(header.File,
                    $"has {signal.SamplesPerFrame} samples a frame, but {layout.File} has {wanted.SamplesPerFrame}.",
                    new SignalLocation(Channel: signal.Description));
            }
            if (!SignalUnit.TryGetFactor(signal.Unit, wanted.Unit, out double factor))
                throw new SignalFormatException(header.File, $"is in '{signal.Unit}', but {layout.File} has '{wanted.Unit}'.",
                    new SignalLocation(Channel: signal.Description));
            ToPhysical(header, signal, digital[s], factor, physical[place].AsSpan((int)(target * wanted.SamplesPerFrame),
                digital[s].Length));
        }
    }

    // Of several signals of one name the first goes to the first place of that name, the second to the second.
    private static int PlaceOf(WfdbHeader layout, WfdbSignal signal, HashSet<int> taken)
    {
        for (int i = 0; i < layout.Signals.Count; i++)
        {
            if (layout.Signals[i].Description == signal.Description && taken.Add(i))
                return i;
        }
        return -1;
    }

    private static void RequireRate(WfdbHeader master, WfdbHeader segment)
    {
        if (Math.Abs(segment.FrameRate - master.FrameRate) > 1e-6 * master.FrameRate)
            throw new SignalFormatException(segment.File, string.Create(CultureInfo.InvariantCulture,
                $"has {segment.FrameRate} Hz, but {master.File} has {master.FrameRate} Hz."));
    }

    private (long First, long End) Stretch(WfdbHeader header, long frames)
    {
        (long first, long end) = RecordingSelection.Range(options.StartSeconds, options.EndSeconds, header.FrameRate, frames);
        return first < frames ? (first, end) : throw RecordingSelection.Outside(header.RecordName, options.StartSeconds,
            frames / header.FrameRate);
    }

    private static void ToPhysical(WfdbHeader header, WfdbSignal signal, int[] digital, double factor, Span<float> physical)
    {
        for (int i = 0; i < digital.Length; i++)
        {
            if (digital[i] == WfdbSamples.Missing)
            {
                physical[i] = float.NaN;
                continue;
            }
            physical[i] = (float)((digital[i] - (double)signal.Baseline) / signal.Gain * factor);
            if (!float.IsFinite(physical[i]))
            {
                throw new SignalFormatException(header.File, string.Create(CultureInfo.InvariantCulture,
                    $"gain {signal.Gain} turns the digital value {digital[i]} into one that float32 does not hold."),
                    new SignalLocation(Channel: signal.Description, Sample: i));
            }
        }
    }

    private Channel Channel(WfdbHeader header, WfdbSignal signal, float[] samples)
    {
        int size = signal.SamplesPerFrame;
        double rate = header.FrameRate * size;
        if (options.AverageFrames && size > 1)
        {
            samples = AverageOfFrames(samples, size);
            rate = header.FrameRate;
        }
        if (!double.IsFinite(rate))
            throw new SignalFormatException(header.File, "states a sample rate that is not finite.",
                new SignalLocation(Channel: signal.Description));
        return new Channel(signal.Description, signal.Unit, rate, samples, quantization: signal.Quantization);
    }

    // The mean of the samples of each frame that are present.
    private static float[] AverageOfFrames(float[] samples, int size)
    {
        var means = new float[samples.Length / size];
        for (int f = 0; f < means.Length; f++)
        {
            double sum = 0;
            int present = 0;
            foreach (float sample in samples.AsSpan(f * size, size))
            {
                if (!float.IsNaN(sample))
                {
                    sum += sample;
                    present++;
                }
            }
            means[f] = present == 0 ? float.NaN : (float)(sum / present);
        }
        return means;
    }

    private (IEnumerable<Annotation> Annotations, double Rate) ReadAnnotations(string recordName, double frameRate, double start)
    {
        string annotator = options.Annotator ?? "atr";
        if (!WfdbHeaderParser.IsPlainName(annotator))
            throw new SignalException($"'{annotator}' is not the name of an annotator; expected the extension of a file, such as atr.");
        string name = recordName + "." + annotator;
        if (options.Annotator is null && !files.Exists(name))
            return ([], frameRate);
        byte[] data = files.Read(name, options.MaxFileBytes, options.MaxFileBytes);
        WfdbAnnotations.Result result;
        try
        {
            result = WfdbAnnotations.Read(data, files.Describe(name), frameRate, options.MaxAnnotations);
        }
        catch (SignalFormatException e) when (options.Annotator is null && e is not SignalLimitException)
        {
            // Nobody asked for them: the signals are worth having without.
            _warnings.Add(new SignalWarning(SignalWarningKind.Annotation, e.Message));
            return ([], frameRate);
        }
        _warnings.AddRange(result.Warnings);
        return (RecordingSelection.Move(result.Annotations, start, options.EndSeconds ?? double.PositiveInfinity, result.Rate),
            result.Rate);
    }
}
