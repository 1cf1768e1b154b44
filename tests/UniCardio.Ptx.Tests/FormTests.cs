namespace UniCardio.Ptx.Tests;

/// <summary>Every form of instruction against the PTX ISA's rules, on values at the edges of its types.</summary>
public class FormTests
{
    public static TheoryData<string> Names => [.. Forms.Names.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void FormFollowsTheRules(string name)
    {
        Form form = Forms.Find(name)!;
        Func<ulong[], ulong>? rule = FormRules.Find(name);
        Assert.True(rule is not null, $"{name} has no rule to be tested by");
        // 8-bit operands live in registers of 16 bits, which the loads of the frame fill.
        PtxType[] sources = [.. form.Sources.Select(t => t.Size() == 1 ? PtxType.B16 : t)];
        PtxType target = form.Target.Size() == 1 ? PtxType.B16 : form.Target;
        List<ulong[]> operands = EdgeValues.Combine(sources);
        ulong[] actual = OneInstruction.Run(name, target, sources, operands);
        for (int i = 0; i < operands.Count; i++)
        {
            ulong expected = rule(operands[i]);
            string what = $"{name} {string.Join(", ", operands[i].Select(v => v.ToString("x")))}: {actual[i]:x}, expected {expected:x}";
            // Narrow results are extended to the register's 16 bits.
            ulong got = form.Target.Size() == 1 ? actual[i] & 0xff : actual[i];
            if (FormRules.IsApproximate(name) && float.IsFinite(BitConverter.UInt32BitsToSingle((uint)expected)))
                Assert.True(Math.Abs((long)got - (long)expected) <= 2, what);
            else
                Assert.True(got == expected, what);
        }
    }
}
