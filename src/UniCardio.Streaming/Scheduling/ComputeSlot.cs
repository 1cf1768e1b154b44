using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;

namespace UniCardio.Streaming;

/// <summary>An engine's session for one shape and one number of windows, with its buffers.</summary>
internal sealed class ComputeSlot : IDisposable
{
    private readonly InferencePlan _oneWindow;

    public ComputeSlot(InferenceEngine engine, TaskShape shape, int windows)
    {
        Shape = shape;
        Session = engine.CreateSession(shape.Task, new SessionOptions { Windows = windows, Draws = shape.Sampling.Draws, Sampler = shape.Sampling.Sampler });
        _oneWindow = new InferencePlan(engine.Configuration, shape.Task, 1, shape.Sampling.Draws);
        Conditions = new float[Session.Plan.ConditionSamples];
        Results = new float[Session.Plan.StateSamples];
        Noise = new float[Session.Sampler.NoiseDraws * Session.Plan.StateSamples];
        // The first estimate makes room for itself; no hop should.
        if (shape.Estimates)
            Session.Estimate(Conditions, new float[Results.Length], 1, Results);
        Bytes = Session.ArenaBytes + (sizeof(float) * (Conditions.LongLength + Results.LongLength + Noise.LongLength));
    }

    public TaskShape Shape { get; }

    public InferenceSession Session { get; }

    public int Windows => Session.Plan.Windows;

    /// <summary>[W, conditions, S].</summary>
    public float[] Conditions { get; }

    /// <summary>[W, N, S].</summary>
    public float[] Results { get; }

    /// <summary>[noise draws, W N, S].</summary>
    public float[] Noise { get; }

    public long Bytes { get; }

    /// <summary>When it was last used, in batches.</summary>
    public long LastUse { get; set; }

    /// <summary>Fills one window's noise: that of an engine's session with this seed and window identity.</summary>
    public void FillNoise(int window, ulong seed, uint identity)
    {
        int samples = _oneWindow.Configuration.SlotSamples, draws = _oneWindow.Draws;
        NoiseSource source = NoiseSource.Philox(seed, new ReadOnlySpan<uint>(in identity));
        for (int index = 0; index < Session.Sampler.NoiseDraws; index++)
        {
            for (int draw = 0; draw < draws; draw++)
                source.Fill(_oneWindow, index, draw, Noise.AsSpan(((((index * Windows) + window) * draws) + draw) * samples, samples));
        }
    }

    public void Dispose() => Session.Dispose();
}
