namespace UniCardio.Ptx.Code;

// One form of instruction that has a target, sources and a map over lanes: its types and what runs it.
internal sealed record Form(nint Run, InstructionClass Class, PtxType Target, params PtxType[] Sources);

// Every form that is a map over lanes, by the text of opcode and modifiers. A rounding that is the only one is optional.
internal static unsafe class Forms
{
    private static readonly Dictionary<string, Form> s_all = Build();

    public static IReadOnlyCollection<string> Names => s_all.Keys;

    public static Form? Find(string name) => s_all.GetValueOrDefault(name);

    private static Dictionary<string, Form> Build()
    {
        var all = new Dictionary<string, Form>(StringComparer.Ordinal);
        AddIntegers(all);
        AddFloats(all);
        AddBits(all);
        AddComparisons(all);
        AddConversions(all);
        return all;
    }

    private static void AddIntegers(Dictionary<string, Form> all)
    {
        foreach (PtxType t in (PtxType[])[PtxType.S32, PtxType.U32])
        {
            string n = t.Name();
            bool signed = t == PtxType.S32;
            Two<Add>(all, "add" + n, t);
            Two<Subtract>(all, "sub" + n, t);
            Two<MultiplyLow>(all, "mul.lo" + n, t);
            Three<MultiplyAddLow>(all, "mad.lo" + n, t);
            all["mul.hi" + n] = new Form(signed ? Run(&Map.Two<MultiplyHighSigned>) : Run(&Map.Two<MultiplyHighUnsigned>),
                InstructionClass.Integer, t, t, t);
            all["div" + n] = new Form(signed ? Run(&Map.Two<DivideSigned>) : Run(&Map.Two<DivideUnsigned>),
                InstructionClass.IntegerDivision, t, t, t);
            all["rem" + n] = new Form(signed ? Run(&Map.Two<RemainderSigned>) : Run(&Map.Two<RemainderUnsigned>),
                InstructionClass.IntegerDivision, t, t, t);
            all["min" + n] = new Form(signed ? Run(&Map.Two<MinSigned>) : Run(&Map.Two<MinUnsigned>), InstructionClass.Integer, t, t, t);
            all["max" + n] = new Form(signed ? Run(&Map.Two<MaxSigned>) : Run(&Map.Two<MaxUnsigned>), InstructionClass.Integer, t, t, t);
            all["shr" + n] = new Form(signed ? Run(&Map.Two<ShiftRightSigned>) : Run(&Map.Two<ShiftRightUnsigned>),
                InstructionClass.Integer, t, t, PtxType.U32);
            PtxType wide = signed ? PtxType.S64 : PtxType.U64;
            all["mul.wide" + n] = new Form(signed ? Run(&Map.MultiplyWideSigned) : Run(&Map.MultiplyWideUnsigned),
                InstructionClass.Integer, wide, t, t);
            all["mad.wide" + n] = new Form(signed ? Run(&Map.MultiplyAddWideSigned) : Run(&Map.MultiplyAddWideUnsigned),
                InstructionClass.Integer, wide, t, t, wide);
        }

        foreach (PtxType t in (PtxType[])[PtxType.S64, PtxType.U64])
        {
            string n = t.Name();
            bool signed = t == PtxType.S64;
            WideTwo<Add>(all, "add" + n, t);
            WideTwo<Subtract>(all, "sub" + n, t);
            WideTwo<MultiplyLow>(all, "mul.lo" + n, t);
            all["mad.lo" + n] = new Form(Run(&Map.WideThree<MultiplyAddLow>), InstructionClass.Integer, t, t, t, t);
            all["div" + n] = new Form(signed ? Run(&Map.WideTwo<DivideSigned>) : Run(&Map.WideTwo<DivideUnsigned>),
                InstructionClass.IntegerDivision, t, t, t);
            all["rem" + n] = new Form(signed ? Run(&Map.WideTwo<RemainderSigned>) : Run(&Map.WideTwo<RemainderUnsigned>),
                InstructionClass.IntegerDivision, t, t, t);
            all["min" + n] = new Form(signed ? Run(&Map.WideTwo<MinSigned>) : Run(&Map.WideTwo<MinUnsigned>), InstructionClass.Integer,
                t, t, t);
            all["max" + n] = new Form(signed ? Run(&Map.WideTwo<MaxSigned>) : Run(&Map.WideTwo<MaxUnsigned>), InstructionClass.Integer,
                t, t, t);
            all["shr" + n] = new Form(signed ? Run(&Map.WideShift<ShiftRightSigned>) : Run(&Map.WideShift<ShiftRightUnsigned>),
                InstructionClass.Integer, t, t, PtxType.U32);
        }

        One<Negate>(all, "neg.s32", PtxType.S32, InstructionClass.Integer);
        One<AbsSigned>(all, "abs.s32", PtxType.S32, InstructionClass.Integer);
        all["neg.s64"] = new Form(Run(&Map.WideOne<Negate>), InstructionClass.Integer, PtxType.S64, PtxType.S64);
        all["popc.b32"] = new Form(Run(&Map.One<PopulationCount>), InstructionClass.Integer, PtxType.U32, PtxType.B32);
        all["clz.b32"] = new Form(Run(&Map.One<LeadingZeros>), InstructionClass.Integer, PtxType.U32, PtxType.B32);
    }

