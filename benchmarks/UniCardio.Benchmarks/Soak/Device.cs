using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using UniCardio.Engine.Model;
using UniCardio.Streaming;

namespace UniCardio.Benchmarks.Soak;

/// <summary>
/// A bedside device: pushes a simulated patient in real time, reads the frames, and after a lost connection opens again and pushes the last
/// seconds once more, since a server that was killed has lost what came after its checkpoint. What else befalls it is up to
/// <see cref="Trouble"/>.
/// </summary>
internal sealed class Device(ServerProcess server, string patient, LiveSampling sampling, ulong seed, Trouble? trouble = null)
{
    // Before the end of the last frame: a checkpoint may be that much older, and the server be that much further, without the 10 s that
    // count as a jump of the clock.
    private const int BlocksAgain = (int)(5 / SimulatedPatient.BlockSeconds);

    private readonly SortedDictionary<long, long> _sent = [];
    private readonly Lock _lock = new();
    private double _offset;
    private long _nextToGet;
    private bool _isDone;

    /// <summary>Called with each frame, one after the other.</summary>
    public Action<ReceivedFrame>? OnFrame { get; init; }

    /// <summary>What was received, and how connections ended.</summary>
    public Tally Tally { get; } = new();

    /// <summary>Milliseconds from sending the block that a frame ends in to receiving the frame.</summary>
    public List<double> Delays { get; } = [];

    /// <summary>Blocks pushed, without those that were pushed again.</summary>
    public long Blocks { get; private set; }

    /// <summary>Pushes until the time is over, then completes the session; continues over any number of lost connections.</summary>
    public async Task RunAsync(TimeSpan duration, CancellationToken cancellation)
    {
        long blocks = (long)(duration.TotalSeconds / SimulatedPatient.BlockSeconds), start = Stopwatch.GetTimestamp();
        while (!_isDone)
        {
            try
            {
                using LiveSocket socket = await LiveSocket.ConnectAsync(server, patient, "binary", cancellation: cancellation);
                Tally.Add("connections");
                await ServeAsync(socket, start, blocks, cancellation);
            }
            catch (Exception problem) when (problem is WebSocketException or IOException or TroubleException
                || (problem is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                Tally.Add(problem is TroubleException ? "connections left" : "connections lost");
                if (!_isDone)
                    await Task.Delay(200, cancellation);
            }
        }
    }

    private async Task ServeAsync(LiveSocket socket, long start, long blocks, CancellationToken cancellation)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task reading = ReadAsync(socket, opened, ends);
        try
        {
            await socket.SendAsync(SimulatedPatient.OpenMessage(sampling, seed, waits: trouble is null), ends.Token);
            await opened.Task.WaitAsync(ends.Token);
            for (long block = Math.Max(0, Math.Min(Blocks, _nextToGet) - BlocksAgain); block < blocks; block++)
            {
                TimeSpan due = TimeSpan.FromSeconds(SimulatedPatient.TimeOf(block)) - Stopwatch.GetElapsedTime(start);
                if (due > TimeSpan.Zero)
                    await Task.Delay(due, ends.Token);
                if (trouble is null)
                    await PushAsync(socket, block, ends.Token);
                else
                    await trouble.PushAsync(socket, block, this, ends.Token);
                Blocks = Math.Max(Blocks, block + 1);
            }
            await socket.SendAsync("""{"type":"complete","id":"end"}""", ends.Token);
            await reading.WaitAsync(TimeSpan.FromMinutes(1), cancellation);
        }
        finally
        {
            await ends.CancelAsync();
            await reading;
        }
    }

    /// <summary>Shifts the clock of the time stamps.</summary>
    public void ShiftClock(double seconds) => _offset += seconds;

    /// <summary>Pushes a block of every signal that has one.</summary>
    public async Task PushAsync(LiveSocket socket, long block, CancellationToken cancellation, ModalitySet without = ModalitySet.None)
    {
        double time = SimulatedPatient.TimeOf(block) + _offset;
        foreach (Modality modality in Modalities.All)
        {
            float[] samples = without.Contains(modality) ? [] : SimulatedPatient.Block(modality, block);
            if (samples.Length > 0)
                await socket.PushAsync(modality, time, samples, cancellation);
        }
        lock (_lock)
        {
            _sent[Key(time)] = Stopwatch.GetTimestamp();
            if (_sent.Count > 100)
                _sent.Remove(_sent.First().Key);
        }
    }

    // Never fails: however reading ends, the connection is over, and the one who pushes finds out.
    private async Task ReadAsync(LiveSocket socket, TaskCompletionSource opened, CancellationTokenSource ends)
    {
        try
        {
            while (true)
            {
                (WebSocketMessageType type, ReadOnlyMemory<byte> bytes) = await socket.ReceiveAsync(ends.Token);
                if (type == WebSocketMessageType.Close)
                {
                    Tally.Add(FormattableString.Invariant($"closed {(int?)socket.Closed}"));
                    break;
                }
                if (type == WebSocketMessageType.Binary)
                    Take(new ReceivedFrame(bytes.Span));
                else if (Take(bytes, opened))
                    break;
            }
        }
        catch (Exception problem) when (problem is WebSocketException or IOException or OperationCanceledException)
        {
            // Counted where the connection is given up.
        }
        await ends.CancelAsync();
    }

    private void Take(ReceivedFrame frame)
    {
        Tally.Add("frames");
        lock (_lock)
        {
            _nextToGet = trouble is null ? Key(frame.End) : long.MaxValue;
            if (_sent.TryGetValue(Key(frame.End - (1 / StreamingFrame.SampleRate)), out long sent))
                Delays.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
        }
        OnFrame?.Invoke(frame);
    }

    // True for the message after which nothing comes.
    private bool Take(ReadOnlyMemory<byte> text, TaskCompletionSource opened)
    {
        using JsonDocument message = JsonDocument.Parse(text);
        string type = message.RootElement.GetProperty("type").GetString()!;
        string? code = type == "error" ? message.RootElement.GetProperty("code").GetString() : null;
        Tally.Add(code is not null ? "error " + code : type == "ended"
            ? "ended " + message.RootElement.GetProperty("reason").GetString() : type);
        if (type == "session")
            opened.TrySetResult();
        _isDone |= type == "ended" && message.RootElement.GetProperty("reason").GetString() == "completed";
        // A server that is not ready is tried again a little later.
        return _isDone || code == "not_ready";
    }

    // The block that a time lies in.
    private static long Key(double time) => (long)Math.Floor((time / SimulatedPatient.BlockSeconds) + 1e-6);
}
