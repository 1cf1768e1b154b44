using Microsoft.Extensions.DependencyInjection;
using UniCardio.Serving.Inference;
using UniCardio.Serving.Inference.Grpc;
using UniCardio.Serving.Live;
using UniCardio.Serving.Metrics;

namespace UniCardio.Serving.Hosting;

/// <summary>What a server is made of, and where its parts answer: the same in its own process and in a host's.</summary>
internal static class Composition
{
    /// <summary>Adds the parts.</summary>
    public static void AddParts(this IServiceCollection services, Func<IServiceProvider, ServerOptions> options)
    {
        services.AddRouting();
        services.AddSingleton(options);
        services.AddSingleton(provider => new ByteBudget(provider.GetRequiredService<ServerOptions>().MaxMemoryBytes));
        services.AddSingleton<ModelHost>();
        services.AddSingleton<InferRunner>();
        services.AddSingleton<PatientRegistry>();
        services.AddSingleton<SessionKeeper>();
        services.AddSingleton<ServerLifetime>();
        services.AddSingleton<MetricsCollector>();
        services.AddSingleton<InferEndpoints>();
        services.AddSingleton<LiveEndpoints>();
        services.AddSingleton<MetricsEndpoints>();
    }

    /// <summary>Adds gRPC, under the limits of everything else.</summary>
    public static void AddGrpcParts(this IServiceCollection services, ServerOptions options)
    {
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = (int)Math.Min(options.MaxBodyBytes, int.MaxValue);
            grpc.MaxSendMessageSize = null;
            grpc.EnableDetailedErrors = false;
        });
        services.AddSingleton<GrpcInference>();
    }

    /// <summary>Maps what answers over HTTP.</summary>
    public static void MapParts(this IEndpointRouteBuilder endpoints)
    {
        endpoints.ServiceProvider.GetRequiredService<InferEndpoints>().Map(endpoints);
        endpoints.ServiceProvider.GetRequiredService<LiveEndpoints>().Map(endpoints);
        endpoints.ServiceProvider.GetRequiredService<MetricsEndpoints>().Map(endpoints);
        PageFiles.Map(endpoints);
    }
}
