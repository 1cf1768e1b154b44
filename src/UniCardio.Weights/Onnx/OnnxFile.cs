using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Files;

namespace UniCardio.Weights.Onnx;

/// <summary>
/// Writes a network for hosts that run ONNX: one call, the noisy target, the conditions and t in, the prediction out; weights inside. A
/// host runs the sampler itself, from the rows in the metadata.
/// </summary>
/// <remarks>
/// <para>Inputs: <c>x_t</c> [windows, draws, S]; each condition under its name (<c>ppg</c>, <c>bp</c>, <c>ecg</c>) [windows, S]; <c>t</c>
/// [1], int64. Output: <c>prediction</c> [windows, draws, S]. All but t are float32 in scaled units, which the metadata's
/// <c>units</c> describe. Windows and draws are free unless the options fix them. The same weights and options give the same bytes.</para>
/// <para>Metadata <c>sampler_table</c> is a JSON array, a row a call, in order; with x_t standard normal before the first:
/// <code>
/// p  = prediction(x_t, conditions, t)
/// x0 = clamp(clean_from_state x_t + clean_from_prediction p, clamp_low, clamp_high)
/// x_t = state x_t + clean0 x0 + clean1 x0' + clean2 x0'' + noise z      x0', x0'': of one and two rows before, 0 before the first
/// </code>
/// A bound that is null does not exist; z is standard normal and drawn anew in each row whose <c>noise</c> is not 0.</para>
/// </remarks>
public static class OnnxFile
{
    /// <summary>Most bytes of a file: a protocol-buffers message of 2 GiB or more cannot be read.</summary>
    public const long MaxLength = int.MaxValue;

    /// <summary>Name of the noisy target's input.</summary>
    public const string State = "x_t";

    /// <summary>Name of the diffusion step's input.</summary>
    public const string Step = "t";

    /// <summary>Name of the output.</summary>
    public const string Prediction = "prediction";

    /// <summary>Said of every file.</summary>
    public const string Remark = "Research software, not a medical device. What this network puts out is generated, not measured.";

    /// <summary>Writes beside the destination and renames: the file is there whole, or as it was before.</summary>
    /// <param name="path">The destination; replaced if it exists.</param>
    /// <param name="weights">The network.</param>
    /// <param name="options">Task, batch and sampler.</param>
    /// <param name="metadata">Further pairs, e.g. <see cref="WeightFile.DescriptionKey"/>; they do not replace the file's own.</param>
    /// <param name="cancellation">Asked between tensors.</param>
    /// <returns>Bytes of the file.</returns>
    /// <exception cref="ConfigurationException">An option is out of range, or the sampler does not fit network or task.</exception>
    /// <exception cref="WeightFormatException">The file would have more than <see cref="MaxLength"/> bytes.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing was changed.</exception>
    public static long Write(string path, ModelWeights weights, OnnxOptions options, IReadOnlyDictionary<string, string>? metadata = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate(weights.Configuration);
        CheckLength(path, weights.Configuration, options.Task);
        Dictionary<string, string> pairs = Metadata(weights, options, metadata);
        cancellation.ThrowIfCancellationRequested();
        OnnxGraph graph = OnnxNetwork.Create(new FoldedNetwork(weights), options);
        ProtobufMessage model = graph.Model("unicardio", $"UniCardio, one network call of '{options.Task}'. {Remark}", pairs);
        AtomicFile.Write(path, stream => model.WriteTo(stream, cancellation));
        return model.Length;
    }

    // Before anything is folded: tables of many steps are what grows.
    private static void CheckLength(string path, ModelConfiguration m, CardioTask task)
    {
        long c = m.Channels, slots = task.Conditions.Count() + 1;
        long block = (8 * c * c) + (2 * c * m.FeedForward) + (4 * c * m.DiffusionSteps) + (2 * c * m.SlotTokens * slots);
        long bytes = sizeof(float) * ((m.Blocks * block) + (2 * c * m.SlotTokens * slots));
        if (bytes >= MaxLength)
            throw new WeightFormatException(path,
                $"the network would take {bytes} bytes with its tables of {m.DiffusionSteps} steps and {m.SlotTokens} positions; an ONNX "
                + $"file holds {MaxLength}");
    }

