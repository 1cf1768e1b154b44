using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace UniCardio.Page.Tests;

/// <summary>The monitor page in a browser, with what it complained about.</summary>
public sealed class WatchedPage : IAsyncDisposable
{
    // Generous, for machines that do much else: it is waited for something to happen, never for time to pass.
    private const float Patience = 60_000;
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _errors = new();

    public WatchedPage(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
        page.SetDefaultTimeout(Patience);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _errors.Enqueue(message.Text);
        };
        page.PageError += (_, message) => _errors.Enqueue(message);
    }

    public IPage Page { get; }

    /// <summary>Errors so far.</summary>
    public IReadOnlyCollection<string> Errors => _errors;

    public ILocator Lane(string modality) => Page.Locator($"#lane-{modality}");

    public ILocator Switch(string modality, string name) => Lane(modality).Locator($"[data-switch={name}]");

    /// <summary>Waits until a lane says that its newest sample is of a kind: measured, generated or none.</summary>
    public Task KindAsync(string modality, string kind) =>
        WaitAsync($"document.getElementById('lane-{modality}').dataset.kind === '{kind}'");

    public Task StateAsync(string state) => WaitAsync($"document.getElementById('state').dataset.state === '{state}'");

    /// <summary>Waits until an expression is true. Asked from here: in the page, the content security policy forbids what Playwright's own
    /// waiting would evaluate.</summary>
    public async Task WaitAsync(string condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(Patience));
        while (!await Page.EvaluateAsync<bool>($"() => {condition}"))
        {
            if (patience.IsCancellationRequested)
                Assert.Fail(
                    $"not within {Patience / 1000} s: {(condition.Length > 300 ? condition[..300] : condition)}; errors: "
                    + $"{string.Join("; ", _errors)}");
            await Task.Delay(50);
        }
    }

    /// <summary>The number of a numeral; null where none is shown.</summary>
    public async Task<string> FigureAsync(string name) => await Page.Locator($".figure.{name} .value").InnerTextAsync();

    /// <summary>The columns of a trace from left to right: 'm' where a pixel has the colour of measured lines, 'g' of generated ones, '.'
    /// neither.</summary>
    public async Task<string> ColumnsAsync(string modality) => await Page.EvaluateAsync<string>("""
        modality => {
          const canvas = document.querySelector(`#lane-${modality} canvas`), copy = document.createElement('canvas');
          copy.width = canvas.width;
          copy.height = canvas.height;
          const context = copy.getContext('2d', { willReadFrequently: true });
          context.drawImage(canvas, 0, 0);
          const style = getComputedStyle(canvas);
          const rgb = name => style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/gi).map(h => parseInt(h, 16));
          const near = (data, i, c) => Math.abs(data[i] - c[0]) + Math.abs(data[i + 1] - c[1]) + Math.abs(data[i + 2] - c[2]) < 90;
          const measured = rgb('--measured'), generated = rgb('--generated');
          const { width, height } = canvas, data = context.getImageData(0, 0, width, height).data;
          let text = '';
          for (let x = 40; x < width - 16; x++) {
            let mark = '.';
            for (let y = 0; y < height && mark === '.'; y++) {
              const i = 4 * (y * width + x);
              mark = near(data, i, measured) ? 'm' : near(data, i, generated) ? 'g' : '.';
            }
            text += mark;
          }
          return text;
        }
        """, modality);

    /// <summary>Waits until so many columns of a trace have a mark (<see cref="ColumnsAsync"/>), and returns them all.</summary>
    public async Task<string> DrawnAsync(string modality, char mark, int columns)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(Patience));
        string seen;
        while ((seen = await ColumnsAsync(modality)).Count(c => c == mark) < columns)
        {
            if (patience.IsCancellationRequested)
                Assert.Fail($"not within {Patience / 1000} s: {columns} columns '{mark}' of {modality}; there are: {seen}");
            await Task.Delay(200);
        }
        return seen;
    }

    /// <summary>Waits until all that has happened so far is on the canvases.</summary>
    public Task PaintedAsync() => Page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");

    /// <summary>A digest of a trace's pixels.</summary>
    public async Task<string> PictureAsync(string modality) => await Page.EvaluateAsync<string>("""
        modality => document.querySelector(`#lane-${modality} canvas`).toDataURL()
        """, modality);

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
