using UniCardio.Engine;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Kernels;

namespace UniCardio.Training.Network;

/// <summary>How a <see cref="TrainingNetwork"/> computes.</summary>
internal sealed record TrainingNetworkOptions
{
    /// <summary>Threads; 0 for one a processor.</summary>
    public int Threads { get; init; }

    /// <summary>Vector instructions.</summary>
    public CpuInstructionSet InstructionSet { get; init; } = CpuInstructionSet.Auto;

    /// <summary>Dropout rate of attention weights, attention's output, hidden layer and feed-forward output, 0 to below 1. Published:
    /// 0.1.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>
    /// Gradient accumulators: windows are dealt to lanes and lanes are added in order, so the bits depend on this number but not on
    /// <see cref="Threads"/>.
    /// </summary>
    public int Lanes { get; init; } = 8;

    /// <summary>Checks every number but those of <see cref="CpuBackendOptions"/>, which are checked there.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">A number is out of range; it is named.</exception>
    public TrainingNetworkOptions Validate()
    {
        if (!(Dropout >= 0 && Dropout < 1))
            throw new ConfigurationException("dropout", $"{Dropout} is not between 0 and 1");
        return Lanes is < 1 or > 1024 ? throw new ConfigurationException("lanes", $"{Lanes} is not between 1 and 1024") : this;
    }
}

/// <summary>The network with backward passes, float32 on hand-written SIMD kernels, data-parallel over the windows of a batch.</summary>
/// <remarks>Live slots only. Same bits for any number of threads and from run to run on one instruction set. Not safe for concurrent
/// calls.</remarks>
internal sealed unsafe class TrainingNetwork : IGradientNetwork
{
    // Windows of a group: enough rows to pay for reading the weights, few enough for the activations to stay small.
    private const int GroupWindows = 4;

    private readonly TrainingNetworkOptions _options;
    private readonly TrainingShape _shape;
    private readonly TrainedWeights _weights;
    private readonly StepEmbeddings _steps;
    private readonly GradientReduction _reduction;
    private readonly TrainingPass _pass;
    private readonly ThreadTeam _team;
    private readonly Activations?[] _activations;
    private readonly GradientLane[] _lanes;
    private readonly float[] _parameters;
    private readonly float[] _gradients;
    private float[] _dSteps = [];

    /// <summary>Allocates the network with every parameter zero.</summary>
    /// <param name="configuration">The network's sizes.</param>
    /// <param name="options">Threads, instructions, dropout; null for the defaults.</param>
    /// <exception cref="ConfigurationException">A size or option is out of range, or the instruction set is not available.</exception>
    public TrainingNetwork(ModelConfiguration configuration, TrainingNetworkOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        _options = (options ?? new TrainingNetworkOptions()).Validate();
        CpuBackendOptions cpu = new CpuBackendOptions { Threads = _options.Threads, InstructionSet = _options.InstructionSet }.Resolve();
        Threads = cpu.Threads;
        InstructionSet = cpu.InstructionSet;
        Layout = new ParameterLayout(configuration);
        _parameters = new float[Layout.Length];
        _gradients = new float[Layout.Length];
        _shape = new TrainingShape(configuration, 2 * CpuInstructionSets.Lanes(InstructionSet));
        _weights = new TrainedWeights(Layout, _shape);
        _steps = new StepEmbeddings(Layout, _shape.Stride);
        _pass = CpuInstructionSets.Run<Pass, TrainingPass>(InstructionSet, new Pass(configuration, _shape, _weights, _steps));
        _team = new ThreadTeam(Threads);
        _activations = new Activations?[Threads];
        _lanes = [.. Enumerable.Range(0, _options.Lanes).Select(_ => new GradientLane(Layout, _shape))];
        _reduction = new GradientReduction(Layout, _shape, _lanes);
    }

    /// <inheritdoc/>
    public ModelConfiguration Configuration => Layout.Configuration;

    /// <inheritdoc/>
    public ParameterLayout Layout { get; }

    /// <inheritdoc/>
    public int Threads { get; }

    /// <inheritdoc/>
    public CpuInstructionSet InstructionSet { get; }

    /// <inheritdoc/>
    public Span<float> Parameters => _parameters;

    /// <inheritdoc/>
    public Span<float> Gradients => _gradients;

