using System.Reflection;
using System.Runtime.ExceptionServices;
using ILGPU;

namespace UniCardio.CheckingDevice;

/// <summary>Runs the threads of one group in a given order between barriers.</summary>
internal abstract class GroupRunner : IDisposable
{
    public abstract void Run(SimulatedGroup group, SimulatedThread[] threads, int[] order);

    public virtual void Dispose()
    {
    }

    // Waiting threads and ended threads must not mix, and all must wait at one barrier.
    protected static void CheckBarrier(SimulatedThread[] threads, int[] lines)
    {
        for (int i = 1; i < lines.Length; i++)
        {
            if (lines[i] == lines[0])
                continue;
            static string Place(int line) => line == Ended ? "ended" : $"waits at the barrier of line {line}";
            throw new KernelFault(FaultKind.Divergence, $"a thread {Place(lines[i])} while thread 0 {Place(lines[0])} [{threads[i].Describe()}]");
        }
    }

    protected const int Ended = -1;
}

/// <summary>For kernels without a barrier: one thread after the other.</summary>
internal sealed class SequentialRunner(MethodInvoker kernel, object?[] arguments) : GroupRunner
{
    public override void Run(SimulatedGroup group, SimulatedThread[] threads, int[] order)
    {
        foreach (int i in order)
        {
            SimulatedThread.Current = threads[i];
            threads[i].Start();
            kernel.Invoke(null, arguments.AsSpan());
        }

        SimulatedThread.Current = null;
    }
}

/// <summary>For kernels whose barriers were rewritten to yields: an enumerator a thread, resumed in turn.</summary>
internal sealed class CoroutineRunner(MethodInvoker kernel, object?[] arguments) : GroupRunner
{
    private IEnumerator<int>[] _threads = [];
    private int[] _lines = [];

    public override void Run(SimulatedGroup group, SimulatedThread[] threads, int[] order)
    {
        if (_threads.Length != threads.Length)
        {
            _threads = new IEnumerator<int>[threads.Length];
            _lines = new int[threads.Length];
        }

        for (int i = 0; i < threads.Length; i++)
        {
            threads[i].Start();
            _threads[i] = (IEnumerator<int>)kernel.Invoke(null, arguments.AsSpan())!;
        }

        do
        {
            foreach (int i in order)
            {
                SimulatedThread.Current = threads[i];
                _lines[i] = _threads[i].MoveNext() ? _threads[i].Current : Ended;
            }

            SimulatedThread.Current = null;
            CheckBarrier(threads, _lines);
        }
        while (_lines[0] != Ended);
    }
}

/// <summary>
/// For any kernel as the compiler made it: an OS thread a simulated thread, one of them running at a time. Slow (microseconds a
/// barrier and thread); it is the witness that the rewritten kernels behave like the originals.
/// </summary>
internal sealed class ThreadRunner(MethodInvoker kernel, object?[] arguments) : GroupRunner
{
    // Not a slim one: those spin before they wait, which dozens of threads taking turns must not.
    private readonly AutoResetEvent _back = new(false);
    private ExceptionDispatchInfo? _fault;
    private volatile bool _abandon;

    public override void Run(SimulatedGroup group, SimulatedThread[] threads, int[] order)
    {
        var go = new AutoResetEvent[threads.Length];
        int[] lines = new int[threads.Length];
        var workers = new Thread[threads.Length];
        for (int i = 0; i < threads.Length; i++)
        {
            int me = i;
            go[i] = new AutoResetEvent(false);
            threads[i].Start();
            threads[i].OnBarrier = line => Pass(go[me], lines, me, line);
            workers[i] = new Thread(() => Work(threads[me], go[me], lines, me), 256 * 1024) { IsBackground = true };
            workers[i].Start();
        }

        try
        {
            do
            {
                foreach (int i in order)
                {
                    go[i].Set();
                    _back.WaitOne();
                    _fault?.Throw();
                }

                CheckBarrier(threads, lines);
            }
            while (lines[0] != Ended);
        }
        finally
        {
            _abandon = true;
            foreach (AutoResetEvent s in go)
                s.Set();
            foreach (Thread worker in workers)
                worker.Join();
            foreach (AutoResetEvent s in go)
                s.Dispose();
            _abandon = false;
        }
    }

    public override void Dispose()
    {
        _back.Dispose();
        base.Dispose();
    }

    private void Work(SimulatedThread thread, AutoResetEvent go, int[] lines, int me)
    {
        go.WaitOne();
        if (_abandon)
            return;
        SimulatedThread.Current = thread;
        try
        {
            kernel.Invoke(null, arguments.AsSpan());
        }
        catch (Abandoned)
        {
            return;
        }
        catch (Exception e)
        {
            _fault = ExceptionDispatchInfo.Capture(e);
        }

        lines[me] = Ended;
        _back.Set();
    }

    private void Pass(AutoResetEvent go, int[] lines, int me, int line)
    {
        lines[me] = line;
        _back.Set();
        go.WaitOne();
        if (_abandon)
            throw new Abandoned();
    }

    private sealed class Abandoned : Exception;
}
