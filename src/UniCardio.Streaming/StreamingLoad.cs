namespace UniCardio.Streaming;

/// <summary>What a host's machine can do and is asked to do, measured over the last seconds.</summary>
/// <param name="Capacity">Evaluations of the network a second while it computes, every draw counted; 0 before the first.</param>
/// <param name="Demand">Evaluations a second that the hops of all sessions ask for, skipped ones included.</param>
/// <param name="BusyShare">Share of the time that it computes, 0 to 1.</param>
public readonly record struct StreamingLoad(double Capacity, double Demand, double BusyShare)
{
    /// <summary>Demand over capacity: above 1 hops are skipped. 0 before anything was computed.</summary>
    public double Share => Capacity > 0 ? Demand / Capacity : 0;
}
