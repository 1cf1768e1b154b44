using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;

namespace UniCardio.Serving.Inference;

/// <summary>Engine sessions for one window, kept from request to request; those not used for longest go when memory is short. For one thread.</summary>
internal sealed class SessionPool(InferenceEngine engine, long mostBytes) : IDisposable
{
    // The latest used stands last.
    private readonly List<(Key Key, InferenceSession Session)> _sessions = [];

    private readonly record struct Key(CardioTask Task, int Draws, string Sampler);

    /// <summary>A session; valid until the next call.</summary>
    public InferenceSession Get(CardioTask task, int draws, SamplerOptions sampler)
    {
        var key = new Key(task, draws, sampler.ToString());
        int at = _sessions.FindIndex(s => s.Key == key);
        InferenceSession session = at >= 0 ? _sessions[at].Session : engine.CreateSession(task, new Engine.Sessions.SessionOptions { Draws = draws, Sampler = sampler });
        if (at >= 0)
            _sessions.RemoveAt(at);
        _sessions.Add((key, session));
        while (_sessions.Count > 1 && _sessions.Sum(s => s.Session.ArenaBytes) > mostBytes)
        {
            _sessions[0].Session.Dispose();
            _sessions.RemoveAt(0);
        }
        return session;
    }

    public void Dispose()
    {
        foreach ((_, InferenceSession session) in _sessions)
            session.Dispose();
    }
}
