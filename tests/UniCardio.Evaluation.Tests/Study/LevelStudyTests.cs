using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Reports;
using UniCardio.Evaluation.Study;
using UniCardio.Evaluation.Study.Levels;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Tests.Study;

public class LevelStudyTests
{
    // A steady heart whose pressure rises and falls by 15 mmHg in two minutes, and a PPG whose size follows it, or does not.
    private static EvaluationRecording Heart(double following)
    {
        Recording made = new CardiovascularSynthesizer().Generate(Make.Steady, (int)(300 * NetworkSignal.Rate), 5).ToRecording("heart");
        Channel Change(Channel channel, Func<float, double, double> to) => channel.WithSamples(
            channel.Samples.ToArray().Select((x, i) => (float)to(x, Math.Sin(2 * Math.PI * i / (120 * NetworkSignal.Rate)))).ToArray());
        return EvaluationRecording.From(made.WithChannels(made.Channels.Select((c, i) => (Modality)i switch
        {
            Modality.Bp => Change(c, (x, wave) => x + (15 * wave)),
            Modality.Ppg => Change(c, (x, wave) => x * (1 + (following * wave))),
            _ => c,
        })))!;
    }

    private static IReadOnlyList<string> Row(StudyReport report, string inputs) =>
        report.Everything.Rows.Single(r => r[1] == "systolic" && r[2] == inputs);

    private static StudyReport Run(params EvaluationRecording[] recordings) =>
        LevelStudy.Run(recordings, new EvaluationSubject("none", "none", [], "cpu"), seed: 1);

    [Fact]
    public void AGainThatFollowsThePressureTellsIt()
    {
        StudyReport report = Run(Heart(following: 0.2));
        IReadOnlyList<string> row = Row(report, "level and gain of PPG");
        double held = double.Parse(row[5]), told = double.Parse(row[6]);

        // The gain is a linear function of the pressure; what a window's reading of it wobbles by, and the ridge's tenth, remain.
        Assert.InRange(double.Parse(row[4]), 0.95, 1);
        Assert.True(told < held / 3, $"{told} of {held}");
        Assert.True(double.Parse(row[9]) < 0);
        Assert.Contains("better", report.Verdict, StringComparison.Ordinal);
    }

    [Fact]
    public void AGainThatDoesNotTellsNothing()
    {
        IReadOnlyList<string> row = Row(Run(Heart(following: 0)), "level and gain of PPG");

        // At best what is carried on, within a tenth; the interval of the change does not lie below 0.
        Assert.InRange(double.Parse(row[6]) / double.Parse(row[5]), 0.9, 1.6);
        Assert.True(double.Parse(row[9]) > 0);
    }

    [Fact]
    public void WithoutAPressureOrWindowsNothingIsSaid()
    {
        StudyReport report = Run(Make.Heart(60, 3), Make.Heart(200, 3, signals: ModalitySet.Ppg | ModalitySet.Ecg));
        Assert.Empty(report.Tables[0].Rows);
        Assert.Contains("No recording", report.Verdict, StringComparison.Ordinal);
    }
}
