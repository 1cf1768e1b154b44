namespace UniCardio.Serving.Hosting;

/// <summary>Lets browser pages of the application's own origin in, and of those that are listed: sockets know no same-origin
/// rule.</summary>
internal sealed class OwnPages(RequestDelegate next, ServerOptions options)
{
    public Task InvokeAsync(HttpContext context)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        string origin = context.Request.Headers.Origin.ToString();
        return origin.Length == 0 || IsOwn(origin, context.Request.Host)
            || options.Origins.Any(o => new Uri(o).GetLeftPart(UriPartial.Authority).Equals(origin, StringComparison.OrdinalIgnoreCase))
            ? next(context)
            : throw new RequestException(StatusCodes.Status403Forbidden, "pages of this origin may not use the server");
    }

    public static bool IsOwn(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"
            && uri.Authority.Equals(host.Value, StringComparison.OrdinalIgnoreCase);
}
