using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Measures;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Tests.Measures;

public class ScorerTests
{
    private static EvaluationRecording Heart { get; } = Make.Heart();

    [Theory]
    [InlineData("ppg->bp")]
    [InlineData("ppg->ecg")]
    [InlineData("impute bp | ppg")]
    [InlineData("impute ecg")]
    [InlineData("denoise ppg | ecg")]
    [InlineData("denoise ecg")]
    public void TheTruthItselfHasNoError(string text)
    {
        EvaluationWindow window = Make.Window(Heart, text, Fitting(text));
        float[] truth = Result(window);
        WindowScore score = new WindowScorer(window).Score(truth, truth, truth);
        // Scaled back and forth in float32: 1e-7 of the range, of the pressure's 1e-7 of its 100 mmHg in 50.
        Assert.InRange(score.RootMeanSquare, 0, 1e-6);
        Assert.InRange(score.MeanAbsolute, 0, 1e-6);
        Assert.InRange(score.Pearson!.Value, 1 - 1e-6, 1);
        Assert.InRange(score.SpectralDistance!.Value, 0, 0.01);
        Assert.InRange(score.Rate!.Value.AbsoluteError, 0, 2);
        Assert.Equal(window.Task.Output == Modality.Ecg, score.Peaks is not null);
        Assert.Equal(window.Task.Output == Modality.Bp, score.Pressure is not null);
        Assert.Equal(window.Scope.Length, score.Coverage!.Value.Samples);
        if (score.Peaks is { } peaks)
        {
            Assert.Equal(1, peaks.F1);
            Assert.InRange(peaks.TimingMilliseconds!.Value, 0, 8);
        }

        if (score.Pressure is { } pressure)
        {
            Assert.False(pressure.Failed);
            Assert.InRange(Math.Abs(pressure.Systolic!.Value), 0, 1e-4);
            Assert.InRange(Math.Abs(pressure.Diastolic!.Value), 0, 1e-4);
        }
    }

    [Fact]
    public void ErrorsAreInScaledUnitsOverTheScope()
    {
        // 5 mmHg too high everywhere is 0.1 of 50 mmHg; only the gap counts, outside it the measured samples stand.
        EvaluationWindow window = Make.Window(Heart, "impute bp", Corruption.Gap(1.2));
        WindowScore score = new WindowScorer(window).Score([.. window.Truth.ToArray().Select(x => x + 5)]);
        Assert.Equal(0.1, score.RootMeanSquare, 5);
        Assert.Equal(0.1, score.MeanAbsolute, 5);
        Assert.Equal(5, score.Pressure!.Value.Systolic!.Value, 2);
        float[] filled = new float[500];
        window.ToMeasured([.. window.Truth.ToArray().Select(x => x + 5)], filled);
        Assert.Equal(window.TruthScale.Forward(window.Truth.Span[0]), filled[window.Scope.Start > 0 ? 0 : 499]);
    }

    [Fact]
    public void AFlatResultFailsButIsNotDropped()
    {
        EvaluationWindow window = Make.Window(Heart, "ppg->bp");
        float[] flat = new float[500];
        Array.Fill(flat, 90f);
        WindowScore score = new WindowScorer(window).Score(flat);
        Assert.True(score.Rate!.Value.Failed);
        Assert.Equal(score.Rate.Value.Truth, score.Rate.Value.AbsoluteError);
        Assert.True(score.Pressure!.Value.Failed);
        Assert.True(score.Pressure.Value.Systolic < -20 && score.Pressure.Value.Diastolic > 5);
        Assert.Equal(0, score.Pearson);
        // A constant lies below, on or above: some share of the truth is to one side.
        Assert.InRange(score.KolmogorovSmirnov, 0.5, 1);
        WindowScore wave = new WindowScorer(Make.Window(Heart, "ppg->ecg")).Score(new float[500]);
        Assert.Equal(0, wave.Peaks!.Value.Found);
        Assert.InRange(wave.Peaks.Value.Missed, 2, 7);
    }

    [Fact]
    public void ADelayedEcgLosesItsPeaksBeyondTheTolerance()
    {
        EvaluationWindow window = Make.Window(Heart, "ppg->ecg");
        float[] truth = Result(window), near = new float[500], far = new float[500];
        truth.AsSpan(0, 495).CopyTo(near.AsSpan(5));
        truth.AsSpan(0, 490).CopyTo(far.AsSpan(10));
        // 5 samples are 40 ms, 10 are 80.
        PeakCounts ours = new WindowScorer(window).Score(near).Peaks!.Value;
        Assert.Equal(1, ours.F1);
        // All true beats but those in the first and last 12 samples.
        Assert.Equal(Heart.BeatsOf(Modality.Ecg).Count(b => b >= 3762 && b < 4238), ours.Found);
        Assert.InRange(ours.TimingMilliseconds!.Value, 36, 44);
        Assert.Equal(0, new WindowScorer(window).Score(far).Peaks!.Value.Found);
    }

    [SkippableTheory]
    [InlineData("triad/mimicdb230_old_300s_125Hz.csv", 125)]
    [InlineData("triad/waveformtools_a_15min_125Hz.csv", 125)]
    [InlineData("ppg_ecg/bidmc01_480s_125Hz.csv", 125)]
    [InlineData("ppg_ecg/neurokit_rest_300s_100Hz.csv", 100)]
    public void OnRealWindowsTheTruthFindsItsOwnBeats(string file, double rate)
    {
        // What a perfect result would score: a window's beats are found in the window as in the whole recording.
        EvaluationRecording recording =
            EvaluationRecording.From(RecordingFile.Read(Project.Shared("data", file), new RecordingReadOptions { SampleRate = rate }))!;
        PeakCounts peaks = default;
        double rates = 0, pressures = 0;
        IReadOnlyList<SampleRange> windows = WindowSelection.Choose(recording, 500, 40).Windows;
        foreach (SampleRange position in windows)
        {
            WindowScore Score(string task)
            {
                var window = new EvaluationWindow(recording, position, CardioTask.Parse(task), default, 0, 0);
                return new WindowScorer(window).Score(Result(window));
            }

            WindowScore ecg = Score("ppg->ecg");
            peaks += ecg.Peaks!.Value;
            rates += ecg.Rate!.Value.AbsoluteError;
            if (recording.Signals.Contains(Modality.Bp))
                pressures = Math.Max(pressures, Math.Abs(Score("ppg->bp").Pressure!.Value.Systolic!.Value));
        }

        Assert.True(peaks.F1 >= 0.98, $"F1 {peaks.F1} over {windows.Count} windows");
        // A beat more or less at an end of the window, where intervals differ, moves the mean rate by a beat or two.
        Assert.InRange(rates / windows.Count, 0, 3);
        Assert.InRange(pressures, 0, 1e-3);
    }

    private static Corruption Fitting(string task) => CardioTask.Parse(task).Kind switch
    {
        TaskKind.Denoise => Corruption.Noise(10),
        TaskKind.Impute => Corruption.Gap(1.2),
        _ => Corruption.Absent,
    };

    private static float[] Result(EvaluationWindow window)
    {
        float[] truth = window.Truth.ToArray();
        if (window.IsNormalized)
            window.TruthScale.Forward(truth, truth);
        return truth;
    }
}
