using Microsoft.Playwright;

namespace UniCardio.Page.Tests;

/// <summary>One headless Chromium for all tests; tests are skipped where none is installed.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private static readonly string[] Arguments =
        ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync"];

    private readonly string? _executable = Array.Find(Places, File.Exists);
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Whether tests have a browser.</summary>
    public bool IsInstalled => _executable is not null;

    public async Task InitializeAsync()
    {
        if (_executable is null)
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = _executable, Args = Arguments, Headless = true });
    }

    /// <summary>Skips the test that asks, where there is no browser.</summary>
    public void Require() => Skip.IfNot(IsInstalled, $"no Chromium is installed: looked for {string.Join(", ", Places)}");

    /// <summary>A page of a browser with nothing stored, whose errors are kept.</summary>
    public async Task<WatchedPage> OpenAsync(Uri address, int width = 1280, int height = 800)
    {
        Require();
        IBrowserContext context = await _browser!.NewContextAsync(
            new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = height }, ColorScheme =
                ColorScheme.Dark });
        var page = new WatchedPage(context, await context.NewPageAsync());
        await page.Page.GotoAsync(address.ToString());
        return page;
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}

[CollectionDefinition(Name)]
public sealed class BrowserCollection : ICollectionFixture<Browser>
{
    public const string Name = "browser";
}
