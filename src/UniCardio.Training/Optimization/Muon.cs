using UniCardio.Engine;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Training.Kernels;
using UniCardio.Training.Network;

namespace UniCardio.Training.Optimization;

/// <summary>Numbers of <see cref="Muon"/>.</summary>
public sealed record MuonOptions
{
    /// <summary>Decay of the momentum, 0 to below 1.</summary>
    public double Momentum { get; init; } = 0.95;

    /// <summary>Root mean square of an update's elements over the learning rate; above 0. 0.2 is about Adam's, so that both share a
    /// rate.</summary>
    public double Size { get; init; } = 0.2;

    /// <summary>Checks the numbers.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">One is out of range; it is named.</exception>
    public MuonOptions Validate()
    {
        if (!(Momentum >= 0 && Momentum < 1))
            throw new ConfigurationException("muon_momentum", $"{Momentum} is not from 0 to below 1");
        if (!(Size > 0 && double.IsFinite(Size)))
            throw new ConfigurationException("muon_size", $"{Size} is not a positive finite number");
        return this;
    }
}

/// <summary>
/// Momentum made orthogonal, for the linear maps inside the blocks and decoders (Jordan et al., "Muon: an optimizer for hidden layers",
/// 2024; sizes as in Liu et al., arXiv 2502.16982). The other parameters are <see cref="Adam"/>'s.
/// </summary>
/// <remarks>
/// m = b m + g, W -= rate size sqrt(max(R, C)) orthogonal(g + b m), see <see cref="Orthogonalization"/>. Maps that stand stacked in one
/// tensor (queries, keys and values; gate and filter; residual and skip) are made orthogonal one by one. The same bits for any number of
/// threads on one instruction set.
/// </remarks>
internal sealed unsafe class Muon : IDisposable
{
    private const int MinSize = 16;

    private readonly MuonOptions _options;
    private readonly CpuInstructionSet _set;
    private readonly List<MatrixPart> _parts = [];
    private readonly List<Dictionary<(int Rows, int Columns), OrthogonalizationRoom>> _rooms = [];

    /// <summary>Finds the maps of a layout.</summary>
    /// <param name="layout">The parameters.</param>
    /// <param name="options">Its numbers.</param>
    /// <param name="instructionSet">Vector instructions; not Auto.</param>
    /// <param name="threads">Most threads that <see cref="Update"/> is shared over.</param>
    /// <exception cref="ConfigurationException">A number is out of range.</exception>
    public Muon(ParameterLayout layout, MuonOptions options, CpuInstructionSet instructionSet, int threads)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Validate();
        _set = new CpuBackendOptions { InstructionSet = instructionSet }.Resolve().InstructionSet;
        foreach (ParameterSlice slice in layout.Slices.Where(IsMap))
        {
            Slices.Add(slice);
            int rows = slice.Shape[0], columns = slice.Shape[1], channels = layout.Configuration.Channels;
            int stacked = rows > channels && rows % channels == 0 ? rows / channels : 1;
            for (int i = 0; i < stacked; i++)
                _parts.Add(new MatrixPart(slice.Offset + (i * (slice.Count / stacked)), rows / stacked, columns));
        }

