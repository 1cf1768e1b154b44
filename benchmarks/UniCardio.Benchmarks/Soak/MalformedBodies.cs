using System.Globalization;
using System.Text.Json;
using UniCardio.Tests.Shared;

namespace UniCardio.Benchmarks.Soak;

/// <summary>Infer requests with spoilt bodies, one after the other on kept connections: each gets 200 or 400, and a 400 says why.</summary>
internal static class MalformedBodies
{
    public static async Task RunAsync(ServerProcess server, MalformedTraffic traffic, ulong seed, CancellationToken cancellation)
    {
        byte[][] seeds = [MalformedTraffic.JsonBody, MalformedTraffic.BinaryBody];
        using var client = new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromSeconds(30) };
        for (int i = 0; !traffic.IsDone; i++)
        {
            await traffic.WaitAsync(cancellation);
            byte[] body = MutationFuzzer.Mutant(seeds, seed, i);
            try
            {
                await PostAsync(client, traffic, body, i, cancellation);
            }
            catch (Exception problem) when (problem is HttpRequestException or TaskCanceledException
                && !cancellation.IsCancellationRequested)
            {
                // Killed meanwhile; whether it was its own end that it came to, the process knows.
                traffic.Note("no server", isRefusal: false);
                await Task.Delay(200, cancellation);
            }
        }
    }

    private static async Task PostAsync(HttpClient client, MalformedTraffic traffic, byte[] body, int mutant,
        CancellationToken cancellation)
    {
        // The header says what the sound one would, or whatever.
        int? header = (mutant % 4) switch { 0 => null, 1 => MalformedTraffic.BinaryHeader, 2 => body.Length, _ => mutant % 997 };
        using var content = new ByteArrayContent(body);
        if (header is int length)
            content.Headers.Add("Inference-Header-Content-Length", length.ToString(CultureInfo.InvariantCulture));
        using HttpResponseMessage response = await client.PostAsync("/v2/models/translate/infer", content, cancellation);
        int status = (int)response.StatusCode;
        string text = await response.Content.ReadAsStringAsync(cancellation);
        if (status == 503 && response.Headers.RetryAfter is not null)
        {
            traffic.Note("503 not ready", isRefusal: false);
            await Task.Delay(500, cancellation);
        }
        else if (status is not (200 or 400) || (status == 400 && !SaysWhy(text)))
            traffic.NoteWrong(mutant, FormattableString.Invariant($"body, {status} {text[..Math.Min(text.Length, 200)]}"));
        else
            traffic.Note(status.ToString(CultureInfo.InvariantCulture), isRefusal: status == 400);
    }

    private static bool SaysWhy(string text)
    {
        try
        {
            using JsonDocument body = JsonDocument.Parse(text);
            return body.RootElement.GetProperty("error").GetString() is { Length: > 0 };
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
