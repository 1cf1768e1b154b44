// What codes of the protocol are called on the page.

import { Kind, MODALITIES, isGenerated, TASKS } from "./frame.js";

export const SHORT = { ppg: "PPG", bp: "ABP", ecg: "ECG" };
export const LONG = { ppg: "Photoplethysmogram", bp: "Arterial blood pressure", ecg: "Electrocardiogram" };

const PAST = { translate: "translated", impute: "imputed", denoise: "denoised" };

// By NO_SIGNAL code; the last is this page's own.
export const REASONS = ["no signal", "warming up", "not measured, not asked for", "nothing to generate it from", "too slow: hop skipped", "computing failed", "being computed", "not received"];
export const NOT_RECEIVED = 7;

const ABSENCES = ["", "no sensor", "missing", "flat", "clipped", "implausible", "sensor switched off"];

/** Why a figure is not shown, by the protocol's code. */
export const VITAL_ABSENCES = ["", "warming up", "no signal", "no pulse found: flat", "no pulse found: too small", "line open or zeroed", "line flushed", "line damped", "no pulse found", "band too wide", "no level: made from other signals", "not readable"];

/** Why a signal's quality is low, by the protocol's bits. */
export const QUALITY_REASONS = ["missing", "flat", "clipped", "no beats", "detectors disagree", "noisy", "wandering", "implausible", "damped"];

/** What the newest sample of a signal is, in words: "generated: translated from PPG + ECG". */
export function originText(modality, signal) {
  const absence = ABSENCES[signal.absence] ?? "";
  if (signal.kind === Kind.noSignal)
    return withCause(REASONS[signal.noSignal] ?? REASONS[0], signal.noSignal === 2 || signal.noSignal === 3 ? absence : "");
  if (!isGenerated(signal.kind))
    return "measured";
  const others = MODALITIES.filter((m, i) => (signal.conditions >> i & 1) && m !== modality).map(m => SHORT[m]).reverse();
  const task = PAST[TASKS[signal.task]] ?? ["", "", "", "imputed", "denoised", "translated"][signal.kind];
  const from = others.length === 0 ? "" : `${task === "translated" ? " from " : " with "}${others.join(" + ")}`;
  return withCause(`generated: ${task}${from}`, signal.absence === 0 ? "" : absence);
}

const withCause = (text, cause) => cause === "" ? text : `${text} (${cause})`;

export function seconds(value) {
  if (!Number.isFinite(value))
    return "–";
  return value < 0.0995 ? `${(1000 * value).toFixed(0)} ms` : `${value.toFixed(2)} s`;
}

export const percent = value => Number.isFinite(value) ? `${Math.round(100 * value)}%` : "–";

export const ENDED = {
  completed: "The recording or device has come to its end.", stopped: "The session was stopped.", idle: "No samples came for a while, so the session ended.",
  replaced: "Another session took this one's place.", failed: "The session failed.", shutdown: "The server is going down.",
};
