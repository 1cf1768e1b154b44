namespace UniCardio.Engine.Model;

/// <summary>
/// Which tokens of a slot that it may read a query sees: those near its own place, and the slot's first tokens, which see and are
/// seen by all. The default is every token, which is UniCardio; with a window and global tokens it is the sparse pattern of
/// QualityFM (arXiv 2509.06516), taken slot by slot.
/// </summary>
/// <remarks>
/// An option of the backends that have it, not of the model: no published weights were made with a window, so no weight file names
/// one, and weights made without it give other results under it.
/// </remarks>
public readonly record struct AttentionPattern
{
    /// <summary>A query sees the tokens at most this far from its own place; null for all. 0 is its own place alone.</summary>
    public int? Window { get; init; }

    /// <summary>The first tokens of each slot that see, and are seen by, every token that the slot rule allows.</summary>
    public int GlobalTokens { get; init; }

    /// <summary>Whether every token sees every other.</summary>
    public bool IsDense => Window is null;

    /// <summary>Whether a query sees a key, each by its place within its slot.</summary>
    public bool Sees(int query, int key) => Window is not int w || query < GlobalTokens || key < GlobalTokens || Math.Abs(query - key) <= w;

    /// <summary>Checks the numbers.</summary>
    /// <returns>This pattern.</returns>
    /// <exception cref="ConfigurationException">One is negative; it is named.</exception>
    public AttentionPattern Validate()
    {
        if (Window < 0)
            throw new ConfigurationException("window", $"{Window} tokens; expected 0 or more, or none");
        if (GlobalTokens < 0)
            throw new ConfigurationException("global_tokens", $"{GlobalTokens}; expected 0 or more");
        return this;
    }
}
