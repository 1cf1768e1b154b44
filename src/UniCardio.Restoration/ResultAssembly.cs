using System.Diagnostics;
using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration;

/// <summary>Puts what was generated back into the recording, at the channel's own rate and in its own unit.</summary>
internal static class ResultAssembly
{
    public static RestorationResult Assemble(Recording recording, PreparedRecording prepared, WindowSchedule? schedule, RestoredSignal made,
        RestorationOptions options, long startTimestamp, CancellationToken cancellation)
    {
        float[] center = ToOwnRate(prepared, made.Center, made.Weight, cancellation);
        float[] low = ToOwnRate(prepared, made.Low, made.Weight, cancellation);
        float[] high = ToOwnRate(prepared, made.High, made.Weight, cancellation);
        Provenance[] provenance = Compose(prepared, options.Task, center);
        CheckFinite(prepared, options.Task, center, provenance);
        Channel channel = ToChannel(recording, prepared, options.Task, center, made.Unit);
        RestorationBand? band = options.HasBand ? ToBand(options, center.Length, low, high, provenance) : null;
        SignalWarning[] warnings = [.. prepared.Warnings.Distinct()];
        return new RestorationResult
        {
            Task = options.Task,
            Recording = ToRecording(recording, prepared, options, channel, band, warnings, made).WithAnnotations(
                [.. recording.Annotations, .. Unmeasured(channel, provenance)]),
            Channel = channel,
            Band = band,
            Provenance = provenance,
            Fills = made.Fills,
            Calibration = made.Calibration,
            Windows = schedule?.Cover.Count ?? 0,
            WindowsComputed = schedule?.Computed ?? 0,
            NetworkCalls = made.NetworkCalls,
            ComputeTime = made.ComputeTime,
            TotalTime = Stopwatch.GetElapsedTime(startTimestamp),
            Warnings = warnings,
        };
    }

    // [n] sums at 125 Hz to [own n] values, NaN where no window was computed.
    private static float[] ToOwnRate(PreparedRecording prepared, float[] sums, float[] weights, CancellationToken cancellation)
    {
        int length = prepared.Reference.Length;
        var own = new float[length];
        Array.Fill(own, float.NaN);
        if (sums.Length == 0)
            return own;
        for (int i = 0; i < sums.Length; i++)
        {
            // Where a neighbouring window was not computed, those that were share its weight.
            if (weights[i] != 1)
                sums[i] = weights[i] > 0 ? sums[i] / weights[i] : float.NaN;
        }

        Resampler back = NetworkSignal.ResamplerOf(NetworkSignal.Rate, prepared.Reference.SampleRate, prepared.Reference.Name);
        float[] all = back.Resample(sums, cancellation);
        all.AsSpan(0, Math.Min(length, all.Length)).CopyTo(own);
        if (prepared.UnitFactor != 1)
        {
            for (int i = 0; i < own.Length; i++)
                own[i] = (float)(own[i] / prepared.UnitFactor);
        }
        return own;
    }

    // What was generated becomes the channel's samples in place; the return value says where each comes from.
    private static Provenance[] Compose(PreparedRecording prepared, CardioTask task, float[] center)
    {
        var provenance = new Provenance[center.Length];
        ReadOnlySpan<float> recorded = prepared.Reference.Samples.Span;
        for (int i = 0; i < center.Length; i++)
        {
            Provenance given = task.Kind == TaskKind.Translate ? Provenance.NoSignal
                : !float.IsNaN(recorded[i]) ? Provenance.Measured
                : !float.IsNaN(prepared.Bridged[i]) ? Provenance.Bridged : Provenance.NoSignal;
            provenance[i] = Provenances.Of(task.Kind, given);
            if (!provenance[i].IsGenerated())
                center[i] = given switch { Provenance.Measured => recorded[i], Provenance.Bridged => prepared.Bridged[i], _ => float.NaN };
            else if (float.IsNaN(center[i]))
                provenance[i] = Provenance.NoSignal;
        }
        return provenance;
    }

    private static void CheckFinite(PreparedRecording prepared, CardioTask task, float[] samples, Provenance[] provenance)
    {
        for (int i = 0; i < samples.Length; i++)
        {
            bool owed = task.Kind == TaskKind.Impute || (task.Kind == TaskKind.Denoise && !float.IsNaN(prepared.Bridged[i]));
            if (float.IsInfinity(samples[i]) || (owed && provenance[i] == Provenance.NoSignal))
            {
                throw new RestorationException(string.Create(CultureInfo.InvariantCulture,
                    $"channel '{prepared.Reference.Name}': sample {i} ({i / prepared.Reference.SampleRate:0.###} s) came out as "
                    + $"{samples[i]}; its values are too large to be worked with in float32"));
            }
        }
    }

