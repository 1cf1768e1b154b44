using System.Runtime.CompilerServices;

namespace UniCardio.Engine.Reference;

/// <summary>Checks the lengths of spans at the door of an op.</summary>
internal static class ReferenceShape
{
    /// <summary>Throws unless a span holds what its shape says.</summary>
    /// <exception cref="ArgumentException">It does not; the message names argument, shape and length.</exception>
    public static void Expect(int length, long expected, string shape, string argument)
    {
        if (length != expected)
            throw new ArgumentException($"{argument} has {length} elements, its shape {shape} {expected}", argument);
    }

    /// <summary>Number of whole rows in a span.</summary>
    /// <exception cref="ArgumentException">The length is not a multiple of the row's.</exception>
    public static int Rows(int length, int columns, [CallerArgumentExpression(nameof(length))] string argument = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if (length % columns != 0)
            throw new ArgumentException($"{argument} has {length} elements, which is not a whole number of rows of {columns}", argument);
        return length / columns;
    }
}
