using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;

namespace UniCardio.Training.Network;

/// <summary>Loss of one window and its gradient; called from the network's threads, each window once, in no stated order.</summary>
/// <param name="window">Index in the batch.</param>
/// <param name="prediction">[S] what the network predicts (eps, v or x0, as the configuration says).</param>
/// <param name="gradient">[S] receives d loss / d prediction, every element written.</param>
/// <returns>The window's loss.</returns>
public delegate double WindowLoss(int window, ReadOnlySpan<float> prediction, Span<float> gradient);

/// <summary>A network that can be trained: parameters and gradients as flat vectors of one layout.</summary>
public interface IGradientNetwork : IDisposable
{
    /// <summary>The network's sizes.</summary>
    ModelConfiguration Configuration { get; }

    /// <summary>Where each parameter stands in <see cref="Parameters"/> and <see cref="Gradients"/>.</summary>
    ParameterLayout Layout { get; }

    /// <summary>The parameters; call <see cref="ParametersChanged"/> after writing.</summary>
    Span<float> Parameters { get; }

    /// <summary>Gradients of the last <see cref="Accumulate"/>: the sum over its windows.</summary>
    Span<float> Gradients { get; }

    /// <summary>Vector instructions in use.</summary>
    CpuInstructionSet InstructionSet { get; }

    /// <summary>Threads in use.</summary>
    int Threads { get; }

    /// <summary>Runs pieces of other work on the network's threads: (piece, thread), each piece once, in no stated order.</summary>
    /// <param name="pieces">How many; 0 and up.</param>
    /// <param name="run">Does one; thread is 0 to <see cref="Threads"/> - 1, and no two pieces run at once with the same.</param>
    void Share(int pieces, Action<int, int> run);

    /// <summary>Takes over what was written to <see cref="Parameters"/> (packs the weights anew).</summary>
    void ParametersChanged();

    /// <summary>Forward and backward over a batch; <see cref="Gradients"/> is overwritten with the sum over the windows.</summary>
    /// <param name="batch">Inputs.</param>
    /// <param name="loss">Gives each window's loss and the gradient at the prediction.</param>
    /// <param name="dropoutSeed">Names the dropout masks of this call; the same seed gives the same masks.</param>
    /// <param name="losses">[count] each window's loss.</param>
    /// <remarks>The same bits for any number of threads.</remarks>
    void Accumulate(TrainingBatch batch, WindowLoss loss, ulong dropoutSeed, Span<double> losses);

    /// <summary>Forward only, without dropout.</summary>
    /// <param name="batch">Inputs.</param>
    /// <param name="predictions">[count, S].</param>
    void Predict(TrainingBatch batch, Span<float> predictions);
}
