using System.Globalization;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace UniCardio.Page.Tests;

/// <summary>The page against signals of known figures.</summary>
[Collection(BrowserCollection.Name)]
public sealed class MonitorTests(Browser browser) : IAsyncLifetime
{
    private FakeServer _server = null!;

    public async Task InitializeAsync() => _server = await FakeServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [SkippableFact]
    public async Task TracesMoveUntilFrozen()
    {
        await using WatchedPage page = await LiveAsync();
        string[] modalities = ["ecg", "bp", "ppg"];
        foreach (string modality in modalities)
        {
            string before = await page.PictureAsync(modality);
            // Not waited by the clock: the picture has to become another one.
            await page.WaitAsync($"document.querySelector('#lane-{modality} canvas').toDataURL() !== '{before}'");
        }
        // A figure or a message that comes only now gives the traces another size, and so another picture: the page has to have settled.
        await page.WaitAsync(
            "document.querySelector('.figure.pressure .value').textContent.includes('/') && document.querySelector('.figure.heart "
            + ".value').textContent !== '– –'");
        await page.Page.Keyboard.PressAsync("f");
        await FramesAsync(page, 1);
        await page.PaintedAsync();
        string frozen = await page.PictureAsync("ecg");
        await FramesAsync(page, 3);
        Assert.Equal(frozen, await page.PictureAsync("ecg"));
        await page.Page.ClickAsync("#freeze");
        await page.WaitAsync($"document.querySelector('#lane-ecg canvas').toDataURL() !== '{frozen}'");
        Assert.Empty(page.Errors);
    }

    [SkippableFact]
    public async Task FiguresAreThoseOfTheSignals()
    {
        await using WatchedPage page = await LiveAsync();
        await page.WaitAsync(
            "document.querySelector('.figure.pressure .value').textContent.includes('/') && document.querySelector('.figure.heart "
            + ".value').textContent !== '– –'");
        // Samples are 8 ms apart: a median interval of 0.8 s is off by at most one of them, 1%, under 1 beat a minute. Extremes of the
        // pressure are missed by at most half a sample off their place: 40 (1 - cos(4 pi 0.004 / 0.8)) / 2 < 0.1 mmHg, and the mean over
        // onsets by a sample of 100, 0.2 mmHg. Then all is rounded.
        Assert.InRange(int.Parse(await page.FigureAsync("heart"), CultureInfo.InvariantCulture), 74, 76);
        Assert.InRange(int.Parse(await page.FigureAsync("pulse"), CultureInfo.InvariantCulture), 74, 76);
        int[] pressure = [.. (await page.FigureAsync("pressure")).Split('/').Select(v => int.Parse(v, CultureInfo.InvariantCulture))];
        Assert.InRange(pressure[0], 119, 120);
        Assert.InRange(pressure[1], 80, 81);
        Assert.InRange(int.Parse(await page.FigureAsync("mean"), CultureInfo.InvariantCulture), 99, 101);
        Assert.Equal(0, await page.Page.Locator(".mark:visible").CountAsync());
        Assert.Equal("98 ms", await page.Page.InnerTextAsync("#algorithmic"));
        Assert.Equal("31 ms", await page.Page.InnerTextAsync("#compute"));
        await page.WaitAsync("document.getElementById('load').textContent === '41%'");
    }

    [SkippableFact]
    public async Task SwitchMakesGeneratedTraceAppear()
    {
        await using WatchedPage page = await LiveAsync();
        await page.KindAsync("bp", "measured");
        await page.DrawnAsync("bp", 'm', 300);
        Assert.DoesNotContain('g', await page.ColumnsAsync("bp"));
        await page.Switch("bp", "sensor").ClickAsync();
        await page.KindAsync("bp", "generated");
        Assert.Equal("""["bp"]""", _server.Received.Last()["muted"]!.ToJsonString());
        Assert.Contains("translated from ECG + PPG", await page.Lane("bp").Locator(".origin").InnerTextAsync(), StringComparison.Ordinal);
        string columns = await page.DrawnAsync("bp", 'g', 250);
        // The line style tells them apart too. Four of 13 pixels along a dashed line are open, fewer columns where it is steep; a solid
        // line leaves a column open only where it is so steep that grid and smoothing change its colour.
        int first = columns.IndexOf('g', StringComparison.Ordinal);
        string measured = columns[..first].Trim('.'), generated = columns[first..].Trim('.');
        Assert.True(measured.Count(c => c == '.') <= measured.Length / 50, $"the measured line is open: {measured}");
        Assert.True(generated.Count(c => c == '.') >= generated.Length / 10, $"the generated line is closed: {generated}");
        await page.Page.Locator(".figure.pressure .mark").WaitForAsync();
        // Draws that disagree make no figure.
        _server.HalfBand = 40;
        await page.WaitAsync(
            "document.querySelector('.figure.pressure .value').textContent === '– –' && document.querySelector('.figure.pressure "
            + ".source').textContent === 'band too wide'");
        await page.Switch("bp", "sensor").ClickAsync();
        await page.KindAsync("bp", "measured");
        Assert.Empty(page.Errors);
    }

