using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Streaming;

namespace UniCardio.Serving.Protocol;

/// <summary>The fixed words and numbers of the live protocol (PROTOCOL.md).</summary>
internal static class LiveProtocol
{
    /// <summary>Version of the protocol.</summary>
    public const int Version = 1;

    /// <summary>The WebSocket subprotocol.</summary>
    public const string Subprotocol = "unicardio.v1";

    /// <summary>Start of the subprotocol that carries a browser's token, followed by the token in base64url.</summary>
    public const string BearerSubprotocol = "unicardio.bearer.";

    /// <summary>Most characters of a patient's name.</summary>
    public const int MaxPatientLength = 64;

    /// <summary>Most characters of a message's <c>id</c>.</summary>
    public const int MaxIdLength = 64;

    /// <summary>Fastest replay, times real time.</summary>
    public const double FastestReplay = 100;

    /// <summary>
    /// Whether a text can name a patient: letters, digits, '-', '_' and '.', the first a letter or digit. Such names are safe as file
    /// names.
    /// </summary>
    /// <param name="name">The text.</param>
    public static bool IsPatient(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > MaxPatientLength || !char.IsAsciiLetterOrDigit(name[0]))
            return false;
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return false;
        }
        return true;
    }

    /// <summary>The protocol's word for where a sample comes from.</summary>
    public static string Name(Provenance provenance) => provenance switch
    {
        Provenance.Measured => "measured",
        Provenance.Bridged => "bridged",
        Provenance.Imputed => "imputed",
        Provenance.Denoised => "denoised",
        Provenance.Translated => "translated",
        _ => "no_signal",
    };

    /// <summary>The protocol's word for why nothing is shown; null if something is.</summary>
    public static string? Name(NoSignalReason reason) => reason switch
    {
        NoSignalReason.None => null,
        NoSignalReason.WarmingUp => "warming_up",
        NoSignalReason.NotRequested => "not_requested",
        NoSignalReason.NothingSupports => "nothing_supports",
        NoSignalReason.Overload => "overload",
        NoSignalReason.Pending => "pending",
        _ => "compute_failed",
    };

    /// <summary>The protocol's word for why input is no signal; null if it is one.</summary>
    public static string? Name(AbsenceReason reason) => reason switch
    {
        AbsenceReason.None => null,
        AbsenceReason.NoSensor => "no_sensor",
        AbsenceReason.Missing => "missing",
        AbsenceReason.Flat => "flat",
        AbsenceReason.Clipped => "clipped",
        AbsenceReason.Implausible => "implausible",
        _ => "muted",
    };

    /// <summary>The protocol's word for why a figure is not shown; null if it is.</summary>
    public static string? Name(VitalAbsence reason) => reason switch
    {
        VitalAbsence.None => null,
        VitalAbsence.WarmingUp => "warming_up",
        VitalAbsence.NoSignal => "no_signal",
        VitalAbsence.Flat => "flat",
        VitalAbsence.TooSmall => "too_small",
        VitalAbsence.LineOpen => "line_open",
        VitalAbsence.Flushed => "flushed",
        VitalAbsence.Damped => "damped",
        VitalAbsence.NoPulse => "no_pulse",
        VitalAbsence.NoLevel => "no_level",
        VitalAbsence.Unreadable => "unreadable",
        _ => "uncertain",
    };

    /// <summary>The protocol's words for why an index is low, in the order of their bits.</summary>
    public static IReadOnlyList<string> Reasons { get; } =
        ["missing", "flat", "clipped", "no_beats", "detectors_disagree", "noisy", "wandering", "implausible", "damped"];

    /// <summary>The names of a set's members, in slot order.</summary>
    public static string[] Names(ModalitySet set) => [.. set.Members().Select(m => m.Name())];
}
