using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;
using UniCardio.Weights;

namespace UniCardio.Cli.Commands;

/// <summary><c>evaluate --study precision</c>: weights stored in fewer bits, their error against the double reference of the weights as
/// they are, and what it does to tasks.</summary>
internal static class PrecisionRun
{
    private const int Windows = 4;
    private const ulong Seed = 0x91;

    // Shares of the diffusion's steps at which predictions are compared.
    private static readonly double[] s_times = [0.1, 0.5, 0.9];

    public static int Run(Terminal terminal, string source, EvaluationOptions options, IReadOnlyList<EvaluationRecording> recordings,
        Func<ModelWeights, InferenceEngine> open, CancellationToken cancellation)
    {
        using LoadedWeights exact = WeightFile.Load(source);
        string folder = Directory.CreateTempSubdirectory("unicardio-precision-").FullName;
        try
        {
            var table = ResultTable.Create("weights", ">MB", ">largest error of a weight, % of its row's largest", ">error of a call, %");
            var rows = new List<(string Type, IReadOnlyList<CaseResult> Cases)>();
            foreach (ElementType type in (ElementType[])[ElementType.F32, ElementType.F16, ElementType.BF16, ElementType.I8])
            {
                cancellation.ThrowIfCancellationRequested();
                string file = Path.Combine(folder, $"{type}.safetensors");
                WeightFile.Convert(source, file, type: type, cancellation: cancellation).Dispose();
                using LoadedWeights rounded = WeightFile.Load(file, new WeightLoadOptions { MemoryMap = false });
                terminal.Note($"{type}: the double reference");
                table.Add(Name(type), (new FileInfo(file).Length / 1e6).In("0.0"),
                    (100 * Largest(exact.Weights, rounded.Weights)).In("0.000"),
                    (100 * Error(exact.Weights, rounded.Weights, cancellation)).In("0.0000"));
                terminal.Note($"{type}: tasks");
                using InferenceEngine engine = open(rounded.Weights);
                rows.Add((Name(type), new Evaluator(engine, options).Run(recordings, null, cancellation).Cases));
            }

            terminal.Write(table);
            var tasks = ResultTable.Create(["task", ">windows", .. rows.Select(r => $">{r.Type}, RMSE")]);
            for (int c = 0; c < rows[0].Cases.Count; c++)
            {
                CaseResult one = rows[0].Cases[c];
                tasks.Add([one.Corruption == Corruption.Absent ? $"{one.Task}" : $"{one.Task}, {one.Corruption}", one.Windows.Count,
                    .. rows.Select(r => (object)r.Cases[c].Mean.Scores.Average(s => s.RootMeanSquare).In("0.0000"))]);
            }

            terminal.Write(tasks);
            terminal.Say("A call's error: of the double reference with the rounded weights against it with the weights as they "
                + "are, root mean square over that of the prediction; largest of three diffusion steps. Weights are widened to float32 "
                + "when they are loaded: no precision is faster or slower in a call. Research software, not a medical device.");
            return ExitCode.Success;
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static string Name(ElementType type) => type == ElementType.I8 ? "int8 a row" : type.ToString().ToLowerInvariant();

    private static double Largest(ModelWeights exact, ModelWeights rounded)
    {
        double largest = 0;
        foreach ((ParameterTensor a, ParameterTensor b) in exact.Tensors.Zip(rounded.Tensors))
        {
            int columns = a.Shape.Count < 2 ? a.Span.Length : a.Span.Length / a.Shape[0];
            for (int r = 0; r < a.Span.Length; r += columns)
            {
                double most = 0, error = 0;
                for (int i = r; i < r + columns; i++)
                    (most, error) = (Math.Max(most, Math.Abs(a.Span[i])), Math.Max(error, Math.Abs((double)a.Span[i] - b.Span[i])));
                largest = most > 0 ? Math.Max(largest, error / most) : largest;
            }
        }

        return largest;
    }

    // Of an ECG made from a PPG, on synthetic windows noised to a step.
    private static double Error(ModelWeights exact, ModelWeights rounded, CancellationToken cancellation)
    {
        var task = CardioTask.Translate(Modality.Ppg.ToSet(), Modality.Ecg);
        ModelConfiguration m = exact.Configuration;
        ReferenceNetwork a = new(exact), b = new(rounded);
        double worst = 0;
        foreach (double time in s_times)
        {
            int t = (int)(time * (m.DiffusionSteps - 1));
            double error = 0, size = 0;
            for (int w = 0; w < Windows; w++)
            {
                cancellation.ThrowIfCancellationRequested();
                ulong own = CounterRandom.Derive(Seed, (ulong)w);
                SyntheticRecording heart = new CardiovascularSynthesizer().Generate(SynthesisParameters.Draw(own), m.SlotSamples, own);
                float[] ppg = new float[m.SlotSamples];
                WindowScale.Of(Modality.Ppg, heart.Ppg, new SampleRange(0, m.SlotSamples)).Forward(heart.Ppg, ppg);
                var random = new CounterRandom(own, 0x18);
                double[] conditions = [.. ppg.Select(x => (double)x)], state = new double[m.SlotSamples], one = new double[m.SlotSamples],
                    other = new double[m.SlotSamples];
                for (int i = 0; i < state.Length; i++)
                    state[i] = random.NextGaussian();
                a.Target(task, a.Conditions(task.Conditions, conditions, t), state, one);
                b.Target(task, b.Conditions(task.Conditions, conditions, t), state, other);
                for (int i = 0; i < state.Length; i++)
                    (error, size) = (error + ((one[i] - other[i]) * (one[i] - other[i])), size + (one[i] * one[i]));
            }

            worst = Math.Max(worst, Math.Sqrt(error / size));
        }

        return worst;
    }
}
