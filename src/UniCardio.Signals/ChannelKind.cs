namespace UniCardio.Signals;

/// <summary>What a channel measures, as far as UniCardio is concerned.</summary>
public enum ChannelKind
{
    /// <summary>Anything that is not one of the three below, or that cannot be told from name and unit.</summary>
    Other,

    /// <summary>Photoplethysmogram (pulse oximeter wave).</summary>
    Ppg,

    /// <summary>Arterial blood pressure wave.</summary>
    BloodPressure,

    /// <summary>Electrocardiogram, any lead.</summary>
    Ecg,
}
