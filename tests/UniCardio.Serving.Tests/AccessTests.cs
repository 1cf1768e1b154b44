using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using UniCardio.Engine;

namespace UniCardio.Serving.Tests;

/// <summary>Who may ask for what.</summary>
public class AccessTests
{
    private const string Token = "T0ken-of-twenty-some-characters";

    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    [InlineData("Bearer ", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer T0ken-of-twenty-some-character", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer T0ken-of-twenty-some-characters1", HttpStatusCode.Unauthorized)]
    [InlineData("Basic T0ken-of-twenty-some-characters", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer T0ken-of-twenty-some-characters", HttpStatusCode.OK)]
    public async Task ATokenIsAskedForEverywhereButForHealth(string? authorization, HttpStatusCode status)
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { Token = Token });
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/v2/health/live")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/v2/health/ready")).StatusCode);
        if (authorization is not null)
            server.Client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);
        foreach (string path in (string[])["/v2", "/v2/models/impute", "/patients", "/recordings", "/metrics"])
        {
            HttpResponseMessage response = await server.Client.GetAsync(path);
            Assert.True(response.StatusCode == status, $"{path}: {response.StatusCode}");
            if (status == HttpStatusCode.Unauthorized)
            {
                await TestServer.RefusedAsync(status, "bearer token", response);
                Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
            }
        }
        // What the token guards begins before anything of the request is looked at.
        Assert.Equal(status == HttpStatusCode.OK ? HttpStatusCode.BadRequest : status,
            (await server.PostAsync("/v2/models/impute/infer", "x")).StatusCode);
    }

    [Fact]
    public async Task ABrowserShowsItsTokenAsASubprotocol()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { Token = Token });
        async Task<HttpStatusCode?> Connect(params string[] subprotocols)
        {
            try
            {
                await using LiveClient client =
                    await LiveClient.ConnectAsync(server, "p", configure: o => Array.ForEach(subprotocols, o.AddSubProtocol));
                Assert.Equal("unicardio.v1", client.Subprotocol);
                return null;
            }
            catch (HttpRequestException refused)
            {
                return refused.StatusCode;
            }
        }
        Assert.Null(await Connect("unicardio.v1", "unicardio.bearer." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Token))));
        Assert.Equal(HttpStatusCode.Unauthorized,
            await Connect("unicardio.v1", "unicardio.bearer." + Base64Url.EncodeToString("another token"u8)));
        Assert.Equal(HttpStatusCode.Unauthorized, await Connect("unicardio.v1"));
    }

    [Fact]
    public async Task PagesFromElsewhereAndNamesThatPointHereAreRefused()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { Origins = ["https://ward.example"] });
        async Task<HttpResponseMessage> Get(string? origin, string? host = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/patients");
            if (origin is not null)
                request.Headers.Add("Origin", origin);
            request.Headers.Host = host;
            return await server.Client.SendAsync(request);
        }
        Assert.Equal(HttpStatusCode.OK, (await Get(null)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Get($"http://{server.Server.Address.Authority}")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Get(null, $"localhost:{server.Server.Address.Port}")).StatusCode);
        HttpResponseMessage allowed = await Get("https://ward.example");
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        Assert.Equal("https://ward.example", Assert.Single(allowed.Headers.GetValues("Access-Control-Allow-Origin")));
        await TestServer.RefusedAsync(HttpStatusCode.Forbidden, "origin", await Get("https://evil.example"));
        await TestServer.RefusedAsync(HttpStatusCode.Forbidden, "origin", await Get("null"));
        await TestServer.RefusedAsync(HttpStatusCode.Forbidden, "loopback", await Get(null, "rebound.example"));
        await Assert.ThrowsAsync<HttpRequestException>(() =>
            LiveClient.ConnectAsync(server, "p", configure: o => o.SetRequestHeader("Origin", "https://evil.example")));
    }

    [Fact]
    public async Task WhereATokenIsNeededThereIsNoServerWithoutOne()
    {
        ConfigurationException problem = await Assert.ThrowsAsync<ConfigurationException>(() =>
            UniCardioServer.StartAsync(new ServerOptions { Address = IPAddress.Any, Port = 0 }, TestServer.Tiny));
        Assert.Contains("token", problem.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ConfigurationException>(() =>
            UniCardioServer.StartAsync(new ServerOptions { Token = "short" }, TestServer.Tiny));
    }

    [Fact]
    public async Task HttpsIsServedWithACertificate()
    {
        string path = Path.Combine(Path.GetTempPath(), $"unicardio-{Guid.NewGuid():N}.pem");
        using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        using (X509Certificate2 certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1)))
            await File.WriteAllTextAsync(path, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        try
        {
            await using TestServer server = await TestServer.StartAsync(new ServerOptions { Certificate = path });
            Assert.Equal("https", server.Server.Address.Scheme);
            using var handler =
                new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown!.Subject == "CN=localhost" };
            using var client = new HttpClient(handler);
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri(server.Server.Address, "/v2/health/ready"))).StatusCode);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
