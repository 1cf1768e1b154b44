using System.CommandLine;
using System.CommandLine.Parsing;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sessions;

namespace UniCardio.Cli.Options;

/// <summary>What computes: <c>--threads</c>, <c>--isa</c> and, where it can be chosen, <c>--backend</c>.</summary>
internal sealed class BackendOptions
{
    private readonly Option<BackendKind>? _backend;
    private readonly Option<int> _threads = new("--threads") { Description = "Threads; 0 for as many as the machine has. Results do not depend on it.", HelpName = "N" };
    private readonly Option<CpuInstructionSet> _isa = new("--isa") { Description = "Vector instructions: auto, avx512, avx2, vector128 or scalar." };

    public BackendOptions(bool choosesBackend = true)
    {
        if (choosesBackend)
            _backend = new Option<BackendKind>("--backend") { Description = "cpu (float32, vectorised) or reference (double, slow)." };
        _threads.Validators.Add(RefuseThreads);
    }

    public void AddTo(Command command)
    {
        if (_backend is not null)
            command.Add(_backend);
        command.Add(_threads);
        command.Add(_isa);
    }

    public EngineOptions Read(ParseResult parsed) => new EngineOptions
    {
        Backend = _backend is null ? BackendKind.Cpu : parsed.GetValue(_backend),
        Threads = parsed.GetValue(_threads),
        InstructionSet = parsed.GetValue(_isa),
    }.Validate();

    /// <summary>The chosen backend of weights.</summary>
    public IBackend Create(ParseResult parsed, ModelWeights weights)
    {
        EngineOptions options = Read(parsed);
        return options.Backend == BackendKind.Reference
            ? new ReferenceBackend(weights, options.Threads)
            : new CpuBackend(weights, new CpuBackendOptions { Threads = options.Threads, InstructionSet = options.InstructionSet });
    }

    private static void RefuseThreads(OptionResult result)
    {
        if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int threads) && threads is < 0 or > EngineOptions.MaxThreads)
            result.AddError($"--threads {threads} is not between 0 and {EngineOptions.MaxThreads}");
    }
}
