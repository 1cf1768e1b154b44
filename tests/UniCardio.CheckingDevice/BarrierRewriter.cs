using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace UniCardio.CheckingDevice;

/// <summary>
/// Makes coroutines of kernels: the same source compiled once more with every barrier turned into a yield, so that a simulated
/// thread costs an enumerator instead of an OS thread.
/// </summary>
/// <remarks>
/// A method that reaches a barrier returns void and is called as a statement of its own; that is the only shape rewritten, and
/// another one does not compile. Types that are not among the sources come from the assembly under test.
/// </remarks>
public static class BarrierRewriter
{
    private static readonly ConcurrentDictionary<Assembly, (Assembly? Coroutines, HashSet<string> Barriers)> s_known = new();

    // Off: every kernel runs on OS threads, as the compiler made it.
    private static readonly AsyncLocal<bool> s_disabled = new();

    /// <summary>Set to run kernels as the compiler made them, an OS thread a simulated thread.</summary>
    public static bool Disabled
    {
        get => s_disabled.Value;
        set => s_disabled.Value = value;
    }

    /// <summary>Compiles coroutines of an assembly's kernels.</summary>
    /// <param name="assembly">The assembly that holds the kernels as the compiler made them.</param>
    /// <param name="sources">Text of every file that holds kernels and the functions they call with barriers in them.</param>
    public static void Register(Assembly assembly, IReadOnlyList<string> sources)
    {
        s_known.GetOrAdd(assembly, a =>
        {
            var options = new CSharpParseOptions(LanguageVersion.Preview);
            SyntaxNode[] roots = [.. sources.Select(s => CSharpSyntaxTree.ParseText(s, options).GetRoot())];
            HashSet<string> barriers = Closure(roots);
            var rewriter = new Rewriter(barriers);
            SyntaxTree[] trees = [.. roots.Select(r => CSharpSyntaxTree.Create((CSharpSyntaxNode)rewriter.Visit(r), options)), CSharpSyntaxTree.ParseText("global using System; global using System.Collections.Generic;", options)];
            IEnumerable<MetadataReference> references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
                .Split(Path.PathSeparator)
                .Append(a.Location)
                .Distinct()
                .Select(path => MetadataReference.CreateFromFile(path));
            var compilation = CSharpCompilation.Create(
                a.GetName().Name + ".Coroutines",
                trees,
                references,
                new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true));
            using var image = new MemoryStream();
            Microsoft.CodeAnalysis.Emit.EmitResult result = compilation.Emit(image);
            if (!result.Success)
                throw new InvalidOperationException("kernels do not compile as coroutines:\n" + string.Join('\n', result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Take(20)));
            return (Assembly.Load(image.ToArray()), barriers);
        });
    }

    // The coroutine of a kernel, if there is one, and whether the kernel is known to reach no barrier.
    internal static (MethodInfo? Coroutine, bool WithoutBarrier) Find(MethodInfo method)
    {
        Type type = method.DeclaringType!;
        if (Disabled || !s_known.TryGetValue(type.Assembly, out (Assembly? Coroutines, HashSet<string> Barriers) known))
            return (null, false);
        if (!known.Barriers.Contains($"{PlainName(type.Name)}.{method.Name}"))
            return (null, known.Coroutines?.GetType(type.FullName!.Split('[')[0]) is not null);
        Type twin = known.Coroutines!.GetType(type.FullName!.Split('[')[0], throwOnError: true)!;
        if (type.IsGenericType)
            twin = twin.MakeGenericType(type.GetGenericArguments());
        MethodInfo found = twin.GetMethod(method.Name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!;
        return (method.IsGenericMethod ? found.MakeGenericMethod(method.GetGenericArguments()) : found, false);
    }

    private static string PlainName(string name) => name.Split('`')[0];

    private static string Key(MethodDeclarationSyntax method) => $"{((TypeDeclarationSyntax)method.Parent!).Identifier.Text}.{method.Identifier.Text}";

    // The names "Class.Method" that a call may mean: written with its class, or a method of the caller's own class.
    private static string CallKey(InvocationExpressionSyntax call)
    {
        static string Name(SimpleNameSyntax name) => name.Identifier.Text;
        if (call.Expression is MemberAccessExpressionSyntax { Expression: SimpleNameSyntax type } member)
            return $"{Name(type)}.{Name(member.Name)}";
        string own = call.FirstAncestorOrSelf<TypeDeclarationSyntax>()?.Identifier.Text ?? "";
        return call.Expression is SimpleNameSyntax simple ? $"{own}.{Name(simple)}" : "";
    }

    private static HashSet<string> Closure(SyntaxNode[] roots)
    {
        var calls = new Dictionary<string, HashSet<string>>();
        foreach (MethodDeclarationSyntax method in roots.SelectMany(r => r.DescendantNodes().OfType<MethodDeclarationSyntax>()))
        {
            if (!calls.TryGetValue(Key(method), out HashSet<string>? called))
                calls[Key(method)] = called = [];
            called.UnionWith(method.DescendantNodes().OfType<InvocationExpressionSyntax>().Select(CallKey));
        }

        var reached = new HashSet<string> { "Group.Barrier" };
        while (calls.Any(c => !reached.Contains(c.Key) && c.Value.Overlaps(reached)))
            reached.UnionWith(calls.Where(c => c.Value.Overlaps(reached)).Select(c => c.Key).ToArray());
        return reached;
    }

    private sealed class Rewriter(HashSet<string> barriers) : CSharpSyntaxRewriter
    {
        public override SyntaxNode? VisitMethodDeclaration(MethodDeclarationSyntax node)
        {
            if (!barriers.Contains(Key(node)))
                return base.VisitMethodDeclaration(node);
            var body = (MethodDeclarationSyntax)base.VisitMethodDeclaration(node)!;
            return body.WithReturnType(SyntaxFactory.ParseTypeName("IEnumerator<int> ").WithLeadingTrivia(SyntaxFactory.Space));
        }

        public override SyntaxNode? VisitExpressionStatement(ExpressionStatementSyntax node)
        {
            if (node.Expression is not InvocationExpressionSyntax call || !barriers.Contains(CallKey(call)))
                return base.VisitExpressionStatement(node);
            int line = node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
            string text = CallKey(call) == "Group.Barrier"
                ? $"yield return {line};"
                : $"{{ IEnumerator<int> reached = {call}; while (reached.MoveNext()) yield return reached.Current; }}";
            return SyntaxFactory.ParseStatement(text).WithTriviaFrom(node);
        }

        public override SyntaxNode? VisitReturnStatement(ReturnStatementSyntax node) =>
            node.Expression is null && node.FirstAncestorOrSelf<MethodDeclarationSyntax>() is { } method && barriers.Contains(Key(method))
                ? SyntaxFactory.ParseStatement("yield break;").WithTriviaFrom(node)
                : base.VisitReturnStatement(node);
    }
}
