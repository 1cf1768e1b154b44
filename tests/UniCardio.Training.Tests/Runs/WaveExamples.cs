using UniCardio.Engine.Model;
using UniCardio.Training.Data;

namespace UniCardio.Training.Tests.Runs;

/// <summary>Sine waves: the target is half the sum of its conditions, imputation counts the window's middle.</summary>
internal sealed class WaveExamples(int seed, int samples = 16) : IExampleSource
{
    public string Identity => $"waves {seed}";

    public int SlotSamples => samples;

    /// <summary>A window that throws when it is asked for.</summary>
    public long? Broken { get; init; }

    public void Fill(long index, CardioTask task, TrainingBatch batch, int place)
    {
        if (index == Broken)
            throw new InvalidDataException($"window {index} is broken");
        batch.Tasks[place] = task;
        for (int s = 0; s < samples; s++)
        {
            double sum = 0;
            foreach (Modality modality in Modalities.All)
            {
                double value = task.Conditions.Contains(modality) ? Math.Sin((0.3 * s) + (index % 97) + (2 * (int)modality) + seed) : 0;
                batch.Condition(place, modality)[s] = (float)value;
                sum += value;
            }

            batch.CleanTarget(place)[s] = (float)(sum / 2);
            batch.Weight(place)[s] = task.Kind != TaskKind.Impute || (s >= samples / 4 && s < samples / 2) ? 1 : 0;
        }
    }
}
