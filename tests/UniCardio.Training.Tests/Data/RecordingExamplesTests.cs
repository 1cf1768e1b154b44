using UniCardio.Engine.Model;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Synthesis;
using UniCardio.Training.Data;

namespace UniCardio.Training.Tests.Data;

public sealed class RecordingExamplesTests : IDisposable
{
    private const int S = 500;
    private readonly string _folder = Directory.CreateTempSubdirectory("recordings").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Recording Heart(ulong seed, double seconds, double rate = 125) =>
        new CardiovascularSynthesizer().Generate(new SynthesisParameters { SampleRate = rate }, (int)(seconds * rate), seed).ToRecording();

    private string Write(string name, Recording recording)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        RecordingFile.Write(path, recording);
        return path;
    }

    private RecordingExamples Open(RecordingExampleOptions? options = null) =>
        RecordingExamples.Open(_folder, options ?? new RecordingExampleOptions { Part = SubjectPart.All, ConditionDirt = 0 });

    private static TrainingBatch Window(RecordingExamples source, long index, CardioTask task)
    {
        var batch = new TrainingBatch(1, S);
        batch.Conditions.AsSpan().Fill(77);
        batch.Clean.AsSpan().Fill(77);
        batch.LossWeight.AsSpan().Fill(77);
        source.Fill(index, task, batch, 0);
        return batch;
    }

    [Fact]
    public void ASubjectIsASubfolderOrAFile()
    {
        Assert.Equal("p17", SubjectSplit.SubjectOf("P17/night/a_1.hea"));
        Assert.Equal("p17", SubjectSplit.SubjectOf(@"p17\a_2.hea"));
        Assert.Equal("a_1", SubjectSplit.SubjectOf("a_1.hea"));
    }

    [Fact]
    public void SubjectsArePartedByTheirNameAlone()
    {
        string[] names = [.. Enumerable.Range(0, 2000).Select(i => $"p{i:0000}")];
        string[] apart = [.. names.Where(n => SubjectSplit.IsValidation(n, 0.2))];
        // Five standard deviations of a binomial of 2000 and 0.2: 89.
        Assert.InRange(apart.Length, 311, 489);
        Assert.All(apart, n => Assert.True(SubjectSplit.IsValidation(n, 0.3)));
        Assert.DoesNotContain(names, n => SubjectSplit.IsValidation(n, 0));
        // Recorded once: it must never change, or later runs would learn from subjects that earlier ones were judged by.
        Assert.Equal(RecordedFirst, apart.Take(5));
    }

    private static readonly string[] RecordedFirst = ["p0004", "p0007", "p0014", "p0019", "p0024"];

    [Fact]
    public void PartsShareNoSubjectAndMissNone()
    {
        for (int i = 0; i < 12; i++)
            Write($"p{i}/night.hea", Heart((ulong)i, 6));
        RecordingExampleOptions options = new() { ValidationShare = 0.4 };
        RecordingExamples training = Open(options with { Part = SubjectPart.Training }),
            validation = Open(options with { Part = SubjectPart.Validation });
        Assert.Empty(training.Subjects.Intersect(validation.Subjects));
        Assert.Equal(Open().Subjects, training.Subjects.Concat(validation.Subjects).Order(StringComparer.Ordinal));
        Assert.NotEqual(training.Identity, validation.Identity);
        Assert.Equal(training.Identity, Open(options with { Part = SubjectPart.Training }).Identity);
    }

    [Fact]
    public void WindowsAreStretchesOfTheRecordings()
    {
        Recording heart = Heart(1, 30);
        Write("a.csv", heart);
        float[] pressure = RecordingFile.Read(Path.Combine(_folder, "a.csv")).Require(ChannelKind.BloodPressure).Samples.ToArray();
        RecordingExamples source = Open();
        var starts = new HashSet<int>();
        for (int i = 0; i < 40; i++)
        {
            float[] clean = Window(source, i, CardioTask.Parse("ppg->bp")).Clean;
            int start = Enumerable.Range(0, pressure.Length - S + 1)
                .First(at => Enumerable.Range(0, S).All(t => clean[t] == (float)(((double)pressure[at + t] - 100) / 50)));
            starts.Add(start);
        }
        // 40 of 131 places: fewer than 20 different ones would be a wonder.
        Assert.InRange(starts.Count, 20, 40);
        Assert.Contains(starts, s => s < 1000);
        Assert.Contains(starts, s => s > 2250);
    }

    [Fact]
    public void EveryTaskGivesFiniteWindowsOfGappyRecordingsOnAnyThread()
    {
        Recording heart = Heart(2, 40, rate: 250);
        var channels = heart.Channels.Select((c, k) =>
        {
            float[] x = c.Samples.ToArray();
            x.AsSpan(2500 + 300 * k, 900).Fill(float.NaN);
            x[4000] = float.NaN;
            return c.WithSamples(x);
        });
        Write("gappy/a.hea", heart.WithChannels(channels));
        // Exactly a window: a gap over all of it leaves nothing to take a scale from.
        Write("short/b.hea", Heart(3, 4));
        var options = new RecordingExampleOptions { Part = SubjectPart.All, ConditionDirt = 2 };
        RecordingExamples source = Open(options), other = Open(options);
        const int N = 660;
        var alone = new TrainingBatch(N, S);
        var together = new TrainingBatch(N, S);
        for (int i = 0; i < N; i++)
            source.Fill(i, CardioTask.All[i % 33], alone, i);
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(t => new Thread(() =>
        {
            for (int i = N - 1 - t; i >= 0; i -= 3)
                other.Fill(i, CardioTask.All[i % 33], together, i);
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        Assert.Equal(alone.Conditions, together.Conditions);
        Assert.Equal(alone.Clean, together.Clean);
        Assert.Equal(alone.LossWeight, together.LossWeight);
        Assert.DoesNotContain(alone.Conditions.Concat(alone.Clean), x => !(Math.Abs(x) < 50));
        int unknown = 0;
        for (int i = 0; i < N; i++)
        {
            CardioTask task = alone.Tasks[i];
            Assert.Contains(1f, alone.Weight(i).ToArray());
            foreach (Modality modality in Modalities.All.Where(m => !task.Conditions.Contains(m)))
                Assert.Equal(-1, alone.Condition(i, modality).IndexOfAnyExcept(0f));
            if (task.Kind != TaskKind.Impute)
                unknown += alone.Weight(i).Count(0f);
        }
        // The samples that the recording lacks, of which a target may have two in a hundred, count for nothing.
        Assert.InRange(unknown, 1, N * S / 50);
    }

    [Fact]
    public void ALineThatDoesNotMoveIsNoTarget()
    {
        Recording heart = Heart(9, 30);
        Write("a.hea", heart.WithChannels(heart.Channels.Select(c =>
        {
            float[] x = c.Samples.ToArray();
            x.AsSpan(1500, 900).Fill(x[1500]);
            return c.WithSamples(x);
        })));
        RecordingExamples source = Open();
        for (int i = 0; i < 60; i++)
        {
            TrainingBatch batch = Window(source, i, CardioTask.Parse("ppg->bp"));
            int still = 0, longest = 0;
            for (int t = 1; t < S; t++)
            {
                still = batch.LossWeight[t] == 1 && batch.Clean[t] == batch.Clean[t - 1] ? still + 1 : 0;
                longest = Math.Max(longest, still);
            }
            Assert.InRange(longest, 0, 124);
        }
    }

    [Fact]
    public void TasksNeedSignalsThatAreThere()
    {
        Recording heart = Heart(4, 20);
        Write("a.hea", heart.WithChannels(heart.Channels.Where(c => c.Kind != ChannelKind.Ecg)));
        RecordingExamples source = Open();
        Assert.Equal(["a"], source.Subjects);
        Assert.True(source.Supports(CardioTask.Parse("ppg->bp")));
        Assert.True(source.Supports(CardioTask.Parse("impute ppg | bp")));
        Assert.False(source.Supports(CardioTask.Parse("ppg->ecg")));
        Assert.False(source.Supports(CardioTask.Parse("denoise bp | ecg")));
        Assert.Throws<ArgumentException>(() => Window(source, 0, CardioTask.Parse("ppg->ecg")));
        Assert.Throws<ArgumentException>(() => Window(source, 0, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => Window(source, -1, CardioTask.Parse("ppg->bp")));
    }

    [Fact]
    public void WhatCannotBeUsedIsLeftOutAndNamed()
    {
        Write("good.hea", Heart(5, 10));
        Write("brief.hea", Heart(6, 3));
        File.WriteAllText(Path.Combine(_folder, "broken.edf"), "0       nothing");
        File.WriteAllText(Path.Combine(_folder, "rateless.csv"), "ppg\n1\n2\n3\n");
        File.WriteAllText(Path.Combine(_folder, "notes.txt"), "nothing to read");
        RecordingExamples source = Open();
        Assert.Equal(["good"], source.Subjects);
        Assert.Equal(3, source.Warnings.Count);
        foreach (string name in new[] { "brief.hea", "broken.edf", "rateless.csv" })
            Assert.Contains(source.Warnings, w => w.Message.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public void SegmentsOfARecordAreNoRecordingsOfTheirOwn()
    {
        File.WriteAllText(Path.Combine(_folder, "whole.hea"), "# a comment\nwhole/3 1 125 1000\npart1 500\n~ 100\npart2 400\n");
        foreach (string name in new[] { "part1", "part2", "part3" })
            File.WriteAllText(Path.Combine(_folder, name + ".hea"), $"{name} 1 125 500\n{name}.dat 16 100 16 0 0 0 0 ECG\n");
        Assert.Equal(["part3.hea", "whole.hea"], RecordingFolder.List(_folder));
    }

    [Fact]
    public void EveryLeadIsLearnedFrom()
    {
        Recording heart = Heart(7, 12);
        Channel ecg = heart.Require(ChannelKind.Ecg);
        float[] turned = [.. ecg.Samples.ToArray().Select(x => -2 * x)];
        Write("a.hea", heart.WithChannels([.. heart.Channels, new Channel("V1", ecg.Unit, 125, turned, ChannelKind.Ecg)]));
        RecordingExamples source = Open();
        float[] low =
            [.. Enumerable.Range(0, 30).Select(i => Window(source, i, CardioTask.Parse("ppg->ecg")).Clean).Select(x => x.Average())];
        // The R wave points up in one and down in the other, so the mean lies far below or above 0.
        Assert.Contains(low, m => m < -0.3f);
        Assert.Contains(low, m => m > 0.3f);
    }

    [Fact]
    public void AMixtureTakesItsShareOfRecordingsWhereItCan()
    {
        Recording heart = Heart(10, 20);
        Write("a.hea", heart.WithChannels(heart.Channels.Where(c => c.Kind != ChannelKind.Ecg)));
        RecordingExamples recordings = Open();
        var synthetic = new SyntheticExamples(new SyntheticExampleOptions());
        var mixed = new MixedExamples(synthetic, recordings, 0.3);
        int Recorded(CardioTask task)
        {
            var one = new TrainingBatch(1, S);
            int count = 0;
            for (int i = 0; i < 200; i++)
            {
                mixed.Fill(i, task, one, 0);
                float[] made = [.. one.Clean];
                synthetic.Fill(i, task, one, 0);
                count += made.AsSpan().SequenceEqual(one.Clean) ? 0 : 1;
            }
            return count;
        }
        // 60 of 200; five standard deviations are 33.
        Assert.InRange(Recorded(CardioTask.Parse("ppg->bp")), 27, 93);
        Assert.Equal(0, Recorded(CardioTask.Parse("ppg->ecg")));
        Assert.NotEqual(mixed.Identity, new MixedExamples(synthetic, recordings, 0.4).Identity);
        Assert.Throws<ArgumentOutOfRangeException>(() => new MixedExamples(synthetic, recordings, 1.1));
        Assert.Throws<ArgumentException>(() =>
            new MixedExamples(new SyntheticExamples(new SyntheticExampleOptions { SlotSamples = 100 }), recordings, 0.1));
    }

    [Fact]
    public void AFolderWithoutRecordingsIsAnErrorThatSaysSo()
    {
        Assert.Throws<SignalException>(() => Open());
        Assert.Throws<SignalFileException>(() => RecordingExamples.Open(Path.Combine(_folder, "none"), new RecordingExampleOptions()));
        Write("a.hea", Heart(8, 10));
        Assert.Contains(
            "at most 1000",
            Assert.Throws<SignalException>(() => Open(new RecordingExampleOptions { Part = SubjectPart.All, MaxBytes = 1000 })).Message,
            StringComparison.Ordinal);
        SubjectPart missing = SubjectSplit.IsValidation("a", 0.2) ? SubjectPart.Training : SubjectPart.Validation;
        Assert.Contains("other part", Assert.Throws<SignalException>(() => Open(new RecordingExampleOptions { Part = missing })).Message,
            StringComparison.Ordinal);
        Assert.Throws<OperationCanceledException>(() =>
            RecordingExamples.Open(_folder, new RecordingExampleOptions { Part = SubjectPart.All }, new CancellationToken(canceled: true)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Open(new RecordingExampleOptions { ValidationShare = 1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Open(new RecordingExampleOptions { SlotSamples = 1 }));
    }
}
