namespace UniCardio.Signals.Tests;

public class RecordingChecksTests
{
    // A pulse between 80 and 120, once a second at 100 Hz.
    private static float[] Pulse(double scale = 1, double shift = 0) =>
        [.. Enumerable.Range(0, 1000).Select(i => (float)((scale * (100 + (20 * Math.Sin(i * 0.0628)))) + shift))];

    private static SignalWarning[] Check(string name, string unit, float[] samples) =>
        RecordingChecks.Check(new Recording("r", [new Channel(name, unit, 100, samples)]));

    [Fact]
    public void PlausiblePressureIsLeftAlone() => Assert.Empty(Check("ABP", "mmHg", Pulse()));

    [Theory]
    [InlineData("mmHg", 1, 0, SignalWarningKind.Unit, null)]
    [InlineData("", 1, 0, SignalWarningKind.Unit, "looks like mmHg")]
    [InlineData("NU", 1, 0, SignalWarningKind.Unit, "looks like mmHg")]
    [InlineData("mmHg", 0.01, -1, SignalWarningKind.Normalized, "already normalised")]
    [InlineData("", 0.025, -2, SignalWarningKind.Normalized, "already normalised")]
    [InlineData("mmHg", 0.133322, 0, SignalWarningKind.Unit, "looks like kPa")]
    [InlineData("kPa", 0.133322, 0, SignalWarningKind.Unit, "multiply by 7.50062")]
    [InlineData("kPa", 1, 0, SignalWarningKind.Unit, "not plausible in kPa")]
    [InlineData("cmH2O", 1.35951, 0, SignalWarningKind.Unit, "multiply by 0.735559")]
    [InlineData("mmHg", 1.35951, 0, SignalWarningKind.Unit, "cmH2O")]
    [InlineData("mmHg", 133.322, 0, SignalWarningKind.Unit, "looks like Pa")]
    [InlineData("mmHg", 0.01, 0, SignalWarningKind.Unit, "looks like volts")]
    [InlineData("mV", 10, 0, SignalWarningKind.Unit, "not calibrated")]
    [InlineData("mmHg", 20, 0, SignalWarningKind.Unit, "not plausible in mmHg")]
    public void PressureInAnotherUnitIsNamed(string unit, double scale, double shift, SignalWarningKind kind, string? text)
    {
        SignalWarning[] found = Check("ABP", unit, Pulse(scale, shift));
        if (text is null)
            Assert.Empty(found);
        else
            Assert.Contains(found, w => w.Kind == kind && w.Channel == "ABP" && w.Message.Contains(text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("mV", 0.02, false)]
    [InlineData("mV", 20, true)]
    [InlineData("mV", 0.00002, true)]
    [InlineData("uV", 20, false)]
    [InlineData("uV", 0.02, true)]
    [InlineData("", 20, false)]
    public void EcgInAnotherUnitIsNamed(string unit, double scale, bool warns) =>
        Assert.Equal(warns, Check("II", unit, Pulse(scale)).Length == 1);

    [Fact]
    public void FlushesAndGapsDoNotCount()
    {
        float[] samples = Pulse();
        samples.AsSpan(0, 5).Fill(300);
        samples.AsSpan(500, 300).Fill(float.NaN);
        Assert.Empty(Check("ABP", "mmHg", samples));
        Assert.Contains("all are missing", Assert.Single(Check("PPG", "", [float.NaN, float.NaN])).Message, StringComparison.Ordinal);
    }
}
