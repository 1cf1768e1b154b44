using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;

namespace UniCardio.Training.Network;

/// <summary>Affine part of a LayerNorm over channels, padded with zeros.</summary>
internal sealed unsafe class TrainedNorm(int padded) : IDisposable
{
    private readonly AlignedBuffer _buffer = new(2L * padded);

    public float* Gamma => _buffer.Pointer;

    public float* Beta => _buffer.Pointer + padded;

    public void Dispose() => _buffer.Dispose();
}

/// <summary>One residual block's matrices; the output projection is kept as its residual and its skip half.</summary>
internal sealed unsafe class TrainedBlock : IDisposable
{
    private readonly AlignedBuffer _constant;

    public TrainedBlock(ModelConfiguration m, TrainingShape shape)
    {
        int c = m.Channels, width = shape.PanelWidth;
        Qkv = new TrainedMatrix(3 * c, c, width);
        Out = new TrainedMatrix(c, c, width);
        Hidden = new TrainedMatrix(m.FeedForward, c, width);
        FeedForwardOut = new TrainedMatrix(c, m.FeedForward, width);
        Mid = new TrainedMatrix(2 * c, c, width);
        Residual = new TrainedMatrix(c, c, width);
        Skip = new TrainedMatrix(c, c, width);
        Norm1 = new TrainedNorm(shape.Stride);
        Norm2 = new TrainedNorm(shape.Stride);
        _constant = new AlignedBuffer((long)shape.Positions * shape.MidStride);
    }

    public TrainedMatrix Qkv { get; }

    public TrainedMatrix Out { get; }

    public TrainedMatrix Hidden { get; }

    public TrainedMatrix FeedForwardOut { get; }

    public TrainedMatrix Mid { get; }

    public TrainedMatrix Residual { get; }

    public TrainedMatrix Skip { get; }

    public TrainedNorm Norm1 { get; }

    public TrainedNorm Norm2 { get; }

    /// <summary>[positions, MidStride] mid's bias + cond(pe).</summary>
    public float* Constant => _constant.Pointer;

    public void Dispose()
    {
        foreach (TrainedMatrix matrix in (TrainedMatrix[])[Qkv, Out, Hidden, FeedForwardOut, Mid, Residual, Skip])
            matrix.Dispose();
        Norm1.Dispose();
        Norm2.Dispose();
        _constant.Dispose();
    }
}

/// <summary>Encoder of one slot: its six convolutions as one map from a patch of samples to a token, and the plane's affine part.</summary>
internal sealed unsafe class TrainedEncoder : IDisposable
{
    private readonly AlignedBuffer _plane;
    private readonly long _planeFloats;

    public TrainedEncoder(ModelConfiguration m, TrainingShape shape)
    {
        Patch = new PackedMatrix(m.Channels, shape.PatchSamples, shape.PanelWidth);
        _planeFloats = (long)m.SlotTokens * shape.Stride;
        _plane = new AlignedBuffer(2 * _planeFloats);
    }

    /// <summary>[C, p + 10]: output c p + offset of a token reads its samples and 5 on either side.</summary>
    public PackedMatrix Patch { get; }

    /// <summary>[S/p, stride] token-major.</summary>
    public float* Gamma => _plane.Pointer;

    /// <summary>[S/p, stride] token-major; holds the position code too where positions count by slot.</summary>
    public float* Beta => _plane.Pointer + _planeFloats;

    public void Dispose()
    {
        Patch.Dispose();
        _plane.Dispose();
    }
}

/// <summary>Every weight in the form that the passes read, packed anew after each step of the optimiser.</summary>
internal sealed unsafe class TrainedWeights : IDisposable
{
    private readonly TrainingShape _shape;
    private readonly ParameterLayout _layout;

    public TrainedWeights(ParameterLayout layout, TrainingShape shape)
    {
        _layout = layout;
        _shape = shape;
        ModelConfiguration m = layout.Configuration;
        Blocks = [.. Enumerable.Range(0, m.Blocks).Select(_ => new TrainedBlock(m, shape))];
        Encoders = [.. Enumerable.Range(0, ModelConfiguration.SlotCount).Select(_ => new TrainedEncoder(m, shape))];
        DecoderHidden = [.. Enumerable.Range(0, 3).Select(_ => new TrainedMatrix(m.Channels, m.Channels, shape.PanelWidth))];
        DecoderOut = [.. Enumerable.Range(0, 3).Select(_ => new TrainedMatrix(m.SamplesPerToken, m.Channels, shape.PanelWidth))];
        SkipBias = new AlignedBuffer(shape.Stride);
    }

