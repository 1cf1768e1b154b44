using UniCardio.Signals.Beats;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Tests.Formats;

namespace UniCardio.Signals.Tests.Beats;

/// <summary>Signals that once gave false numbers, with their right beats (README.txt beside them).</summary>
public class CaseTests
{
    [SkippableTheory]
    [InlineData("beat_s10_wander.npy")]
    [InlineData("beat_s11_flat.npy")]
    [InlineData("beat_s11b_asystole.npy")]
    [InlineData("beat_s12b_mains.npy")]
    [InlineData("beat_s12c_flat.npy")]
    [InlineData("beat_s13_saturated.npy")]
    [InlineData("beat_s14_defib.npy")]
    [InlineData("beat_s15_wide.npy")]
    [InlineData("beat_s1_tallT.npy")]
    [InlineData("beat_s2_inverted.npy")]
    [InlineData("beat_s3_lowamp.npy")]
    [InlineData("beat_s3b_lowamp.npy")]
    [InlineData("beat_s4_AF.npy")]
    [InlineData("beat_s5b_bigeminy.npy")]
    [InlineData("beat_s6_atrial.npy")]
    [InlineData("beat_s6c_failure.npy")]
    [InlineData("beat_s7_brady.npy")]
    [InlineData("beat_s8_tachy.npy")]
    [InlineData("beat_s9_mains.npy")]
    public void RPeaks(string file) => Check(file, ChannelKind.Ecg, 250, "mV", "_beats.txt");

    [SkippableTheory]
    [InlineData("pulse_p10_noise.npy")]
    [InlineData("pulse_p11_clipped.npy")]
    [InlineData("pulse_p1_abp.npy")]
    [InlineData("pulse_p2_notch.npy")]
    [InlineData("pulse_p3_inverted.npy")]
    [InlineData("pulse_p4_alternans.npy")]
    [InlineData("pulse_p5_brady.npy")]
    [InlineData("pulse_p5b_tachy.npy")]
    [InlineData("pulse_p6_flush.npy")]
    [InlineData("pulse_p6c_line.npy")]
    [InlineData("pulse_p7_noise.npy")]
    [InlineData("pulse_p8_damped.npy")]
    [InlineData("pulse_spike200x.npy")]
    public void PulseOnsets(string file)
    {
        // Two of them are a PPG without a unit.
        bool isPpg = file.Contains("inverted", StringComparison.Ordinal) || file.Contains("spike", StringComparison.Ordinal);
        Check(file, isPpg ? ChannelKind.Ppg : ChannelKind.BloodPressure, 125, isPpg ? "" : "mmHg", "_onsets.txt");
    }

    private static void Check(string file, ChannelKind kind, double rate, string unit, string suffix)
    {
        string path = Project.Shared("cases", file);
        double[] known =
            [.. File.ReadLines(Path.ChangeExtension(path, null) + suffix).Where(l => l.Trim().Length > 0).Select(double.Parse)];
        BeatSeries found = BeatSeries.Of(RecordingFile.Read(path, new() { SampleRate = rate }).Channels[0].Samples.Span, rate, kind, unit);
        if (known.Length == 0)
        {
            Assert.Empty(found.Beats);
            Assert.NotEqual(NoBeatReason.None, found.Reason);
            return;
        }

        // The flush hides three pulses of the reference: nothing can be seen of them.
        double[] seen = file.Contains("flush", StringComparison.Ordinal) ? [.. known.Where(t => t is < 10 or > 13)] : known;
        BeatAgreement a = BeatAgreement.Compare(seen, found.Times(), BeatAgreement.UsualTolerance);
        bool isSpoiled = file.Contains("noise", StringComparison.Ordinal) || file.Contains("clipped", StringComparison.Ordinal)
            || file.Contains("saturated", StringComparison.Ordinal);
        double min = isSpoiled ? 0.95 : 0.99;
        Assert.True(a.Sensitivity >= min && a.Precision >= min, $"{file}: {a}");
    }
}
