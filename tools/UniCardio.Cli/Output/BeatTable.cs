using System.Globalization;
using System.Text;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Cli.Output;

/// <summary>The truth about synthetic beats as CSV.</summary>
internal static class BeatTable
{
    public static string Of(IEnumerable<SyntheticBeat> beats)
    {
        var text = new StringBuilder("time_s,sample,kind,diastolic_mmHg,diastolic_sample,systolic_mmHg,systolic_sample\n");
        foreach (SyntheticBeat beat in beats)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{beat.TimeSeconds:0.####},{beat.Sample},{beat.Kind},{beat.Diastolic:0.##},{beat.DiastolicSample},{beat.Systolic:0.##},{beat.SystolicSample}");
        }

        return text.Replace("\r\n", "\n").ToString();
    }
}
