using System.Text.Json;
using UniCardio.Engine;

namespace UniCardio.Serving;

/// <summary>Server options from a JSON file, the environment and flags: each wins over those before it.</summary>
public static class ServerConfiguration
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
            using FileStream stream = File.OpenRead(path);
            if (stream.Length > MaxFileBytes)
                throw new ConfigurationException(path, $"it has more than {MaxFileBytes} bytes");
            using JsonDocument document = JsonDocument.Parse(stream,
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
        catch (JsonException problem)
        {
            throw new ConfigurationException(path, $"it is not JSON: {problem.Message}");
        }
    }

    private static string Text(string path, JsonProperty property) => property.Value.ValueKind switch
    {
        JsonValueKind.String => property.Value.GetString()!,
        JsonValueKind.Number => property.Value.GetRawText(),
        JsonValueKind.Array when property.Value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String) =>
            string.Join(',', property.Value.EnumerateArray().Select(e => e.GetString())),
        _ => throw new ConfigurationException(path, $"'{property.Name}' should be a text, a number or a list of texts"),
    };
}