    private static void AddFloats(Dictionary<string, Form> all)
    {
        const PtxType F = PtxType.F32;
        foreach (string rounding in (string[])["", ".rn"])
        {
            Float2<AddFloat>(all, "add" + rounding, saturated: true);
            Float2<SubtractFloat>(all, "sub" + rounding, saturated: true);
            Float2<MultiplyFloat>(all, "mul" + rounding, saturated: true);
        }

        all["fma.rn.f32"] = new Form(Run(&Map.Three<MultiplyAddFloat>), InstructionClass.Float, F, F, F, F);
        all["fma.rn.ftz.f32"] = new Form(Run(&Map.Three<Flushed3<MultiplyAddFloat>>), InstructionClass.Float, F, F, F, F);
        all["fma.rn.sat.f32"] = new Form(Run(&Map.Three<Saturated3<MultiplyAddFloat>>), InstructionClass.Float, F, F, F, F);
        Float2<MinFloat>(all, "min", saturated: false);
        Float2<MaxFloat>(all, "max", saturated: false);
        Float1<NegateFloat>(all, "neg", InstructionClass.Float);
        Float1<AbsFloat>(all, "abs", InstructionClass.Float);
        Float2<DivideFloat>(all, "div.rn", saturated: false, InstructionClass.FloatDivision);
        Float2<DivideFloat>(all, "div.full", saturated: false, InstructionClass.FloatDivision);
        Float2<DivideFloat>(all, "div.approx", saturated: false, InstructionClass.Special);
        Float1<Reciprocal>(all, "rcp.rn", InstructionClass.FloatDivision);
        Float1<Reciprocal>(all, "rcp.approx", InstructionClass.Special);
        Float1<SquareRoot>(all, "sqrt.rn", InstructionClass.FloatDivision);
        Float1<SquareRoot>(all, "sqrt.approx", InstructionClass.Special);
        Float1<ReciprocalSquareRoot>(all, "rsqrt.approx", InstructionClass.Special);
        Float1<PowerOfTwo>(all, "ex2.approx", InstructionClass.Special);
        Float1<LogarithmOfTwo>(all, "lg2.approx", InstructionClass.Special);
        Float1<Sine>(all, "sin.approx", InstructionClass.Special);
        Float1<Cosine>(all, "cos.approx", InstructionClass.Special);
        all["tanh.approx.f32"] = new Form(Run(&Map.One<HyperbolicTangent>), InstructionClass.Special, F, F);
    }

