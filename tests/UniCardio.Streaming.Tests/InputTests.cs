using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Tests;

/// <summary>Time stamps: duplicates, overlaps, jitter, drift, lateness, gaps and jumps of the clock. Nothing is generated, so frames show
/// the input.</summary>
public sealed class InputTests : IDisposable
{
    private readonly InferenceEngine _engine = Make.Engine();
    private readonly StreamingHost _host;
    private readonly Frames _frames = new();

    public InputTests() => _host = Make.Host(_engine);

    public void Dispose()
    {
        _host.Dispose();
        _engine.Dispose();
    }

    private static StreamingSessionOptions Ppg => new() { Ppg = new ChannelOptions(125), Generate = ModalitySet.None };

    // A value that tells its place.
    private static float[] Ramp(int from, int count) => [.. Enumerable.Range(from, count).Select(i => (float)i)];

    private static TimeSpan At(int sample) => TimeSpan.FromMilliseconds(8 * sample);

    private StreamingSession Open(StreamingSessionOptions? options = null) => _host.Open(options ?? Ppg, _frames.Handle);

    /// <summary>Sample i of the live signal, by frames.</summary>
    private Dictionary<TimeSpan, float> Shown(Modality modality = Modality.Ppg) =>
        _frames.All.SelectMany(f => Enumerable.Range(0, f.Count).Select(i => (f.TimeOf(i), f.Measured(modality)[i]))).ToDictionary();

    private void Expect(Func<int, float> value, int from, int to)
    {
        Dictionary<TimeSpan, float> shown = Shown();
        for (int i = from; i < to; i++)
            Assert.Equal(value(i), shown[At(i)]);
    }

    [Fact]
    public void TheFirstOfTwoWithOneStampWins()
    {
        using StreamingSession session = Open();
        Assert.Equal(new PushResult(50, 0, 0, 0), session.Push(Modality.Ppg, At(0), Ramp(0, 50)));
        Assert.Equal(new PushResult(0, 50, 0, 0), session.Push(Modality.Ppg, At(0), Ramp(1000, 50)));
        // A longer one adds its tail.
        Assert.Equal(new PushResult(10, 50, 0, 0), session.Push(Modality.Ppg, At(0), Ramp(0, 60)));
        session.Complete();
        Expect(i => i, 0, 60);
        InputCounts counts = session.InputCounts(Modality.Ppg);
        Assert.Equal((3, 160, 1, 1, 100),
            (counts.Blocks, counts.Samples, counts.DuplicateBlocks, counts.OverlappingBlocks, counts.RepeatedSamples));
    }

    // Blocks of one sample are told apart by their stamps alone.
    [Fact]
    public void SingleSamplesCanBeSentTwice()
    {
        using StreamingSession session = Open();
        for (int i = 0; i < 200; i++)
        {
            Assert.Equal(1, session.Push(Modality.Ppg, At(i), [i]).Taken);
            if (i % 3 == 0)
                Assert.Equal(1, session.Push(Modality.Ppg, At(i), [-1]).Repeated);
        }
        session.Complete();
        Expect(i => i, 0, 200);
    }

    [Fact]
    public void OverlapsKeepWhatWasThere()
    {
        using StreamingSession session = Open();
        session.Push(Modality.Ppg, At(0), Ramp(0, 50));
        Assert.Equal(new PushResult(30, 20, 0, 0), session.Push(Modality.Ppg, At(30), Ramp(1030, 50)));
        // An overlap by a single sample is no jitter.
        Assert.Equal(new PushResult(9, 1, 0, 0), session.Push(Modality.Ppg, At(79), Ramp(2079, 10)));
        session.Complete();
        Expect(i => i < 50 ? i : i < 80 ? 1000 + i : 2000 + i, 0, 89);
        Assert.Equal(
            (0, 2, 21), (session.InputCounts(Modality.Ppg).DuplicateBlocks, session.InputCounts(Modality.Ppg).OverlappingBlocks,
                session.InputCounts(Modality.Ppg).RepeatedSamples));
    }

