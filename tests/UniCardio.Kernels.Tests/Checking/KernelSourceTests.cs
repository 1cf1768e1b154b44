namespace UniCardio.Kernels.Tests.Checking;

/// <summary>The kernels' sources hold nothing that ILGPU rejects, as far as their text shows it.</summary>
public sealed class KernelSourceTests
{
    private static readonly IReadOnlySet<string> s_structs = TestKernels.Sources.SelectMany(s => KernelSourceRules.Structs(s.Text)).ToHashSet(StringComparer.Ordinal);

    public static TheoryData<string> Bad =>
    [
        "Func<int, int> f = i => i;",
        "int Twice(int i) => 2 * i; y[0] = Twice(1);",
        "throw new Exception();",
        "y[0] = i > 0 ? 1 : throw null;",
        "try { y[0] = 1; } finally { y[1] = 1; }",
        "int* p = stackalloc int[4];",
        "ReadOnlySpan<float> t = new float[4];",
        "System.Half h = (System.Half)1; Half g = h;",
        "Vector4 v = default;",
        "y[0] = Math.Clamp(i, 0, 1);",
        "y[0] = MathF.FusedMultiplyAdd(1, 2, 3);",
        "Console.WriteLine();",
        "var s = \"text\";",
        "var s = $\"{i}\";",
        "float[] a = new float[i];",
        "var o = new Other();",
        "foreach (float f in y) { }",
        "y[0] = Warp.Shuffle(1, 2);",
        "var v = SharedMemory.GetDynamic<float>();",
        "float[] a = [1, 2];",
        "object o = null;",
    ];

    public static TheoryData<string> BadMembers =>
    [
        "private static float[] s_table = new float[4];",
        "private static readonly float[] s_table = new float[4];",
        "private static int s_count;",
        "public static int Count { get; set; } = 3;",
    ];

    [Fact]
    public void SourcesHoldNothingRejected()
    {
        Assert.NotEmpty(TestKernels.Sources);
        Assert.Empty(TestKernels.Sources.SelectMany(s => KernelSourceRules.Offences(s.Text, s_structs).Select(o => $"{s.Name} {o}")));
    }

    [Fact]
    public void EveryKernelStandsInAFileOfItsOwn()
    {
        string[] files = [.. TestKernels.Sources.Select(s => s.Name).Where(n => n.EndsWith("Kernel.cs", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        string[] kernels = [.. KernelCatalog.All.Select(k => k.Name.Split('-')[0] + ".cs").Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(kernels, files);
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void OffenceIsRefused(string statement)
    {
        string source = $"public static class K {{ public static void Run(ArrayView<float> y, int i) {{ {statement} }} }}";
        Assert.NotEmpty(KernelSourceRules.Offences(source, s_structs));
    }

    [Theory]
    [MemberData(nameof(BadMembers))]
    public void OffendingMemberIsRefused(string member) =>
        Assert.NotEmpty(KernelSourceRules.Offences($"public static class K {{ {member} }}", s_structs));

    [Theory]
    [InlineData("Float4 v = new Float4(1, 2, 3, 4); y[0] = v.X;")]
    [InlineData("float[] a = new float[4]; a[i] = 1;")]
    [InlineData("Group.Barrier();")]
    public void AcceptedCodePasses(string statement) =>
        Assert.Empty(KernelSourceRules.Offences($"public static class K {{ private static readonly float s_one = 1; public static void Run(ArrayView<float> y, int i) {{ {statement} }} }}", s_structs));
}
