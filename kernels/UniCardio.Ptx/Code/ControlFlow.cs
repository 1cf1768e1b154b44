namespace UniCardio.Ptx.Code;

// A straight piece of code: instructions First to End - 1, of which the last may branch.
internal sealed class Block(int index, int first, int end)
{
    public int Index { get; } = index;

    public int First { get; } = first;

    public int End { get; } = end;

    /// <summary>Where a taken branch goes, and where it continues; the number of blocks means the end of the kernel, -1 nowhere.</summary>
    public int Target { get; set; } = -1;

    public int Next { get; set; } = -1;

    /// <summary>Where lanes that parted at its end meet again: the nearest block that every way passes.</summary>
    public int Meeting { get; set; }

    public IEnumerable<int> Successors
    {
        get
        {
            if (Target >= 0)
                yield return Target;
            if (Next >= 0 && Next != Target)
                yield return Next;
        }
    }
}

// Cuts a kernel into blocks and finds where each branch's ways meet.
internal static class ControlFlow
{
    public static Block[] Build(Instruction[] code, IEnumerable<int> labels)
    {
        var starts = new SortedSet<int> { 0 };
        foreach (int label in labels.Where(l => l < code.Length))
            starts.Add(label);
        for (int i = 0; i + 1 < code.Length; i++)
        {
            if (code[i].Flow != Flow.Next)
                starts.Add(i + 1);
        }

        int[] firsts = [.. starts.Where(s => s < code.Length)];
        var blocks = new Block[firsts.Length];
        var at = new Dictionary<int, int> { [code.Length] = blocks.Length };
        for (int b = 0; b < blocks.Length; b++)
        {
            blocks[b] = new Block(b, firsts[b], b + 1 < firsts.Length ? firsts[b + 1] : code.Length);
            at[firsts[b]] = b;
        }

        foreach (Block block in blocks)
        {
            Instruction last = code[block.End - 1];
            bool isGuarded = last.Source.Guard is not null;
            if (last.Flow == Flow.Branch)
                block.Target = at[last.Target];
            else if (last.Flow == Flow.Return)
                block.Target = blocks.Length;
            if (last.Flow is Flow.Next or Flow.Barrier || isGuarded)
                block.Next = block.Index + 1;
        }

        SetMeetings(blocks);
        return blocks;
    }

    // Immediate post-dominators by sets: kernels have some hundred blocks.
    private static void SetMeetings(Block[] blocks)
    {
        int n = blocks.Length;
        var after = new System.Collections.BitArray[n + 1];
        for (int i = 0; i <= n; i++)
            after[i] = new System.Collections.BitArray(n + 1, i < n);
        after[n][n] = true;
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int i = n - 1; i >= 0; i--)
            {
                var meet = new System.Collections.BitArray(n + 1, true);
                foreach (int s in blocks[i].Successors)
                    meet.And(after[s]);
                meet[i] = true;
                if (!Same(meet, after[i]))
                {
                    after[i] = meet;
                    changed = true;
                }
            }
        }

        // Of the blocks that every way passes, the nearest is the one that has all the others after it.
        foreach (Block block in blocks)
        {
            block.Meeting = n;
            int max = -1;
            for (int j = 0; j <= n; j++)
            {
                if (j == block.Index || !after[block.Index][j])
                    continue;
                int count = Count(after[j]);
                if (count > max)
                    (max, block.Meeting) = (count, j);
            }
        }
    }

    private static int Count(System.Collections.BitArray bits)
    {
        int count = 0;
        for (int i = 0; i < bits.Length; i++)
            count += bits[i] ? 1 : 0;
        return count;
    }

    private static bool Same(System.Collections.BitArray a, System.Collections.BitArray b)
    {
        for (int i = 0; i < a.Length; i++)
        {
            if (a[i] != b[i])
                return false;
        }

        return true;
    }
}
