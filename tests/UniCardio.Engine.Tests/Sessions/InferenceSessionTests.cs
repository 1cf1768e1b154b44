using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;

namespace UniCardio.Engine.Tests.Sessions;

public sealed class InferenceSessionTests
{
    private const int S = 100;
    private static readonly CardioTask Task = CardioTask.Parse("ppg,bp->ecg");

    [Fact]
    public void ARunIsTheTablesRowsOverTheKeyedNoise()
    {
        using var engine = new InferenceEngine(Fake());
        using InferenceSession session =
            engine.CreateSession(Task, new() { Windows = 2, Draws = 3, Seed = 7, Sampler = SamplerOptions.Parse("ddim:4,eta=0.5") });
        float[] conditions = Conditions(2), results = new float[2 * 3 * S];
        session.Run(conditions, results, [40, 41]);

        SamplerTable table = session.Sampler;
        for (int draw = 0; draw < 6; draw++)
        {
            double condition = conditions.AsSpan(draw / 3 * 2 * S, 2 * S).ToArray().Average();
            double[][] noise = new double[table.NoiseDraws][];
            for (int k = 0; k < noise.Length; k++)
            {
                float[] z = new float[S];
                PhiloxNormal.Fill(7, (uint)(40 + (draw / 3)), (uint)(draw % 3), (uint)k, z);
                noise[k] = Array.ConvertAll(z, v => (double)v);
            }

            double[] expected = Sampling.TableRunner.Run(table, (x, t) => [.. x.Select(v => Math.Sin(v + condition + t))], noise);
            for (int i = 0; i < S; i++)
                Assert.Equal(expected[i], results[(draw * S) + i], 1e-5);
        }
    }

    [Fact]
    public void ResultsDoNotDependOnHowWindowsAndDrawsAreBatched()
    {
        using var engine = new InferenceEngine(Fake());
        SamplerOptions sampler = SamplerOptions.Parse("ddim:5,eta=1");
        float[] conditions = Conditions(3), whole = new float[3 * 4 * S], part = new float[2 * S];
        using InferenceSession all = engine.CreateSession(Task, new() { Windows = 3, Draws = 4, Sampler = sampler, Seed = 5 });
        all.Run(conditions, whole, [9, 8, 7]);
        using InferenceSession two = engine.CreateSession(Task, new() { Draws = 2, Sampler = sampler, Seed = 99 });
        for (int window = 0; window < 3; window++)
        {
            for (int first = 0; first < 4; first += 2)
            {
                two.Run(conditions.AsSpan(window * 2 * S, 2 * S), part, NoiseSource.Philox(5, [(uint)(9 - window)], (uint)first));
                Assert.Equal(whole.AsSpan(((window * 4) + first) * S, 2 * S).ToArray(), part);
            }
        }
    }

    [Fact]
    public void SeedWindowAndDrawEachChangeTheNoise()
    {
        using var engine = new InferenceEngine(Fake());
        float[] conditions = Conditions(1);
        float[] Result(ulong seed, uint window, uint draw)
        {
            using InferenceSession session = engine.CreateSession(Task, new() { Sampler = SamplerOptions.Parse("ddim:3") });
            float[] result = new float[S];
            session.Run(conditions, result, NoiseSource.Philox(seed, [window], draw));
            return result;
        }

        float[] one = Result(1, 2, 3);
        Assert.Equal(one, Result(1, 2, 3));
        Assert.NotEqual(one, Result(2, 2, 3));
        Assert.NotEqual(one, Result(1, 3, 3));
        Assert.NotEqual(one, Result(1, 2, 4));
    }

    [Fact]
    public void ExplicitNoiseIsUsed()
    {
        using var engine = new InferenceEngine(Fake());
        SamplerOptions sampler = SamplerOptions.Parse("ddim:3,eta=1");
        using InferenceSession session = engine.CreateSession(Task, new() { Windows = 2, Draws = 2, Sampler = sampler, Seed = 3 });
        float[] keyed = new float[4 * S], given = new float[4 * S], noise = new float[session.Sampler.NoiseDraws * 4 * S];
        for (int k = 0; k < session.Sampler.NoiseDraws; k++)
        {
            for (int draw = 0; draw < 4; draw++)
                PhiloxNormal.Fill(3, (uint)(draw / 2), (uint)(draw % 2), (uint)k, noise.AsSpan(((k * 4) + draw) * S, S));
        }

        session.Run(Conditions(2), keyed);
        session.Run(Conditions(2), given, NoiseSource.Explicit(noise));
        Assert.Equal(keyed, given);
    }

    [Fact]
    public void NothingIsAllocatedAfterTheFirstRun()
    {
        using var engine = new InferenceEngine(Fake());
        using InferenceSession session =
            engine.CreateSession(Task, new() { Windows = 2, Draws = 2, Sampler = SamplerOptions.Parse("ddim:5,eta=1") });
        float[] conditions = Conditions(2), results = new float[4 * S];
        uint[] windows = [3, 4];
        int observed = 0;
        StepObserver observer = (in StepObservation o) => observed += o.T;
        using var source = new CancellationTokenSource();
        session.Run(conditions, results, windows, observer, source.Token);
        CancellationToken cancellation = source.Token;
        Assert.Equal(0, Allocations.Of(() =>
        {
            session.Run(conditions, results, windows, null, cancellation);
            session.Run(conditions, results, windows, observer, cancellation);
        }));
        Assert.NotEqual(0, observed);
    }

