// What was received of one patient: rings of samples on one time line, addressed by a sample number that only grows.

import { Kind, MODALITIES } from "./frame.js";
import { NOT_RECEIVED } from "./words.js";

export const RATE = 125;
export const CAPACITY = 1 << 14; // 131 s
const MASK = CAPACITY - 1;
const SEAM = RATE / 2; // shown between stretches whose clocks have nothing in common

class Ring {
  constructor() {
    this.value = new Float32Array(CAPACITY).fill(NaN);
    this.low = new Float32Array(CAPACITY).fill(NaN);
    this.high = new Float32Array(CAPACITY).fill(NaN);
    this.measured = new Float32Array(CAPACITY).fill(NaN); // input, where a sample is denoised
    this.kind = new Uint8Array(CAPACITY);
    this.reason = new Uint8Array(CAPACITY).fill(NOT_RECEIVED);
    this.free = new Uint8Array(CAPACITY); // 1 where a sample has no unit: normalised
    this.phase = new Float32Array(CAPACITY); // length of the drawn line so far, modulo the dash: TracePainter's
    this.rewritten = Infinity; // oldest sample that was written since its phase was worked out
  }

  copyFrom(other) {
    for (const name of ["value", "low", "high", "measured", "kind", "reason", "free", "phase"])
      this[name].set(other[name]);
  }
}

export class TraceStore {
  constructor() {
    this.rings = MODALITIES.map(() => new Ring());
    this.clear();
  }

  clear() {
    this.end = 0; // number of the sample after the newest
    this.begin = 0; // number of the oldest that was ever written
    this.segment = null;
    this.zero = 0; // sample number and time of the segment's first
    this.zeroTime = 0;
  }

  copyFrom(other) {
    for (let m = 0; m < MODALITIES.length; m++)
      this.rings[m].copyFrom(other.rings[m]);
    for (const name of ["end", "begin", "segment", "zero", "zeroTime"])
      this[name] = other[name];
    return this;
  }

  /** Oldest sample that is still held. */
  get oldest() {
    return Math.max(this.begin, this.end - CAPACITY);
  }

  /** Seconds on the pushing side's clock. */
  timeOf(sample) {
    return this.zeroTime + (sample - this.zero) / RATE;
  }

  /** Appends a frame, or writes it over its preliminary one; returns the number of its first new sample. */
  append(frame, segment) {
    let at = this.place(frame, segment);
    if (at > this.end)
      this.skipTo(at);
    const from = Math.max(0, this.oldest - at); // what is there may be a preliminary frame, or repeated by the server after a reconnection
    for (let m = 0; m < MODALITIES.length; m++)
      write(this.rings[m], frame.signals[m], at, from, frame.count);
    const first = at + from;
    for (const ring of this.rings)
      ring.rewritten = Math.min(ring.rewritten, first);
    this.end = Math.max(this.end, at + frame.count);
    return first;
  }

  place(frame, segment) {
    let at = this.zero + Math.round((frame.start - this.zeroTime) * RATE);
    const stranger = segment !== this.segment || at + frame.count < this.end - CAPACITY || at > this.end + CAPACITY;
    if (!stranger)
      return at;
    at = this.segment === null ? this.end : this.end + SEAM;
    this.segment = segment;
    this.zero = at;
    this.zeroTime = frame.start;
    return at;
  }

  skipTo(sample) {
    for (let i = Math.max(this.end, sample - CAPACITY); i < sample; i++) {
      for (const ring of this.rings) {
        const j = i & MASK;
        ring.value[j] = ring.low[j] = ring.high[j] = ring.measured[j] = NaN;
        ring.kind[j] = Kind.noSignal;
        ring.reason[j] = NOT_RECEIVED;
        ring.free[j] = 0;
      }
    }
    this.end = sample;
  }
}

function write(ring, signal, at, from, count) {
  let stretch = 0, left = signal.stretches[0] ?? count, kind = signal.stretches[1] ?? Kind.noSignal;
  for (let i = 0; i < count; i++) {
    while (left === 0 && 2 * (stretch + 1) < signal.stretches.length) {
      stretch++;
      left = signal.stretches[2 * stretch];
      kind = signal.stretches[2 * stretch + 1];
    }
    left--;
    if (i < from)
      continue;
    const j = (at + i) & MASK;
    ring.value[j] = signal.values[i];
    ring.low[j] = signal.low === null ? NaN : signal.low[i];
    ring.high[j] = signal.high === null ? NaN : signal.high[i];
    ring.measured[j] = signal.measured === null ? NaN : signal.measured[i];
    ring.kind[j] = Number.isNaN(signal.values[i]) ? Kind.noSignal : kind;
    ring.reason[j] = signal.noSignal;
    ring.free[j] = signal.normalized ? 1 : 0;
  }
}
