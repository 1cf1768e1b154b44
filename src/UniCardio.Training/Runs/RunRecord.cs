using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace UniCardio.Training.Runs;

/// <summary>What run.json says of a run.</summary>
/// <param name="Options">All options that the result depends on.</param>
/// <param name="TrainingData">Identity of the examples.</param>
/// <param name="ValidationData">Identity of the held-out examples.</param>
/// <param name="Start">What the weights started from: the initialisation, or a weight file's name and hash.</param>
/// <param name="CodeVersion">Version of the code that began the run.</param>
public sealed record RunRecord(TrainingOptions Options, string TrainingData, string ValidationData, string Start, string CodeVersion)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        IgnoreReadOnlyProperties = true,
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Version of this code, with the commit where the build knew it.</summary>
    public static string CurrentCode { get; } =
        typeof(RunRecord).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Hash over what the result depends on; the code's version is not in it, so that a run may go on under a later one.</summary>
    internal string Identity => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes((this with { CodeVersion = string.Empty }).ToJson())));

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="JsonException">The text is not a record.</exception>
    internal static RunRecord FromJson(ReadOnlySpan<byte> text)
    {
        RunRecord? record = JsonSerializer.Deserialize<RunRecord>(text, Json);
        if (record?.Options?.Network is null || record.TrainingData is null || record.ValidationData is null || record.Start is null)
            throw new JsonException("is not the record of a run");
        return record;
    }
}
