using UniCardio.Engine.Backends.Cpu;

namespace UniCardio.Engine.Tests.Backends.Cpu;

public sealed class ThreadTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void EveryPartRunsOnceAJobAndMeetsAtTheBarrier(int parts)
    {
        using var team = new ThreadTeam(parts);
        var job = new CountingJob(parts);
        for (int i = 0; i < 50; i++)
            team.Run(job);
        Assert.All(job.Runs, r => Assert.Equal(50, r));
        Assert.Equal(0, job.SeenTooEarly);
    }

    [Fact]
    public void ParkedWorkersWakeUp()
    {
        using var team = new ThreadTeam(2);
        var job = new CountingJob(2);
        for (int i = 0; i < 5; i++)
        {
            team.Run(job);
            Thread.Sleep(20);
        }

        Assert.All(job.Runs, r => Assert.Equal(5, r));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void AFailingPartFreesTheOthersAndReachesTheCaller(int failing)
    {
        using var team = new ThreadTeam(2);
        InvalidTimeZoneException e = Assert.Throws<InvalidTimeZoneException>(() => team.Run(new FailingJob(failing)));
        Assert.Equal($"part {failing}", e.Message);
        var job = new CountingJob(2);
        team.Run(job);
        Assert.All(job.Runs, r => Assert.Equal(1, r));
    }

    [Fact]
    public void CallersTakeTurns()
    {
        using var team = new ThreadTeam(2);
        CountingJob[] jobs = [new(2), new(2), new(2)];
        Thread[] callers = [.. jobs.Select(job => new Thread(() =>
        {
            for (int i = 0; i < 40; i++)
                team.Run(job);
        }))];
        foreach (Thread caller in callers)
            caller.Start();
        foreach (Thread caller in callers)
            caller.Join();
        Assert.All(jobs, job => Assert.All(job.Runs, r => Assert.Equal(40, r)));
        Assert.All(jobs, job => Assert.Equal(0, job.SeenTooEarly));
    }

    [Fact]
    public void ADisposedTeamRefusesWork()
    {
        var team = new ThreadTeam(2);
        team.Dispose();
        team.Dispose();
        Assert.Throws<ObjectDisposedException>(() => team.Run(new CountingJob(2)));
    }

    private sealed class CountingJob(int parts) : ITeamJob
    {
        private int _before;
        private int _seenTooEarly;

        public int[] Runs { get; } = new int[parts];

        public int SeenTooEarly => _seenTooEarly;

        public void Execute(int part, int parts, TeamBarrier barrier)
        {
            Interlocked.Increment(ref _before);
            barrier.Wait();

            // Behind the barrier every part of this round must have come.
            if (Volatile.Read(ref _before) % parts != 0)
                Interlocked.Increment(ref _seenTooEarly);
            barrier.Wait();
            Runs[part]++;
        }
    }

    private sealed class FailingJob(int failing) : ITeamJob
    {
        public void Execute(int part, int parts, TeamBarrier barrier)
        {
            if (part == failing)
                throw new InvalidTimeZoneException($"part {part}");
            barrier.Wait();
        }
    }
}
