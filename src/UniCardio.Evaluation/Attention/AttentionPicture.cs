using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using UniCardio.Signals.Plotting;

namespace UniCardio.Evaluation.Attention;

/// <summary>Attention as pictures for a page: maps of weights and lines over lags.</summary>
internal static class AttentionPicture
{
    private static readonly string[] s_colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"];

    /// <summary>A map of weights, rows are queries; white is none, dark the largest of the map. As an HTML image that needs no other
    /// file.</summary>
    /// <param name="weights">[rows, columns].</param>
    /// <param name="columns">Keys.</param>
    /// <param name="label">What it shows; escaped.</param>
    /// <param name="width">Pixels on the page.</param>
    public static string Map(ReadOnlySpan<double> weights, int columns, string label, int width = 180)
    {
        int rows = weights.Length / columns;
        double most = 0;
        foreach (double w in weights)
            most = Math.Max(most, w);
        byte[] pixels = new byte[rows * (columns + 1)];
        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < columns; c++)
                // The root keeps small weights in sight.
                pixels[(r * (columns + 1)) + 1 + c] = (byte)(255 - (most > 0 ? 255 * Math.Sqrt(weights[(r * columns) + c] / most) : 0));
        }

        string text = WebUtility.HtmlEncode(label);
        return string.Create(CultureInfo.InvariantCulture,
            $"<span style=\"display:inline-block;margin:2px 6px;font-size:12px\"><img width=\"{width}\" style=\"border:1px solid #ccc;"
            + $"image-rendering:pixelated;display:block\" alt=\"{text}\" src=\"data:image/png;base64,{Png(pixels, columns, rows)}\">"
            + $"{text}</span>");
    }

    /// <summary>Lines over an axis, as SVG.</summary>
    /// <param name="title">What it shows.</param>
    /// <param name="x">The axis' values.</param>
    /// <param name="lines">Names and values, NaN where there is none.</param>
    /// <param name="unit">The axis' name.</param>
    /// <param name="marks">Values to mark by a dashed line, with names.</param>
    public static string Lines(string title, IReadOnlyList<double> x, IReadOnlyList<(string Name, double[] Values)> lines, string unit,
        IReadOnlyList<(string Name, double At)>? marks = null)
    {
        const double Width = 620, Height = 250, Left = 62, Right = 150, Top = 34, Bottom = 42;
        using var svg = new SvgDocument(Width, Height, title);
        double most = lines.SelectMany(l => l.Values).Where(double.IsFinite).DefaultIfEmpty(1).Max(), low = x[0], high = x[^1];
        most = most > 0 ? most : 1;
        double X(double value) => Left + ((Width - Left - Right) * (value - low) / (high - low));
        double Y(double value) => Height - Bottom - ((Height - Top - Bottom) * value / most);
        svg.Text(Left, 20, title, bold: true);
        svg.Line(Left, Height - Bottom, Width - Right, Height - Bottom, "#888888", 1);
        svg.Line(Left, Top, Left, Height - Bottom, "#888888", 1);
        svg.Text(Left - 6, Top + 5, most.ToString("0.####", CultureInfo.InvariantCulture), "end", 11);
        svg.Text(Left - 6, Height - Bottom, "0", "end", 11);
        foreach (double tick in Enumerable.Range(0, 5).Select(i => low + ((high - low) * i / 4)))
            svg.Text(X(tick), Height - Bottom + 16, tick.ToString("0.##", CultureInfo.InvariantCulture), "middle", 11);
        svg.Text((Left + Width - Right) / 2, Height - 8, unit, "middle", 12);
        for (int i = 0; i < lines.Count; i++)
        {
            svg.Path(Path(x, lines[i].Values, X, Y), s_colours[i % s_colours.Length], 1.6, i < s_colours.Length ? null : "4 3");
            double y = Top + 8 + (15 * i);
            svg.Line(Width - Right + 10, y, Width - Right + 28, y, s_colours[i % s_colours.Length], 2);
            svg.Text(Width - Right + 33, y + 4, lines[i].Name, size: 11);
        }

        foreach ((string name, double at) in marks ?? [])
        {
            if (at < low || at > high)
                continue;
            svg.Line(X(at), Top, X(at), Height - Bottom, "#444444", 1, "3 3");
            svg.Text(X(at) + 4, Top - 2, name, size: 11);
        }

        return svg.Finish();
    }

    private static string Path(IReadOnlyList<double> x, double[] values, Func<double, double> across, Func<double, double> up)
    {
        var path = new StringBuilder();
        bool open = false;
        for (int i = 0; i < values.Length; i++)
        {
            if (!double.IsFinite(values[i]))
            {
                open = false;
                continue;
            }

            path.Append(CultureInfo.InvariantCulture, $"{(open ? 'L' : 'M')}{across(x[i]):0.#} {up(values[i]):0.#}");
            open = true;
        }

        return path.Length == 0 ? "M0 0" : path.ToString();
    }

    // 8 bits of grey (ISO/IEC 15948): signature, IHDR, IDAT, IEND; each row begins with filter 0, which stands in the pixels.
    private static string Png(byte[] pixels, int columns, int rows)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        byte[] head = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(head, columns);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), rows);
        head[8] = 8;
        Chunk(file, "IHDR"u8, head);
        using var packed = new MemoryStream();
        using (var zip = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
            zip.Write(pixels);
        Chunk(file, "IDAT"u8, packed.ToArray());
        Chunk(file, "IEND"u8, []);
        return Convert.ToBase64String(file.ToArray());
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> kind, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(kind);
        file.Write(data);
        uint crc = uint.MaxValue;
        foreach (byte b in (ReadOnlySpan<byte>)[.. kind, .. data])
        {
            crc ^= b;
            for (int k = 0; k < 8; k++)
                crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
        }

        BinaryPrimitives.WriteUInt32BigEndian(number, ~crc);
        file.Write(number);
    }
}
