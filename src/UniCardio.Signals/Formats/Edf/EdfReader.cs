using System.Globalization;

namespace UniCardio.Signals.Formats.Edf;

/// <summary>Turns the data records of an EDF or BDF file into channels.</summary>
internal sealed class EdfReader(byte[] data, EdfHeader header, RecordingReadOptions options)
{
    private readonly List<SignalWarning> _warnings = [.. header.Warnings];
    private long _recordBytes;
    private int _records;

    public Recording Read(CancellationToken cancellation)
    {
        if (!header.Signals.Any(s => s.IsUsable) && header.Signals.FirstOrDefault(s => s.Fault is not null
            && !s.IsAnnotations) is { } faulty)
            throw new SignalFormatException(header.File, $"has no signal that can be read: {faulty.Fault}.",
                new SignalLocation(Channel: faulty.Label));
        if (header.Signals.All(s => s.IsAnnotations))
            throw new SignalFormatException(header.File, "has annotations only; expected at least one signal.");
        CountRecords();
        (List<Annotation> annotations, double[] times) = ReadAnnotations(cancellation);
        double origin = double.IsNaN(times[0]) ? 0 : times[0];
        var channels = new List<Channel>();
        long offset = 0;
        foreach (EdfSignal signal in header.Signals)
        {
            if (signal.IsUsable)
                channels.Add(ReadSignal(signal, offset, times, origin, cancellation));
            offset += (long)signal.SamplesPerRecord * header.SampleBytes;
        }
        double rate = channels[0].SampleRate;
        // The clock in the header counts whole seconds; the first record's time stamp holds what is beyond.
        DateTime? start = origin >= 0 ? RecordingSelection.Later(header.StartTime, origin) : header.StartTime;
        var recording = new Recording(Path.GetFileNameWithoutExtension(header.File), ChannelLabels.Override(channels, options,
            header.File), Ordered(annotations, origin, rate), start, _warnings,
            new[] { header.Patient, header.Session }.Where(t => t.Length > 0));
        return RecordingSelection.Apply(recording, options, rate);
    }

    /// <summary>Digital samples of a signal, records joined without regard to time; for tests and checks.</summary>
    public int[] ReadDigital(int signal)
    {
        CountRecords();
        long offset = header.Signals.Take(signal).Sum(s => (long)s.SamplesPerRecord) * header.SampleBytes;
        int size = header.Signals[signal].SamplesPerRecord;
        var samples = new int[(long)_records * size];
        for (int r = 0; r < _records; r++)
            Decode(Record(r, offset, size), samples.AsSpan(r * size, size));
        return samples;
    }

