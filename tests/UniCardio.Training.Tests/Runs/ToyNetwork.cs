using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Network;

namespace UniCardio.Training.Tests.Runs;

/// <summary>A network small enough to check by eye: the prediction is a sum of the slots, each times a number that depends on the step's
/// half, plus an offset.</summary>
internal sealed class ToyNetwork : IGradientNetwork
{
    // Two halves of the steps x (four slots + offset).
    private const int Terms = 5;

    private readonly float[] _parameters;
    private readonly float[] _gradients;

    public ToyNetwork(ModelConfiguration? configuration = null)
    {
        Configuration = configuration ?? Small;
        Layout = new ParameterLayout(Configuration);
        _parameters = new float[Layout.Length];
        _gradients = new float[Layout.Length];
    }

    public static ModelConfiguration Small { get; } = new()
    {
        Channels = 12, Heads = 2, Blocks = 1, FeedForward = 2, Embedding = 4, DiffusionSteps = 10, SlotSamples = 16,
            Positions = PositionKind.Slot, Prediction = PredictionKind.V,
    };

    public ModelConfiguration Configuration { get; }

    public ParameterLayout Layout { get; }

    public Span<float> Parameters => _parameters;

    public Span<float> Gradients => _gradients;

    /// <summary>Batches seen; a poisoned one gives gradients that are not finite.</summary>
    public int Calls { get; private set; }

    public int? PoisonedCall { get; init; }

    public CpuInstructionSet InstructionSet => CpuInstructionSet.Scalar;

    public int Threads => 1;

    public void Share(int pieces, Action<int, int> run)
    {
        for (int i = 0; i < pieces; i++)
            run(i, 0);
    }

    public void ParametersChanged()
    {
    }

    public void Accumulate(TrainingBatch batch, WindowLoss loss, ulong dropoutSeed, Span<double> losses)
    {
        Array.Clear(_gradients);
        float[] prediction = new float[batch.SlotSamples], gradient = new float[batch.SlotSamples];
        for (int window = 0; window < batch.Count; window++)
        {
            Predict(batch, window, prediction);
            losses[window] = loss(window, prediction, gradient);
            int at = At(batch, window);
            for (int s = 0; s < gradient.Length; s++)
            {
                for (int slot = 0; slot < 4; slot++)
                    _gradients[at + slot] += gradient[s] * batch.Slot(window, slot)[s];
                // A stand-in for dropout: a small pull that depends on the masks' name.
                _gradients[at + 4] += gradient[s] + (1e-4f * (dropoutSeed % 3));
            }
        }

        if (Calls++ == PoisonedCall)
            _gradients[0] = float.NaN;
    }

    public void Predict(TrainingBatch batch, Span<float> predictions)
    {
        for (int window = 0; window < batch.Count; window++)
            Predict(batch, window, predictions.Slice(window * batch.SlotSamples, batch.SlotSamples));
    }

    public void Dispose()
    {
    }

    private int At(TrainingBatch batch, int window) => batch.Steps[window] * 2 < Configuration.DiffusionSteps ? 0 : Terms;

    private void Predict(TrainingBatch batch, int window, Span<float> prediction)
    {
        int at = At(batch, window);
        for (int s = 0; s < prediction.Length; s++)
        {
            prediction[s] = _parameters[at + 4];
            for (int slot = 0; slot < 4; slot++)
                prediction[s] += _parameters[at + slot] * batch.Slot(window, slot)[s];
        }
    }
}
