// An API of your own around the model: POST /fill takes arrays, null where a sample is missing.
using UniCardio;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Hosting;
using UniCardio.Pipeline;
using UniCardio.Signals;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddUniCardio(builder.Configuration.GetSection("UniCardio"));
WebApplication app = builder.Build();

app.MapHealthChecks("/healthz");
app.MapPost("/fill", async (FillRequest request, CardioModel model, CancellationToken cancellation) =>
{
    try
    {
        var signals = new CardioSignals(request.Rate) { Ppg = Samples(request.Ppg), BloodPressure = Samples(request.Pressure) };
        CardioResult result =
            await model.RunAsync(signals, CardioTask.Impute(Modality.Bp, Modality.Ppg.ToSet()), cancellation: cancellation);
        return Results.Ok(new FillAnswer(
            [.. result.Samples.ToArray().Select(x => float.IsNaN(x) ? (float?)null : x)],
            [.. result.Provenance.ToArray().Select(p => p >= Provenance.Imputed)],
            CardioResult.Remark));
    }
    catch (Exception problem) when (problem is UniCardioException or SignalException or ArgumentException)
    {
        // What was asked for cannot be: the message says why, and nothing of it is the server's affair.
        return Results.Problem(problem.Message, statusCode: StatusCodes.Status400BadRequest);
    }
});
app.Run();

static float[] Samples(float?[]? given) => [.. (given ?? []).Select(x => x ?? float.NaN)];

internal sealed record FillRequest(double Rate, float?[]? Ppg, float?[]? Pressure);

internal sealed record FillAnswer(float?[] Pressure, bool[] Generated, string Remark);
