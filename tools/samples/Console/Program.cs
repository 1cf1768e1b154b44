// Arrays in, arrays out: fills a gap in a pressure, given the PPG of the same time.
using UniCardio;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;

const double Rate = 125;
var ppg = new float[1000];
var pressure = new float[1000];
for (int i = 0; i < ppg.Length; i++)
{
    double pulse = Math.Pow((1 + Math.Sin(2 * Math.PI * 1.2 * i / Rate)) / 2, 3);
    ppg[i] = (float)pulse;
    // NaN is a sample that is missing: here 1.2 s of them.
    pressure[i] = i is >= 400 and < 550 ? float.NaN : (float)(80 + (40 * pulse));
}

using CardioModel model = CardioModel.Load();
var signals = new CardioSignals(Rate) { Ppg = ppg, BloodPressure = pressure };
CardioResult result = model.Impute(signals, Modality.Bp, new CardioCallOptions { Draws = 4 });

for (int i = 400; i < 550; i += 25)
    Console.WriteLine($"{i / Rate:0.0} s  {result.Samples.Span[i]:0.0} mmHg  ({result.Low.Span[i]:0.0} to {result.High.Span[i]:0.0})  "
        + result.Provenance.Span[i]);
Console.WriteLine($"{result.Generated} samples generated; {CardioModel.Beats(signals, Modality.Ppg).RateBpm:0} beats a minute.");
Console.WriteLine(CardioResult.Remark);