    private static void AddBits(Dictionary<string, Form> all)
    {
        foreach (PtxType t in (PtxType[])[PtxType.B16, PtxType.B32])
        {
            Two<And>(all, "and" + t.Name(), t);
            Two<Or>(all, "or" + t.Name(), t);
            Two<Xor>(all, "xor" + t.Name(), t);
        }

        One<Not>(all, "not.b32", PtxType.B32, InstructionClass.Integer);
        WideTwo<And>(all, "and.b64", PtxType.B64);
        WideTwo<Or>(all, "or.b64", PtxType.B64);
        WideTwo<Xor>(all, "xor.b64", PtxType.B64);
        all["not.b64"] = new Form(Run(&Map.WideOne<Not>), InstructionClass.Integer, PtxType.B64, PtxType.B64);
        all["shl.b32"] = new Form(Run(&Map.Two<ShiftLeft>), InstructionClass.Integer, PtxType.B32, PtxType.B32, PtxType.U32);
        all["shr.b32"] = new Form(Run(&Map.Two<ShiftRightUnsigned>), InstructionClass.Integer, PtxType.B32, PtxType.B32, PtxType.U32);
        all["shl.b64"] = new Form(Run(&Map.WideShift<ShiftLeft>), InstructionClass.Integer, PtxType.B64, PtxType.B64, PtxType.U32);
        all["shr.b64"] = new Form(Run(&Map.WideShift<ShiftRightUnsigned>), InstructionClass.Integer, PtxType.B64, PtxType.B64, PtxType.U32);
        all["and.pred"] = new Form(Run(&Map.Predicates<And>), InstructionClass.Compare, PtxType.Pred, PtxType.Pred, PtxType.Pred);
        all["or.pred"] = new Form(Run(&Map.Predicates<Or>), InstructionClass.Compare, PtxType.Pred, PtxType.Pred, PtxType.Pred);
        all["xor.pred"] = new Form(Run(&Map.Predicates<Xor>), InstructionClass.Compare, PtxType.Pred, PtxType.Pred, PtxType.Pred);
        all["not.pred"] = new Form(Run(&Map.PredicateNot), InstructionClass.Compare, PtxType.Pred, PtxType.Pred);
        all["mov.pred"] = new Form(Run(&Map.PredicateMove), InstructionClass.Move, PtxType.Pred, PtxType.Pred);
        foreach (PtxType t in (PtxType[])[PtxType.B16, PtxType.U16, PtxType.S16, PtxType.B32, PtxType.U32, PtxType.S32, PtxType.F32])
        {
            all["mov" + t.Name()] = new Form(Run(&Map.Move), InstructionClass.Move, t, t);
            all["selp" + t.Name()] = new Form(Run(&Map.Select), InstructionClass.Compare, t, t, t, PtxType.Pred);
        }

        foreach (PtxType t in (PtxType[])[PtxType.B64, PtxType.U64, PtxType.S64])
        {
            all["mov" + t.Name()] = new Form(Run(&Map.WideMove), InstructionClass.Move, t, t);
            all["selp" + t.Name()] = new Form(Run(&Map.WideSelect), InstructionClass.Compare, t, t, t, PtxType.Pred);
        }
    }

    private static void AddComparisons(Dictionary<string, Form> all)
    {
        foreach (PtxType t in (PtxType[])[PtxType.S32, PtxType.S64])
            Order<LessSigned>(all, t, ["lt", "le", "gt", "ge"]);
        foreach (PtxType t in (PtxType[])[PtxType.U32, PtxType.U64])
        {
            Order<LessUnsigned>(all, t, ["lt", "le", "gt", "ge"]);
            Order<LessUnsigned>(all, t, ["lo", "ls", "hi", "hs"]);
        }

        foreach (PtxType t in (PtxType[])[PtxType.S32, PtxType.U32, PtxType.B32, PtxType.S64, PtxType.U64, PtxType.B64])
        {
            Compare<Equal>(all, "eq", t);
            Compare<Opposite<Equal>>(all, "ne", t);
        }

        CompareFloat<EqualFloat>(all, "eq");
        CompareFloat<OppositeFloat<EqualFloat>>(all, "neu");
        CompareFloat<LessFloat>(all, "lt");
        CompareFloat<LessOrEqualFloat>(all, "le");
        CompareFloat<SwappedFloat<LessFloat>>(all, "gt");
        CompareFloat<SwappedFloat<LessOrEqualFloat>>(all, "ge");
        CompareFloat<OppositeFloat<SwappedFloat<LessOrEqualFloat>>>(all, "ltu");
        CompareFloat<OppositeFloat<SwappedFloat<LessFloat>>>(all, "leu");
        CompareFloat<OppositeFloat<LessOrEqualFloat>>(all, "gtu");
        CompareFloat<OppositeFloat<LessFloat>>(all, "geu");
        CompareFloat<OrderedFloat>(all, "num");
        CompareFloat<OppositeFloat<OrderedFloat>>(all, "nan");
        CompareFloat<NotEqualOrdered>(all, "ne");
        CompareFloat<OppositeFloat<NotEqualOrdered>>(all, "equ");
    }

