using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Streaming;

namespace UniCardio.Serving.Protocol;

/// <summary>Reads what clients send. One reader a connection: it keeps the memory for samples.</summary>
internal sealed class MessageReader
{
    private const int MaxDepth = 8;
    private const double MaxTime = 36525 * 86400.0;
    private static readonly string[] SettingFields = ["generate", "denoise", "muted", "draws", "sampler", "steps"];
    private static readonly string[] OpeningFields = [.. SettingFields, "seed", "hop", "window", "lateness", "own_signals", "min_index"];

    private float[] _samples = new float[256];

    /// <summary>Reads a text message.</summary>
    /// <exception cref="ProtocolException">It is not a message of the protocol, or a value is out of range.</exception>
    public ClientMessage ReadText(ReadOnlyMemory<byte> message)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(message, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return Read(new Fields(document.RootElement));
        }
        catch (JsonException problem)
        {
            throw new ProtocolException(ErrorCode.Malformed, $"the message is not JSON: {problem.Message}", problem);
        }
        catch (InvalidOperationException problem)
        {
            throw new ProtocolException(ErrorCode.Malformed, "the message holds text that is not UTF-8", problem);
        }
    }

    /// <summary>Reads a binary message.</summary>
    /// <exception cref="ProtocolException">It is not a message of the protocol.</exception>
    public SamplesMessage ReadBinary(ReadOnlySpan<byte> message)
    {
        const int Head = 24;
        if (message.Length < BinaryFrame.HeaderBytes || message[0] != 'U' || message[1] != 'C')
            throw Malformed("the binary message does not begin with a header");
        if (message[2] != LiveProtocol.Version || message[3] != BinaryFrame.SamplesKind)
            throw Malformed(
                $"the binary message is of version {message[2]} and kind {message[3]}; expected {LiveProtocol.Version} and "
                + $"{BinaryFrame.SamplesKind}");
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(message[4..]);
        if (length != message.Length || length < Head)
            throw Malformed($"the binary message says that it has {length} bytes and has {message.Length}");
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(message[20..]);
        if (message[16] > (byte)Modality.Ecg || (message[17] | message[18] | message[19]) != 0 || Head + (4L * count) != message.Length)
            throw Malformed(
                $"the head of the binary message does not fit: modality {message[16]}, {count} samples in {message.Length} bytes");
        Reserve((int)count);
        for (int i = 0; i < (int)count; i++)
            _samples[i] = BinaryPrimitives.ReadSingleLittleEndian(message[(Head + (4 * i))..]);
        long microseconds = BinaryPrimitives.ReadInt64LittleEndian(message[8..]);
        if (Math.Abs(microseconds / 1e6) > MaxTime)
            throw new ProtocolException(ErrorCode.Invalid, $"time {microseconds} is more than 100 years from zero");
        return new SamplesMessage(null, (Modality)message[16], TimeSpan.FromTicks(microseconds * TimeSpan.TicksPerMicrosecond),
            _samples.AsMemory(0, (int)count));
    }

    private ClientMessage Read(Fields fields)
    {
        string type = fields.Text("type") ?? throw Malformed("'type' is missing");
        JsonNode? id = fields.Id();
        ClientMessage message = type switch
        {
            "open" => new OpenMessage(id, Channels(fields), Settings(fields, OpeningFields), fields.Flag("restart"), fields.Flag("wait")),
            "samples" => new SamplesMessage(id, fields.Modality("modality"), fields.Time("time"), Samples(fields)),
            "advance" => new AdvanceMessage(id, fields.Time("time")),
            "set" => new SetMessage(id, Settings(fields, SettingFields)),
            "replay" => new ReplayMessage(id, fields.Text("recording") ?? throw Malformed("'recording' is missing"), Speed(fields),
                fields.Flag("loop"), Settings(fields, OpeningFields)),
            "complete" => new CompleteMessage(id),
            "stop" => new StopMessage(id),
            "counts" => new CountsRequest(id),
            _ => throw Malformed("the type is none of open, samples, advance, set, replay, complete, stop, counts"),
        };
        fields.RequireAllRead(type);
        return message;
    }

    private ReadOnlyMemory<float> Samples(Fields fields)
    {
        JsonElement list = fields.Take("samples") ?? throw Malformed("'samples' is missing");
        if (list.ValueKind != JsonValueKind.Array)
            throw Malformed("'samples' should be a list");
        int count = list.GetArrayLength(), i = 0;
        Reserve(count);
        foreach (JsonElement element in list.EnumerateArray())
        {
            _samples[i] = element.ValueKind switch
            {
                JsonValueKind.Null => float.NaN,
                JsonValueKind.Number when element.TryGetSingle(out float value) && float.IsFinite(value) => value,
                JsonValueKind.Number => throw new ProtocolException(ErrorCode.Invalid, $"sample {i} is not a float32"),
                _ => throw Malformed($"sample {i} is neither a number nor null"),
            };
            i++;
        }
        return _samples.AsMemory(0, count);
    }

    private void Reserve(int count)
    {
        if (_samples.Length < count)
            _samples = new float[Math.Max(count, 2 * _samples.Length)];
    }

    private static double Speed(Fields fields)
    {
        double speed = fields.Number("speed") ?? 1;
        return speed is >= 1 and <= LiveProtocol.FastestReplay ? speed : throw new ProtocolException(ErrorCode.Invalid,
            FormattableString.Invariant($"speed {speed} is not between 1 and {LiveProtocol.FastestReplay}"));
    }

    private static LiveSettings Settings(Fields fields, string[] allowed)
    {
        bool opens = allowed.Length == OpeningFields.Length;
        return new LiveSettings
        {
            Generate = fields.Modalities("generate"),
            Denoise = fields.Modalities("denoise"),
            Muted = fields.Modalities("muted"),
            Draws = fields.Whole("draws", LiveSampling.MaxDraws),
            Sampler = fields.Sampler("sampler"),
            Steps = fields.Whole("steps", 1_000_000),
            Seed = opens ? fields.Seed("seed") : null,
            Hop = opens ? fields.Seconds("hop") : null,
            Window = opens ? fields.Seconds("window") : null,
            Lateness = opens ? fields.Seconds("lateness") : null,
            OwnSignals = opens ? fields.Choice("own_signals") : null,
            MinIndex = opens ? fields.Number("min_index") : null,
        };
    }

    private static Dictionary<Modality, ChannelOptions> Channels(Fields fields)
    {
        JsonElement list = fields.Take("channels") ?? throw Malformed("'channels' is missing");
        var channels = new Dictionary<Modality, ChannelOptions>();
        var names = new Fields(list);
        foreach (Modality modality in Engine.Model.Modalities.All)
        {
            if (names.Take(modality.Name()) is JsonElement channel)
                channels.Add(modality, Channel(new Fields(channel)));
        }
        names.RequireAllRead("channels");
        return channels;
    }

    private static ChannelOptions Channel(Fields fields)
    {
        var channel = new ChannelOptions(fields.Number("rate") ?? throw Malformed("a channel lacks 'rate'"));
        channel = channel with
        {
            MinValue = (float?)fields.Number("min_value"),
            MaxValue = (float?)fields.Number("max_value"),
            MinSpan = (float?)fields.Number("min_span"),
            FlatSeconds = fields.Number("flat_seconds") ?? channel.FlatSeconds,
            FlatTolerance = (float?)fields.Number("flat_tolerance") ?? channel.FlatTolerance,
            ClippedSeconds = fields.Number("clipped_seconds") ?? channel.ClippedSeconds,
            ClippedOnceSeconds = fields.Number("clipped_once_seconds") ?? channel.ClippedOnceSeconds,
            JitterSeconds = fields.Number("jitter_seconds"),
        };
        fields.RequireAllRead("a channel");
        return channel;
    }

    private static ProtocolException Malformed(string what) => new(ErrorCode.Malformed, what);

    /// <summary>The fields of an object, each taken once.</summary>
    private sealed class Fields
    {
        private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);

        public Fields(JsonElement element)
        {
            if (element.ValueKind != JsonValueKind.Object)
                throw Malformed("expected a JSON object");
            foreach (JsonProperty property in element.EnumerateObject())
            {
                if (!_fields.TryAdd(property.Name, property.Value))
                    throw Malformed("a field is a duplicate");
            }
        }

        public JsonElement? Take(string name) => _fields.Remove(name, out JsonElement value) ? value : null;

        public void RequireAllRead(string what)
        {
            if (_fields.Count > 0)
                throw Malformed(
                    $"{what} has no field '{(_fields.Keys.First() is { Length: > 64 } key ? key[..64] : _fields.Keys.First())}'");
        }

        public string? Text(string name) => Take(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } text => text.GetString(),
            _ => throw Malformed($"'{name}' should be a text"),
        };

        public bool Flag(string name) => Choice(name) ?? false;

        public bool? Choice(string name) => Take(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            _ => throw Malformed($"'{name}' should be true or false"),
        };

        public double? Number(string name) => Take(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Number } number when double.IsFinite(number.GetDouble()) => number.GetDouble(),
            _ => throw Malformed($"'{name}' should be a number"),
        };

        public int? Whole(string name, int max)
        {
            if (Take(name) is not JsonElement element)
                return null;
            if (element.ValueKind != JsonValueKind.Number)
                throw Malformed($"'{name}' should be a number");
            return element.TryGetInt32(out int value) && value >= 1 && value <= max ? value
                : throw new ProtocolException(ErrorCode.Invalid, $"{name} is not a whole number between 1 and {max}");
        }

        public TimeSpan? Seconds(string name) => Number(name) is double seconds ? Checked(name, seconds) : null;

        public TimeSpan Time(string name) => Checked(name, Number(name) ?? throw Malformed($"'{name}' is missing"));

        public Modality Modality(string name) =>
            Engine.Model.Modalities.TryParse(Text(name) ?? throw Malformed($"'{name}' is missing"), out Modality modality) ? modality
                : throw Malformed($"'{name}' is none of ppg, bp, ecg");

        public ModalitySet? Modalities(string name)
        {
            if (Take(name) is not JsonElement list)
                return null;
            if (list.ValueKind != JsonValueKind.Array)
                throw Malformed($"'{name}' should be a list of ppg, bp, ecg");
            ModalitySet set = ModalitySet.None;
            foreach (JsonElement element in list.EnumerateArray())
            {
                if (element.ValueKind != JsonValueKind.String
                    || !Engine.Model.Modalities.TryParse(element.GetString(), out Modality modality))
                    throw Malformed($"'{name}' should be a list of ppg, bp, ecg");
                set |= modality.ToSet();
            }
            return set;
        }

        public SamplerOptions? Sampler(string name)
        {
            if (Text(name) is not string text)
                return null;
            try
            {
                return SamplerOptions.Parse(text);
            }
            catch (FormatException problem)
            {
                throw new ProtocolException(ErrorCode.Invalid, problem.Message, problem);
            }
        }

        public ulong? Seed(string name) => Take(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Number } number when number.TryGetUInt64(out ulong seed) => seed,
            { ValueKind: JsonValueKind.String } text when ulong.TryParse(text.GetString(), NumberStyles.None, CultureInfo.InvariantCulture,
                out ulong seed) => seed,
            _ => throw new ProtocolException(ErrorCode.Invalid, $"{name} is not a whole number from 0 to 18446744073709551615"),
        };

        public JsonValue? Id() => Take("id") switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } text when text.GetString()!.Length <= LiveProtocol.MaxIdLength =>
                JsonValue.Create(text.GetString()),
            { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out long id) => JsonValue.Create(id),
            _ => throw Malformed($"'id' should be a text of at most {LiveProtocol.MaxIdLength} characters or a whole number"),
        };

        private static TimeSpan Checked(string name, double seconds) => Math.Abs(seconds) <= MaxTime
            ? TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond))
            : throw new ProtocolException(ErrorCode.Invalid, $"{name} is more than 100 years from zero");
    }
}
