using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Kernels;

namespace UniCardio.Training.Network;

internal sealed unsafe partial class TrainingPass<S, V>
{
    public override void Backward(TrainingBatch batch, WindowGroup group, Activations a, GradientLane lane, Span<float> dSteps,
        in DropoutMask dropout)
    {
        DecodeBackward(batch, group, a, lane);
        for (int block = _m.Blocks - 1; block >= 0; block--)
        {
            bool last = block == _m.Blocks - 1;
            if (last)
                new Span<float>(a.DY, group.TargetRow * _shape.Stride).Clear();
            for (int row = last ? group.TargetRow : 0; row < group.Rows;)
            {
                int rows = StripEnd(group, row) - row;
                StripBackward(new RowStrip(group, a, block, row, rows, dropout), lane.Blocks[block]);
                row += rows;
            }

            AttentionBackward(group, a, lane.Blocks[block], block, dropout);
            StepBackward(group, a, block, dSteps);
        }

        foreach (SlotRows slot in group.Slots)
            EncodeBackward(batch, slot, a, lane);
    }

    private void DecodeBackward(TrainingBatch batch, WindowGroup group, Activations a, GradientLane lane)
    {
        int stride = _shape.Stride, outStride = _shape.OutStride, strip = Activations.StripRows;
        foreach (WindowRows window in group.Windows)
        {
            int decoder = (int)batch.Tasks[window.Window].Output;
            for (int r = 0; r < window.TargetRows; r += strip)
            {
                int rows = Math.Min(strip, window.TargetRows - r);
                nint first = window.TargetRow - group.TargetRow + r, at = first * stride;
                float* dOut = a.Prediction + (first * outStride), d = a.Row1;
                Linear(dOut, outStride, _m.SamplesPerToken, a.Decoded + at, stride, _m.Channels, lane.Decoders[decoder].Output.Weight,
                    stride, rows, a);
                WeightGradient.ColumnSums<S, V>(dOut, outStride, rows, outStride, lane.Decoders[decoder].Output.Bias);
                Product(dOut, outStride, _weights.Decoders[decoder].Output.Backward, a.Zeros, 0, d, stride, rows);
                ElementRows.ReluBackward<S, V>(a.Decoded + at, d, (nint)rows * stride);
                Linear(d, stride, _m.Channels, a.Skips + at, stride, _m.Channels, lane.Decoders[decoder].Hidden.Weight, stride, rows, a);
                WeightGradient.ColumnSums<S, V>(d, stride, rows, stride, lane.Decoders[decoder].Hidden.Bias);
                Product(d, stride, _weights.Decoders[decoder].Hidden.Backward, a.Zeros, 0, a.DSkips + at, stride, rows);
                ElementRows.Scale<S, V>(a.DSkips + at, _skipScale, a.DSkips + at, (nint)rows * stride);
                WeightGradient.ColumnSums<S, V>(a.DSkips + at, stride, rows, stride, lane.SkipBias);
            }
        }
    }

    // From the next residual's gradient back to attention's output; leaves the residual path's part of dY.
    private void StripBackward(in RowStrip strip, BlockGradients into)
    {
        (_, Activations a, int block, int row, int rows, _) = strip;
        int stride = _shape.Stride;
        float* d = a.Row1;
        GateStripBackward(strip, into, d);
        FeedForwardBackward(strip, into, d);

        BlockActivations kept = a.Blocks[block];
        TrainedBlock weights = _weights.Blocks[block];
        nint at = (nint)row * stride;
        NormRows.Backward<S, V>(d, kept.Normal1 + at, stride, rows, _m.Channels, stride, a.Mask, weights.Maps.Norm1.Gamma,
            kept.Scale1 + row, into.Maps.Norm1.Weight, into.Maps.Norm1.Bias);
        Copy(d, a.DY + at, (nint)rows * stride);
        Drop(strip, DropoutSite.AttentionOut, d, stride, _m.Channels);
        Linear(d, stride, _m.Channels, kept.Attended + at, stride, _m.Channels, into.Maps.AttentionOut.Weight, stride, rows, a);
        WeightGradient.ColumnSums<S, V>(d, stride, rows, stride, into.Maps.AttentionOut.Bias);
        Product(d, stride, weights.Maps.AttentionOut.Backward, a.Zeros, 0, a.DAttended + at, stride, rows);
    }

