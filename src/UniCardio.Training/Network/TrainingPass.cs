using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Kernels;

namespace UniCardio.Training.Network;

/// <summary>Forward and backward over a group of windows on one thread, whatever its instruction set.</summary>
internal abstract class TrainingPass
{
    /// <summary>Forward; leaves the prediction by token in <paramref name="a"/>.</summary>
    public abstract void Forward(TrainingBatch batch, WindowGroup group, Activations a, in DropoutMask dropout);

    /// <summary>Backward from the gradient at the prediction.</summary>
    /// <param name="batch">The forward pass's batch.</param>
    /// <param name="group">Its group.</param>
    /// <param name="a">Its activations; the prediction's place holds the gradient.</param>
    /// <param name="lane">Accumulates.</param>
    /// <param name="dSteps">[windows of the batch, blocks, stride] receives each window's gradient of the step vectors.</param>
    /// <param name="dropout">The forward pass's masks.</param>
    public abstract void Backward(TrainingBatch batch, WindowGroup group, Activations a, GradientLane lane, Span<float> dSteps,
        in DropoutMask dropout);
}

/// <summary>Rows of one kind that go through a block together.</summary>
/// <param name="Group">The windows.</param>
/// <param name="Activations">The thread's.</param>
/// <param name="Block">Number of the block.</param>
/// <param name="Row">First row.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Dropout">The masks.</param>
internal readonly record struct RowStrip(WindowGroup Group, Activations Activations, int Block, int Row, int Rows, DropoutMask Dropout)
{
    /// <summary>Whether the rows are targets, whose skips are read.</summary>
    public bool IsTarget => Row >= Group.TargetRow;
}

