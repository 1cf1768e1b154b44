using System.Text.Json;
using System.Text.Json.Nodes;
using UniCardio.Engine.Model;
using UniCardio.Serving.Protocol;

namespace UniCardio.Serving.Live;

/// <summary>The answer to <c>counts</c>.</summary>
internal static class CountsText
{
    public static byte[] Of(LiveSession session, JsonNode? id)
    {
        var input = new JsonObject();
        foreach (Modality modality in Modalities.All)
        {
            if (session.Streaming.Options.Channel(modality) is not null)
                input.Add(modality.Name(), JsonSerializer.SerializeToNode(session.Streaming.InputCounts(modality), ProtocolJson.Options));
        }
        JsonObject counts = JsonSerializer.SerializeToNode(session.Streaming.Counts, ProtocolJson.Options)!.AsObject();
        counts.Insert(0, "type", "counts");
        counts.Add("input", input);
        counts.Add("id", id);
        return ProtocolJson.Bytes(counts);
    }
}
