using System.Text.Json;
using UniCardio.Engine.Model;
using UniCardio.Weights;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Cli.Tests;

public class ConvertTests
{
    [Fact]
    public void ConvertedWeightsAreTheSameBits()
    {
        using var folder = new TemporaryFolder();
        string first = folder.File("first.safetensors"), second = folder.File("second.safetensors");
        Cli.Succeed("convert", "recipe:3,tiny", first);
        Cli.Succeed("convert", first, second);
        using LoadedWeights made = WeightFile.Load("recipe:3,tiny"), read = WeightFile.Load(second);
        Assert.Equal(made.Weights.Tensors.Select(t => t.Name).Order(), read.Weights.Tensors.Select(t => t.Name).Order());
        Dictionary<string, ParameterTensor> byName = read.Weights.Tensors.ToDictionary(t => t.Name);
        Assert.All(made.Weights.Tensors, t => Assert.True(t.Span.SequenceEqual(byName[t.Name].Span)));
        Assert.Equal(["first.safetensors", "second.safetensors"], folder.Files);
    }

    [Fact]
    public void InfoKnowsRecipeWeightsAndSaysSo()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("weights.bin");
        Cli.Succeed("convert", "recipe:3,tiny", path);
        JsonElement info = Cli.Succeed("info", path, "--json").Json;
        Assert.Equal("weights", info.GetProperty("kind").GetString());
        Assert.Equal("recipe:3", info.GetProperty("untrained").GetString());
        Assert.Contains("untrained", Cli.Succeed("info", path).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void ATruncatedFileLeavesNothingBehind()
    {
        using var folder = new TemporaryFolder();
        string whole = folder.File("whole.safetensors"), cut = folder.File("cut.safetensors");
        Cli.Succeed("convert", "recipe:3,tiny", whole);
        File.WriteAllBytes(cut, File.ReadAllBytes(whole)[..^2]);
        Cli.Refuse("cut.safetensors", "convert", cut, folder.File("out.safetensors"));
        Assert.Equal(["cut.safetensors", "whole.safetensors"], folder.Files);
    }

    [SkippableFact]
    public void TheOfficialCheckpointKeepsEveryLiveBitAndSaysWhatItDrops()
    {
        using var folder = new TemporaryFolder();
        string converted = folder.File("tiny.safetensors");
        CliResult result = Cli.Succeed("convert", Project.Shared("golden", "tiny.pth"), converted);
        Assert.Contains("alpha_torch and 24 tensors of feature_layer", result.Out, StringComparison.Ordinal);
        using SafetensorsFile ours = SafetensorsFile.Open(converted),
            official = SafetensorsFile.Open(Project.Shared("golden", "tiny.safetensors"));
        string[] live = [.. official.Entries.Select(e => e.Name).Where(n => !ParameterCatalog.IsKnownUnused(n))];
        Assert.Equal(live.Order(), ours.Entries.Select(e => e.Name).Order());
        Assert.All(live, n => Assert.True(ours.Bytes(n).SequenceEqual(official.Bytes(n)), n));
    }

    [Theory]
    [InlineData("out.onnx")]
    [InlineData("out.bin --to onnx --task impute\u00A0bp --windows 1 --draws 2 --sampler ddim:3")]
    public void ANetworkBecomesAnOnnxFile(string line)
    {
        using var folder = new TemporaryFolder();
        string[] words = [.. line.Split(' ').Select(w => w.Replace('\u00A0', ' '))];
        string path = folder.File(words[0]);
        CliResult result = Cli.Succeed(["convert", "recipe:3,tiny", path, .. words[1..]]);
        Assert.Contains("one call of", result.Out, StringComparison.Ordinal);
        Assert.Contains("not a medical device", result.Error, StringComparison.Ordinal);
        // Field 1, the IR version: 8.
        Assert.Equal([0x08, 0x08], File.ReadAllBytes(path)[..2]);
        Assert.Equal([words[0]], folder.Files);
    }

    [Theory]
    [InlineData("--draws", "convert recipe:3,tiny out.safetensors --draws 2")]
    [InlineData("OUT", "convert recipe:3,tiny")]
    [InlineData("QualityFM", "convert recipe:4,quality-tiny out.onnx")]
    [InlineData("not a task", "convert recipe:3,tiny out.onnx --task ecg->ecg")]
    [InlineData("diffusion steps", "convert recipe:3,tiny out.onnx --sampler ddim:99")]
    public void WhatDoesNotFitTogetherIsRefused(string said, string line)
    {
        using var folder = new TemporaryFolder();
        Cli.Refuse(said, [.. line.Split(' ').Select(w => w.StartsWith("out.", StringComparison.Ordinal) ? folder.File(w) : w)]);
        Assert.Empty(folder.Files);
    }
}