/// <summary>The passes on one instruction set. Live slots only: no dead slot and no unread skip is computed.</summary>
internal sealed unsafe partial class TrainingPass<S, V> : TrainingPass
    where S : struct, ISimd<S, V>
    where V : struct
{
    private const float InverseSqrt2 = 0.70710678f;
    private readonly ModelConfiguration _m;
    private readonly TrainingShape _shape;
    private readonly TrainedWeights _weights;
    private readonly StepEmbeddings _steps;
    private readonly float _skipScale;

    public TrainingPass(ModelConfiguration m, TrainingShape shape, TrainedWeights weights, StepEmbeddings steps)
    {
        _m = m;
        _shape = shape;
        _weights = weights;
        _steps = steps;
        _skipScale = (float)(1 / Math.Sqrt(m.Blocks));
    }

    public override void Forward(TrainingBatch batch, WindowGroup group, Activations a, in DropoutMask dropout)
    {
        foreach (SlotRows slot in group.Slots)
            Encode(batch, slot, a);
        for (int block = 0; block < _m.Blocks; block++)
        {
            AttentionForward(batch, group, a, block, dropout);
            bool last = block == _m.Blocks - 1;
            for (int row = last ? group.TargetRow : 0; row < group.Rows;)
            {
                int rows = StripEnd(group, row) - row;
                StripForward(new RowStrip(group, a, block, row, rows, dropout));
                row += rows;
            }
        }

        Decode(batch, group, a);
    }

    // Strips end where conditions end, so that a strip is of one kind.
    private static int StripEnd(WindowGroup group, int row)
    {
        int end = Math.Min(row + Activations.StripRows, group.Rows);
        return row < group.TargetRow ? Math.Min(end, group.TargetRow) : end;
    }

    private static void Product(float* a, nint aStride, PackedMatrix b, float* init, nint initStride, float* c, nint cStride, int rows) =>
        MatrixProduct.ByRows<S, V>(a, aStride, b, 0, b.Panels, init, initStride, c, cStride, rows);

    private void LoadSamples(TrainingBatch batch, in SlotRows slot, Activations a) =>
        batch.Slot(slot.Window, slot.Slot).CopyTo(new Span<float>(a.Samples + EncoderPatch.Reach, _m.SlotSamples));

    private void Encode(TrainingBatch batch, in SlotRows slot, Activations a)
    {
        TrainedEncoder encoder = _weights.Encoders[slot.Slot];
        int tokens = _m.SlotTokens, stride = _shape.Stride;
        nint at = (nint)slot.Row * stride, plane = (nint)tokens * stride;
        float* x = a.X + at;
        LoadSamples(batch, slot, a);

        // A token's patch starts p samples after the one before it, so the padded samples are the left side as they stand.
        Product(a.Samples, _m.SamplesPerToken, encoder.Patch, encoder.Patch.Bias, 0, x, stride, tokens);
        LayerNorm.Moments<S, V>(x, stride, tokens, _m.Channels, stride, a.Zeros, a.Mask, a.Moments);
        (float mean, float scale) = LayerNorm.Combine(a.Moments, tokens, _m.Channels);
        PlaneNorm.Forward<S, V>(x, a.Plane + at, plane, stride, a.Mask, encoder.Gamma, encoder.Beta, mean, scale);
        a.PlaneScale[slot.Row / tokens] = scale;
    }

    private void AttentionForward(TrainingBatch batch, WindowGroup group, Activations a, int block, in DropoutMask dropout)
    {
        BlockActivations kept = a.Blocks[block];
        TrainedBlock weights = _weights.Blocks[block];
        int stride = _shape.Stride, width = _shape.PanelWidth;
        bool last = block == _m.Blocks - 1;
        foreach (SlotRows slot in group.Slots)
        {
            nint at = (nint)slot.Row * stride;
            ElementRows.AddVector<S, V>(a.X + at, _steps.Of(batch.Steps[slot.Window], block), kept.Y + at, stride, _m.SlotTokens, stride);
        }

        for (int row = 0; row < group.Rows;)
        {
            int rows = StripEnd(group, row) - row;

            // In the last block conditions are only read: no queries.
            int first = last && row < group.TargetRow ? _m.Channels / width : 0;
            PackedMatrix qkv = weights.Maps.AttentionIn.Forward;
            MatrixProduct.ByRows<S, V>(kept.Y + ((nint)row * stride), stride, qkv, first, qkv.Panels, qkv.Bias, 0,
                kept.Qkv + ((nint)row * _shape.QkvStride), _shape.QkvStride, rows);
            row += rows;
        }

        AttentionBuffers buffers = Buffers(a, block, kept.Attended);
        foreach (WindowRows window in group.Windows)
            TrainedAttention.Forward<S, V>(buffers, window, a.Attention, dropout);
    }

    private AttentionBuffers Buffers(Activations a, int block, float* output) => new()
    {
        Qkv = a.Blocks[block].Qkv,
        QkvStride = _shape.QkvStride,
        Output = output,
        OutputStride = _shape.Stride,
        Logs = a.Blocks[block].Logs,
        DQkv = a.DQkv,
        Channels = _m.Channels,
        Heads = _m.Heads,
        Block = block,
        TargetOnly = block == _m.Blocks - 1,
    };

    // From attention's output to the next residual and the skips; nothing here mixes tokens.
    private void StripForward(in RowStrip strip)
    {
        (WindowGroup group, Activations a, int block, int row, int rows, DropoutMask dropout) = strip;
        BlockActivations kept = a.Blocks[block];
        TrainedBlock weights = _weights.Blocks[block];
        int stride = _shape.Stride, hidden = _shape.HiddenStride;
        nint at = (nint)row * stride, hiddenAt = (nint)row * hidden;
        float* z = a.Row1;
        Branch(strip, DropoutSite.AttentionOut, kept.Attended + at, stride, weights.Maps.AttentionOut.Forward, kept.Y + at, z);
        NormRows.Forward<S, V>(z, dropout.IsOff ? weights.Maps.AttentionOut.Forward.Bias : a.Zeros, kept.Normal1 + at, stride, rows,
            _m.Channels, stride, a.Mask, weights.Maps.Norm1.Gamma, weights.Maps.Norm1.Beta, kept.Scale1 + row);

        Product(z, stride, weights.Maps.FeedForwardIn.Forward, weights.Maps.FeedForwardIn.Forward.Bias, 0, kept.Hidden + hiddenAt,
            hidden, rows);
        GeluBackward.Forward<S, V>(kept.Hidden + hiddenAt, a.Hidden1, (nint)rows * hidden);
        Drop(strip, DropoutSite.Hidden, a.Hidden1, hidden, _m.FeedForward);
        Branch(strip, DropoutSite.FeedForwardOut, a.Hidden1, hidden, weights.Maps.FeedForwardOut.Forward, z, z);
        NormRows.Forward<S, V>(z, dropout.IsOff ? weights.Maps.FeedForwardOut.Forward.Bias : a.Zeros, kept.Normal2 + at, stride, rows,
            _m.Channels, stride, a.Mask, weights.Maps.Norm2.Gamma, weights.Maps.Norm2.Beta, kept.Scale2 + row);

        int middle = _shape.MidStride;
        for (int r = 0; r < rows; r++)
            new ReadOnlySpan<float>(weights.Constant + ((nint)Position(group, row + r) * middle), middle)
                .CopyTo(new Span<float>(a.Mid + ((nint)r * middle), middle));
        Product(z, stride, weights.Maps.MidProjection.Forward, a.Mid, middle, a.Mid, middle, rows);
        GateBackward.Forward<S, V>(a.Mid, middle, kept.Sigmoid + at, kept.Tanh + at, z, stride, rows, _m.Channels, stride);

        if (block < _m.Blocks - 1)
        {
            Product(z, stride, weights.Residual.Forward, a.X + at, stride, a.X + at, stride, rows);
            ElementRows.AddVectorScale<S, V>(a.X + at, weights.Residual.Forward.Bias, InverseSqrt2, a.X + at, stride, rows, stride);
        }

        if (strip.IsTarget)
        {
            float* skips = a.Skips + ((nint)(row - group.TargetRow) * stride);
            Product(z, stride, weights.Skip.Forward, block == 0 ? a.Zeros : skips, block == 0 ? 0 : stride, skips, stride, rows);
        }
    }

    // z = residual + x W^T, the bias left to the norm; with dropout z = residual + drop(x W^T + b).
    private void Branch(in RowStrip strip, DropoutSite site, float* x, nint xStride, PackedMatrix w, float* residual, float* z)
    {
        Activations a = strip.Activations;
        int stride = _shape.Stride, rows = strip.Rows;
        if (strip.Dropout.IsOff)
        {
            Product(x, xStride, w, residual, stride, z, stride, rows);
            return;
        }

        Product(x, xStride, w, w.Bias, 0, a.Row2, stride, rows);
        Drop(strip, site, a.Row2, stride, _m.Channels);
        if (z != residual)
            Copy(residual, z, (nint)rows * stride);
        ElementRows.Add<S, V>(a.Row2, z, (nint)rows * stride);
    }

    private void Drop(in RowStrip strip, DropoutSite site, float* x, nint stride, int columns)
    {
        if (strip.Dropout.IsOff)
            return;
        for (int r = 0; r < strip.Rows; r++)
        {
            (int window, int place) = WindowAndPlace(strip.Group, strip.Row + r);
            strip.Dropout.Apply(x + (r * stride), columns, site, window, strip.Block, place);
        }
    }

    private (int Window, int Place) WindowAndPlace(WindowGroup group, int row)
    {
        SlotRows slot = group.Slots[row / _m.SlotTokens];
        return (slot.Window, (slot.Slot * _m.SlotTokens) + (row % _m.SlotTokens));
    }

    private int Position(WindowGroup group, int row)
    {
        int token = row % _m.SlotTokens;
        return _m.Positions == PositionKind.Slot ? token : (group.Slots[row / _m.SlotTokens].Slot * _m.SlotTokens) + token;
    }

    private static void Copy(float* from, float* to, nint count) =>
        new ReadOnlySpan<float>(from, (int)count).CopyTo(new Span<float>(to, (int)count));

    private void Decode(TrainingBatch batch, WindowGroup group, Activations a)
    {
        int stride = _shape.Stride, rows = group.Rows - group.TargetRow;
        ElementRows.AddVectorScale<S, V>(a.Skips, _weights.SkipBias.Pointer, _skipScale, a.Skips, stride, rows, stride);
        foreach (WindowRows window in group.Windows)
        {
            int decoder = (int)batch.Tasks[window.Window].Output;
            nint first = window.TargetRow - group.TargetRow;
            PackedMatrix hidden = _weights.Decoders[decoder].Hidden.Forward, output = _weights.Decoders[decoder].Output.Forward;
            float* decoded = a.Decoded + (first * stride);
            Product(a.Skips + (first * stride), stride, hidden, hidden.Bias, 0, decoded, stride, window.TargetRows);
            ReluRows.Run<S, V>(decoded, (nint)window.TargetRows * stride);
            Product(decoded, stride, output, output.Bias, 0, a.Prediction + (first * _shape.OutStride), _shape.OutStride,
                window.TargetRows);
        }
    }
}