    [Fact]
    public void TheObserverSeesEveryRowItsStateAndItsCleanSignal()
    {
        using var engine = new InferenceEngine(Fake());
        using InferenceSession session = engine.CreateSession(Task, new() { Sampler = SamplerOptions.Parse("dpm++2m:6") });
        var seen = new List<(int Step, int Steps, int T)>();
        float[] state = new float[S], clean = new float[S], results = new float[S];
        bool moved = true;
        session.Run(Conditions(1), results, observer: (in StepObservation o) =>
        {
            seen.Add((o.Step, o.Steps, o.T));
            float[] before = [.. state];
            o.CopyState(state);
            o.CopyClean(clean);
            moved &= !state.AsSpan().SequenceEqual(before);
        });
        Assert.Equal(session.Sampler.Steps.Select((s, i) => (i, 6, s.T)), seen);
        Assert.True(moved);
        Assert.Equal(results, state);

        // The last row of a standard sampler ends at its own clean signal.
        Assert.Equal(results, clean);
    }

    [Fact]
    public void CancellationIsSeenBetweenStepsAndTheSessionGoesOn()
    {
        using var engine = new InferenceEngine(Fake());
        using InferenceSession session = engine.CreateSession(Task);
        using var source = new CancellationTokenSource();
        int rows = 0;
        float[] results = new float[S], again = new float[S];
        Assert.Throws<OperationCanceledException>(() => session.Run(Conditions(1), results, observer: (in StepObservation _) =>
        {
            if (++rows == 3)
                source.Cancel();
        }, cancellation: source.Token));
        Assert.Equal(3, rows);
        session.Run(Conditions(1), results);
        using InferenceSession fresh = engine.CreateSession(Task);
        fresh.Run(Conditions(1), again);
        Assert.Equal(again, results);
    }

