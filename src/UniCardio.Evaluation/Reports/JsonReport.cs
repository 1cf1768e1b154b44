using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace UniCardio.Evaluation.Reports;

/// <summary>A report as one JSON object: snake_case names, measures that do not apply left out.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        WriteIndented = true,
    };

    /// <summary>Writes a report.</summary>
    /// <typeparam name="T">An evaluation or a study.</typeparam>
    /// <param name="report">The report.</param>
    public static string Of<T>(T report) => JsonSerializer.Serialize(report, Options) + "\n";
}
