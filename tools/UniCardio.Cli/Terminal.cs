using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using UniCardio.Cli.Output;
using UniCardio.Signals;

namespace UniCardio.Cli;

/// <summary>Where a command's output goes: results to <see cref="Out"/>, progress, notes and errors to <see cref="Error"/>.</summary>
internal sealed class Terminal
{
    private const int WidthWhenRedirected = 200;

    private readonly IAnsiConsole _results;
    private readonly IAnsiConsole _notes;
    private readonly Stream? _input;
    private readonly bool _outIsTerminal;

    /// <param name="output">Results.</param>
    /// <param name="error">Everything else.</param>
    /// <param name="outIsTerminal">Whether a person's terminal takes the results, which then may be coloured and fitted to its
    /// width.</param>
    /// <param name="errorIsTerminal">Whether a person watches the other stream; only then are progress bars drawn.</param>
    /// <param name="input">What <c>-</c> reads; null for the process's own.</param>
    public Terminal(TextWriter output, TextWriter error, bool outIsTerminal = false, bool errorIsTerminal = false, Stream? input = null)
    {
        _input = input;
        _outIsTerminal = outIsTerminal;
        Out = new VisibleWriter(output);
        Error = new VisibleWriter(error);
        ErrorIsTerminal = errorIsTerminal;
        _results = Console(output, outIsTerminal);
        _notes = Console(error, errorIsTerminal);
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    public bool ErrorIsTerminal { get; }

    /// <summary>Standard input.</summary>
    public Stream OpenInput() => _input ?? System.Console.OpenStandardInput();

    public static Terminal OfProcess() =>
        new(System.Console.Out, System.Console.Error, !System.Console.IsOutputRedirected, !System.Console.IsErrorRedirected)
        {
            HelpWidth = System.Console.IsOutputRedirected ? 80 : null,
        };

    /// <summary>Columns of help that goes into a file or a pager; null for those of the terminal.</summary>
    public int? HelpWidth { get; private init; }

    /// <summary>Writes a line of results: where a person reads it, broken between words.</summary>
    public void Say(string line)
    {
        if (_outIsTerminal)
            _results.WriteLine(VisibleText.Escape(line));
        else
            Out.WriteLine(line);
    }

    /// <summary>Writes a table of results.</summary>
    public void Write(Table table) => _results.Write(table);

    /// <summary>Tells the user something beside the results.</summary>
    public void Note(string line)
    {
        // Through the console that draws the bars, which steps aside for a line.
        if (ErrorIsTerminal)
            _notes.WriteLine(VisibleText.Escape(line));
        else
            Error.WriteLine(line);
    }

    /// <summary>Runs work that reports how much of it is done, with a bar on the error stream where somebody sees it, else a line there now
    /// and then.</summary>
    /// <param name="title">What is done.</param>
    /// <param name="work">Takes a progress of the share done, 0 to 1, and what is at hand.</param>
    /// <param name="hasLines">Whether lines are written where nobody watches; false for work that writes its own.</param>
    public T WithProgress<T>(string title, Func<IProgress<(double Share, string What)>, T> work, bool hasLines = true)
    {
        if (!ErrorIsTerminal)
            return work(hasLines ? new Lines(this, title) : new Silent());
        return _notes.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
                new RemainingTimeColumn())
            .Start(context => work(new Bar(context.AddTask(Markup.Escape(title), maxValue: 1), title)));
    }

    private static IAnsiConsole Console(TextWriter writer, bool isTerminal)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!isTerminal)
            console.Profile.Width = WidthWhenRedirected;
        return console;
    }

    private sealed class Silent : IProgress<(double Share, string What)>
    {
        public void Report((double Share, string What) value)
        {
        }
    }

    private sealed class Lines(Terminal terminal, string title) : IProgress<(double Share, string What)>
    {
        private static readonly TimeSpan Every = TimeSpan.FromSeconds(20);
        private long _last = Stopwatch.GetTimestamp();

        public void Report((double Share, string What) value)
        {
            if (value.Share >= 1 || Stopwatch.GetElapsedTime(_last) < Every)
                return;
            _last = Stopwatch.GetTimestamp();
            terminal.Note(string.Create(CultureInfo.InvariantCulture,
                $"{title}: {100 * value.Share:0}%{(value.What.Length == 0 ? "" : ", ")}{value.What}"));
        }
    }

    private sealed class Bar(ProgressTask task, string title) : IProgress<(double Share, string What)>
    {
        public void Report((double Share, string What) value)
        {
            task.Value = value.Share;
            task.Description = Markup.Escape(VisibleText.Escape(value.What.Length == 0 ? title : $"{title}: {value.What}"));
        }
    }
}
