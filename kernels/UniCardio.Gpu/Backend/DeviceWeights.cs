using System.Runtime.InteropServices;
using UniCardio.Engine.Model;
using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Backend;

/// <summary>The folded network in the device's layout: rounded once, input-major, padded with zeros.</summary>
internal sealed class DeviceWeights(FoldedNetwork folded, DeviceLayout layout)
{
    private readonly ModelConfiguration _m = folded.Configuration;

    /// <summary>One block, as <see cref="DeviceLayout.Block"/> says.</summary>
    public float[] Block(int index)
    {
        BlockWeights<LinearMap> b = folded.Blocks[index];
        BlockLayout at = layout.Block;
        int c = _m.Channels, width = 4 * layout.HeadQuads;
        float[] target = new float[4 * layout.BlockQuads];
        Matrix(target, at.AttentionIn, 3 * width, b.AttentionIn, n => ((n / c) * width) + layout.HeadColumn(n % c), k => k);
        Matrix(target, at.AttentionOut, 4 * layout.Quads, b.AttentionOut, n => n, layout.HeadColumn);
        Round(b.Norm1.Weight, target.AsSpan(4 * at.Norm1Gamma), n => n);
        Round(b.Norm1.Bias, target.AsSpan(4 * at.Norm1Beta), n => n);
        Matrix(target, at.FeedForwardIn, 4 * layout.FeedForwardQuads, b.FeedForwardIn, n => n, k => k);
        Round(b.FeedForwardIn.Bias, target.AsSpan(4 * at.FeedForwardInBias), n => n);
        Matrix(target, at.FeedForwardOut, 4 * layout.Quads, b.FeedForwardOut, n => n, k => k);
        Round(b.FeedForwardOut.Bias, target.AsSpan(4 * at.FeedForwardOutBias), n => n);
        Matrix(target, at.MidProjection, 8 * layout.Quads, b.MidProjection, layout.HalfColumn, k => k);
        Matrix(target, at.OutputProjection, 8 * layout.Quads, b.OutputProjection, layout.HalfColumn, k => k);
        Round(b.OutputProjection.Bias, target.AsSpan(4 * at.OutputProjectionBias), layout.HalfColumn);
        return target;
    }

    /// <summary>One block's matrices for tensor cores, as <see cref="DeviceLayout.Tensor"/> says.</summary>
    /// <param name="index">Number of the block.</param>
    /// <param name="exact">Its weights as they were read, which lie there in 16 bits where these hold them.</param>
    public float[] TensorBlock(int index, BlockWeights<WeightAndBias<ParameterTensor>> exact)
    {
        BlockWeights<LinearMap> b = folded.Blocks[index];
        TensorLayout at = layout.Tensor;
        int c = _m.Channels, width = 4 * layout.HeadQuads;
        int AttentionRow(int n) => ((n / c) * width) + layout.HeadColumn(n % c);
        float[] target = new float[4 * at.Quads];
        if (layout.Weights == WeightKind.Single)
        {
            Rows(target, at.AttentionIn, 4 * layout.Quads, b.AttentionIn, AttentionRow, k => k);
            Rows(target, at.AttentionOut, width, b.AttentionOut, n => n, layout.HeadColumn);
            Rows(target, at.MidProjection, 4 * layout.Quads, b.MidProjection, layout.HalfColumn, k => k);
            Rows(target, at.OutputProjection, 4 * layout.Quads, b.OutputProjection, layout.HalfColumn, k => k);
        }
        else
        {
            HalfRows(target, at.AttentionIn, layout.Quads, exact.AttentionIn.Weight, AttentionRow, k => k);
            HalfRows(target, at.AttentionOut, layout.HeadQuads, exact.AttentionOut.Weight, n => n, layout.HeadColumn);
            HalfRows(target, at.MidProjection, layout.Quads, exact.MidProjection.Weight, layout.HalfColumn, k => k);
            HalfRows(target, at.OutputProjection, layout.Quads, exact.OutputProjection.Weight, layout.HalfColumn, k => k);
            exact.Norm2.Weight.Span.CopyTo(
                target.AsSpan((4 * (at.Vectors + (3 * TensorFeedForwardKernel.Padded(layout.Quads)))) + TensorFeedForwardKernel.Hidden));
        }

        if (layout.HasTensorFeedForward)
        {
            Rows(target, at.FeedForwardIn, 4 * TensorFeedForwardKernel.Padded(layout.Quads), b.FeedForwardIn, n => n, k => k);
            Rows(target, at.FeedForwardOut, TensorFeedForwardKernel.Hidden, b.FeedForwardOut, n => n, k => k);
            int vector = 4 * at.Vectors, length = 4 * TensorFeedForwardKernel.Padded(layout.Quads);
            Round(b.Norm1.Weight, target.AsSpan(vector), n => n);
            Round(b.Norm1.Bias, target.AsSpan(vector + length), n => n);
            Round(b.FeedForwardOut.Bias, target.AsSpan(vector + (2 * length)), n => n);
            Round(b.FeedForwardIn.Bias, target.AsSpan(vector + (3 * length)), n => n);
        }

        return target;
    }

