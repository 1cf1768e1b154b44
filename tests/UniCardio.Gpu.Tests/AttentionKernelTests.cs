using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;

namespace UniCardio.Gpu.Tests;

/// <summary>The attention kernel against the double twin with a dense mask: odd sizes, every head width, windows and global
/// tokens.</summary>
public abstract class AttentionKernelTests(TestDevice device) : DeviceTests(device)
{
    // Softmax weights sum to 1, so the error is a few float32 roundings of scores up to ~6 (2^-24 x 6 x 2) and of one sum of at
    // most 1000 terms taken 32 at a time: 2e-6 of the largest value holds a few times over.
    private const double Tolerance = 2e-6;

    // Tokens, head dim, window (-1: none), global tokens: every size under every window, with global tokens of which some lie in other
    // tiles than the queries.
    public static TheoryData<int, int, int, int> Cases
    {
        get
        {
            var cases = new TheoryData<int, int, int, int>();
            foreach (int tokens in (int[])[1, 17, 33, 100, 500])
            {
                foreach (int headDim in (int[])[12, 30, 36, 64])
                {
                    foreach ((int window, int globals) in ((int, int)[])[(-1, 0), (0, 0), (0, 40), (8, 0), (8, 3)])
                        cases.Add(tokens, headDim, window, globals);
                }
            }

            return cases;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void MatchesReference(int tokens, int headDim, int window, int globals)
    {
        Skip.If(TestDevices.IsSlow && tokens > 17, "too slow on ILGPU's CPU device");
        // Two windows of two conditions and two draws and two heads where it is cheap; at 500 tokens the target of one condition alone.
        bool small = tokens <= 33;
        var c = new Case(tokens, headDim, new AttentionPattern { Window = window < 0 ? null : window, GlobalTokens = globals },
            small ? 2 : 1, tokens < 500 ? 2 : 1, small ? 2 : 1, firstSlot: tokens < 500 ? 0 : 1);
        double error = RelativeError.Of(c.Launch(), c.Reference());
        Assert.True(error <= Tolerance, $"relative error {error}");
    }

    // What a tile of queries may not see is made NaN: a key tile that is read all the same spoils its rows, for 0 x NaN is NaN.
    [SkippableTheory]
    [InlineData(100, 12, 0, 0)]
    [InlineData(100, 36, 8, 0)]
    [InlineData(100, 36, 33, 0)]
    [InlineData(500, 30, 8, 3)]
    [InlineData(500, 64, 8, 0)]
    public void KeyTilesOutsideTheWindowAreNotRead(int tokens, int headDim, int window, int globals)
    {
        Skip.If(TestDevices.IsSlow, "too slow on ILGPU's CPU device");
        const int Tile = AttentionKernel<HeadWidth16>.TileTokens;
        var pattern = new AttentionPattern { Window = window, GlobalTokens = globals };
        int tiles = (tokens + Tile - 1) / Tile, hidden = 0;
        foreach (int queries in (int[])[0, tiles / 2, tiles - 1])
        {
            var c = new Case(tokens, headDim, pattern, windows: 1, conditions: 1, heads: 1, firstSlot: 1);
            float[] expected = c.Reference();
            for (int keys = 0; keys < tiles; keys++)
            {
                bool seen = Enumerable.Range(queries * Tile, Tile)
                    .Any(q => Enumerable.Range(keys * Tile, Tile).Any(k => q < tokens && k < tokens && pattern.Sees(q, k)));
                if (seen)
                    continue;
                hidden++;
                c.Spoil(keys * Tile, Math.Min(tokens, (keys + 1) * Tile));
            }

            int from = queries * Tile * c.Width, to = Math.Min(tokens, (queries + 1) * Tile) * c.Width;
            double error = RelativeError.Of(c.Launch().AsSpan(from, to - from), expected.AsSpan(from, to - from));
            Assert.True(error <= Tolerance, $"query tile {queries}: relative error {error}");
        }

        Assert.True(hidden > 0, "nothing was hidden");
    }

    // Windows of some conditions and as many draws as windows; slots from the first launched one on are compared.
    private sealed class Case
    {
        private readonly int _heads, _headDim, _padded, _slots;
        private readonly AttentionShape _shape;
        private readonly AttentionPattern _pattern;
        private readonly double[] _q, _k, _v;
        private readonly float[] _packed;

        public Case(int tokens, int headDim, AttentionPattern pattern, int windows, int conditions, int heads, int firstSlot)
        {
            (_heads, _headDim, _padded, _pattern) = (heads, headDim, (headDim + 3) / 4 * 4, pattern);
            int conditionSlots = windows * conditions;
            _slots = conditionSlots + (windows * windows);
            _shape = new AttentionShape
            {
                FirstSlot = firstSlot,
                ConditionSlots = conditionSlots,
                Conditions = conditions,
                Draws = windows,
                Blocks = 1,
                SlotTokens = tokens,
                HeadQuads = Width / 4,
                HeadDimQuads = _padded / 4,
                Window = pattern.Window ?? -1,
                GlobalTokens = pattern.GlobalTokens,
            };
            var random = new Random(tokens + headDim);
            int count = _slots * tokens * heads * headDim;
            (_q, _k, _v) = (Values(random, count), Values(random, count), Values(random, count));
            _packed = Pack();
        }

        /// <summary>Columns of an output row.</summary>
        public int Width => _heads * _padded;

        private int Channels => _heads * _headDim;

        /// <summary>Keys and values of some tokens of every slot become NaN.</summary>
        public void Spoil(int first, int end)
        {
            for (int row = 0; row < _slots * _shape.SlotTokens; row++)
            {
                if (row % _shape.SlotTokens >= first && row % _shape.SlotTokens < end)
                    _packed.AsSpan((((row * 3) + 1) * Width), 2 * Width).Fill(float.NaN);
            }
        }

        /// <summary>[launched slots, T, heads].</summary>
        public float[] Launch()
        {
            using DeviceLease lease = TestDevices.Open();
            Accelerator accelerator = lease.Device.Accelerator;
            int row = _shape.SlotTokens * Width, launched = _slots - _shape.FirstSlot;
            using MemoryBuffer1D<Float4, Stride1D.Dense> qkv = accelerator.Allocate1D<Float4>(_packed.Length / 4);
            using MemoryBuffer1D<float, Stride1D.Dense> output = accelerator.Allocate1D<float>(_slots * row);
            ((ArrayView<Float4>)qkv.View).Cast<float>().CopyFromCPU(_packed);
            int tiles = (_shape.SlotTokens + 31) / 32;
            lease.Device.Kernels.Attention(_shape.HeadDimQuads)(
                accelerator.DefaultStream, new KernelConfig(new Index3D(launched * tiles, _heads, 1), new Index3D(8, 8, 1)), _shape,
                qkv.View, output.View);
            float[] result = new float[launched * row];
            ((ArrayView<float>)output.View).SubView(_shape.FirstSlot * row, launched * row).CopyToCPU(result);
            return result;
        }

        /// <summary>[launched slots, T, heads] of the double twin, with the whole mask.</summary>
        public float[] Reference()
        {
            int tokens = _shape.SlotTokens, length = tokens * Channels;
            float[] expected = new float[(_slots - _shape.FirstSlot) * tokens * Width];
            for (int slot = _shape.FirstSlot; slot < _slots; slot++)
            {
                bool isTarget = slot >= _shape.ConditionSlots;
                int window = isTarget ? (slot - _shape.ConditionSlots) / _shape.Draws : slot / _shape.Conditions;
                int[] read = [.. Enumerable.Range(window * _shape.Conditions, _shape.Conditions), .. isTarget ? new[] { slot } : []];
                double[] Rows(double[] all) => [.. read.SelectMany(s => all.Skip(s * length).Take(length))];
                double[] output = new double[length];
                ReferenceAttention.Forward(_q.AsSpan(slot * length, length), Rows(_k), Rows(_v),
                    ReferenceMask.Live(1, read.Length, tokens, _pattern), _heads, Channels, output);
                for (int i = 0; i < length; i++)
                    expected[((((slot - _shape.FirstSlot) * tokens) + (i / Channels)) * Width) + Column(i % Channels)] = (float)output[i];
            }

            return expected;
        }

        // [rows, 3 heads], queries scaled as the weights' folding does.
        private float[] Pack()
        {
            float[] packed = new float[_q.Length / Channels * 3 * Width];
            double scale = 1 / (Math.Sqrt(_headDim) * Math.Log(2));
            for (int i = 0; i < _q.Length; i++)
            {
                int at = (i / Channels * 3 * Width) + Column(i % Channels);
                packed[at] = (float)(_q[i] * scale);
                packed[at + Width] = (float)_k[i];
                packed[at + (2 * Width)] = (float)_v[i];
            }

            return packed;
        }

        private int Column(int channel) => (channel / _headDim * _padded) + (channel % _headDim);

        // Float32 values, so that both sides start from the same numbers.
        private static double[] Values(Random random, int count) =>
            [.. Enumerable.Range(0, count).Select(_ => (double)((random.NextSingle() * 4) - 2))];
    }
}

/// <summary>On OpenCL.</summary>
public sealed class OpenClAttentionKernelTests() : AttentionKernelTests(TestDevice.OpenCl);

/// <summary>On the simulator.</summary>
public sealed class SimulatedAttentionKernelTests() : AttentionKernelTests(TestDevice.Simulated);
