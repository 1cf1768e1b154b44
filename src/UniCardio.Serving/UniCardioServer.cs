using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using UniCardio.Serving.Hosting;
using UniCardio.Serving.Inference.Grpc;

namespace UniCardio.Serving;

/// <summary>
/// A running server: Open Inference Protocol v2 (README.md), live sessions over WebSockets (PROTOCOL.md), metrics and the monitor page.
/// </summary>
/// <remarks>
/// <code>
/// var options = new ServerOptions { Port = 8080 };
/// await using UniCardioServer server = await UniCardioServer.StartAsync(options, _ => new
/// ServedModel(WeightFile.Load("weights.safetensors"))); await server.Ready;
/// </code>
/// <para>It listens from the start and says so; until the weights are packed it is alive but not ready. Research software, not a medical
/// device.</para>
/// </remarks>
public sealed class UniCardioServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ServerOptions _options;
    private readonly ModelHost _host;
    private readonly ServerLifetime _lifetime;

    private UniCardioServer(WebApplication app, ServerOptions options)
    {
        _app = app;
        _options = options;
        _host = app.Services.GetRequiredService<ModelHost>();
        _lifetime = app.Services.GetRequiredService<ServerLifetime>();
    }

    /// <summary>Where the server listens, with the port that it got.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Where health probes are answered too, if <see cref="ServerOptions.HealthPort"/> is set.</summary>
    public Uri? HealthAddress { get; private set; }

    /// <summary>Where gRPC is answered, if <see cref="ServerOptions.GrpcPort"/> is set.</summary>
    public Uri? GrpcAddress { get; private set; }

    /// <summary>What bodies, results and replays share.</summary>
    internal ByteBudget Memory => _app.Services.GetRequiredService<ByteBudget>();

    /// <summary>Requests whose bodies have begun and do not wait to be computed yet.</summary>
    internal int BodiesUnderWay => _host.BodiesUnderWay;

    /// <summary>Ends when requests are answered; fails with what kept the network from being loaded.</summary>
    public Task Ready => _host.Ready;

    /// <summary>Starts to listen, and to load the network in the background.</summary>
    /// <param name="options">How the server runs.</param>
    /// <param name="load">Loads and packs the weights; what it makes is the server's.</param>
    /// <param name="logging">Where logs go; null for nowhere.</param>
    /// <param name="cancellation">Stops the start.</param>
    /// <exception cref="Engine.ConfigurationException">An option is out of range; it is named.</exception>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public static async Task<UniCardioServer> StartAsync(ServerOptions options, Func<CancellationToken, ServedModel> load,
        Action<ILoggingBuilder>? logging = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(load);
        options.Validate();
        CheckFolders(options);
        WebApplication app = Build(options, logging);
        var server = new UniCardioServer(app, options);
        try
        {
            server.Map();
            await app.StartAsync(cancellation);
            server._lifetime.Start(load);
            string[] addresses = [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];
            server.Address = new Uri(addresses[0]);
            server.GrpcAddress = options.GrpcPort is null ? null : new Uri(addresses[1]);
            server.HealthAddress = options.HealthPort is null ? null : new Uri(addresses[^1]);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes no more requests, finishes those in flight within <see cref="ServerOptions.DrainTime"/>, and stops.</summary>
    public async Task StopAsync()
    {
        await _lifetime.StopAsync();
        using var rest = new CancellationTokenSource(_lifetime.ToAnswer);
        await _app.StopAsync(rest.Token);
    }

    /// <summary>Stops, and frees the network.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _app.DisposeAsync();
    }

    private static WebApplication Build(ServerOptions options, Action<ILoggingBuilder>? logging)
    {
        // No configuration files or variables of ASP.NET's own: what the server does stands in its options alone.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddParts(_ => options);
        ApiDescription.Add(builder.Services);
        if (options.GrpcPort is not null)
            builder.Services.AddGrpcParts(options);
        builder.Services.AddLogging(log =>
        {
            log.ClearProviders();
            // Its lines about requests hold their paths, and paths hold patients.
            log.AddFilter("Microsoft", LogLevel.Warning);
            log.AddFilter("Microsoft.AspNetCore.Server.Kestrel.BadRequests", LogLevel.None);
            // What it would say is what clients did; faults are logged where they are answered.
            log.AddFilter("Grpc", LogLevel.None);
            logging?.Invoke(log);
        });
        // Signals are the program's affair.
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, NoLifetime>());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTime + TimeSpan.FromSeconds(1));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options));
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.MaxReadBufferSize = ReadAhead);
        if (options.Certificate is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        return builder.Build();
    }

    // What is read ahead of a request that is not taken, of each connection: by the default of 1 MiB, 100 bodies held 100 MiB beside their
    // budget, in pinned blocks that stayed when they had gone.
    private const int ReadAhead = 1 << 16;

    private static void Configure(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        // Looked at where bodies are read: so the answer is sent, and the rest of the body read and dropped for a while, before the
        // connection is closed.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MaxRequestBufferSize = ReadAhead;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        // Kept open for the next request, which a client may take a while to have; what never had one is the guard's.
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
        kestrel.Listen(new IPEndPoint(options.Address, options.Port), listen =>
        {
            // Live connections are counted where they can be answered; this is for all, and for those that never send a request.
            Guard(listen, new ConnectionGuard(256 + (4 * options.MaxConnections), options.MaxConnectionsOfAnAddress, options));
            if (options.Certificate is string certificate)
                listen.UseHttps(ReadCertificate(certificate, options.CertificateKey));
        });
        if (options.GrpcPort is int grpc)
        {
            kestrel.Listen(new IPEndPoint(options.Address, grpc), listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                Guard(listen, new ConnectionGuard(256, options.MaxConnectionsOfAnAddress, options));
                if (options.Certificate is string certificate)
                    listen.UseHttps(ReadCertificate(certificate, options.CertificateKey));
            });
        }
        if (options.HealthPort is not int health)
            return;
        kestrel.Listen(new IPEndPoint(options.Address, health), listen =>
        {
            Guard(listen, new ConnectionGuard(256, 64, options));
            listen.Use(next => connection =>
            {
                connection.Features.Set(new HealthListener());
                return next(connection);
            });
        });
    }

    private static void Guard(ListenOptions listen, ConnectionGuard guard) =>
        listen.Use(next => connection => guard.RunAsync(connection, next));

    private static void CheckFolders(ServerOptions options)
    {
        if (options.Recordings is string recordings && !Directory.Exists(recordings))
            throw new Engine.ConfigurationException("recordings", $"there is no folder '{recordings}'");
        if (options.Checkpoints is not string checkpoints)
            return;
        if (File.Exists(checkpoints))
            throw new Engine.ConfigurationException("checkpoints", $"'{checkpoints}' is no folder");
        try
        {
            Directory.CreateDirectory(checkpoints);
        }
        catch (Exception problem) when (Fault.IsExpected(problem) || problem is ArgumentException)
        {
            throw new Engine.ConfigurationException("checkpoints", $"the folder '{checkpoints}' cannot be made: {problem.Message}");
        }
    }

    private static X509Certificate2 ReadCertificate(string path, string? key)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(path, key);
        }
        catch (System.Security.Cryptography.CryptographicException problem)
        {
            throw new Engine.ConfigurationException("certificate", $"{path}: {problem.Message}");
        }
    }

    private void Map()
    {
        _app.UseMiddleware<ErrorBodies>();
        _app.UseRouting();
        _app.UseMiddleware<AccessPolicy>(_options);
        // A reader that is slow may not come to the ping for as long as it may be slow.
        _app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(15),
            KeepAliveTimeout = TimeSpan.FromSeconds(Math.Max(30, _options.SlowReader.TotalSeconds)) });
        _app.MapParts();
        ApiDescription.Map(_app);
        if (_options.GrpcPort is not null)
        {
            _app.UseMiddleware<GrpcBody>();
            _app.MapGrpcService<GrpcInference>();
        }
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellation) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;
    }
}
