namespace UniCardio.Signals.Formats.Flac;

/// <summary>One channel of a FLAC frame: constant, verbatim, or a prediction with its error (RFC 9639, section 9.2).</summary>
internal static class FlacSubframe
{
    private const int MaxOrder = 32;

    private static readonly int[][] FixedCoefficients = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

    /// <summary>Reads a subframe.</summary>
    /// <param name="bits">Where it begins.</param>
    /// <param name="samples">Receives its samples.</param>
    /// <param name="depth">Bits of a sample, up to 32.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="EndOfStreamException">The data ends within it.</exception>
    public static void Read(ref FlacBits bits, Span<int> samples, int depth)
    {
        if (bits.Read(1) != 0)
            throw new InvalidDataException("has a subframe that does not begin with 0");
        int type = (int)bits.Read(6), wasted = 0;
        if (bits.Read(1) == 1)
        {
            wasted = 1 + bits.ReadUnary(depth);
            depth -= wasted;
            if (depth < 1)
                throw new InvalidDataException("has a subframe without a bit left for its samples");
        }
        switch (type)
        {
            case 0:
                samples.Fill(bits.ReadSigned(depth));
                break;
            case 1:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = bits.ReadSigned(depth);
                break;
            case >= 8 and <= 12:
                Predicted(ref bits, samples, depth, type - 8, isFixed: true);
                break;
            case >= 32:
                Predicted(ref bits, samples, depth, type - 31, isFixed: false);
                break;
            default:
                throw new InvalidDataException($"has a subframe of the reserved type {type}");
        }
        if (wasted > 0)
        {
            for (int i = 0; i < samples.Length; i++)
                samples[i] <<= wasted;
        }
    }

    private static void Predicted(ref FlacBits bits, Span<int> samples, int depth, int order, bool isFixed)
    {
        if (order > samples.Length)
            throw new InvalidDataException($"has a prediction from {order} samples in a frame of {samples.Length}");
        for (int i = 0; i < order; i++)
            samples[i] = bits.ReadSigned(depth);
        Span<int> coefficients = stackalloc int[MaxOrder];
        int shift = 0;
        if (isFixed)
        {
            FixedCoefficients[order].CopyTo(coefficients);
        }
        else
        {
            int precision = (int)bits.Read(4) + 1;
            shift = bits.ReadSigned(5);
            if (precision == 16 || shift < 0)
                throw new InvalidDataException("has prediction coefficients of a reserved precision or shift");
            for (int i = 0; i < order; i++)
                coefficients[i] = bits.ReadSigned(precision);
        }
        Residual(ref bits, samples, order);
        long lowest = -(1L << (depth - 1)), highest = (1L << (depth - 1)) - 1;
        for (int i = order; i < samples.Length; i++)
        {
            // 32 products of 15 and 32 bits stay below 2^52.
            long sum = 0;
            for (int k = 0; k < order; k++)
                sum += (long)coefficients[k] * samples[i - 1 - k];
            long value = samples[i] + (sum >> shift);
            if (value < lowest || value > highest)
                throw new InvalidDataException("has a predicted sample beyond its bits");
            samples[i] = (int)value;
        }
    }

    // Rice codes in partitions; samples[0, order) are there already.
    private static void Residual(ref FlacBits bits, Span<int> samples, int order)
    {
        int method = (int)bits.Read(2);
        if (method > 1)
            throw new InvalidDataException("has prediction errors coded by a reserved method");
        int width = method == 0 ? 4 : 5, escape = (1 << width) - 1;
        int partitionOrder = (int)bits.Read(4), size = samples.Length >> partitionOrder;
        if (size << partitionOrder != samples.Length || size < order)
            throw new InvalidDataException("has prediction errors in parts that do not make up the frame");
        int at = order;
        for (int p = 0; p < 1 << partitionOrder; p++)
        {
            int parameter = (int)bits.Read(width), end = (p + 1) * size;
            if (parameter == escape)
            {
                int raw = (int)bits.Read(5);
                for (; at < end; at++)
                    samples[at] = raw == 0 ? 0 : bits.ReadSigned(raw);
            }
            else
            {
                for (; at < end; at++)
                    samples[at] = bits.ReadRice(parameter);
            }
        }
    }
}
