using System.Text.Json;
using UniCardio.Engine;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving;

/// <summary>Server options from a JSON file, the environment and flags: each wins over those before it.</summary>
internal static class ServerConfiguration
{
    /// <summary>What names in the environment begin with.</summary>
    public const string VariablePrefix = "UNICARDIO_";

    /// <summary>The variable that may hold the token itself.</summary>
    public const string TokenVariable = VariablePrefix + "TOKEN";

    private const int MaxFileBytes = 1 << 20;

    /// <summary>Reads options.</summary>
    /// <param name="file">A JSON file with an object of <see cref="ServerSetting.Key"/>s, or null.</param>
    /// <param name="environment">Value of a variable, or null; null for the process's own environment.</param>
    /// <param name="flags">Value of a setting on the command line, or null.</param>
    /// <returns>The options, checked one by one but not yet together (<see cref="ServerOptions.Validate"/>).</returns>
    /// <exception cref="ConfigurationException">A setting is unknown or no such value; where it stands is named.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ServerOptions Read(string? file, Func<string, string?>? environment, Func<ServerSetting, string?> flags)
    {
        ArgumentNullException.ThrowIfNull(flags);
        environment ??= Environment.GetEnvironmentVariable;
        var options = new ServerOptions();
        if (file is not null)
            options = ReadFile(options, file);
        if (environment(TokenVariable) is { Length: > 0 } token)
            options = options with { Token = token };
        foreach (ServerSetting setting in ServerSetting.All)
        {
            if (environment(setting.Variable) is { Length: > 0 } value)
                options = setting.Apply(options, value, setting.Variable);
        }
        foreach (ServerSetting setting in ServerSetting.All)
        {
            if (flags(setting) is string value)
                options = setting.Apply(options, value, setting.Flag);
        }
        return options;
    }

    private static ServerOptions ReadFile(ServerOptions options, string path)
    {
        try
        {
            byte[] text = RegularFile.Read(path, MaxFileBytes);
            ReadOnlyMemory<byte> json = text.AsSpan().StartsWith("\uFEFF"u8) ? text.AsMemory(3) : text;
            CheckTexts(path, json.Span);
            using JsonDocument document = JsonDocument.Parse(json,
                new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 4 });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new ConfigurationException(path, "expected a JSON object of settings");
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                ServerSetting setting = ServerSetting.All.FirstOrDefault(s => s.Key == property.Name)
                    ?? throw new ConfigurationException(path,
                        $"'{property.Name}' is not a setting; expected {string.Join(", ", ServerSetting.All.Select(s => s.Key))}");
                options = setting.Apply(options, Text(path, property), $"{path}, {setting.Key}");
            }
            return options;
        }
        catch (FormatException problem)
        {
            throw new ConfigurationException(path, problem.Message);
        }
        catch (JsonException problem)
        {
            throw new ConfigurationException(path, $"it is not JSON: {problem.Message}");
        }
    }

    // Half of a surrogate pair, written as an escape, is no text; a control character in a path or an address is nobody's wish.
    private static void CheckTexts(string path, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(
            json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 4 });
        string key = "";
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.PropertyName or JsonTokenType.String))
                continue;
            string raw = System.Text.Encoding.UTF8.GetString(reader.ValueSpan);
            try
            {
                string text = reader.GetString()!;
                key = reader.TokenType == JsonTokenType.PropertyName ? text : key;
                if (text.Any(char.IsControl))
                    throw new ConfigurationException(
                        path, $"'{(key == text ? raw : key)}' holds a control character at byte {reader.TokenStartIndex}");
            }
            catch (InvalidOperationException)
            {
                throw new ConfigurationException(
                    path,
                    $"'{(reader.TokenType == JsonTokenType.PropertyName ? raw : key)}' holds half of a surrogate pair at byte "
                    + $"{reader.TokenStartIndex}");
            }
        }
    }

    private static string Text(string path, JsonProperty property) => property.Value.ValueKind switch
    {
        JsonValueKind.String => property.Value.GetString()!,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => property.Value.GetRawText(),
        JsonValueKind.Array when property.Value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String) =>
            string.Join(',', property.Value.EnumerateArray().Select(e => e.GetString())),
        _ => throw new ConfigurationException(path, $"'{property.Name}' should be a text, a number, true, false or a list of texts"),
    };
}
