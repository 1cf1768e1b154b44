using System.Diagnostics;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Cli.Bench;

/// <summary>Makes an executor do network calls one by one, each a row of a sampler with its update and noise.</summary>
internal sealed class CallDriver
{
    private readonly IExecutor _executor;
    private readonly SamplerStep[] _rows;
    private readonly float[] _conditions;
    private readonly uint[] _windows;
    private readonly bool _targetOnly;
    private int _next;

    public CallDriver(IExecutor executor, SamplerTable sampler, bool targetOnly)
    {
        _executor = executor;
        _targetOnly = targetOnly;
        InferencePlan plan = executor.Plan;
        // At one t the second call and all later ones find the condition rows there.
        _rows = targetOnly ? [.. sampler.Steps.Select(s => s with { T = sampler.Steps[0].T })] : [.. sampler.Steps];
        _windows = [.. Enumerable.Range(0, plan.Windows).Select(w => (uint)w)];
        _conditions = new float[plan.ConditionSamples];
        for (int i = 0; i < _conditions.Length; i++)
            _conditions[i] = MathF.Sin(0.07f * i);
        executor.SetConditions(_conditions);
    }

    /// <summary>One call.</summary>
    /// <returns>Milliseconds; what stands between two calls in a session, such as a run's start, is not counted.</returns>
    public double Call()
    {
        var noise = NoiseSource.Philox(1, _windows);
        if (_next == 0)
            _executor.SetState(noise);
        if (!_targetOnly && _rows.Length == 1)
            _executor.SetConditions(_conditions);
        long start = Stopwatch.GetTimestamp();
        _executor.Step(in _rows[_next], noise);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        _next = (_next + 1) % _rows.Length;
        return milliseconds;
    }

    /// <summary>Fills the backend's tables of every t, which a process does once, with the smallest plan.</summary>
    public static void Prepare(IBackend backend, CardioTask task, SamplerTable sampler)
    {
        using IExecutor executor = backend.CreateExecutor(new InferencePlan(backend.Configuration, task));
        var driver = new CallDriver(executor, sampler, targetOnly: false);
        for (int i = 0; i < sampler.Steps.Count; i++)
            driver.Call();
    }
}
