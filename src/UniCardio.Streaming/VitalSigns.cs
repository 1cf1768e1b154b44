using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Quality;

namespace UniCardio.Streaming;

/// <summary>Why a figure is not shown.</summary>
public enum VitalAbsence
{
    /// <summary>It is shown.</summary>
    None,

    /// <summary>Too little has come.</summary>
    WarmingUp,

    /// <summary>There is no signal.</summary>
    NoSignal,

    /// <summary>The signal does not move.</summary>
    Flat,

    /// <summary>It moves less than a beat does.</summary>
    TooSmall,

    /// <summary>A pressure below any artery's: the line is open, zeroed or off.</summary>
    LineOpen,

    /// <summary>A pressure above any artery's: the line is flushed.</summary>
    Flushed,

    /// <summary>There are pulses, but too small for a pressure: the line is damped.</summary>
    Damped,

    /// <summary>What moves agrees with no beat.</summary>
    NoPulse,

    /// <summary>The draws of a generated signal disagree too much for a figure.</summary>
    Uncertain,

    /// <summary>A pressure made from other signals: its beats are theirs, but it has no level.</summary>
    NoLevel,

    /// <summary>There are beats, but a heart rate of them is not to be relied on: <see cref="VitalReading.Reasons"/> say why.</summary>
    Unreadable,
}

/// <summary>What is read off one signal.</summary>
public readonly record struct VitalReading
{
    /// <summary>Beats a minute; NaN if there is none to show.</summary>
    public required float Rate { get; init; }

    /// <summary>Median systolic pressure, mmHg; NaN for other signals and where there is none to show.</summary>
    public required float Systolic { get; init; }

    /// <summary>Median diastolic pressure.</summary>
    public required float Diastolic { get; init; }

    /// <summary>Mean pressure over whole pulses.</summary>
    public required float Mean { get; init; }

    /// <summary>0 to 1: the index of the input, that of <c>unicardio quality</c>; NaN where it is not known yet.</summary>
    public required float Quality { get; init; }

    /// <summary>Why it is low.</summary>
    public required QualityReasons Reasons { get; init; }

    /// <summary>Seconds from the last beat to the frame's end; NaN before the first.</summary>
    public required float Age { get; init; }

    /// <summary>Why nothing is shown.</summary>
    public required VitalAbsence Absence { get; init; }

    /// <summary>Whether generated samples went into it.</summary>
    public required bool IsGenerated { get; init; }
}

/// <summary>Rates and pressures of the last seconds, read off the frames of a session as they come. Nothing is allocated within a
/// segment.</summary>
/// <remarks>A figure is shown only while beats that agree with each other come: four of them within 14 s, the last not long ago, and of
/// measured ones the index is at least that from which <c>unicardio quality</c> calls a heart rate readable. Research software, not a
/// medical device.</remarks>
public sealed class VitalSigns
{
    private const double Window = 14, MaxLag = 4.5, MinPulse = 10, MaxBand = 30, MaxShare = 0.5;
    private const int MinCount = 4;
    private readonly Follower[] _followers = [.. Modalities.All.Select(m => new Follower(m))];
    private int _segment = -1;

    /// <summary>Takes the next frame.</summary>
    /// <param name="frame">The frame.</param>
    public void Update(StreamingFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        bool starts = frame.Segment != _segment;
        _segment = frame.Segment;
        foreach (Follower follower in _followers)
            follower.Take(frame, starts);
    }

    /// <summary>What the last frames say.</summary>
    /// <param name="modality">Of which signal.</param>
    public VitalReading Of(Modality modality) => _followers[(int)modality].Reading;

    internal static string UnitOf(Modality modality) => modality switch
    {
        Modality.Bp => SignalUnit.MillimetresOfMercury,
        Modality.Ecg => SignalUnit.Millivolts,
        _ => SignalUnit.None,
    };

    private sealed class Follower(Modality modality)
    {
        private const int Kept = 128, Samples = 4096;
        private readonly Beat[] _beats = new Beat[Kept];
        private readonly float[] _values = new float[Samples], _sorted = new float[Kept];
        private BeatDetector? _detector;
        private int _count;
        private long _end, _lastGenerated, _lastTranslated, _lastWide, _lastSignal;
        private float _low, _high;
        private readonly float[] _given = new float[Samples];
        private LiveQuality? _judge;