    // Output projections, gate and mid projection: d receives the gradient of the transformer layer's output.
    private void GateStripBackward(in RowStrip strip, BlockGradients into, float* d)
    {
        (WindowGroup group, Activations a, int block, int row, int rows, _) = strip;
        BlockActivations kept = a.Blocks[block];
        TrainedBlock weights = _weights.Blocks[block];
        int stride = _shape.Stride, middle = _shape.MidStride, width = _shape.PanelWidth;
        nint at = (nint)row * stride, count = (nint)rows * stride;
        bool last = block == _m.Blocks - 1;
        GateBackward.Product<S, V>(kept.Sigmoid + at, kept.Tanh + at, a.Row2, stride, rows, stride);
        WeightGradient.Pack<S, V>(a.Row2, stride, rows, _m.Channels, a.Panels);
        if (!last)
        {
            float* dNext = a.Row3;
            ElementRows.Scale<S, V>(a.DX + at, InverseSqrt2, dNext, count);
            WeightGradient.Accumulate<S, V>(dNext, stride, _m.Channels, a.Panels, _m.Channels, into.Maps.OutputProjection.Weight,
                stride, rows);
            WeightGradient.ColumnSums<S, V>(dNext, stride, rows, stride, into.ResidualBias);
            Product(dNext, stride, weights.Residual.Backward, a.Zeros, 0, d, stride, rows);
        }

        if (strip.IsTarget)
        {
            float* dSkip = a.DSkips + ((nint)(row - group.TargetRow) * stride);
            WeightGradient.Accumulate<S, V>(dSkip, stride, _m.Channels, a.Panels, _m.Channels,
                into.Maps.OutputProjection.Weight + ((nint)_m.Channels * stride), stride, rows);
            Product(dSkip, stride, weights.Skip.Backward, last ? a.Zeros : d, last ? 0 : stride, d, stride, rows);
        }

        GateBackward.Backward<S, V>(d, kept.Sigmoid + at, kept.Tanh + at, stride, a.Mid, middle, rows, _m.Channels, stride);
        for (int r = 0; r < rows; r++)
            ElementRows.Add<S, V>(a.Mid + ((nint)r * middle), into.Constant + ((nint)Position(group, row + r) * middle), middle);
        NormRows.Affine<S, V>(kept.Normal2 + at, a.Row2, stride, rows, stride, weights.Maps.Norm2.Gamma, weights.Maps.Norm2.Beta);
        Linear(a.Mid, middle, 2 * _m.Channels, a.Row2, stride, _m.Channels, into.Maps.MidProjection.Weight, stride, rows, a);
        Product(a.Mid, middle, weights.Maps.MidProjection.Backward, a.Zeros, 0, d, stride, rows);
    }

    // Second LayerNorm and the feed-forward layer: d holds the gradient of the layer's output and receives that of its input.
    private void FeedForwardBackward(in RowStrip strip, BlockGradients into, float* d)
    {
        (_, Activations a, int block, int row, int rows, DropoutMask dropout) = strip;
        BlockActivations kept = a.Blocks[block];
        TrainedBlock weights = _weights.Blocks[block];
        int stride = _shape.Stride, hidden = _shape.HiddenStride;
        nint at = (nint)row * stride, hiddenAt = (nint)row * hidden;
        NormRows.Backward<S, V>(d, kept.Normal2 + at, stride, rows, _m.Channels, stride, a.Mask, weights.Maps.Norm2.Gamma,
            kept.Scale2 + row, into.Maps.Norm2.Weight, into.Maps.Norm2.Bias);
        float* branch = d;
        if (!dropout.IsOff)
        {
            branch = a.Row3;
            Copy(d, branch, (nint)rows * stride);
            Drop(strip, DropoutSite.FeedForwardOut, branch, stride, _m.Channels);
        }

        GeluBackward.Forward<S, V>(kept.Hidden + hiddenAt, a.Hidden1, (nint)rows * hidden);
        Drop(strip, DropoutSite.Hidden, a.Hidden1, hidden, _m.FeedForward);
        Linear(branch, stride, _m.Channels, a.Hidden1, hidden, _m.FeedForward, into.Maps.FeedForwardOut.Weight, hidden, rows, a);
        WeightGradient.ColumnSums<S, V>(branch, stride, rows, stride, into.Maps.FeedForwardOut.Bias);
        Product(branch, stride, weights.Maps.FeedForwardOut.Backward, a.Zeros, 0, a.Hidden2, hidden, rows);
        Drop(strip, DropoutSite.Hidden, a.Hidden2, hidden, _m.FeedForward);
        GeluBackward.Backward<S, V>(kept.Hidden + hiddenAt, a.Hidden2, (nint)rows * hidden);
        NormRows.Affine<S, V>(kept.Normal1 + at, a.Row2, stride, rows, stride, weights.Maps.Norm1.Gamma, weights.Maps.Norm1.Beta);
        Linear(a.Hidden2, hidden, _m.FeedForward, a.Row2, stride, _m.Channels, into.Maps.FeedForwardIn.Weight, stride, rows, a);
        WeightGradient.ColumnSums<S, V>(a.Hidden2, hidden, rows, hidden, into.Maps.FeedForwardIn.Bias);
        Product(a.Hidden2, hidden, weights.Maps.FeedForwardIn.Backward, d, stride, d, stride, rows);
    }

