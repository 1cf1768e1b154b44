using UniCardio.Files;
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
        string[] paths = List(folder);
        for (int i = 0; i < paths.Length; i++)
        {
            string patient = Path.GetFileNameWithoutExtension(paths[i]);
            if (!LiveProtocol.IsPatient(patient))
                continue;
            try
            {
                _patients.Restore(patient, RegularFile.Read(paths[i], MaxBytes), served);
                LogRestored(_log);
            }
            catch (Exception problem) when (Fault.IsExpected(problem) || problem is FormatException)
            {
                // Which one it is may be said by its place alone: its name is the patient's.
                LogNotRestored(_log, i + 1, paths.Length, problem is FormatException ? problem.Message : Fault.Kind(problem));
            }
        }
    }

    /// <summary>Begins to write checkpoints.</summary>
    public void Start()
    {
        if (_options.Checkpoints is not null && !_stopping.IsCancellationRequested)
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

    private string[] List(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return [.. Directory.EnumerateFiles(folder, "*" + Extension).Order(StringComparer.Ordinal)];
        }
        catch (Exception problem) when (Fault.IsExpected(problem))
        {
            LogNoFolder(_log, Fault.Kind(problem));
            return [];
        }
    }

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
#pragma warning disable CA1031 // A session whose state cannot be kept must not keep the others from being kept.
            catch (Exception problem)
#pragma warning restore CA1031
            {
                LogNotWritten(_log, session.Number, Fault.IsExpected(problem) ? Fault.Kind(problem) : Fault.Describe(problem));
            }
        }
    }

    private void Write(Patient patient, LiveSession session, byte[] checkpoint)
    {
        lock (_files)
        {
            if (patient.Session != session)
                return;
            AtomicFile.Write(PathOf(patient), checkpoint);
        }
    }

    private void Forget(Patient patient, LiveSession session, string reason)
    {
        if (_options.Checkpoints is null || !session.Source.IsDevice || _stopping.IsCancellationRequested)
            return;
        lock (_files)
        {
            if (patient.Session is not null)
                return;
            try
            {
                FileSteps.Delete(PathOf(patient));
            }
            catch (DirectoryNotFoundException)
            {
                // With its folder the file has gone too.
            }
            catch (Exception problem) when (Fault.IsExpected(problem))
            {
                LogNotDeleted(_log, session.Number, Fault.Kind(problem));
            }
        }
    }

    private string PathOf(Patient patient) => Path.Combine(_options.Checkpoints!, patient.Name + Extension);

    [LoggerMessage(30, LogLevel.Information, "A session continues from its checkpoint")]
    private static partial void LogRestored(ILogger log);

    [LoggerMessage(31, LogLevel.Warning, "Checkpoint {Place} of {Count}, in order of names, was not restored: {Problem}")]
    private static partial void LogNotRestored(ILogger log, int place, int count, string problem);

    [LoggerMessage(32, LogLevel.Warning, "The checkpoint of session {Session} was not written: {Problem}")]
    private static partial void LogNotWritten(ILogger log, long session, string problem);

    [LoggerMessage(33, LogLevel.Error, "The checkpoint of session {Session}, which has ended, was not deleted: {Problem}")]
    private static partial void LogNotDeleted(ILogger log, long session, string problem);

    [LoggerMessage(34, LogLevel.Error, "No checkpoint is restored, for the folder of them cannot be read: {Problem}")]
    private static partial void LogNoFolder(ILogger log, string problem);
}
