using UniCardio.Engine;
using UniCardio.Training.Network;

namespace UniCardio.Training.Optimization;

/// <summary>L1 on the gates: after each update the weights of every block's sigmoid gate shrink towards zero and stay there where they
/// cross it.</summary>
/// <remarks>
/// The proximal step of lambda |w| (Daubechies, Defrise and De Mol, 2004): w = sign(w) max(0, |w| - rate lambda), over rows 0 to C - 1 of
/// the map into the gate [2C, C]; the other half, the filter, and the biases are left alone.
/// </remarks>
internal sealed class GateShrinkage
{
    private readonly double _lambda;
    private readonly ParameterSlice[] _gates;

    /// <summary>Finds the gates.</summary>
    /// <param name="layout">The parameters.</param>
    /// <param name="lambda">Weight of the L1 norm; above 0.</param>
    /// <exception cref="ConfigurationException">The weight is not a positive finite number.</exception>
    public GateShrinkage(ParameterLayout layout, double lambda)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (!(lambda > 0 && double.IsFinite(lambda)))
            throw new ConfigurationException("gate_l1", $"{lambda} is not a positive finite number");
        _lambda = lambda;
        _gates = [.. layout.Network.Blocks.Select(b => b.MidProjection.Weight.Part(0, layout.Configuration.Channels))];
    }

    /// <summary>Shrinks the gates' weights after an update.</summary>
    /// <param name="parameters">[N].</param>
    /// <param name="rate">Learning rate of the update.</param>
    public void Apply(Span<float> parameters, double rate)
    {
        float by = (float)(rate * _lambda);
        foreach (ParameterSlice gate in _gates)
        {
            foreach (ref float w in gate.Of(parameters))
                w = w > by ? w - by : w < -by ? w + by : 0;
        }
    }

    /// <summary>Share of the gates' weights that are zero.</summary>
    /// <param name="parameters">[N].</param>
    public double ZeroShare(ReadOnlySpan<float> parameters)
    {
        long zero = 0, all = 0;
        foreach (ParameterSlice gate in _gates)
        {
            zero += System.MemoryExtensions.Count(gate.Of(parameters), 0f);
            all += gate.Count;
        }

        return (double)zero / all;
    }
}
