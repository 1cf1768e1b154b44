using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving.Inference;

/// <summary>Writes the answer to an infer request: JSON, or JSON with tensors after it.</summary>
internal static class InferResponse
{
    private const string HeaderLength = "Inference-Header-Content-Length";

    /// <summary>The outputs that a request wants.</summary>
    /// <exception cref="RequestException">There is no such output.</exception>
    public static IReadOnlyList<InferOutput> Wanted(InferRequest request)
    {
        IReadOnlyList<InferOutput> wanted = request.Outputs ?? [.. ModelFamily.Outputs.Select(o => new InferOutput(o, null))];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (InferOutput output in wanted)
        {
            if (!ModelFamily.Outputs.Contains(output.Name))
                throw RequestException.Bad($"there is no output '{output.Name}'; expected {string.Join(", ", ModelFamily.Outputs)}");
            if (!seen.Add(output.Name))
                throw RequestException.Bad($"output '{output.Name}' is a duplicate");
        }
        return wanted;
    }

    public static async Task WriteAsync(HttpContext context, ModelFamily family, InferRequest request, IReadOnlyList<InferOutput> wanted, InferJob job, ServedModel model)
    {
        bool Binary(InferOutput output) => output.IsBinary ?? job.Parameters.BinaryOutput;
        var body = new ArrayBufferWriter<byte>(1024);
        WriteJson(body, family, request, wanted, job, model, Binary);
        int json = body.WrittenCount;
        foreach (InferOutput output in wanted.Where(Binary))
            WriteBytes(body, Values(output.Name, job));
        if (wanted.Any(Binary))
            context.Response.Headers[HeaderLength] = json.ToString(CultureInfo.InvariantCulture);
        context.Response.ContentType = wanted.Any(Binary) ? "application/octet-stream" : "application/json";
        context.Response.ContentLength = body.WrittenCount;
        await context.Response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    private static void WriteJson(ArrayBufferWriter<byte> body, ModelFamily family, InferRequest request, IReadOnlyList<InferOutput> wanted, InferJob job, ServedModel model, Func<InferOutput, bool> binary)
    {
        using var json = new Utf8JsonWriter(body, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("model_name"u8, family.Name);
        json.WriteString("model_version"u8, ModelFamily.Version);
        if (request.Id is not null)
            json.WriteString("id"u8, request.Id);
        WriteParameters(json, job, model);
        json.WriteStartArray("outputs"u8);
        foreach (InferOutput output in wanted)
        {
            float[] values = Values(output.Name, job);
            json.WriteStartObject();
            json.WriteString("name"u8, output.Name);
            json.WriteString("datatype"u8, "FP32"u8);
            WriteShape(json, output.Name, job);
            if (binary(output))
                WriteSize(json, values);
            else
                WriteData(json, values);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    // What was done, as far as the request left it open.
    private static void WriteParameters(Utf8JsonWriter json, InferJob job, ServedModel model)
    {
        json.WriteStartObject("parameters"u8);
        json.WriteString("task"u8, job.Task.ToString());
        json.WriteString("unit"u8, job.Task switch { { Kind: TaskKind.Translate } => "normalized", { Output: Modality.Bp } => "mmHg", _ => "as given" });
        json.WriteString("summary"u8, job.Summary.ToString().ToLowerInvariant());
        json.WriteNumber("draws"u8, job.Parameters.Draws);
        json.WriteString("sampler"u8, job.Parameters.Sampler.ToString());
        json.WriteNumber("steps"u8, new WindowShape(job.Task, job.Parameters.Draws, job.Parameters.Sampler).Steps(model.Engine.Configuration));
        json.WriteString("seed"u8, job.Parameters.Seed.ToString(CultureInfo.InvariantCulture));
        json.WriteNumber("compute_seconds"u8, job.ComputeTime.TotalSeconds);
        json.WriteBoolean("untrained"u8, model.IsUntrained);
        json.WriteString("remark"u8, Signals.Plotting.SignalPlot.Disclaimer);
        json.WriteEndObject();
    }

    private static void WriteShape(Utf8JsonWriter json, string output, InferJob job)
    {
        json.WriteStartArray("shape"u8);
        json.WriteNumberValue(job.Windows);
        if (output == "draws")
            json.WriteNumberValue(job.Parameters.Draws);
        json.WriteNumberValue(job.Signal.Length / job.Windows);
        json.WriteEndArray();
    }

    private static void WriteSize(Utf8JsonWriter json, float[] values)
    {
        json.WriteStartObject("parameters"u8);
        json.WriteNumber("binary_data_size"u8, sizeof(float) * (long)values.Length);
        json.WriteEndObject();
    }

    private static void WriteData(Utf8JsonWriter json, float[] values)
    {
        json.WriteStartArray("data"u8);
        foreach (float x in values)
        {
            if (float.IsNaN(x))
                json.WriteNullValue();
            else
                json.WriteNumberValue(x);
        }
        json.WriteEndArray();
    }

    private static void WriteBytes(ArrayBufferWriter<byte> body, float[] values)
    {
        Span<byte> bytes = body.GetSpan(sizeof(float) * values.Length);
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes[(sizeof(float) * i)..], values[i]);
        body.Advance(sizeof(float) * values.Length);
    }

    private static float[] Values(string output, InferJob job) => output switch
    {
        "signal" => job.Signal,
        "low" => job.Low,
        "high" => job.High,
        _ => job.Draws,
    };
}