    private static void AddConversions(Dictionary<string, Form> all)
    {
        PtxType[] words = [PtxType.U32, PtxType.S32], wides = [PtxType.U64, PtxType.S64];
        foreach (PtxType to in words)
        {
            foreach (PtxType from in (PtxType[])[.. words])
                all[$"cvt{to.Name()}{from.Name()}"] = new Form(Run(&Map.Move), InstructionClass.Convert, to, from);
            foreach (PtxType from in wides)
                all[$"cvt{to.Name()}{from.Name()}"] = new Form(Run(&Conversions.Narrow64), InstructionClass.Convert, to, from);
            all[$"cvt{to.Name()}.u8"] = new Form(Run(&Map.One<ZeroExtend8>), InstructionClass.Convert, to, PtxType.U8);
            all[$"cvt{to.Name()}.s8"] = new Form(Run(&Map.One<SignExtend8>), InstructionClass.Convert, to, PtxType.S8);
            all[$"cvt{to.Name()}.u16"] = new Form(Run(&Map.One<ZeroExtend16>), InstructionClass.Convert, to, PtxType.U16);
            all[$"cvt{to.Name()}.s16"] = new Form(Run(&Map.One<SignExtend16>), InstructionClass.Convert, to, PtxType.S16);
            FromFloat(all, to);
            bool signed = to == PtxType.S32;
            all[$"cvt.rn.f32{to.Name()}"] = new Form(signed ? Run(&Map.One<FloatFromSigned>) : Run(&Map.One<FloatFromUnsigned>),
                InstructionClass.Convert, PtxType.F32, to);
            all[$"cvt.u16{to.Name()}"] = new Form(Run(&Map.One<ZeroExtend16>), InstructionClass.Convert, PtxType.U16, to);
            all[$"cvt.s16{to.Name()}"] = new Form(Run(&Map.One<SignExtend16>), InstructionClass.Convert, PtxType.S16, to);
            all[$"cvt.u8{to.Name()}"] = new Form(Run(&Map.One<ZeroExtend8>), InstructionClass.Convert, PtxType.U8, to);
            all[$"cvt.s8{to.Name()}"] = new Form(Run(&Map.One<SignExtend8>), InstructionClass.Convert, PtxType.S8, to);
        }

        foreach (PtxType to in wides)
        {
            all[$"cvt{to.Name()}.u32"] = new Form(Run(&Conversions.WidenUnsigned), InstructionClass.Convert, to, PtxType.U32);
            all[$"cvt{to.Name()}.s32"] = new Form(Run(&Conversions.WidenSigned), InstructionClass.Convert, to, PtxType.S32);
            foreach (PtxType from in wides)
                all[$"cvt{to.Name()}{from.Name()}"] = new Form(Run(&Map.WideMove), InstructionClass.Convert, to, from);
            all[$"cvt.rn.f32{to.Name()}"] = new Form(to == PtxType.S64 ? Run(&Conversions.FloatFromS64) : Run(&Conversions.FloatFromU64),
                InstructionClass.Convert, PtxType.F32, to);
            // No generic access is known, so that an address is the same in every window.
            foreach (string window in (string[])["global", "shared", "local"])
            {
                all[$"cvta.to.{window}{to.Name()}"] = new Form(Run(&Map.WideMove), InstructionClass.Move, to, to);
                all[$"cvta.{window}{to.Name()}"] = new Form(Run(&Map.WideMove), InstructionClass.Move, to, to);
            }
        }

        all["cvt.rni.f32.f32"] = new Form(Run(&Map.One<WholeFloat<ToNearest>>), InstructionClass.Convert, PtxType.F32, PtxType.F32);
        all["cvt.rzi.f32.f32"] = new Form(Run(&Map.One<WholeFloat<ToZero>>), InstructionClass.Convert, PtxType.F32, PtxType.F32);
        all["cvt.rmi.f32.f32"] = new Form(Run(&Map.One<WholeFloat<ToFloor>>), InstructionClass.Convert, PtxType.F32, PtxType.F32);
        all["cvt.rpi.f32.f32"] = new Form(Run(&Map.One<WholeFloat<ToCeiling>>), InstructionClass.Convert, PtxType.F32, PtxType.F32);
        all["cvt.rna.tf32.f32"] = new Form(Run(&Map.One<Tf32FromFloat>), InstructionClass.Convert, PtxType.B32, PtxType.F32);
        all["cvt.rn.bf16.f32"] = new Form(Run(&Map.One<BFloatFromFloat>), InstructionClass.Convert, PtxType.B16, PtxType.F32);
        all["cvt.f32.bf16"] = new Form(Run(&Map.One<FloatFromBFloat>), InstructionClass.Convert, PtxType.F32, PtxType.B16);
        all["cvt.f32.f16"] = new Form(Run(&Map.One<FloatFromHalf>), InstructionClass.Convert, PtxType.F32, PtxType.B16);
        all["cvt.rn.bf16x2.f32"] = new Form(Run(&Conversions.PairOfBFloat), InstructionClass.Convert, PtxType.B32, PtxType.F32,
            PtxType.F32);
    }

