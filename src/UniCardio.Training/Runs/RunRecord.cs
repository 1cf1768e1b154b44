using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
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

    // Of the text that the record was read from; null for a record that was made.
    private string? _written;

    /// <summary>Version of this code, with the commit where the build knew it.</summary>
    public static string CurrentCode { get; } =
        typeof(RunRecord).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Changes of options or data while the run continued, oldest first.</summary>
    public IReadOnlyList<RunAmendment> Amendments { get; init; } = [];

    /// <summary>Names the run in its checkpoints: a hash of run.json as it was written, without the code's version. A later code may know
    /// more options; it still finds its run.</summary>
    [JsonIgnore]
    internal string Identity => _written ?? Hash(ToJson());

    /// <summary>Whether a checkpoint of this identity is of this run, from before or after an amendment.</summary>
    internal bool Owns(string? identity) => identity == Identity || Amendments.Any(a => a.Identity == identity);

    /// <summary>What differs in the other record, one line a value: <c>options.steps: 100 -> 200</c>. Code version and amendments
    /// aside.</summary>
    internal IReadOnlyList<string> Differences(RunRecord other)
    {
        Dictionary<string, string> mine = Flatten(this), theirs = Flatten(other);
        return [.. mine.Keys.Union(theirs.Keys).Where(k => mine.GetValueOrDefault(k) != theirs.GetValueOrDefault(k))
            .Select(k => $"{k}: {mine.GetValueOrDefault(k, "none")} -> {theirs.GetValueOrDefault(k, "none")}")];
    }

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="JsonException">The text is not a record.</exception>
    internal static RunRecord FromJson(string text)
    {
        try
        {
            RunRecord? record = JsonSerializer.Deserialize<RunRecord>(text, Json);
            if (record?.Options?.Network is null || record.TrainingData is null || record.ValidationData is null || record.Start is null)
                throw new JsonException("is not the record of a run");
            return record with { _written = Hash(text), Amendments = record.Amendments ?? [] };
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("holds half of a surrogate pair", e);
        }
    }

    private static string Hash(string text)
    {
        JsonNode node = JsonNode.Parse(text)!;
        node["code_version"] = string.Empty;
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(node.ToJsonString(Json))));
    }

    private static Dictionary<string, string> Flatten(RunRecord record)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        void Visit(string path, JsonNode? node)
        {
            if (node is JsonObject parent)
            {
                foreach ((string key, JsonNode? child) in parent)
                    Visit(path.Length == 0 ? key : $"{path}.{key}", child);
            }
            else if (path is not ("code_version" or "amendments"))
            {
                values[path] = node?.ToJsonString() ?? "null";
            }
        }

        Visit(string.Empty, JsonSerializer.SerializeToNode(record, Json));
        return values;
    }
}

/// <summary>A change of a run's options or data while it continued.</summary>
/// <param name="Updates">Updates done before the change.</param>
/// <param name="Changes">One line a value: what, from, to.</param>
/// <param name="Identity">Name of the run in checkpoints from before.</param>
public sealed record RunAmendment(long Updates, IReadOnlyList<string> Changes, string Identity);
