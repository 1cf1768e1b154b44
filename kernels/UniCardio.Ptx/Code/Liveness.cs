using System.Collections;

namespace UniCardio.Ptx.Code;

// Which registers hold a value that is still read, before each block.
internal sealed class Liveness
{
    private readonly Instruction[] _code;
    private readonly Block[] _blocks;
    private readonly BitArray[] _in;
    private readonly int _registers;

    public Liveness(Instruction[] code, Block[] blocks, int registers)
    {
        _code = code;
        _blocks = blocks;
        _registers = registers;
        _in = new BitArray[blocks.Length + 1];
        for (int b = 0; b <= blocks.Length; b++)
            _in[b] = new BitArray(registers);
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int b = blocks.Length - 1; b >= 0; b--)
            {
                BitArray live = Out(b);
                for (int i = blocks[b].End - 1; i >= blocks[b].First; i--)
                    StepBack(live, code[i]);
                changed |= !live.Xor(_in[b]).HasAnySet() ? false : Toggle(b, live);
            }
        }
    }

    public BitArray In(int block) => _in[block];

    public BitArray Out(int block)
    {
        var live = new BitArray(_registers);
        foreach (int next in _blocks[block].Successors)
            live.Or(_in[next]);
        return live;
    }

    /// <summary>Calls with each instruction and the registers that are live after it, a block's last first.</summary>
    public void Walk(Action<int, BitArray> visit)
    {
        for (int b = 0; b < _blocks.Length; b++)
        {
            BitArray live = Out(b);
            for (int i = _blocks[b].End - 1; i >= _blocks[b].First; i--)
            {
                visit(i, live);
                StepBack(live, _code[i]);
            }
        }
    }

    // A guarded write keeps what was there in other lanes.
    private static void StepBack(BitArray live, Instruction instruction)
    {
        if (instruction.IsAbsorbed)
            return;
        if (instruction.Source.Guard is null)
        {
            foreach (Register r in instruction.Writes)
                live[r.Id] = false;
        }

        foreach (Register r in instruction.Reads)
            live[r.Id] = true;
    }

    private bool Toggle(int block, BitArray difference)
    {
        _in[block].Xor(difference);
        return true;
    }
}