    private static Channel ToChannel(Recording recording, PreparedRecording prepared, CardioTask task, float[] samples, string unit)
    {
        if (task.Kind != TaskKind.Translate)
            return prepared.Reference.WithSamples(samples);
        return new Channel(Unused(recording, $"{task.Output.Name()}_translated"), unit, prepared.Reference.SampleRate, samples,
            NetworkSignal.KindOf(task.Output));
    }

    private static RestorationBand ToBand(RestorationOptions options, int length, float[] low, float[] high, Provenance[] provenance)
    {
        for (int i = 0; i < length; i++)
        {
            if (!provenance[i].IsGenerated())
                low[i] = high[i] = float.NaN;
            else if (low[i] > high[i])
                (low[i], high[i]) = (high[i], low[i]); // Resampling may cross edges that touch.
        }
        return new RestorationBand(options.LowQuantile, options.HighQuantile, low, high);
    }

    private static Recording ToRecording(Recording recording, PreparedRecording prepared, RestorationOptions options, Channel channel,
        RestorationBand? band, SignalWarning[] warnings, RestoredSignal made)
    {
        List<Channel> channels = [.. recording.Channels.Select(c =>
            options.Task.Kind != TaskKind.Translate && ReferenceEquals(c, prepared.Reference) ? channel : c)];
        if (options.Task.Kind == TaskKind.Translate)
            channels.Add(channel);
        if (options.BandChannels && band is not null)
        {
            // Of no kind, so that nobody takes an edge of a band for a signal.
            channels.Add(
                new Channel(Unused(recording, Edge(channel, band.LowQuantile)), channel.Unit, channel.SampleRate, band.Low,
                    ChannelKind.Other));
            channels.Add(
                new Channel(Unused(recording, Edge(channel, band.HighQuantile)), channel.Unit, channel.SampleRate, band.High,
                    ChannelKind.Other));
        }

        string how = options.Estimates
            ? "estimate from the measurement"
                + (options.NoiseLevel is { } level ? string.Create(CultureInfo.InvariantCulture, $", noise level {level}") : "")
            : string.Create(CultureInfo.InvariantCulture, $"{options.Draws} draws, {options.Sampler}, seed {options.Seed}");
        if (made.Calibration is { } calibration)
            how = string.Create(CultureInfo.InvariantCulture,
                $"calibrated by {calibration.By}, {(calibration.MayBeOlder ? "at least " : "")}{calibration.AgeSeconds:0} s old at the end"
                + $"{(options.IsPaired ? "" : $"; {how}")}");
        if (made.Fills.Count > 0)
            how = $"estimator {options.Estimator.ToString().ToLowerInvariant()}, {how}";
        string comment =
            $"Channel '{channel.Name}': {options.Task} by UniCardio.Engine, "
            + $"{how}.{(options.Task is { Kind: TaskKind.Translate, Output: Modality.Ecg } ? $" {RestorationResult.NotForRhythm}" : "")} "
            + $"{RestorationResult.Remark}";
        return new Recording(recording.Name, channels, recording.Annotations, recording.StartTime, warnings,
            recording.Comments.Append(comment))
        {
            RelativeStart = recording.RelativeStart,
        };
    }

    // What is not measured says so in every format that can.
    private static IEnumerable<Annotation> Unmeasured(Channel channel, Provenance[] provenance)
    {
        for (int start = 0, end; start < provenance.Length; start = end)
        {
            for (end = start + 1; end < provenance.Length && provenance[end] == provenance[start]; end++)
            {
            }
            if (provenance[start] is not (Provenance.Measured or Provenance.NoSignal))
                yield return new UnmeasuredStretch(channel.Name, start / channel.SampleRate, (end - start) / channel.SampleRate,
                    provenance[start].ToString().ToLowerInvariant()).ToAnnotation(channel.SampleRate);
        }
    }

    private static string Edge(Channel channel, double quantile) =>
        string.Create(CultureInfo.InvariantCulture, $"{channel.Name}_p{100 * quantile:0.##}");

    private static string Unused(Recording recording, string name)
    {
        string free = name;
        for (int i = 2; recording.Find(free) is not null; i++)
            free = string.Create(CultureInfo.InvariantCulture, $"{name}_{i}");
        return free;
    }
}
