using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Tests;

/// <summary>The lines that README shows, compiled and run.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public async Task TheExampleRuns()
    {
        var backend = new FakeBackend();
        using var engine = new InferenceEngine(backend);
        var drawn = new List<(TimeSpan Time, float Value, Provenance From)>();
        void Draw(TimeSpan time, float value, Provenance from)
        {
            lock (drawn)
                drawn.Add((time, value, from));
        }
        IEnumerable<Block> Device() =>
            new Patient(9, Make.Options()).Drop(Modality.Bp, 6, 9).Blocks(0.2).Where(b => b.Modality != Modality.Ecg);

        var model = new { Engine = engine };

        // README
        using var host = new StreamingHost(model.Engine);
        host.WarmUp();
        var options =
            new StreamingSessionOptions { Ppg = new ChannelOptions(125), Bp = new ChannelOptions(125), Generate = ModalitySet.Bp };
        using StreamingSession session = host.Open(options, (_, frame) =>
        {
            for (int i = 0; i < frame.Count; i++)
                Draw(frame.TimeOf(i), frame.Values(Modality.Bp)[i], frame.Provenance(Modality.Bp)[i]);
        });
        foreach (Block block in Device())
            session.Push(block.Modality, block.Time, block.Samples);
        // README

        await host.DrainAsync().WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Null(session.Fault);
        lock (drawn)
        {
            Assert.Contains(drawn, d => d.From == Provenance.Imputed && d.Time > TimeSpan.FromSeconds(6));
            Assert.Contains(drawn, d => d.From == Provenance.Measured && d.Time < TimeSpan.FromSeconds(6));
        }
    }

    [Fact]
    public void ReadmeShowsTheseLines()
    {
        string shown = File.ReadAllText(Project.File("README.md")).ReplaceLineEndings("\n");
        string[] parts = File.ReadAllText(Project.File("tests", "UniCardio.Streaming.Tests", "ReadmeTests.cs")).ReplaceLineEndings("\n")
            .Split("        // README\n");
        Assert.Equal(3, parts.Length);
        string lines = string.Concat(parts[1].TrimEnd().Split('\n').Select(l => (l.Length > 8 ? l[8..] : l) + "\n"));
        Assert.Contains(lines, shown, StringComparison.Ordinal);
    }
}
