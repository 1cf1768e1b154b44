using System.Diagnostics;
using System.Net.WebSockets;
using UniCardio.Serving.Hosting;
using UniCardio.Serving.Metrics;
using UniCardio.Serving.Protocol;

namespace UniCardio.Serving.Live;

/// <summary>The addresses of PROTOCOL.md but for the events.</summary>
internal sealed class LiveEndpoints(ServerOptions options, PatientRegistry registry, ILogger<LiveEndpoints> log)
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        const string Tag = "Live sessions";
        endpoints.MapGet("/patients", context => WriteAsync(context, registry.List()))
            .Describe(Tag, "Patients with a session.", typeof(PatientList));
        endpoints.MapGet("/recordings", context => WriteAsync(context, registry.Recordings()))
            .Describe(Tag, "Recordings that can be replayed.", typeof(RecordingList));
        endpoints.MapGet("/live/{patient}", LiveAsync)
            .Describe(Tag, "A WebSocket: samples in, frames out (PROTOCOL.md). ?frames=binary, ?measured=first.", null, 400, 426, 503);
    }

    private static Task WriteAsync<T>(HttpContext context, T message)
    {
        byte[] body = ProtocolJson.Bytes(message);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private async Task LiveAsync(HttpContext context)
    {
        var patient = (string)context.GetRouteValue("patient")!;
        if (!LiveProtocol.IsPatient(patient))
            throw RequestException.Bad(
                $"a patient's name has 1 to {LiveProtocol.MaxPatientLength} letters, digits, '-', '_' and '.', the first a letter or "
                + "digit");
        bool binary = context.Request.Query["frames"].ToString() switch
        {
            "binary" => true,
            "" or "json" => false,
            _ => throw RequestException.Bad("'frames' should be json or binary"),
        };
        bool first = context.Request.Query["measured"].ToString() switch
        {
            "first" => true,
            "" => false,
            _ => throw RequestException.Bad("'measured' should be first, or left out"),
        };
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            throw new RequestException(StatusCodes.Status426UpgradeRequired, "this address takes WebSockets");
        }
        registry.CheckRoom(patient);
        registry.Enter();
        try
        {
            string? subprotocol = context.WebSockets.WebSocketRequestedProtocols.Contains(LiveProtocol.Subprotocol)
                ? LiveProtocol.Subprotocol : null;
            using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(subprotocol);
            using var connection = new LiveConnection(socket, binary, first, registry, options, log);
            using Activity? activity = RequestSpan.Start("live.connection", context.Request);
            await registry.RunAsync(patient, connection);
        }
        finally
        {
            registry.Leave();
        }
    }
}