    private void AttentionBackward(WindowGroup group, Activations a, BlockGradients into, int block, in DropoutMask dropout)
    {
        BlockActivations kept = a.Blocks[block];
        TrainedBlock weights = _weights.Blocks[block];
        int stride = _shape.Stride, wide = _shape.QkvStride;
        bool last = block == _m.Blocks - 1;
        if (last)
        {
            for (int row = 0; row < group.TargetRow; row++)
                new Span<float>(a.DQkv + ((nint)row * wide), _m.Channels).Clear();
        }

        AttentionBuffers buffers = Buffers(a, block, a.DAttended);
        foreach (WindowRows window in group.Windows)
            TrainedAttention.Backward<S, V>(buffers, window, a.Attention, dropout);
        for (int row = 0; row < group.Rows;)
        {
            int rows = StripEnd(group, row) - row;
            nint at = (nint)row * stride;
            float* dQkv = a.DQkv + ((nint)row * wide), dy = a.DY + at;
            Linear(dQkv, wide, 3 * _m.Channels, kept.Y + at, stride, _m.Channels, into.Maps.AttentionIn.Weight, stride, rows, a);
            WeightGradient.ColumnSums<S, V>(dQkv, wide, rows, wide, into.Maps.AttentionIn.Bias);
            Product(dQkv, wide, weights.Maps.AttentionIn.Backward, dy, stride, dy, stride, rows);

            // y = x + step, and x continued to the next block over sqrt 2.
            if (last)
                Copy(dy, a.DX + at, (nint)rows * stride);
            else
                ScaleAndAdd(a.DX + at, dy, (nint)rows * stride);
            row += rows;
        }
    }

    private static void ScaleAndAdd(float* dx, float* dy, nint count)
    {
        ElementRows.Scale<S, V>(dx, InverseSqrt2, dx, count);
        ElementRows.Add<S, V>(dy, dx, count);
    }

    private void StepBackward(WindowGroup group, Activations a, int block, Span<float> dSteps)
    {
        int stride = _shape.Stride;
        fixed (float* target = dSteps)
        {
            foreach (SlotRows slot in group.Slots)
            {
                float* into = target + ((((nint)slot.Window * _m.Blocks) + block) * stride);
                WeightGradient.ColumnSums<S, V>(a.DY + ((nint)slot.Row * stride), stride, _m.SlotTokens, stride, into);
            }
        }
    }

    private void EncodeBackward(TrainingBatch batch, in SlotRows slot, Activations a, GradientLane lane)
    {
        TrainedEncoder encoder = _weights.Encoders[slot.Slot];
        int tokens = _m.SlotTokens, stride = _shape.Stride;
        nint at = (nint)slot.Row * stride;
        float* d = a.DX + at;
        PlaneNorm.Backward<S, V>(d, a.Plane + at, (nint)tokens * stride, stride, _m.Channels, a.Mask, encoder.Gamma,
            a.PlaneScale[slot.Row / tokens], lane.Planes[slot.Slot].Weight, lane.Planes[slot.Slot].Bias);
        WeightGradient.ColumnSums<S, V>(d, stride, tokens, stride, lane.Patches[slot.Slot].Bias);
        LoadSamples(batch, slot, a);
        Linear(d, stride, _m.Channels, a.Samples, _m.SamplesPerToken, _shape.PatchSamples, lane.Patches[slot.Slot].Weight,
            _shape.PatchStride, tokens, a);
    }

    // dW[outputs, inputs] += dY^T X.
    private static void Linear(float* dy, nint dyStride, int outputs, float* x, nint xStride, int inputs, float* dw, nint dwStride,
        int rows, Activations a)
    {
        WeightGradient.Pack<S, V>(x, xStride, rows, inputs, a.Panels);
        WeightGradient.Accumulate<S, V>(dy, dyStride, outputs, a.Panels, inputs, dw, dwStride, rows);
    }
}
