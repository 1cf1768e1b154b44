using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Streaming;
using UniCardio.Weights;

namespace UniCardio.Tests;

public sealed class CardioModelTests(CardioModelTests.Loaded loaded) : IClassFixture<CardioModelTests.Loaded>
{
    private const int Samples = 1000;

    public sealed class Loaded : IDisposable
    {
        public CardioModel Model { get; } = CardioModel.Load(new EngineOptions { Threads = 1 });

        public void Dispose() => Model.Dispose();
    }

    [Fact]
    public void ThePackageSWeightsAreTheShippedFile()
    {
        using LoadedWeights file = WeightFile.Load(Project.File("weights", "compact.safetensors"));
        Assert.Equal(file.Description, loaded.Model.Description);
        Assert.Equal(file.Configuration, loaded.Model.Engine.Configuration);
    }

    [Fact]
    public void ArraysGiveWhatARecordingGives()
    {
        CardioSignals signals = Signals();
        CardioResult result = loaded.Model.Impute(signals, Modality.Bp, new CardioCallOptions { Draws = 2, Seed = 3 });
        var restorer =
            new Restorer(loaded.Model.Engine, new RestorationOptions { Task = CardioTask.Parse("impute bp | ppg"), Draws = 2, Seed = 3 });
        RestorationResult expected = restorer.Run(new Recording("r",
        [
            new Channel("ppg", "", 125, signals.Ppg, ChannelKind.Ppg),
            new Channel("bp", "mmHg", 125, signals.BloodPressure, ChannelKind.BloodPressure),
        ]));
        Assert.Equal(expected.Channel.Samples.ToArray(), result.Samples.ToArray());
        Assert.Equal(150, result.Generated);
        for (int i = 0; i < Samples; i++)
        {
            bool isGap = i is >= 400 and < 550;
            Assert.Equal(isGap ? Provenance.Imputed : Provenance.Measured, result.Provenance.Span[i]);
            if (!isGap)
                Assert.Equal(signals.BloodPressure.Span[i], result.Samples.Span[i]);
            Assert.True(result.Low.Span[i] <= result.High.Span[i] || !isGap);
        }
    }

    [Fact]
    public async Task EveryKindOfTaskRunsAndSaysWhatItMade()
    {
        CardioSignals signals = Signals();
        var options = new CardioCallOptions { Draws = 1 };
        Assert.All(loaded.Model.Translate(signals, Modality.Ecg, options).Provenance.ToArray(), p =>
            Assert.Equal(Provenance.Translated, p));
        CardioResult denoised = loaded.Model.Denoise(signals, Modality.Ppg, options);
        Assert.Contains(Provenance.Denoised, denoised.Provenance.ToArray());
        CardioResult same = await loaded.Model.RunAsync(signals, CardioTask.Parse("denoise ppg | bp"), options);
        Assert.Equal(denoised.Samples.ToArray(), same.Samples.ToArray());
    }

    [Fact]
    public void BeatsAndQualityAreThoseOfTheSignal()
    {
        CardioSignals signals = Signals();
        Assert.InRange(CardioModel.Beats(signals, Modality.Ppg).RateBpm!.Value, 71, 73);
        CardioQuality quality = CardioModel.Quality(signals, Modality.Bp);
        Assert.Equal(0.15, quality.Missing, 6);
        Assert.Equal(0, quality.Flat);
        CardioQuality still = CardioModel.Quality(new CardioSignals(125) { Ecg = new float[Samples] }, Modality.Ecg);
        Assert.Equal((1, null), (still.Flat, still.RateBpm));
        Assert.Throws<ArgumentException>(() => CardioModel.Beats(signals, Modality.Ecg));
    }

    [Fact]
    public void WhatIsNotGivenIsRefusedByName()
    {
        CardioSignals signals = Signals();
        Assert.Contains("ecg is not given", Assert.Throws<ArgumentException>(() => loaded.Model.Impute(signals, Modality.Ecg)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => loaded.Model.Translate(new CardioSignals(125) { Ppg = signals.Ppg }, Modality.Ppg));
        Assert.Throws<ArgumentException>(() => loaded.Model.Impute(new CardioSignals(125), Modality.Ppg));
        ArgumentException uneven =
            Assert.Throws<ArgumentException>(() => loaded.Model.Impute(signals with { Ppg = signals.Ppg[1..] }, Modality.Bp));
        Assert.Contains("bp has 1000 samples, ppg 999", uneven.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WeightsComeFromAStreamOrARecipeAndUntrainedOnesSaySo()
    {
        using (FileStream file = File.OpenRead(Project.File("weights", "compact.safetensors")))
        using (CardioModel model = CardioModel.Load(file, "mine"))
            Assert.Equal(loaded.Model.Description, model.Description);
        using (CardioModel model = CardioModel.Load("recipe:1,tiny"))
            Assert.Contains("noise, not a signal", model.Description, StringComparison.Ordinal);
        using var broken = new MemoryStream([1, 2, 3]);
        Assert.Contains("mine", Assert.Throws<WeightFormatException>(() => CardioModel.Load(broken, "mine")).Message,
            StringComparison.Ordinal);
        Assert.ThrowsAny<UniCardioException>(() => CardioModel.Load(new EngineOptions { Threads = -1 }));
    }

    [Fact]
    public async Task ALiveSessionFillsWhatIsMissing()
    {
        using StreamingSession session = loaded.Model.OpenSession(
            new StreamingSessionOptions { Ppg = new ChannelOptions(125), Bp = new ChannelOptions(125), Generate = ModalitySet.Bp });
        CardioSignals signals = Signals();
        session.Push(Modality.Ppg, TimeSpan.Zero, signals.Ppg.Span);
        session.Push(Modality.Bp, TimeSpan.Zero, signals.BloodPressure.Span[..500]);
        session.Complete();
        int generated = 0;
        await foreach (StreamingFrame frame in session.ReadAllAsync())
        {
            foreach (Provenance p in frame.Provenance(Modality.Bp))
                generated += p.IsGenerated() ? 1 : 0;
        }

        Assert.True(generated > 100, $"{generated} generated samples");
    }

    // A pulse of 72 a minute; 1.2 s of the pressure are missing.
    private static CardioSignals Signals()
    {
        float[] ppg = new float[Samples], bp = new float[Samples];
        for (int i = 0; i < Samples; i++)
        {
            double wave = Math.Pow((1 + Math.Sin(2 * Math.PI * 1.2 * i / 125)) / 2, 3);
            ppg[i] = (float)wave;
            bp[i] = i is >= 400 and < 550 ? float.NaN : (float)(80 + (40 * wave));
        }

        return new CardioSignals(125) { Ppg = ppg, BloodPressure = bp };
    }
}
