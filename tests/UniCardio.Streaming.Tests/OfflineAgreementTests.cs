using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Streaming.Tests;

/// <summary>A live run against the same windows cut from the whole recording and run through the engine one by one.</summary>
public class OfflineAgreementTests
{
    private const int S = 500;
    private const double Rate = 125;

    [Theory]
    [InlineData(125, 125, 125)]
    [InlineData(100, 250, 500)]
    [InlineData(62.5, 128, 360)]
    public void FramesAreThoseOfTheWholeRecording(double ppg, double bp, double ecg)
    {
        using InferenceEngine engine = Make.Engine();
        StreamingSessionOptions options = Make.Options(ppg, bp, ecg) with { Denoise = ModalitySet.Ecg };
        // BP drops out for a second, then for six; PPG flickers; ECG goes last.
        Patient patient = new Patient(20, options).Drop(Modality.Bp, 6.1, 7.05).Drop(Modality.Bp, 10, 16).Drop(Modality.Ppg, 13, 13.6)
            .Drop(Modality.Ppg, 14.2, 14.5).Drop(Modality.Ecg, 17, 18);
        Frames frames = Live.Run(engine, options, patient.Blocks(0.1));
        frames.CheckContinuity();

        var whole = new Whole(engine, patient, frames.All[0].Start);
        foreach (StreamingFrame frame in frames.All)
            whole.Check(frame);
        // Every kind of sample was there to be compared.
        Assert.Equal([Provenance.NoSignal, Provenance.Measured, Provenance.Imputed, Provenance.Denoised, Provenance.Translated],
            Modalities.All.SelectMany(frames.Provenances).Distinct().Order());
        Assert.True(whole.Faded > 100, $"{whole.Faded} samples were faded");
    }

    /// <summary>The oracle: signals resampled as a whole, every window made and run on its own.</summary>
    private sealed class Whole
    {
        private readonly InferenceEngine _engine;
        private readonly StreamingSessionOptions _options;
        private readonly float[][] _signals;
        private readonly TimeSpan _origin;
        private readonly AffineScale?[] _scales = new AffineScale?[3];
        private readonly Dictionary<Modality, Result> _before = [];

        public Whole(InferenceEngine engine, Patient patient, TimeSpan origin)
        {
            (_engine, _options, _origin) = (engine, patient.Options, origin);
            _signals = [.. Modalities.All.Select(m =>
            {
                double rate = patient.Rate(m);
                int lead = (int)Math.Round(-origin.TotalSeconds * rate);
                return new Resampler(rate, Rate).Resample([.. Enumerable.Repeat(float.NaN, lead), .. patient[m]]);
            })];
            int longest = _signals.Max(s => s.Length);
            _signals = [.. _signals.Select(s => s.Concat(Enumerable.Repeat(float.NaN, longest - s.Length)).ToArray())];
        }

        public int Faded { get; private set; }

        public void Check(StreamingFrame frame)
        {
            int start = (int)Math.Round((frame.Start - _origin).TotalSeconds * Rate), fade = (int)(_options.Fade.TotalSeconds * Rate);
            int end = frame.IsLast ? _signals[0].Length : (int)((frame.Index + 1) * _options.Hop.TotalSeconds * Rate);
            float[][] windows = [.. _signals.Select(s => Window(s, end))];
            foreach (Modality m in Modalities.All)
            {
                if (windows[(int)m].Count(x => !float.IsNaN(x)) >= S / 4)
                    _scales[(int)m] = WindowScale.Of(m, windows[(int)m], new SampleRange(0, S));
            }
            foreach (Modality m in Modalities.All)
                Check(frame, m, windows, start, end, fade);
        }

        private void Check(StreamingFrame frame, Modality m, float[][] windows, int start, int end, int fade)
        {
            CardioTask task = frame.Status(m).Task;
            Result? now = task.IsValid ? Run(task, windows, (uint)((4 * frame.Index) + (int)m), end) : null;
            for (int i = 0; i < frame.Count; i++)
            {
                float measured = _signals[(int)m][start + i];
                (float Value, float Low, float High, Provenance From) expected =
                    (measured, float.NaN, float.NaN, float.IsNaN(measured) ? Provenance.NoSignal : Provenance.Measured);
                if (now is not null && float.IsNaN(measured) != (task.Kind == TaskKind.Denoise))
                    expected = now.At(start + i);
                if (_before.TryGetValue(m, out Result? before) && start + i < before.End && start + i >= before.End - fade)
                    expected = Fade(m, before, expected, start + i, fade);
                Same(expected.Value, frame.Values(m)[i], frame, m, i);
                Same(expected.Low, frame.Low(m)[i], frame, m, i);
                Same(expected.High, frame.High(m)[i], frame, m, i);
                Same(measured, frame.Measured(m)[i], frame, m, i);
                Assert.Equal(expected.From, frame.Provenance(m)[i]);
            }
            _before.Remove(m);
            if (now is not null)
                _before.Add(m, now);
        }

