namespace UniCardio.Page.Tests;

/// <summary>What a user sees who starts the demonstration: the program, the shipped weights and a browser, nothing in between.</summary>
[Collection(BrowserCollection.Name)]
public sealed class DemoTests(Browser browser) : IAsyncLifetime
{
    private static readonly string[] Modalities = ["ecg", "bp", "ppg"];
    private LiveServer? _server;

    public async Task InitializeAsync()
    {
        if (browser.IsInstalled)
            _server = await LiveServer.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    [SkippableFact]
    public async Task TracesAndFiguresAreThoseOfTheRecording()
    {
        await using WatchedPage page = await LiveAsync();
        foreach (string modality in Modalities)
            await MovesAsync(page, modality);
        Assert.Equal("demo", await page.Page.InputValueAsync("#patient"));
        Assert.Contains("not a medical device", await page.Page.InnerTextAsync("#remark"), StringComparison.Ordinal);
        Assert.StartsWith("Weights: ", await page.Page.InnerTextAsync("#weights"), StringComparison.Ordinal);
        // The recording's true intervals are 0.785 to 0.887 s (example.beats.csv) and found to a sample of 8 ms each way: 67.0 to 77.2 a
        // minute. Only where two intervals are all there is, the cut where the recording starts over counts.
        await page.WaitAsync(
            "document.querySelector('.figure.heart .source').textContent === 'from R\u2011peaks' && "
            + "Math.abs(document.querySelector('.figure.heart .value').textContent - 72) <= 5");
        Assert.Empty(page.Errors);
    }

    [SkippableFact]
    public async Task EveryModalityIsGeneratedWhileItsSensorIsOff()
    {
        await using WatchedPage page = await LiveAsync();
        foreach (string modality in Modalities)
        {
            await page.Switch(modality, "sensor").ClickAsync();
            await page.WaitAsync(
                $"document.querySelector('#lane-{modality} .origin-text').textContent.startsWith('generated: translated from')");
            // Some 100 columns are a second of the usual time base.
            await page.DrawnAsync(modality, 'g', 100);
            await page.Switch(modality, "sensor").ClickAsync();
            await page.WaitAsync(
                $"document.querySelector('#lane-{modality} [data-switch=sensor]').getAttribute('aria-checked') === 'true'");
        }
        Assert.Empty(page.Errors);
    }

    [SkippableFact]
    public async Task GoesOnAfterTheServerWasKilledAndStartedAgain()
    {
        await using WatchedPage page = await LiveAsync();
        int port = _server!.Address.Port;
        await _server.DisposeAsync();
        await page.StateAsync("waiting");
        string still = await page.PictureAsync("ecg");
        Assert.All(page.Errors, IsOfTheNetwork);
        _server = await LiveServer.StartAsync(port);
        await page.StateAsync("live");
        await page.WaitAsync($"document.querySelector('#lane-ecg canvas').toDataURL() !== '{still}'");
        foreach (string modality in Modalities)
            await MovesAsync(page, modality);
        // The browser itself reports each attempt that is refused; the page may add nothing.
        Assert.All(page.Errors, IsOfTheNetwork);
    }

    private static void IsOfTheNetwork(string error) => Assert.Matches("net::ERR_|^WebSocket connection to", error);

    private async Task<WatchedPage> LiveAsync()
    {
        browser.Require();
        WatchedPage page = await browser.OpenAsync(_server!.Address);
        await page.StateAsync("live");
        await page.KindAsync("ecg", "measured");
        return page;
    }

    // The signal moves, not the grid alone: a line of it is drawn, and the picture becomes another one.
    private static async Task MovesAsync(WatchedPage page, string modality)
    {
        await page.DrawnAsync(modality, 'm', 30);
        string before = await page.PictureAsync(modality);
        await page.WaitAsync($"document.querySelector('#lane-{modality} canvas').toDataURL() !== '{before}'");
    }
}
