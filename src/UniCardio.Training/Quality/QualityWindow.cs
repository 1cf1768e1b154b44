using UniCardio.Pipeline;

namespace UniCardio.Training.Quality;

/// <summary>A spoiled window of a synthetic heart and the truth about it.</summary>
/// <param name="Signals">[channels, samples] a pulse (PPG or pressure), an ECG and, where the network takes them, their indices
/// (<see cref="QualityInputs"/>); 0 where missing.</param>
/// <param name="Labels">[seconds, 4] quality of pulse and ECG, 0 to 1, then whether the heart rate of each is right, 0 or 1.</param>
/// <param name="Present">Whether pulse and ECG are there at all; a signal that is not has no label.</param>
/// <param name="Rhythm">0 sinus, 1 atrial fibrillation, 2 ectopic beats, 3 ventricular run; -1 where it is none of these.</param>
internal sealed record QualityWindow(float[] Signals, float[] Labels, (bool Pulse, bool Ecg) Present, int Rhythm)
{
    /// <summary>[2][seconds, 7] indices of pulse and ECG (<see cref="QualityInputs.IndicesOf"/>); empty of one that is missing or where
    /// they were not asked for.</summary>
    public float[][] Indices { get; init; } = [[], []];

    /// <summary>Mean quality of what is there.</summary>
    public double Quality
    {
        get
        {
            double sum = 0;
            int count = 0;
            for (int s = 0; s < Labels.Length / 4; s++)
            {
                for (int c = 0; c < 2; c++)
                {
                    if (c == 0 ? !Present.Pulse : !Present.Ecg)
                        continue;
                    sum += Labels[(4 * s) + c];
                    count++;
                }
            }

            return count == 0 ? 0 : sum / count;
        }
    }
}

/// <summary>A better and a worse window of one subject, some seconds apart.</summary>
/// <param name="Better">The one with the higher mean quality.</param>
/// <param name="Worse">The other.</param>
internal sealed record QualityPair(QualityWindow Better, QualityWindow Worse);
