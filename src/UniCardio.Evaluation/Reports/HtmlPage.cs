using System.Globalization;
using System.Net;
using System.Text;

namespace UniCardio.Evaluation.Reports;

/// <summary>A page that needs nothing but itself: headings, tables, pictures. Text is escaped.</summary>
internal sealed class HtmlPage
{
    private const string Style = """
        :root{color-scheme:light dark;--rule:#ddd;--edge:#888;--note:#fff3e0;--link:#0050a0}
        @media(prefers-color-scheme:dark){:root{--rule:#3a3a3a;--edge:#999;--note:#3a2a10;--link:#8ec5ff}}
        body{font:15px/1.45 Helvetica,Arial,sans-serif;max-width:1240px;margin:2em auto;padding:0 1em;overflow-wrap:anywhere}
        h1{font-size:1.6em}h2{font-size:1.2em}a{color:var(--link)}
        table{border-collapse:collapse;margin:1em 0;display:block;overflow-x:auto}
        th,td{padding:.2em .6em;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}
        th:first-child,td:first-child,th.text,td.text{text-align:left}
        thead th{border-bottom:2px solid var(--edge)}
        @media(max-width:600px){
          body{font-size:14px;margin:1em auto;padding:0 .7em}th,td{padding:.2em .4em}
          th:first-child,td:first-child{white-space:normal;min-width:8em}
        }
        .remark{background:var(--note);border-left:4px solid #d55e00;padding:.6em 1em}
        figure{margin:1em 0;overflow-x:auto}figure svg{max-width:100%;min-width:600px;height:auto}
        nav a{margin-right:1em}
        """;

    private readonly StringBuilder _text = new();

    public HtmlPage(string title)
    {
        _text.Append(CultureInfo.InvariantCulture,
            $"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
            + $"charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width\"/>\n"
            + $"<title>{Escape(title)}</title>\n<style>\n{Style}\n</style>\n</head>\n"
            + $"<body>\n<h1>{Escape(title)}</h1>\n");
    }

    public HtmlPage Heading(int level, string text, string? anchor = null)
    {
        string id = anchor is null ? "" : $" id=\"{Escape(anchor)}\"";
        _text.Append(CultureInfo.InvariantCulture, $"<h{level}{id}>{Escape(text)}</h{level}>\n");
        return this;
    }

    public HtmlPage Paragraph(string text, string? kind = null)
    {
        string mark = kind is null ? "" : $" class=\"{kind}\"";
        _text.Append(CultureInfo.InvariantCulture, $"<p{mark}>{Escape(text)}</p>\n");
        return this;
    }

    public HtmlPage List(IEnumerable<string> lines)
    {
        _text.Append("<ul>\n");
        foreach (string line in lines)
            _text.Append(CultureInfo.InvariantCulture, $"<li>{Escape(line)}</li>\n");
        _text.Append("</ul>\n");
        return this;
    }

    public HtmlPage Links(IEnumerable<(string Anchor, string Text)> links)
    {
        _text.Append("<nav>");
        foreach ((string anchor, string text) in links)
            _text.Append(CultureInfo.InvariantCulture, $"<a href=\"#{Escape(anchor)}\">{Escape(text)}</a>\n");
        _text.Append("</nav>\n");
        return this;
    }

    /// <param name="headings">The columns; names of methods and the like are set to the left.</param>
    /// <param name="rows">The cells.</param>
    public HtmlPage Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        bool[] words = [.. headings.Select(h =>
            h is "method" or "best in window" or "best of all" or "subject" or "signals" or "spoiled by" or "sampler")];
        string Cell(string tag, int column, string text) => $"<{tag}{(words[column] ? " class=\"text\"" : "")}>{Escape(text)}</{tag}>";
        _text.Append("<table>\n<thead><tr>").Append(string.Concat(headings.Select((h, i) => Cell("th", i, h))))
            .Append("</tr></thead>\n<tbody>\n");
        foreach (IReadOnlyList<string> row in rows)
            _text.Append("<tr>").Append(string.Concat(row.Select((c, i) => Cell("td", i, c)))).Append("</tr>\n");
        _text.Append("</tbody>\n</table>\n");
        return this;
    }

    public HtmlPage Picture(string svg, string caption)
    {
        _text.Append(CultureInfo.InvariantCulture, $"<figure>\n{svg}<figcaption>{Escape(caption)}</figcaption>\n</figure>\n");
        return this;
    }

    public override string ToString() => _text + "</body>\n</html>\n";

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
