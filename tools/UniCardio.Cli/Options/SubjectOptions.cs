using System.CommandLine;
using UniCardio.Cli.Commands;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Cli.Options;

/// <summary>The subject of <c>synth</c>: rhythm, rates and pressures.</summary>
internal sealed class SubjectOptions
{
    private static readonly SynthesisParameters Usual = new();

    private readonly Option<double> _rate = Number("--rate", "Samples a second, 50 to 4000.", Usual.SampleRate, "HZ");
    private readonly Option<SynthRhythm> _rhythm =
        new("--rhythm") { Description = "sinus, af (atrial fibrillation) or ectopy (a tenth of the beats premature)." };
    private readonly Option<double> _heartRate = Number("--heart-rate", "Beats a minute, 30 to 220.", Usual.HeartRate, "BPM");
    private readonly Option<double> _breaths = Number("--respiratory-rate", "Breaths a minute, 4 to 60.", Usual.RespiratoryRate, "N");
    private readonly Option<double> _systolic = Number("--systolic", "Mean systolic pressure, mmHg.", Usual.SystolicPressure, "MMHG");
    private readonly Option<double> _diastolic = Number("--diastolic", "Mean diastolic pressure, mmHg.", Usual.DiastolicPressure, "MMHG");

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_rate, _rhythm, _heartRate, _breaths, _systolic, _diastolic])
            command.Add(option);
    }

    public SynthesisParameters Read(ParseResult parsed)
    {
        SynthRhythm rhythm = parsed.GetValue(_rhythm);
        return Usual with
        {
            SampleRate = parsed.GetValue(_rate),
            HeartRate = parsed.GetValue(_heartRate),
            RespiratoryRate = parsed.GetValue(_breaths),
            SystolicPressure = parsed.GetValue(_systolic),
            DiastolicPressure = parsed.GetValue(_diastolic),
            AtrialFibrillation = rhythm == SynthRhythm.Af,
            VentricularEctopy = rhythm == SynthRhythm.Ectopy ? 0.1 : 0,
        };
    }

    public static Option<double> Number(string name, string description, double otherwise, string helpName) =>
        new(name) { Description = description, DefaultValueFactory = _ => otherwise, HelpName = helpName };
}
