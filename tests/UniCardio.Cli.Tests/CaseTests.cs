using System.Globalization;
using System.Text.Json;

namespace UniCardio.Cli.Tests;

/// <summary>
/// Inputs that broke the program once, run through <c>info FILE --json</c>, with the values that are right (shared/cases/README.txt). Each
/// kind has
/// a test with an input of its own elsewhere, so that nothing here is needed to find it again.
/// </summary>
public class CaseTests
{
    /// <summary>What <c>info</c> said.</summary>
    private sealed class Info(JsonElement json)
    {
        public string? Start => json.GetProperty("start").GetString();

        public string[] Remarks => [.. json.GetProperty("remarks").EnumerateArray().Select(r => r.GetString()!)];

        public JsonElement[] Channels => [.. json.GetProperty("channels").EnumerateArray()];

        public string[] Names => [.. Channels.Select(c => c.GetProperty("name").GetString()!)];

        public Info Channel(int index, string name, string kind, string? unit = null, double? rate = null, int? samples = null,
            int? missing = null, double? min = null, double? max = null)
        {
            JsonElement c = Channels[index];
            Assert.Equal((name, kind), (c.GetProperty("name").GetString(), c.GetProperty("kind").GetString()));
            if (unit is not null)
                Assert.Equal(unit, c.GetProperty("unit").GetString());
            Number(rate, "rate_hz", 1e-9);
            Number(samples, "samples", 0);
            Number(missing, "missing", 0);
            // float32, and values of two or three decimals.
            Number(min, "min", 2e-3);
            Number(max, "max", 2e-3);
            return this;

            void Number(double? wanted, string property, double tolerance)
            {
                if (wanted is { } w)
                    Assert.InRange(c.GetProperty(property).GetDouble(), w - (tolerance * Math.Max(1, Math.Abs(w))),
                        w + (tolerance * Math.Max(1, Math.Abs(w))));
            }
        }

        public Info Only(params string[] names)
        {
            Assert.Equal(names, Names);
            return this;
        }

        public Info Began(string? start)
        {
            Assert.Equal(start, Start);
            return this;
        }

        public Info Remark(string words)
        {
            Assert.Contains(Remarks, r => r.Contains(words, StringComparison.OrdinalIgnoreCase));
            return this;
        }

        public Info NoRemark()
        {
            Assert.Empty(Remarks);
            return this;
        }
    }

    private sealed record Case(string File, Action<Info>? Right, string? Refusal, string[] Arguments);

    private static Case Read(string file, Action<Info> right, params string[] arguments) => new(file, right, null, arguments);

    private static Case Refused(string file, string words, params string[] arguments) => new(file, null, words, arguments);

    private static readonly string[] Two = ["--rate", "125", "--columns", "abp_mmHg,ecg_mV"], One = ["--rate", "125", "--columns",
        "ecg_mV"];

