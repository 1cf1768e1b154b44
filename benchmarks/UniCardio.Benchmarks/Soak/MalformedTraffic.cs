using System.Diagnostics;
using System.Text;
using UniCardio.Engine.Model;

namespace UniCardio.Benchmarks.Soak;

/// <summary>Sound messages, bodies and requests that are then spoilt, and the pace at which they go out.</summary>
internal sealed class MalformedTraffic(int target, TimeSpan duration)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _refused;

    /// <summary>Inputs that were sent and got an answer.</summary>
    public Tally Answers { get; } = new();

    /// <summary>Answers that should not have been, with what they answered to.</summary>
    public List<string> Wrong { get; } = [];

    /// <summary>Malformed inputs that the server refused.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    public bool IsDone => Refused >= target || Stopwatch.GetElapsedTime(_start) > 1.5 * duration;

    /// <summary>Waits until the next one is due: all within nine tenths of the time.</summary>
    public async Task WaitAsync(CancellationToken cancellation)
    {
        TimeSpan due = (0.9 * duration * Refused / target) - Stopwatch.GetElapsedTime(_start);
        if (due > TimeSpan.FromMilliseconds(2))
            await Task.Delay(due, cancellation);
    }

    public void Note(string answer, bool isRefusal)
    {
        Answers.Add(answer);
        if (isRefusal)
            Interlocked.Increment(ref _refused);
    }

    public void NoteWrong(int mutant, string what)
    {
        Answers.Add("wrong");
        lock (Wrong)
        {
            if (Wrong.Count < 20)
                Wrong.Add(FormattableString.Invariant($"mutant {mutant}: {what}"));
        }
    }

    /// <summary>Live messages, text.</summary>
    public static byte[][] TextMessages { get; } =
    [
        .. ((string[])
        [
            """{"type":"open","id":1,"channels":{"ppg":{"rate":125,"min_value":-10,"max_value":10},"ecg":{"rate":250}},"generate":["bp"],"denoise":[],"muted":["ecg"],"draws":1,"sampler":"ddim:1","seed":"7","hop":0.5,"lateness":0.1,"restart":true}""",
            """{"type":"samples","id":"x","modality":"ppg","time":1.25,"samples":[0.1,0.2,null,0.4]}""",
            """{"type":"set","muted":["ppg"],"generate":[],"steps":1,"draws":2}""",
            """{"type":"advance","time":3.5}""",
            """{"type":"replay","recording":"one","speed":2.5,"loop":false}""",
            """{"type":"counts"}""",
            """{"type":"complete"}""",
        ]).Select(Encoding.UTF8.GetBytes),
    ];

    /// <summary>A live message, binary: four samples of ECG.</summary>
    public static byte[] BinaryMessage { get; } = [0x55, 0x43, 1, 1, 40, 0, 0, 0, 64, 66, 15, 0, 0, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0,
        .. ((float[])[1, 2, float.NaN, 4]).SelectMany(BitConverter.GetBytes)];

    /// <summary>Bytes of JSON in front of the samples in <see cref="BinaryBody"/>.</summary>
    public static int BinaryHeader { get; } = BinaryJson().Length;

    /// <summary>An infer body in JSON: a window of PPG.</summary>
    public static byte[] JsonBody { get; } = Encoding.UTF8.GetBytes(
        $$"""{"id":"a","parameters":{"target":"bp","draws":1,"sampler":"ddim:1","steps":1,"seed":3,"summary":"mean"},"inputs":[{"name":"ppg","shape":[1,500],"datatype":"FP32","data":[{{string.Join(',', Ppg().Select(x => x.ToString("F2", System.Globalization.CultureInfo.InvariantCulture)))}}]}],"outputs":[{"name":"signal","parameters":{"binary_data":true} }]}""");

    /// <summary>The same with the samples as bytes after a JSON header.</summary>
    public static byte[] BinaryBody { get; } = [.. BinaryJson(), .. Ppg().SelectMany(BitConverter.GetBytes)];

    /// <summary>Whole HTTP requests, byte by byte.</summary>
    public static byte[][] Requests { get; } =
    [
        .. ((string[])
        [
            "GET /patients HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:80\r\nAccept-Encoding: gzip, br\r\nRange: bytes=0-10\r\n\r\n",
            "GET /live/bed-9?frames=binary HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: "
            + "websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: "
            + "unicardio.v1\r\n\r\n",
            "POST /v2/models/translate/infer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
            + "14\r\n\r\n{\"inputs\": []}",
            "POST /v2/models/impute/versions/1/infer HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
            + "chunked\r\nInference-Header-Content-Length: 14\r\n\r\ne\r\n{\"inputs\": []}\r\n0\r\n\r\n",
            "HEAD /index.html HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"0\"\r\nOrigin: http://localhost\r\n\r\n",
        ]).Select(Encoding.UTF8.GetBytes),
    ];

    private static byte[] BinaryJson() =>
        """{"parameters":{"draws":1,"sampler":"ddim:1"},"inputs":[{"name":"ppg","shape":[1,500],"datatype":"FP32","parameters":{"binary_data_size":2000}}]}"""u8.ToArray();

    private static float[] Ppg() => [.. Enumerable.Range(0, 20).SelectMany(b => SimulatedPatient.Block(Modality.Ppg, b))];
}