    [SkippableFact]
    public async Task NothingIsDrawnOrCountedWhereNothingIsAskedFor()
    {
        await using WatchedPage page = await LiveAsync();
        await page.Switch("ecg", "generate").ClickAsync();
        await page.Switch("ecg", "sensor").ClickAsync();
        await page.KindAsync("ecg", "none");
        Assert.Equal("not measured, not asked for (sensor switched off)", await page.Lane("ecg").Locator(".origin").InnerTextAsync());
        // The rate comes from the pulses now, and says so.
        await page.WaitAsync("document.querySelector('.figure.heart .source').textContent === 'from ABP pulses'");
        await page.Switch("ecg", "sensor").ClickAsync();
        await page.KindAsync("ecg", "measured");
    }

    [SkippableFact]
    public async Task MeasuredPulsesAreCountedBeforeGeneratedPeaks()
    {
        await using WatchedPage page = await LiveAsync();
        await page.WaitAsync("document.querySelector('.figure.heart .source').textContent === 'from R\u2011peaks'");
        await page.Switch("ecg", "sensor").ClickAsync();
        await page.KindAsync("ecg", "generated");
        await page.WaitAsync("document.querySelector('.figure.heart .source').textContent === 'from ABP pulses'");
        Assert.False(await page.Page.Locator(".figure.heart .mark").IsVisibleAsync());
        await page.Switch("bp", "sensor").ClickAsync();
        await page.WaitAsync("document.querySelector('.figure.heart .source').textContent === 'from PPG pulses'");
        await page.Switch("ppg", "sensor").ClickAsync();
        // Nothing is measured any more: now it is the peaks again, marked.
        await page.WaitAsync("document.querySelector('.figure.heart .source').textContent === 'from R\u2011peaks'");
        Assert.True(await page.Page.Locator(".figure.heart .mark").IsVisibleAsync());
        // Beats on which the draws disagree are no beats.
        (_server.HalfBand, _server.WaveHalfBand) = (40, 0.5);
        foreach (string figure in (string[])["heart", "pulse"])
            await page.WaitAsync(
                $"document.querySelector('.figure.{figure} .value').textContent === '– –' && document.querySelector('.figure.{figure} "
                + $".source').textContent === 'band too wide'");
        Assert.Empty(page.Errors);
    }

    [SkippableFact]
    public async Task SettingsReachTheServer()
    {
        await using WatchedPage page = await LiveAsync();
        await page.Page.Locator("#steps").FocusAsync();
        await page.Page.Keyboard.PressAsync("ArrowRight");
        await page.WaitAsync("document.getElementById('steps-value').textContent === '7'");
        await WaitForMessageAsync(m => (int?)m["steps"] == 7);
        await page.Page.SelectOptionAsync("#draws", "16");
        await WaitForMessageAsync(m => (int?)m["draws"] == 16);
        await page.Switch("ppg", "denoise").ClickAsync();
        await page.KindAsync("ppg", "generated");
        // What the server refuses is said, not swallowed.
        await page.Page.ClickAsync("#replay-open");
        await page.WaitAsync("document.getElementById('replay-recording').options.length === 2");
        await page.Page.FillAsync("#replay-patient", "demo");
        await page.Page.ClickAsync("#replay-start");
        await page.WaitAsync("document.getElementById('notice').textContent.includes('the fake only sets')");
        Assert.Empty(page.Errors);
    }