    private static readonly Case[] Cases =
    [
        // Tables.
        Read("c10_dup.csv", i => i.Only("ecg").Remark("line 603")),
        Refused("c11_unsorted.csv", "time goes back"),
        Read("c12_inf.csv", i => i.Remark("infinity").Remark("#N/A").Channel(0, "ecg", "ecg").Channel(1, "abp", "bp")),
        Read("c13_mit.csv", i => i.Only("MLII", "V5").Channel(0, "MLII", "ecg", rate: 125).Channel(1, "V5", "ecg"), "--rate", "125"),
        Read("c14_space.txt", i => Assert.Equal((2, 125.0), (i.Channels.Length, i.Channels[0].GetProperty("rate_hz").GetDouble()))),
        Read("c14_space.csv", i => Assert.Equal((2, 125.0), (i.Channels.Length, i.Channels[0].GetProperty("rate_hz").GetDouble()))),
        Read("c15_vital.csv", i => i.Channel(0, "SNUADC/ECG_II", "ecg").Channel(1, "SNUADC/PLETH", "ppg").Channel(2, "SNUADC/ART",
            "bp").Channel(3, "Solar8000/ART_SBP", "other")),
        Read("c16_fill.csv", i => i.Channel(0, "abp", "other", "").Channel(1, "abp_2", "bp", "mmHg").Remark("'abp'")),
        Read("c1_atm.csv", i => i.Channel(0, "MLII", "ecg", "mV", 125, 1250).Channel(1, "ABP", "bp", "mmHg", 125, 1250)),
        Read("c2_bidmc.csv", i => i.Channel(0, "RESP", "other", rate: 125).Channel(1, "PLETH", "ppg").Channel(2, "V", "ecg").Channel(3,
            "AVR", "ecg").Channel(4, "II", "ecg")),
        Read("c3_de.csv", i => i.Channel(0, "EKG", "ecg", rate: 125).Channel(1, "ABP", "bp", min: 80)),
        Read("c3b_de.csv", i => i.Channel(0, "EKG", "ecg", rate: 125).Channel(1, "ABP", "bp", min: 80)),
        Read("c4_latin.csv", i => i.Channel(0, "ECG", "ecg", "uV", 125)),
        Read("c6_ms.csv", i => i.Channel(0, "ecg", "ecg", rate: 125).Remark("milliseconds")),
        Read("c7_epoch.csv", i => i.Only("ppg").Channel(0, "ppg", "ppg", rate: 125).Began("2020-09-13T12:26:40")),
        Read("c7b_epochms.csv", i => i.Only("ppg").Channel(0, "ppg", "ppg", rate: 125).Began("2020-09-13T12:26:40")),
        Read("c8_iso.csv", i => i.Only("ecg").Channel(0, "ecg", "ecg", rate: 125).Began("2016-11-24T13:58:01")),
        Read("k1_pap1_art.csv", i => i.Channel(0, "PAP1", "other").Channel(1, "ART", "bp").Channel(2, "Pleth", "ppg")),
        Read("k3_abpmean_abp.csv", i => i.Channel(0, "ABPMean", "other").Channel(1, "ABP", "bp")),
        Read("k4_bvp.csv", i => i.Channel(0, "BVP", "ppg")),
        Read("k5_pap1_art_nogap.csv", i => i.Channel(1, "ART", "bp")),
        Read("m_8388607.csv", i => i.Channel(0, "ecg", "ecg", "uV", samples: 3, missing: 1, max: 80).Remark("-8388608")),
        Read("m_cr.csv", i => i.Channel(0, "ecg", "ecg", "mV", 125, 3, 0, 1, 3)),
        Read("m_dupcol.csv", i => i.Channel(0, "ECG", "ecg", max: 2).Channel(1, "ECG_2", "ecg", max: 8)),
        Read("m_err.csv", i => i.Channel(0, "ecg", "ecg", samples: 2, missing: 0).Channel(1, "abp", "bp", missing: 1), "--rate", "125"),
        Refused("m_hash_header.csv", "--columns"),
        Refused("m_hash_header.csv", "--rate"),
        Read("m_hash_header.csv", i => i.Only("x", "ecg").Channel(1, "ecg", "ecg", "mV", 1000), "--columns", "n,x,ecg_mV,-", "--rate",
            "1000"),
        Read("m_hashhead_names.csv", i => i.Only("ecg").Channel(0, "ecg", "ecg", "mV", 125, 3)),
        Read("m_hexplus.csv", i => i.Channel(0, "ecg", "ecg", min: 0.001, max: 2)),
        Read("m_meta.csv", i => i.Channel(0, "ecg", "ecg", samples: 2, min: 1, max: 2).Remark("lines before")),
        Read("m_neg32768_abp.csv", i => i.Channel(0, "abp", "bp", missing: 1, min: 0, max: 80).Remark("-32768")),
        Refused("m_only_time.csv", "no column of samples"),
        Refused("m_ragged.csv", "line 3"),
        Read("m_savetxt.csv", i => i.Only("ecg").Channel(0, "ecg", "ecg", "mV", 125, 1250)),
        Refused("m_thousand.csv", "line 2"),
        Refused("m_thousand.csv", "1,024"),
        Read("m_tokens.csv", i => i.Channel(0, "ecg", "ecg", samples: 5, missing: 4), "--rate", "125"),
        Read("m_tokens2.csv", i => i.Channel(0, "ecg", "ecg", missing: 1), "--rate", "125"),
        Read("m_tokens3.csv", i => i.Channel(0, "ecg", "ecg", missing: 1), "--rate", "125"),
        Read("m_trail.csv", i => i.Only("ecg").Channel(0, "ecg", "ecg", min: 1, max: 3)),
        Read("m_unit_row.csv", i => i.Channel(0, "MLII", "ecg", "mV", 125, 3).Channel(1, "ABP", "bp", "mmHg")),
        Read("m_unit_row2.csv", i => i.Channel(0, "PLETH", "ppg", "NU", 125).Channel(1, "ABP", "bp", "mmHg")),
        Read("t_1000Hz_3dec.csv", i => i.Channel(0, "ecg", "ecg", rate: 1000, samples: 3000).Remark("first and the last")),
        Read("t_125Hz_1dec.csv", i => i.Channel(0, "ecg", "ecg", rate: 125, samples: 3000).Remark("first and the last")),
        Read("t_128Hz_3dec.csv", i => i.Channel(0, "ecg", "ecg", rate: 128, samples: 3000).Remark("first and the last")),
        Read("t_250Hz_2dec.csv", i => i.Channel(0, "ecg", "ecg", rate: 250, samples: 3000).Remark("first and the last")),
        Read("t_300Hz_2dec.csv", i => i.Channel(0, "ecg", "ecg", rate: 300, samples: 3000).Remark("first and the last")),
        Read("t_360Hz_3dec.csv", i => i.Channel(0, "ecg", "ecg", rate: 360, samples: 3000).Remark("first and the last")),
        Read("t_500Hz_3dec.csv", i => i.Channel(0, "ecg", "ecg", rate: 500, samples: 3000).Remark("first and the last")),
        Read("t_62.4725Hz_3dec.csv",
            i => Assert.InRange(i.Channel(0, "ecg", "ecg", samples: 3000).Channels[0].GetProperty("rate_hz").GetDouble(), 62.4715,
            62.4735)),
        Read("t_gaprows.csv", i => i.Channel(0, "ecg", "ecg", rate: 125, samples: 1250, missing: 100).Remark("100 samples")),
        Read("t_jitter1ms.csv", i => i.Channel(0, "ecg", "ecg", rate: 125, samples: 1250, missing: 0)),
        Read("t_offset_date_time.csv", i => i.Only("ECG").Channel(0, "ECG", "ecg", rate: 125, samples: 1250).Began("2020-01-01T00:00:00")),
        Read("x1_na_first.csv", i => i.Channel(0, "ecg", "ecg", samples: 4000, missing: 100).Channel(1, "abp", "bp", samples: 4000),
            "--rate", "125"),
        Read("x2_allnan.csv", i => i.Channel(1, "abp", "bp").Remark("all are missing")),
        Read("x4_kpa.csv", i => i.Channel(1, "abp", "bp", "kPa")),
        Read("x4b_wrongunit.csv", i => i.Remark("looks like kPa")),
        Read("x4b_wrongunit.csv", i => i.Channel(1, "abp", "bp", "kPa"), "--unit", "bp=kPa"),
        Read("x5_flat.csv", i => i.Remark("flat")),
        Read("x5b_sat.csv", i => i.Remark("clipped")),
        Read("x6_500.csv", i => i.Channel(0, "ppg", "ppg", samples: 500)),
        Read("x7_62.csv", i => Assert.InRange(i.Channel(0, "ppg", "ppg", samples: 4000).Channels[0].GetProperty("rate_hz").GetDouble(),
            62.47, 62.475)),

        // Arrays.
        Read("n10_inf.npy", i => i.Channel(0, "ecg", "ecg", missing: 1).Remark("infinite"), One),
        Read("n11_square.npy", i => { Assert.Equal(4, i.Channels.Length); i.Remark("shape"); }, "--rate", "125"),
        Read("n12_i2.npy", i => i.Channel(1, "signal_1", "other", missing: 1), "--rate", "125"),
        Read("n13_col.npy", i => i.Channel(0, "ecg", "ecg", samples: 1250), One),
        Refused("n14_ld.npy", "f16", "--rate", "125"),
        Read("n1_T_fortran.npy", i => i.Channel(0, "abp", "bp", samples: 1250, min: 80, max: 120).Channel(1, "ecg", "ecg", max: 1), Two),
        Read("n2_CT.npy", i => i.Channel(0, "abp", "bp", samples: 1250, min: 80, max: 120).Channel(1, "ecg", "ecg", max: 1), Two),
        Read("n3_be.npy", i => i.Channel(0, "abp", "bp", samples: 1250, min: 80, max: 120).Channel(1, "ecg", "ecg", max: 1), Two),
        Refused("n4_bool.npy", "b1", "--rate", "125"),
        Refused("n5_3d.npy", "3 dimensions", "--rate", "125"),
        Refused("n6_struct.npy", "records", "--rate", "125"),
        Refused("n7_obj.npy", "O", "--rate", "125"),
        Refused("n8_complex.npy", "type '<c", "--rate", "125"),
        Refused("n9.npz", "npz"),

        // EDF and BDF.
        Read("E22_UPPER.EDF", i => Assert.Single(i.Channels)),
        Read("b1.bdf", i => i.Channel(0, i.Names[0], i.Channels[0].GetProperty("kind").GetString()!, min: -262144, max: 262143)),
        Read("e11_hb.edf", i => i.Channel(0, "ECG II", "ecg", "mV", 250, 2500)),
        Read("e12_m1.edf", i => i.Channel(0, "ECG II", "ecg", samples: 2500)),
        Read("e13_zero.edf", i => i.Only("ECG II").Remark("Empty")),
        Read("e14_kpa.edf", i => i.Channel(0, i.Names[0], "bp", "kPa", min: 10.67, max: 16)),
        Read("e15_annfirst.edf", i => i.Channel(0, i.Names[0], "ecg", max: 1)),
        Read("e17_dupECG.edf", i => i.Channel(0, "ECG", "ecg", max: 0.998).Channel(1, "ECG_2", "ecg", min: -0.998)),
        Read("e18_fracstart.edf", i => Assert.EndsWith("T10:11:12.5", i.Start, StringComparison.Ordinal)),
        Refused("e19_overlap.edf", "record 4"),
        Read("e1_reversed.edf", i => i.Channel(0, i.Names[0], "ecg", min: -1)),
        Read("e21_ucddb.rec", i => Assert.Single(i.Channels)),
        Read("e2_phys00.edf", i => i.Only("ECG II", "ABP").Remark("spare")),
        Read("e4_comma.edf", i => i.Channel(0, "ECG II", "ecg", "mV", max: 1)),
        Read("e5_trunc.edf", i => i.Channel(0, i.Names[0], "ecg", samples: 2000).Remark("ends within")),
        Read("e6_edfD.edf", i => i.Channel(0, "ECG II", "ecg", samples: 3125, missing: 625)),
        Read("e7_dur.edf", i => i.Channel(0, i.Names[0], "ecg", rate: 250).Channel(1, i.Names[1], "bp", rate: 100)),
        Read("e8_dup.edf", i => Assert.Equal(i.Channels.Length, i.Names.Distinct().Count())),
        Read("e9_nul.edf", i => i.Channel(0, "ECG II", "ecg", "mV", max: 1).Began("2020-02-01T10:11:12")),

        // WFDB.
        Read("w10_80.hea", i => i.Channel(0, "ECG", "ecg", missing: 50, min: -0.1, max: 12.7)),
        Read("w11.hea", i => i.Only("ECG", "V1")),
        Refused("w12.hea", "FLAC"),
        Refused("w12.hea", "w12.dat"),
        Read("w1_00001.hea", i => i.Channel(0, "I", "ecg", "mV", 250, 2500).Channel(1, "II", "ecg")),
        Read("w3.hea", i => i.Channel(0, "XFlow_DR", "other", "mV/s", 125, 1250).Channel(1, i.Names[1], "bp", "mmHg", 250, 2500)),
        Read("w4.hea", i => i.Channel(0, "ECG", "ecg").Began(null).Remark("2006")),
        Refused("w5.hea", "segments"),
        Read("w6.hea", i => i.Channel(0, "ECG", "ecg", samples: 2500)),
        Read("w8.hea", i => i.Channel(0, "II", "ecg", max: 1, missing: 0).Channel(1, "ABP", "bp", missing: 0).Channel(2, "II_2", "ecg",
            min: -1, missing: 0)),
        Read("w9.hea", i => i.Channel(0, "II", "ecg", missing: 1500).Channel(1, "ABP", "bp", missing: 1000, min: 80, max: 120)),

        // Made to do harm.
        Refused("hostile/edf_gap.edf", "missing samples declared"),
        Refused("hostile/wfdb_lay.hea", "missing samples declared"),
        Refused("hostile/wfdb_null.hea", "missing samples declared"),
        Refused("hostile/wfdb_null_replay.hea", "missing samples declared"),
        Refused("hostile/st_surrogate_key.safetensors", "surrogate"),
        Refused("hostile/st_surrogate_dtype.safetensors", "surrogate"),
    ];

