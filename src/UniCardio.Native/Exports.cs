using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Streaming;
using UniCardio.Weights;

namespace UniCardio.Native;

/// <summary>The functions of unicardio.h. No exception leaves them.</summary>
internal static unsafe class Exports
{
    private const int Abi = 1;
    private const int Ok = 0, None = 1, End = 2, BadArgument = -1, BadWeights = -2, BadSignal = -3, Closed = -4, Failed = -99;

    [UnmanagedCallersOnly(EntryPoint = "uc_abi")]
    public static int GetAbi() => Abi;

    [UnmanagedCallersOnly(EntryPoint = "uc_load")]
    public static int Load(byte* weights, int threads, nint* model, NativeError* error)
    {
        if (model == null)
            return Say(error, BadArgument, "model is NULL");
        *model = 0;
        try
        {
            var engine = new EngineOptions { Threads = threads };
            *model = Hold(weights == null ? CardioModel.Load(engine) : CardioModel.Load(Text(weights), engine));
            return Say(error, Ok, "");
        }
        catch (Exception problem)
        {
            return Say(error, problem);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "uc_describe")]
    public static nuint Describe(nint model, byte* text, nuint size)
    {
        byte[] all = Encoding.UTF8.GetBytes(model == 0 ? "" : Of<CardioModel>(model).Description + "\0");
        if (text != null && size > 0)
        {
            int count = (int)Math.Min(size, (nuint)all.Length);
            all.AsSpan(0, count).CopyTo(new Span<byte>(text, count));
            text[count - 1] = 0;
        }
        return (nuint)all.Length;
    }

    [UnmanagedCallersOnly(EntryPoint = "uc_unload")]
    public static void Unload(nint model) => Release<CardioModel>(model);

    [UnmanagedCallersOnly(EntryPoint = "uc_restore")]
    public static int Restore(nint model, byte* task, double rate, nuint count, float* ppg, float* bp, float* ecg, int draws, ulong seed,
        float* samples, float* low, float* high, byte* provenance, NativeError* error)
    {
        try
        {
            if (model == 0 || task == null || samples == null || count is 0 or > int.MaxValue / 8)
                return Say(error, BadArgument, "model, task or samples is NULL, or count is 0 or too large");
            var n = (int)count;
            var signals = new CardioSignals(rate) { Ppg = Copy(ppg, n), BloodPressure = Copy(bp, n), Ecg = Copy(ecg, n) };
            CardioResult result = Of<CardioModel>(model).Run(signals, CardioTask.Parse(Text(task)),
                new CardioCallOptions { Draws = draws == 0 ? 8 : draws, Seed = seed });
            Give(result.Samples.Span, samples, n);
            Give(result.Low.Span, low, n);
            Give(result.High.Span, high, n);
            for (int i = 0; provenance != null && i < n; i++)
                provenance[i] = (byte)result.Provenance.Span[i];
            return Say(error, Ok, "");
        }
        catch (Exception problem)
        {
            return Say(error, problem);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "uc_open")]
    public static int Open(nint model, double* rates, uint generate, int draws, nint* session, NativeError* error)
    {
        if (session == null)
            return Say(error, BadArgument, "session is NULL");
        *session = 0;
        try
        {
            if (model == 0 || rates == null)
                return Say(error, BadArgument, "model or rates is NULL");
            ModalitySet wanted = ModalitySet.None;
            foreach (Modality modality in Modalities.All)
                wanted |= (generate >> (int)modality & 1) != 0 ? modality.ToSet() : ModalitySet.None;
            var sampling = new LiveSampling();
            var options = new StreamingSessionOptions
            {
                Ppg = Channel(rates[0]), Bp = Channel(rates[1]), Ecg = Channel(rates[2]), Generate = wanted,
                Sampling = draws == 0 ? sampling : sampling with { Draws = draws },
            };
            *session = Hold(new PulledSession(Of<CardioModel>(model), options));
            return Say(error, Ok, "");
        }
        catch (Exception problem)
        {
            return Say(error, problem);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "uc_push")]
    public static int Push(nint session, int signal, double time, float* samples, nuint count, NativeError* error)
    {
        try
        {
            if (session == 0 || (samples == null && count > 0) || signal is < 0 or > 2 || count > int.MaxValue / 8
                || !double.IsFinite(time))
                return Say(error, BadArgument, "session or samples is NULL, or signal, time or count is out of range");
            Of<PulledSession>(session).Session.Push((Modality)signal, TimeSpan.FromSeconds(time),
                new ReadOnlySpan<float>(samples, (int)count));
            return Say(error, Ok, "");
        }
        catch (Exception problem)
        {
            return Say(error, problem);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "uc_complete")]
    public static int Complete(nint session, NativeError* error)
    {
        try
        {
            if (session == 0)
                return Say(error, BadArgument, "session is NULL");
            Of<PulledSession>(session).Session.Complete();
            return Say(error, Ok, "");
        }
        catch (Exception problem)
        {
            return Say(error, problem);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "uc_pull")]
    public static int Pull(nint session, int timeout, NativeFrame* frame, NativeError* error)
    {
        try
        {
            if (session == 0 || frame == null)
                return Say(error, BadArgument, "session or frame is NULL");
            PulledSession pulled = Of<PulledSession>(session);
            if (!pulled.TryTake(timeout, out StreamingFrame? next))
                return Say(error, pulled.IsOver ? End : None, "");
            NativeFrame.Fill(next!, frame);
            return Say(error, Ok, "");
        }
        catch (Exception problem)
        {
            return Say(error, problem);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "uc_close")]
    public static void Close(nint session) => Release<PulledSession>(session);

