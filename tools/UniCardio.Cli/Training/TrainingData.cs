using UniCardio.Engine.Model;
using UniCardio.Signals;
using UniCardio.Training.Data;
using UniCardio.Training.Distillation;
using UniCardio.Training.Runs;

namespace UniCardio.Cli.Training;

/// <summary>The examples that a run's options name.</summary>
internal static class TrainingData
{
    // Held-out windows of every run alike, whatever its training windows' seed.
    private const ulong HeldOutSeed = 0x68656C646F7574;

    /// <summary>Opens examples to learn from and examples kept apart.</summary>
    /// <exception cref="SignalException">The recordings cannot be used.</exception>
    public static (IExampleSource Training, IExampleSource HeldOut) Open(Terminal terminal, TrainingOptions options,
        CancellationToken cancellation)
    {
        (IExampleSource training, IExampleSource heldOut) = OpenGood(terminal, options, cancellation);
        if (options.ConditionCorruption > 0)
            training = new CorruptedConditions(training, options.ConditionCorruption, options.DataSeed);
        return (training, heldOut);
    }

    private static (IExampleSource Training, IExampleSource HeldOut) OpenGood(Terminal terminal, TrainingOptions options,
        CancellationToken cancellation)
    {
        int samples = options.Network.SlotSamples;
        if (options.Network.Prediction == PredictionKind.Correction)
            return (new CorrectionExamples(options.DataSeed, samples), new CorrectionExamples(HeldOutSeed, samples));
        var synthetic = new SyntheticExamples(new SyntheticExampleOptions { Seed = options.DataSeed, SlotSamples = samples });
        var heldOut = new SyntheticExamples(new SyntheticExampleOptions { Seed = HeldOutSeed, SlotSamples = samples });
        if (options.PairFile is string file)
        {
            TeacherPairs pairs = TeacherPairs.Read(file);
            terminal.Note($"{file}: {pairs.Count} samples of {pairs.Teacher}, {pairs.Tasks.Count} tasks");
            (ModelConfiguration, int) student = (options.Network, options.StudentCalls);
            return (new DistilledExamples(pairs, synthetic, student, isHeldOut: false, options.DataSeed),
                new DistilledExamples(pairs, synthetic, student, isHeldOut: true));
        }

        if (options.RecordingFolder is not string folder)
            return (synthetic, heldOut);
        RecordingExamples Recordings(SubjectPart part, ulong seed)
        {
            RecordingExamples opened = RecordingExamples.Open(folder,
                new RecordingExampleOptions { Seed = seed, SlotSamples = samples, Part = part }, cancellation);
            foreach (SignalWarning warning in opened.Warnings)
                terminal.Note($"warning: {warning.Message}");
            terminal.Note(
                $"{folder}: {opened.Subjects.Count} subjects for {part.ToString().ToLowerInvariant()}: "
                + $"{string.Join(", ", opened.Subjects)}");
            return opened;
        }

        return (
            new MixedExamples(synthetic, Recordings(SubjectPart.Training, options.DataSeed), options.RecordingShare, options.DataSeed),
            new MixedExamples(heldOut, Recordings(SubjectPart.Validation, HeldOutSeed), options.RecordingShare, HeldOutSeed));
    }
}
