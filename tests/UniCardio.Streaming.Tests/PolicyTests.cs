using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Signals.Quality;

namespace UniCardio.Streaming.Tests;

/// <summary>What is generated from what, and why not.</summary>
public sealed class PolicyTests : IDisposable
{
    private readonly InferenceEngine _engine = Make.Engine();

    public void Dispose() => _engine.Dispose();

    private Frames Run(Patient patient, Action<StreamingSession, int>? between = null, double until = 0)
    {
        using StreamingHost host = Make.Host(_engine);
        var frames = new Frames();
        using StreamingSession session = host.Open(patient.Options, frames.Handle);
        int n = 0;
        foreach (Block block in patient.Blocks(0.1))
        {
            between?.Invoke(session, n++);
            session.Push(block.Modality, block.Time, block.Samples);
            host.RunPending();
        }
        for (double time = patient.Duration - 8; time < until; time += 0.25)
            session.AdvanceTo(TimeSpan.FromSeconds(time));
        session.Complete();
        host.RunPending();
        Assert.Null(session.Fault);
        frames.CheckContinuity();
        return frames;
    }

    /// <summary>The frame that holds a time.</summary>
    private static StreamingFrame At(Frames frames, double seconds) =>
        frames.All.Single(f => f.Start.TotalSeconds <= seconds && f.End.TotalSeconds > seconds);

    private static CardioTask Task(string text) => CardioTask.Parse(text);

    [Fact]
    public void ADropOutIsImputedThenTranslatedThenOver()
    {
        StreamingSessionOptions options = Make.Options();
        Frames frames = Run(new Patient(16, options).Drop(Modality.Bp, 6, 11));
        Assert.Equal(Task("impute bp | ppg,ecg"), At(frames, 6.3).Status(Modality.Bp).Task);
        Assert.Equal(Task("ppg,ecg->bp"), At(frames, 8.5).Status(Modality.Bp).Task);
        Assert.False(At(frames, 12).Status(Modality.Bp).Task.IsValid);
        Provenance[] seen = frames.Provenances(Modality.Bp);
        // Nothing is left out and nothing measured is replaced: 32 samples of lead, then 16 s.
        Assert.All(seen.Select((p, i) => (p, Seconds: (i - 32) / 125.0)), s => Assert.Equal(
            s.Seconds is < 0 ? Provenance.NoSignal : s.Seconds is < 6 or >= 11 ? Provenance.Measured
                : s.p is Provenance.Imputed or Provenance.Translated ? s.p : Provenance.NoSignal, s.p));
        // Imputed while recent: the last window that imputes ends at most 1.2 s after the last sample; its frame ends a fade earlier.
        int imputed = seen.Count(p => p == Provenance.Imputed);
        Assert.InRange(imputed / 125.0, 0.5, 1.2);
        Assert.Equal(5 * 125, imputed + seen.Count(p => p == Provenance.Translated));
        // A translated pressure has no level and so no unit, an imputed one has; there is a band around what was made.
        Assert.True(At(frames, 8.5).Status(Modality.Bp).IsNormalized);
        Assert.False(At(frames, 6.3).Status(Modality.Bp).IsNormalized);
        StreamingFrame made = At(frames, 8.5);
        Assert.All(Enumerable.Range(0, made.Count),
            i => Assert.True(made.Low(Modality.Bp)[i] <= made.Values(Modality.Bp)[i]
                && made.Values(Modality.Bp)[i] <= made.High(Modality.Bp)[i]));
        Assert.Equal(AbsenceReason.Missing, made.Status(Modality.Bp).Quality.Absence);
        // The others stand as they came.
        Assert.DoesNotContain(frames.Provenances(Modality.Ecg), p => p is not (Provenance.Measured or Provenance.NoSignal));
    }

    [Fact]
    public void NothingIsMadeFromASignalThatCannotBeRead()
    {
        const double minIndex = 0.5;
        StreamingSessionOptions options = Make.Options() with { Ecg = null, Bp = null, MinIndex = minIndex };
        var random = new Random(3);
        // 30 s of noise as large as pulses: no beats from 10 s on, which is judged 15 s later at most.
        Frames frames = Run(new Patient(40, options).Change(Modality.Ppg, 10, 40, _ => (float)random.NextDouble()));
        Assert.Equal(Task("ppg->ecg"), At(frames, 8).Status(Modality.Ecg).Task);
        Assert.True(At(frames, 16).Status(Modality.Ppg).Quality.Index > 0.8);
        ModalityStatus noise = At(frames, 35).Status(Modality.Ppg);
        Assert.True(noise.Quality.Index < 0.5 && noise.Quality.Reasons != QualityReasons.None, $"{noise.Quality}");
        Assert.Equal((1f, AbsenceReason.None), (noise.Quality.Usable, noise.Quality.Absence));
        ModalityStatus made = At(frames, 35).Status(Modality.Ecg);
        Assert.False(made.Task.IsValid);
        Assert.Equal(NoSignalReason.NothingSupports, made.NoSignal);
    }

