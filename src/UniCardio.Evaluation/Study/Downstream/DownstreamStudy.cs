using UniCardio.Engine.Model;
using UniCardio.Evaluation.Quality;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Study.Downstream;

/// <summary>What a signal is when it is read.</summary>
internal enum SignalVersion
{
    /// <summary>As recorded.</summary>
    Clean,

    /// <summary>With broadband noise at 0 dB.</summary>
    Noisy,

    /// <summary>The noisy one denoised, with the other signals.</summary>
    Denoised,

    /// <summary>1.2 s missing of every 4 s.</summary>
    Gaps,

    /// <summary>The gaps filled, with the other signals.</summary>
    Imputed,

    /// <summary>Made from the other signals.</summary>
    Generated,
}

/// <summary>What one version of one signal of one subject says.</summary>
internal sealed record DownstreamLine
{
    public required string Recording { get; init; }
    public required string Subject { get; init; }
    public required Modality Signal { get; init; }
    public required SignalVersion Version { get; init; }

    /// <summary>Mean error of the heart rate over seconds of which one is read, bpm; NaN without any.</summary>
    public required double RateError { get; init; }

    /// <summary>Share of the seconds with a reference of which a rate is read.</summary>
    public required double RateRead { get; init; }

    /// <summary>Mean error of systolic and diastolic pressure, mmHg; NaN of other signals and where there is no level.</summary>
    public required double SystolicError { get; init; }

    public required double DiastolicError { get; init; }

    /// <summary>Windows whose rhythm is known.</summary>
    public required int Windows { get; init; }

    /// <summary>Of them, those in which nothing is told.</summary>
    public required int Abstained { get; init; }

    /// <summary>Windows in sinus rhythm in which fibrillation, ectopy or a run is told.</summary>
    public required int Invented { get; init; }

    /// <summary>Windows in sinus rhythm.</summary>
    public required int Sinus { get; init; }

    /// <summary>Fibrillating windows in which fibrillation is told.</summary>
    public required int Found { get; init; }

    /// <summary>Fibrillating windows.</summary>
    public required int Fibrillating { get; init; }
}

/// <summary>Heart rate, rhythm and pressure read from clean, damaged, restored and generated signals, side by side.</summary>
/// <remarks>
/// Of each recording a minute in sinus rhythm, and the one with most windows in fibrillation where labels say so.
/// Rates: against labelled beats' or the clean
/// ECG's (without an ECG the clean signal's own). Rhythm: windows of 20 s against labels, else what the clean ECG tells. The readers are
/// the product's own (<see cref="QualityTrack"/>, <see cref="RhythmReading"/>), fitted on synthetic hearts: no subject here took part.
/// </remarks>
internal static class DownstreamStudy
{
    private const int Seconds = 60, Window = 20, Step = 10;
    private const double GapSeconds = 1.2, GapEvery = 4;

    /// <summary>Runs the study.</summary>
    /// <param name="recordings">Recordings and whose they are.</param>
    /// <param name="restore">Restores or makes a signal: the recording at 125 Hz and the task; null where it cannot.</param>
    /// <param name="seed">Draws the noise.</param>
    /// <param name="told">Told what is being done.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static IReadOnlyList<DownstreamLine> Run(IEnumerable<(Recording Recording, string Subject)> recordings,
        Func<Recording, CardioTask, float[]?> restore, ulong seed, Action<string>? told = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        ArgumentNullException.ThrowIfNull(restore);
        var lines = new List<DownstreamLine>();
        foreach ((Recording recording, string subject) in recordings)
        {
            foreach (int start in Starts(recording))
            {
                cancellation.ThrowIfCancellationRequested();
                told?.Invoke($"{recording.Name} from {start} s");
                if (Stretch.Of(recording, subject, start, cancellation) is { } stretch)
                    lines.AddRange(stretch.Read(restore, CounterRandom.Derive(seed, (ulong)lines.Count), cancellation));
            }
        }

