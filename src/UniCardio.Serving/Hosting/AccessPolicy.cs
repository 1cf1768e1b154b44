using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using UniCardio.Serving.Protocol;

namespace UniCardio.Serving.Hosting;

/// <summary>Who may ask: loopback names or a bearer token, and browser pages of the server's own origin.</summary>
/// <remarks>
/// Without a token the server listens on loopback only; there, a page from elsewhere could still send requests through the user's browser,
/// by a name that it makes point here or across origins, so host name and origin are looked at.
/// </remarks>
internal sealed class AccessPolicy(RequestDelegate next, ServerOptions options)
{
    private readonly byte[]? _token = options.TokenHash();
    private readonly HashSet<string> _origins =
        new(options.Origins.Select(o => new Uri(o).GetLeftPart(UriPartial.Authority)), StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext context)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (context.Features.Get<HealthListener>() is not null)
            return context.Request.Path.StartsWithSegments("/v2/health") ? next(context)
                : throw new RequestException(StatusCodes.Status404NotFound, "this port is for /v2/health alone");
        context.Response.Headers.CacheControl = "no-store";
        if (_token is null && !IsLoopbackName(context.Request.Host.Host))
            throw new RequestException(StatusCodes.Status403Forbidden,
                "without a token this server answers to localhost and loopback addresses only");
        if (context.Request.Headers.Origin.ToString() is { Length: > 0 } origin && !OwnPages.IsOwn(origin, context.Request.Host))
        {
            if (!_origins.Contains(origin))
                throw new RequestException(StatusCodes.Status403Forbidden, "pages of this origin may not use the server");
            if (AnswerForeign(context, origin))
                return Task.CompletedTask;
        }
        if (_token is not null && !IsOpen(context) && !HasToken(context.Request))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            throw new RequestException(StatusCodes.Status401Unauthorized, "a bearer token is needed: Authorization: Bearer TOKEN");
        }
        return next(context);
    }

    /// <summary>What orchestrators probe, and the page's own files: nothing of a patient is there.</summary>
    private static bool IsOpen(HttpContext context) =>
        context.Request.Path.StartsWithSegments("/v2/health")
            || context.GetEndpoint()?.Metadata.GetMetadata<PageFiles.OpenFile>() is not null;

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    // Cross-origin resource sharing: true if that was all the request asked for.
    private static bool AnswerForeign(HttpContext context, string origin)
    {
        context.Response.Headers.AccessControlAllowOrigin = origin;
        context.Response.Headers.Vary = "Origin";
        context.Response.Headers.AccessControlExposeHeaders = "Inference-Header-Content-Length";
        if (!HttpMethods.IsOptions(context.Request.Method))
            return false;
        context.Response.Headers.AccessControlAllowHeaders = "Authorization, Content-Type, Inference-Header-Content-Length";
        context.Response.Headers.AccessControlAllowMethods = "GET, POST, DELETE";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    private bool HasToken(HttpRequest request)
    {
        string header = request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return IsToken(Encoding.UTF8.GetBytes(header["Bearer ".Length..].Trim()));
        foreach (string offered in request.Headers.SecWebSocketProtocol.ToString().Split(',', StringSplitOptions.TrimEntries))
        {
            if (offered.StartsWith(LiveProtocol.BearerSubprotocol, StringComparison.Ordinal)
                && Base64Url.IsValid(offered.AsSpan(LiveProtocol.BearerSubprotocol.Length)))
                return IsToken(Base64Url.DecodeFromChars(offered.AsSpan(LiveProtocol.BearerSubprotocol.Length)));
        }
        return false;
    }

    // Digests have one length and no relation to what they are of, so neither tells an attacker how much was right.
    private bool IsToken(ReadOnlySpan<byte> given) => CryptographicOperations.FixedTimeEquals(SHA256.HashData(given), _token);
}

/// <summary>Marks the connections of the port for health probes.</summary>
internal sealed record HealthListener;
