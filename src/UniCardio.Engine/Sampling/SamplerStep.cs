namespace UniCardio.Engine.Sampling;

/// <summary>
/// One row of a sampler's table, executed alike on every backend:
/// <code>
/// p   = network(x, T)
/// x0  = clamp(CleanFromState x + CleanFromPrediction p, ClampLow, ClampHigh)
/// x  &lt;- State x + Clean0 x0 + Clean1 x0' + Clean2 x0'' + Noise z
/// </code>
/// with x0' and x0'' the clean signals of the one and two rows before (zero before the first), z standard normal.
/// </summary>
/// <remarks>
/// DDPM, DDIM, multistep DPM-Solver++ and the official-compatible quirks are all rows of this form, for every prediction type:
/// the coefficients are computed once in double, and the executor rounds them to its own precision. The clamp keeps NaN: it
/// must not turn a broken prediction into a plausible one.
/// </remarks>
/// <param name="T">Diffusion step that the network is evaluated at, 0 to T-1.</param>
/// <param name="CleanFromState">Weight of x in the predicted clean signal.</param>
/// <param name="CleanFromPrediction">Weight of the network's output in the predicted clean signal.</param>
/// <param name="State">Weight of x in the new x.</param>
/// <param name="Clean0">Weight of this row's clean signal.</param>
/// <param name="Clean1">Weight of the clean signal one row before.</param>
/// <param name="Clean2">Weight of the clean signal two rows before.</param>
/// <param name="Noise">Weight of z; 0 draws none.</param>
/// <param name="NoiseIndex">Which of the run's noise draws z is; 0 is the initial x_T. Ignored where <see cref="Noise"/> is 0.</param>
/// <param name="ClampLow">Lower bound of the clean signal; negative infinity for none.</param>
/// <param name="ClampHigh">Upper bound of the clean signal; positive infinity for none.</param>
public readonly record struct SamplerStep(
    int T,
    double CleanFromState,
    double CleanFromPrediction,
    double State,
    double Clean0,
    double Clean1 = 0,
    double Clean2 = 0,
    double Noise = 0,
    int NoiseIndex = 0,
    double ClampLow = double.NegativeInfinity,
    double ClampHigh = double.PositiveInfinity);
