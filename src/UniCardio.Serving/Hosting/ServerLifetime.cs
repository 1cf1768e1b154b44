using UniCardio.Serving.Live;

namespace UniCardio.Serving.Hosting;

/// <summary>The parts' beginning and end, in the order that loses nothing.</summary>
internal sealed class ServerLifetime(ServerOptions options, ModelHost host, PatientRegistry patients, SessionKeeper keeper)
{
    private int _stopped;

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
        await host.DrainAsync(options.DrainTime);
        // Before the last checkpoint: frames that are sent after it would come a second time after a restart.
        await patients.DrainAsync(options.DrainTime);
        await keeper.StopAsync();
        await patients.ShutDownAsync();
    }
}