    [Fact]
    public void WhatHasNoSupportIsNotInvented()
    {
        StreamingSessionOptions options = Make.Options() with { Ppg = null };
        Frames frames = Run(new Patient(16, options).Drop(Modality.Bp, 6, 16).Drop(Modality.Ecg, 9, 16), until: 15);
        // Without PPG there is no second sensor; it is translated from what there is.
        Assert.Equal(Task("bp,ecg->ppg"), At(frames, 5).Status(Modality.Ppg).Task);
        Assert.Equal(AbsenceReason.NoSensor, At(frames, 5).Status(Modality.Ppg).Quality.Absence);
        Assert.Equal(Task("ecg->bp"), At(frames, 8.5).Status(Modality.Bp).Task);
        // ECG alone for a while, then nothing at all.
        Assert.Equal(Task("impute ecg"), At(frames, 9.5).Status(Modality.Ecg).Task);
        foreach (Modality modality in Modalities.All)
        {
            ModalityStatus status = At(frames, 13).Status(modality);
            Assert.Equal((Provenance.NoSignal, NoSignalReason.NothingSupports), (status.Provenance, status.NoSignal));
            Assert.False(status.Task.IsValid);
            Assert.All(At(frames, 13).Values(modality).ToArray(), x => Assert.Equal(float.NaN, x));
        }
    }

    [Fact]
    public void AYoungSessionWarmsUp()
    {
        Frames frames = Run(new Patient(6, Make.Options()).Drop(Modality.Bp, 0, 6));
        StreamingFrame young = At(frames, 2);
        Assert.Equal((Provenance.NoSignal, NoSignalReason.WarmingUp),
            (young.Status(Modality.Bp).Provenance, young.Status(Modality.Bp).NoSignal));
        Assert.Equal(Provenance.Measured, young.Status(Modality.Ppg).Provenance);
        Assert.Equal(Provenance.Translated, At(frames, 5).Status(Modality.Bp).Provenance);
    }

    [Fact]
    public void OnlyWhatWasAskedFor()
    {
        StreamingSessionOptions options = Make.Options() with { Generate = ModalitySet.Ppg };
        Frames frames = Run(new Patient(9, options).Drop(Modality.Bp, 5, 9).Drop(Modality.Ppg, 5, 9), (session, n) =>
        {
            // Blocks of 12 samples: 159 in the first 5 s, then one each 96 ms. At 6.5 s.
            if (n == 175)
                session.Generate = ModalitySet.Bp;
        });
        Assert.Equal((Provenance.NoSignal, NoSignalReason.NotRequested),
            (At(frames, 5.3).Status(Modality.Bp).Provenance, At(frames, 5.3).Status(Modality.Bp).NoSignal));
        Assert.Equal(Provenance.Imputed, At(frames, 5.3).Status(Modality.Ppg).Provenance);
        Assert.Equal(Provenance.Translated, At(frames, 8.5).Status(Modality.Bp).Provenance);
        Assert.Equal(NoSignalReason.NotRequested, At(frames, 8.5).Status(Modality.Ppg).NoSignal);
    }

    public static TheoryData<AbsenceReason> Reasons =>
        [AbsenceReason.Flat, AbsenceReason.Clipped, AbsenceReason.Implausible, AbsenceReason.Muted];

    // The engine takes over from a signal that is there and is none.
    [Theory]
    [MemberData(nameof(Reasons))]
    public void BadInputCountsAsAbsent(AbsenceReason reason)
    {
        Patient patient = new Patient(14, Make.Options()).Change(Modality.Bp, 6, 14, x => reason switch
        {
            AbsenceReason.Flat => 83.5f,
            AbsenceReason.Clipped => Math.Clamp(x, 88, 92),
            AbsenceReason.Implausible => 40 + (x / 1000),
            _ => x,
        });
        Frames frames = Run(patient, (session, n) =>
        {
            if (reason == AbsenceReason.Muted && n == 180)
                session.Muted = ModalitySet.Bp;
        });
        ModalityStatus status = At(frames, 12).Status(Modality.Bp);
        Assert.Contains(At(frames, 12).Provenance(Modality.Bp).ToArray(), p => p is Provenance.Translated or Provenance.Imputed);
        ModalityQuality q = status.Quality;
        float share = reason switch { AbsenceReason.Flat => q.Flat, AbsenceReason.Clipped => q.Clipped, AbsenceReason.Implausible =>
            q.Implausible, _ => q.Missing };
        Assert.True(share > 0.5, $"{q}");
        Assert.Equal(1, q.Usable + q.Missing + q.Flat + q.Clipped + q.Implausible, 1e-5);
        if (reason != AbsenceReason.Clipped)
            Assert.Equal((1, reason), (share, q.Absence));
        // Good input has the best index there is.
        Assert.Equal(new ModalityQuality(1, 0, 0, 0, 0, AbsenceReason.None), At(frames, 5).Status(Modality.Bp).Quality);
        Assert.Equal(new ModalityQuality(1, 0, 0, 0, 0, AbsenceReason.None), At(frames, 12).Status(Modality.Ppg).Quality);
    }

