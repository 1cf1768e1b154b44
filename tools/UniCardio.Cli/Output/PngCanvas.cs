using System.Globalization;
using SkiaSharp;
using UniCardio.Signals.Plotting;

namespace UniCardio.Cli.Output;

/// <summary>A picture in pixels, two a unit of length so that it can be read on a fine screen.</summary>
internal sealed class PngCanvas : IPlotCanvas, IDisposable
{
    private const float Scale = 2;

    private readonly SKSurface _surface;
    private readonly SKTypeface _face = PlotFont.Find();

    /// <param name="width">Width in units of length.</param>
    /// <param name="height">Height.</param>
    /// <exception cref="UsageException">There is no font on this machine.</exception>
    public PngCanvas(double width, double height)
    {
        _surface = SKSurface.Create(new SKImageInfo((int)Math.Ceiling(Scale * width), (int)Math.Ceiling(Scale * height)));
        _surface.Canvas.Clear(SKColors.White);
        _surface.Canvas.Scale(Scale);
    }

    private SKCanvas Canvas => _surface.Canvas;

    public void Rectangle(double x, double y, double width, double height, string fill, double opacity = 1)
    {
        using SKPaint paint = Inside(fill, opacity);
        Canvas.DrawRect((float)x, (float)y, (float)width, (float)height, paint);
    }

    public void Line(double x1, double y1, double x2, double y2, string stroke, double width, string? dashes = null)
    {
        using SKPathEffect? effect = Dashes(dashes);
        using SKPaint paint = Stroke(stroke, width, effect);
        Canvas.DrawLine((float)x1, (float)y1, (float)x2, (float)y2, paint);
    }

    public void Path(string data, string stroke, double width, string? dashes)
    {
        using SKPathEffect? effect = Dashes(dashes);
        using SKPaint paint = Stroke(stroke, width, effect);
        paint.StrokeJoin = SKStrokeJoin.Round;
        paint.StrokeCap = dashes is null ? SKStrokeCap.Round : SKStrokeCap.Butt;
        using SKPath path = SKPath.ParseSvgPathData(data);
        Canvas.DrawPath(path, paint);
    }

    public void Area(string data, string fill, double opacity)
    {
        using SKPaint paint = Inside(fill, opacity);
        using SKPath path = SKPath.ParseSvgPathData(data);
        Canvas.DrawPath(path, paint);
    }

    public void Text(double x, double y, string text, string anchor = "start", double size = 13, string fill = "#333333", bool bold = false)
    {
        using var font = new SKFont(_face, (float)size) { Embolden = bold };
        using SKPaint paint = Inside(fill, 1);
        SKTextAlign align = anchor switch { "middle" => SKTextAlign.Center, "end" => SKTextAlign.Right, _ => SKTextAlign.Left };
        Canvas.DrawText(text, (float)x, (float)y, align, font, paint);
    }

    public void AxisName(double x, double y, string text)
    {
        Canvas.Save();
        Canvas.RotateDegrees(-90, (float)x, (float)y);
        Text(x, y, text, "middle", 14, bold: true);
        Canvas.Restore();
    }

    /// <summary>Writes the PNG.</summary>
    public void WriteTo(Stream stream)
    {
        using SKImage image = _surface.Snapshot();
        using SKData data = image.Encode(SKEncodedImageFormat.Png, 100);
        data.SaveTo(stream);
    }

    public void Dispose()
    {
        _surface.Dispose();
        _face.Dispose();
    }

    private static SKPaint Inside(string colour, double opacity) => new()
    {
        Color = SKColor.Parse(colour).WithAlpha((byte)Math.Round(255 * opacity)), IsAntialias = true,
    };

    private static SKPaint Stroke(string colour, double width, SKPathEffect? dashes) => new()
    {
        Color = SKColor.Parse(colour), IsAntialias = true, Style = SKPaintStyle.Stroke, StrokeWidth = (float)width, PathEffect = dashes,
    };

    private static SKPathEffect? Dashes(string? lengths) => lengths is null ? null
        : SKPathEffect.CreateDash([.. lengths.Split(' ').Select(l => float.Parse(l, CultureInfo.InvariantCulture))], 0);
}
