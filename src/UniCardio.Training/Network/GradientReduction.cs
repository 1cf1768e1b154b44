using System.Numerics.Tensors;
using UniCardio.Engine.Model;

namespace UniCardio.Training.Network;

/// <summary>Adds the lanes in order and brings each parameter's gradient from its padded form into the flat vector.</summary>
internal sealed unsafe class GradientReduction
{
    private readonly ModelConfiguration _m;
    private readonly TrainingShape _shape;
    private readonly NetworkWeights<WeightAndBias<ParameterSlice>> _places;
    private readonly GradientLane[] _lanes;
    private readonly List<Action<float[]>> _pieces = [];

    public GradientReduction(ParameterLayout layout, TrainingShape shape, GradientLane[] lanes)
    {
        _m = layout.Configuration;
        _shape = shape;
        _places = layout.Network;
        _lanes = lanes;
        int c = _m.Channels;
        for (int i = 0; i < _m.Blocks; i++)
        {
            int block = i;
            AddParts(_places.Blocks[block].Parts, lane => lane.Blocks[block].Maps.Parts);
            ParameterSlice bias = _places.Blocks[block].OutputProjection.Bias;
            AddRows(bias.Part(0, c), lane => lane.Blocks[block].ResidualBias);
            AddRows(bias.Part(c, c), lane => lane.SkipBias);
            _pieces.Add(flat => Condition(block, flat));
        }

        for (int i = 0; i < ModelConfiguration.SlotCount; i++)
        {
            int slot = i;
            _pieces.Add(flat => Encoder(slot, flat));
        }

        for (int i = 0; i < _places.Decoders.Count; i++)
        {
            int decoder = i;
            AddParts(_places.Decoders[decoder].Parts, lane => lane.Decoders[decoder].Parts);
        }
    }

    private delegate float* LaneSlice(GradientLane lane);

    /// <summary>Independent pieces, for the team to share.</summary>
    public int Pieces => _pieces.Count;

    /// <summary>Reduces one piece.</summary>
    public void Run(int piece, float[] flat) => _pieces[piece](flat);

    // Every part that the lanes keep row by row.
    private void AddParts(IEnumerable<WeightAndBias<ParameterSlice>> places, Func<GradientLane, IEnumerable<PaddedGradient>> parts)
    {
        int index = 0;
        foreach (WeightAndBias<ParameterSlice> place in places)
        {
            PaddedGradient[] of = [.. _lanes.Select(lane => parts(lane).ElementAt(index))];
            index++;
            AddRows(place.Weight, lane => of[Array.IndexOf(_lanes, lane)].Weight, of[0].Stride);
            AddRows(place.Bias, lane => of[Array.IndexOf(_lanes, lane)].Bias);
        }
    }

    // Padded rows of the lanes into a parameter; one that the lanes do not keep so is no piece.
    private void AddRows(ParameterSlice place, LaneSlice of, int stride = 0)
    {
        if (of(_lanes[0]) == null)
            return;

        // A bias, a gamma or a beta is one row.
        (int rows, int columns) = place.Shape.Count == 1 ? (1, place.Count) : (place.Rows, place.Columns);
        _pieces.Add(flat =>
        {
            fixed (float* target = place.Of(flat))
            {
                for (int lane = 0; lane < _lanes.Length; lane++)
                {
                    float* from = of(_lanes[lane]);
                    for (int r = 0; r < rows; r++)
                        Sum(from + ((nint)r * stride), target + ((nint)r * columns), columns, lane == 0);
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
            TensorPrimitives.Add(target, source, target);
    }

    // cond's weights and bias and mid's bias from the sums of dm by position.
    private void Condition(int index, float[] flat)
    {
        int c = _m.Channels;
        BlockWeights<WeightAndBias<ParameterSlice>> places = _places.Blocks[index];
        Span<float> weight = places.ConditionProjection.Weight.Of(flat), bias = places.ConditionProjection.Bias.Of(flat);
        weight.Clear();
        bias.Clear();
        float[] row = new float[_shape.MidStride];
        for (int position = 0; position < _shape.Positions; position++)
        {
            fixed (float* target = row)
            {
                for (int lane = 0; lane < _lanes.Length; lane++)
                    Sum(_lanes[lane].Blocks[index].Constant + ((nint)position * _shape.MidStride), target, 2 * c, lane == 0);
            }

            ReadOnlySpan<float> code = _shape.Code(position);
            for (int n = 0; n < 2 * c; n++)
            {
                Span<float> w = weight.Slice(n * c, c);
                TensorPrimitives.MultiplyAdd(code, row[n], w, w);
                bias[n] += row[n];
            }
        }

        bias.CopyTo(places.MidProjection.Bias.Of(flat));
    }

    // Patch maps back to convolutions, planes back to channels outside.
    private void Encoder(int slot, float[] flat)
    {
        int c = _m.Channels, p = _m.SamplesPerToken, tokens = _m.SlotTokens;
        EncoderWeights<WeightAndBias<ParameterSlice>> places = _places.Encoders[slot];
        float[] patch = new float[c * _shape.PatchStride], patchBias = new float[c];
        Span<float> gamma = places.Norm.Weight.Of(flat), beta = places.Norm.Bias.Of(flat);
        gamma.Clear();
        beta.Clear();
        for (int lane = 0; lane < _lanes.Length; lane++)
        {
            GradientLane l = _lanes[lane];
            fixed (float* to = patch, toBias = patchBias)
            {
                Sum(l.Patches[slot].Weight, to, patch.Length, lane == 0);
                Sum(l.Patches[slot].Bias, toBias, c, lane == 0);
            }

            for (int token = 0; token < tokens; token++)
            {
                float* g = l.Planes[slot].Weight + ((nint)token * _shape.Stride), b = l.Planes[slot].Bias + ((nint)token * _shape.Stride);
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
            Span<float> weight = places.Convolutions[k].Weight.Of(flat), bias = places.Convolutions[k].Bias.Of(flat);
            weight.Clear();
            bias.Clear();
            for (int o = 0; o < _m.ChannelsPerKernel; o++)
            {
                for (int offset = 0; offset < p; offset++)
                {
                    int row = EncoderPatch.Channel(_m, k, o, offset);
                    bias[o] += patchBias[row];
                    for (int j = 0; j < size; j++)
                        weight[(o * size) + j] += patch[(row * _shape.PatchStride) + EncoderPatch.FirstColumn(k, offset) + j];
                }
            }
        }
    }
}