    public TrainedBlock[] Blocks { get; }

    public TrainedEncoder[] Encoders { get; }

    public TrainedMatrix[] DecoderHidden { get; }

    public TrainedMatrix[] DecoderOut { get; }

    /// <summary>[stride] sum of the blocks' skip biases.</summary>
    public AlignedBuffer SkipBias { get; }

    /// <summary>Independent pieces of packing, for the team to share.</summary>
    public int Pieces => Blocks.Length + Encoders.Length + 3;

    /// <summary>Packs one piece; different pieces may be packed at the same time.</summary>
    /// <param name="piece">0 to <see cref="Pieces"/> - 1.</param>
    /// <param name="parameters">The flat vector.</param>
    public void Pack(int piece, ReadOnlySpan<float> parameters)
    {
        if (piece < Blocks.Length)
            PackBlock(piece, parameters);
        else if (piece < Blocks.Length + Encoders.Length)
            PackEncoder(piece - Blocks.Length, parameters);
        else
            PackDecoder(piece - Blocks.Length - Encoders.Length, parameters);
    }

    /// <summary>The parts that follow from several pieces.</summary>
    public void Finish(ReadOnlySpan<float> parameters)
    {
        SkipBias.Span.Clear();
        int c = _layout.Configuration.Channels;
        for (int block = 0; block < Blocks.Length; block++)
        {
            ReadOnlySpan<float> bias = Of(parameters, $"residual_layers.{block}.output_projection.bias");
            for (int i = 0; i < c; i++)
                SkipBias.Span[i] += bias[c + i];
        }
    }

    public void Dispose()
    {
        foreach (IDisposable part in (IDisposable[])[.. Blocks, .. Encoders, .. DecoderHidden, .. DecoderOut, SkipBias])
            part.Dispose();
    }

    private ReadOnlySpan<float> Of(ReadOnlySpan<float> parameters, string name)
    {
        ParameterSlice slice = _layout[ParameterCatalog.Prefix + name];
        return parameters.Slice(slice.Offset, slice.Count);
    }

    private void Pack(TrainedMatrix matrix, ReadOnlySpan<float> parameters, string name) =>
        matrix.Pack(Of(parameters, name + ".weight"), Of(parameters, name + ".bias"));

    private void PackBlock(int index, ReadOnlySpan<float> parameters)
    {
        TrainedBlock block = Blocks[index];
        int c = _layout.Configuration.Channels;
        string name = $"residual_layers.{index}.", layer = name + "time_layer.layers.0.";
        block.Qkv.Pack(Of(parameters, layer + "self_attn.in_proj_weight"), Of(parameters, layer + "self_attn.in_proj_bias"));
        Pack(block.Out, parameters, layer + "self_attn.out_proj");
        Pack(block.Hidden, parameters, layer + "linear1");
        Pack(block.FeedForwardOut, parameters, layer + "linear2");
        Pack(block.Mid, parameters, name + "mid_projection");
        ReadOnlySpan<float> output = Of(parameters, name + "output_projection.weight"), bias = Of(parameters, name + "output_projection.bias");
        block.Residual.Pack(output[..(c * c)], bias[..c]);
        block.Skip.Pack(output[(c * c)..], bias[c..]);
        for (int i = 1; i <= 2; i++)
        {
            TrainedNorm norm = i == 1 ? block.Norm1 : block.Norm2;
            Of(parameters, $"{layer}norm{i}.weight").CopyTo(new Span<float>(norm.Gamma, c));
            Of(parameters, $"{layer}norm{i}.bias").CopyTo(new Span<float>(norm.Beta, c));
        }

        ReadOnlySpan<float> condition = Of(parameters, name + "cond_projection.weight");
        ReadOnlySpan<float> conditionBias = Of(parameters, name + "cond_projection.bias"), midBias = Of(parameters, name + "mid_projection.bias");
        for (int position = 0; position < _shape.Positions; position++)
        {
            ReadOnlySpan<float> code = _shape.Code(position);
            float* row = block.Constant + ((nint)position * _shape.MidStride);
            for (int n = 0; n < 2 * c; n++)
                row[n] = System.Numerics.Tensors.TensorPrimitives.Dot(condition.Slice(n * c, c), code) + conditionBias[n] + midBias[n];
        }
    }

