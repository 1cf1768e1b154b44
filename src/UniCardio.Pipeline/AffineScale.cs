namespace UniCardio.Pipeline;

/// <summary>The affine map between physical units and the units the network works in: scaled = (physical - Center) / HalfRange.</summary>
/// <remarks>
/// It is fixed before a window is corrupted or generated and inverted after. The default value of the type is not a valid map; use the
/// rule of <see cref="WindowScale"/> or <see cref="FromRange"/>.
/// </remarks>
internal readonly record struct AffineScale
{
    /// <summary>What stands for a missing sample in scaled units, for every signal (50 mmHg for blood pressure).</summary>
    public const float Missing = -1;

    /// <summary>Creates the map.</summary>
    /// <param name="center">Physical value that maps to 0; finite.</param>
    /// <param name="halfRange">Physical distance that maps to 1; finite and above 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public AffineScale(double center, double halfRange)
    {
        if (!double.IsFinite(center))
            throw new ArgumentOutOfRangeException(nameof(center), center, "The centre of a scale is finite.");
        if (!double.IsFinite(halfRange) || halfRange <= 0)
            throw new ArgumentOutOfRangeException(nameof(halfRange), halfRange, "The half range of a scale is finite and above 0.");
        Center = center;
        HalfRange = halfRange;
    }

    /// <summary>Blood pressure: (mmHg - 100) / 50, whatever the window holds.</summary>
    public static AffineScale BloodPressure { get; } = new(100, 50);

    /// <summary>The identity: a translated PPG or ECG has no amplitude reference and stays in [-1, 1].</summary>
    public static AffineScale Normalized { get; } = new(0, 1);

    /// <summary>Physical value that maps to 0.</summary>
    public double Center { get; }

    /// <summary>Physical distance that maps to 1.</summary>
    public double HalfRange { get; }

    /// <summary>The map that takes [minimum, maximum] to [-1, 1].</summary>
    /// <param name="minimum">Physical value that maps to -1; finite.</param>
    /// <param name="maximum">Physical value that maps to 1; finite, not below <paramref name="minimum"/>.</param>
    /// <returns>
    /// The map. A range narrower than eight float32 rounding steps of its values counts as constant and gets a half range of 1, so that a
    /// constant window becomes 0 rather than noise blown up or a division by zero, and inverts to itself.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">A bound is not finite, or they are reversed.</exception>
    public static AffineScale FromRange(float minimum, float maximum)
    {
        if (!float.IsFinite(minimum))
            throw new ArgumentOutOfRangeException(nameof(minimum), minimum, "The bounds of a range are finite.");
        if (!float.IsFinite(maximum) || maximum < minimum)
            throw new ArgumentOutOfRangeException(nameof(maximum), maximum,
                $"The upper bound of a range is finite and not below the lower one, {minimum}.");
        double center = ((double)minimum + maximum) / 2;
        double halfRange = ((double)maximum - minimum) / 2;
        float largest = MathF.Max(MathF.Abs(minimum), MathF.Abs(maximum));
        double step = (double)largest - MathF.BitDecrement(largest);
        return new AffineScale(center, halfRange > 4 * step ? halfRange : 1);
    }

    /// <summary>Physical to scaled.</summary>
    /// <param name="physical">A measured value.</param>
    public float Forward(float physical) => (float)((physical - Center) / HalfRange);

    /// <summary>Scaled to physical.</summary>
    /// <param name="scaled">A value in the network's units.</param>
    public float Inverse(float scaled) => (float)(Center + HalfRange * scaled);

    /// <summary>Physical to scaled for a window; a missing sample (NaN) becomes <see cref="Missing"/>.</summary>
    /// <param name="physical">The window, [S].</param>
    /// <param name="scaled">Where to put it, [S]; may be the same memory.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public void Forward(ReadOnlySpan<float> physical, Span<float> scaled)
    {
        RequireSameLength(physical.Length, scaled.Length);
        for (int i = 0; i < physical.Length; i++)
            scaled[i] = float.IsNaN(physical[i]) ? Missing : Forward(physical[i]);
    }

    /// <summary>Scaled to physical for a window.</summary>
    /// <param name="scaled">The window in the network's units, [S].</param>
    /// <param name="physical">Where to put it, [S]; may be the same memory.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public void Inverse(ReadOnlySpan<float> scaled, Span<float> physical)
    {
        RequireSameLength(scaled.Length, physical.Length);
        for (int i = 0; i < scaled.Length; i++)
            physical[i] = Inverse(scaled[i]);
    }

    private static void RequireSameLength(int source, int destination)
    {
        if (source != destination)
            throw new ArgumentException($"The source has {source} samples and the destination {destination}; expected the same number.");
    }
}