    private void CountRecords()
    {
        _recordBytes = header.RecordSamples * header.SampleBytes;
        if (_recordBytes == 0)
            throw new SignalFormatException(header.File, "has data records of 0 bytes.");
        long body = data.Length - header.Length;
        long present = body / _recordBytes;
        if (header.RecordCount is { } stated)
        {
            if (present < stated)
            {
                _warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                    $"{header.File} ends within its data: {present} of the {stated} data records that its header states are "
                    + $"whole and read.")));
                stated = present;
            }
            else if (body > stated * _recordBytes)
            {
                _warnings.Add(new SignalWarning(SignalWarningKind.Header, string.Create(CultureInfo.InvariantCulture,
                    $"{header.File} continues for {body - (stated * _recordBytes)} bytes after the {stated} data records that its header "
                    + $"states; they are left out.")));
            }
            present = stated;
        }
        if (present == 0)
            throw new SignalFormatException(header.File, $"holds 0 data records: no whole one of {_recordBytes} bytes.",
                new SignalLocation(ByteOffset: data.Length));
        _records = (int)present;
    }

    // Within the file: CountRecords has seen to that.
    private ReadOnlySpan<byte> Record(int record, long offset, int samples) =>
        data.AsSpan((int)(header.Length + (record * _recordBytes) + offset), samples * header.SampleBytes);

    private void Decode(ReadOnlySpan<byte> bytes, Span<int> samples)
    {
        if (header.SampleBytes == 2)
        {
            for (int i = 0; i < samples.Length; i++)
                samples[i] = (short)(bytes[2 * i] | (bytes[(2 * i) + 1] << 8));
        }
        else
        {
            for (int i = 0; i < samples.Length; i++)
                samples[i] = bytes[3 * i] | (bytes[(3 * i) + 1] << 8) | ((sbyte)bytes[(3 * i) + 2] << 16);
        }
    }

    // Of continuous files only the first record's time is kept. NaN: not stated.
    private (List<Annotation> Annotations, double[] Times) ReadAnnotations(CancellationToken cancellation)
    {
        var found = new List<Annotation>();
        var times = new double[header.IsDiscontinuous ? _records : 1];
        times.AsSpan().Fill(double.NaN);
        int malformed = 0;
        long offset = 0;
        bool first = true;
        foreach (EdfSignal signal in header.Signals)
        {
            if (signal.IsAnnotations)
            {
                for (int r = 0; r < _records; r++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    double? own = EdfAnnotationList.Read(Record(r, offset, signal.SamplesPerRecord), found, ref malformed);
                    if (first && r < times.Length)
                        times[r] = own ?? double.NaN;
                    if (found.Count > options.MaxAnnotations)
                        throw new SignalLimitException(header.File, "annotations", found.Count, options.MaxAnnotations);
                }
                first = false;
            }
            offset += (long)signal.SamplesPerRecord * header.SampleBytes;
        }
        if (malformed > 0)
            _warnings.Add(new SignalWarning(SignalWarningKind.Annotation,
                $"{header.File}: {malformed} annotation lists are malformed and left out."));
        return (found, times);
    }

    private static IEnumerable<Annotation> Ordered(List<Annotation> annotations, double origin, double rate) => annotations
        .Select(a => a with { TimeSeconds = a.TimeSeconds - origin })
        .Select(a => a with { Sample = (long)Math.Round(a.TimeSeconds * rate) })
        .OrderBy(a => a.TimeSeconds);

    private Channel ReadSignal(EdfSignal signal, long offset, double[] times, double origin, CancellationToken cancellation)
    {
        double rate = signal.SamplesPerRecord / header.RecordSeconds;
        if (!double.IsFinite(rate))
            throw new SignalFormatException(header.File, "states a sample rate that is not finite.",
                new SignalLocation(Channel: signal.Label));
        long[]? starts = header.IsDiscontinuous ? Starts(signal, times, origin, rate) : null;
        long length = starts is null ? (long)_records * signal.SamplesPerRecord : starts[^1] + signal.SamplesPerRecord;
        GapBudget.Check(header.File, length - ((long)_records * signal.SamplesPerRecord), (long)_records * signal.SamplesPerRecord,
            options);
        long all = (long)Math.Min(header.Signals.Where(s => s.IsUsable).Sum(s =>
            (double)s.SamplesPerRecord) / signal.SamplesPerRecord * length, long.MaxValue);
        if (all > options.MaxSamples || length > Array.MaxLength)
            throw new SignalLimitException(header.File, "samples", Math.Max(all, length), options.MaxSamples);
        var samples = new float[length];
        samples.AsSpan().Fill(float.NaN);
        var digital = new int[signal.SamplesPerRecord];
        double gain = signal.Gain;
        long outside = 0;
        for (int r = 0; r < _records; r++)
        {
            cancellation.ThrowIfCancellationRequested();
            Decode(Record(r, offset, signal.SamplesPerRecord), digital);
            int begin = (int)(starts is null ? (long)r * signal.SamplesPerRecord : starts[r]);
            Span<float> target = samples.AsSpan(begin, digital.Length);
            for (int i = 0; i < digital.Length; i++)
            {
                if (digital[i] == short.MinValue && signal.MarksMissing)
                {
                    target[i] = float.NaN;
                    continue;
                }
                if (digital[i] < signal.DigitalMinimum || digital[i] > signal.DigitalMaximum)
                    outside++;
                target[i] = (float)(signal.PhysicalMinimum + ((digital[i] - (double)signal.DigitalMinimum) / gain));
                if (!float.IsFinite(target[i]))
                {
                    throw new SignalFormatException(header.File, $"the digital value {digital[i]} becomes one that float32 does not hold.",
                        new SignalLocation(Channel: signal.Label, Sample: begin + i));
                }
            }
        }
        if (outside > 0)
        {
            _warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"{header.File}: {outside} samples of '{signal.Label}' lie outside the digital range "
                + $"{signal.DigitalMinimum}..{signal.DigitalMaximum} that its header states."), signal.Label));
        }
        return new Channel(signal.Label, signal.Unit, rate, samples, quantization: new ChannelQuantization(gain, signal.Baseline));
    }

    // Where each record's samples begin, by its time stamp.
    private long[] Starts(EdfSignal signal, double[] times, double origin, double rate)
    {
        var starts = new long[_records];
        for (int r = 0; r < _records; r++)
        {
            long next = r == 0 ? 0 : starts[r - 1] + signal.SamplesPerRecord;
            if (double.IsNaN(times[r]))
                throw new SignalFormatException(header.File, $"is discontinuous, but data record {r} does not state its time.",
                    new SignalLocation(Sample: next));
            double at = Math.Round((times[r] - origin) * rate);
            // Stamps are rounded, and a record may seem to begin up to a sample before the last one's end.
            if (!(at >= next - 1 && at <= Array.MaxLength))
            {
                throw new SignalFormatException(header.File, string.Create(CultureInfo.InvariantCulture,
                    $"data record {r} is stamped {times[r]} s, which lies before the end of the one before it or too far after it."),
                    new SignalLocation(Channel: signal.Label, Sample: next));
            }
            starts[r] = Math.Max(next, (long)at);
        }
        return starts;
    }
}
