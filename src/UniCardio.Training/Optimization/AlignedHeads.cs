using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Network;

namespace UniCardio.Training.Optimization;

/// <summary>
/// Two heads a block that start by looking at equal positions of all slots, in the manner of Trockman and Kolter ("Mimetic initialization
/// of self-attention layers", arXiv 2305.09828): Wq and Wk read the same few channels, so that Wq^T Wk is close to a multiple of the
/// identity there.
/// </summary>
/// <remarks>
/// <para>With slot positions a token enters block 0 as encoder output + position code. Head h takes the channels h D .. h D + D - 1 (D the
/// head's width): D/2 pairs sin, cos of frequencies w_j, head 0 the fastest. With Wq = Wk = s on those channels the score of two tokens d
/// apart is s^2 / sqrt(D) sum_j cos(w_j d) + what their contents add, and at d = 0 the sum is D/2. s is set so that the score of equal
/// positions is
/// <c>1.5 + ln(tokens of a slot)</c>: their weight e^1.5 T then outweighs the T other keys of a slot, whose scores are about 0, by 4.5. In
/// the compact network (D 30, w 1 .. 0.24 and 0.21 .. 0.05) the weight falls to 1/e within 2 tokens in head 0 and within 5 in head
/// 1.</para>
/// <para>Contents would drown this: the encoder's output has unit variance, and the products of 30 such channels spread by sqrt(30),
/// against a signal of
/// 15. So the channels that the two heads read start as a lane for positions: the encoder's norm has weight 0.2 there, and the residual
/// output of a block 0.1 of its usual size. Block k receives the code divided by sqrt(2)^k, so s^2 doubles from block to block.</para>
/// </remarks>
internal static class AlignedHeads
{
    /// <summary>Heads a block that start aligned.</summary>
    public const int Count = 2;

    private const double Lead = 1.5;
    private const float ContentScale = 0.2f;
    private const float ResidualScale = 0.1f;

    // What is left of the random start in the aligned heads' maps, so that they can turn to other channels too.
    private const float RandomScale = 0.2f;

    /// <summary>Overwrites the aligned heads' maps in initial weights.</summary>
    /// <param name="layout">The parameters.</param>
    /// <param name="flat">[layout's length] initial weights.</param>
    /// <exception cref="ConfigurationException">The configuration has global positions: no position reaches the first
    /// attention.</exception>
    public static void Apply(ParameterLayout layout, Span<float> flat)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ModelConfiguration m = layout.Configuration;
        if (m.Positions != PositionKind.Slot)
            throw new ConfigurationException("initialization",
                "aligned heads need positions = slot; with global positions no position reaches the first attention");
        int heads = Math.Min(Count, m.Heads), width = m.HeadDim / 2 * 2, lane = heads * width;
        foreach (EncoderWeights<WeightAndBias<ParameterSlice>> encoder in layout.Network.Encoders)
            encoder.Norm.Weight.Of(flat)[..(lane * m.SlotTokens)].Fill(ContentScale);
        double square = (Lead + Math.Log(m.SlotTokens)) * Math.Sqrt(m.HeadDim) / (width / 2.0);
        for (int block = 0; block < m.Blocks; block++)
        {
            BlockWeights<WeightAndBias<ParameterSlice>> places = layout.Network.Blocks[block];
            // [2C, C], residual rows first.
            Scale(places.OutputProjection.Weight.Of(flat)[..(lane * m.Channels)], ResidualScale);
            Scale(places.OutputProjection.Bias.Of(flat)[..lane], ResidualScale);
            Span<float> map = places.AttentionIn.Weight.Of(flat);
            float scale = (float)Math.Sqrt(square * Math.Pow(2, block));
            for (int head = 0; head < heads; head++)
            {
                Align(map, m, head, width, scale, queries: true);
                Align(map, m, head, width, scale, queries: false);
            }
        }
    }

    // map [3C, C]: rows of queries, keys, values.
    private static void Align(Span<float> map, ModelConfiguration m, int head, int width, float scale, bool queries)
    {
        int first = (queries ? 0 : m.Channels) + (head * m.HeadDim);
        Scale(map.Slice(first * m.Channels, m.HeadDim * m.Channels), RandomScale);
        for (int i = 0; i < width; i++)
            map[((first + i) * m.Channels) + (head * width) + i] += scale;
    }

    private static void Scale(Span<float> values, float factor)
    {
        foreach (ref float value in values)
            value *= factor;
    }
}
