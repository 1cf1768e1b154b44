using System.Buffers;
using System.Text.Json;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Streaming;

namespace UniCardio.Serving.Protocol;

/// <summary>Writes frames in the protocol's JSON form.</summary>
internal static class JsonFrame
{
    /// <summary>Writes a frame.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="counts">What its session has done.</param>
    /// <param name="vitals">What is read off the signals up to the frame's end.</param>
    /// <param name="output">Takes the message, all but its end: <c>dropped</c> and the closing brace follow a connection at a time.</param>
    public static void Write(StreamingFrame frame, in SessionCounts counts, VitalSigns vitals, IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("type"u8, "frame"u8);
        json.WriteNumber("index"u8, frame.Index);
        json.WriteNumber("segment"u8, frame.Segment);
        json.WriteNumber("window"u8, frame.Window);
        json.WriteBoolean("skipped"u8, frame.WasSkipped);
        json.WriteBoolean("last"u8, frame.IsLast);
        if (frame.IsPreliminary)
            json.WriteBoolean("preliminary"u8, true);
        json.WriteNumber("start"u8, frame.Start.TotalSeconds);
        json.WriteNumber("count"u8, frame.Count);
        json.WriteNumber("algorithmic_delay"u8, frame.AlgorithmicDelay.TotalSeconds);
        json.WriteNumber("compute_delay"u8, frame.ComputeDelay.TotalSeconds);
        json.WriteNumber("skipped_hops"u8, counts.SkippedHops);
        json.WriteNumber("lost_hops"u8, counts.LostHops);
        json.WriteStartObject("signals"u8);
        foreach (Modality modality in Modalities.All)
            WriteSignal(json, frame, modality);
        json.WriteEndObject();
        json.WriteStartObject("vitals"u8);
        foreach (Modality modality in Modalities.All)
            WriteVitals(json, modality, vitals.Of(modality));
        json.WriteEndObject();
        json.Flush();
    }

    /// <summary>The end of a message: what a connection lost before it.</summary>
    /// <param name="dropped">Frames.</param>
    /// <param name="end">Takes the bytes; 40 are enough.</param>
    /// <returns>How many.</returns>
    public static int WriteEnd(long dropped, Span<byte> end)
    {
        System.Text.Unicode.Utf8.TryWrite(end, System.Globalization.CultureInfo.InvariantCulture, $",\"dropped\":{dropped}}}",
            out int written);
        return written;
    }

    private static void WriteSignal(Utf8JsonWriter json, StreamingFrame frame, Modality modality)
    {
        ModalityStatus status = frame.Status(modality);
        SignalContent content = SignalContent.Of(frame, modality);
        json.WriteStartObject(modality.Name());
        json.WriteString("provenance"u8, LiveProtocol.Name(status.Provenance));
        json.WriteString("no_signal"u8, LiveProtocol.Name(status.NoSignal));
        json.WriteString("task"u8, status.Task.IsValid ? status.Task.ToString() : null);
        json.WriteBoolean("normalized"u8, status.IsNormalized);
        WriteQuality(json, status.Quality);
        json.WriteStartArray("stretches"u8);
        foreach (Stretch stretch in new StretchEnumerator(frame.Provenance(modality)))
        {
            json.WriteStartObject();
            json.WriteNumber("from"u8, stretch.Start);
            json.WriteNumber("count"u8, stretch.Count);
            json.WriteString("provenance"u8, LiveProtocol.Name(stretch.Provenance));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteArray(json, "values"u8, frame.Values(modality));
        if (content.HasBand)
        {
            WriteArray(json, "low"u8, frame.Low(modality));
            WriteArray(json, "high"u8, frame.High(modality));
        }
        if (content.HasMeasured)
            WriteArray(json, "measured"u8, frame.Measured(modality));
        json.WriteEndObject();
    }

    private static void WriteVitals(Utf8JsonWriter json, Modality modality, in VitalReading reading)
    {
        json.WriteStartObject(modality.Name());
        Number(json, "rate"u8, reading.Rate);
        Number(json, "systolic"u8, reading.Systolic);
        Number(json, "diastolic"u8, reading.Diastolic);
        Number(json, "mean"u8, reading.Mean);
        Number(json, "quality"u8, reading.Quality);
        Number(json, "age"u8, reading.Age);
        json.WriteString("absence"u8, LiveProtocol.Name(reading.Absence));
        json.WriteBoolean("generated"u8, reading.IsGenerated);
        json.WriteStartArray("reasons"u8);
        for (int i = 0; i < LiveProtocol.Reasons.Count; i++)
        {
            if (((int)reading.Reasons >> i & 1) != 0)
                json.WriteStringValue(LiveProtocol.Reasons[i]);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Number(Utf8JsonWriter json, ReadOnlySpan<byte> name, float value)
    {
        if (float.IsFinite(value))
            json.WriteNumber(name, value);
        else
            json.WriteNull(name);
    }

    private static void WriteQuality(Utf8JsonWriter json, in ModalityQuality quality)
    {
        json.WriteStartObject("quality"u8);
        json.WriteNumber("usable"u8, quality.Usable);
        json.WriteNumber("missing"u8, quality.Missing);
        json.WriteNumber("flat"u8, quality.Flat);
        json.WriteNumber("clipped"u8, quality.Clipped);
        json.WriteNumber("implausible"u8, quality.Implausible);
        json.WriteString("absence"u8, LiveProtocol.Name(quality.Absence));
        json.WriteEndObject();
    }

    private static void WriteArray(Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlySpan<float> values)
    {
        json.WriteStartArray(name);
        foreach (float x in values)
        {
            if (float.IsFinite(x))
                json.WriteNumberValue(x);
            else
                json.WriteNullValue();
        }
        json.WriteEndArray();
    }
}
