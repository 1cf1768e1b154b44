namespace UniCardio.Signals.Synthesis;

/// <summary>
/// Counter-based random numbers: number i of (seed, sequence) is a hash of i, so sequences are independent of each other and of how far
/// another was read, and the same on every machine.
/// </summary>
/// <remarks>
/// The hash is SplitMix64's (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) over an arithmetic
/// series whose start is itself hashed from seed and sequence. For simulation, not for cryptography. A mutable structure: pass it by
/// reference.
/// </remarks>
internal struct CounterRandom
{
    private const ulong Step = 0x9E3779B97F4A7C15;
    private readonly ulong _start;
    private ulong _counter;
    private double _spare;
    private bool _hasSpare;

    /// <summary>Starts a sequence at its first number.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="sequence">Which of the seed's sequences.</param>
    public CounterRandom(ulong seed, ulong sequence)
    {
        _start = Mix(seed + Mix(sequence * Step + 0x632BE59BD9B4E019));
        _counter = 0;
        _spare = 0;
        _hasSpare = false;
    }

    /// <summary>A seed of its own for item <paramref name="index"/> of a series.</summary>
    /// <param name="seed">Seed of the series.</param>
    /// <param name="index">Item.</param>
    public static ulong Derive(ulong seed, ulong index) => Mix(Mix(seed ^ 0xD1B54A32D192ED03) + index * Step);

    /// <summary>64 random bits.</summary>
    public ulong NextBits() => Mix(_start + ++_counter * Step);

    /// <summary>Uniform in [0, 1), a multiple of 2^-53.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [low, high).</summary>
    /// <param name="low">Lower bound.</param>
    /// <param name="high">Upper bound.</param>
    public double NextUniform(double low, double high) => low + (high - low) * NextDouble();

    /// <summary>Standard normal (Box and Muller 1958).</summary>
    public double NextGaussian()
    {
        if (_hasSpare)
        {
            _hasSpare = false;
            return _spare;
        }
        double radius = Math.Sqrt(-2 * PortableMath.Log(1 - NextDouble()));
        double turn = NextDouble();
        _spare = radius * PortableMath.SinTurns(turn);
        _hasSpare = true;
        return radius * PortableMath.CosTurns(turn);
    }

    /// <summary>Exponential with mean 1.</summary>
    public double NextExponential() => -PortableMath.Log(1 - NextDouble());

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
