using UniCardio.Serving.Hosting;
using UniCardio.Serving.Protocol;
using UniCardio.Streaming;

namespace UniCardio.Serving.Live;

/// <summary>
/// Keeps the sessions of devices over a restart: one file a patient, written beside and renamed, gone when the session ends. What a device
/// pushed since the last one it pushes again; samples that are there already are recognised.
/// </summary>
internal sealed partial class SessionKeeper : IDisposable
{
    private const string Extension = ".checkpoint";
    private const int MaxBytes = 64 << 20;

    private readonly ServerOptions _options;
    private readonly PatientRegistry _patients;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _files = new();
    private Task _running = Task.CompletedTask;

    public SessionKeeper(ServerOptions options, PatientRegistry patients, ILogger<SessionKeeper> log)
    {
        _options = options;
        _patients = patients;
        _log = log;
        patients.Ended += Forget;
    }

    /// <summary>Continues every session that was kept. What is no sound checkpoint is left where it is and logged.</summary>
    public void Restore(Served served)
    {
        if (_options.Checkpoints is not string folder)
            return;
        Directory.CreateDirectory(folder);
        foreach (string path in Directory.EnumerateFiles(folder, "*" + Extension).Order(StringComparer.Ordinal))
        {
            string patient = Path.GetFileNameWithoutExtension(path);
            if (!LiveProtocol.IsPatient(patient))
                continue;
            try
            {
                if (new FileInfo(path).Length > MaxBytes)
                    throw new CheckpointException(0, $"it has more than {MaxBytes} bytes");
                _patients.Restore(patient, File.ReadAllBytes(path), served);
                LogRestored(_log);
            }
            catch (Exception problem) when (problem is Engine.UniCardioException or IOException or UnauthorizedAccessException)
            {
                LogNotRestored(_log, problem.Message);
            }
        }
    }

    /// <summary>Begins to write checkpoints.</summary>
    public void Start()
    {
        if (_options.Checkpoints is not null)
            _running = Task.Run(RunAsync);
    }

    /// <summary>Writes the last checkpoints; from now on ending a session leaves its file.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        if (_options.Checkpoints is not null)
            WriteAll();
    }

    public void Dispose() => _stopping.Dispose();

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(_options.CheckpointEvery);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
                WriteAll();
        }
        catch (OperationCanceledException)
        {
            // The last ones are written once nothing else writes.
        }
    }

    private void WriteAll()
    {
        foreach ((Patient patient, LiveSession session) in _patients.Sessions)
        {
            if (!session.Source.IsDevice)
                continue;
            try
            {
                Write(patient, session, session.Streaming.Checkpoint());
            }
            catch (SessionClosedException)
            {
                // It has just ended.
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                LogNotWritten(_log, session.Number, problem.Message);
            }
        }
    }

    private void Write(Patient patient, LiveSession session, byte[] checkpoint)
    {
        string path = PathOf(patient);
        lock (_files)
        {
            if (patient.Session != session)
                return;
            string beside = path + ".tmp";
            File.WriteAllBytes(beside, checkpoint);
            File.Move(beside, path, overwrite: true);
        }
    }

    private void Forget(Patient patient, LiveSession session, string reason)
    {
        if (_options.Checkpoints is null || !session.Source.IsDevice || _stopping.IsCancellationRequested)
            return;
        lock (_files)
        {
            if (patient.Session is null)
                File.Delete(PathOf(patient));
        }
    }

    private string PathOf(Patient patient) => Path.Combine(_options.Checkpoints!, patient.Name + Extension);

    [LoggerMessage(30, LogLevel.Information, "A session continues from its checkpoint")]
    private static partial void LogRestored(ILogger log);

    [LoggerMessage(31, LogLevel.Warning, "A checkpoint was not restored: {Problem}")]
    private static partial void LogNotRestored(ILogger log, string problem);

    [LoggerMessage(32, LogLevel.Warning, "The checkpoint of session {Session} was not written: {Problem}")]
    private static partial void LogNotWritten(ILogger log, long session, string problem);
}
