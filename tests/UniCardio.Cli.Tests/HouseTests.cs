using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace UniCardio.Cli.Tests;

/// <summary>What CONTRIBUTING.md says of names, sizes and signatures, over every file and every assembly of the project.</summary>
public sealed partial class HouseTests
{
    // Left as they are, each with its reason; a file may only shrink.
    private static readonly Dictionary<string, int> LongFiles = new()
    {
        // One automaton over one state.
        ["src/UniCardio.Signals/Beats/BeatTracker.cs"] = 640,
        // A case a line of the standard.
        ["tests/UniCardio.Signals.Tests/Formats/WfdbFormatTests.cs"] = 490,
    };

    // Kernels take pointers, strides and counts one by one. On the CPU: the JIT keeps the fields of a structure in registers only up to
    // four, and reloads the others from the stack in inner loops. On the GPU: the compiler passes a structure as one block of bytes, while
    // the profiler and the simulator name buffers by parameter.
    private static readonly string[] Kernels =
    [
        "UniCardio.Engine.Backends.Cpu.Kernels", "UniCardio.Training.Kernels", "UniCardio.Gpu.Kernels", "UniCardio.Gpu.Backend",
        "UniCardio.Gpu.Emission",
    ];

    private static readonly string[] Wide =
    [
        // These only hand their arguments to such a kernel.
        "UniCardio.Training.Network.TrainingPass`2.Linear", "UniCardio.Training.Network.TrainingPass`2.Product",
        "UniCardio.Engine.Backends.Cpu.Quality.QualityPass`",
        // The one list of a block's ten matrices.
        "UniCardio.Engine.Model.BlockWeights`1..ctor",
    ];

    // PTX of tensor-core kernels, written out, is as long and as wide as it is.
    private static bool IsPtx(string file) => file.StartsWith("kernels/UniCardio.Gpu/", StringComparison.Ordinal)
        && file.EndsWith("Text.cs", StringComparison.Ordinal);

