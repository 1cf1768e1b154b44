using System.Globalization;
using System.Text;
using System.Xml;

namespace UniCardio.Signals.Plotting;

/// <summary>The few SVG elements a plot needs. Text is escaped, and characters that XML forbids are replaced.</summary>
internal sealed class SvgDocument : IPlotCanvas, IDisposable
{
    private readonly StringBuilder _text = new();
    private readonly XmlWriter _xml;

    public SvgDocument(double width, double height, string title)
    {
        _xml = XmlWriter.Create(_text, new XmlWriterSettings { OmitXmlDeclaration = true, Indent = true, NewLineChars = "\n" });
        _xml.WriteStartElement("svg", "http://www.w3.org/2000/svg");
        Attributes(("width", width), ("height", height),
            ("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {width:0.##} {height:0.##}")),
            ("font-family", "Helvetica, Arial, sans-serif"), ("font-size", 13), ("role", "img"));
        _xml.WriteElementString("title", Clean(title));
        Rectangle(0, 0, width, height, "#ffffff");
    }

    public void Rectangle(double x, double y, double width, double height, string fill, double opacity = 1)
    {
        Start("rect", ("x", x), ("y", y), ("width", width), ("height", height), ("fill", fill));
        if (opacity < 1)
            Attributes(("fill-opacity", opacity));
        _xml.WriteEndElement();
    }

    public void Line(double x1, double y1, double x2, double y2, string stroke, double width, string? dashes = null)
    {
        Start("line", ("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2), ("stroke", stroke), ("stroke-width", width));
        if (dashes is not null)
            Attributes(("stroke-dasharray", dashes));
        _xml.WriteEndElement();
    }

    public void Path(string data, string stroke, double width, string? dashes)
    {
        Start("path", ("d", data), ("fill", "none"), ("stroke", stroke), ("stroke-width", width), ("stroke-linejoin", "round"),
            ("stroke-linecap", dashes is null ? "round" : "butt"));
        if (dashes is not null)
            Attributes(("stroke-dasharray", dashes));
        _xml.WriteEndElement();
    }

    public void Area(string data, string fill, double opacity)
    {
        Start("path", ("d", data), ("fill", fill), ("fill-opacity", opacity), ("stroke", "none"));
        _xml.WriteEndElement();
    }

    public void Text(double x, double y, string text, string anchor = "start", double size = 13, string fill = "#333333", bool bold = false)
    {
        Start("text", ("x", x), ("y", y), ("text-anchor", anchor), ("fill", fill));
        if (size != 13)
            Attributes(("font-size", size));
        if (bold)
            Attributes(("font-weight", "bold"));
        _xml.WriteString(Clean(text));
        _xml.WriteEndElement();
    }

    public void AxisName(double x, double y, string text)
    {
        Start("text", ("x", x), ("y", y), ("text-anchor", "middle"), ("fill", "#333333"));
        Attributes(("font-size", 14), ("font-weight", "bold"),
            ("transform", string.Create(CultureInfo.InvariantCulture, $"rotate(-90 {x:0.##} {y:0.##})")));
        _xml.WriteString(Clean(text));
        _xml.WriteEndElement();
    }

    public string Finish()
    {
        _xml.WriteEndElement();
        _xml.Flush();
        return _text.Append('\n').ToString();
    }

    public void Dispose() => _xml.Dispose();

    private void Start(string element, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        _xml.WriteStartElement(element, "http://www.w3.org/2000/svg");
        Attributes(attributes);
    }

    private void Attributes(params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        foreach ((string name, object value) in attributes)
            _xml.WriteAttributeString(name, value is double number ? number.ToString("0.##", CultureInfo.InvariantCulture)
                : Clean(string.Create(CultureInfo.InvariantCulture, $"{value}")));
    }

    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i]))
                clean.Append(text[i]).Append(text[++i]);
            else
                clean.Append(XmlConvert.IsXmlChar(text[i]) ? text[i] : '\uFFFD');
        }
        return clean.ToString();
    }
}
