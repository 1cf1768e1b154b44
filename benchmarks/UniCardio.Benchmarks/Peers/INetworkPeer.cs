namespace UniCardio.Benchmarks.Peers;

/// <summary>Somebody else's run of the network, one plan.</summary>
internal interface INetworkPeer : IDisposable
{
    /// <summary>[W N, S] of the last call.</summary>
    float[] Prediction { get; }

    /// <summary>One network call, conditions included.</summary>
    void Call(int t);
}
