using System.Globalization;
using System.Text.Json;

namespace UniCardio.Serving.Tests;

/// <summary>Windows that look like signals enough to be scaled.</summary>
internal static class Wave
{
    /// <summary>[windows, 100]: pulses of <paramref name="amplitude"/> about <paramref name="level"/>.</summary>
    public static float[] Make(int windows, float level, float amplitude, int phase = 0) =>
        [.. Enumerable.Range(0, windows * TestServer.Samples)
            .Select(i => level + (amplitude * MathF.Sin((i + phase) * 0.11f) * (1 + (0.2f * MathF.Cos(i * 0.07f)))))];

    /// <summary>A tensor as the protocol has it in JSON; NaN becomes null.</summary>
    public static string Json(string name, float[] values, int windows) =>
        $$"""{"name":"{{name}}","shape":[{{windows}},{{TestServer.Samples}}],"datatype":"FP32","data":[{{string.Join(',', values.Select(v => float.IsNaN(v) ? "null" : v.ToString("R", CultureInfo.InvariantCulture)))}}]}""";

    public static float[] Floats(JsonElement data) =>
        [.. data.EnumerateArray().Select(e => e.ValueKind == JsonValueKind.Null ? float.NaN : e.GetSingle())];

    public static JsonElement Output(JsonElement response, string name) =>
        response.GetProperty("outputs").EnumerateArray().Single(o => o.GetProperty("name").GetString() == name);
}