        for (int i = 0; i < threads; i++)
            _rooms.Add([]);
    }

    /// <summary>Takes given maps.</summary>
    /// <param name="maps">Maps [R, C], both at least 16, and how many stand stacked in one tensor.</param>
    /// <param name="options">Its numbers.</param>
    /// <param name="instructionSet">Vector instructions; not Auto.</param>
    /// <exception cref="ConfigurationException">A number is out of range.</exception>
    internal Muon(IEnumerable<(ParameterSlice Slice, int Stacked)> maps, MuonOptions options, CpuInstructionSet instructionSet)
    {
        ArgumentNullException.ThrowIfNull(maps);
        ArgumentNullException.ThrowIfNull(options);
        (_options, _set) = (options.Validate(), instructionSet);
        foreach ((ParameterSlice slice, int stacked) in maps)
        {
            Slices.Add(slice);
            for (int i = 0; i < stacked; i++)
                _parts.Add(new MatrixPart(slice.Offset + (i * (slice.Count / stacked)), slice.Shape[0] / stacked, slice.Shape[1]));
        }

        _rooms.Add([]);
    }

    /// <summary>The tensors that are this optimiser's.</summary>
    internal List<ParameterSlice> Slices { get; } = [];

    /// <summary>One update of its tensors.</summary>
    /// <param name="parameters">[N].</param>
    /// <param name="gradients">[N], not changed.</param>
    /// <param name="momentum">[N] of which its tensors' part is read and written.</param>
    /// <param name="scale">Factor of the gradients, from clipping.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="share">Runs pieces 0 to n - 1 on threads: share(n, (piece, thread) => ...).</param>
    public void Update(Span<float> parameters, ReadOnlySpan<float> gradients, Span<float> momentum, float scale, double rate,
        Action<int, Action<int, int>> share)
    {
        ArgumentNullException.ThrowIfNull(share);
        float step = (float)(rate * _options.Size);
        fixed (float* w = parameters, g = gradients, m = momentum)
        {
            var vectors = new Vectors(w, g, m);
            share(_parts.Count, (piece, thread) => Move(_parts[piece], vectors, scale, step, _rooms[thread]));
        }
    }

    /// <summary>Frees the buffers.</summary>
    public void Dispose()
    {
        foreach (OrthogonalizationRoom room in _rooms.SelectMany(r => r.Values))
            room.Dispose();
        _rooms.Clear();
    }

    private static bool IsMap(ParameterSlice slice) =>
        slice.Shape.Count >= 2 && slice.Shape.Skip(2).All(n => n == 1) && Math.Min(slice.Shape[0], slice.Shape[1]) >= MinSize
        && (slice.Name.Contains("residual_layers.", StringComparison.Ordinal)
            || slice.Name.Contains("output_projection", StringComparison.Ordinal));

    private void Move(MatrixPart part, Vectors vectors, float scale, float step,
        Dictionary<(int Rows, int Columns), OrthogonalizationRoom> rooms)
    {
        int count = part.Rows * part.Columns;
        float* w = vectors.Parameters + part.Offset, g = vectors.Gradients + part.Offset, m = vectors.Momentum + part.Offset;
        bool turned = part.Rows > part.Columns;
        (int rows, int columns) = turned ? (part.Columns, part.Rows) : (part.Rows, part.Columns);
        if (!rooms.TryGetValue((rows, columns), out OrthogonalizationRoom? room))
            rooms.Add((rows, columns), room = new OrthogonalizationRoom(rows, columns, 2 * CpuInstructionSets.Lanes(_set)));
        float decay = (float)_options.Momentum;
        step *= MathF.Sqrt(columns);
        float[] held = System.Buffers.ArrayPool<float>.Shared.Rent(count);
        Span<float> x = held.AsSpan(0, count);
        for (int i = 0; i < count; i++)
        {
            float gradient = g[i] * scale;
            m[i] = (m[i] * decay) + gradient;
            x[Place(i, part, turned)] = gradient + (m[i] * decay);
        }

        fixed (float* start = x)
            CpuInstructionSets.Run<Orthogonalize, int>(_set, new Orthogonalize(start, count, room));
        for (int i = 0; i < count; i++)
            w[i] -= step * x[Place(i, part, turned)];
        System.Buffers.ArrayPool<float>.Shared.Return(held);
    }

    private static int Place(int i, MatrixPart part, bool turned) => turned ? (i % part.Columns * part.Rows) + (i / part.Columns) : i;

    private readonly struct Orthogonalize(float* x, int count, OrthogonalizationRoom room) : ISimdCode<int>
    {
        private readonly float* _x = x;

        public int Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            Orthogonalization.Run<S, V>(new Span<float>(_x, count), room);
            return 0;
        }
    }

    // The three flat vectors, pinned for the time of an update.
    private readonly struct Vectors(float* parameters, float* gradients, float* momentum)
    {
        public readonly float* Parameters = parameters, Gradients = gradients, Momentum = momentum;
    }

    private readonly record struct MatrixPart(int Offset, int Rows, int Columns);
}
