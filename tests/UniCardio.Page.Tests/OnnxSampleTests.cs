using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Xunit.Abstractions;

namespace UniCardio.Page.Tests;

/// <summary>The page of tools/samples/Onnx in a browser, against our own session with the same normals.</summary>
[Collection(BrowserCollection.Name)]
public sealed class OnnxSampleTests(Browser browser, ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("ppg->ecg")]
    [InlineData("impute bp | ppg")]
    public async Task APageRunsTheExportedNetwork(string task)
    {
        browser.Require();
        string folder = Project.File("tools", "samples", "Onnx");
        Skip.IfNot(Directory.Exists(Path.Combine(folder, "node_modules", "onnxruntime-web")),
            "onnxruntime-web is not installed: npm ci in tools/samples/Onnx");
        using var sample = new ExportedSample(task);
        await using WebApplication server = await ServeAsync(sample.Folder, folder);
        string address = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        await using WatchedPage page = await browser.OpenAsync(new Uri($"{address}/index.html?draws={ExportedSample.Draws}"));
        await page.WaitAsync("globalThis.result !== undefined || document.getElementById('said').textContent.startsWith('Not done')");
        string said = await page.Page.Locator("#said").InnerTextAsync();
        Assert.Contains("not a medical device", said, StringComparison.Ordinal);
        output.WriteLine($"{said} {sample.Compare(await page.Page.EvaluateAsync<string>("JSON.stringify(result)")):g3}");
        Assert.Equal(1 + ExportedSample.Draws, await page.Page.Locator("svg path").CountAsync());
        Assert.Empty(page.Errors);
    }

    // The network and the window of the test in place of those that lie beside the page.
    private static async Task<WebApplication> ServeAsync(params string[] folders)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication app = builder.Build();
        var types = new FileExtensionContentTypeProvider();
        types.Mappings[".mjs"] = "text/javascript";
        types.Mappings[".onnx"] = "application/octet-stream";
        app.UseStaticFiles(new StaticFileOptions
        {
            FileProvider = new CompositeFileProvider(folders.Select(f => new PhysicalFileProvider(f))), ContentTypeProvider = types,
        });
        await app.StartAsync();
        return app;
    }
}
