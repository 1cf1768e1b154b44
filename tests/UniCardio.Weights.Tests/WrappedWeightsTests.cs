using System.Text;
using UniCardio.Engine.Model;
using UniCardio.Weights.Safetensors;
using UniCardio.Weights.Tests.Torch;

namespace UniCardio.Weights.Tests;

/// <summary>Weights as training code leaves them: with prefixes, within checkpoints, in several files.</summary>
public class WrappedWeightsTests
{
    private static readonly WeightLoadOptions Options = new() { Heads = 3 };

    private static void AssertIsTheNetwork(string path)
    {
        using LoadedWeights loaded = WeightFile.Load(path, Options);
        Assert.Equal(SmallNetwork.Configuration, loaded.Configuration);
        Dictionary<string, ParameterTensor> expected = SmallNetwork.Tensors(5000).ToDictionary(t => t.Name);
        Assert.Equal(expected.Count, loaded.Weights.Tensors.Count);
        Assert.All(loaded.Weights.Tensors, t => Assert.True(t.Span.SequenceEqual(expected[t.Name].Span), t.Name));
    }

    [Theory]
    [InlineData("module.")]
    [InlineData("_orig_mod.")]
    [InlineData("model.")]
    [InlineData("module._orig_mod.")]
    [InlineData("model.module.")]
    [InlineData("net.")]
    [InlineData("module.network.")]
    [InlineData("unicardio._orig_mod.")]
    [InlineData("_orig_mod.module.model.")]
    [InlineData("_forward_module.")]
    [InlineData("_fsdp_wrapped_module._orig_mod.")]
    [InlineData("accelerator.module.")]
    [InlineData("student.model.")]
    public void PrefixesAreTakenOffInBothFormats(string prefix)
    {
        using var folder = new TemporaryFolder();
        IReadOnlyList<ParameterTensor> tensors = SmallNetwork.Tensors(5000);
        File.WriteAllBytes(folder.File("w.pth"), TorchBuilder.Of(tensors, prefix).Bytes());
        AssertIsTheNetwork(folder.File("w.pth"));
        SafetensorsWriter.Write(folder.File("w.safetensors"),
            [.. tensors.Select(t => new ParameterTensor(prefix + t.Name, t.Shape, t.Data))]);
        AssertIsTheNetwork(folder.File("w.safetensors"));
        // A part that was compiled alone has the mark within its names.
        SafetensorsWriter.Write(folder.File("w.safetensors"),
            [.. tensors.Select(t => new ParameterTensor(t.Name.Replace("diffmodel.", "diffmodel._orig_mod.", StringComparison.Ordinal),
            t.Shape, t.Data))]);
        AssertIsTheNetwork(folder.File("w.safetensors"));
    }

    [Fact]
    public void ATensorUnderTwoNamesIsRefused()
    {
        using var folder = new TemporaryFolder();
        ParameterTensor t = SmallNetwork.Tensors(5000)[0];
        SafetensorsWriter.Write(folder.File("w.safetensors"), [t, new ParameterTensor("module." + t.Name, t.Shape, t.Data)]);
        Assert.Contains("twice", Assert.Throws<WeightFormatException>(() => WeightFile.Load(folder.File("w.safetensors"),
            Options)).Message, StringComparison.Ordinal);
    }

    // {KEY: state dict, 'optimizer': {'state': {0: {'step': tensor, 'exp_avg': ...}}, 'param_groups': [{'lr': 1e-4, 'params': [0, 1]}]},
    // 'epoch': 3, ...}
    private static byte[] Checkpoint(string? key, bool asParameters)
    {
        var builder = new TorchBuilder();
        builder.Entries.Add(("archive/data.pkl", []));
        var pickle = new PickleBuilder();
        pickle.Op('}').Op('(').Text("epoch").Number(3).Text("loss").Op('G').Raw(new byte[8]).Text("config").Op('}').Text("lr").Op('G')
            .Raw(new byte[8]).Op('s').Text("best").Op('N');
        if (key is not null)
            pickle.Text(key).OrderedDictionary().Op('(');
        int storage = 0;
        foreach (ParameterTensor tensor in SmallNetwork.Tensors(5000))
        {
            long[] size = [.. tensor.Shape.Select(d => (long)d)];
            pickle.Text("module." + tensor.Name);
            if (asParameters)
                pickle.Global("torch._utils", "_rebuild_parameter").Op('(');
            pickle.Tensor("FloatStorage", $"{storage}", tensor.Data.Length, 0, size, TorchBuilder.RowMajor(size));
            if (asParameters)
                pickle.Raw(0x88).OrderedDictionary().Op('t').Op('R');
            builder.Entries.Add(($"archive/data/{storage++}", System.Runtime.InteropServices.MemoryMarshal.AsBytes(tensor.Span).ToArray()));
        }
        if (key is not null)
            pickle.Op('u');
        pickle.Text("optimizer").Op('}').Op('(').Text("state").Global("collections", "defaultdict").Global("__builtin__",
            "dict").Raw(0x85).Op('R').Number(0).Op('}')
            .Text("exp_avg").Tensor("FloatStorage", $"{storage}", 2, 0, [2], [1]).Op('s').Op('s')
            .Text("param_groups").Op(']').Op('}').Text("params").Op(']').Op('(').Number(0).Number(1).Op('e').Op('s').Op('a').Op('u');
        builder.Entries.Add(($"archive/data/{storage}", new byte[8]));
        builder.Entries[0] = ("archive/data.pkl", pickle.Op('u').Stop());
        return builder.Bytes();
    }

