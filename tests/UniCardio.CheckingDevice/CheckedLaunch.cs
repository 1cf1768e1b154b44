using System.Reflection;
using ILGPU;

namespace UniCardio.CheckingDevice;

/// <summary>How thoroughly launches are checked.</summary>
public enum CheckDepth
{
    /// <summary>Every launch runs once, the thread order changing from launch to launch: for long runs.</summary>
    Single,

    /// <summary>Every launch runs under four combinations of order and poison that must agree to the bit.</summary>
    Full,
}

/// <summary>One launch of a kernel with its checks.</summary>
internal sealed class CheckedLaunch(CheckedKernel kernel, Index3D grid, Index3D dimension, object?[] arguments, int sharedLimit)
{
    private const int OrderKinds = 3;

    // Thread order (0 ascending, 1 descending, 2 shuffled) and poison of each pass. The second differs from the first in
    // poison alone, so it tells reading of unwritten memory from a race.
    private static readonly (int Order, uint Poison)[] s_passes =
        [(0, CheckedMemory.PoisonA), (0, CheckedMemory.PoisonB), (1, CheckedMemory.PoisonA), (2, CheckedMemory.PoisonB)];

    public void Run(CheckDepth depth, int launchNumber)
    {
        CheckedMemory[] memories = [.. arguments.OfType<ICheckedView>().Select(v => v.Memory).OfType<CheckedMemory>().Distinct()];
        if (depth == CheckDepth.Single)
        {
            RunPass(launchNumber % OrderKinds, CheckedMemory.PoisonA, launchNumber);
            foreach (CheckedMemory memory in memories)
                memory.Learn(CheckedMemory.PoisonA);
            return;
        }

        uint[][] before = [.. memories.Select(m => m.Content.ToArray())];
        var after = new uint[s_passes.Length][][];
        for (int p = 0; p < s_passes.Length; p++)
        {
            for (int m = 0; m < memories.Length; m++)
            {
                before[m].CopyTo(memories[m].Content);
                memories[m].Poison(s_passes[p].Poison);
            }

            RunPass(s_passes[p].Order, s_passes[p].Poison, launchNumber);
            after[p] = [.. memories.Select(m => m.Content.ToArray())];
        }

        for (int m = 0; m < memories.Length; m++)
            Compare(memories[m], [.. after.Select(a => a[m])]);
    }

    // An unwritten word that holds each pass's own poison stays unwritten; all else must agree between passes.
    private void Compare(CheckedMemory memory, uint[][] passes)
    {
        for (int w = 0; w < memory.Words; w++)
        {
            bool untouched = !memory.IsWritten(w);
            for (int p = 0; untouched && p < passes.Length; p++)
                untouched = passes[p][w] == s_passes[p].Poison;
            if (untouched)
                continue;
            for (int p = 1; p < passes.Length; p++)
            {
                if (passes[p][w] != passes[0][w])
                    throw Differs(memory, w, p, passes);
            }

            memory.MarkWord(w);
        }

        passes[0].CopyTo(memory.Content);
        memory.Poison(CheckedMemory.PoisonA);
    }

    private KernelFault Differs(CheckedMemory memory, int word, int pass, uint[][] passes)
    {
        string what = pass == 1
            ? "changed with what was in memory that nobody wrote"
            : $"differs between threads in ascending and {(s_passes[pass].Order == 1 ? "descending" : "shuffled")} order: a barrier is missing or two threads write it";
        float one = BitConverter.UInt32BitsToSingle(passes[0][word]), other = BitConverter.UInt32BitsToSingle(passes[pass][word]);
        return new KernelFault(pass == 1 ? FaultKind.Uninitialised : FaultKind.Race, $"{kernel.Name}: 4-byte word {word} of {memory.Name} {what} ({one} and {other})");
    }

    private void RunPass(int orderKind, uint poison, int seed)
    {
        int count = checked((int)dimension.Size), groups = checked((int)grid.Size);
        using var group = new SimulatedGroup(kernel.Name, grid, dimension, sharedLimit);
        SimulatedThread[] threads = [.. Enumerable.Range(0, count).Select(i => new SimulatedThread(group, i))];
        int[] order = Order(count, orderKind, seed), groupOrder = Order(groups, orderKind, seed + 1);
        using GroupRunner runner = kernel.CreateRunner(arguments);
        try
        {
            foreach (int g in groupOrder)
            {
                group.Start(new Index3D(g % grid.X, g / grid.X % grid.Y, g / (grid.X * grid.Y)), poison);
                runner.Run(group, threads, order);
            }
        }
        finally
        {
            SimulatedThread.Current = null;
        }
    }

    private static int[] Order(int count, int kind, int seed)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        if (kind == 1)
            Array.Reverse(order);
        else if (kind == 2)
            new Random(seed).Shuffle(order);
        return order;
    }
}

/// <summary>A kernel ready to be launched.</summary>
internal sealed class CheckedKernel
{
    private readonly MethodInvoker _original;
    private readonly MethodInvoker? _coroutine;
    private readonly bool _withoutBarrier;

    public CheckedKernel(MethodInfo method)
    {
        if (!method.IsStatic)
            throw new KernelFault(FaultKind.Resources, $"{method.DeclaringType?.Name}.{method.Name} is not static, or a lambda");
        Name = method.DeclaringType?.Name ?? method.Name;
        _original = MethodInvoker.Create(method);
        (MethodInfo? coroutine, _withoutBarrier) = BarrierRewriter.Find(method);
        _coroutine = coroutine is null ? null : MethodInvoker.Create(coroutine);
    }

    public string Name { get; }

    public GroupRunner CreateRunner(object?[] arguments) => (_coroutine, _withoutBarrier) switch
    {
        (_, true) => new SequentialRunner(_original, arguments),
        ({ } coroutine, _) => new CoroutineRunner(coroutine, arguments),
        _ => new ThreadRunner(_original, arguments),
    };
}
