using System.Globalization;
using System.Text;
using UniCardio.Files;

namespace UniCardio.Training.Runs;

/// <summary>A CSV table that a run appends to and that a resumed run cuts back to its checkpoint. The first column is the number of updates
/// done.</summary>
internal sealed class RunTable : IDisposable
{
    private readonly FileStream _file;

    /// <summary>Opens a table and cuts it back.</summary>
    /// <param name="path">The file; made if it is not there.</param>
    /// <param name="header">Names of the columns.</param>
    /// <param name="updates">Rows of later updates, and a row cut short by the process's end, are taken off.</param>
    public RunTable(string path, string header, long updates)
    {
        _file = FileSteps.OpenToAppend(path);
        try
        {
            long end = End(path, header, updates);
            _file.SetLength(end);
            _file.Seek(end, SeekOrigin.Begin);
            if (end == 0)
                Append(header);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Appends a row and hands it to the operating system.</summary>
    public void Append(string row)
    {
        FileSteps.Write(_file, Encoding.UTF8.GetBytes(row + "\n"));
        _file.Flush();
    }

    /// <summary>Puts every row on disk: a checkpoint must not be newer than the rows before it.</summary>
    public void FlushToDisk() => FileSteps.Flush(_file);

    public void Dispose() => _file.Dispose();

    /// <summary>A number as it stands in a table; empty where it is not known.</summary>
    public static string Text(double value) => double.IsNaN(value) ? string.Empty : value.ToString("R", CultureInfo.InvariantCulture);

    private long End(string path, string header, long updates)
    {
        byte[] bytes = new byte[_file.Length];
        _file.ReadExactly(bytes);
        int end = 0;
        for (int line = 0; ; line++)
        {
            int length = bytes.AsSpan(end).IndexOf((byte)'\n');
            if (length < 0)
                return end;
            string text = Encoding.UTF8.GetString(bytes, end, length);
            if (line == 0 && text != header)
                throw new RunFolderException(path, $"starts with '{text[..Math.Min(200, text.Length)]}', expected '{header}'");
            if (line > 0
                && !(long.TryParse(text.Split(',', 2)[0], NumberStyles.None, CultureInfo.InvariantCulture, out long at) && at <= updates))
                return end;
            end += length + 1;
        }
    }
}