        public VitalReading Reading { get; private set; } = new()
        {
            Rate = float.NaN, Systolic = float.NaN, Diastolic = float.NaN, Mean = float.NaN, Quality = float.NaN, Age = float.NaN,
            Absence = VitalAbsence.WarmingUp, IsGenerated = false, Reasons = QualityReasons.None,
        };

        public void Take(StreamingFrame frame, bool starts)
        {
            if (starts || _detector is null)
            {
                _detector = new BeatDetector(NetworkSignal.KindOf(modality), StreamingFrame.SampleRate, UnitOf(modality));
                _judge = new LiveQuality(NetworkSignal.KindOf(modality), UnitOf(modality));
                (_count, _end) = (0, 0);
                _lastGenerated = _lastTranslated = _lastWide = _lastSignal = long.MinValue / 2;
                (_low, _high) = (float.PositiveInfinity, float.NegativeInfinity);
            }
            ReadOnlySpan<float> values = frame.Values(modality), low = frame.Low(modality), high = frame.High(modality);
            ReadOnlySpan<Provenance> provenance = frame.Provenance(modality);
            Judge(frame);
            double band = 0;
            int banded = 0;
            for (int i = 0; i < values.Length; i++, _end++)
            {
                _values[_end % Samples] = values[i];
                _lastSignal = float.IsNaN(values[i]) ? _lastSignal : _end;
                _lastGenerated = provenance[i] >= Provenance.Imputed ? _end : _lastGenerated;
                _lastTranslated = provenance[i] == Provenance.Translated ? _end : _lastTranslated;
                (_low, _high) = (values[i] < _low ? values[i] : _low, values[i] > _high ? values[i] : _high);
                if (high[i] - low[i] is var width && !float.IsNaN(width))
                    (band, banded) = (band + width, banded + 1);
            }
            if (banded > values.Length / 2 && band / banded > (modality == Modality.Bp ? MaxBand : MaxShare * (_high - _low)))
                _lastWide = _end;
            _detector.Push(values);
            while (_detector.TryRead(out Beat beat))
                Keep(beat);
            Reading = Read();
        }

        // The index is of what was measured; of a denoised stretch of what came in.
        private void Judge(StreamingFrame frame)
        {
            ReadOnlySpan<float> values = frame.Values(modality), input = frame.Measured(modality);
            ReadOnlySpan<Provenance> provenance = frame.Provenance(modality);
            for (int at = 0; at < values.Length; at += Samples)
            {
                Span<float> given = _given.AsSpan(0, Math.Min(Samples, values.Length - at));
                for (int i = 0; i < given.Length; i++)
                    given[i] = provenance[at + i] switch
                    {
                        Provenance.Measured or Provenance.Bridged => values[at + i],
                        Provenance.Denoised => input[at + i],
                        _ => float.NaN,
                    };
                _judge!.Push(given);
            }
        }

        private void Keep(in Beat beat)
        {
            if (_count == Kept)
                Drop(1);
            _beats[_count++] = beat;
        }

        private void Drop(int count)
        {
            Array.Copy(_beats, count, _beats, 0, _count - count);
            _count -= count;
        }

