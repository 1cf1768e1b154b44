using System.CommandLine;
using Microsoft.Extensions.Logging;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Sessions;
using UniCardio.Restoration;
using UniCardio.Serving;
using UniCardio.Weights;

namespace UniCardio.Cli.Commands;

/// <summary><c>serve</c>: the Open Inference Protocol, live sessions and the monitor page, until a signal ends it.</summary>
internal static class ServeCommand
{
    public static Command Create(Terminal terminal)
    {
        var config = new Option<string?>("--config")
            { Description =
                "JSON file of settings: the names below without dashes in front, '_' for '-'. Each also is a variable UNICARDIO_NAME. "
                + "Flags win over variables, these over the file.", HelpName = "FILE" };
        var demo = new Option<bool>(
            "--demo") { Description = "Replays the example recording of the project in a loop, as patient 'demo'." };
        var weights = WeightOptions.Optional("the weights that come with the program");
        var untrained = new Option<bool>("--untrained") { Description = "Serves untrained recipe weights; their output is noise." };
        var backend = new BackendOptions();
        var logging = new LoggingOptions();
        Dictionary<ServerSetting, Option<string?>> settings = ServerSetting.All.ToDictionary(s => s, s =>
            new Option<string?>(s.Flag) { Description = s.Description, HelpName = s.ValueName });
        var command = new ExampleCommand("serve",
            $"Serves infer requests (Open Inference Protocol v2), live sessions (WebSockets), metrics and the monitor page. Prints its "
            + $"address once it listens; a signal ends it when what is in flight is done. {RestorationResult.Remark}",
            "serve --demo",
            "serve --port 9000 --recordings recordings --checkpoints sessions",
            "serve --address 0.0.0.0 --token-file token.txt --certificate server.pem")
        {
            demo, config,
        };
        foreach (Option option in settings.Values)
            command.Add(option);
        weights.AddTo(command);
        command.Add(untrained);
        backend.AddTo(command);
        logging.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            ServerOptions options = ServerConfiguration.Read(parsed.GetValue(config), null, s => parsed.GetValue(settings[s]));
            if (parsed.GetValue(demo))
                options = options with { Demo = ShippedExample.Find() };
            string source = weights.Source(parsed) ?? ShippedWeights.Find();
            ServedModel Load(CancellationToken stopping)
            {
                LoadedWeights loaded = weights.Load(parsed, source);
                if (loaded.IsUntrained && !parsed.GetValue(untrained))
                {
                    loaded.Dispose();
                    throw new UsageException(
                        $"{source} holds untrained weights: their output is noise, not a signal; --untrained serves them all the same");
                }
                return new ServedModel(loaded, w => new InferenceEngine(backend.CreateLasting(parsed, w.Weights, terminal.Note)));
            }

            using IDisposable? traces = logging.Traces(parsed);
            using var unobserved = new UnobservedFaults(terminal.Error);
            return await RunAsync(terminal, options, Load, log => logging.Configure(parsed, log, terminal), cancellation)
                .ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, ServerOptions options, Func<CancellationToken, ServedModel> load,
        Action<ILoggingBuilder> logging, CancellationToken cancellation)
    {
        await using UniCardioServer server = await UniCardioServer.StartAsync(options, load, logging, cancellation).ConfigureAwait(false);
        terminal.Out.WriteLine(server.Address);
        await terminal.Out.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        terminal.Note(RestorationResult.Remark);
        if (options is { Token: not null, Certificate: null } && !System.Net.IPAddress.IsLoopback(options.Address))
            terminal.Note(
                "warning: without a certificate the token crosses the network as it is; give --certificate, or put a proxy with "
                + "TLS in front");
        try
        {
            await server.Ready.WaitAsync(cancellation).ConfigureAwait(false);
            terminal.Note($"ready{(options.Demo is null ? "" : "; the demonstration is patient 'demo'")}");
            await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            terminal.Note("stopping; what is in flight is finished first");
        }
        await server.StopAsync().ConfigureAwait(false);
        return ExitCode.Success;
    }
}
