// The numerals: heart rate, pulse rate, pressures, and whether generated samples went into them.

import { Kind, isGenerated } from "./frame.js";
import { beats, findPulses, findRPeaks } from "./beats.js";
import { CAPACITY, RATE } from "./trace-store.js";

const MASK = CAPACITY - 1;
const WINDOW = 10 * RATE;
const LONGEST_SILENCE = 1.5 * RATE; // newest samples without a signal before a numeral goes
const WIDEST_BAND = 30; // mmHg from 5 to 95% of the draws, beyond which a generated pressure is no figure
const intervals = new Float32Array(64), scratch = new Float32Array(64);
const PPG = 0, BP = 1, ECG = 2;

export class Vitals {
  constructor() {
    this.heart = { rate: NaN, source: "", generated: false };
    this.pulse = { rate: NaN, generated: false };
    this.pressure = { systolic: NaN, diastolic: NaN, mean: NaN, generated: false, uncertain: false };
  }

  update(store) {
    const to = store.end, from = Math.max(store.oldest, to - WINDOW);
    this.updatePressure(store.rings[BP], from, to);
    this.pulse.rate = pulseRate(store.rings[PPG], from, to);
    this.pulse.generated = anyGenerated(store.rings[PPG], from, to);
    const heart = this.heart;
    heart.rate = peakRate(store.rings[ECG], from, to);
    heart.source = "from R-peaks";
    heart.generated = anyGenerated(store.rings[ECG], from, to);
    if (Number.isNaN(heart.rate)) {
      const fromBp = this.pressure.uncertain ? NaN : pulseRate(store.rings[BP], from, to);
      heart.rate = Number.isNaN(fromBp) ? this.pulse.rate : fromBp;
      heart.source = Number.isNaN(fromBp) ? "from PPG pulses" : "from ABP pulses";
      heart.generated = anyGenerated(store.rings[Number.isNaN(fromBp) ? PPG : BP], from, to);
    }
  }

  updatePressure(ring, from, to) {
    const p = this.pressure;
    p.systolic = p.diastolic = p.mean = NaN;
    p.generated = anyGenerated(ring, from, to);
    p.uncertain = !silent(ring, to) && widestBand(ring, from, to) > WIDEST_BAND;
    if (p.uncertain || silent(ring, to))
      return;
    findPulses(ring, from, to);
    const n = beats.count - 1; // whole beats, onset to onset
    if (n < 2)
      return;
    p.systolic = overBeats(n, k => ring.value[beats.at[k] & MASK]);
    p.diastolic = overBeats(n, k => ring.value[beats.foot[k] & MASK]);
    p.mean = overBeats(n, k => meanOf(ring, beats.foot[k], beats.foot[k + 1]));
  }
}

function overBeats(n, measure) {
  for (let k = 0; k < n; k++)
    scratch[k] = measure(k);
  return median(scratch, n);
}

function meanOf(ring, from, to) {
  let sum = 0, count = 0;
  for (let i = from; i < to; i++) {
    const v = ring.value[i & MASK];
    if (v === v) {
      sum += v;
      count++;
    }
  }
  return sum / count;
}

function peakRate(ring, from, to) {
  if (silent(ring, to))
    return NaN;
  findRPeaks(ring, from, to);
  return rateOfBeats();
}

function pulseRate(ring, from, to) {
  if (silent(ring, to))
    return NaN;
  findPulses(ring, from, to);
  return rateOfBeats();
}

function rateOfBeats() {
  const n = beats.count - 1;
  if (n < 2)
    return NaN;
  for (let k = 0; k < n; k++)
    intervals[k] = beats.at[k + 1] - beats.at[k];
  const rate = 60 * RATE / median(intervals, n);
  return rate >= 20 && rate <= 300 ? rate : NaN;
}

function silent(ring, to) {
  for (let i = to - 1; i >= to - LONGEST_SILENCE && i >= 0; i--)
    if (ring.kind[i & MASK] !== Kind.noSignal)
      return false;
  return true;
}

// Mean width over each second, the widest of them.
function widestBand(ring, from, to) {
  let widest = 0;
  for (let i = from; i + RATE <= to; i += RATE) {
    let sum = 0, count = 0;
    for (let k = i; k < i + RATE; k++) {
      const width = ring.high[k & MASK] - ring.low[k & MASK];
      if (width === width) {
        sum += width;
        count++;
      }
    }
    if (count > RATE / 2)
      widest = Math.max(widest, sum / count);
  }
  return widest;
}

function anyGenerated(ring, from, to) {
  for (let i = from; i < to; i++)
    if (isGenerated(ring.kind[i & MASK]))
      return true;
  return false;
}

function median(values, n) {
  if (n < 1)
    return NaN;
  const sorted = values.subarray(0, n).sort();
  return n % 2 === 1 ? sorted[n >> 1] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}
