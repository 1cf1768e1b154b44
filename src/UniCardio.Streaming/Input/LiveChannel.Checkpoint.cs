using System.Runtime.InteropServices;
using UniCardio.Signals.Processing;

namespace UniCardio.Streaming.Input;

internal sealed partial class LiveChannel
{
    /// <summary>Writes what later windows can reach, and where the incremental stages stand.</summary>
    /// <param name="writer">The checkpoint.</param>
    /// <param name="windowStart">First sample at 125 Hz of the next window; may be negative.</param>
    public void Save(CheckpointWriter writer, long windowStart)
    {
        (long low, long resampledLow) = Oldest(windowStart);
        writer.Write(_hasStarted);
        writer.Write(_hasMeasured);
        foreach (long number in (ReadOnlySpan<long>)[_newestTime, low, _passed, Frontier, Top, resampledLow, Produced, _flat.Length])
            writer.Write(number);
        writer.Write(_phase);
        writer.Write(_openGap);
        writer.Write(_flat.Low);
        writer.Write(_flat.High);
        GapFinderState gaps = _gaps.State;
        foreach (long number in (ReadOnlySpan<long>)[gaps.Received, gaps.Count, gaps.Missing, gaps.GapStart, gaps.GapEnd, gaps.PreviousEnd])
            writer.Write(number);
        writer.Write(_stamps.Count);
        for (int i = 0; i < _stamps.Count; i++)
        {
            writer.Write(_stamps[i].Time);
            writer.Write(_stamps[i].Index);
        }

        var values = new float[Math.Max(Top - low, Produced - resampledLow)];
        var marks = new SampleMarks[Top - low];
        ReadInput(low, values.AsSpan(0, marks.Length), marks);
        writer.Write(values.AsSpan(0, marks.Length));
        writer.Write(MemoryMarshal.AsBytes(marks.AsSpan()));
        _resampled.CopyTo(resampledLow, values.AsSpan(0, (int)(Produced - resampledLow)));
        writer.Write(values.AsSpan(0, (int)(Produced - resampledLow)));
    }

    /// <summary>Takes up what <see cref="Save"/> wrote.</summary>
    /// <param name="reader">The checkpoint.</param>
    /// <param name="origin">Time of sample 0, in ticks.</param>
    /// <param name="windowStart">First sample at 125 Hz of the next window; may be negative.</param>
    /// <param name="newest">Time of the session's newest block, in ticks.</param>
    /// <param name="end">Time of the end of its newest sample, in ticks.</param>
    /// <param name="lateness">How long a channel is waited for, in ticks.</param>
    public void Load(CheckpointReader reader, long origin, long windowStart, long newest, long end, long lateness)
    {
        Reset(origin);
        (_hasStarted, _hasMeasured) = (reader.Bool(), reader.Bool());
        _newestTime = reader.Long(long.MinValue, newest, "time of the newest block");
        long low = reader.Index("oldest sample");
        (_passed, Frontier, Top) = (reader.Index("resampled input"), reader.Index("certain input"), reader.Index("end of input"));
        long resampledLow = reader.Index("oldest sample at 125 Hz"), produced = reader.Index("end of samples at 125 Hz"),
            flat = reader.Index("length of a stretch");
        _phase = reader.Double();
        reader.Require(_phase is >= -0.5 and <= 0.5, $"{_phase} is not a part of a sample");
        _openGap = reader.Int(0, _maxBridge + 1, "samples of a gap");
        _flat.Resume(flat, reader.Float(), reader.Float());
        _gaps.State = new GapFinderState(reader.Index("samples"), reader.Index("gaps"), reader.Index("missing samples"),
            reader.Long(-1, CheckpointReader.MaxIndex, "start of a gap"), reader.Index("end of a gap"), reader.Index("end of a gap"));
        LoadStamps(reader);

        reader.Require(low <= _passed && _passed <= Frontier && Frontier <= Top && Top - low <= _values.Capacity,
            "samples of the input are out of order");
        reader.Require(Frontier - _passed == (_hasMeasured && _openGap <= _maxBridge ? _openGap : 0),
            "a gap does not end where the input does");
        reader.Require((low, resampledLow) == Oldest(windowStart, produced), "it does not hold the samples that the next window needs");
        reader.Require(produced - resampledLow <= _resampled.Capacity && resampledLow <= produced, "samples at 125 Hz are out of order");
        // Between these the session's clock stands; anything else would have to be caught up with first.
        reader.Require(Frontier >= IndexBefore(newest - lateness) && TimeOf(Top) <= end + TimeSpan.TicksPerSecond,
            "a channel is not where the clock is");
        LoadSamples(reader, low, resampledLow, produced);
    }

    // The oldest input sample and the oldest sample at 125 Hz that can still be asked for.
    private (long Low, long ResampledLow) Oldest(long windowStart, long? produced = null)
    {
        long resampledLow = Math.Clamp(windowStart, 0, produced ?? Produced);
        long window = Ratio.PhasesAt(Math.Max(0, windowStart)) / Ratio.Up;
        long filter = _passed - (2 * _resampler.Reach) - 4;
        return (Math.Max(0, Math.Min(Math.Min(window, filter), _passed - _maxBridge - 2)), resampledLow);
    }

    private void LoadStamps(CheckpointReader reader)
    {
        int count = reader.Int(0, RecentStamps.Capacity, "time stamps");
        for (int i = 0; i < count; i++)
            _stamps.Add(reader.Time("time stamp"),
                reader.Long(-CheckpointReader.MaxIndex, CheckpointReader.MaxIndex, "sample of a time stamp"));
    }

    private void LoadSamples(CheckpointReader reader, long low, long resampledLow, long produced)
    {
        var values = new float[Math.Max(Top - low, produced - resampledLow)];
        int count = (int)(Top - low);
        reader.Signal(values.AsSpan(0, count));
        foreach (float value in values.AsSpan(0, count))
            reader.Require(!(value < _minValue || value > _maxValue), $"{value} is not plausible for the channel");
        _values.Write(low, values.AsSpan(0, count));
        ReadOnlySpan<byte> marks = reader.Bytes(count);
        reader.Require(!marks.ContainsAnyInRange((byte)SampleMarks.Clipped, byte.MaxValue), "a sample has an unknown mark");
        _marks.Write(low, MemoryMarshal.Cast<byte, SampleMarks>(marks));
        Span<float> resampled = values.AsSpan(0, (int)(produced - resampledLow));
        reader.Signal(resampled);
        _resampled.Write(resampledLow, resampled);

        // The resampler is where the input that it has been given has brought it; what it gives out again is there already.
        _resampler.Restart(low);
        for (long at = low; at < _passed;)
        {
            ReadOnlySpan<float> piece = _values.Piece(at, Math.Min(_passed - at, Chunk));
            _resampler.Push(piece, _scratch);
            at += piece.Length;
        }
        reader.Require(Produced == produced, $"{produced} samples at 125 Hz do not go with {_passed} of the input");
    }
}