    /// <summary>One block's weights for few rows, as <see cref="RowsShape"/> says.</summary>
    public float[] Rows(int index)
    {
        BlockWeights<LinearMap> b = folded.Blocks[index];
        RowsShape at = layout.Rows;
        int c = _m.Channels, width = 4 * layout.HeadQuads, half = 16 * at.Tiles, length = 4 * layout.Quads;
        float[] target = new float[4 * at.Quads];
        int Half(int n) => n < c ? n : half + n - c;
        Lanes(target, at.AttentionIn, at.Steps, b.AttentionIn, n => ((n / c) * width) + layout.HeadColumn(n % c), k => k);
        Lanes(target, at.AttentionOut, at.HeadSteps, b.AttentionOut, n => n, layout.HeadColumn);
        Lanes(target, at.FeedForwardIn, at.Steps, b.FeedForwardIn, n => n, k => k);
        Lanes(target, at.FeedForwardOut, TensorRows.Hidden / 32, b.FeedForwardOut, n => n, k => k);
        Lanes(target, at.MidProjection, at.Steps, b.MidProjection, Half, k => k);
        Lanes(target, at.OutputProjection, at.Steps, b.OutputProjection, Half, k => k);
        int vector = 4 * at.Vectors;
        Round(b.Norm1.Weight, target.AsSpan(vector), n => n);
        Round(b.Norm1.Bias, target.AsSpan(vector + length), n => n);
        Round(b.FeedForwardOut.Bias, target.AsSpan(vector + (2 * length)), n => n);
        Round(b.OutputProjection.Bias, target.AsSpan(vector + (3 * length)), layout.HalfColumn);
        Round(b.FeedForwardIn.Bias, target.AsSpan(vector + (5 * length)), n => n);
        return target;
    }

    /// <summary>[T, blocks, 3 heads + C] biases that depend on t.</summary>
    /// <remarks>0.09 G multiply-adds in all at full size: cheaper than waiting for the device between steps.</remarks>
    public float[] Steps()
    {
        int c = _m.Channels, width = 4 * layout.HeadQuads, length = 4 * layout.StepQuads * _m.Blocks;
        float[] target = new float[(long)_m.DiffusionSteps * length];
        Parallel.For(0, _m.DiffusionSteps, t =>
        {
            IReadOnlyList<StepBias> blocks = folded.Steps.At(t);
            for (int i = 0; i < blocks.Count; i++)
            {
                Span<float> row = target.AsSpan((t * length) + (4 * layout.StepQuads * i), 4 * layout.StepQuads);
                Round(blocks[i].AttentionIn, row, n => ((n / c) * width) + layout.HeadColumn(n % c));
                Round(blocks[i].AttentionOut, row[(3 * width)..], n => n);
            }
        });
        return target;
    }

    /// <summary>[4 encoders, 11 taps + bias, C].</summary>
    public float[] Convolutions()
    {
        int width = 4 * layout.Quads, size = 4 * Convolution.WeightQuads(layout.Quads), samples = EncoderPatch.Samples(_m);
        float[] target = new float[folded.Encoders.Count * size];
        for (int slot = 0; slot < folded.Encoders.Count; slot++)
        {
            LinearMap patch = folded.Encoders[slot].Patch;
            for (int channel = 0; channel < _m.Channels; channel++)
            {
                // The channel's sample stands p apart within the token; the kernel centres its taps on it.
                int first = (channel * samples) + (channel % _m.SamplesPerToken);
                for (int j = 0; j < Convolution.Taps; j++)
                    target[(slot * size) + (j * width) + channel] = (float)patch.Weight[first + j];
                target[(slot * size) + (Convolution.Taps * width) + channel] = (float)patch.Bias[channel];
            }
        }

        return target;
    }

    /// <summary>[4 encoders, T, gamma and beta, C]; with slot positions the position code is in beta.</summary>
    public float[] EncoderAffine()
    {
        int c = _m.Channels, tokens = _m.SlotTokens, width = 4 * layout.Quads;
        float[] target = new float[(long)folded.Encoders.Count * tokens * 2 * width];
        for (int slot = 0; slot < folded.Encoders.Count; slot++)
        {
            LinearMap plane = folded.Encoders[slot].Plane;
            for (int token = 0; token < tokens; token++)
            {
                Span<float> row = target.AsSpan((int)(((long)slot * tokens + token) * 2 * width), 2 * width);
                Round(plane.Weight.AsSpan(token * c, c), row, n => n);
                Round(plane.Bias.AsSpan(token * c, c), row[width..], n => n);
            }
        }

        return target;
    }

