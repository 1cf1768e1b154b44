using UniCardio.Engine.Model;

namespace UniCardio.Training.Network;

/// <summary>Adds the lanes in order and brings each parameter's gradient from its padded form into the flat vector.</summary>
internal sealed unsafe class GradientReduction
{
    private readonly ModelConfiguration _m;
    private readonly TrainingShape _shape;
    private readonly ParameterLayout _layout;
    private readonly List<Action<IReadOnlyList<GradientLane>, float[]>> _pieces = [];

    public GradientReduction(ParameterLayout layout, TrainingShape shape)
    {
        _layout = layout;
        _m = layout.Configuration;
        _shape = shape;
        int c = _m.Channels;
        for (int i = 0; i < _m.Blocks; i++)
            AddBlock(i);
        for (int slot = 0; slot < ModelConfiguration.SlotCount; slot++)
        {
            int s = slot;
            _pieces.Add((lanes, flat) => Encoder(lanes, s, flat));
        }

        for (int decoder = 0; decoder < 3; decoder++)
        {
            int d = decoder;
            Matrix($"output_projection{d + 1}_1.weight", 0, c, c, shape.Stride, l => l.DecoderHidden[d]);
            Matrix($"output_projection{d + 1}_1.bias", 0, 1, c, 0, l => l.DecoderHiddenBias[d]);
            Matrix($"output_projection{d + 1}_2.weight", 0, _m.SamplesPerToken, c, shape.Stride, l => l.DecoderOut[d]);
            Matrix($"output_projection{d + 1}_2.bias", 0, 1, _m.SamplesPerToken, 0, l => l.DecoderOutBias[d]);
        }
    }

    private delegate float* LaneSlice(GradientLane lane);

    /// <summary>Independent pieces, for the team to share.</summary>
    public int Pieces => _pieces.Count;

    /// <summary>Reduces one piece.</summary>
    public void Run(int piece, IReadOnlyList<GradientLane> lanes, float[] flat) => _pieces[piece](lanes, flat);

    private void AddBlock(int index)
    {
        int c = _m.Channels, f = _m.FeedForward, stride = _shape.Stride;
        string name = $"residual_layers.{index}.", layer = name + "time_layer.layers.0.";
        Matrix(layer + "self_attn.in_proj_weight", 0, 3 * c, c, stride, l => l.Blocks[index].Qkv);
        Matrix(layer + "self_attn.in_proj_bias", 0, 1, 3 * c, 0, l => l.Blocks[index].QkvBias);
        Matrix(layer + "self_attn.out_proj.weight", 0, c, c, stride, l => l.Blocks[index].Out);
        Matrix(layer + "self_attn.out_proj.bias", 0, 1, c, 0, l => l.Blocks[index].OutBias);
        Matrix(layer + "linear1.weight", 0, f, c, stride, l => l.Blocks[index].Hidden);
        Matrix(layer + "linear1.bias", 0, 1, f, 0, l => l.Blocks[index].HiddenBias);
        Matrix(layer + "linear2.weight", 0, c, f, _shape.HiddenStride, l => l.Blocks[index].FeedForwardOut);
        Matrix(layer + "linear2.bias", 0, 1, c, 0, l => l.Blocks[index].FeedForwardOutBias);
        Matrix(layer + "norm1.weight", 0, 1, c, 0, l => l.Blocks[index].Gamma1);
        Matrix(layer + "norm1.bias", 0, 1, c, 0, l => l.Blocks[index].Beta1);
        Matrix(layer + "norm2.weight", 0, 1, c, 0, l => l.Blocks[index].Gamma2);
        Matrix(layer + "norm2.bias", 0, 1, c, 0, l => l.Blocks[index].Beta2);
        Matrix(name + "mid_projection.weight", 0, 2 * c, c, stride, l => l.Blocks[index].Mid);
        Matrix(name + "output_projection.weight", 0, c, c, stride, l => l.Blocks[index].Residual);
        Matrix(name + "output_projection.weight", c * c, c, c, stride, l => l.Blocks[index].Skip);
        Matrix(name + "output_projection.bias", 0, 1, c, 0, l => l.Blocks[index].ResidualBias);
        Matrix(name + "output_projection.bias", c, 1, c, 0, l => l.SkipBias);
        _pieces.Add((lanes, flat) => Condition(lanes, index, flat));
    }

