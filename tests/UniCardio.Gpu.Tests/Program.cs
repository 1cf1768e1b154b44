using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace UniCardio.Gpu.Tests;

/// <summary>Runs the tests without an SDK, for a GPU machine that has none: <c>UniCardio.Gpu.Tests [PART OF A NAME...]</c>.</summary>
internal static class Program
{
    private static int Main(string[] parts)
    {
        using var framework = new XunitTestFramework(new Sink(_ => { }));
        var assembly = Assembly.GetExecutingAssembly();
        var options = new Options();
        using ITestFrameworkDiscoverer discoverer = framework.GetDiscoverer(Reflector.Wrap(assembly));
        var found = new List<ITestCase>();
        using var discovered = new ManualResetEvent(false);
        discoverer.Find(includeSourceInformation: false, new Sink(message =>
        {
            if (message is ITestCaseDiscoveryMessage one && (parts.Length == 0 || parts.Any(p => one.TestCase.DisplayName.Contains(p,
                StringComparison.Ordinal))))
                found.Add(one.TestCase);
            else if (message is IDiscoveryCompleteMessage)
                discovered.Set();
        }), options);
        discovered.WaitOne();
        int passed = 0, failed = 0, skipped = 0;
        using var finished = new ManualResetEvent(false);
        using ITestFrameworkExecutor executor = framework.GetExecutor(assembly.GetName());
        executor.RunTests(found, new Sink(message =>
        {
            switch (message)
            {
                // Xunit.SkippableFact turns its exception into a skip before it arrives here.
                case ITestPassed:
                    passed++;
                    break;
                case ITestSkipped skip:
                    skipped++;
                    Console.WriteLine($"skipped {skip.Test.DisplayName}: {skip.Reason}");
                    break;
                case ITestFailed failure:
                    failed++;
                    Console.WriteLine($"FAILED {failure.Test.DisplayName}: {string.Join(" | ", failure.Messages)}");
                    break;
                case ITestAssemblyFinished:
                    finished.Set();
                    break;
            }
        }), options);
        finished.WaitOne();
        Console.WriteLine($"{passed} passed, {failed} failed, {skipped} skipped");
        return failed > 0 || passed == 0 ? 1 : 0;
    }

    private sealed class Sink(Action<IMessageSinkMessage> take) : LongLivedMarshalByRefObject, IMessageSink
    {
        private readonly Lock _lock = new();

        public bool OnMessage(IMessageSinkMessage message)
        {
            lock (_lock)
                take(message);
            return true;
        }
    }

    // The framework's defaults, but for parallel collections: the device is the process's.
    private sealed class Options : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> _values = new() { ["xunit.execution.DisableParallelization"] = true };

        public TValue GetValue<TValue>(string name) => _values.GetValueOrDefault(name) is TValue value ? value : default!;

        public void SetValue<TValue>(string name, TValue value) => _values[name] = value;
    }
}
