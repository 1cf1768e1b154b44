using FsCheck;
using FsCheck.Fluent;
using UniCardio.Engine.Model;

namespace UniCardio.Engine.Tests.Model;

public class CardioTaskTests
{
    [Fact]
    public void ThereAre33TasksAllDifferent()
    {
        Assert.Equal(33, CardioTask.All.Count);
        Assert.Equal(33, CardioTask.All.Distinct().Count());
        Assert.Equal(33, CardioTask.All.Select(t => t.ToString()).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(9, CardioTask.All.Count(t => t.Kind == TaskKind.Translate));
        Assert.Equal(12, CardioTask.All.Count(t => t.Kind == TaskKind.Impute));
        Assert.Equal(12, CardioTask.All.Count(t => t.Kind == TaskKind.Denoise));
        Assert.All(CardioTask.All, t => Assert.True(t.IsValid));
    }

    [Fact]
    public void TheNetworkKnows21OfThem()
    {
        // By number of conditions: 6 + 3 translations, 3 + 6 + 3 restorations.
        var network = CardioTask.All.Select(t => (t.Conditions, t.Target, t.Output)).Distinct().ToList();
        Assert.Equal([9, 9, 3], Enumerable.Range(1, 3).Select(n => network.Count(t => t.Conditions.Count() == n)));
        Assert.Equal(
            [6, 3, 0], Enumerable.Range(1, 3).Select(n => network.Count(t => t.Conditions.Count() == n && t.Target != Slot.Restoration)));
    }

    [Fact]
    public void TargetsFollowTheSlotRule() => Assert.All(CardioTask.All, t =>
    {
        Assert.Equal(t.Kind == TaskKind.Translate, !t.Conditions.Contains(t.Output));
        Assert.Equal(t.Kind == TaskKind.Translate ? (int)t.Output : 3, (int)t.Target);
    });

    [Fact]
    public void EveryTextFormParsesBack() => Assert.All(CardioTask.All, t =>
    {
        Assert.Equal(t, CardioTask.Parse(t.ToString()));
        Assert.True(CardioTask.TryParse(t.ToString(), null, out CardioTask again));
        Assert.Equal(t, again);
    });

    [Fact]
    public void SpacingAndCaseDoNotMatter() => Assert.All(CardioTask.All, t =>
    {
        string text = t.ToString();
        string spread = "  " + text.Replace("->", " \t-> ", StringComparison.Ordinal).Replace(",", " ,\t ", StringComparison.Ordinal)
            .Replace(" ", "   ", StringComparison.Ordinal).ToUpperInvariant() + "\t\r\n";
        string tight = text.Replace(" | ", "|", StringComparison.Ordinal);
        Assert.Equal(t, CardioTask.Parse(spread));
        Assert.Equal(t, CardioTask.Parse(tight));
    });

    [Theory]
    [InlineData("ppg->ecg", TaskKind.Translate, ModalitySet.Ppg, Modality.Ecg)]
    [InlineData("bp,ppg->ecg", TaskKind.Translate, ModalitySet.Ppg | ModalitySet.Bp, Modality.Ecg)]
    [InlineData("abp->ppg", TaskKind.Translate, ModalitySet.Bp, Modality.Ppg)]
    [InlineData("impute ecg", TaskKind.Impute, ModalitySet.Ecg, Modality.Ecg)]
    [InlineData("impute ecg | ppg,bp", TaskKind.Impute, ModalitySet.All, Modality.Ecg)]
    [InlineData("denoise ppg", TaskKind.Denoise, ModalitySet.Ppg, Modality.Ppg)]
    [InlineData("denoise ABP|ecg", TaskKind.Denoise, ModalitySet.Bp | ModalitySet.Ecg, Modality.Bp)]
    public void ReadsWhatTheTextSays(string text, TaskKind kind, ModalitySet conditions, Modality output)
    {
        CardioTask task = CardioTask.Parse(text);
        Assert.Equal((kind, conditions, output), (task.Kind, task.Conditions, task.Output));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("ppg")]
    [InlineData("->")]
    [InlineData("ppg->")]
    [InlineData("->ecg")]
    [InlineData("ppg->ppg")]
    [InlineData("ppg,bp->ppg")]
    [InlineData("ppg,bp,ecg->ecg")]
    [InlineData("ppg,ppg->ecg")]
    [InlineData("ppg,->ecg")]
    [InlineData(",ppg->ecg")]
    [InlineData("ppg bp->ecg")]
    [InlineData("ppg->ecg,bp")]
    [InlineData("ppg->bp->ecg")]
    [InlineData("ppg - > ecg")]
    [InlineData("eeg->ecg")]
    [InlineData("impute")]
    [InlineData("impute ")]
    [InlineData("impute eeg")]
    [InlineData("impute ecg |")]
    [InlineData("impute ecg | ")]
    [InlineData("impute ecg | ecg")]
    [InlineData("impute ecg | ppg,ecg")]
    [InlineData("impute ecg | ppg,ppg")]
    [InlineData("impute ecg | ppg | bp")]
    [InlineData("impute ecg ppg")]
    [InlineData("impute ecg,ppg")]
    [InlineData("| ecg")]
    [InlineData("denoised ppg")]
    [InlineData("(no task)")]
    public void RefusesWhatIsNoTask(string text)
    {
        Assert.False(CardioTask.TryParse(text, null, out CardioTask none));
        Assert.False(none.IsValid);
        var e = Assert.Throws<FormatException>(() => CardioTask.Parse(text));
        Assert.Contains($"'{text}'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NoTextIsNoTask()
    {
        Assert.False(CardioTask.TryParse(null, null, out _));
        Assert.Throws<ArgumentNullException>(() => CardioTask.Parse(null!));
        Assert.False(default(CardioTask).IsValid);
        Assert.Equal("(no task)", default(CardioTask).ToString());
    }

    [Fact]
    public void AnyTextEitherReadsBackOrIsRefused()
    {
        string[] pieces = ["ppg", "bp", "ecg", "abp", "impute", "denoise", "->", ",", "|", " ", "\t", "-", ">", "PPG", "x", "\0", "\u00e9"];
        Gen<string> texts = from count in Gen.Choose(0, 9)
                            from parts in Gen.ArrayOf(Gen.Elements(pieces), count)
                            select string.Concat(parts);
        Prop.ForAll(Arb.From(texts), text =>
            !CardioTask.TryParse(text, null, out CardioTask task)
                || (task.IsValid && CardioTask.All.Contains(task) && CardioTask.Parse(task.ToString()) == task))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5000).WithReplay(20260103, 13));
    }

    [Fact]
    public void SlotsAndDecoderGiveTheTaskBack() => Assert.All(CardioTask.All, t =>
    {
        CardioTask found = CardioTask.FromSlots(t.Conditions, t.Target, t.Output);
        Assert.Equal((t.Conditions, t.Target, t.Output), (found.Conditions, found.Target, found.Output));
        Assert.Equal(t.Kind == TaskKind.Translate ? TaskKind.Translate : TaskKind.Impute, found.Kind);
    });

    [Fact]
    public void EveryOtherCombinationOfSlotsAndDecoderIsRefused()
    {
        int sound = 0;
        for (ModalitySet set = ModalitySet.None; set <= ModalitySet.All + 1; set++)
        {
            for (int target = -1; target <= 4; target++)
            {
                for (int decoder = -1; decoder <= 3; decoder++)
                {
                    try
                    {
                        CardioTask.FromSlots(set, (Slot)target, (Modality)decoder);
                        sound++;
                    }
                    catch (ConfigurationException e)
                    {
                        Assert.Equal("task", e.Setting);
                    }
                }
            }
        }

        Assert.Equal(21, sound);
    }

    [Fact]
    public void FactoriesRefuseWhatIsNoTask()
    {
        Assert.Throws<ConfigurationException>(() => CardioTask.Translate(ModalitySet.None, Modality.Ecg));
        Assert.Throws<ConfigurationException>(() => CardioTask.Translate(ModalitySet.Ecg, Modality.Ecg));
        Assert.Throws<ConfigurationException>(() => CardioTask.Translate((ModalitySet)8, Modality.Ecg));
        Assert.Throws<ConfigurationException>(() => CardioTask.Translate(ModalitySet.Ppg, (Modality)3));
        Assert.Throws<ConfigurationException>(() => CardioTask.Impute((Modality)(-1)));
        Assert.Throws<ConfigurationException>(() => CardioTask.Denoise(Modality.Ppg, (ModalitySet)9));
        // The restored signal may be named among the others: it is a condition either way.
        Assert.Equal(CardioTask.Impute(Modality.Ppg), CardioTask.Impute(Modality.Ppg, ModalitySet.Ppg));
    }
}
