using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace UniCardio.Training.Optimization;

/// <summary>Exponential moving average (EMA) of the parameters, which diffusion models are used with.</summary>
/// <remarks>After update k, 1 and up, a = a + (1 - d_k)(p - a) with d_k = min(decay, k / (k + 9)): early on the average follows
/// closely.</remarks>
internal sealed class AveragedParameters
{
    private readonly float[] _values;
    private readonly double _decay;

    /// <summary>Starts at some parameters.</summary>
    /// <param name="start">[N], a multiple of 8 long.</param>
    /// <param name="decay">From 0 (no averaging) to below 1.</param>
    public AveragedParameters(ReadOnlySpan<float> start, double decay)
    {
        if (!(decay >= 0 && decay < 1))
            throw new Engine.ConfigurationException("ema_decay", $"{decay} is not from 0 to below 1");
        if (start.Length % 8 != 0)
            throw new ArgumentException($"{start.Length} parameters are not a multiple of 8", nameof(start));
        _values = start.ToArray();
        _decay = decay;
    }

    /// <summary>[N] the average.</summary>
    public Memory<float> Values => _values;

    /// <summary>Takes in the parameters after an update.</summary>
    /// <param name="parameters">[N].</param>
    /// <param name="updates">Updates done, 1 and up.</param>
    public void Include(ReadOnlySpan<float> parameters, long updates)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(parameters.Length, _values.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(updates, 1);
        if (_decay == 0)
        {
            parameters.CopyTo(_values);
            return;
        }

        float share = (float)(1 - Math.Min(_decay, updates / (updates + 9.0)));
        ref float a = ref MemoryMarshal.GetArrayDataReference(_values), p = ref MemoryMarshal.GetReference(parameters);
        for (nuint i = 0; i < (nuint)_values.Length; i += 8)
        {
            Vector256<float> at = Vector256.LoadUnsafe(ref a, i);
            (at + ((Vector256.LoadUnsafe(ref p, i) - at) * share)).StoreUnsafe(ref a, i);
        }
    }
}