    [Theory]
    [InlineData("state_dict", false)]
    [InlineData("model", false)]
    [InlineData("model", true)]
    [InlineData("model_state_dict", false)]
    [InlineData("whatever", false)]
    [InlineData(null, false)]
    public void CheckpointsOfATrainingAreReadForTheirNetwork(string? key, bool asParameters)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("w.pth"), Checkpoint(key, asParameters));
        AssertIsTheNetwork(folder.File("w.pth"));
        using LoadedWeights loaded = WeightFile.Load(folder.File("w.pth"), Options);
        Assert.Contains(loaded.Notes, n => n.Contains("epoch", StringComparison.Ordinal)
            && n.Contains("optimizer", StringComparison.Ordinal));
    }

    // What torch.load(weights_only=True) takes beside tensors too: seeds of 64 bits, bytes, sets, counters, keys that are no text.
    [Fact]
    public void PlainValuesOfATrainingArePassedOver()
    {
        using var folder = new TemporaryFolder();
        var builder = new TorchBuilder();
        builder.Entries.Add(("archive/data.pkl", []));
        PickleBuilder pickle = new PickleBuilder().Op('}').Op('(')
            .Text("seed").Raw(0x8A, 9).Raw(new byte[9])
            .Text("hash").Global("_codecs", "encode").Text("abc").Text("latin1").Raw(0x86).Op('R')
            .Text("done").Global("__builtin__", "set").Op(']').Op('(').Number(1).Number(2).Op('e').Raw(0x85).Op('R')
            .Text("milestones").Global("collections", "Counter").Op('}').Number(30).Number(1).Op('s').Raw(0x85).Op('R')
            .Text("scales").Global("collections", "defaultdict").Global("builtins", "float").Raw(0x85).Op('R')
            .Text("table").Op('}').Op('(').Op('G').Raw(new byte[8]).Number(1).Number(1).Number(2).Raw(0x86).Number(3)
            .Op('N').Number(5).Op('u')
            .Text("model").OrderedDictionary().Op('(');
        int storage = 0;
        foreach (ParameterTensor tensor in SmallNetwork.Tensors(5000))
        {
            long[] size = [.. tensor.Shape.Select(d => (long)d)];
            pickle.Text(tensor.Name).Tensor("FloatStorage", $"{storage}", tensor.Data.Length, 0, size, TorchBuilder.RowMajor(size));
            builder.Entries.Add(($"archive/data/{storage++}", System.Runtime.InteropServices.MemoryMarshal.AsBytes(tensor.Span).ToArray()));
        }
        builder.Entries[0] = ("archive/data.pkl", pickle.Op('u').Op('u').Stop());
        File.WriteAllBytes(folder.File("w.pth"), builder.Bytes());
        AssertIsTheNetwork(folder.File("w.pth"));
    }

    [Fact]
    public void ALargeNumberIsNoSize() => TorchBadInputTests.Refused("a tensor's dimension 0", TorchBuilder.Of(new PickleBuilder().Op('}')
        .Text("w").Global("torch._utils", "_rebuild_tensor_v2").Op('(').Op('(').Text("storage").Global("torch", "FloatStorage").Text("0")
        .Text("cpu").Number(6).Op('t').Op('Q').Number(0).Raw(0x8A, 9).Raw(new byte[9]).Raw(0x85).Tuple(1).Raw(0x89)
        .OrderedDictionary().Op('t').Op('R').Op('s').Stop(), ("0", new byte[24])));

    [Theory]
    [InlineData("os", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("argparse", "Namespace")]
    [InlineData("numpy.core.multiarray", "scalar")]
    public void NothingBesideTheTensorsIsRunOrImported(string module, string name)
    {
        byte[] pickle = new PickleBuilder().Op('}').Op('(').Text("args").Global(module, name).Text("x").Raw(0x85).Op('R')
            .Text("model").Op('}').Text("w").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s').Op('u').Stop();
        TorchBadInputTests.Refused($"'{module}.{name}'", TorchBuilder.Of(pickle, ("0", new byte[24])));
    }

    [Theory]
    [InlineData("a whole number", new byte[] { (byte)'K', 1, (byte)'K', 2, (byte)'a' })]
    [InlineData("expected a list", new byte[] { (byte)'}', (byte)'(', (byte)'K', 2, (byte)'e' })]
    [InlineData("a parameter is not", new byte[] { (byte)'c', (byte)'t', (byte)'o', (byte)'r', (byte)'c', (byte)'h', (byte)'.', (byte)'_',
        (byte)'u', (byte)'t', (byte)'i', (byte)'l', (byte)'s', (byte)'\n', (byte)'_', (byte)'r', (byte)'e', (byte)'b', (byte)'u', (byte)'i',
        (byte)'l', (byte)'d', (byte)'_', (byte)'p', (byte)'a', (byte)'r', (byte)'a', (byte)'m', (byte)'e', (byte)'t', (byte)'e', (byte)'r',
        (byte)'\n', (byte)')', (byte)'R' })]
    public void ListsAndParametersThatAreNone(string problem, byte[] opcodes) => TorchBadInputTests.Refused(problem,
        TorchBuilder.Of(new PickleBuilder().Raw(opcodes).Stop()));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WeightsInSeveralFilesAreReadByTheirIndex(bool asTorch)
    {
        using var folder = new TemporaryFolder();
        IReadOnlyList<ParameterTensor> tensors = SmallNetwork.Tensors(5000);
        string[] files = asTorch ? ["a.bin", "b.bin"] : ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        var map = new List<string>();
        for (int f = 0; f < 2; f++)
        {
            ParameterTensor[] part = [.. tensors.Where((_, i) => i % 2 == f)];
            if (asTorch)
                File.WriteAllBytes(folder.File(files[f]), TorchBuilder.Of(part).Bytes());
            else
                SafetensorsWriter.Write(folder.File(files[f]), part);
            map.AddRange(part.Select(t => $"\"{(asTorch ? "module." : "")}{t.Name}\": \"{files[f]}\""));
        }
        string index = folder.File("model.safetensors.index.json");
        File.WriteAllText(index, $"{{\n  \"metadata\": {{\"total_size\": 1}},\n  \"weight_map\": {{{string.Join(",\n", map)}}}\n}}");
        AssertIsTheNetwork(index);
        File.Delete(folder.File(files[1]));
        Assert.Contains(files[1], Assert.Throws<WeightFormatException>(() => WeightFile.Load(index, Options)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a": 1, "weights": {}}""", "weight_map")]
    [InlineData("""{"weight_map": {}, "x": 1}""", "maps 0 tensors")]
    [InlineData("""{"weight_map": {"w": "../w.safetensors"}}""", "plain name")]
    [InlineData("""{"weight_map": {"w": "/etc/passwd"}}""", "plain name")]
    [InlineData("""{"weight_map": {"w": "w.index.json"}}""", "plain name")]
    [InlineData("""{"weight_map": {"w": 1}}""", "name of a file")]
    [InlineData("""{"weight_map": {"\ud800": "w"}}""", "surrogate")]
    [InlineData("""{"weight_map": {"w": "\ud800"}}""", "surrogate")]
    [InlineData("""{"weight_map": {"w": "x" """, "is none")]
    [InlineData("""{"weight_map": {"w": "itself"}}""", "header length")]
    public void IndexesThatLieAreRefused(string json, string problem)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("itself"), json);
        Assert.Contains(problem, Assert.Throws<WeightFormatException>(() => WeightFile.Load(folder.File("itself"), Options)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void OtherFilesAreNamedForWhatTheyAre()
    {
        using var folder = new TemporaryFolder();
        void Loading(byte[] bytes, string expected)
        {
            File.WriteAllBytes(folder.File("w"), bytes);
            Assert.Contains(expected, Assert.Throws<WeightFormatException>(() => WeightFile.Load(folder.File("w"))).Message,
                StringComparison.Ordinal);
        }

        byte[] tar = new byte[1024];
        Encoding.ASCII.GetBytes("pickle").CopyTo(tar, 0);
        Encoding.ASCII.GetBytes("ustar").CopyTo(tar, 257);
        Loading(tar, "tar archive");
        Loading([0x1F, 0x8B, .. new byte[30]], "gzip");
        Loading([0x89, (byte)'H', (byte)'D', (byte)'F', .. new byte[30]], "HDF5");
        Loading([0x93, .. "NUMPY"u8, .. new byte[30]], "NumPy");
    }

    [Fact]
    public void AnOutputKeepsTheModeOfTheFileThatItReplaces()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new TemporaryFolder();
        string path = folder.File("w.safetensors");
        SafetensorsWriter.Write(path, [SmallNetwork.Tensors(5000)[0]]);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        SafetensorsWriter.Write(path, [SmallNetwork.Tensors(5000)[1]]);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }
}
