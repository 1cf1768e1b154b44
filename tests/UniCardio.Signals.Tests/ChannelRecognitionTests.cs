namespace UniCardio.Signals.Tests;

public class ChannelRecognitionTests
{
    [Theory]
    [InlineData("PLETH", "NU", ChannelKind.Ppg)]
    [InlineData("Pleth L", "", ChannelKind.Ppg)]
    [InlineData("ppg", "", ChannelKind.Ppg)]
    [InlineData("SpO2", "", ChannelKind.Ppg)]
    [InlineData("SpO2", "%", ChannelKind.Other)]
    [InlineData("PULSE", "bpm", ChannelKind.Other)]
    [InlineData("Pulse rate", "", ChannelKind.Other)]
    [InlineData("ABP", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("ABP Mean", "mmHg", ChannelKind.Other)]
    [InlineData("ART", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("ART2", "", ChannelKind.BloodPressure)]
    [InlineData("artefact", "", ChannelKind.Other)]
    [InlineData("bp", "", ChannelKind.BloodPressure)]
    [InlineData("IBP1", "", ChannelKind.BloodPressure)]
    [InlineData("AoP", "kPa", ChannelKind.BloodPressure)]
    [InlineData("P1", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("PAP", "mmHg", ChannelKind.Other)]
    [InlineData("CVP", "mmHg", ChannelKind.Other)]
    [InlineData("ecg", "", ChannelKind.Ecg)]
    [InlineData("ECG_1", "mV", ChannelKind.Ecg)]
    [InlineData("ECG1", "mV", ChannelKind.Ecg)]
    [InlineData("EKG", "", ChannelKind.Ecg)]
    [InlineData("I", "mV", ChannelKind.Ecg)]
    [InlineData("II", "", ChannelKind.Ecg)]
    [InlineData("V", "mV", ChannelKind.Ecg)]
    [InlineData("V5", "mV", ChannelKind.Ecg)]
    [InlineData("MLII", "mV", ChannelKind.Ecg)]
    [InlineData("MCL1", "mV", ChannelKind.Ecg)]
    [InlineData("aVR", "mV", ChannelKind.Ecg)]
    [InlineData("Lead II", "mV", ChannelKind.Ecg)]
    [InlineData("RESP", "mV", ChannelKind.Other)]
    [InlineData("noise", "uV", ChannelKind.Other)]
    [InlineData("col 0", "mV", ChannelKind.Other)]
    // Pressures that are not arterial, whatever their unit.
    [InlineData("PAP1", "mmHg", ChannelKind.Other)]
    [InlineData("CVP3", "mmHg", ChannelKind.Other)]
    [InlineData("ICP4", "mmHg", ChannelKind.Other)]
    [InlineData("LAP", "mmHg", ChannelKind.Other)]
    [InlineData("RV2", "mmHg", ChannelKind.Other)]
    [InlineData("Left ventricular pressure", "mmHg", ChannelKind.Other)]
    [InlineData("Pulmonary artery", "mmHg", ChannelKind.Other)]
    [InlineData("Femoral vein", "mmHg", ChannelKind.Other)]
    [InlineData("CO2", "mmHg", ChannelKind.Other)]
    [InlineData("EtCO2", "kPa", ChannelKind.Other)]
    [InlineData("Paw", "cmH2O", ChannelKind.Other)]
    [InlineData("Airway pressure", "hPa", ChannelKind.Other)]
    [InlineData("Ambient", "Pa", ChannelKind.Other)]
    [InlineData("Pressure 7", "mmHg", ChannelKind.Other)]
    [InlineData("signal_0", "mmHg", ChannelKind.Other)]
    // Numbers beside waves.
    [InlineData("ABPMean", "mmHg", ChannelKind.Other)]
    [InlineData("ABPSYS", "mmHg", ChannelKind.Other)]
    [InlineData("SysABP", "mmHg", ChannelKind.Other)]
    [InlineData("mABP", "mmHg", ChannelKind.Other)]
    [InlineData("ART_S", "mmHg", ChannelKind.Other)]
    [InlineData("ARTM", "mmHg", ChannelKind.Other)]
    [InlineData("NBPSys", "mmHg", ChannelKind.Other)]
    [InlineData("NIBP_SBP", "mmHg", ChannelKind.Other)]
    [InlineData("FEM_DBP", "mmHg", ChannelKind.Other)]
    [InlineData("PLETH_SPO2", "%", ChannelKind.Other)]
    [InlineData("PLETH_SPO2", "", ChannelKind.Other)]
    [InlineData("PLETH_HR", "1/min", ChannelKind.Other)]
    [InlineData("PlethRate", "", ChannelKind.Other)]
    [InlineData("Heart rate", "bpm", ChannelKind.Other)]
    [InlineData("ECG HR", "", ChannelKind.Other)]
    [InlineData("ST V5", "mm", ChannelKind.Other)]
    [InlineData("ST_II", "mV", ChannelKind.Other)]
    [InlineData("Pulse pressure", "mmHg", ChannelKind.Other)]
    // Respiration under names that hold others.
    [InlineData("Resp Art", "", ChannelKind.Other)]
    [InlineData("ECG Resp", "mV", ChannelKind.Other)]
    [InlineData("II", "Ohm", ChannelKind.Other)]
    [InlineData("V5", "mmHg", ChannelKind.Other)]
    [InlineData("ABP", "%", ChannelKind.Other)]
    [InlineData("ECG", "mmHg", ChannelKind.Other)]
    // Arterial pressure by the labels of monitors.
    [InlineData("SNUADC/ART", "", ChannelKind.BloodPressure)]
    [InlineData("SNUADC/FEM", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("CardioQ/ABP", "", ChannelKind.BloodPressure)]
    [InlineData("UAP", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("UA1", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("UA1", "", ChannelKind.Other)]
    [InlineData("FE2", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("fiAP", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("ABP", "V", ChannelKind.BloodPressure)]
    [InlineData("Arterial blood pressure", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("Radial artery", "kPa", ChannelKind.BloodPressure)]
    // Pulse waves.
    [InlineData("BVP", "", ChannelKind.Ppg)]
    [InlineData("PLETHr", "NU", ChannelKind.Ppg)]
    [InlineData("BVP", "a.u.", ChannelKind.Ppg)]
    [InlineData("PPG_IR", "", ChannelKind.Ppg)]
    [InlineData("SpO2 Pleth", "", ChannelKind.Ppg)]
    [InlineData("SNUADC/PLETH", "", ChannelKind.Ppg)]
    // Leads.
    [InlineData("-aVR", "mV", ChannelKind.Ecg)]
    [InlineData("ECGBIT", "mV", ChannelKind.Ecg)]
    [InlineData("CM5", "mV", ChannelKind.Ecg)]
    [InlineData("SNUADC/ECG_II", "", ChannelKind.Ecg)]
    [InlineData("ECG LA-RA", "mV", ChannelKind.Ecg)]
    [InlineData("LL-RA", "mV", ChannelKind.Ecg)]
    [InlineData("D1", "mV", ChannelKind.Ecg)]
    [InlineData("Elektrokardiogramm", "mV", ChannelKind.Ecg)]
    [InlineData("ECG Lead Off", "", ChannelKind.Other)]
    [InlineData("OxyPleth", "", ChannelKind.Ppg)]
    [InlineData("AOBP", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("ARTP", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("Part", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("Part", "", ChannelKind.Other)]
    [InlineData("Carotid pressure", "mmHg", ChannelKind.BloodPressure)]
    [InlineData("Art pH", "", ChannelKind.Other)]
    [InlineData("Doppler ABP", "cm/s", ChannelKind.Other)]
    public void KindIsToldFromNameAndUnit(string name, string unit, ChannelKind kind) =>
        Assert.Equal(kind, ChannelKindRecognition.Recognize(name, unit));

    // Labels of eleven makers' monitors, of public archives, laboratory programs and nine languages.
    [Fact]
    public void LabelsOfMonitorsArchivesAndLanguagesAreTold()
    {
        using var reader = new StreamReader(typeof(ChannelRecognitionTests).Assembly.GetManifestResourceStream("channel-names")!);
        string[][] rows = [.. reader.ReadToEnd().Split('\n').Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split('|'))];
        Assert.True(rows.Length > 550);
        ChannelKind Told(string heading) => SignalUnit.SplitName(heading) is var (name, unit)
            ? ChannelKindRecognition.Recognize(name, unit) : default;
        Assert.Equal([], rows.Where(r => Told(r[1].Length > 0 ? $"{r[0]} [{r[1]}]" : r[0]) != r[2] switch
        {
            "ecg" => ChannelKind.Ecg,
            "ppg" => ChannelKind.Ppg,
            "bp" => ChannelKind.BloodPressure,
            _ => ChannelKind.Other,
        }).Select(r => string.Join('|', r)));
    }

    // Half a surrogate pair, letters with marks of their own, and names of nothing but signs.
    [Theory]
    [InlineData("\ud800ECG", ChannelKind.Ecg)]
    [InlineData("Ple\u0301thysmogramme", ChannelKind.Ppg)]
    [InlineData("\u0301\u0301", ChannelKind.Other)]
    [InlineData("///", ChannelKind.Other)]
    public void LettersThatAreNoneDoNoHarm(string name, ChannelKind kind) =>
        Assert.Equal(kind, ChannelKindRecognition.Recognize(name, ""));

    [Theory]
    [InlineData("abp_mmHg", "abp", "mmHg")]
    [InlineData("ecg_mV", "ecg", "mV")]
    [InlineData("ECG [mV]", "ECG", "mV")]
    [InlineData("ABP (mmHg)", "ABP", "mmHg")]
    [InlineData("ecg_uV", "ecg", "uV")]
    [InlineData("ECG (\u00b5V)", "ECG", "uV")]
    [InlineData("abp_mm Hg", "abp_mm Hg", "")]
    [InlineData("ppg", "ppg", "")]
    [InlineData("lead_II", "lead_II", "")]
    [InlineData("lead_V", "lead_V", "")]
    [InlineData("lead V [V]", "lead V", "V")]
    [InlineData("x []", "x", "")]
    [InlineData("pleth_nu", "pleth", "NU")]
    [InlineData("", "", "")]
    [InlineData("[mV]", "[mV]", "")]
    public void HeadingsSplitIntoNameAndUnit(string heading, string name, string unit) =>
        Assert.Equal((name, unit), SignalUnit.SplitName(heading));

    [Fact]
    public void FactorsAreThoseOfTheStandard()
    {
        Assert.True(SignalUnit.TryGetFactor("kPa", "mmHg", out double f));
        Assert.Equal(7.500616, f, 5e-7); // NIST SP 811 gives 1 mmHg as 1.333224E-01 kPa, seven digits
        Assert.True(SignalUnit.TryGetFactor("cmH2O", "mmHg", out f));
        Assert.Equal(0.735559, f, 5e-7);
        Assert.True(SignalUnit.TryGetFactor("uV", "mV", out f));
        Assert.Equal(1e-3, f, 1e-18);
        Assert.False(SignalUnit.TryGetFactor("mmHg", "mV", out _));
        Assert.True(SignalUnit.TryGetFactor("xyz", "xyz", out f) && f == 1);
    }

    [Fact]
    public void ChannelsCheckTheirArguments()
    {
        Assert.Throws<ArgumentException>(() => new Channel(" ", "", 1, new float[1]));
        Assert.Throws<ArgumentException>(() => new Channel("a", "", 1, new[] { 0, float.PositiveInfinity }));
        foreach (double rate in new[] { 0, -1, double.NaN, double.PositiveInfinity })
            Assert.Throws<ArgumentOutOfRangeException>(() => new Channel("a", "", rate, new float[1]));
        Assert.Throws<ArgumentException>(() => new Recording("r", []));
    }
}
