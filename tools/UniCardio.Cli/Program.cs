using System.Runtime.InteropServices;

namespace UniCardio.Cli;

internal static class Program
{
    // Ctrl+C and SIGTERM cancel the work between two steps; a second one ends the process at once.
    private static async Task<int> Main(string[] args)
    {
        using var cancellation = new CancellationTokenSource();
        void Cancel(PosixSignalContext context)
        {
            context.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        return await CommandLine.RunAsync(args, Terminal.OfProcess(), cancellation.Token).ConfigureAwait(false);
    }
}
