// The numerals: heart rate, pulse rate, pressures, and whether generated samples went into them.

import { Kind, isGenerated } from "./frame.js";
import { beats, findPulses, findRPeaks } from "./beats.js";
import { CAPACITY, RATE } from "./trace-store.js";

const MASK = CAPACITY - 1;
const WINDOW = 10 * RATE;
const LONGEST_SILENCE = 1.5 * RATE; // newest samples without a signal before a numeral goes
const WIDEST_BAND = 30; // mmHg from 5 to 95% of the draws, beyond which a generated pressure is no figure
const WIDEST_SHARE = 0.5; // of a generated ECG's or PPG's height: the band beyond which its beats are no figure
const intervals = new Float32Array(64), scratch = new Float32Array(64);
const PPG = 0, BP = 1, ECG = 2;
const SOURCES = [
  { slot: ECG, text: "from R-peaks", rate: peakRate },
  { slot: BP, text: "from ABP pulses", rate: pulseRate },
  { slot: PPG, text: "from PPG pulses", rate: pulseRate },
];

export class Vitals {
  constructor() {
    this.heart = { rate: NaN, source: "", generated: false, uncertain: false };
    this.pulse = { rate: NaN, generated: false, uncertain: false };
    this.pressure = { systolic: NaN, diastolic: NaN, mean: NaN, generated: false, uncertain: false };
  }

  update(store) {
    const to = store.end, from = Math.max(store.oldest, to - WINDOW);
    this.updatePressure(store.rings[BP], from, to);
    this.updatePulse(store.rings[PPG], from, to);
    this.updateHeart(store, from, to);
  }

  updatePulse(ring, from, to) {
    const pulse = this.pulse;
    pulse.generated = anyGenerated(ring, from, to);
    pulse.uncertain = tooWide(ring, PPG, from, to);
    pulse.rate = pulse.uncertain ? NaN : pulseRate(ring, from, to);
  }

  // What is measured goes before what is generated, and among equals the ECG before the pulses: the beats of a poorly generated ECG are nobody's.
  updateHeart(store, from, to) {
    const heart = this.heart;
    heart.rate = NaN;
    heart.uncertain = heart.generated = false;
    for (let round = 0; round < 2; round++) {
      for (const source of SOURCES) {
        const ring = store.rings[source.slot], generated = anyGenerated(ring, from, to);
        if (generated !== (round === 1))
          continue;
        const uncertain = tooWide(ring, source.slot, from, to), rate = uncertain ? NaN : source.rate(ring, from, to);
        heart.uncertain ||= uncertain;
        if (Number.isNaN(rate))
          continue;
        heart.rate = rate;
        heart.source = source.text;
        heart.generated = generated;
        return;
      }
    }
  }

  updatePressure(ring, from, to) {
    const p = this.pressure;
    p.systolic = p.diastolic = p.mean = NaN;
    p.generated = anyGenerated(ring, from, to);
    p.uncertain = tooWide(ring, BP, from, to);
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

/** Whether the draws disagree too much for a figure. */
function tooWide(ring, slot, from, to) {
  return !silent(ring, to) && widestBand(ring, from, to) > (slot === BP ? WIDEST_BAND : WIDEST_SHARE * heightOf(ring, from, to));
}

function heightOf(ring, from, to) {
  let low = Infinity, high = -Infinity;
  for (let i = from; i < to; i++) {
    const v = ring.value[i & MASK];
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return high - low;
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