    private static ChannelOptions? Channel(double rate) => rate == 0 ? null : new ChannelOptions(rate);

    private static nint Hold(object held) => GCHandle.ToIntPtr(GCHandle.Alloc(held));

    private static T Of<T>(nint handle)
        where T : class => (T)GCHandle.FromIntPtr(handle).Target!;

    private static void Release<T>(nint handle)
        where T : class, IDisposable
    {
        if (handle == 0)
            return;
        GCHandle held = GCHandle.FromIntPtr(handle);
        ((T)held.Target!).Dispose();
        held.Free();
    }

    private static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text)!;

    private static float[] Copy(float* from, int count) => from == null ? [] : new ReadOnlySpan<float>(from, count).ToArray();

    private static void Give(ReadOnlySpan<float> from, float* to, int count)
    {
        if (to == null)
            return;
        if (from.IsEmpty)
            new Span<float>(to, count).Fill(float.NaN);
        else
            from.CopyTo(new Span<float>(to, count));
    }

    private static int Say(NativeError* error, Exception problem) => Say(error, problem switch
    {
        WeightFormatException => BadWeights,
        SignalException => BadSignal,
        RestorationException => BadSignal,
        SessionClosedException or ObjectDisposedException => Closed,
        Engine.UniCardioException or ArgumentException or FormatException or OverflowException => BadArgument,
        IOException or UnauthorizedAccessException => BadWeights,
        _ => Failed,
    }, problem.Message);

    private static int Say(NativeError* error, int code, string text)
    {
        if (error == null)
            return code;
        error->Code = code;
        var room = new Span<byte>(error->Text, NativeError.Size);
        room.Clear();
        // What does not fit is left off at a character's end.
        Encoding.UTF8.GetEncoder().Convert(text, room[..^1], flush: true, out _, out _, out _);
        return code;
    }
}

/// <summary>uc_error.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeError
{
    public const int Size = 508;

    public int Code;
    public fixed byte Text[Size];
}

/// <summary>uc_frame.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeFrame
{
    public const int Max = 1024;

    public long Index;
    public double Start;
    public int Count;
    public int IsLast;
    public fixed float Values[3 * Max];
    public fixed float Low[3 * Max];
    public fixed float High[3 * Max];
    public fixed byte Provenance[3 * Max];

    public static void Fill(StreamingFrame from, NativeFrame* to)
    {
        int count = Math.Min(Max, from.Count);
        (to->Index, to->Start, to->Count, to->IsLast) = (from.Index, from.Start.TotalSeconds, count, from.IsLast ? 1 : 0);
        foreach (Modality modality in Modalities.All)
        {
            int at = (int)modality * Max;
            from.Values(modality)[..count].CopyTo(new Span<float>(to->Values + at, count));
            from.Low(modality)[..count].CopyTo(new Span<float>(to->Low + at, count));
            from.High(modality)[..count].CopyTo(new Span<float>(to->High + at, count));
            ReadOnlySpan<Provenance> provenance = from.Provenance(modality);
            for (int i = 0; i < count; i++)
                to->Provenance[at + i] = (byte)provenance[i];
        }
    }
}
