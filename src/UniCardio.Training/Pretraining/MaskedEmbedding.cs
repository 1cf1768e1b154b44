using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Training.Differentiation;

namespace UniCardio.Training.Pretraining;

/// <summary>What an encoder makes of windows.</summary>
internal static class MaskedEmbedding
{
    private const int GroupSize = 8;

    /// <summary>The mean token of all signals and of each signal, one after the other; zeros for a signal that is missing.</summary>
    /// <param name="network">Sizes and arm.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="windows">The windows.</param>
    /// <param name="present">Signals that are shown, by bit.</param>
    /// <param name="sink">Takes attention weights with the number of the first window and the signal (0 of an encoder of all); if
    /// given.</param>
    /// <param name="cancellation">Stops between groups of windows.</param>
    /// <returns>[windows][4 d], or [3 d] where each signal has an encoder of its own.</returns>
    public static double[][] Of(MaskedConfiguration network, IReadOnlyList<ParameterTensor> weights, IReadOnlyList<MaskedWindow> windows,
        int present = 7, Action<int, int, int, float[]>? sink = null, CancellationToken cancellation = default) =>
        CpuInstructionSets.Run<Code, double[][]>(CpuInstructionSets.Resolve(CpuInstructionSet.Auto),
            new Code(network, weights, windows, present, sink, cancellation));

    private readonly struct Code(MaskedConfiguration m, IReadOnlyList<ParameterTensor> weights, IReadOnlyList<MaskedWindow> windows,
        int present, Action<int, int, int, float[]>? sink, CancellationToken cancellation) : ISimdCode<double[][]>
    {
        public double[][] Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            using var parameters = new TapeParameters(m.Shapes(), 2 * S.Width);
            parameters.Read(weights);
            using var tape = new Tape<S, V>(parameters);
            var rows = new double[windows.Count][];
            for (int at = 0; at < windows.Count; at += GroupSize)
            {
                cancellation.ThrowIfCancellationRequested();
                MaskedWindow[] group = [.. windows.Skip(at).Take(GroupSize)];
                for (int i = 0; i < group.Length; i++)
                    rows[at + i] = new double[(m.IsSplit ? 3 : 4) * m.Width];
                tape.Begin();
                for (int part = 0; part < (m.IsSplit ? MaskedConfiguration.Signals : 1); part++)
                    Encode(tape, part, at, group, rows);
            }

            return rows;
        }

        private void Encode<S, V>(Tape<S, V> tape, int part, int at, MaskedWindow[] group, double[][] rows)
            where S : struct, ISimd<S, V>
            where V : struct
        {
            (bool split, int shown, Action<int, int, int, float[]>? to) = (m.IsSplit, present, sink);
            int[] tokens = [.. Enumerable.Range(0, MaskedConfiguration.Tokens)
                .Where(t => (shown >> (t / MaskedConfiguration.Patches) & 1) != 0 && (!split || t / MaskedConfiguration.Patches == part))];
            if (tokens.Length == 0)
                return;
            TapeMatrix encoded = MaskedTape.Encode(tape, m, m.Encoder(part), group, [.. group.Select(_ => tokens)],
                to is null ? null : (layer, attention) => to(at, part, layer, attention));
            for (int row = 0; row < encoded.Rows; row++)
            {
                int signal = tokens[row % tokens.Length] / MaskedConfiguration.Patches;
                double[] into = rows[at + (row / tokens.Length)];
                Span<float> values = encoded.Row(row);
                for (int k = 0; k < m.Width; k++)
                {
                    into[(signal * m.Width) + k] += values[k] / (double)MaskedConfiguration.Patches;
                    if (!split)
                        into[(MaskedConfiguration.Signals * m.Width) + k] += values[k] / (double)tokens.Length;
                }
            }
        }
    }
}
