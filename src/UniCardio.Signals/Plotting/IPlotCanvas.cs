namespace UniCardio.Signals.Plotting;

/// <summary>What a picture is drawn with. Lengths are pixels from the left upper corner, colours <c>#rrggbb</c>, dashes lengths parted by
/// blanks, outlines SVG path data of straight lines.</summary>
internal interface IPlotCanvas
{
    /// <summary>A filled rectangle.</summary>
    void Rectangle(double x, double y, double width, double height, string fill, double opacity = 1);

    /// <summary>A straight line.</summary>
    void Line(double x1, double y1, double x2, double y2, string stroke, double width, string? dashes = null);

    /// <summary>A line along an outline.</summary>
    void Path(string data, string stroke, double width, string? dashes);

    /// <summary>The inside of an outline.</summary>
    void Area(string data, string fill, double opacity);

    /// <summary>Words on a base line; <c>anchor</c> is start, middle or end.</summary>
    void Text(double x, double y, string text, string anchor = "start", double size = 13, string fill = "#333333", bool bold = false);

    /// <summary>Name of a vertical axis, read from below.</summary>
    void AxisName(double x, double y, string text);
}