    [SkippableFact]
    public async Task PatientIsChosen()
    {
        await using WatchedPage page = await LiveAsync();
        Assert.Equal("demo", await page.Page.InputValueAsync("#patient"));
        await page.Page.SelectOptionAsync("#patient", "bed-2");
        await page.WaitAsync("location.hash === '#bed-2'");
        await page.StateAsync("live");
        await page.KindAsync("ecg", "measured");
        Assert.Empty(page.Errors);
    }

    [SkippableFact]
    public async Task ConnectsAgainAfterTheServerRestarts()
    {
        await using WatchedPage page = await LiveAsync();
        int port = _server.Address.Port;
        await _server.DisposeAsync();
        await page.StateAsync("waiting");
        Assert.StartsWith("Connection lost", await page.Page.InnerTextAsync("#state"), StringComparison.Ordinal);
        // What is still on the page must not look alive.
        Assert.Equal("0.35", await page.Page.EvaluateAsync<string>("getComputedStyle(document.querySelector('#lane-ecg canvas')).opacity"));
        Assert.True(await page.Switch("bp", "sensor").IsDisabledAsync());
        _server = await FakeServer.StartAsync(port, session: 2);
        await page.StateAsync("live");
        string before = await page.PictureAsync("ecg");
        await FramesAsync(page, 2);
        await page.WaitAsync($"document.querySelector('#lane-ecg canvas').toDataURL() !== '{before}'");
        // The browser itself reports each refused attempt; the page may add nothing.
        Assert.All(page.Errors,
            e => Assert.Matches(
                "ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection to", e));
    }

    /// <summary>axe-core finds no violation of WCAG 2 A and AA and of its best practices, in both schemes and palettes, dialogs open
    /// too.</summary>
    [SkippableFact]
    public async Task AxeFindsNoViolation()
    {
        await using WatchedPage page = await LiveAsync();
        await page.Switch("bp", "sensor").ClickAsync();
        await page.KindAsync("bp", "generated");
        foreach (string scheme in (string[])["dark", "light"])
        {
            await page.Page.EvaluateAsync($"() => document.documentElement.dataset.scheme = '{scheme}'");
            foreach (string palette in (string[])["signals", "safe"])
            {
                await page.Page.SelectOptionAsync("#palette", palette);
                await CheckAsync($"{scheme}, {palette}");
            }
        }
        await page.Page.ClickAsync("#replay-open");
        await CheckAsync("replay dialog");

        async Task CheckAsync(string where)
        {
            AxeResult result = await page.Page.RunAxe();
            Assert.True(result.Passes.Length > 20, $"{where}: only {result.Passes.Length} rules were looked at");
            Assert.True(result.Violations.Length == 0, where + ": " + string.Join("; ", result.Violations.Select(v =>
                $"{v.Id} ({v.Help}): {string.Join(" | ", v.Nodes.Take(3).Select(n => n.Html))}")));
        }
    }

    [SkippableFact]
    public async Task NothingOfAPatientStaysForTheNextOrAfterTheEnd()
    {
        await using WatchedPage page = await LiveAsync();
        await page.WaitAsync("document.querySelector('.figure.pressure .value').textContent.includes('/')");
        // In one turn of the page's own, so that no frame of the next can come between.
        string after = await page.Page.EvaluateAsync<string>("""
            () => {
              const select = document.getElementById('patient');
              select.value = 'bed-2';
              select.dispatchEvent(new Event('change'));
              return [...document.querySelectorAll('.value, .origin-text, .lane')].map(e => e.dataset.kind ?? e.textContent).join(' ');
            }
            """);
        Assert.Equal("none no signal – – none no signal – – – – none no signal – –", after);
        await page.KindAsync("ecg", "measured");
        _server.End("stopped");
        await page.WaitAsync("document.getElementById('notice').textContent.includes('stopped')");
        await page.WaitAsync("[...document.querySelectorAll('.value')].every(v => v.textContent === '– –')");
        await page.KindAsync("ecg", "none");
        await page.PaintedAsync();
        Assert.DoesNotContain('m', await page.ColumnsAsync("ecg"));
    }

    [SkippableFact]
    public async Task FFreezesAfterAClickOnAChoice()
    {
        await using WatchedPage page = await LiveAsync();
        await page.Page.ClickAsync("#timebase label:first-of-type");
        await page.Page.Keyboard.PressAsync("f");
        Assert.Equal("true", await page.Page.GetAttributeAsync("#freeze", "aria-pressed"));
        await page.Page.Locator("#ruler").EvaluateAsync("e => e.closest('details').open = true");
        await page.Page.FocusAsync("#ruler");
        await page.Page.Keyboard.PressAsync("f");
        Assert.Equal("false", await page.Page.GetAttributeAsync("#freeze", "aria-pressed"));
    }

