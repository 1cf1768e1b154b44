namespace UniCardio.Streaming.Input;

/// <summary>What is known of an input sample.</summary>
[Flags]
internal enum SampleMarks : byte
{
    None = 0,

    /// <summary>A sample came for this place, if only as NaN.</summary>
    Received = 1,

    /// <summary>On a straight line over a short gap.</summary>
    Bridged = 2,

    /// <summary>In a flat stretch, as the samples after it have shown or as it was already known when it came.</summary>
    Flat = 4,

    /// <summary>Came with a value that no working sensor gives; its value is NaN here.</summary>
    Implausible = 8,

    /// <summary>In a flat stretch that was long enough before it.</summary>
    KnownFlat = 16,

    /// <summary>In a clipped stretch of the window looked at. Never stands in the ring.</summary>
    Clipped = 32,
}
