namespace UniCardio.Signals.Synthesis;

/// <summary>
/// Generates PPG, arterial blood pressure and ECG of one heart, coupled beat by beat, from parameters and a seed. The model is described at
/// <see cref="SynthesisParameters"/>.
/// </summary>
/// <remarks>
/// Equal parameters and seeds give equal signals, bit for bit, on every machine. An instance reuses its buffers and must not be used by two
/// threads at once; after the first window it allocates nothing in <see cref="Fill"/>.
/// </remarks>
// Constants without a source beside them are chosen.
public sealed class CardiovascularSynthesizer
{
    // A filter needs the past: at 2 s a high-pass of 0.5 Hz has forgotten all but 0.2% of how it began.
    private const double LeadSeconds = 2;
    // Pressures below this are bent towards MinPressure, which they never reach: no pause empties an artery.
    private const double LowPressure = 28, MinPressure = 15;

    private readonly BeatSequence _rhythm = new();
    private float[] _filtered = [];

    /// <summary>Generates one stretch of all three signals, without noise.</summary>
    /// <param name="parameters">Subject and rhythm.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="ppg">PPG, [n], a pulse about 1 high.</param>
    /// <param name="bloodPressure">Arterial blood pressure, [n], mmHg.</param>
    /// <param name="ecg">ECG, [n], mV.</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of its range.</exception>
    /// <exception cref="ArgumentException">The spans differ in length.</exception>
    public void Fill(SynthesisParameters parameters, ulong seed, Span<float> ppg, Span<float> bloodPressure, Span<float> ecg)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        parameters.Validate();
        if (ppg.Length != bloodPressure.Length || ppg.Length != ecg.Length)
            throw new ArgumentException(
                $"The signals have {ppg.Length}, {bloodPressure.Length} and {ecg.Length} samples; expected the same number.");
        int lead = LeadSamples(parameters);
        _rhythm.Plan(parameters, (lead + ppg.Length) / parameters.SampleRate, seed);
        if (lead == 0)
        {
            EcgRenderer.Render(ecg, parameters, _rhythm, seed);
            RenderPressure(bloodPressure, parameters);
            RenderPpg(ppg, parameters);
            return;
        }

