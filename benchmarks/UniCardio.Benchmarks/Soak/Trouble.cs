using UniCardio.Engine.Model;

namespace UniCardio.Benchmarks.Soak;

/// <summary>Ends a connection as a device does that has lost it.</summary>
internal sealed class TroubleException : Exception;

/// <summary>What befalls devices and networks: lost and repeated blocks, silent sensors, lost connections, clocks that jump. The same for
/// the same seed.</summary>
internal sealed class Trouble(int seed)
{
    private readonly Random _random = new(seed);
    private long _silentUntil;
    private ModalitySet _silent;
    private long? _held;

    /// <summary>What was done.</summary>
    public Tally Tally { get; } = new();

    /// <summary>Pushes a block, or does to it what happens to blocks.</summary>
    public async Task PushAsync(LiveSocket socket, long block, Device device, CancellationToken cancellation)
    {
        if (block >= _silentUntil)
            _silent = ModalitySet.None;
        if (_held is long held)
        {
            // A block out of order.
            _held = null;
            await device.PushAsync(socket, block, cancellation, _silent);
            await device.PushAsync(socket, held, cancellation, _silent);
            return;
        }
        switch (_random.Next(600))
        {
            case < 12:
                Tally.Add("blocks dropped");
                return;
            case < 18:
                Tally.Add("blocks twice");
                await device.PushAsync(socket, block, cancellation, _silent);
                break;
            case < 24:
                Tally.Add("blocks out of order");
                _held = block;
                return;
            case < 28:
                Tally.Add("sensors silent");
                (_silent, _silentUntil) = (Modalities.All[_random.Next(3)].ToSet(), block + _random.Next(5, 50));
                break;
            case < 30:
                Tally.Add("clock jumps");
                device.ShiftClock((_random.Next(2) == 0 ? 1 : -1) * _random.Next(20, 100_000));
                break;
            case < 32:
                Tally.Add("settings changed");
                await socket.SendAsync(_random.Next(2) == 0 ? """{"type":"set","draws":1}"""
                    : """{"type":"set","generate":["bp"],"draws":2,"muted":["ecg"]}""", cancellation);
                break;
            case < 34:
                Tally.Add("connections aborted");
                socket.Abort();
                throw new TroubleException();
            case < 36:
                Tally.Add("connections closed");
                await socket.CloseAsync(cancellation);
                throw new TroubleException();
            default:
                break;
        }
        await device.PushAsync(socket, block, cancellation, _silent);
    }
}