    private void PackEncoder(int slot, ReadOnlySpan<float> parameters)
    {
        ModelConfiguration m = _layout.Configuration;
        TrainedEncoder encoder = Encoders[slot];
        int c = m.Channels, p = m.SamplesPerToken, tokens = m.SlotTokens;
        float[] patch = new float[c * _shape.PatchSamples];
        for (int k = 0; k < ModelConfiguration.EncoderKernels.Count; k++)
        {
            int size = ModelConfiguration.EncoderKernels[k];
            ReadOnlySpan<float> weight = Of(parameters, $"input_projection_modality_{slot + 1}.conv_layers.{k}.weight");
            ReadOnlySpan<float> bias = Of(parameters, $"input_projection_modality_{slot + 1}.conv_layers.{k}.bias");
            for (int o = 0; o < m.ChannelsPerKernel; o++)
            {
                for (int offset = 0; offset < p; offset++)
                {
                    int row = (((k * m.ChannelsPerKernel) + o) * p) + offset;
                    weight.Slice(o * size, size).CopyTo(patch.AsSpan((row * _shape.PatchSamples) + TrainingShape.Reach - (size / 2) + offset, size));
                    encoder.Patch.Bias[row] = bias[o];
                }
            }
        }

        int width = encoder.Patch.PanelWidth;
        for (int row = 0; row < c; row++)
        {
            for (int j = 0; j < _shape.PatchSamples; j++)
                encoder.Patch.Panel(row / width)[(j * width) + (row % width)] = patch[(row * _shape.PatchSamples) + j];
        }

        ReadOnlySpan<float> gamma = Of(parameters, $"norm{slot + 1}.weight"), beta = Of(parameters, $"norm{slot + 1}.bias");
        bool coded = m.Positions == PositionKind.Slot;
        for (int token = 0; token < tokens; token++)
        {
            ReadOnlySpan<float> code = _shape.Code(token);
            for (int channel = 0; channel < c; channel++)
            {
                nint at = ((nint)token * _shape.Stride) + channel;
                encoder.Gamma[at] = gamma[(channel * tokens) + token];
                encoder.Beta[at] = beta[(channel * tokens) + token] + (coded ? code[channel] : 0f);
            }
        }
    }

    private void PackDecoder(int decoder, ReadOnlySpan<float> parameters)
    {
        Pack(DecoderHidden[decoder], parameters, $"output_projection{decoder + 1}_1");
        Pack(DecoderOut[decoder], parameters, $"output_projection{decoder + 1}_2");
    }
}

/// <summary>Paddings that follow from a configuration and an instruction set.</summary>
internal sealed class TrainingShape
{
    /// <summary>Samples that the widest convolution reads on either side.</summary>
    public const int Reach = 5;

    private readonly float[] _codes;
    private readonly int _channels;

    public TrainingShape(ModelConfiguration m, int panelWidth)
    {
        PanelWidth = panelWidth;
        _channels = m.Channels;
        Stride = Round(m.Channels);
        HiddenStride = Round(m.FeedForward);
        QkvStride = Round(3 * m.Channels);
        MidStride = Round(m.Channels + Stride);
        OutStride = Round(m.SamplesPerToken);
        PatchSamples = m.SamplesPerToken + (2 * Reach);
        PatchStride = Round(PatchSamples);
        Positions = m.Positions == PositionKind.Slot ? m.SlotTokens : ModelConfiguration.SlotCount * m.SlotTokens;
        _codes = new float[Positions * m.Channels];
        double[] row = new double[m.Channels];
        for (int position = 0; position < Positions; position++)
        {
            ReferencePositionCode.Row(position, row);
            for (int c = 0; c < row.Length; c++)
                _codes[(position * m.Channels) + c] = (float)row[c];
        }
    }

    /// <summary>2W.</summary>
    public int PanelWidth { get; }

    /// <summary>Floats of a row of C channels.</summary>
    public int Stride { get; }

    /// <summary>Floats of a row of the feed-forward layer.</summary>
    public int HiddenStride { get; }

    /// <summary>Floats of a row of Q, K, V.</summary>
    public int QkvStride { get; }

    /// <summary>Floats of a row of the gate's two halves; room for a whole row of either.</summary>
    public int MidStride { get; }

    /// <summary>Floats of a row of the decoder's p samples.</summary>
    public int OutStride { get; }

    /// <summary>p + 10.</summary>
    public int PatchSamples { get; }

    /// <summary>Floats of a row of a patch's weights.</summary>
    public int PatchStride { get; }

    /// <summary>Distinct positions: S/p, or four times that where positions are global.</summary>
    public int Positions { get; }

    /// <summary>[C] code of a position.</summary>
    public ReadOnlySpan<float> Code(int position) => _codes.AsSpan(position * _channels, _channels);

    private int Round(int n) => (n + PanelWidth - 1) / PanelWidth * PanelWidth;
}
