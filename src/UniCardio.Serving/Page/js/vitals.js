// The figures of the newest frame, as the server read them off the signals: nothing is detected here.

import { QUALITY_REASONS, VITAL_ABSENCES } from "./words.js";

const PPG = 0, BP = 1, ECG = 2, UNCERTAIN = 9, UNREADABLE = 11;
const SOURCES = [{ slot: ECG, text: "from R\u2011peaks" }, { slot: BP, text: "from ABP pulses" }, { slot: PPG, text: "from PPG pulses" }];
const NOTHING = Object.freeze({ rate: NaN, systolic: NaN, diastolic: NaN, mean: NaN, quality: 0, age: NaN, absence: 0, generated: false, reasons: 0 });

export class Vitals {
  constructor() {
    this.blank();
  }

  /** No figure: the session ended, or another patient is watched. */
  blank() {
    this.heart = { ...NOTHING, text: "" };
    this.pulse = { ...NOTHING, text: "" };
    this.pressure = { ...NOTHING, text: "" };
  }

  take(readings) {
    if (readings === null) {
      this.blank();
      return;
    }
    // What is measured goes before what is generated, and among equals the ECG before the pulses.
    const shown = SOURCES.filter(s => Number.isFinite(readings[s.slot].rate));
    const source = shown.find(s => !readings[s.slot].generated) ?? shown[0];
    this.heart = source === undefined ? { ...readings[ECG], text: reason(SOURCES.map(s => readings[s.slot]).find(r => r.absence === UNCERTAIN) ?? readings[ECG]) }
      : { ...readings[source.slot], text: source.text };
    this.pulse = { ...readings[PPG], text: Number.isFinite(readings[PPG].rate) ? "from pulses" : reason(readings[PPG]) };
    this.pressure = { ...readings[BP], text: Number.isFinite(readings[BP].systolic) ? "" : reason(readings[BP]) };
  }
}

function reason(reading) {
  const text = VITAL_ABSENCES[reading.absence] ?? "";
  if (reading.absence === UNREADABLE)
    return `${text}: ${QUALITY_REASONS.filter((_, i) => reading.reasons >> i & 1).join(", ") || "low quality"}`;
  return reading.absence === UNCERTAIN || !Number.isFinite(reading.age) || reading.age < 5 ? text : `${text}, last beat ${Math.round(reading.age)} s ago`;
}
