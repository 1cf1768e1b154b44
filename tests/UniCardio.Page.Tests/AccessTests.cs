using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace UniCardio.Page.Tests;

/// <summary>Who can use the page: by keyboard, with a screen reader, on a phone.</summary>
[Collection(BrowserCollection.Name)]
public sealed class AccessTests(Browser browser) : IAsyncLifetime
{
    private FakeServer _server = null!;

    public async Task InitializeAsync() => _server = await FakeServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [SkippableFact]
    public async Task EveryControlIsReachedByTheKeyboard()
    {
        await using WatchedPage page = await LiveAsync(1280, 800);
        // A group of radio buttons is one stop.
        string[] all = await page.Page.EvaluateAsync<string[]>($$"""
            () => { {{Name}} return [...document.querySelectorAll('button, select, input, summary, canvas')].filter(e => !e.disabled && e.checkVisibility() && !(e.type === 'radio' && !e.checked)).map(name); }
            """);
        Assert.True(all.Length > 15, $"only {all.Length} controls");
        var reached = new HashSet<string>();
        for (int i = 0; i < 2 * all.Length; i++)
        {
            await page.Page.Keyboard.PressAsync("Tab");
            reached.Add(await page.Page.EvaluateAsync<string>($$"""() => { {{Name}} return name(document.activeElement); }"""));
        }
        Assert.Empty(all.Except(reached));
        await page.Switch("bp", "sensor").FocusAsync();
        await page.Page.Keyboard.PressAsync("Space");
        await page.KindAsync("bp", "generated");
    }

    [SkippableFact]
    public async Task EveryControlHasAName()
    {
        await using WatchedPage page = await LiveAsync(1280, 800);
        string snapshot = await page.Page.Locator("body").AriaSnapshotAsync();
        string[] roles = ["button", "switch", "combobox", "slider", "radio", "img", "textbox", "checkbox"];
        string[] controls =
            [.. snapshot.Split('\n').Select(l => l.TrimStart(' ', '-', '\'')).Where(l => roles.Contains(l.Split(' ', ':')[0]))];
        Assert.Equal(9, controls.Count(c => c.StartsWith("switch", StringComparison.Ordinal)));
        Assert.All(controls, c => Assert.Contains('"', c));
        await page.WaitAsync(
            "document.querySelector('#lane-ecg canvas').ariaLabel.match(/^Electrocardiogram trace, measured. Heart rate 7[456] beats a "
            + "minute.$/) !== null");
    }

    [SkippableTheory]
    [InlineData(320, 640)]
    [InlineData(390, 844)]
    [InlineData(768, 1024)]
    [InlineData(844, 390)]
    [InlineData(1280, 800)]
    public async Task NothingIsWiderThanTheScreen(int width, int height)
    {
        await using WatchedPage page = await LiveAsync(width, height);
        // The longest line of origin there is.
        await page.Switch("bp", "sensor").ClickAsync();
        await page.KindAsync("bp", "generated");
        string[] wide = await page.Page.EvaluateAsync<string[]>("""
            () => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('.skip, .unseen') && e.getBoundingClientRect().right > innerWidth + 0.5)
              .map(e => `${e.tagName}#${e.id}.${e.className}`)
            """);
        Assert.Empty(wide);
        Assert.Equal(width, await page.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
        Assert.True(await page.Page.GetByText("Research software, not a medical device.").IsVisibleAsync());
        Assert.Empty(page.Errors);
    }

    [SkippableTheory]
    [InlineData(768, 1024)]
    [InlineData(844, 390)]
    [InlineData(1280, 800)]
    public async Task PlotsKeepTheirHeightWhateverIsSaidOfTheirOrigin(int width, int height)
    {
        await using WatchedPage page = await LiveAsync(width, height);
        const string Heights = "() => [...document.querySelectorAll('.plot')].map(p => p.getBoundingClientRect().height)";
        double[] measured = await page.Page.EvaluateAsync<double[]>(Heights);
        await page.Switch("bp", "sensor").ClickAsync();
        await page.KindAsync("bp", "generated");
        Assert.Equal(measured, await page.Page.EvaluateAsync<double[]>(Heights));
        Assert.All(measured, h => Assert.True(h >= 100, $"a plot is {h} pixels high"));
    }

    [SkippableFact]
    public async Task CursorReadsFrozenTraces()
    {
        await using WatchedPage page = await LiveAsync(1280, 800);
        await page.WaitAsync("document.querySelector('.figure.heart .value').textContent !== '– –'");
        await page.Page.Keyboard.PressAsync("f");
        await page.Page.Keyboard.PressAsync("ArrowLeft");
        string reading = await page.Page.InnerTextAsync("#reading");
        Match match = Regex.Match(reading, @"^(?<t>[0-9.]+) s: ECG (?<ecg>\S+) mV · ABP (?<bp>\S+) mmHg · PPG (?<ppg>\S+)$");
        Assert.True(match.Success, reading);
        double Number(string name) => double.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture);
        // The time is printed to the millisecond and the sample lies on it exactly (8 ms apart); three digits of 120 are good to 0.5.
        Assert.Equal(FakeFrame.Value(1, Number("t")), Number("bp"), 0.5);
        Assert.Equal(FakeFrame.Value(0, Number("t")), Number("ppg"), 0.005);
    }

    private const string Name =
        "const name = e => e.type === 'radio' ? `radio ${e.name}` : e.id || `${e.closest('[id]')?.id} ${e.tagName} "
        + "${e.dataset.switch ?? ''}`;";

    private async Task<WatchedPage> LiveAsync(int width, int height)
    {
        WatchedPage page = await browser.OpenAsync(_server.Address, width, height);
        await page.StateAsync("live");
        await page.KindAsync("ecg", "measured");
        return page;
    }
}
