// R-peaks and pulses for the numerals. Simple and causal over a few seconds; no rhythm is named.

import { CAPACITY, RATE } from "./trace-store.js";

const MASK = CAPACITY - 1;
const LONGEST = 12 * RATE;
const energy = new Float32Array(LONGEST);
const blockPeaks = new Float32Array(LONGEST / RATE + 1);

export const beats = { count: 0, at: new Int32Array(64), foot: new Int32Array(64) };

/** R-peaks by the energy of the slope (Pan and Tompkins, IEEE TBME 32(3), 1985, without their search back): into `beats.at`. */
export function findRPeaks(ring, from, to) {
  const n = prepare(from, to);
  const start = to - n;
  // Slope over 4 samples, squared, summed over 80 ms.
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += slopeSquared(ring, start, n, i) - (i >= 10 ? slopeSquared(ring, start, n, i - 10) : 0);
    energy[i] = Math.max(0, sum);
  }
  const threshold = 0.3 * typicalPeak(n);
  collect(ring, start, n, threshold, 0.24, true);
}

/** Pulses by their upstrokes (slope sum, Zong et al., Computers in Cardiology 30, 2003): systolic peaks into `beats.at`, onsets into `beats.foot`. */
export function findPulses(ring, from, to) {
  const n = prepare(from, to);
  const start = to - n;
  // Rises only, summed over 128 ms.
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += rise(ring, start, i) - (i >= 16 ? rise(ring, start, i - 16) : 0);
    energy[i] = Math.max(0, sum);
  }
  const threshold = 0.5 * typicalPeak(n);
  collect(ring, start, n, threshold, 0.3, false);
}

const prepare = (from, to) => {
  beats.count = 0;
  return Math.max(0, Math.min(LONGEST, to - from));
};

function slopeSquared(ring, start, n, i) {
  if (i < 2 || i >= n - 2)
    return 0;
  const d = ring.value[(start + i + 2) & MASK] - ring.value[(start + i - 2) & MASK];
  return d === d ? d * d : 0;
}

function rise(ring, start, i) {
  if (i < 1)
    return 0;
  const d = ring.value[(start + i) & MASK] - ring.value[(start + i - 1) & MASK];
  return d > 0 ? d : 0;
}

// The middle one of the largest energies of each 1.25 s, so that one artefact does not set the threshold.
function typicalPeak(n) {
  const block = Math.floor(1.25 * RATE);
  let blocks = 0;
  for (let i = 0; i + block <= n; i += block) {
    let largest = 0;
    for (let k = i; k < i + block; k++)
      largest = Math.max(largest, energy[k]);
    blockPeaks[blocks++] = largest;
  }
  if (blocks === 0)
    return Infinity;
  const sorted = blockPeaks.subarray(0, blocks).sort();
  const middle = sorted[blocks >> 1];
  return middle > 0 ? middle : Infinity;
}

function collect(ring, start, n, threshold, refractory, isR) {
  const hold = Math.round(refractory * RATE);
  for (let i = 1; i < n && beats.count < beats.at.length; i++) {
    if (!(energy[i] >= threshold && energy[i - 1] < threshold))
      continue;
    const peak = isR ? largest(ring, start, i - 10, Math.min(n, i + 10)) : largest(ring, start, i - 8, Math.min(n, i + 32));
    if (peak < 0 || peak >= n - 3)
      continue; // it may still rise
    const foot = isR ? peak : smallest(ring, start, i - 25, peak);
    if (beats.count > 0 && start + peak - beats.at[beats.count - 1] < hold)
      continue;
    beats.at[beats.count] = start + peak;
    beats.foot[beats.count++] = start + foot;
    i = Math.max(i, peak);
  }
}

function largest(ring, start, from, to) {
  let best = -1, value = -Infinity;
  for (let i = Math.max(0, from); i < to; i++) {
    const v = ring.value[(start + i) & MASK];
    if (v > value) {
      value = v;
      best = i;
    }
  }
  return best;
}

function smallest(ring, start, from, to) {
  let best = to, value = Infinity;
  for (let i = Math.max(0, from); i <= to; i++) {
    const v = ring.value[(start + i) & MASK];
    if (v < value) {
      value = v;
      best = i;
    }
  }
  return best;
}