    /// <inheritdoc/>
    public void Share(int pieces, Action<int, int> run)
    {
        ArgumentNullException.ThrowIfNull(run);
        _team.Run(new Shared(pieces, run));
    }

    /// <inheritdoc/>
    public void ParametersChanged()
    {
        _team.Run(new Shared(_weights.Pieces, (piece, _) => _weights.Pack(piece, _parameters)));
        _weights.Finish(_parameters);
        _steps.Clear();
    }

    /// <inheritdoc/>
    public void Accumulate(TrainingBatch batch, WindowLoss loss, ulong dropoutSeed, Span<double> losses)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(loss);
        Check(batch);
        if (losses.Length != batch.Count)
            throw new ArgumentException($"{losses.Length} losses for {batch.Count} windows", nameof(losses));
        int stride = _shape.Stride, blocks = Configuration.Blocks;
        if (_dSteps.Length != batch.Count * blocks * stride)
            _dSteps = new float[batch.Count * blocks * stride];
        Array.Clear(_dSteps);
        List<WindowGroup>[] groups = Deal(batch, _lanes.Length);
        int rows = groups.Max(lane => lane.Count == 0 ? 0 : lane.Max(g => g.Rows));
        double[] values = new double[batch.Count];
        DropoutMask dropout = DropoutMask.Of(dropoutSeed, _options.Dropout);
        _team.Run(new Shared(_lanes.Length, (lane, part) =>
        {
            _lanes[lane].Clear();
            Activations a = Room(part, rows);
            foreach (WindowGroup group in groups[lane])
            {
                _pass.Forward(batch, group, a, dropout);
                Losses(batch, group, a, loss, values);
                _pass.Backward(batch, group, a, _lanes[lane], _dSteps, dropout);
            }
        }));
        _team.Run(new Shared(_reduction.Pieces, (piece, _) => _reduction.Run(piece, _gradients)));
        StepGradients(batch);
        values.CopyTo(losses);
    }

    /// <inheritdoc/>
    public void Predict(TrainingBatch batch, Span<float> predictions)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Check(batch);
        if (predictions.Length != batch.Count * batch.SlotSamples)
            throw new ArgumentException($"{predictions.Length} floats for {batch.Count} windows of {batch.SlotSamples} samples",
                nameof(predictions));
        List<WindowGroup>[] groups = Deal(batch, (batch.Count + GroupWindows - 1) / GroupWindows);
        int rows = groups.Max(lane => lane.Max(g => g.Rows));
        float[] result = new float[predictions.Length];
        _team.Run(new Shared(groups.Length, (lane, part) =>
        {
            Activations a = Room(part, rows);
            foreach (WindowGroup group in groups[lane])
            {
                _pass.Forward(batch, group, a, default);
                foreach (WindowRows window in group.Windows)
                    Gather(a, window.TargetRow - group.TargetRow, result.AsSpan(window.Window * batch.SlotSamples, batch.SlotSamples));
            }
        }));
        result.CopyTo(predictions);
    }

    /// <summary>Stops the team and frees every buffer.</summary>
    public void Dispose()
    {
        _team.Dispose();
        _weights.Dispose();
        _steps.Dispose();
        foreach (GradientLane lane in _lanes)
            lane.Dispose();
        foreach (Activations? a in _activations)
            a?.Dispose();
    }

    private void Check(TrainingBatch batch)
    {
        if (batch.SlotSamples != Configuration.SlotSamples)
            throw new ArgumentException($"the batch has windows of {batch.SlotSamples} samples, the network of {Configuration.SlotSamples}",
                nameof(batch));
        for (int i = 0; i < batch.Count; i++)
        {
            if (!batch.Tasks[i].IsValid)
                throw new ArgumentException($"window {i} has no task", nameof(batch));
            if (batch.Steps[i] < 0 || batch.Steps[i] >= Configuration.DiffusionSteps)
                throw new ArgumentException($"window {i} is at step {batch.Steps[i]}, expected 0 to {Configuration.DiffusionSteps - 1}",
                    nameof(batch));
            _steps.Prepare(batch.Steps[i], _parameters);
        }
    }

    // Largest windows first, each with all its draws to the lane with the fewest rows: a function of the batch alone.
    private List<WindowGroup>[] Deal(TrainingBatch batch, int lanes)
    {
        var members = new List<int>[lanes];
        int[] load = new int[lanes];
        for (int i = 0; i < lanes; i++)
            members[i] = [];
        int draws = batch.Draws, chunk = draws * Math.Max(1, GroupWindows / draws);
        foreach (int window in Enumerable.Range(0, batch.Count / draws).Select(i => i * draws)
            .OrderByDescending(w => batch.Tasks[w].Conditions.Count()))
        {
            int min = Array.IndexOf(load, load.Min());
            members[min].AddRange(Enumerable.Range(window, draws));
            load[min] += draws * (batch.Tasks[window].Conditions.Count() + 1);
        }

        return [.. members.Select(lane => lane.Chunk(chunk).Select(windows => new WindowGroup(Configuration, batch, windows)).ToList())];
    }

    private Activations Room(int part, int rows)
    {
        if (_activations[part] is not { } a || a.Rows < rows)
        {
            _activations[part]?.Dispose();
            _activations[part] = a = new Activations(Configuration, _shape, rows);
        }

        return a;
    }

    // All draws of a window are in one group.
    private void Losses(TrainingBatch batch, WindowGroup group, Activations a, WindowLoss loss, double[] values)
    {
        int samples = Configuration.SlotSamples, p = Configuration.SamplesPerToken;
        float[] rented = System.Buffers.ArrayPool<float>.Shared.Rent(samples);
        Span<float> gradient = rented.AsSpan(0, samples);
        foreach (WindowRows window in group.Windows)
            Gather(a, window.TargetRow - group.TargetRow, batch.Prediction(window.Window));
        foreach (WindowRows window in group.Windows)
        {
            int first = window.TargetRow - group.TargetRow;
            values[window.Window] = loss(window.Window, batch.Prediction(window.Window), gradient);
            float* row = a.Prediction + ((nint)first * _shape.OutStride);
            for (int token = 0; token < window.TargetRows; token++, row += _shape.OutStride)
            {
                gradient.Slice(token * p, p).CopyTo(new Span<float>(row, p));
                new Span<float>(row + p, _shape.OutStride - p).Clear();
            }
        }

        System.Buffers.ArrayPool<float>.Shared.Return(rented);
    }

    private void Gather(Activations a, int firstRow, Span<float> samples)
    {
        int p = Configuration.SamplesPerToken;
        float* row = a.Prediction + ((nint)firstRow * _shape.OutStride);
        for (int token = 0; token < Configuration.SlotTokens; token++, row += _shape.OutStride)
            new ReadOnlySpan<float>(row, p).CopyTo(samples.Slice(token * p, p));
    }

    // Windows of one step share its maps: their gradients are added in window order first.
    private void StepGradients(TrainingBatch batch)
    {
        int length = Configuration.Blocks * _shape.Stride;
        foreach (WeightAndBias<ParameterSlice> map in (IEnumerable<WeightAndBias<ParameterSlice>>)
            [Layout.Network.Embedding1, Layout.Network.Embedding2, .. Layout.Network.Blocks.Select(b => b.DiffusionProjection)])
        {
            map.Weight.Of(_gradients.AsSpan()).Clear();
            map.Bias.Of(_gradients.AsSpan()).Clear();
        }

        float[] sum = new float[length];
        foreach (IGrouping<int, int> windows in Enumerable.Range(0, batch.Count).GroupBy(w => batch.Steps[w]))
        {
            Array.Clear(sum);
            foreach (int window in windows)
                System.Numerics.Tensors.TensorPrimitives.Add(sum, _dSteps.AsSpan(window * length, length), sum);
            _steps.Backward(windows.Key, sum, _parameters, _gradients);
        }
    }

    private sealed record Pass(ModelConfiguration Configuration, TrainingShape Shape, TrainedWeights Weights, StepEmbeddings Steps)
        : ISimdCode<TrainingPass>
    {
        public TrainingPass Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct => new TrainingPass<S, V>(Configuration, Shape, Weights, Steps);
    }

    // Pieces of work that the members of the team take one after the other.
    private sealed class Shared(int pieces, Action<int, int> run) : ITeamJob
    {
        private int _next = -1;

        public void Execute(int part, int parts, TeamBarrier barrier)
        {
            for (int piece = Interlocked.Increment(ref _next); piece < pieces; piece = Interlocked.Increment(ref _next))
                run(piece, part);
        }
    }
}
