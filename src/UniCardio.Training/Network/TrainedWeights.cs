using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;

namespace UniCardio.Training.Network;

/// <summary>One residual block's maps.</summary>
internal sealed unsafe class TrainedBlock : IDisposable
{
    private readonly AlignedBuffer _constant;
    private readonly BlockWeights<WeightAndBias<ParameterSlice>> _places;
    private readonly WeightAndBias<ParameterSlice> _residual, _skip;

    public TrainedBlock(BlockWeights<WeightAndBias<ParameterSlice>> places, ModelConfiguration m, TrainingShape shape)
    {
        var none = new WeightAndBias<ParameterSlice>(ParameterSlice.None, ParameterSlice.None);
        WeightAndBias<ParameterSlice> output = places.OutputProjection;
        _places = places with { DiffusionProjection = none, ConditionProjection = none, OutputProjection = none };
        _residual = new(output.Weight.Part(0, m.Channels), output.Bias.Part(0, m.Channels));
        _skip = new(output.Weight.Part(m.Channels, m.Channels), output.Bias.Part(m.Channels, m.Channels));
        Maps = _places.Select(place => TrainedMatrix.For(place, shape.PanelWidth));
        Residual = TrainedMatrix.For(_residual, shape.PanelWidth);
        Skip = TrainedMatrix.For(_skip, shape.PanelWidth);
        _constant = new AlignedBuffer((long)shape.Positions * shape.MidStride);
    }

    /// <summary>
    /// The maps. Empty: the diffusion projection (<see cref="StepEmbeddings"/>), the condition projection (<see cref="Constant"/>) and the
    /// output projection (its two halves).
    /// </summary>
    public BlockWeights<TrainedMatrix> Maps { get; }

    /// <summary>First half of the output projection.</summary>
    public TrainedMatrix Residual { get; }

    /// <summary>Second half of the output projection.</summary>
    public TrainedMatrix Skip { get; }

    /// <summary>[positions, MidStride] mid's bias + cond(pe).</summary>
    public float* Constant => _constant.Pointer;

    /// <summary>Packs every map anew.</summary>
    public void Pack(ReadOnlySpan<float> parameters)
    {
        foreach ((TrainedMatrix map, WeightAndBias<ParameterSlice> place) in Maps.Parts.Zip(_places.Parts))
            map.Pack(place, parameters);
        Residual.Pack(_residual, parameters);
        Skip.Pack(_skip, parameters);
    }

    public void Dispose()
    {
        foreach (TrainedMatrix map in (IEnumerable<TrainedMatrix>)[.. Maps.Parts, Residual, Skip])
            map.Dispose();
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
        Blocks = [.. layout.Network.Blocks.Select(places => new TrainedBlock(places, m, shape))];
        Encoders = [.. Enumerable.Range(0, ModelConfiguration.SlotCount).Select(_ => new TrainedEncoder(m, shape))];
        Decoders = [.. layout.Network.Decoders.Select(d => d.Select(place => TrainedMatrix.For(place, shape.PanelWidth)))];
        SkipBias = new AlignedBuffer(shape.Stride);
    }

    public TrainedBlock[] Blocks { get; }

    public TrainedEncoder[] Encoders { get; }

    public DecoderWeights<TrainedMatrix>[] Decoders { get; }

    /// <summary>[stride] sum of the blocks' skip biases.</summary>
    public AlignedBuffer SkipBias { get; }

    /// <summary>Independent pieces of packing, for the team to share.</summary>
    public int Pieces => Blocks.Length + Encoders.Length + Decoders.Length;

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
            ReadOnlySpan<float> bias = _layout.Network.Blocks[block].OutputProjection.Bias.Of(parameters);
            for (int i = 0; i < c; i++)
                SkipBias.Span[i] += bias[c + i];
        }
    }

    public void Dispose()
    {
        foreach (IDisposable part in (IDisposable[])[.. Blocks, .. Encoders, .. Decoders.SelectMany(d => d.Parts), SkipBias])
            part.Dispose();
    }

    private void PackDecoder(int decoder, ReadOnlySpan<float> parameters)
    {
        Decoders[decoder].Hidden.Pack(_layout.Network.Decoders[decoder].Hidden, parameters);
        Decoders[decoder].Output.Pack(_layout.Network.Decoders[decoder].Output, parameters);
    }

    private void PackBlock(int index, ReadOnlySpan<float> parameters)
    {
        TrainedBlock block = Blocks[index];
        BlockWeights<WeightAndBias<ParameterSlice>> places = _layout.Network.Blocks[index];
        int c = _layout.Configuration.Channels;
        block.Pack(parameters);
        ReadOnlySpan<float> condition = places.ConditionProjection.Weight.Of(parameters);
        ReadOnlySpan<float> conditionBias = places.ConditionProjection.Bias.Of(parameters),
            midBias = places.MidProjection.Bias.Of(parameters);
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
        EncoderWeights<WeightAndBias<ParameterSlice>> places = _layout.Network.Encoders[slot];
        for (int k = 0; k < places.Convolutions.Count; k++)
        {
            ReadOnlySpan<float> weight = places.Convolutions[k].Weight.Of(parameters), bias = places.Convolutions[k].Bias.Of(parameters);
            int size = ModelConfiguration.EncoderKernels[k];
            for (int o = 0; o < m.ChannelsPerKernel; o++)
            {
                for (int offset = 0; offset < p; offset++)
                {
                    int row = EncoderPatch.Channel(m, k, o, offset);
                    weight.Slice(o * size, size)
                        .CopyTo(patch.AsSpan((row * _shape.PatchSamples) + EncoderPatch.FirstColumn(k, offset), size));
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

        ReadOnlySpan<float> gamma = places.Norm.Weight.Of(parameters), beta = places.Norm.Bias.Of(parameters);
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
}

/// <summary>Paddings that follow from a configuration and an instruction set.</summary>
internal sealed class TrainingShape
{
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
        PatchSamples = EncoderPatch.Samples(m);
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

    /// <summary>Rounded up to whole panels.</summary>
    public int Round(int n) => (n + PanelWidth - 1) / PanelWidth * PanelWidth;
}