        return lines;
    }

    /// <summary>Synthetic hearts that fibrillate, a minute each with PPG, pressure and ECG and their labels: seeds of no training and no
    /// fit.</summary>
    /// <param name="hearts">How many.</param>
    public static IReadOnlyList<(Recording Recording, string Subject)> Fibrillating(int hearts)
    {
        const ulong Seed = 0xAF1B;
        var synthesizer = new CardiovascularSynthesizer();
        return [.. Enumerable.Range(0, hearts).Select(i =>
        {
            ulong own = CounterRandom.Derive(Seed, (ulong)i);
            SynthesisParameters drawn = SynthesisParameters.Draw(own, QualityTrack.WorkRate) with
            {
                AtrialFibrillation = true, VentricularEctopy = 0, AtrialEctopy = 0, VentricularRun = 0,
            };
            string name = $"heart {i + 1}";
            return (synthesizer.Generate(drawn, (Seconds + 20) * QualityTrack.WorkRate, own).ToRecording(name), name);
        })];
    }

    // The first minute after ten seconds that is in sinus rhythm by labels (or unlabelled), and the one of which most windows fibrillate.
    private static IEnumerable<int> Starts(Recording recording)
    {
        int last = (int)recording.DurationSeconds - Seconds;
        int? calm = null, fibrillating = null;
        int most = 0;
        for (int start = Math.Min(10, last); start >= 0 && start <= last; start += Step)
        {
            bool[] inFibrillation = [.. Enumerable.Range(0, Seconds / Window).Select(k => RhythmStudy.Truth(recording, start + (k * Window),
                start + ((k + 1) * Window)) == RhythmKind.AtrialFibrillation)];
            calm ??= inFibrillation.All(f => !f) ? start : null;
            if (inFibrillation.Count(f => f) > most)
                (fibrillating, most) = (start, inFibrillation.Count(f => f));
        }

        return new[] { calm, fibrillating }.OfType<int>();
    }

    private sealed record Stretch(string Name, string Subject, int Start, Recording Recording, float[]?[] Signals)
    {
        private const int Rate = QualityTrack.WorkRate, Samples = Seconds * Rate;

        public static Stretch? Of(Recording recording, string subject, int start, CancellationToken cancellation)
        {
            float[]?[] signals = new float[]?[3];
            foreach (Modality m in Modalities.All)
            {
                if (recording.Find(NetworkSignal.KindOf(m)) is not { } channel)
                    continue;
                int from = (int)(start * channel.SampleRate), count = (int)Math.Ceiling(Seconds * channel.SampleRate);
                if (from + count > channel.Length)
                    return null;
                float[] work = QualityTrack.AtWorkRate(channel.Samples.Span.Slice(from, count), channel.SampleRate, cancellation);
                NetworkSignal.ToNetworkUnit(work, NetworkSignal.UnitFactor(m, channel));
                if (work.Length >= Samples && work.Count(float.IsNaN) < Samples / 10)
                    signals[(int)m] = work[..Samples];
            }

            return signals.All(s => s is null) ? null : new Stretch(recording.Name, subject, start, recording, signals);
        }

        public IEnumerable<DownstreamLine> Read(Func<Recording, CardioTask, float[]?> restore, ulong seed, CancellationToken cancellation)
        {
            Modality best = Signals[(int)Modality.Ecg] is not null ? Modality.Ecg : Signals[(int)Modality.Bp] is not null ? Modality.Bp
                : Modality.Ppg;
            QualityTrack clean = Track(best, Signals[(int)best]!, true);
            double[] rates = LabelledRates() ?? clean.Heart.Rate;
            RhythmReading[] rhythms = [.. RhythmReading.Of(clean, Signals[(int)best]!, Window, Step)];
            RhythmKind?[] truth = [.. rhythms.Select(r => RhythmStudy.HasLabels(Recording)
                ? RhythmStudy.Truth(Recording, Start + r.Start, Start + r.End) : r.Kind)];
            foreach (Modality m in Modalities.All.Where(m => Signals[(int)m] is not null))
            {
                QualityTrack own = Track(m, Signals[(int)m]!, true);
                foreach ((SignalVersion version, float[] signal) in Versions(m, restore, seed))
                {
                    cancellation.ThrowIfCancellationRequested();
                    QualityTrack track = Track(m, signal, version != SignalVersion.Generated);
                    yield return Line(m, version, signal, (track, own), rates, truth);
                }
            }
        }

        private IEnumerable<(SignalVersion, float[])> Versions(Modality m, Func<Recording, CardioTask, float[]?> restore, ulong seed)
        {
            float[] clean = Signals[(int)m]!;
            ModalitySet others = ModalitySet.None;
            foreach (Modality other in Modalities.All.Where(o => o != m && Signals[(int)o] is not null))
                others |= other.ToSet();
            yield return (SignalVersion.Clean, clean);
            float[] noisy = [.. clean];
            SignalCorruption.Apply(noisy, Rate, new NoiseParameters { SignalToNoiseDecibels = 0 }, CounterRandom.Derive(seed, (ulong)m));
            yield return (SignalVersion.Noisy, noisy);
            if (restore(With(m, noisy), CardioTask.Denoise(m, others)) is { } denoised)
                yield return (SignalVersion.Denoised, denoised);
            float[] gaps = [.. clean];
            for (double at = 1.4; at + GapSeconds < Seconds; at += GapEvery)
                gaps.AsSpan((int)(at * Rate), (int)(GapSeconds * Rate)).Fill(float.NaN);
            yield return (SignalVersion.Gaps, gaps);
            if (restore(With(m, gaps), CardioTask.Impute(m, others)) is { } imputed)
                yield return (SignalVersion.Imputed, imputed);
            if (others != ModalitySet.None && restore(With(m, null), CardioTask.Translate(others, m)) is { } made)
                yield return (SignalVersion.Generated, made);
        }

        private Recording With(Modality changed, float[]? signal) => new("stretch", Modalities.All
            .Select(m => (Modality: m, Samples: m == changed ? signal : Signals[(int)m])).Where(c => c.Samples is not null)
            .Select(c => new Channel(c.Modality.Name().ToUpperInvariant(), Unit(c.Modality), Rate, c.Samples,
                NetworkSignal.KindOf(c.Modality))));

        private static string Unit(Modality m) => m switch { Modality.Bp => SignalUnit.MillimetresOfMercury, Modality.Ecg =>
            SignalUnit.Millivolts, _ => SignalUnit.None };

        private static QualityTrack Track(Modality m, float[] signal, bool hasUnit) =>
            QualityTrack.Of(NetworkSignal.KindOf(m), signal, Rate, hasUnit && m == Modality.Bp ? SignalUnit.MillimetresOfMercury : "");

        private double[]? LabelledRates()
        {
            Beat[] beats = [.. Recording.Annotations.Where(a => a.IsBeat && a.TimeSeconds >= Start && a.TimeSeconds < Start + Seconds)
                .Select(a => (long)((a.TimeSeconds - Start) * Rate)).Select(s => new Beat(s, s, 0, 0, 1))];
            return beats.Length < 10 ? null
                : BeatQuality.Read(new BeatSeries(ChannelKind.Ecg, Rate, beats, false, NoBeatReason.None), Seconds, Rate)
                    .Heart.Rate;
        }

        private DownstreamLine Line(Modality m, SignalVersion version, float[] signal, (QualityTrack Track, QualityTrack Clean) of,
            double[] rates, RhythmKind?[] truth)
        {
            (QualityTrack track, QualityTrack clean) = of;
            int[] asked = [.. Enumerable.Range(9, Seconds - 9).Where(s => !double.IsNaN(rates[s]))];
            int[] read = [.. asked.Where(track.HeartRateReadable)];
            RhythmReading[] told = [.. RhythmReading.Of(track, signal, Window, Step)];
            int[] known = [.. Enumerable.Range(0, Math.Min(truth.Length, told.Length)).Where(w => truth[w] is not null)];
            int[] sinus = [.. known.Where(w => truth[w] == RhythmKind.Sinus)], fibrillating = [.. known.Where(w => truth[w] ==
                RhythmKind.AtrialFibrillation)];
            bool hasLevel = m == Modality.Bp && version != SignalVersion.Generated;
            return new DownstreamLine
            {
                Recording = Name, Subject = Subject, Signal = m, Version = version,
                RateError = read.Length == 0 ? double.NaN : read.Average(s => Math.Abs(track.Heart.Rate[s] - rates[s])),
                RateRead = read.Length / (double)Math.Max(1, asked.Length),
                SystolicError = hasLevel ? PressureError(track, clean, b => b.Value) : double.NaN,
                DiastolicError = hasLevel ? PressureError(track, clean, b => b.OnsetValue) : double.NaN,
                Windows = known.Length, Abstained = known.Count(w => told[w].Kind is null),
                Invented = sinus.Count(w => told[w].Kind is { } k && k != RhythmKind.Sinus), Sinus = sinus.Length,
                Found = fibrillating.Count(w => told[w].Kind == RhythmKind.AtrialFibrillation), Fibrillating = fibrillating.Length,
            };
        }

        // Mean over seconds of the difference of ten-second means, where both have four beats and a pressure can be read.
        private static double PressureError(QualityTrack track, QualityTrack clean, Func<Beat, float> of)
        {
            var errors = new List<double>();
            for (int s = 9; s < Seconds; s++)
            {
                if (track.PressureReadable(s) && Mean(track, s, of) is double ours && Mean(clean, s, of) is double theirs)
                    errors.Add(Math.Abs(ours - theirs));
            }

            return errors.Count == 0 ? double.NaN : errors.Average();
        }

        private static double? Mean(QualityTrack track, int second, Func<Beat, float> of)
        {
            Beat[] beats = [.. track.Beats.Beats.Where(b => b.Sample >= (second - 9) * Rate && b.Sample < (second + 1) * Rate)];
            return beats.Length < 4 ? null : beats.Average(b => of(b));
        }
    }
}
