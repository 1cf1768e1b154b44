namespace UniCardio.Engine.Sessions;

/// <summary>
/// What is freed with the last of those that use it: an engine with its last session, a backend with its last executor. Safe to use from
/// several threads.
/// </summary>
/// <param name="free">Frees it; called once, outside of the lock.</param>
internal sealed class SharedLifetime(Action free)
{
    private readonly Lock _lock = new();
    private int _users;
    private bool _ended;

    /// <summary>Makes a user, which calls <see cref="Release"/> when it is done.</summary>
    /// <param name="owner">Named in the exception.</param>
    /// <param name="make">Makes it; what it throws takes the user back.</param>
    /// <exception cref="ObjectDisposedException">It has ended.</exception>
    public T Use<T>(object owner, Func<T> make)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_ended, owner);
            _users++;
        }

        try
        {
            return make();
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>A user is done.</summary>
    public void Release()
    {
        lock (_lock)
        {
            if (--_users > 0 || !_ended)
                return;
        }

        free();
    }

    /// <summary>Refuses new users; frees at once or with the last of them.</summary>
    public void End()
    {
        lock (_lock)
        {
            if (_ended)
                return;
            _ended = true;
            if (_users > 0)
                return;
        }

        free();
    }
}