        private VitalReading Read()
        {
            double rate = StreamingFrame.SampleRate;
            int old = 0;
            while (old < _count - 1 && _beats[old].Sample < _end - Window * rate)
                old++;
            if (old > 0)
                Drop(old);
            float age = _count == 0 ? float.NaN : (float)((_end - _beats[_count - 1].Sample) / rate);
            bool generated = _lastGenerated > _end - Window * rate;
            double interval = Interval();
            VitalAbsence absence = _lastWide > _end - Window * rate ? VitalAbsence.Uncertain
                : _lastSignal < _end - 1.5 * rate ? VitalAbsence.NoSignal
                : Named(_detector!.Absence) is not VitalAbsence.None and not VitalAbsence.WarmingUp and var named ? named
                : double.IsNaN(interval)
                    ? (_end < 2 * Window * rate && _detector.Absence == NoBeatReason.TooShort ? VitalAbsence.WarmingUp
                        : VitalAbsence.NoPulse)
                : age > MaxLag + 2.5 * interval ? VitalAbsence.NoPulse
                : !generated && _judge!.Index < QualityTrack.Readable && (_judge.Reasons & QualityReasons.Missing) == 0
                    ? VitalAbsence.Unreadable : VitalAbsence.None;
            // A pressure made from other signals has beats, but no level: a rate, and no pressure, and nothing that is told by a level.
            bool isTranslated = _lastTranslated > _end - Window * rate;
            if (modality == Modality.Bp && isTranslated
                && absence is VitalAbsence.LineOpen or VitalAbsence.Flushed or VitalAbsence.TooSmall)
                absence = VitalAbsence.NoLevel;
            float quality = (float)_judge!.Index;
            QualityReasons reasons = _judge.Reasons;
            float shown = absence == VitalAbsence.None ? (float)(60 / interval) : float.NaN;
            if (modality != Modality.Bp || absence != VitalAbsence.None || isTranslated)
                return new VitalReading
                {
                    Rate = shown, Systolic = float.NaN, Diastolic = float.NaN, Mean = float.NaN, Quality = quality,
                    Reasons = reasons, Age = age,
                    Absence = modality == Modality.Bp && absence == VitalAbsence.None ? VitalAbsence.NoLevel : absence,
                    IsGenerated = generated,
                };
            float systolic = Median(systolic: true), diastolic = Median(systolic: false);
            bool isDamped = !generated && (reasons & QualityReasons.Damped) != 0;
            return isDamped || systolic - diastolic < MinPulse
                ? new VitalReading
                {
                    Rate = shown, Systolic = float.NaN, Diastolic = float.NaN, Mean = float.NaN, Quality = quality,
                    Reasons = reasons, Age = age, Absence = VitalAbsence.Damped, IsGenerated = generated,
                }
                : new VitalReading
                {
                    Rate = shown, Systolic = systolic, Diastolic = diastolic, Mean = MeanPressure(), Quality = quality,
                    Reasons = reasons, Age = age, Absence = absence, IsGenerated = generated,
                };
        }

        // Mean interval of the beats, those that miss one left out; NaN with too few.
        private double Interval()
        {
            if (_count < MinCount)
                return double.NaN;
            for (int i = 0; i + 1 < _count; i++)
                _sorted[i] = _beats[i + 1].Sample - _beats[i].Sample;
            Array.Sort(_sorted, 0, _count - 1);
            float limit = (float)Math.Min(2.2 * _sorted[(_count - 1) / 2], HeartRate.MaxInterval * StreamingFrame.SampleRate);
            double sum = 0;
            int n = 0;
            for (int i = 0; i + 1 < _count && _sorted[i] <= limit; i++, n++)
                sum += _sorted[i];
            return n < MinCount - 1 ? double.NaN : sum / n / StreamingFrame.SampleRate;
        }

        private float Median(bool systolic)
        {
            for (int i = 0; i < _count; i++)
                _sorted[i] = systolic ? _beats[i].Value : _beats[i].OnsetValue;
            Array.Sort(_sorted, 0, _count);
            return _sorted[_count / 2];
        }

        private float MeanPressure()
        {
            double sum = 0;
            int n = 0;
            for (long i = Math.Max(_beats[0].Onset, _end - Samples); i < _beats[_count - 1].Onset; i++)
            {
                float x = _values[i % Samples];
                (sum, n) = float.IsNaN(x) ? (sum, n) : (sum + x, n + 1);
            }
            return n == 0 ? float.NaN : (float)(sum / n);
        }

        private static VitalAbsence Named(NoBeatReason reason) => reason switch
        {
            NoBeatReason.TooShort => VitalAbsence.WarmingUp,
            NoBeatReason.Missing => VitalAbsence.NoSignal,
            NoBeatReason.Flat => VitalAbsence.Flat,
            NoBeatReason.TooSmall => VitalAbsence.TooSmall,
            NoBeatReason.LineOpen => VitalAbsence.LineOpen,
            NoBeatReason.Flushed => VitalAbsence.Flushed,
            NoBeatReason.NoPulse => VitalAbsence.NoPulse,
            _ => VitalAbsence.None,
        };
    }
}
