using System.Collections;

namespace UniCardio.Ptx.Code;

// A product whose only reader is a sum of the same block becomes one instruction with one rounding, as the assembler makes it: PTX
// allows it wherever no rounding is written.
internal static unsafe class Fusion
{
    public static void Apply(Instruction[] code, Block[] blocks, Liveness liveness)
    {
        foreach (Block block in blocks)
        {
            BitArray liveOut = liveness.Out(block.Index);
            for (int i = block.First; i < block.End; i++)
            {
                if (IsPlain(code[i], "mul") && FindSum(code, block, i, liveOut) is int at)
                    Fuse(code, i, at);
            }
        }
    }

    private static bool IsPlain(Instruction instruction, string opcode) =>
        instruction.Source.Opcode == opcode && instruction.Source.Modifiers is ["f32"] && instruction.Source.Guard is null
            && !instruction.IsFused;

    private static int? FindSum(Instruction[] code, Block block, int product, BitArray liveOut)
    {
        Register t = code[product].Slots[0].Register!;
        Register?[] factors = [code[product].Slots[1].Register, code[product].Slots[2].Register];
        int sum = -1;
        for (int j = product + 1; j < block.End; j++)
        {
            Instruction next = code[j];
            int reads = next.Reads.Count(r => r.Id == t.Id);
            if (reads > 0)
            {
                // A second reader needs the product as it is.
                if (sum >= 0 || reads > 1 || !(IsPlain(next, "add") || IsPlain(next, "sub")))
                    return null;
                sum = j;
            }

            if (next.Writes.Any(r => r.Id == t.Id) && next.Source.Guard is null)
                return sum >= 0 ? sum : null;
            if (sum < 0 && next.Writes.Any(r => factors.Any(f => f?.Id == r.Id)))
                return null;
        }

        return sum >= 0 && !liveOut[t.Id] ? sum : null;
    }

    private static void Fuse(Instruction[] code, int product, int at)
    {
        Instruction mul = code[product], sum = code[at];
        bool isFirst = sum.Slots[1].Register?.Id == mul.Slots[0].Register!.Id;
        Slot other = sum.Slots[isFirst ? 2 : 1];
        nint run = (sum.Source.Opcode, isFirst) switch
        {
            ("add", _) => (nint)(delegate*<Warp, Op*, void>)&Map.Three<MultiplyAddFloat>,
            ("sub", true) => (nint)(delegate*<Warp, Op*, void>)&Map.Three<MultiplySubtractFloat>,
            _ => (nint)(delegate*<Warp, Op*, void>)&Map.Three<MultiplyFromFloat>,
        };
        code[at] = new Instruction(sum.Source, InstructionClass.Float) { Run = run,
            Slots = [sum.Slots[0], mul.Slots[1], mul.Slots[2], other], IsFused = true };
        mul.IsAbsorbed = true;
        mul.Run = 0;
    }
}
