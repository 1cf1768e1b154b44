using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using UniCardio.Serving;
using UniCardio.Serving.Hosting;

namespace UniCardio.Hosting;

/// <summary>Loads the model in the background while the application starts, and lets what is in flight end when it stops.</summary>
internal sealed class ModelService(ServerLifetime lifetime, IServiceProvider services) : IHostedLifecycleService
{
    public Task StartAsync(CancellationToken cancellation)
    {
        lifetime.Start(_ =>
        {
            var model = (CardioModel)services.GetService(typeof(CardioModel))!;
            return ServedModel.Borrow(model.Engine, model.Source, model.Description, model.IsUntrained);
        });
        return Task.CompletedTask;
    }

    /// <summary>Before the web server stops, which would wait for sockets that nobody has told to close.</summary>
    public Task StoppingAsync(CancellationToken cancellation) => lifetime.StopAsync();

    public Task StartingAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellation) => Task.CompletedTask;
}

/// <summary>Healthy once the weights are packed; unhealthy before, after a failure, and while the application stops.</summary>
internal sealed class ModelHealth(ModelHost host) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellation = default) =>
        Task.FromResult(host.IsReady ? HealthCheckResult.Healthy("the weights are packed")
            : host.Ready.IsFaulted ? HealthCheckResult.Unhealthy("the weights cannot be loaded", host.Ready.Exception!.InnerException)
            : HealthCheckResult.Unhealthy(host.IsStopping ? "stopping" : "the weights are not packed yet"));
}
