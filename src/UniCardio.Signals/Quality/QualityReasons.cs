namespace UniCardio.Signals.Quality;

/// <summary>Why a second of a signal is not good; several may hold. Research software, not a medical device.</summary>
[Flags]
public enum QualityReasons
{
    /// <summary>Nothing is wrong.</summary>
    None = 0,

    /// <summary>More than a fifth of the last ten seconds is missing.</summary>
    Missing = 1,

    /// <summary>It did not move for a second or more.</summary>
    Flat = 2,

    /// <summary>It stood at an end of its range.</summary>
    Clipped = 4,

    /// <summary>No beats were found.</summary>
    NoBeats = 8,

    /// <summary>Two detectors do not agree on the beats.</summary>
    DetectorsDisagree = 16,

    /// <summary>Beats are not alike: noise or motion.</summary>
    Noisy = 32,

    /// <summary>The baseline moves more than the beats.</summary>
    Wandering = 64,

    /// <summary>A pressure that no artery has.</summary>
    Implausible = 128,

    /// <summary>A pressure whose pulses are much smaller than they were: a damped line or a weak pulse.</summary>
    Damped = 256,
}