    [Fact]
    public void JitterLeavesNoSeam()
    {
        using StreamingSession session = Open(Ppg with { Ppg = new ChannelOptions(125) { JitterSeconds = 0.05 } });
        var random = new Random(1);
        for (int i = 0; i < 100; i++)
            session.Push(Modality.Ppg, At(10 * i) + TimeSpan.FromMilliseconds(i == 0 ? 0 : random.Next(-40, 41)), Ramp(10 * i, 10));
        session.Complete();
        Expect(i => i, 0, 1000);
        Assert.Equal((0, 0), (session.InputCounts(Modality.Ppg).RepeatedSamples, session.InputCounts(Modality.Ppg).Gaps));
    }

    // A clock that runs 0.5% fast: ten minutes of samples come with stamps that stretch over 603 s.
    [Theory]
    [InlineData(1.005)]
    [InlineData(0.995)]
    public void DriftCostsASampleNowAndThen(double speed)
    {
        using StreamingSession session = Open();
        for (int i = 0; i < 7500; i++)
            session.Push(Modality.Ppg, TimeSpan.FromTicks((long)(80_000 * 10 * i * speed)), Ramp(10 * i, 10));
        session.Complete();
        InputCounts counts = session.InputCounts(Modality.Ppg);
        // 0.5% of 75000 samples, up to one of jitter that is not yet due.
        long expected = 375;
        Assert.InRange(speed > 1 ? _frames.Provenances(Modality.Ppg).Count(p => p == Provenance.Bridged) : counts.RepeatedSamples,
            expected - 1, expected + 1);
        Assert.Equal((0, 0), (counts.Gaps, counts.LateSamples));
        _frames.CheckContinuity();
    }

    [Fact]
    public void LateBlocksFindTheirPlaceUntilItIsGivenUp()
    {
        // 250 ms are 31.25 samples.
        using StreamingSession session = Open();
        session.Push(Modality.Ppg, At(0), Ramp(0, 50));
        session.Push(Modality.Ppg, At(60), Ramp(60, 10));
        Assert.Equal(new PushResult(5, 0, 0, 0), session.Push(Modality.Ppg, At(50), Ramp(50, 5)));
        // The block at 90 gives up what lies before 90 - 31.25; of the samples 55 to 59 only the last is still waited for.
        session.Push(Modality.Ppg, At(90), Ramp(90, 10));
        Assert.Equal(new PushResult(2, 0, 3, 0), session.Push(Modality.Ppg, At(55), Ramp(55, 5)));
        session.Push(Modality.Ppg, At(120), Ramp(120, 10));
        Assert.Equal(new PushResult(2, 0, 18, 0), session.Push(Modality.Ppg, At(70), Ramp(70, 20)));
        session.Complete();
        Expect(i => i is >= 55 and < 58 or >= 70 and < 88 or >= 100 and < 120 ? float.NaN : i, 0, 130);
        InputCounts counts = session.InputCounts(Modality.Ppg);
        Assert.Equal((3, 21, 3, 41), (counts.ReorderedBlocks, counts.LateSamples, counts.Gaps, counts.MissingSamples));
    }

    [Fact]
    public void WhatIsNoNumberOrNotPlausibleIsMissing()
    {
        StreamingSessionOptions options = new() { Bp = new ChannelOptions(125), Generate = ModalitySet.None };
        using StreamingSession session = Open(options);
        float[] block = [.. Enumerable.Range(0, 100).Select(i => 80 + (i % 40f))];
        (block[10], block[30], block[31], block[50]) = (float.NaN, float.PositiveInfinity, float.NegativeInfinity, 301);
        block.AsSpan(60, 5).Fill(-0.5f);
        Assert.Equal(new PushResult(100, 0, 0, 0), session.Push(Modality.Bp, At(0), block));
        session.Complete();
        InputCounts counts = session.InputCounts(Modality.Bp);
        Assert.Equal((3, 6), (counts.NonFiniteSamples, counts.ImplausibleSamples));
        Dictionary<TimeSpan, float> shown = Shown(Modality.Bp);
        // Single ones are bridged; what a line would cost is stated by provenance.
        Assert.All(Enumerable.Range(60, 5), i => Assert.Equal(float.NaN, shown[At(i)]));
        Assert.Equal((block[9] + block[11]) / 2, shown[At(10)]);
        Assert.Equal(4, _frames.Provenances(Modality.Bp).Count(p => p == Provenance.Bridged));
        Assert.DoesNotContain(_frames.Values(Modality.Bp), float.IsInfinity);
    }