    private static IEnumerable<string> Files => new[] { "src", "kernels", "tools", "tests", "benchmarks" }
        .SelectMany(room => Directory.EnumerateFiles(Project.File(room), "*.cs", SearchOption.AllDirectories))
        .Select(path => Path.GetRelativePath(Project.Root, path).Replace('\\', '/'))
        .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal));

    private static IEnumerable<Assembly> Assemblies => Directory.EnumerateFiles(AppContext.BaseDirectory, "UniCardio.*.dll")
        .Where(path => !path.EndsWith(".Tests.dll", StringComparison.Ordinal))
        .Select(Assembly.LoadFrom)
        .Append(typeof(Terminal).Assembly);

    private static IEnumerable<Type> Types => Assemblies.SelectMany(a => a.GetTypes())
        .Where(t => !t.IsDefined(typeof(CompilerGeneratedAttribute)) && t.Namespace?.StartsWith("UniCardio",
            StringComparison.Ordinal) == true
            && !t.Namespace.EndsWith(".Grpc", StringComparison.Ordinal));

    private static IEnumerable<MethodBase> Methods => Types.SelectMany(t => t.GetMembers(
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
        .OfType<MethodBase>()
        .Where(m => !m.IsDefined(typeof(CompilerGeneratedAttribute)) || m.Name.Contains("g__", StringComparison.Ordinal));

    [Fact]
    public void LinesFitAScreen() => None(Files.Where(f => !IsPtx(f)).SelectMany(Long));

    [Fact]
    public void FilesAreShort() =>
        None(Files.Where(f => !IsPtx(f) && File.ReadLines(Project.File(f)).Count() > LongFiles.GetValueOrDefault(f, MaxLines)));

    /// <summary>AtomicFile writes every file that is read again; a compiler's output and a lock are no such files.</summary>
    [Fact]
    public void FilesAreWrittenByOnePiece() => None(Files.Where(f => !f.StartsWith("tests/", StringComparison.Ordinal)
            && !f.StartsWith("benchmarks/", StringComparison.Ordinal) && !f.StartsWith("src/UniCardio.Files/", StringComparison.Ordinal)
            && f is not ("kernels/UniCardio.Ptx.Cuda/DriverLibrary.cs" or "src/UniCardio.Training/Runs/RunFolder.cs"))
        .Where(f => WritingCall().IsMatch(File.ReadAllText(Project.File(f)))));

    [Fact]
    public void TestsAreNamedInOneStyle() => None(Files.Where(f => f.StartsWith("tests/", StringComparison.Ordinal))
        .SelectMany(f => UnderscoredTest().Matches(File.ReadAllText(Project.File(f))).Select(m => $"{f}: {m.Groups[1].Value}")));

    [Fact]
    public void NamespacesAreFolders() => None(Files.Where(f => !f.StartsWith("tests/Shared/", StringComparison.Ordinal))
        .Select(f => (File: f, Namespace: NamespaceLine().Match(File.ReadAllText(Project.File(f))).Groups[1].Value))
        .Where(x => x.Namespace.Length > 0 && x.Namespace != Folder(x.File))
        .Select(x => $"{x.File}: {x.Namespace}"));

    [Fact]
    public void MethodsTakeFewParameters() => None(Methods.Where(m => m.GetParameters().Length > MaxParameters)
        .Where(m => !Kernels.Contains(m.DeclaringType!.Namespace))
        .Select(m => $"{m.DeclaringType!.FullName}.{m.Name}: {m.GetParameters().Length}")
        .Where(name => !Wide.Any(w => name.StartsWith(w, StringComparison.Ordinal)))
        .Distinct());

    [Fact]
    public void BoundsAreMaxAndMin() => None(Types.Where(t => t.IsVisible)
        .SelectMany(t => t.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Select(m => $"{t.Name}.{m.Name}"))
        .Where(name => BoundName().IsMatch(name)));

    [Fact]
    public void ATokenHasOneName() => None(Methods
        .Where(m => !IsImplementation(m))
        .SelectMany(m => m.GetParameters().Where(p => p.ParameterType == typeof(CancellationToken) && p.Name is not null)
            .Where(p => p.Name is not ("cancellation" or "stopping" or "feeding"))
            .Select(p => $"{m.DeclaringType!.FullName}.{m.Name}({p.Name})"))
        .Distinct());

    // All of them in one message: they are mended in one go.
    private static void None(IEnumerable<string> faults)
    {
        string all = string.Join('\n', faults);
        if (all.Length > 0)
            Assert.Fail(all);
    }

    private const int MaxColumns = 140, MaxLines = 440, MaxParameters = 7;

    // Lines within a raw literal are what they say; so is PTX.
    private static IEnumerable<string> Long(string file)
    {
        int line = 0;
        bool isRaw = false;
        foreach (string text in File.ReadLines(Project.File(file)))
        {
            line++;
            bool turns = (text.Split("\"\"\"").Length - 1) % 2 == 1;
            if (text.Length > MaxColumns && !isRaw && !text.Contains("\"\"\"", StringComparison.Ordinal))
                yield return $"{file}:{line}";
            isRaw ^= turns;
        }
    }

    private static string Folder(string file)
    {
        string[] parts = file.Split('/');
        return string.Join('.', parts[1..^1]);
    }

    // Parameters of an override and of an implementation are named where they are declared.
    private static bool IsImplementation(MethodBase method) => method is MethodInfo { IsVirtual: true };

    [GeneratedRegex(@"\bFile\.(Create|WriteAll|AppendAll|AppendText|OpenWrite|Move|Replace|Copy)"
        + @"|FileMode\.(Create|Append|OpenOrCreate|Truncate)|new StreamWriter\(")]
    private static partial Regex WritingCall();

    [GeneratedRegex(@"^ +public (?:async )?(?:void|Task|Property|bool) (\w+_\w+)\(", RegexOptions.Multiline)]
    private static partial Regex UnderscoredTest();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"\.(get_)?(Most|Least|Largest|Longest|Smallest|Shortest|Highest|Lowest|Fewest)[A-Z]")]
    private static partial Regex BoundName();
}
