using System.Runtime.InteropServices;

namespace UniCardio.Cli.Training;

/// <summary>Set and reset in turn by SIGUSR1; never set where there is no such signal (Windows).</summary>
internal sealed class PauseSignal : IDisposable
{
    // By number, for .NET has no name for it: 10 on Linux (x64, arm64), 30 on macOS.
    private const PosixSignal LinuxUser1 = (PosixSignal)10, AppleUser1 = (PosixSignal)30;

    private readonly PosixSignalRegistration? _registration;
    private volatile bool _isSet;

    public PauseSignal()
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            _registration = PosixSignalRegistration.Create(OperatingSystem.IsMacOS() ? AppleUser1 : LinuxUser1, context =>
            {
                context.Cancel = true;
                _isSet = !_isSet;
            });
        }
    }

    public bool IsSet => _isSet;

    public void Dispose() => _registration?.Dispose();
}
