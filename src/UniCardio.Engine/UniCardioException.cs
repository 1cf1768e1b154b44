namespace UniCardio.Engine;

/// <summary>Base of every exception that the engine throws on purpose. The message names what is at fault and what was expected.</summary>
public class UniCardioException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong and what was expected.</param>
    /// <param name="inner">The cause, if another exception led here.</param>
    public UniCardioException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A model configuration, task or option that cannot work; <see cref="Setting"/> names it.</summary>
public sealed class ConfigurationException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="setting">The setting at fault, e.g. <c>channels</c>.</param>
    /// <param name="message">What is wrong with its value and what was expected.</param>
    public ConfigurationException(string setting, string message)
        : base($"{setting}: {message}")
    {
        Setting = setting;
    }

    /// <summary>Name of the setting at fault.</summary>
    public string Setting { get; }
}

/// <summary>Weights that do not fit the configuration: every missing, extra, mis-shaped or non-finite tensor in one message.</summary>
public sealed class WeightsException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="problems">One line a tensor at fault.</param>
    public WeightsException(IReadOnlyList<string> problems)
        : base($"the weights do not fit the model, {problems.Count} problem(s):{Environment.NewLine}  "
            + string.Join(Environment.NewLine + "  ", problems))
    {
        Problems = problems;
    }

    /// <summary>One line a tensor at fault: its name, what was found, what was expected.</summary>
    public IReadOnlyList<string> Problems { get; }
}
