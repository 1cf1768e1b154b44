using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using UniCardio.Serving;
using UniCardio.Serving.Hosting;

namespace UniCardio.Hosting;

/// <summary>UniCardio among the services of an ASP.NET Core application.</summary>
/// <remarks>
/// <code>
/// WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
/// builder.Services.AddUniCardio(builder.Configuration.GetSection("UniCardio"));
/// WebApplication app = builder.Build();
/// app.MapUniCardio("/live");
/// app.MapHealthChecks("/healthz");
/// app.Run();
/// </code>
/// </remarks>
public static class UniCardioServices
{
    /// <summary>Adds <see cref="CardioModel"/>, what the mapped addresses need, and the health check <c>unicardio</c>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets options; the defaults if null.</param>
    public static IServiceCollection AddUniCardio(this IServiceCollection services, Action<UniCardioOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        OptionsBuilder<UniCardioOptions> options = services.AddOptions<UniCardioOptions>();
        if (configure is not null)
            options.Configure(configure);
        services.AddParts(provider => provider.GetRequiredService<IOptions<UniCardioOptions>>().Value.ToServer());
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<UniCardioOptions>>().Value.Load());
        services.AddHostedService<ModelService>();
        services.AddTransient<IStartupFilter, WebSockets>();
        services.AddHealthChecks().AddCheck<ModelHealth>("unicardio", tags: ["ready"]);
        return services;
    }

    /// <summary>Adds it with the options of a section of the application's configuration.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="section">The section, such as <c>UniCardio</c>.</param>
    public static IServiceCollection AddUniCardio(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddUniCardio(options => section.Bind(options));
    }

    /// <summary>
    /// Maps the live protocol, the Open Inference Protocol, events, metrics and the monitor page: with <c>/live</c> the page is
    /// <c>/live/</c>, a patient's socket <c>/live/live/bed-1</c>. Who may use them is the application's affair: call
    /// <c>RequireAuthorization</c> on what this returns.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="prefix">What the addresses begin with.</param>
    public static IEndpointConventionBuilder MapUniCardio(this IEndpointRouteBuilder endpoints, string prefix = "/live")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentException.ThrowIfNullOrWhiteSpace(prefix);
        RouteGroupBuilder group = endpoints.MapGroup(prefix);
        ServerOptions options = endpoints.ServiceProvider.GetRequiredService<ServerOptions>();
        ILogger<ErrorBodies> log = endpoints.ServiceProvider.GetRequiredService<ILogger<ErrorBodies>>();
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
        {
            if (endpoint.RequestDelegate is not { } inner)
                return;
            var own = new OwnPages(inner, options);
            endpoint.RequestDelegate = new ErrorBodies(own.InvokeAsync, log).InvokeAsync;
        });
        group.MapParts();
        return group;
    }

    // The live protocol is WebSockets; an application that adds them itself too loses nothing.
    private sealed class WebSockets : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(15),
                KeepAliveTimeout = TimeSpan.FromSeconds(30) });
            next(app);
        };
    }
}
