using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace UniCardio.Kernels.Tests.Checking;

/// <summary>What ILGPU's compiler rejects, or what is not portable to every device, found in a kernel's source text.</summary>
internal static class KernelSourceRules
{
    private static readonly string[] s_types =
        ["Half", "Vector2", "Vector3", "Vector4", "Span", "ReadOnlySpan", "Console", "Math", "Warp", "Atomic", "Random", "string", "object", "dynamic", "decimal", "List", "Dictionary", "Task"];

    private static readonly string[] s_members = ["FusedMultiplyAdd", "Clamp", "GetDynamic", "Broadcast", "BarrierPopCount", "BarrierAnd", "BarrierOr", "WarpSize", "ToString", "Length64"];

    private static readonly string[] s_scalars = ["int", "uint", "long", "ulong", "float", "double", "bool", "byte", "short", "ushort", "sbyte", "char"];

    /// <summary>One line for each offence: line number and what it is.</summary>
    /// <param name="source">The text.</param>
    /// <param name="structs">Names of structs that a kernel may create.</param>
    public static IReadOnlyList<string> Offences(string source, IReadOnlySet<string> structs)
    {
        SyntaxTree tree = CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Preview));
        var found = new List<string>();
        foreach (Diagnostic error in tree.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error))
            found.Add($"{error.Location.GetLineSpan().StartLinePosition.Line + 1}: {error.GetMessage()}");
        foreach (SyntaxNode node in tree.GetRoot().DescendantNodes())
        {
            if (Reason(node, structs) is { } reason)
                found.Add($"{node.GetLocation().GetLineSpan().StartLinePosition.Line + 1}: {reason}");
        }

        return found;
    }

    /// <summary>Names of the structs that a text declares.</summary>
    public static IEnumerable<string> Structs(string source) =>
        CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Preview)).GetRoot().DescendantNodes().OfType<StructDeclarationSyntax>().Select(s => s.Identifier.Text);

    private static string? Reason(SyntaxNode node, IReadOnlySet<string> structs) => node switch
    {
        AnonymousFunctionExpressionSyntax => "a lambda or anonymous method",
        LocalFunctionStatementSyntax local when !local.Modifiers.Any(SyntaxKind.StaticKeyword) => "a local function that may capture",
        ThrowStatementSyntax or ThrowExpressionSyntax => "throw",
        TryStatementSyntax => "try",
        StackAllocArrayCreationExpressionSyntax or ImplicitStackAllocArrayCreationExpressionSyntax => "stackalloc",
        CommonForEachStatementSyntax => "foreach",
        LockStatementSyntax or UsingStatementSyntax or YieldStatementSyntax or AwaitExpressionSyntax => "a statement with hidden code",
        LiteralExpressionSyntax literal when literal.IsKind(SyntaxKind.StringLiteralExpression) => "a string",
        InterpolatedStringExpressionSyntax => "a string",
        FieldDeclarationSyntax field when field.Modifiers.Any(SyntaxKind.StaticKeyword) => StaticField(field),
        PropertyDeclarationSyntax property when property.Modifiers.Any(SyntaxKind.StaticKeyword) && property.Initializer is not null => "a static property with storage",
        ClassDeclarationSyntax type when !type.Modifiers.Any(SyntaxKind.StaticKeyword) => "a class that can have instances",
        ArrayCreationExpressionSyntax array when !array.Type.RankSpecifiers.All(r => r.Sizes.All(s => s is LiteralExpressionSyntax)) => "an array whose length is not a constant",
        ObjectCreationExpressionSyntax creation when !structs.Contains(creation.Type.ToString()) => $"new {creation.Type}, which is no struct of the kernels",
        AttributeSyntax attribute when attribute.Name.ToString().Contains("InlineArray", StringComparison.Ordinal) => "InlineArray",
        InvocationExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "Barrier" } } => "a barrier that is not written Group.Barrier()",
        InvocationExpressionSyntax call when call.Expression.ToString() == "Group.Barrier" && call.Parent is not ExpressionStatementSyntax => "a barrier within an expression",
        SimpleNameSyntax name when s_types.Contains(name.Identifier.Text) && IsUsed(name) => name.Identifier.Text,
        PredefinedTypeSyntax type when type.Keyword.Text is "string" or "object" or "decimal" => type.Keyword.Text,
        SimpleNameSyntax name when name.Parent is MemberAccessExpressionSyntax && s_members.Contains(name.Identifier.Text) => name.Identifier.Text,
        _ => null,
    };

    // A scalar that never changes is a constant to the compiler; an array or a variable is not.
    private static string? StaticField(FieldDeclarationSyntax field)
    {
        if (!field.Modifiers.Any(SyntaxKind.ReadOnlyKeyword))
            return "a static that can change";
        return s_scalars.Contains(field.Declaration.Type.ToString()) ? null : "a static array or object";
    }

    // Not the name of a namespace in a using, nor a declaration's own.
    private static bool IsUsed(SimpleNameSyntax name) => name.FirstAncestorOrSelf<UsingDirectiveSyntax>() is null && name.FirstAncestorOrSelf<NamespaceDeclarationSyntax>() is null
        && name.Parent is not QualifiedNameSyntax;
}
