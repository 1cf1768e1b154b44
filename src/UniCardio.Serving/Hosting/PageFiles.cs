using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace UniCardio.Serving.Hosting;

/// <summary>The monitor page: the files of the folder Page, which are part of this library.</summary>
internal static class PageFiles
{
    private const string Prefix = "page/", Index = "index.html";

    // No inline code, nothing from elsewhere, no frames around it; connections to the server itself only.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".json"] = "application/json",
        [".webmanifest"] = "application/manifest+json",
        [".svg"] = "image/svg+xml",
        [".png"] = "image/png",
        [".ico"] = "image/x-icon",
        [".woff2"] = "font/woff2",
        [".txt"] = "text/plain; charset=utf-8",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Marks what needs no token.</summary>
    internal sealed record OpenFile;

    /// <summary>Serves every file at its path, and index.html at / too.</summary>
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var mark = new OpenFile();
        Assembly assembly = typeof(PageFiles).Assembly;
        foreach (string name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            string path = name[Prefix.Length..].Replace('\\', '/');
            // A file of a kind that is not listed is no part of a page.
            if (!Types.TryGetValue(Path.GetExtension(path), out string? type))
                continue;
            RequestDelegate serve = Serve(Read(assembly, name), type);
            endpoints.MapMethods("/" + path, [HttpMethods.Get, HttpMethods.Head], serve).WithMetadata(mark);
            if (path == Index)
                endpoints.MapMethods("/", [HttpMethods.Get, HttpMethods.Head], context => AtFolder(context, serve)).WithMetadata(mark);
        }
    }

    // The page's own addresses are relative: they count from the folder, which ends in a slash.
    private static Task AtFolder(HttpContext context, RequestDelegate serve)
    {
        if (context.Request.Path.Value is { } path && path.EndsWith('/'))
            return serve(context);
        context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        context.Response.Headers.Location = context.Request.PathBase + context.Request.Path + "/" + context.Request.QueryString;
        return Task.CompletedTask;
    }

    private static byte[] Read(Assembly assembly, string name)
    {
        using Stream stream = assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static RequestDelegate Serve(byte[] content, string type)
    {
        string tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 16))}\"";
        return async context =>
        {
            IHeaderDictionary headers = context.Response.Headers;
            headers.ETag = tag;
            headers.CacheControl = "no-cache";
            headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            if (context.Request.Headers.IfNoneMatch == tag)
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
            context.Response.ContentType = type;
            context.Response.ContentLength = content.Length;
            if (!HttpMethods.IsHead(context.Request.Method))
                await context.Response.Body.WriteAsync(content, context.RequestAborted);
        };
    }
}