        if (_filtered.Length < lead + ppg.Length)
            _filtered = new float[lead + ppg.Length];
        Span<float> wave = _filtered.AsSpan(0, lead + ppg.Length);
        EcgRenderer.Render(wave, parameters, _rhythm, seed);
        Finish(wave, parameters.EcgFilter, parameters.SampleRate, ecg);
        RenderPressure(wave, parameters);
        Finish(wave, parameters.PressureFilter, parameters.SampleRate, bloodPressure);
        RenderPpg(wave, parameters);
        Finish(wave, parameters.PpgFilter, parameters.SampleRate, ppg);
    }

    // How many samples come before the first one that is kept.
    private static int LeadSamples(SynthesisParameters p) =>
        p.EcgFilter is null && p.PressureFilter is null && p.PpgFilter is null ? 0 : (int)Math.Ceiling(LeadSeconds * p.SampleRate);

    private static void Finish(Span<float> wave, MonitorFilter? filter, double rate, Span<float> kept)
    {
        filter?.Apply(wave, rate);
        wave[^kept.Length..].CopyTo(kept);
    }

    /// <summary>Generates a recording with the truth about its beats.</summary>
    /// <param name="parameters">Subject and rhythm.</param>
    /// <param name="samples">Length, 1 to 2^28 samples.</param>
    /// <param name="seed">The seed.</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of its range.</exception>
    public SyntheticRecording Generate(SynthesisParameters parameters, int samples, ulong seed)
    {
        if (samples is < 1 or > 1 << 28)
            throw new ArgumentOutOfRangeException(nameof(samples), samples, $"A synthetic recording has 1 to {1 << 28} samples.");
        float[] ppg = new float[samples], bloodPressure = new float[samples], ecg = new float[samples];
        Fill(parameters, seed, ppg, bloodPressure, ecg);
        return new SyntheticRecording(parameters, seed, ppg, bloodPressure, ecg, Truth(parameters, bloodPressure));
    }

    private void RenderPressure(Span<float> wave, SynthesisParameters p)
    {
        PulseRenderer.Render(wave, p, _rhythm, PressureShape(p), p.PressureDelay,
            (p.DiastolicPressure, p.SystolicPressure), peripheral: false);
        AddSlow(wave, p, p.RespiratoryPressure, p.SlowPressure);
        if (p.PressurePulse is null)
            return;
        foreach (ref float x in wave)
        {
            if (x < LowPressure)
                x = (float)(
                    MinPressure + (LowPressure - MinPressure) * PortableMath.Exp((x - LowPressure) / (LowPressure - MinPressure)));
        }
    }

    private static PulseShape PressureShape(SynthesisParameters p)
    {
        if (p.PressurePulse is { } pulse)
            return PulseShape.From(pulse);
        double mean = 60 / p.HeartRate;
        const double Ejection = 0.3;
        // Diastole decays towards about 20 mmHg (the pressure at which flow stops) and meets the foot at the diastolic pressure.
        double floor = Math.Min(20, 0.5 * p.DiastolicPressure);
        double diastole = mean - 0.6 * Ejection * Math.Sqrt(Math.Clamp(mean, 0.3, 1.4));
        double decay = Math.Clamp(diastole / PortableMath.Log((p.SystolicPressure - floor) / (p.DiastolicPressure - floor)), 0.15, 8);
        return new PulseShape(decay, 0.045, Ejection, 0.32 * p.Augmentation, 0.78, 0.16 * p.DicroticNotch, 0.13 * p.DicroticNotch);
    }

    private void RenderPpg(Span<float> wave, SynthesisParameters p)
    {
        // The finger's vessels round the pulse off: no direct share of flow, a short memory, a broad second wave instead of a sharp notch.
        PulseShape shape = p.PpgPulse is { } pulse ? PulseShape.From(pulse)
            : new PulseShape(0.14 + 0.16 * (60 / p.HeartRate), 0, 0.32, 0.25 * p.Augmentation, 0.95, 0, 0.16 * p.DicroticNotch);
        PulseRenderer.Render(wave, p, _rhythm, shape, p.PpgDelay, (0, 1), peripheral: true);
        AddSlow(wave, p, p.PpgRespiration, 0.5 * p.PpgRespiration);
    }

    private void AddSlow(Span<float> wave, SynthesisParameters p, double respiration, double slow)
    {
        SineWave.Add(wave, respiration, _rhythm.RespiratoryPhase, p.RespiratoryRate / 60 / p.SampleRate);
        SineWave.Add(wave, slow, _rhythm.SlowPhase, BeatSequence.SlowFrequency / p.SampleRate);
    }

    private List<SyntheticBeat> Truth(SynthesisParameters p, ReadOnlySpan<float> pressure)
    {
        var truth = new List<SyntheticBeat>();
        ReadOnlySpan<PlannedBeat> beats = _rhythm.Beats;
        double start = LeadSamples(p) / p.SampleRate;
        for (int k = 0; k + 1 < beats.Length; k++)
        {
            double time = beats[k].Time - start;
            int peak = (int)Math.Round(time * p.SampleRate);
            if (peak < 0 || peak >= pressure.Length)
                continue;
            var beat = new SyntheticBeat(time, peak, beats[k].Kind);
            int foot = (int)Math.Ceiling((beats[k].Foot(p.PressureDelay) - start) * p.SampleRate);
            int next = (int)Math.Floor((beats[k + 1].Foot(p.PressureDelay) - start) * p.SampleRate);
            // Diastole is least about the foot: before it while it decays, after it while the ejection is still weaker than the decay.
            int before = foot - (int)(0.1 * p.SampleRate), after = Math.Min(next, foot + (int)(0.08 * p.SampleRate));
            if (before >= 0 && next < pressure.Length)
            {
                int low = before, high = foot;
                for (int i = before; i <= after; i++)
                    low = pressure[i] <= pressure[low] ? i : low;
                for (int i = foot; i < next; i++)
                    high = pressure[i] > pressure[high] ? i : high;
                beat = beat with { DiastolicSample = low, SystolicSample = high, Diastolic = pressure[low], Systolic = pressure[high] };
            }
            truth.Add(beat);
        }
        return truth;
    }
}
