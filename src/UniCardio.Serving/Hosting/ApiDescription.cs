using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using UniCardio.Serving.Protocol;

namespace UniCardio.Serving.Hosting;

/// <summary>The OpenAPI document of the server at <see cref="Path"/>, made by the framework of what the endpoints say of
/// themselves.</summary>
internal static class ApiDescription
{
    public const string Path = "/openapi/v1.json";

    /// <summary>Adds what makes the document.</summary>
    public static void Add(IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.PropertyNamingPolicy = ProtocolJson.Options.PropertyNamingPolicy);
        services.AddOpenApi(options => options.AddOperationTransformer(async (operation, context, cancellation) =>
        {
            // What the framework calls accepted it holds requests to; a body here may say of itself what it likes.
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<DescribedBody>().FirstOrDefault() is { } body)
            {
                OpenApiSchema schema = await context.GetOrCreateSchemaAsync(body.Type, null, cancellation);
                operation.RequestBody = new OpenApiRequestBody
                {
                    Required = true,
                    Content = body.ContentTypes.ToDictionary(t => t, _ => new OpenApiMediaType { Schema = schema }),
                };
            }
            // What reads its request by itself has no parameters that the framework could see.
            operation.Parameters = [.. InBraces(context.Description.RelativePath ?? "").Select(name => new OpenApiParameter
            {
                Name = name, In = ParameterLocation.Path, Required = true, Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            })];
        }).AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "UniCardio",
                Version = typeof(ApiDescription).Assembly.GetName().Version!.ToString(3),
                Description = "Open Inference Protocol v2, live sessions, metrics. " + Signals.Plotting.SignalPlot.Disclaimer,
            };
            // Where it was asked, which a proxy may know better.
            document.Servers?.Clear();
            return Task.CompletedTask;
        }));
    }

    public static void Map(IEndpointRouteBuilder endpoints) => endpoints.MapOpenApi(Path.Replace("v1", "{documentName}",
        StringComparison.Ordinal));

    private static IEnumerable<string> InBraces(string path) =>
        path.Split('/').Where(p => p.StartsWith('{')).Select(p => p.Trim('{', '}'));

    /// <summary>Says what an address is for, what it answers, and with which other statuses.</summary>
    public static IEndpointConventionBuilder Describe(this IEndpointConventionBuilder endpoint, string tag, string summary, Type? answer,
        params int[] refusals) => endpoint.WithMetadata(
        [
            // The sign by which the framework knows what to describe.
            typeof(RequestDelegate).GetMethod(nameof(RequestDelegate.Invoke))!,
            new TagsAttribute(tag), new EndpointSummaryAttribute(summary),
            new ProducesResponseTypeMetadata(StatusCodes.Status200OK, answer ?? typeof(string), [answer is null ? "text/plain"
                : "application/json"]),
            .. refusals.Select(s => new ProducesResponseTypeMetadata(s, typeof(ErrorBody), ["application/json"])),
        ]);
}

/// <summary>The body that an address reads.</summary>
internal sealed record DescribedBody(Type Type, string[] ContentTypes);

/// <summary>The body of every refusal.</summary>
internal sealed record ErrorBody(string Error);
