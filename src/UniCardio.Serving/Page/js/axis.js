// The vertical scale of a trace: round numbers, and calm: it widens at once and narrows only after a while.

import { CAPACITY, RATE } from "./trace-store.js";

const MASK = CAPACITY - 1;
const CALM = 4 * RATE; // samples for which a narrower scale must do before it is taken
const ECG_GAINS = [10, 5, 2.5, 1.25]; // mm/mV: 10 as on paper, less only where that does not fit
const FREE = [-1.25, 1.25]; // what the plot's height stands for where something normalised is drawn beside a scale
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

export class Axis {
  constructor(modality) {
    this.modality = modality;
    this.clear();
  }

  clear() {
    this.low = this.modality === "bp" ? 40 : -1;
    this.high = this.modality === "bp" ? 160 : 1;
    this.gain = this.modality === "ecg" ? ECG_GAINS[0] : 0; // mm/mV of an ECG, 0 where it has no unit
    this.height = 0;
    this.narrowSince = null;
    this.normalized = null; // whether nothing that is visible has a unit
    this.mixed = false; // whether some of it has none
    this.freeScale = 1; // what has no unit beside what has one: value * freeScale + freeOffset, so that it fills the plot
    this.freeOffset = 0;
    this.ticks = [];
    this.labels = [];
    this.fitted = false;
    this.version = 0; // changes with the scale
  }

  /** Looks at what is visible. `height` in mm of the plot. */
  fit(ring, from, to, height) {
    let low = Infinity, high = -Infinity, lowFree = Infinity, highFree = -Infinity;
    for (let i = from; i < to; i++) {
      const j = i & MASK, v = ring.value[j], m = ring.measured[j];
      if (ring.free[j] !== 0) {
        if (v < lowFree) lowFree = v;
        if (v > highFree) highFree = v;
      } else {
        if (v < low) low = v;
        if (v > high) high = v;
        if (m < low) low = m;
        if (m > high) high = m;
      }
    }
    const hasFree = lowFree <= highFree, normalized = hasFree && low > high;
    this.mixed = hasFree && !normalized;
    if (normalized) {
      low = lowFree;
      high = highFree;
    }
    if (low > high)
      return;
    if (normalized !== this.normalized || height !== this.height) {
      this.fitted = false;
      this.normalized = normalized;
      this.height = height;
    }
    const wanted = this.modality === "ecg" && !normalized ? this.byGain(low, high, height) : this.byRange(low, high);
    const holds = low >= this.low && high <= this.high;
    const narrower = wanted.high - wanted.low < 0.99 * (this.high - this.low);
    if (!this.fitted || !holds || (narrower && this.narrowSince !== null && to - this.narrowSince > CALM))
      this.take(wanted);
    else if (!narrower)
      this.narrowSince = null;
    else
      this.narrowSince ??= to;
    this.freeScale = this.mixed ? (this.high - this.low) / (FREE[1] - FREE[0]) : 1;
    this.freeOffset = this.mixed ? this.low - FREE[0] * this.freeScale : 0;
  }

  take(wanted) {
    this.fitted = true;
    this.narrowSince = null;
    if (wanted.low === this.low && wanted.high === this.high && this.ticks.length > 0)
      return;
    this.low = wanted.low;
    this.high = wanted.high;
    this.gain = wanted.gain;
    this.version++;
    const step = STEPS.find(s => (this.high - this.low) / s <= 5) ?? (this.high - this.low) / 4;
    this.ticks = [];
    for (let k = Math.ceil(this.low / step - 1e-6); k * step <= this.high + 1e-6 * step; k++)
      this.ticks.push(k * step);
    this.labels = this.ticks.map(t => this.normalized ? "" : String(Number(t.toPrecision(6))));
  }

  byGain(low, high, height) {
    const gain = ECG_GAINS.find(g => 1.1 * (high - low) * g <= height) ?? ECG_GAINS[ECG_GAINS.length - 1];
    const span = Math.max(height / gain, 1.1 * (high - low)), middle = Math.round(5 * (low + high)) / 10;
    return { low: middle - span / 2, high: middle + span / 2, gain };
  }

  byRange(low, high) {
    const least = this.modality === "bp" && !this.normalized ? 60 : 0.5;
    const span = Math.max(least, high - low), middle = (low + high) / 2;
    const step = STEPS.find(s => span / s <= 5) ?? span / 4;
    const half = step / 2;
    return {
      low: Math.floor((middle - 0.54 * span) / half) * half,
      high: Math.ceil((middle + 0.54 * span) / half) * half,
      gain: 0,
    };
  }

  /** What the scale is in, for the corner of the plot. */
  unit() {
    if (this.normalized)
      return "normalised, no unit";
    const unit = this.modality === "bp" ? "mmHg" : this.modality === "ecg" ? `mV, ${this.gain} mm/mV` : "as measured";
    return this.mixed ? `${unit}; generated: no unit` : unit;
  }
}
