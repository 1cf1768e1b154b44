using System.Diagnostics;
using System.Text.Json;
using UniCardio.Cli.Output;
using UniCardio.Engine.Backends.Cpu;

namespace UniCardio.Cli.Bench;

/// <summary>Spans as a Chrome trace: complete events ("ph": "X") in microseconds, one lane a thread (Trace Event Format).</summary>
internal static class TraceFile
{
    public static void Write(string path, KernelProfile profile) => OutputFile.Write(path, stream =>
    {
        using var json = new Utf8JsonWriter(stream);
        long origin = profile.Spans.Count == 0 ? 0 : profile.Spans.Min(s => s.Start);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ms");
        json.WriteStartArray("traceEvents");
        for (int thread = 0; thread < profile.Threads; thread++)
            WriteLane(json, thread);
        foreach (CpuSpan span in profile.Spans)
            WriteSpan(json, span, origin);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void WriteLane(Utf8JsonWriter json, int thread)
    {
        json.WriteStartObject();
        json.WriteString("name", "thread_name");
        json.WriteString("ph", "M");
        json.WriteNumber("pid", 1);
        json.WriteNumber("tid", thread);
        json.WriteStartObject("args");
        json.WriteString("name", $"thread {thread}");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteSpan(Utf8JsonWriter json, CpuSpan span, long origin)
    {
        json.WriteStartObject();
        json.WriteString("name", span.Kernel.ToString());
        json.WriteString("cat", span.IsCondition ? "condition" : "target");
        json.WriteString("ph", "X");
        json.WriteNumber("pid", 1);
        json.WriteNumber("tid", span.Part);
        json.WriteNumber("ts", Stopwatch.GetElapsedTime(origin, span.Start).TotalMicroseconds);
        json.WriteNumber("dur", Stopwatch.GetElapsedTime(span.Start, span.End).TotalMicroseconds);
        json.WriteEndObject();
    }
}
