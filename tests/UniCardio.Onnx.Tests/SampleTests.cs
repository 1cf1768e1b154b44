using System.Diagnostics;
using Xunit.Abstractions;

namespace UniCardio.Onnx.Tests;

/// <summary>The samples of tools/samples/Onnx, as processes of their own, against our own session with the same normals. The browser's is
/// in UniCardio.Page.Tests.</summary>
public class SampleTests(ITestOutputHelper output)
{
    private static string Sample(params string[] path) => Project.File(["tools", "samples", "Onnx", .. path]);

    [Theory]
    [InlineData("ppg->ecg")]
    [InlineData("impute bp | ppg")]
    public void CSharp(string task)
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        Check(task, "dotnet", Sample("bin", configuration, "net10.0", "Samples.Onnx.dll"));
    }

    [SkippableTheory]
    [InlineData("ppg->ecg")]
    [InlineData("impute bp | ppg")]
    public void Node(string task)
    {
        Skip.IfNot(Runs("node", "--version"), "no node here");
        Skip.IfNot(Directory.Exists(Sample("node_modules", "onnxruntime-web")),
            "onnxruntime-web is not installed: npm ci in tools/samples/Onnx");
        Check(task, "node", Sample("sample.mjs"));
    }

    [SkippableTheory]
    [InlineData("ppg->ecg")]
    [InlineData("impute bp | ppg")]
    public void Python(string task)
    {
        Skip.IfNot(Runs("python3", "-c", "import onnxruntime, numpy"), "python3 has no onnxruntime here");
        Check(task, "python3", Sample("sample.py"));
    }

    private void Check(string task, string program, string file)
    {
        using var sample = new ExportedSample(task);
        (int code, string said, string error) = Run(program, file, sample.Network, sample.Window, $"{ExportedSample.Draws}");
        Assert.True(code == 0, error);
        Assert.Contains("not a medical device", error, StringComparison.Ordinal);
        output.WriteLine($"{program}, {task}: {sample.Compare(said):g3}");
    }

    private static bool Runs(string program, params string[] args)
    {
        try
        {
            return Run(program, args).Code == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static (int Code, string Output, string Error) Run(string program, params string[] args)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardOutput = true,
            RedirectStandardError = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} took more than two minutes");
        }

        return (process.ExitCode, output.Result, error.Result);
    }
}
