using System.Numerics;

namespace UniCardio.Ptx.Profiling;

// What the accesses of one instruction add up to.
internal record struct AccessTotals
{
    /// <summary>Times that a warp executed it, and lanes that took part.</summary>
    public long Requests;
    public long Lanes;

    /// <summary>Global: pieces of 32 bytes that a request touched.</summary>
    public long Sectors;

    /// <summary>Global loads: pieces that their group had not touched since its last barrier; all pieces of stores.</summary>
    public long FreshSectors;

    /// <summary>Shared: passes that a request takes, and those that it would take without conflicts.</summary>
    public long Passes;
    public long IdealPasses;
}

/// <summary>Counts sectors and bank conflicts of every access that one worker executes.</summary>
/// <remarks>
/// A shared access of 4 bytes a lane is one phase, of 8 bytes two, of 16 four; a phase takes as many passes as its busiest of 32
/// banks has words. Lanes on the same words ride together, so an access never takes more than the busiest bank of all its lanes.
/// </remarks>
internal sealed unsafe class AccessCounter(KernelCode code) : AccessObserver
{
    private readonly Dictionary<MemoryRegion, SectorMap> _maps = [];
    private readonly int[] _banks = new int[32];
    private readonly int[] _allBanks = new int[32];
    private int[] _phaseOfWord = [];
    private int[] _requestOfWord = [];
    private int _interval;
    private int _group;
    private int _request;
    private int _phase;

    public AccessTotals[] Totals { get; } = new AccessTotals[code.Instructions.Length];

    public IReadOnlyDictionary<MemoryRegion, SectorMap> Maps => _maps;

    public override void BeginGroup()
    {
        _interval++;
        _group++;
    }

    public override void EndBarrier() => _interval++;

    public override void Access(Warp w, Op* op, MemoryForm form, ulong* addresses)
    {
        ref AccessTotals totals = ref Totals[op->Index];
        totals.Requests++;
        totals.Lanes += BitOperations.PopCount(w.Mask & form.Lanes);
        _request++;
        if (form.Space == MemorySpace.Global)
            CountSectors(w, form, addresses, ref totals);
        else if (form.Space == MemorySpace.Shared)
            CountPasses(w, form, addresses, ref totals);
    }

    private void CountSectors(Warp w, MemoryForm form, ulong* addresses, ref AccessTotals totals)
    {
        MemoryRegion? region = null;
        SectorMap? map = null;
        ulong before = ulong.MaxValue;
        for (uint left = w.Mask & form.Lanes; left != 0; left &= left - 1)
        {
            ulong address = addresses[BitOperations.TrailingZeroCount(left)];
            if (address == before)
                continue;
            before = address;
            if (region is null || !region.Holds(address, 1))
            {
                region = w.Group.Launch.Device.FindRegion(address, 1);
                if (region is null)
                    return;
                if (!_maps.TryGetValue(region, out map))
                    _maps[region] = map = new SectorMap(region);
            }

            map!.Touch((long)(address - region.Start), form, _request, _interval, _group, ref totals);
        }
    }

    private void CountPasses(Warp w, MemoryForm form, ulong* addresses, ref AccessTotals totals)
    {
        if (_phaseOfWord.Length == 0)
        {
            _phaseOfWord = new int[(w.SharedBytes / 4) + 1];
            _requestOfWord = new int[(w.SharedBytes / 4) + 1];
        }

        int lanesOfPhase = Math.Min(32, 128 / form.LaneBytes), passes = 0, words = 0;
        Array.Clear(_allBanks);
        for (int first = 0; first < Warp.Lanes; first += lanesOfPhase)
        {
            uint mask = w.Mask & form.Lanes & (lanesOfPhase == 32 ? uint.MaxValue : ((1u << lanesOfPhase) - 1) << first);
            if (mask == 0)
                continue;
            Array.Clear(_banks);
            _phase++;
            for (uint left = mask; left != 0; left &= left - 1)
            {
                ulong address = addresses[BitOperations.TrailingZeroCount(left)];
                if (address + (ulong)form.LaneBytes > (ulong)w.SharedBytes)
                    return;
                words += CountWords((int)(address / 4), (int)((address + (ulong)form.LaneBytes - 1) / 4));
            }

            passes += Max(_banks);
        }

        totals.Passes += Math.Min(passes, Max(_allBanks));
        totals.IdealPasses += (words + 31) / 32;
    }

    // Words of the request that no lane before touched.
    private int CountWords(int first, int last)
    {
        int fresh = 0;
        for (int word = first; word <= last; word++)
        {
            if (_phaseOfWord[word] != _phase)
            {
                _phaseOfWord[word] = _phase;
                _banks[word & 31]++;
            }

            if (_requestOfWord[word] != _request)
            {
                _requestOfWord[word] = _request;
                _allBanks[word & 31]++;
                fresh++;
            }
        }

        return fresh;
    }

    private static int Max(int[] values)
    {
        int max = 0;
        foreach (int value in values)
            max = Math.Max(max, value);
        return max;
    }
}

// When each 32 bytes of an allocation were touched last, and whether by more than one group.
internal sealed class SectorMap(MemoryRegion region)
{
    private const int Sector = 32;

    private readonly int[] _request = new int[(long)(region.Length / Sector) + 2];
    private readonly int[] _interval = new int[(long)(region.Length / Sector) + 2];
    private readonly int[] _group = new int[(long)(region.Length / Sector) + 2];

    public const int Many = -1;

    /// <summary>By sector: 0 for none, the group of this worker, or <see cref="Many"/>.</summary>
    public ReadOnlySpan<int> Groups => _group;

    public void Touch(long at, MemoryForm form, int request, int interval, int group, ref AccessTotals totals)
    {
        for (long s = at / Sector; s <= (at + form.LaneBytes - 1) / Sector; s++)
        {
            if (_request[s] == request)
                continue;
            _request[s] = request;
            totals.Sectors++;
            if (form.IsStore || _interval[s] != interval)
                totals.FreshSectors++;
            _interval[s] = interval;
            _group[s] = _group[s] == 0 || _group[s] == group ? group : Many;
        }
    }
}