    /// <summary>One decoder.</summary>
    public float[] Decoder(int index)
    {
        DecoderWeights<LinearMap> decoder = folded.Decoders[index];
        int c = _m.Channels, width = 4 * layout.Quads;
        float[] target = new float[4 * layout.DecoderQuads];
        Matrix(target, 0, width, decoder.Hidden, n => n, k => k);
        int at = width * width;
        Round(decoder.Hidden.Bias, target.AsSpan(at), n => n);
        at += width;
        for (int j = 0; j < _m.SamplesPerToken; j++)
            Round(decoder.Output.Weight.AsSpan(j * c, c), target.AsSpan(at + (j * width)), n => n);
        Round(decoder.Output.Bias, target.AsSpan(at + (_m.SamplesPerToken * width)), n => n);
        return target;
    }

    /// <summary>One decoder for tensor cores, as <see cref="TensorDecoderKernel"/> says.</summary>
    public float[] TensorDecoder(int index)
    {
        DecoderWeights<LinearMap> decoder = folded.Decoders[index];
        int c = _m.Channels, width = 4 * TensorFeedForwardKernel.Padded(layout.Quads), at = width * width;
        float[] target = new float[4 * layout.TensorDecoderQuads];
        Rows(target, 0, width, decoder.Hidden, n => n, k => k);
        Round(decoder.Hidden.Bias, target.AsSpan(at), n => n);
        for (int j = 0; j < _m.SamplesPerToken; j++)
            Round(decoder.Output.Weight.AsSpan(j * c, c), target.AsSpan(at + ((j + 1) * width)), n => n);
        Round(decoder.Output.Bias, target.AsSpan(at + ((_m.SamplesPerToken + 1) * width)), n => n);
        return target;
    }

    /// <summary>[blocks, T, 2C] what enters the gates of one slot's tokens without depending on the input.</summary>
    public float[] GateConstants(int slot)
    {
        int c = _m.Channels, tokens = _m.SlotTokens, width = 8 * layout.Quads;
        double[] codes = folded.Positions.Codes(slot);
        float[] target = new float[(long)_m.Blocks * tokens * width];
        Parallel.For(0, _m.Blocks * tokens, i =>
        {
            double[] row = new double[2 * c];
            folded.Positions.Row(i / tokens, codes.AsSpan(i % tokens * c, c), row);
            Round(row, target.AsSpan(i * width, width), layout.HalfColumn);
        });
        return target;
    }

    // target[input, output] = W[output, input], at a quad.
    private static void Matrix(float[] target, int quad, int columns, LinearMap map, Func<int, int> column, Func<int, int> row)
    {
        for (int n = 0; n < map.Outputs; n++)
        {
            for (int k = 0; k < map.Inputs; k++)
                target[(4 * quad) + (row(k) * columns) + column(n)] = (float)map.Weight[(n * map.Inputs) + k];
        }
    }

    // target[output, input] = W[output, input], at a quad.
    private static void Rows(float[] target, int quad, int inputs, LinearMap map, Func<int, int> row, Func<int, int> column)
    {
        for (int n = 0; n < map.Outputs; n++)
        {
            for (int k = 0; k < map.Inputs; k++)
                target[(4 * quad) + (row(n) * inputs) + column(k)] = (float)map.Weight[(n * map.Inputs) + k];
        }
    }

    // The same in 16 bits.
    private void HalfRows(float[] target, int quad, int quads, ParameterTensor map, Func<int, int> row, Func<int, int> column)
    {
        Span<ushort> words = MemoryMarshal.Cast<float, ushort>(target.AsSpan(4 * quad));
        ReadOnlySpan<float> weights = map.Span;
        int outputs = map.Shape[0], inputs = weights.Length / outputs, stride = 8 * layout.Tensor.Row(quads);
        for (int n = 0; n < outputs; n++)
        {
            for (int k = 0; k < inputs; k++)
                words[(row(n) * stride) + TensorLayout.Place(column(k))] = WeightKinds.Bits(layout.Weights, weights[(n * inputs) + k]);
        }
    }

    // In the order in which lanes read them, at a quad.
    private static void Lanes(float[] target, int quad, int steps, LinearMap map, Func<int, int> row, Func<int, int> column)
    {
        for (int n = 0; n < map.Outputs; n++)
        {
            for (int k = 0; k < map.Inputs; k++)
            {
                int output = row(n), input = column(k), inner = input % 32, part = (inner / 16 * 2) + (output % 16 / 8);
                int lane = (4 * (output % 8)) + (inner / 4 % 4), step = (output / 16 * steps) + (input / 32);
                target[(4 * quad) + (((((step * 4) + part) * 32) + lane) * 4) + (input % 4)] = (float)map.Weight[(n * map.Inputs) + k];
            }
        }
    }

    private static void Round(ReadOnlySpan<double> values, Span<float> target, Func<int, int> column)
    {
        for (int n = 0; n < values.Length; n++)
            target[column(n)] = (float)values[n];
    }
}