    [Fact]
    public void AnObserversExceptionPassesThroughAndLeavesTheSessionUsable()
    {
        using var engine = new InferenceEngine(Fake());
        using InferenceSession session = engine.CreateSession(Task);
        Assert.Throws<TimeoutException>(() =>
            session.Run(Conditions(1), new float[S], observer: (in StepObservation _) => throw new TimeoutException()));
        session.Run(Conditions(1), new float[S]);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void ConditionsThatAreNotFiniteAreNamed(float value)
    {
        using var engine = new InferenceEngine(Fake());
        using InferenceSession session = engine.CreateSession(Task, new() { Windows = 3 });
        float[] conditions = Conditions(3);
        conditions[(((2 * 2) + 1) * S) + 57] = value;
        var error = Assert.Throws<ConditionValueException>(() => session.Run(conditions, new float[3 * S]));
        Assert.Equal((2, Modality.Bp, 57), (error.Window, error.Condition, error.Sample));
        Assert.Equal(value, error.Value);
    }

    [Fact]
    public void AStateThatIsNotFiniteIsNamedAndNothingComesOut()
    {
        // From the row at t = 24 on, the network of window 1 returns NaN.
        using var engine = new InferenceEngine(Fake((x, c, t) => c > 0.5f && t <= 24 ? float.NaN : x));
        using InferenceSession session =
            engine.CreateSession(Task, new() { Windows = 2, Draws = 3, Sampler = SamplerOptions.Parse("ddim,threshold=off") });
        float[] conditions = new float[2 * 2 * S], results = new float[6 * S];
        conditions.AsSpan(2 * S).Fill(1);
        results.AsSpan().Fill(5);
        var error = Assert.Throws<NonFiniteResultException>(() => session.Run(conditions, results));
        Assert.Equal((1, 0, 25, 24, 0), (error.Window, error.Draw, error.Step, error.T, error.Sample));
        Assert.All(results, v => Assert.Equal(0, v));
        conditions.AsSpan().Clear();
        session.Run(conditions, results);
    }

    [Fact]
    public void NoiseThatIsNotFiniteOrTooLittleIsRefused()
    {
        using var engine = new InferenceEngine(Fake());
        using InferenceSession session = engine.CreateSession(Task, new() { Draws = 2, Sampler = SamplerOptions.Parse("ddim:3,eta=1") });
        float[] noise = new float[3 * 2 * S];
        noise[(2 * 2 * S) + S + 4] = float.NaN;
        var error = Assert.Throws<ArgumentException>(() => session.Run(Conditions(1), new float[2 * S], NoiseSource.Explicit(noise)));
        Assert.Contains("noise 2, draw 1, sample 4", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => session.Run(Conditions(1), new float[2 * S], NoiseSource.Explicit(new float[2 * 2 * S])));
    }

    [Fact]
    public void WrongLengthsAreRefused()
    {
        using var engine = new InferenceEngine(Fake());
        using InferenceSession session = engine.CreateSession(Task, new() { Windows = 2 });
        Assert.Contains("[2 windows, 2 conditions, 100 samples]",
            Assert.Throws<ArgumentException>(() => session.Run(Conditions(1), new float[2 * S])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => session.Run(Conditions(2), new float[S]));
        Assert.Throws<ArgumentException>(() => session.Run(Conditions(2), new float[2 * S], [1]));
    }

    [Fact]
    public void ASecondRunAtTheSameTimeIsRefused()
    {
        FakeBackend backend = Fake();
        using var engine = new InferenceEngine(backend);
        using InferenceSession session = engine.CreateSession(Task, new() { Sampler = SamplerOptions.Parse("ddim:2") });
        using var inside = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        backend.BeforeStep = _ =>
        {
            inside.Set();
            go.Wait();
        };
        float[] results = new float[S];
        var first = new Thread(() => session.Run(Conditions(1), results));
        first.Start();
        inside.Wait();
        Assert.Throws<InvalidOperationException>(() => session.Run(Conditions(1), new float[S]));
        go.Set();
        first.Join();
        backend.BeforeStep = null;
        float[] again = new float[S];
        session.Run(Conditions(1), again);
        Assert.Equal(again, results);
    }

    [Fact]
    public void DisposeDuringARunEndsItAtTheNextStep()
    {
        FakeBackend backend = Fake();
        using var engine = new InferenceEngine(backend);
        InferenceSession session = engine.CreateSession(Task);
        int rows = 0;
        backend.BeforeStep = row =>
        {
            rows = row + 1;
            if (row == 1)
            {
                session.Dispose();
                session.Dispose();
                Assert.Equal(1, backend.Executors);
            }
        };
        Assert.Throws<ObjectDisposedException>(() => session.Run(Conditions(1), new float[S]));
        Assert.Equal(2, rows);
        Assert.Equal(0, backend.Executors);
        Assert.Throws<ObjectDisposedException>(() => session.Run(Conditions(1), new float[S]));
        session.Dispose();
    }

    [Fact]
    public void TheBackendGoesWithTheLastSession()
    {
        FakeBackend backend = Fake();
        var engine = new InferenceEngine(backend);
        InferenceSession a = engine.CreateSession(Task), b = engine.CreateSession(Task);
        a.Dispose();
        engine.Dispose();
        engine.Dispose();
        Assert.False(backend.Disposed);
        b.Run(Conditions(1), new float[S]);
        Assert.Throws<ObjectDisposedException>(() => engine.CreateSession(Task));
        b.Dispose();
        Assert.True(backend.Disposed);
    }

    [Fact]
    public void ABackendThatIsNotOwnedIsLeftAlone()
    {
        FakeBackend backend = Fake();
        new InferenceEngine(backend, ownsBackend: false).Dispose();
        Assert.False(backend.Disposed);
    }

    [Fact]
    public void OptionsAreCheckedWhenTheSessionIsMade()
    {
        using var engine = new InferenceEngine(Fake());
        string Setting(SessionOptions options) => Assert.Throws<ConfigurationException>(() => engine.CreateSession(Task, options)).Setting;
        Assert.Equal("draws", Setting(new() { Draws = 0 }));
        Assert.Equal("windows", Setting(new() { Windows = -1 }));
        Assert.Equal("draws", Setting(new() { Windows = 65536, Draws = 65536 }));
        Assert.Equal("steps", Setting(new() { Sampler = new() { Steps = 51 } }));
        Assert.Equal("steps", Setting(new() { Sampler = new() { Steps = 0 } }));
        Assert.Equal("task", Assert.Throws<ConfigurationException>(() => engine.CreateSession(default)).Setting);
        Assert.Equal("threads", Assert.Throws<ConfigurationException>(() => new EngineOptions { Threads = -1 }.Validate()).Setting);
        Assert.Equal(
            "backend", Assert.Throws<ConfigurationException>(() => new EngineOptions { Backend = (BackendKind)9 }.Validate()).Setting);
    }

    [Fact]
    public void ManySessionsOfOneEngineRunAtOnce()
    {
        using var engine = new InferenceEngine(Fake());
        float[] conditions = Conditions(1), expected = new float[S];
        using InferenceSession one = engine.CreateSession(Task);
        one.Run(conditions, expected);
        float[][] results = [.. Enumerable.Range(0, 16).Select(_ => new float[S])];
        Parallel.ForEach(results, result =>
        {
            using InferenceSession session = engine.CreateSession(Task);
            for (int i = 0; i < 5; i++)
                session.Run(conditions, result);
        });
        Assert.All(results, result => Assert.Equal(expected, result));
    }

    private static FakeBackend Fake(Func<float, float, int, float>? network = null) =>
        new(ModelConfiguration.Tiny, network ?? ((x, c, t) => MathF.Sin(x + c + t)));

    private static float[] Conditions(int windows) => [.. Enumerable.Range(0, windows * 2 * S).Select(i => MathF.Sin(i * 0.37f))];
}