    private static void FromFloat(Dictionary<string, Form> all, PtxType to)
    {
        bool signed = to == PtxType.S32;
        Rounded<ToNearest>("rni");
        Rounded<ToZero>("rzi");
        Rounded<ToFloor>("rmi");
        Rounded<ToCeiling>("rpi");
        void Rounded<T>(string rounding)
            where T : IRounding =>
            all[$"cvt.{rounding}{to.Name()}.f32"] = new Form(
                signed ? Run(&Map.One<SignedFromFloat<T>>) : Run(&Map.One<UnsignedFromFloat<T>>), InstructionClass.Convert, to,
                    PtxType.F32);
    }

    private static nint Run(delegate*<Warp, Op*, void> run) => (nint)run;

    private static void One<T>(Dictionary<string, Form> all, string name, PtxType t, InstructionClass kind)
        where T : IMap1 => all[name] = new Form(Run(&Map.One<T>), kind, t, t);

    private static void Two<T>(Dictionary<string, Form> all, string name, PtxType t)
        where T : IMap2 => all[name] = new Form(Run(&Map.Two<T>), InstructionClass.Integer, t, t, t);

    private static void Three<T>(Dictionary<string, Form> all, string name, PtxType t)
        where T : IMap3 => all[name] = new Form(Run(&Map.Three<T>), InstructionClass.Integer, t, t, t, t);

    private static void WideTwo<T>(Dictionary<string, Form> all, string name, PtxType t)
        where T : IWide2 => all[name] = new Form(Run(&Map.WideTwo<T>), InstructionClass.Integer, t, t, t);

    private static void Float1<T>(Dictionary<string, Form> all, string name, InstructionClass kind)
        where T : IMap1
    {
        all[name + ".f32"] = new Form(Run(&Map.One<T>), kind, PtxType.F32, PtxType.F32);
        all[name + ".ftz.f32"] = new Form(Run(&Map.One<Flushed1<T>>), kind, PtxType.F32, PtxType.F32);
    }

    private static void Float2<T>(Dictionary<string, Form> all, string name, bool saturated, InstructionClass kind = InstructionClass.Float)
        where T : IMap2
    {
        all[name + ".f32"] = new Form(Run(&Map.Two<T>), kind, PtxType.F32, PtxType.F32, PtxType.F32);
        all[name + ".ftz.f32"] = new Form(Run(&Map.Two<Flushed2<T>>), kind, PtxType.F32, PtxType.F32, PtxType.F32);
        if (saturated)
            all[name + ".sat.f32"] = new Form(Run(&Map.Two<Saturated2<T>>), kind, PtxType.F32, PtxType.F32, PtxType.F32);
    }

    // Less than, less or equal, greater, greater or equal, all of the first.
    private static void Order<T>(Dictionary<string, Form> all, PtxType t, string[] names)
        where T : ICompare, IWideCompare
    {
        Compare<T>(all, names[0], t);
        Compare<Opposite<Swapped<T>>>(all, names[1], t);
        Compare<Swapped<T>>(all, names[2], t);
        Compare<Opposite<T>>(all, names[3], t);
    }

    private static void Compare<T>(Dictionary<string, Form> all, string name, PtxType t)
        where T : ICompare, IWideCompare =>
        all[$"setp.{name}{t.Name()}"] = new Form(t.Size() == 8 ? Run(&Map.WideCompare<T>) : Run(&Map.Compare<T>),
            InstructionClass.Compare, PtxType.Pred, t, t);

    private static void CompareFloat<T>(Dictionary<string, Form> all, string name)
        where T : ICompare => all[$"setp.{name}.f32"] = new Form(Run(&Map.Compare<T>), InstructionClass.Compare, PtxType.Pred,
            PtxType.F32, PtxType.F32);
}