    // A detached sensor is no condition either.
    [Fact]
    public void BadInputSupportsNothing()
    {
        Patient patient = new Patient(12, Make.Options()).Drop(Modality.Bp, 5, 12).Change(Modality.Ppg, 5, 12, _ => 0.5f)
            .Change(Modality.Ecg, 5, 12, x => x / 1000);
        StreamingFrame frame = At(Run(patient), 11);
        Assert.All(Modalities.All, m => Assert.Equal(NoSignalReason.NothingSupports, frame.Status(m).NoSignal));
        Assert.Equal((AbsenceReason.Flat, AbsenceReason.Missing, AbsenceReason.Implausible),
            (frame.Status(Modality.Ppg).Quality.Absence, frame.Status(Modality.Bp).Quality.Absence,
                frame.Status(Modality.Ecg).Quality.Absence));
    }

    [Fact]
    public void APpgThatWasNeverThereHasNoUnit()
    {
        Patient never = new Patient(8, Make.Options()).Drop(Modality.Ppg, 0, 8),
            once = new Patient(12, Make.Options()).Drop(Modality.Ppg, 6, 12);
        // Large enough that the network's own [-2, 2] would be told from it.
        once.Change(Modality.Ppg, 0, 12, x => 1000 + (100 * x));
        StreamingFrame first = At(Run(never), 7), second = At(Run(once), 10);
        Assert.Equal((Provenance.Translated, true), (first.Status(Modality.Ppg).Provenance, first.Status(Modality.Ppg).IsNormalized));
        Assert.All(first.Values(Modality.Ppg).ToArray(), x => Assert.InRange(x, -2, 2));
        Assert.Equal((Provenance.Translated, false), (second.Status(Modality.Ppg).Provenance, second.Status(Modality.Ppg).IsNormalized));
        Assert.All(second.Values(Modality.Ppg).ToArray(), x => Assert.InRange(x, 900, 1300));
    }

    [Fact]
    public void ShortGapsAreBridgedWithoutTheNetwork()
    {
        Patient patient = new Patient(8, Make.Options()).Drop(Modality.Bp, 6, 6.016).Drop(Modality.Bp, 7, 7.024);
        Frames frames = Run(patient);
        Assert.Equal(2, frames.Provenances(Modality.Bp).Count(p => p == Provenance.Bridged));
        Assert.Equal(3, frames.Provenances(Modality.Bp).Count(p => p == Provenance.Imputed));
        Assert.False(At(frames, 6).Status(Modality.Bp).Task.IsValid);
    }

    [Fact]
    public void DenoisingReplacesWhatIsMeasuredAndShowsBoth()
    {
        StreamingSessionOptions options = Make.Options() with { Denoise = ModalitySet.Ppg };
        Patient patient = new(8, options);
        Frames frames = Run(patient);
        StreamingFrame frame = At(frames, 6);
        Assert.Equal((Provenance.Denoised, Task("denoise ppg | bp,ecg")),
            (frame.Status(Modality.Ppg).Provenance, frame.Status(Modality.Ppg).Task));
        int first = (int)Math.Round(frame.Start.TotalSeconds * 125);
        Assert.Equal(patient[Modality.Ppg].AsSpan(first, frame.Count).ToArray(), frame.Measured(Modality.Ppg).ToArray());
        Assert.NotEqual(frame.Measured(Modality.Ppg).ToArray(), frame.Values(Modality.Ppg).ToArray());
    }

    // A window of 2 s forgets sooner what was there.
    [Fact]
    public void AShorterWindowIsShownAsMissingToTheNetwork()
    {
        StreamingSessionOptions options = Make.Options() with { Window = TimeSpan.FromSeconds(2), ImputeFor = TimeSpan.FromSeconds(2) };
        Frames frames = Run(new Patient(10, options).Drop(Modality.Bp, 5, 10));
        // Less than a quarter of 2 s is left 1.7 s after the last sample, of 4 s it would be half.
        Assert.Equal(TaskKind.Translate, At(frames, 6.3).Status(Modality.Bp).Task.Kind);
        Assert.Equal(TaskKind.Impute,
            At(Run(new Patient(10, options with { Window = null }).Drop(Modality.Bp, 5, 10)), 6.3).Status(Modality.Bp).Task.Kind);
        // And it warms up sooner.
        Assert.Equal(Provenance.Translated, At(Run(new Patient(4, options).Drop(Modality.Bp, 0, 4)), 3).Status(Modality.Bp).Provenance);
    }
}
