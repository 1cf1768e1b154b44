using UniCardio.Engine.Backends.Cpu;
using UniCardio.Training.Kernels;

namespace UniCardio.Training.Differentiation;

internal sealed unsafe partial class Tape<S, V>
{
    private readonly Dictionary<(int Tokens, int HeadDim), AttentionScratch> _scratch = [];

    // Every query reads every key of its window: the training pass's own kernel, whose target rows are all there is. It writes the
    // gradient of Q, K and V, which nothing else reads.
    private TapeMatrix DenseAttention(TapeMatrix qkv, int windows, int heads)
    {
        int tokens = qkv.Rows / windows, channels = qkv.Columns / 3;
        TapeMatrix y = New(qkv.Rows, channels);
        AlignedBuffer logs = Buffer((long)qkv.Rows * heads);
        AttentionBuffers forward = Buffers(qkv, logs, channels, heads), backward = forward;
        forward.OutputStride = backward.OutputStride = y.Stride;
        forward.Output = y.Value;
        backward.Output = y.Gradient;
        backward.DQkv = qkv.Gradient;
        AttentionScratch scratch = ScratchOf(tokens, channels / heads);
        for (int w = 0; w < windows; w++)
            TrainedAttention.Forward<S, V>(forward, new WindowRows(w, w * tokens, 0, w * tokens, tokens), scratch, default);
        _backward.Add(() =>
        {
            for (int w = 0; w < windows; w++)
                TrainedAttention.Backward<S, V>(backward, new WindowRows(w, w * tokens, 0, w * tokens, tokens), scratch, default);
        });
        return y;
    }

    private static AttentionBuffers Buffers(TapeMatrix qkv, AlignedBuffer logs, int channels, int heads) => new()
    {
        Qkv = qkv.Value, QkvStride = qkv.Stride, Logs = logs.Pointer, Channels = channels, Heads = heads, TargetOnly = true,
    };

    private AttentionScratch ScratchOf(int tokens, int headDim)
    {
        if (!_scratch.TryGetValue((tokens, headDim), out AttentionScratch? scratch))
            _scratch.Add((tokens, headDim), scratch = new AttentionScratch(tokens, headDim, Width));
        return scratch;
    }
}