    [Fact]
    public void AJumpOfTheClockBeginsASegment()
    {
        using StreamingSession session = Open();
        session.Push(Modality.Ppg, At(0), Ramp(0, 300));
        // Ten minutes back; the second such block shows that it is no stray.
        TimeSpan jump = TimeSpan.FromMinutes(-10);
        Assert.Equal(new PushResult(0, 0, 0, 100), session.Push(Modality.Ppg, jump + At(0), Ramp(0, 100)));
        Assert.Equal(new PushResult(100, 0, 0, 0), session.Push(Modality.Ppg, jump + At(100), Ramp(100, 100)));
        session.Push(Modality.Ppg, jump + At(200), Ramp(200, 100));
        session.Complete();

        _frames.CheckContinuity();
        Assert.Equal(1, session.Counts.ClockJumps);
        foreach (IGrouping<int, StreamingFrame> segment in _frames.All.GroupBy(f => f.Segment))
        {
            StreamingFrame[] frames = [.. segment];
            Assert.Equal([.. Enumerable.Repeat(false, frames.Length - 1), true], frames.Select(f => f.IsLast));
            float[] measured = [.. frames.SelectMany(f => f.Measured(Modality.Ppg).ToArray()).SkipWhile(float.IsNaN)];
            Assert.Equal(Ramp(0, 300), measured);
        }
        Assert.Equal(jump, _frames.All.Where(f => f.Segment == 1)
            .SelectMany(f => Enumerable.Range(0, f.Count).Where(i => f.Measured(Modality.Ppg)[i] == 0).Select(f.TimeOf)).Single());
        Assert.Equal(0, session.InputCounts(Modality.Ppg).StraySamples);
    }

    [Theory]
    [InlineData(600)]
    [InlineData(-600)]
    public void AStrayStampIsDropped(int seconds)
    {
        using StreamingSession session = Open();
        session.Push(Modality.Ppg, At(0), Ramp(0, 100));
        TimeSpan stray = TimeSpan.FromSeconds(seconds);
        session.Push(Modality.Ppg, stray, Ramp(100, 25));
        // Sent again it is still one witness; another far one is no second witness for the same place.
        Assert.Equal(25, session.Push(Modality.Ppg, stray, Ramp(100, 25)).SetAside);
        Assert.Equal(10, session.Push(Modality.Ppg, 2 * stray, Ramp(0, 10)).SetAside);
        Assert.Equal(100, session.Push(Modality.Ppg, At(100), Ramp(100, 100)).Taken);
        session.Complete();
        Expect(i => i, 0, 200);
        Assert.Equal((0, 60), (session.Counts.ClockJumps, session.InputCounts(Modality.Ppg).StraySamples));
    }

    // Far enough for a pause, near enough for the clock: the gap is shown.
    [Fact]
    public void APauseIsAGap()
    {
        using StreamingSession session = Open();
        session.Push(Modality.Ppg, At(0), Ramp(0, 100));
        session.Push(Modality.Ppg, At(1300), Ramp(1300, 100));
        session.Complete();
        Expect(i => i is >= 100 and < 1300 ? float.NaN : i, 0, 1400);
        _frames.CheckContinuity();
        Assert.Equal((1, 1200), (session.InputCounts(Modality.Ppg).Gaps, session.InputCounts(Modality.Ppg).MissingSamples));
    }

