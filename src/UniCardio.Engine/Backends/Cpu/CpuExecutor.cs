using System.Diagnostics;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>One plan's buffers on the CPU, and the job that a step is.</summary>
/// <remarks>
/// Work is dealt out in two ways that give the same bits: as many sets of rows as divide evenly over the threads are computed by one
/// thread each, whichever is free, without meeting anybody; the rest are split by rows over the whole team. So the arena grows with
/// threads, not with draws, apart from the state itself.
/// </remarks>
internal sealed unsafe class CpuExecutor<S, V, TProbe> : IExecutor, ITeamJob
    where S : struct, ISimd<S, V>
    where V : struct
    where TProbe : struct, IProbe
{
    private const int Reach = EncoderPatch.Reach;
    private const int History = 3;

    private readonly PackedNetwork _network;
    private readonly ThreadTeam _team;
    private readonly CpuProfile? _profile;
    private readonly RowSetPass<S, V, TProbe> _pass;
    private readonly RowSetBuffers?[] _own;
    private readonly RowSetBuffers? _shared;
    private readonly StripScratch[] _scratch;
    private readonly KeyValueCache[] _conditions;
    private readonly AlignedBuffer _conditionSignals, _state, _prediction, _clean;
    private readonly Slot[] _conditionSlots, _targetSlots;
    private readonly int _samples, _signalStride;
    private int _conditionStep = -1;
    private int _newest;
    private bool _disposed;

    // The job under way: fields, since a job object a step would be an allocation a step.
    private int _t;
    private bool _doesConditions, _doesUpdate;
    private SamplerStep _step;
    private readonly ulong[] _seeds;
    private uint _firstDraw;
    private readonly uint[] _windows;
    private readonly PaddedInt[] _nextSet = new PaddedInt[2];
    private float* _explicitNoise;

    public CpuExecutor(InferencePlan plan, PackedNetwork network, ThreadTeam team, CpuProfile? profile, int stripRows)
    {
        Plan = plan;
        _network = network;
        _team = team;
        _profile = profile;
        _pass = new RowSetPass<S, V, TProbe>(network, profile);
        ModelConfiguration m = plan.Configuration;
        _samples = m.SlotSamples;
        _signalStride = PackedNetwork.RoundUp(_samples + (2 * Reach), AlignedBuffer.Alignment / sizeof(float));
        _conditionSlots = [.. plan.Conditions.Select(c => (Slot)(int)c)];
        _targetSlots = [plan.Target];
        foreach (Slot slot in (IEnumerable<Slot>)[.. _conditionSlots, plan.Target])
            network.Slots.Prepare(slot);
        _conditionSignals = new AlignedBuffer((long)plan.Windows * _conditionSlots.Length * _signalStride);
        _state = new AlignedBuffer((long)plan.BatchDraws * _signalStride);
        _prediction = new AlignedBuffer(plan.StateSamples);
        _clean = new AlignedBuffer((long)History * plan.StateSamples);
        _conditions = [.. Enumerable.Range(0, plan.Windows).Select(_ => new KeyValueCache(m, plan.ConditionTokens, m.Blocks))];
        int parts = team.Parts, rows = Math.Max(plan.ConditionTokens, plan.TargetTokens);
        bool ownSets = plan.BatchDraws >= parts || plan.Windows >= parts, sharedSets = plan.BatchDraws % parts != 0
            || plan.Windows % parts != 0;
        _own = [.. Enumerable.Range(0, parts).Select(_ => ownSets ? new RowSetBuffers(network, rows, plan.TargetTokens) : null)];
        _shared = sharedSets ? new RowSetBuffers(network, rows, plan.TargetTokens) : null;
        _scratch = [.. Enumerable.Range(0, parts).Select(_ => new StripScratch(network, Math.Min(stripRows, rows)))];
        _windows = new uint[plan.Windows];
        _seeds = new ulong[plan.Windows];
        ArenaBytes = _conditionSignals.Bytes + _state.Bytes + _prediction.Bytes + _clean.Bytes + _conditions.Sum(c => c.Bytes)
            + _own.Sum(b => b?.Bytes ?? 0) + (_shared?.Bytes ?? 0) + _scratch.Sum(s => s.Bytes);
    }

    public InferencePlan Plan { get; }

    public long ArenaBytes { get; }

    public void SetConditions(ReadOnlySpan<float> conditions)
    {
        Check();
        Expect(conditions.Length, Plan.ConditionSamples, "conditions");
        for (int i = 0; i < Plan.Windows * _conditionSlots.Length; i++)
            conditions.Slice(i * _samples, _samples)
                .CopyTo(new Span<float>(_conditionSignals.Pointer + ((nint)i * _signalStride) + Reach, _samples));
        _conditionStep = -1;
    }

    public void SetState(ReadOnlySpan<float> state)
    {
        Check();
        Expect(state.Length, Plan.StateSamples, "state");
        for (int draw = 0; draw < Plan.BatchDraws; draw++)
            state.Slice(draw * _samples, _samples).CopyTo(State(draw));
        ClearHistory();
    }

    public void SetState(NoiseSource noise)
    {
        Check();
        CheckNoise(noise, 0);
        for (int draw = 0; draw < Plan.BatchDraws; draw++)
            noise.Fill(Plan, 0, draw, State(draw));

        ClearHistory();
    }

    public void GetState(Span<float> state)
    {
        Check();
        Expect(state.Length, Plan.StateSamples, "state");
        for (int draw = 0; draw < Plan.BatchDraws; draw++)
            State(draw).CopyTo(state.Slice(draw * _samples, _samples));
    }

    public void GetClean(Span<float> clean)
    {
        Check();
        Expect(clean.Length, Plan.StateSamples, "clean");
        new Span<float>(Clean(0), Plan.StateSamples).CopyTo(clean);
    }

    public void Predict(int t, Span<float> prediction)
    {
        Check();
        Expect(prediction.Length, Plan.StateSamples, "prediction");
        _doesUpdate = false;
        Evaluate(t);
        _prediction.Span.CopyTo(prediction);
    }

    public void Step(in SamplerStep step, NoiseSource noise)
    {
        Check();
        _step = step;
        _doesUpdate = true;
        _explicitNoise = null;
        _newest = (_newest + History - 1) % History;
        if (step.Noise == 0)
        {
            Evaluate(step.T);
            return;
        }

        CheckNoise(noise, step.NoiseIndex);
        for (int window = 0; window < noise.Windows.Length; window++)
            _seeds[window] = noise.SeedOf(window);
        _firstDraw = noise.FirstDraw;
        noise.Windows.CopyTo(_windows);
        fixed (float* values = noise.Values)
        {
            if (noise.IsExplicit)
                _explicitNoise = values + ((nint)step.NoiseIndex * Plan.StateSamples);
            Evaluate(step.T);
        }
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        foreach (IDisposable? part in (IEnumerable<IDisposable?>)[_conditionSignals, _state, _prediction, _clean, .. _conditions, .. _own,
            _shared, .. _scratch])
            part?.Dispose();
    }

    // One part of a step: condition rows if they are not there for this t, then target rows with their update.
    void ITeamJob.Execute(int part, int parts, TeamBarrier barrier)
    {
        if (_doesConditions)
        {
            Deal(Plan.Windows, isCondition: true, part, parts, barrier);
            barrier.Wait();
        }

        Deal(Plan.BatchDraws, isCondition: false, part, parts, barrier);
    }

    // Whole sets of rows go to whoever is free; what does not divide evenly is split by rows over all.
    private void Deal(int sets, bool isCondition, int part, int parts, TeamBarrier barrier)
    {
        int whole = sets / parts * parts;
        ref int next = ref _nextSet[isCondition ? 0 : 1].Value;
        for (int set; (set = Interlocked.Increment(ref next) - 1) < whole;)
            RunRows(set, isCondition, _own[part]!, part, 0, 1, barrier);
        for (int set = whole; set < sets; set++)
        {
            RunRows(set, isCondition, _shared!, part, part, parts, barrier);

            // The shared buffers are the next set's too.
            if (parts > 1)
                barrier.Wait();
        }
    }

    private void RunRows(int set, bool isCondition, RowSetBuffers buffers, int thread, int part, int parts, TeamBarrier barrier)
    {
        var work = new RowSet { T = _t, IsCondition = isCondition, SignalStride = _signalStride };
        if (isCondition)
        {
            work.Slots = _conditionSlots;
            work.Condition = _conditions[set];
            work.Signals = _conditionSignals.Pointer + ((nint)set * _conditionSlots.Length * _signalStride);
        }
        else
        {
            work.Slots = _targetSlots;
            work.Condition = _conditions[set / Plan.Draws];
            work.Signals = _state.Pointer + ((nint)set * _signalStride);
            work.Prediction = _prediction.Pointer + ((nint)set * _samples);
            work.Output = Plan.Task.Output;
        }

        _pass.Run(work, buffers, _scratch[thread], part, parts, barrier, thread);
        if (!isCondition && _doesUpdate)
            Update(set, thread, part, parts);
    }

    // The sampler's row on the samples of this part's rows: nobody else reads or writes them any more.
    private void Update(int draw, int thread, int part, int parts)
    {
        int p = Plan.Configuration.SamplesPerToken, tokens = Plan.TargetTokens;
        int start = RowSetPass<S, V, TProbe>.RowStart(tokens, part, parts) * p,
            end = RowSetPass<S, V, TProbe>.RowStart(tokens, part + 1, parts) * p;
        if (start == end)
            return;
        nint at = ((nint)draw * _samples) + start;
        float* noise = _scratch[thread].NoisePointer + start;
        long since = TProbe.IsOn ? Stopwatch.GetTimestamp() : 0;
        if (_explicitNoise != null)
            noise = _explicitNoise + at;
        else if (_step.Noise != 0)
            PhiloxNormal.Fill(_seeds[draw / Plan.Draws], _windows[draw / Plan.Draws], _firstDraw + (uint)(draw % Plan.Draws),
                (uint)_step.NoiseIndex, _scratch[thread].Noise[start..end], start);
        if (TProbe.IsOn)
        {
            _profile!.Add(CpuKernel.Noise, false, thread, since);
            since = Stopwatch.GetTimestamp();
        }

        SamplerUpdate.Run<S, V>(_step, _state.Pointer + ((nint)draw * _signalStride) + Reach + start, _prediction.Pointer + at,
            Clean(0) + at, Clean(1) + at, Clean(2) + at, noise, end - start);
        if (TProbe.IsOn)
            _profile!.Add(CpuKernel.SamplerUpdate, false, thread, since);
    }

    private void Evaluate(int t)
    {
        if (t < 0 || t >= Plan.Configuration.DiffusionSteps)
            throw new ConfigurationException("t", $"{t} is not between 0 and {Plan.Configuration.DiffusionSteps - 1}");
        _network.Steps.Prepare(t);
        _t = t;
        _doesConditions = _conditionStep != t;
        _conditionStep = -1;
        _nextSet[0].Value = _nextSet[1].Value = 0;
        _team.Run(this);
        _conditionStep = t;
    }

    private Span<float> State(int draw) => new(_state.Pointer + ((nint)draw * _signalStride) + Reach, _samples);

    /// <summary>[W N, S] clean signal of the row that is <paramref name="age"/> rows old.</summary>
    private float* Clean(int age) => _clean.Pointer + ((nint)((_newest + age) % History) * Plan.StateSamples);

    private void ClearHistory() => _clean.Span.Clear();

    private void Check() => ObjectDisposedException.ThrowIf(_disposed, this);

    private void CheckNoise(NoiseSource noise, int index)
    {
        if (noise.IsExplicit)
        {
            if (noise.Values.Length < (index + 1L) * Plan.StateSamples)
                throw new ConfigurationException(
                    "noise",
                    $"{noise.Values.Length} values given, draw {index} of {Plan.BatchDraws} draws x {_samples} samples ends at "
                    + $"{(index + 1L) * Plan.StateSamples}");
        }
        else if (noise.Windows.Length != Plan.Windows)
        {
            throw new ConfigurationException("noise", $"{noise.Windows.Length} window identities given for {Plan.Windows} windows");
        }
    }

    private static void Expect(int actual, int expected, string what)
    {
        if (actual != expected)
            throw new ArgumentException($"{what}: {actual} values given, the plan needs {expected}");
    }
}