        private (float Value, float Low, float High, Provenance From) Fade(Modality m, Result before,
            (float Value, float Low, float High, Provenance From) now, int at, int fade)
        {
            (float Value, float Low, float High, Provenance From) old = before.At(at);
            bool denoised = old.From == Provenance.Denoised;
            if (now.From == Provenance.NoSignal)
                return denoised ? now : old;
            if (denoised != now.From is Provenance.Measured or Provenance.Denoised || (!denoised && now.From == Provenance.Measured))
                return now;
            // A translated pressure has no unit: nothing in mmHg fades into it.
            if (m == Modality.Bp && (old.From == Provenance.Translated) != (now.From == Provenance.Translated))
                return now;
            Faded++;
            int into = at - (before.End - fade);
            double w = 0.5 - (0.5 * Math.Cos(Math.PI * (into + 1) / (fade + 1)));
            float Mix(float a, float b) => (float)(((1 - w) * a) + (w * b));
            return (Mix(old.Value, now.Value), Mix(old.Low, now.Low), Mix(old.High, now.High), now.From == Provenance.Measured
                ? Provenance.Denoised : now.From);
        }

        private Result Run(CardioTask task, float[][] windows, uint identity, int end)
        {
            using InferenceSession session = _engine.CreateSession(
                task, new SessionOptions { Draws = task.Kind == TaskKind.Denoise ? 1 : _options.Sampling.Draws,
                    Sampler = _options.Sampling.Sampler, Seed = _options.Seed });
            InferencePlan plan = session.Plan;
            float[] window = windows[(int)task.Output];
            AffineScale output = task is { Output: Modality.Bp, Kind: TaskKind.Translate } ? AffineScale.Normalized
                : task.Output == Modality.Bp ? AffineScale.BloodPressure
                : task.Kind == TaskKind.Denoise ? WindowScale.Of(task.Output, window, new SampleRange(0, S), isNoisy: true)
                    : _scales[(int)task.Output]!.Value;
            var conditions = new float[plan.ConditionSamples];
            for (int c = 0; c < plan.Conditions.Count; c++)
            {
                AffineScale scale = plan.Conditions[c] == task.Output ? output : _scales[(int)plan.Conditions[c]]!.Value;
                scale.Forward(windows[(int)plan.Conditions[c]], conditions.AsSpan(c * S, S));
            }
            if (task.Kind == TaskKind.Denoise)
                return new Result(task.Kind, end, Estimate(session, conditions, window, output, _options.Channel(task.Output)!.SampleRate),
                    NotANumber, NotANumber);
            var draws = new float[plan.StateSamples];
            session.Run(conditions, draws, [identity]);
            var center = new float[S];
            var band = new float[2 * S];
            DrawStatistics.Median(draws, plan.Draws, S, center);
            DrawStatistics.Quantiles(draws, plan.Draws, S, [0.05, 0.95], band);
            return new Result(task.Kind, end, [.. center.Select(output.Inverse)], [.. band[..S].Select(output.Inverse)],
                [.. band[S..].Select(output.Inverse)]);
        }

        private static float[] NotANumber { get; } = [.. Enumerable.Repeat(float.NaN, S)];

        private static float[] Estimate(InferenceSession session, float[] conditions, float[] window, AffineScale scale, double rate)
        {
            float[] measured = [.. window], clean = new float[S];
            double level = WhiteNoise.ResamplingFactor(new Resampler(rate, Rate)) * WhiteNoise.Level(window) / scale.HalfRange;
            GapBridge.FillAll(measured);
            Assert.True(session.Estimate(conditions, [.. measured.Select(scale.Forward)], level, clean) > 0);
            return [.. clean.Select(scale.Inverse)];
        }

        private static float[] Window(float[] signal, int end) =>
            [.. Enumerable.Range(end - S, S).Select(i => i < 0 ? float.NaN : signal[i])];

        private static void Same(float expected, float actual, StreamingFrame frame, Modality m, int i) =>
            Assert.True(BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(actual),
                $"frame {frame.Index}, {m}, sample {i}: {actual}, expected {expected} ({frame.Status(m)})");
    }

    private sealed record Result(TaskKind Kind, int End, float[] Center, float[] Low, float[] High)
    {
        public (float Value, float Low, float High, Provenance From) At(int sample)
        {
            int i = sample - (End - S);
            return (Center[i], Low[i], High[i],
                Kind switch { TaskKind.Impute => Provenance.Imputed, TaskKind.Denoise => Provenance.Denoised, _ => Provenance.Translated });
        }
    }
}