    private static Dictionary<string, string> Metadata(ModelWeights weights, OnnxOptions options,
        IReadOnlyDictionary<string, string>? further)
    {
        ModelConfiguration m = weights.Configuration;
        SamplerOptions asked = m.Prediction == PredictionKind.Correction ? SamplerOptions.Correction : options.Sampler;
        SamplerTable table = SamplerTable.Create(asked, m, options.Task);
        var pairs = new Dictionary<string, string>(further ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        foreach ((string key, string value) in m.ToMetadata())
            pairs[key] = value;
        pairs["task"] = options.Task.ToString();
        pairs["conditions"] = string.Join(',', options.Task.Conditions.Members().Select(c => c.Name()));
        pairs["output"] = options.Task.Output.Name();
        pairs["sample_rate"] = "125";
        pairs["units"] = Units(m, options.Task);
        pairs["sampler"] = table.Options.ToString();
        pairs["sampler_table"] = Rows(table);
        pairs["weights_sha256"] = Hash(weights);
        pairs["remark"] = Remark;
        return pairs;
    }

    // Of names and values in the catalog's order, so that a file converted to another format keeps it.
    private static string Hash(ModelWeights weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ParameterTensor tensor in weights.Tensors)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(tensor.Name));
            hash.AppendData(MemoryMarshal.AsBytes(tensor.Span));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Units(ModelConfiguration m, CardioTask task) => Text(json =>
    {
        json.WriteStartObject();
        foreach (Modality condition in task.Conditions.Members())
            json.WriteString(condition.Name(), Meaning(condition, task));
        json.WriteString(State, StateMeaning(m, task));
        json.WriteString(Prediction, PredictionMeaning(m));
        json.WriteEndObject();
    });

    /// <summary>What a condition's samples are.</summary>
    internal static string Meaning(Modality condition, CardioTask task)
    {
        bool restored = task.Kind != TaskKind.Translate && condition == task.Output;
        string scale = condition == Modality.Bp ? "(mmHg - 100) / 50"
            : task.Kind == TaskKind.Denoise && restored ? "the window's 0.5% and 99.5% quantiles mapped to -1 and 1"
            : "the window's least and largest measured sample mapped to -1 and 1";
        return $"{condition.Name()} at 125 Hz: {scale}; a missing sample is -1";
    }

    /// <summary>What the noisy target is.</summary>
    internal static string StateMeaning(ModelConfiguration m, CardioTask task) => m.Prediction == PredictionKind.Correction
        ? "the restored signal's window as its own input has it, but with the proposal in its gap"
        : $"the noisy {task.Output.Name()} x_t, in the units of a clean one "
            + $"({(task.Output == Modality.Bp ? "(mmHg - 100) / 50" : "-1 to 1")})";

    /// <summary>What comes out.</summary>
    internal static string PredictionMeaning(ModelConfiguration m) => m.Prediction switch
    {
        PredictionKind.Epsilon => "the noise eps in x_t = alpha x0 + sigma eps",
        PredictionKind.V => "v = alpha eps - sigma x0",
        PredictionKind.Correction => "what to add to the proposal in the gap",
        _ => "the clean signal x0",
    };

    private static string Rows(SamplerTable table) => Text(json =>
    {
        json.WriteStartArray();
        foreach (SamplerStep row in table.Steps)
        {
            json.WriteStartObject();
            json.WriteNumber(Step, row.T);
            json.WriteNumber("clean_from_state", row.CleanFromState);
            json.WriteNumber("clean_from_prediction", row.CleanFromPrediction);
            json.WriteNumber("state", row.State);
            json.WriteNumber("clean0", row.Clean0);
            json.WriteNumber("clean1", row.Clean1);
            json.WriteNumber("clean2", row.Clean2);
            json.WriteNumber("noise", row.Noise);
            Bound(json, "clamp_low", row.ClampLow);
            Bound(json, "clamp_high", row.ClampHigh);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static void Bound(Utf8JsonWriter json, string name, double bound)
    {
        if (double.IsFinite(bound))
            json.WriteNumber(name, bound);
        else
            json.WriteNull(name);
    }

    private static string Text(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes,
            new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            write(json);
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }
}
