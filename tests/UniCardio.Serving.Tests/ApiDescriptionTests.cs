using System.Text.Json;

namespace UniCardio.Serving.Tests;

/// <summary>The OpenAPI document has every address that is served, and what is answered is what it says.</summary>
public class ApiDescriptionTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly TestServer _server = shared.Server;

    [Fact]
    public async Task EveryAddressButThePageIsDescribed()
    {
        JsonElement document = await _server.GetJsonAsync("/openapi/v1.json");
        Assert.StartsWith("3.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Contains("not a medical device", document.GetProperty("info").GetProperty("description").GetString(),
            StringComparison.OrdinalIgnoreCase);
        string[] described = [.. document.GetProperty("paths").EnumerateObject().Select(p => p.Name).Order()];
        string[] expected = ["/v2", "/v2/health/live", "/v2/health/ready", "/v2/repository/index", "/v2/models/stats", "/patients",
            "/recordings", "/live/{patient}", "/metrics", "/events",
            .. from version in (string[])["", "/versions/{version}"] from rest in (string[])["", "/ready", "/stats", "/infer"]
               select "/v2/models/{model}" + version + rest];
        Assert.Equal(expected.Order(), described);
        JsonElement infer = document.GetProperty("paths").GetProperty("/v2/models/{model}/infer").GetProperty("post");
        Assert.Equal(["200", "400", "404", "408", "413", "415", "422", "503", "504"],
            infer.GetProperty("responses").EnumerateObject().Select(r => r.Name).Order());
        Assert.True(infer.GetProperty("requestBody").GetProperty("content").TryGetProperty("application/octet-stream", out _));
    }

    [Theory]
    [InlineData("/v2", "/v2")]
    [InlineData("/v2/health/ready", "/v2/health/ready")]
    [InlineData("/v2/models/{model}", "/v2/models/impute")]
    [InlineData("/v2/models/{model}/stats", "/v2/models/impute/stats")]
    [InlineData("/patients", "/patients")]
    [InlineData("/recordings", "/recordings")]
    public async Task AnswersHaveThePropertiesThatAreDescribed(string path, string address)
    {
        JsonElement document = await _server.GetJsonAsync("/openapi/v1.json");
        JsonElement schema = document.GetProperty("paths").GetProperty(path).GetProperty("get").GetProperty("responses").GetProperty("200")
            .GetProperty("content").GetProperty("application/json").GetProperty("schema");
        string name = schema.GetProperty("$ref").GetString()!.Split('/')[^1];
        Assert.Equal(
            document.GetProperty("components").GetProperty("schemas").GetProperty(name).GetProperty("properties").EnumerateObject()
                .Select(p => p.Name).Order(),
            (await _server.GetJsonAsync(address)).EnumerateObject().Select(p => p.Name).Order());
    }

    [Fact]
    public async Task AnInferAnswerHasThePropertiesThatAreDescribed()
    {
        JsonElement document = await _server.GetJsonAsync("/openapi/v1.json");
        JsonElement answer = await TestServer.JsonAsync(await _server.PostAsync("/v2/models/translate/infer",
            $$"""{"id":"x","inputs":[{{Wave.Json("ppg", Wave.Make(1, 1, 1), 1)}}]}"""));
        JsonElement schemas = document.GetProperty("components").GetProperty("schemas");
        Assert.Equal(schemas.GetProperty("InferBody").GetProperty("properties").EnumerateObject().Select(p => p.Name).Order(),
            answer.EnumerateObject().Select(p => p.Name).Order());
        Assert.Subset(schemas.GetProperty("ResultBody").GetProperty("properties").EnumerateObject().Select(p => p.Name).ToHashSet(),
            answer.GetProperty("outputs")[0].EnumerateObject().Select(p => p.Name).ToHashSet());
    }
}
