using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace UniCardio.Tests.Shared;

/// <summary>What a fuzzing run did.</summary>
internal sealed record FuzzReport(int Inputs, int Accepted, int Refused, TimeSpan Slowest, long MaxAllocated, int MaxAllocatedFor,
    IReadOnlyDictionary<string, int> RefusedBy)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Inputs} inputs: {Accepted} accepted, {Refused} refused ({string.Join(", ", RefusedBy.Select(p => $"{p.Key} {p.Value}"))}); "
        + $"slowest {Slowest.TotalMilliseconds:F1} ms, most memory {MaxAllocated / 1024} KiB, for an input of {MaxAllocatedFor} bytes "
        + $"({(double)MaxAllocated / Math.Max(1, MaxAllocatedFor):F1} times)");
}

/// <summary>
/// Feeds a reader with mutated copies of sound inputs. Only expected exceptions may come out, each input must be done within a time and
/// an allocation bound, and a failure names seed and input number so that <see cref="Mutant"/> makes the very input again.
/// </summary>
internal static class MutationFuzzer
{
    /// <summary>Count for a test: <paramref name="inside"/>, or the value of UNICARDIO_FUZZ where that is set.</summary>
    public static int CountFor(int inside) =>
        int.TryParse(Environment.GetEnvironmentVariable("UNICARDIO_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out int n)
            ? n : inside;

    /// <summary>Runs <paramref name="target"/> on <paramref name="count"/> mutants.</summary>
    /// <param name="seeds">Sound inputs; small ones (under some KiB) fuzz best.</param>
    /// <param name="count">Number of mutants.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="target">The reader. Returning means that it accepted the input.</param>
    /// <param name="isExpected">Whether an exception is one of those the reader documents.</param>
    /// <param name="maxTime">Longest time for one input; 5 s unless told otherwise (machines that run tests are busy).</param>
    /// <param name="maxAllocated">Most bytes allocated on this thread for one input; 64 MiB unless told otherwise.</param>
    public static FuzzReport Run(byte[][] seeds, int count, ulong seed, Action<byte[]> target, Func<Exception, bool> isExpected,
        TimeSpan? maxTime = null, long maxAllocated = 64L << 20)
    {
        TimeSpan limit = maxTime ?? TimeSpan.FromSeconds(5);
        var refusedBy = new SortedDictionary<string, int>(StringComparer.Ordinal);
        int accepted = 0;
        var slowest = TimeSpan.Zero;
        long max = 0;
        int maxFor = 0;
        int current = 0;
        // A reader that never comes back cannot be stopped from inside: end the process, saying which input it was. Time is that of the
        // processor, since the process itself may be stopped while others measure.
        TimeSpan busySince = Environment.CpuUsage.TotalTime;
        int watched = -1;
        using var watchdog = new Timer(_ =>
        {
            int now = Volatile.Read(ref current);
            if (now == watched && Environment.CpuUsage.TotalTime - busySince > TimeSpan.FromMinutes(2))
                Environment.FailFast($"Mutant {now} of seed {seed} does not end.");
            (busySince, watched) = now == watched ? (busySince, watched) : (Environment.CpuUsage.TotalTime, now);
        }, null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));
        for (int i = 0; i < count; i++)
        {
            byte[] input = Mutant(seeds, seed, i);
            Volatile.Write(ref current, i);
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            try
            {
                target(input);
                accepted++;
            }
            catch (Exception e) when (isExpected(e))
            {
                refusedBy[e.GetType().Name] = refusedBy.GetValueOrDefault(e.GetType().Name) + 1;
            }
            catch (Exception e)
            {
                throw Failure(seed, i, input, $"threw {e.GetType().FullName}: {e.Message}", e);
            }
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            // A process may be stopped while others measure: what is slow itself is slow again.
            if (took > limit)
            {
                start = Stopwatch.GetTimestamp();
                Repeat(target, input);
                took = Stopwatch.GetElapsedTime(start);
            }
            if (took > limit)
                throw Failure(seed, i, input, $"took {took}, bound {limit}", null);
            if (allocated > maxAllocated)
                throw Failure(seed, i, input, $"allocated {allocated} bytes, bound {maxAllocated}", null);
            slowest = took > slowest ? took : slowest;
            if (allocated > max)
                (max, maxFor) = (allocated, input.Length);
        }
        return new FuzzReport(count, accepted, count - accepted, slowest, max, maxFor, refusedBy);
    }

    private static void Repeat(Action<byte[]> target, byte[] input)
    {
        try
        {
            target(input);
        }
        catch (Exception)
        {
            // What came out the first time was judged then.
        }
    }

    /// <summary>Mutant number <paramref name="index"/> of a run: 1 to 6 mutations of one of the seeds.</summary>
    public static byte[] Mutant(byte[][] seeds, ulong seed, int index)
    {
        var random = new SplitMix(seed ^ ((ulong)index * 0xD1342543DE82EF95UL));
        var data = new List<byte>(seeds[random.Below(seeds.Length)]);
        int mutations = 1 + random.Below(6);
        // Headers stand at the front: half of the inputs are changed in the first few hundred bytes only.
        int reach = random.Below(2) == 0 ? 512 : int.MaxValue;
        for (int m = 0; m < mutations; m++)
            Mutate(data, ref random, reach);
        return data.ToArray();
    }

    private static void Mutate(List<byte> data, ref SplitMix random, int reach)
    {
        if (data.Count == 0)
        {
            data.Add((byte)random.Next());
            return;
        }
        int at = random.Below(Math.Min(data.Count, reach));
        switch (random.Below(11))
        {
            case 0:
                data[at] ^= (byte)(1 << random.Below(8));
                break;
            case 1:
                data[at] = (byte)random.Next();
                break;
            case 2:
                data[at] = InterestingBytes[random.Below(InterestingBytes.Length)];
                break;
            case 3:
                int kept = random.Below(data.Count + 1);
                data.RemoveRange(kept, data.Count - kept);
                break;
            case 4:
                int cut = 1 + random.Below(4);
                data.RemoveRange(Math.Max(0, data.Count - cut), Math.Min(cut, data.Count));
                break;
            case 5:
                for (int n = 1 + random.Below(64); n > 0; n--)
                    data.Add((byte)random.Next());
                break;
            case 6:
                int length = Math.Min(1 + random.Below(64), data.Count - at);
                data.RemoveRange(at, length);
                break;
            case 7:
                List<byte> chunk = data.GetRange(at, Math.Min(1 + random.Below(64), data.Count - at));
                data.InsertRange(random.Below(data.Count + 1), chunk);
                break;
            case 8:
                WriteInteger(data, at, ref random);
                break;
            default:
                EditNumber(data, at, ref random);
                break;
        }
    }

    private static readonly byte[] InterestingBytes = [0, 1, 0x7F, 0x80, 0xFF, (byte)' ', (byte)'\n', (byte)'\r', (byte)',', (byte)'"',
        (byte)'-', (byte)'/', (byte)'.', (byte)'{', (byte)'[', (byte)'e'];

    private static readonly long[] InterestingIntegers =
    [
        0, 1, -1, sbyte.MinValue, sbyte.MaxValue, byte.MaxValue, short.MinValue, short.MaxValue, ushort.MaxValue, int.MinValue,
        int.MaxValue,
        uint.MaxValue, long.MinValue, long.MaxValue, 1L << 31, 1L << 40, 1L << 62, 0x0100000000000000,
    ];

    // A size is 1, 2, 4 or 8 bytes, either byte order.
    private static void WriteInteger(List<byte> data, int at, ref SplitMix random)
    {
        int size = 1 << random.Below(4);
        long value = InterestingIntegers[random.Below(InterestingIntegers.Length)];
        bool bigEndian = random.Below(4) == 0;
        for (int b = 0; b < size && at + b < data.Count; b++)
            data[at + b] = (byte)(value >> (8 * (bigEndian ? size - 1 - b : b)));
    }

    private static readonly string[] Numbers =
    [
        "0", "-1", "1", "2", "-0", "0.0", "1e308", "1e999", "-1e308", "1e-320", "NaN", "Infinity", "-Infinity", "9999999999", "2147483647",
        "2147483648", "-2147483648",
        "4294967296", "9223372036854775807", "18446744073709551615", "99999999999999999999999999", "0x10", "1.5", "1,5", "", " ",
        "--1", "1e", ".",
    ];

    // Replaces the decimal number at or after the position, as headers and JSON hold their sizes as text.
    private static void EditNumber(List<byte> data, int at, ref SplitMix random)
    {
        int start = at, stop = Math.Min(data.Count, at + 256);
        while (start < stop && !char.IsAsciiDigit((char)data[start]))
            start++;
        if (start == stop)
            return;
        int end = start;
        while (end < data.Count && char.IsAsciiDigit((char)data[end]))
            end++;
        byte[] text = Encoding.ASCII.GetBytes(Numbers[random.Below(Numbers.Length)]);
        if (random.Below(2) == 0)
        {
            // In place, as fields of fixed width (EDF, tar) call for.
            for (int i = 0; i < text.Length && start + i < data.Count; i++)
                data[start + i] = text[i];
            return;
        }
        data.RemoveRange(start, end - start);
        data.InsertRange(start, text);
    }

    private static InvalidOperationException Failure(ulong seed, int index, byte[] input, string what, Exception? inner) =>
        new(
            $"Mutant {index} of seed {seed} ({input.Length} bytes, starts "
            + $"{Convert.ToHexString(input.AsSpan(0, Math.Min(32, input.Length)))}) {what}", inner);

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine.</summary>
    private struct SplitMix(ulong state)
    {
        private ulong _state = state;

        public ulong Next()
        {
            ulong z = _state += 0x9E3779B97F4A7C15UL;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return z ^ (z >> 31);
        }

        public int Below(int bound) => (int)(Next() % (ulong)bound);
    }
}
