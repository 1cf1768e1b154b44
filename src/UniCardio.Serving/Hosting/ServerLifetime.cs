using System.Diagnostics;
using UniCardio.Serving.Live;

namespace UniCardio.Serving.Hosting;

/// <summary>The parts' beginning and end, in the order that loses nothing.</summary>
internal sealed class ServerLifetime(ServerOptions options, ModelHost host, PatientRegistry patients, SessionKeeper keeper)
{
    // Of the time that stopping may take: bodies that have begun get a tenth of it, 2 s at most (a client that means to end its body does
    // so in less), and another tenth is kept for telling everybody.
    private const double Part = 0.1;
    private static readonly TimeSpan MaxPart = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_answering = TimeSpan.FromSeconds(1);

    private int _stopped;
    private long _stopBegan;

    /// <summary>What is left of <see cref="ServerOptions.DrainTime"/>, at least a second to write answers in: a busy machine must not reset
    /// connections whose answers are decided.</summary>
    public TimeSpan ToAnswer => Left > s_answering ? Left : s_answering;

    private TimeSpan Left
    {
        get
        {
            TimeSpan left = options.DrainTime - Stopwatch.GetElapsedTime(_stopBegan), moment = TimeSpan.FromMilliseconds(100);
            return left > moment ? left : moment;
        }
    }

    /// <summary>Begins to load; sessions that were kept continue before anybody is answered.</summary>
    public void Start(Func<CancellationToken, ServedModel> load) => host.Start(load, served =>
    {
        keeper.Restore(served);
        if (options.Demo is string demo)
            patients.StartDemo(demo, served);
        keeper.Start();
    });

    /// <summary>Takes nothing new, and finishes what is in flight within <see cref="ServerOptions.DrainTime"/>.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
            return;
        _stopBegan = Stopwatch.GetTimestamp();
        TimeSpan part = options.DrainTime * Part < MaxPart ? options.DrainTime * Part : MaxPart;
        await host.DrainAsync(part, options.DrainTime - part);
        // Before the last checkpoint: frames that are sent after it would come a second time after a restart.
        await patients.DrainAsync(Left > part ? Left - part : TimeSpan.Zero);
        await keeper.StopAsync();
        await patients.ShutDownAsync(Left);
    }
}
