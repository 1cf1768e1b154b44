// The live protocol and the monitor page inside an application that has pages, users and limits of its own.
using UniCardio.Hosting;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddUniCardio(options =>
{
    options.MaxPatients = 8;
    options.Draws = 4;
});
WebApplication app = builder.Build();

app.MapGet("/", () => Results.Content("""<!doctype html><title>Ward</title><a href="/monitor/">Monitor</a>""", "text/html"));
// With users of your own: app.MapUniCardio("/monitor").RequireAuthorization();
app.MapUniCardio("/monitor");
app.MapHealthChecks("/healthz");
app.Run();
