using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using UniCardio.Pipeline;

namespace UniCardio.Serving.Tests;

/// <summary>Reads binary frames by the tables of PROTOCOL.md, not by the server's code.</summary>
internal static class BinaryFrames
{
    private static readonly string[] Modalities = ["ppg", "bp", "ecg"];
    private static readonly string[] Provenances = ["no_signal", "measured", "bridged", "imputed", "denoised", "translated"];
    private static readonly string?[] NoSignal =
        [null, "warming_up", "not_requested", "nothing_supports", "overload", "compute_failed", "pending"];
    private static readonly string?[] Absences = [null, "no_sensor", "missing", "flat", "clipped", "implausible", "muted"];

    private static readonly string?[] VitalAbsences =
        [null, "warming_up", "no_signal", "flat", "too_small", "line_open", "flushed", "damped", "no_pulse", "uncertain", "no_level",
            "unreadable"];

    private static readonly string[] Reasons =
        ["missing", "flat", "clipped", "no_beats", "detectors_disagree", "noisy", "wandering", "implausible", "damped"];

    public static JsonElement Read(byte[] m)
    {
        int I32(int at) => BinaryPrimitives.ReadInt32LittleEndian(m.AsSpan(at));
        long I64(int at) => BinaryPrimitives.ReadInt64LittleEndian(m.AsSpan(at));
        float F32(int at) => BinaryPrimitives.ReadSingleLittleEndian(m.AsSpan(at));
        Assert.Equal([0x55, 0x43, 1, 2], m[..4]);
        Assert.Equal(m.Length, I32(4));
        Assert.Equal(28, I32(76));
        int n = I32(60), at = 80;
        var signals = new JsonObject();
        foreach (string modality in Modalities)
        {
            Assert.Equal(modality, Modalities[m[at]]);
            int flags = m[at + 6], k = I32(at + 28), next = at + 32 + (8 * k);
            var stretches = new JsonArray();
            int from = 0;
            for (int i = 0; i < k; i++)
            {
                int count = I32(at + 32 + (8 * i));
                stretches.Add(new JsonObject { ["from"] = from, ["count"] = count, ["provenance"] = Provenances[I32(at + 36 + (8 * i))] });
                from += count;
            }
            Assert.Equal(n, from);
            JsonArray Array()
            {
                var values = new JsonArray(
                    [.. Enumerable.Range(0, n)
                        .Select(i => float.IsNaN(F32(next + (4 * i))) ? null : JsonValue.Create(F32(next + (4 * i))))]);
                next += 4 * n;
                return values;
            }
            var signal = new JsonObject
            {
                ["provenance"] = Provenances[m[at + 1]],
                ["no_signal"] = NoSignal[m[at + 2]],
                ["task"] = Task(m[at + 4], m[at + 5], modality),
                ["normalized"] = (flags & 1) != 0,
                ["quality"] = new JsonObject { ["usable"] = F32(at + 8), ["missing"] = F32(at + 12), ["flat"] = F32(at + 16), ["clipped"] =
                    F32(at + 20), ["implausible"] = F32(at + 24), ["absence"] = Absences[m[at + 3]] },
                ["stretches"] = stretches,
                ["values"] = Array(),
            };
            if ((flags & 2) != 0)
                (signal["low"], signal["high"]) = (Array(), Array());
            if ((flags & 4) != 0)
                signal["measured"] = Array();
            signals[modality] = signal;
            at = next;
        }
        var vitals = new JsonObject();
        foreach (string modality in Modalities)
        {
            JsonNode? Figure(int offset) => float.IsNaN(F32(at + offset)) ? null : JsonValue.Create(F32(at + offset));
            vitals[modality] = new JsonObject
            {
                ["rate"] = Figure(0), ["systolic"] = Figure(4), ["diastolic"] = Figure(8), ["mean"] = Figure(12), ["quality"]
                = Figure(16), ["age"] = Figure(20),
                ["absence"] = VitalAbsences[m[at + 24]], ["generated"] = m[at + 25] == 1,
                ["reasons"] = new JsonArray([.. Enumerable.Range(0, Reasons.Length).Where(i => (m[at + 26 + (i / 8)] >> (i % 8) & 1) != 0)
                    .Select(i => JsonValue.Create(Reasons[i]))]),
            };
            at += 28;
        }
        Assert.Equal(m.Length, at);
        var frame = new JsonObject
        {
            ["type"] = "frame",
            ["index"] = I64(8),
            ["segment"] = I32(56),
            ["window"] = I64(24),
            ["skipped"] = (I32(64) & 1) != 0,
            ["last"] = (I32(64) & 2) != 0,
            ["start"] = I64(16) / 1e6,
            ["count"] = n,
            ["algorithmic_delay"] = F32(68),
            ["compute_delay"] = F32(72),
            ["skipped_hops"] = I64(32),
            ["lost_hops"] = I64(40),
            ["signals"] = signals,
            ["vitals"] = vitals,
            ["dropped"] = I64(48),
        };
        if ((I32(64) & 4) != 0)
            frame["preliminary"] = true;
        return JsonSerializer.SerializeToElement(frame);
    }

    private static string? Task(int kind, int conditions, string target)
    {
        string[] from = [.. Modalities.Where((_, i) => (conditions & (1 << i)) != 0)];
        string[] others = [.. from.Where(m => m != target)];
        string bar = others.Length > 0 ? " | " + string.Join(',', others) : "";
        return kind switch { 0 => $"{string.Join(',', from)}->{target}", 1 => $"impute {target}{bar}", 2 => $"denoise {target}{bar}",
            _ => null };
    }
}