    public static TheoryData<int, string> Numbers
    {
        get
        {
            var numbers = new TheoryData<int, string>();
            for (int i = 0; i < Cases.Length; i++)
                numbers.Add(i, Cases[i].File);
            return numbers;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Numbers))]
    public void ValueIsRight(int number, string file)
    {
        Case wanted = Cases[number];
        string path = Project.Shared("cases", Path.Combine(file.Split('/')));
        long before = GC.GetAllocatedBytesForCurrentThread();
        CliResult result = Cli.Run(["info", path, "--json", .. wanted.Arguments]);
        if (file.StartsWith("hostile", StringComparison.Ordinal))
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64L << 20);
        Assert.DoesNotContain(result.Out + result.Error, c => char.IsControl(c) && c is not ('\n' or '\r'));
        if (wanted.Refusal is { } words)
        {
            Assert.Equal(ExitCode.BadInput, result.Code);
            Assert.Contains(words, result.Error, StringComparison.OrdinalIgnoreCase);
        }
        else
        {
            Assert.True(result.Code == ExitCode.Success, result.Error);
            wanted.Right!(new Info(result.Json));
        }
    }

    [SkippableFact]
    public void ChannelNamesHaveTheirKinds()
    {
        var wrong = new List<string>();
        foreach (string line in File.ReadLines(Project.Shared("cases", "channel-names.csv")).Skip(1))
        {
            string[] cells = line.Split(',');
            string kind = Signals.ChannelKindRecognition.Recognize(cells[0], cells[1]) switch
            {
                Signals.ChannelKind.BloodPressure => "bp",
                var other => other.ToString().ToLower(CultureInfo.InvariantCulture),
            };
            if (kind != cells[2])
                wrong.Add($"{cells[0]} [{cells[1]}] is {kind}, not {cells[2]}");
        }
        Assert.Empty(wrong);
    }
}
