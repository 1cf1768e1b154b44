using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving.Inference;

/// <summary>Writes the answer to an infer request: JSON, or JSON with tensors after it.</summary>
internal static class InferResponse
{
    // Values between two looks at whether the reader keeps up.
    private const int Piece = 8192;
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

    /// <summary>Writes it as fast as it is read; who does not read at all loses the connection.</summary>
    public static async Task WriteAsync(HttpContext context, ServerOptions options, InferAnswer answer)
    {
        InferOutput[] binary = [.. answer.Wanted.Where(answer.IsBinary)];
        PipeWriter body = context.Response.BodyWriter;
        context.Response.ContentType = binary.Length > 0 ? "application/octet-stream" : "application/json";
        try
        {
            if (binary.Length > 0)
            {
                // Its length comes before it, in a header; tensors that are data in it are the exception here.
                var head = new ArrayBufferWriter<byte>(1024);
                await WriteJsonAsync(head, () => ValueTask.CompletedTask, answer);
                context.Response.Headers[HeaderLength] = head.WrittenCount.ToString(CultureInfo.InvariantCulture);
                context.Response.ContentLength = head.WrittenCount + binary.Sum(o => sizeof(float) * (long)answer.Values(o.Name).Length);
                body.Write(head.WrittenSpan);
            }
            else
            {
                await WriteJsonAsync(body, FlushAsync, answer);
            }
            foreach (InferOutput output in binary)
            {
                float[] values = answer.Values(output.Name);
                for (int first = 0; first < values.Length; first += Piece)
                {
                    WriteBytes(body, values.AsSpan(first, Math.Min(Piece, values.Length - first)));
                    await FlushAsync();
                }
            }
            await FlushAsync();
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            // Nobody reads any more.
            context.Abort();
            throw;
        }

        async ValueTask FlushAsync()
        {
            using var time = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            time.CancelAfter(options.SlowReader);
            await body.FlushAsync(time.Token);
        }
    }

    private static async Task WriteJsonAsync(IBufferWriter<byte> body, Func<ValueTask> flush, InferAnswer answer)
    {
        await using var json = new Utf8JsonWriter(body, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("model_name"u8, answer.Family.Name);
        json.WriteString("model_version"u8, ModelFamily.Version);
        if (answer.Request.Id is not null)
            json.WriteString("id"u8, answer.Request.Id);
        WriteParameters(json, answer);
        json.WriteStartArray("outputs"u8);
        foreach (InferOutput output in answer.Wanted)
        {
            float[] values = answer.Values(output.Name);
            json.WriteStartObject();
            json.WriteString("name"u8, output.Name);
            json.WriteString("datatype"u8, "FP32"u8);
            WriteShape(json, answer.Shape(output.Name));
            if (answer.IsBinary(output))
            {
                WriteSize(json, values);
            }
            else
            {
                json.WriteStartArray("data"u8);
                for (int first = 0; first < values.Length; first += Piece)
                {
                    WriteData(json, values.AsSpan(first, Math.Min(Piece, values.Length - first)));
                    await json.FlushAsync();
                    await flush();
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteParameters(Utf8JsonWriter json, InferAnswer answer)
    {
        json.WriteStartObject("parameters"u8);
        foreach ((string name, object value) in answer.Parameters())
        {
            switch (value)
            {
                case bool truth:
                    json.WriteBoolean(name, truth);
                    break;
                case int whole:
                    json.WriteNumber(name, whole);
                    break;
                case double number:
                    json.WriteNumber(name, number);
                    break;
                default:
                    json.WriteString(name, (string)value);
                    break;
            }
        }
        json.WriteEndObject();
    }

    private static void WriteShape(Utf8JsonWriter json, IEnumerable<long> shape)
    {
        json.WriteStartArray("shape"u8);
        foreach (long extent in shape)
            json.WriteNumberValue(extent);
        json.WriteEndArray();
    }

    private static void WriteSize(Utf8JsonWriter json, float[] values)
    {
        json.WriteStartObject("parameters"u8);
        json.WriteNumber("binary_data_size"u8, sizeof(float) * (long)values.Length);
        json.WriteEndObject();
    }

    private static void WriteData(Utf8JsonWriter json, ReadOnlySpan<float> values)
    {
        foreach (float x in values)
        {
            if (float.IsNaN(x))
                json.WriteNullValue();
            else
                json.WriteNumberValue(x);
        }
    }

    private static void WriteBytes(PipeWriter body, ReadOnlySpan<float> values)
    {
        Span<byte> bytes = body.GetSpan(sizeof(float) * values.Length);
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes[(sizeof(float) * i)..], values[i]);
        body.Advance(sizeof(float) * values.Length);
    }
}

/// <summary>All that the answer to a request is made of.</summary>
internal sealed record InferAnswer(ModelFamily Family, InferRequest Request, IReadOnlyList<InferOutput> Wanted, InferJob Job,
    ServedModel Model)
{
    public bool IsBinary(InferOutput output) => output.IsBinary ?? Job.Parameters.BinaryOutput;

    /// <summary>[N, S], or [N, draws, S] for the draws.</summary>
    public long[] Shape(string output) =>
        output == "draws" ? [Job.Windows, Job.Parameters.Draws, Job.Samples] : [Job.Windows, Job.Samples];

    /// <summary>What was done, as far as the request left it open: texts, whole numbers, numbers and truth values.</summary>
    public IEnumerable<(string Name, object Value)> Parameters()
    {
        ModelConfiguration configuration = Model.Engine.Configuration;
        yield return ("task", Job.Task.ToString());
        yield return ("unit",
            Job.Task switch { { Kind: TaskKind.Translate } => "normalized", { Output: Modality.Bp } => "mmHg", _ => "as given" });
        yield return ("summary", Job.Summary.ToString().ToLowerInvariant());
        yield return ("draws", Job.Parameters.Draws);
        yield return ("sampler", Job.Parameters.Sampler.For(configuration).ToString());
        yield return ("steps", new WindowShape(Job.Task, Job.Parameters.Draws, Job.Parameters.Sampler).Steps(configuration));
        yield return ("seed", Job.Parameters.Seed.ToString(CultureInfo.InvariantCulture));
        yield return ("compute_seconds", Job.ComputeTime.TotalSeconds);
        yield return ("untrained", Model.IsUntrained);
        yield return ("remark", Signals.Plotting.SignalPlot.Disclaimer);
    }

    public float[] Values(string output) => output switch
    {
        "signal" => Job.Signal,
        "low" => Job.Low,
        "high" => Job.High,
        _ => Job.Draws,
    };
}