    // Nobody sends: time continues by itself, and frames say that there is nothing.
    [Fact]
    public void SilenceIsShownWhenToldTheTime()
    {
        using StreamingSession session = Open(Ppg with { Generate = ModalitySet.Ppg, Sampling = Make.Quick });
        for (int i = 0; i < 5; i++)
            session.Push(Modality.Ppg, At(125 * i), Ramp(125 * i, 125));
        _host.RunPending();
        int before = _frames.All.Count;
        session.AdvanceTo(TimeSpan.FromSeconds(8));
        _host.RunPending();
        Assert.Equal(6, _frames.All.Count - before);
        ModalityStatus newest = _frames.All[^1].Status(Modality.Ppg);
        Assert.Equal((Provenance.NoSignal, NoSignalReason.NothingSupports, AbsenceReason.Missing),
            (newest.Provenance, newest.NoSignal, newest.Quality.Absence));
        // A clock that is wrong must not wipe out the signal.
        session.AdvanceTo(TimeSpan.FromDays(400));
        session.AdvanceTo(TimeSpan.FromSeconds(1));
        Assert.Equal(before + 6, _frames.All.Count);
        // What comes then is late for what was given up, and taken where it was not.
        Assert.Equal(new PushResult(32, 0, 93, 0), session.Push(Modality.Ppg, TimeSpan.FromSeconds(7), Ramp(0, 125)));
    }

    [Fact]
    public void ChannelsWaitForEachOther()
    {
        using StreamingSession session = Open(Make.Options() with { Generate = ModalitySet.None });
        // A second of PPG, then a second of BP, then of ECG: none is late for another's block.
        for (int second = 0; second < 6; second++)
        {
            foreach (Modality modality in Modalities.All)
            {
                int frames = _frames.All.Count;
                float[] block = [.. Ramp(125 * second, 125).Select(x => 5 + (x % 40) + (x / 100000))];
                Assert.Equal(125, session.Push(modality, TimeSpan.FromSeconds(second), block).Taken);
                // The first blocks wait for others that may be late.
                if (modality != Modality.Ecg && second > 1)
                    Assert.Equal(frames, _frames.All.Count);
            }
            Assert.InRange(_frames.All.Count, 2 * second, (2 * second) + 3);
        }
        Assert.All(Modalities.All, m => Assert.Equal((0, 0), (session.InputCounts(m).LateSamples, session.InputCounts(m).Gaps)));
    }

    [Fact]
    public void DelaysStayWithinTheirBound()
    {
        foreach (double rate in (double[])[125, 500, 100, 60])
        {
            StreamingSessionOptions options = Make.Options(rate, rate, 125);
            Patient patient = new Patient(12, options).Drop(Modality.Bp, 6, 9).Drop(Modality.Ecg, 3, 3.01);
            Frames frames = Live.Run(_engine, options, patient.Blocks(0.1), complete: false, look: session =>
                Assert.True(session.AlgorithmicDelay < TimeSpan.FromSeconds(0.5 + (30 / Math.Min(rate, 125))),
                    $"{session.AlgorithmicDelay}"));
            using StreamingSession session = _host.Open(options, _frames.Handle);
            TimeSpan bound = session.AlgorithmicDelay + TimeSpan.FromSeconds(2 * 0.1);
            Assert.All(frames.All, f => Assert.InRange(f.AlgorithmicDelay, options.Fade, bound));
            // And it is no idle bound: while BP is silent nothing can be sooner than the lateness that it is allowed.
            Assert.Contains(frames.All, f => f.AlgorithmicDelay > options.Fade + options.MaximumLateness);
        }
    }

    [Fact]
    public void WhatCannotBeTakenIsRefused()
    {
        using StreamingSession session = Open();
        Assert.Throws<ArgumentException>(() => session.Push(Modality.Bp, default, new float[5]));
        Assert.Throws<ArgumentException>(() => session.Push((Modality)3, default, new float[5]));
        Assert.Throws<ArgumentException>(() => session.Push(Modality.Ppg, default, new float[1251]));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Push(Modality.Ppg, TimeSpan.MaxValue, new float[5]));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Push(Modality.Ppg, TimeSpan.MinValue, new float[5]));
        Assert.Equal(default, session.Push(Modality.Ppg, default, []));
        session.Complete();
        Assert.Throws<SessionClosedException>(() => session.Push(Modality.Ppg, default, new float[5]));
        Assert.Throws<SessionClosedException>(() => session.AdvanceTo(default));
        Assert.Empty(_frames.All);
    }
}
