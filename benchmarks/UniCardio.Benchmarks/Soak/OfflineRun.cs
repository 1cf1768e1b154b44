using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Streaming;

namespace UniCardio.Benchmarks.Soak;

/// <summary>What the undisturbed patient should have got: the same samples, in one go, in this process.</summary>
/// <remarks>That a session in one go is what the windows of the whole recording give, run one by one, the tests of UniCardio.Streaming
/// check.</remarks>
internal sealed record OfflineRun(int Frames, int Compared, int Missing, int Different, string? FirstDifference)
{
    public static OfflineRun Compare(InferenceEngine engine, LiveSampling sampling, ulong seed, long blocks, FrameLog log)
    {
        int frames = 0, compared = 0, missing = 0, different = 0;
        string? first = null;
        void Check(StreamingFrame frame)
        {
            frames++;
            if (log.Find(frame.Index) is not ReceivedFrame received)
            {
                missing++;
                return;
            }
            compared++;
            if (received.DifferenceTo(frame) is not string difference)
                return;
            different++;
            first ??= difference;
        }

        using var host = new StreamingHost(engine, new StreamingHostOptions { OwnThread = false });
        using StreamingSession session = host.Open(SimulatedPatient.Options(sampling, seed), (_, frame) => Check(frame));
        for (long block = 0; block < blocks; block++)
        {
            foreach (Modality modality in Modalities.All)
            {
                if (SimulatedPatient.Block(modality, block) is { Length: > 0 } samples)
                    session.Push(modality,
                        TimeSpan.FromTicks((long)Math.Round(SimulatedPatient.TimeOf(block) * 1e6) * TimeSpan.TicksPerMicrosecond), samples);
            }
            host.RunPending();
        }
        session.Complete();
        host.RunPending();
        return new OfflineRun(frames, compared, missing, different, first);
    }
}
