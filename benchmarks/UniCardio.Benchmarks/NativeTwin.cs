using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Weights;

namespace UniCardio.Benchmarks;

/// <summary>
/// The shared library, compiled ahead of time, beside the same call compiled at run time, turn by turn in one process: milliseconds, their
/// ratio, and whether the results are the same bits.
/// </summary>
internal static unsafe class NativeTwin
{
    private const int Count = 1000, Gap = 400, GapEnd = 550, Turns = 15, Threads = 2, Draws = 8, Error = 512;
    private const double Rate = 125;
    private const string Task = "impute bp | ppg";

    /// <summary>Runs it: <c>native LIBRARY WEIGHTS</c>.</summary>
    public static int Run(string[] args)
    {
        if (args is not [string path, string weights])
        {
            Console.Error.WriteLine("expected library and weights: native artifacts/native/libunicardio.so weights/compact.safetensors");
            return 2;
        }
        var (ppg, pressure) = (new float[Count], new float[Count]);
        for (int i = 0; i < Count; i++)
        {
            double pulse = Math.Pow((1 + Math.Sin(2 * Math.PI * 1.2 * i / Rate)) / 2, 3);
            (ppg[i], pressure[i]) = ((float)pulse, i is >= Gap and < GapEnd ? float.NaN : (float)(80 + (40 * pulse)));
        }
        using var library = new Library(path, weights);
        using LoadedWeights loaded = WeightFile.Load(weights);
        using var engine = new InferenceEngine(loaded.Weights, new EngineOptions { Threads = Threads });
        var restorer = new Restorer(engine,
            new RestorationOptions { Task = CardioTask.Parse(Task), Draws = Draws, Seed = 7 });
        var recording = new Recording("signals", [new Channel("ppg", "", Rate, ppg, ChannelKind.Ppg),
            new Channel("bp", "mmHg", Rate, pressure, ChannelKind.BloodPressure)]);
        double[] ahead = new double[Turns], own = new double[Turns];
        float[] theirs = [], ours = [];
        // The first turns compile and allocate.
        for (int turn = -5; turn < Turns; turn++)
        {
            long start = Stopwatch.GetTimestamp();
            theirs = library.Restore(ppg, pressure);
            double first = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            start = Stopwatch.GetTimestamp();
            ours = restorer.Run(recording).Channel.Samples.ToArray();
            if (turn >= 0)
                (ahead[turn], own[turn]) = (first, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        double[] ratios = [.. own.Zip(ahead, (o, a) => o / a).Order()];
        Array.Sort(ahead);
        Array.Sort(own);
        bool equal = MemoryMarshal.AsBytes(theirs.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(ours.AsSpan()));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Task}, {Count / Rate} s, {Draws} draws, {Threads} threads, {Turns} turns: ahead of time {ahead[Turns / 2]:F1} ms "
            + $"({ahead[0]:F1} to {ahead[^1]:F1}), at run time {own[Turns / 2]:F1} ms ({own[0]:F1} to {own[^1]:F1}); at run time / ahead "
            + $"of time {ratios[Turns / 2]:F2} (median of turns); the results are {(equal ? "" : "not ")}the same bits"));
        return equal ? 0 : 1;
    }

    /// <summary>The calls of unicardio.h that are needed here.</summary>
    private sealed class Library : IDisposable
    {
        private readonly delegate* unmanaged<void*, byte*, double, nuint, float*, float*, float*, int, ulong, float*, float*, float*,
            byte*, byte*, int> _restore;
        private readonly delegate* unmanaged<void*, void> _unload;
        private readonly void* _model;

        public Library(string path, string weights)
        {
            nint library = NativeLibrary.Load(Path.GetFullPath(path));
            var load = (delegate* unmanaged<byte*, int, void**, byte*, int>)NativeLibrary.GetExport(library, "uc_load");
            _restore = (delegate* unmanaged<void*, byte*, double, nuint, float*, float*, float*, int, ulong, float*, float*, float*,
                byte*, byte*, int>)NativeLibrary.GetExport(library, "uc_restore");
            _unload = (delegate* unmanaged<void*, void>)NativeLibrary.GetExport(library, "uc_unload");
            byte* error = stackalloc byte[Error];
            void* model;
            fixed (byte* name = Text(weights))
                Check(load(name, Threads, &model, error), error);
            _model = model;
        }

        public float[] Restore(float[] ppg, float[] pressure)
        {
            var samples = new float[Count];
            byte* error = stackalloc byte[Error];
            fixed (byte* task = Text(Task))
            fixed (float* p = ppg, b = pressure, s = samples)
                Check(_restore(_model, task, Rate, Count, p, b, null, Draws, 7, s, null, null, null, error), error);
            return samples;
        }

        public void Dispose() => _unload(_model);

        private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text + '\0');

        private static void Check(int code, byte* error)
        {
            if (code != 0)
                throw new InvalidOperationException($"{code}: {Marshal.PtrToStringUTF8((nint)error + sizeof(int))}");
        }
    }
}
