namespace UniCardio.Ptx.Text;

/// <summary>PTX text that cannot be taken: not the language, against its rules, or a form that this library does not know.</summary>
internal sealed class PtxException : Exception
{
    /// <summary>An error in a line of the text.</summary>
    /// <param name="line">The line, from 1 on.</param>
    /// <param name="message">What is wrong and what was expected.</param>
    public PtxException(int line, string message)
        : base($"PTX line {line}: {message}")
    {
        Line = line;
    }

    /// <summary>The line, from 1 on.</summary>
    public int Line { get; }
}
