using UniCardio.Engine.Model;
using UniCardio.Streaming;

namespace UniCardio.Benchmarks.Soak;

/// <summary>Signals that are a function of time alone, so that whoever needs a sample again can make it: PPG, ECG, and a pressure line that
/// is shut at times.</summary>
internal static class SimulatedPatient
{
    /// <summary>Seconds of a block.</summary>
    public const double BlockSeconds = 0.2;

    // The line is shut for some seconds of every turn.
    private const double Turn = 20, ShutFrom = 8, ShutTo = 11;

    public static double Rate(Modality modality) => modality == Modality.Ecg ? 250 : 125;

    /// <summary>What a session of this patient is opened with, as the server does it.</summary>
    public static StreamingSessionOptions Options(LiveSampling sampling, ulong seed) => new()
    {
        Ppg = new ChannelOptions(Rate(Modality.Ppg)),
        Bp = new ChannelOptions(Rate(Modality.Bp)),
        Ecg = new ChannelOptions(Rate(Modality.Ecg)),
        Generate = ModalitySet.Bp,
        Sampling = sampling,
        Seed = seed,
        Deadline = TimeSpan.FromHours(1),
    };

    /// <summary>The message that opens the same session on a server.</summary>
    public static string OpenMessage(LiveSampling sampling, ulong seed, bool waits)
    {
        string channels =
            string.Join(',', Modalities.All.Select(m => FormattableString.Invariant($"\"{m.Name()}\":{{\"rate\":{Rate(m)}}}")));
        return $$"""{"type":"open","channels":{ {{channels}} },"generate":["bp"],"draws":{{sampling.Draws}},"sampler":"{{sampling.Sampler}}","seed":{{seed}},"wait":{{(waits ? "true" : "false")}} }""";
    }

    /// <summary>Time of a block's first sample in seconds.</summary>
    public static double TimeOf(long block) => block * BlockSeconds;

    /// <summary>A block's samples; none while the line is shut.</summary>
    public static float[] Block(Modality modality, long block)
    {
        double rate = Rate(modality), into = TimeOf(block) % Turn;
        if (modality == Modality.Bp && into is >= ShutFrom and < ShutTo)
            return [];
        int count = (int)Math.Round(BlockSeconds * rate);
        return [.. Enumerable.Range(0, count).Select(i => Sample(modality, ((block * count) + i) / rate))];
    }

    private static float Sample(Modality modality, double t)
    {
        double beat = 2 * Math.PI * 1.2 * t, breath = Math.Sin(2 * Math.PI * 0.25 * t);
        double wave = Math.Sin(beat) + (0.35 * Math.Sin((2 * beat) + 0.8)) + (0.1 * breath);
        return (float)(modality switch
        {
            Modality.Ppg => wave,
            Modality.Bp => 93 + (20 * wave),
            _ => Math.Exp(60 * (Math.Cos(beat) - 1)) + (0.15 * Math.Sin(beat + 1)) + (0.05 * breath),
        });
    }
}