    // rows x columns of the lanes' padded matrices into the flat vector from the parameter's element `start` on.
    private void Matrix(string name, int start, int rows, int columns, int stride, LaneSlice of)
    {
        int offset = _layout[ParameterCatalog.Prefix + name].Offset + start;
        _pieces.Add((lanes, flat) =>
        {
            fixed (float* target = flat)
            {
                float* to = target + offset;
                for (int lane = 0; lane < lanes.Count; lane++)
                {
                    float* from = of(lanes[lane]);
                    for (int r = 0; r < rows; r++)
                        Sum(from + ((nint)r * stride), to + ((nint)r * columns), columns, lane == 0);
                }
            }
        });
    }

    private static void Sum(float* from, float* to, int count, bool first)
    {
        var source = new ReadOnlySpan<float>(from, count);
        var target = new Span<float>(to, count);
        if (first)
            source.CopyTo(target);
        else
            System.Numerics.Tensors.TensorPrimitives.Add(target, source, target);
    }

    // cond's weights and bias and mid's bias from the sums of dm by position.
    private void Condition(IReadOnlyList<GradientLane> lanes, int index, float[] flat)
    {
        int c = _m.Channels;
        string name = $"{ParameterCatalog.Prefix}residual_layers.{index}.";
        Span<float> weight = Slice(flat, name + "cond_projection.weight"), bias = Slice(flat, name + "cond_projection.bias");
        weight.Clear();
        bias.Clear();
        float[] row = new float[_shape.MidStride];
        for (int position = 0; position < _shape.Positions; position++)
        {
            fixed (float* target = row)
            {
                for (int lane = 0; lane < lanes.Count; lane++)
                    Sum(lanes[lane].Blocks[index].Constant + ((nint)position * _shape.MidStride), target, 2 * c, lane == 0);
            }

            ReadOnlySpan<float> code = _shape.Code(position);
            for (int n = 0; n < 2 * c; n++)
            {
                Span<float> w = weight.Slice(n * c, c);
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(code, row[n], w, w);
                bias[n] += row[n];
            }
        }

        bias.CopyTo(Slice(flat, name + "mid_projection.bias"));
    }

    private Span<float> Slice(float[] flat, string name)
    {
        ParameterSlice slice = _layout[name];
        return flat.AsSpan(slice.Offset, slice.Count);
    }

    // Patch maps back to convolutions, planes back to channels outside.
    private void Encoder(IReadOnlyList<GradientLane> lanes, int slot, float[] flat)
    {
        int c = _m.Channels, p = _m.SamplesPerToken, tokens = _m.SlotTokens;
        string encoder = $"{ParameterCatalog.Prefix}input_projection_modality_{slot + 1}.conv_layers.";
        float[] patch = new float[c * _shape.PatchStride], patchBias = new float[c];
        Span<float> gamma = Slice(flat, $"{ParameterCatalog.Prefix}norm{slot + 1}.weight"), beta = Slice(flat, $"{ParameterCatalog.Prefix}norm{slot + 1}.bias");
        gamma.Clear();
        beta.Clear();
        for (int lane = 0; lane < lanes.Count; lane++)
        {
            GradientLane l = lanes[lane];
            fixed (float* to = patch, toBias = patchBias)
            {
                Sum(l.Patch[slot], to, patch.Length, lane == 0);
                Sum(l.PatchBias[slot], toBias, c, lane == 0);
            }

            for (int token = 0; token < tokens; token++)
            {
                float* g = l.PlaneGamma[slot] + ((nint)token * _shape.Stride), b = l.PlaneBeta[slot] + ((nint)token * _shape.Stride);
                for (int channel = 0; channel < c; channel++)
                {
                    gamma[(channel * tokens) + token] += g[channel];
                    beta[(channel * tokens) + token] += b[channel];
                }
            }
        }

        for (int k = 0; k < ModelConfiguration.EncoderKernels.Count; k++)
        {
            int size = ModelConfiguration.EncoderKernels[k];
            Span<float> weight = Slice(flat, $"{encoder}{k}.weight"), bias = Slice(flat, $"{encoder}{k}.bias");
            weight.Clear();
            bias.Clear();
            for (int o = 0; o < _m.ChannelsPerKernel; o++)
            {
                for (int offset = 0; offset < p; offset++)
                {
                    int row = (((k * _m.ChannelsPerKernel) + o) * p) + offset;
                    bias[o] += patchBias[row];
                    for (int j = 0; j < size; j++)
                        weight[(o * size) + j] += patch[(row * _shape.PatchStride) + TrainingShape.Reach - (size / 2) + offset + j];
                }
            }
        }
    }
}