    [SkippableTheory]
    [InlineData(844, 390)]
    [InlineData(667, 375)]
    public async Task APhoneOnItsSideShowsAllTraces(int width, int height)
    {
        await using WatchedPage page = await LiveAsync(width, height);
        foreach (string modality in (string[])["ecg", "bp", "ppg"])
        {
            LocatorBoundingBoxResult box = (await page.Lane(modality).Locator("canvas").BoundingBoxAsync())!;
            Assert.InRange(box.Y + box.Height, 0, height);
            Assert.True(box.Height >= 40, $"{modality} is {box.Height} pixels high");
        }
    }

    [SkippableFact]
    public async Task APhoneNamesThePressureAndSaysThatThereAreNoAlarms()
    {
        await using WatchedPage page = await LiveAsync(390, 844);
        Assert.Equal("SBP/DBP", await page.Page.Locator(".figure.pressure .name").InnerTextAsync());
        string foot = await page.Page.Locator("footer").InnerTextAsync();
        Assert.Contains("No alarms", foot, StringComparison.Ordinal);
        Assert.Contains("fake.safetensors", foot, StringComparison.Ordinal);
        Assert.DoesNotContain("updates", foot, StringComparison.Ordinal);
        // An ECG of some 1.2 mV: 10 mm/mV as on paper, where that fits.
        Assert.Equal("mV, 10 mm/mV", await page.Page.EvaluateAsync<string>("""
            async () => {
              const { Axis } = await import('./js/axis.js'), axis = new Axis('ecg');
              axis.fit({ value: [-0.2, 1], measured: [NaN, NaN], free: [0, 0] }, 0, 2, 30);
              return axis.unit();
            }
            """));
    }

    // A translated pressure is between about -1 and 1; it must not be drawn, nor read, as so many mmHg.
    [SkippableFact]
    public async Task APressureWithoutALevelIsNotOnTheScaleOfOneThatHasIt()
    {
        await using WatchedPage page = await LiveAsync();
        string[] said = await page.Page.EvaluateAsync<string[]>("""
            async () => {
              const { Axis } = await import('./js/axis.js');
              const fit = (value, free) => {
                const axis = new Axis('bp');
                axis.fit({ value, measured: value.map(() => NaN), free }, 0, value.length, 30);
                return axis;
              };
              const both = fit([80, 120, -1, 1], [0, 0, 1, 1]), alone = fit([-1, 1], [1, 1]);
              const at = (axis, v) => (v * axis.freeScale + axis.freeOffset - axis.low) / (axis.high - axis.low);
              return [both.unit(), both.low >= 40 && both.high <= 160, at(both, -1), at(both, 1), alone.unit(), at(alone, -1), at(alone, 1)]
                .map(String);
            }
            """);
        Assert.Equal(("mmHg; generated: no unit", "true", "normalised, no unit"), (said[0], said[1], said[4]));
        // Of the plot's height: from a tenth to nine tenths, beside a scale and without one.
        Assert.Equal([0.1, 0.9], new[] { said[2], said[3] }.Select(s => double.Parse(s, CultureInfo.InvariantCulture)), Near);
        Assert.InRange(double.Parse(said[5], CultureInfo.InvariantCulture), 0, 0.3);
        Assert.InRange(double.Parse(said[6], CultureInfo.InvariantCulture), 0.7, 1);
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) < 1e-6;

    private async Task<WatchedPage> LiveAsync(int width = 1280, int height = 800)
    {
        WatchedPage page = await browser.OpenAsync(_server.Address, width, height);
        await page.StateAsync("live");
        await page.KindAsync("ecg", "measured");
        return page;
    }

    // Waits for that many frames more.
    private static async Task FramesAsync(WatchedPage page, int count)
    {
        for (int i = 0; i < count; i++)
        {
            await page.Page.EvaluateAsync("() => document.getElementById('compute').textContent = ''");
            await page.WaitAsync("document.getElementById('compute').textContent !== ''");
        }
    }

    private async Task WaitForMessageAsync(Func<System.Text.Json.Nodes.JsonObject, bool> matches)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!_server.Received.Any(matches))
            await Task.Delay(20, patience.Token);
    }
}
