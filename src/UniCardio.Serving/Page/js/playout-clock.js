// Frames come hop by hop; the traces move evenly. The clock shows samples a little after they came, and keeps that reserve as small as arrivals allow.

import { RATE } from "./trace-store.js";

const RESERVE = 0.12; // seconds that should be left when the next frame comes
const MOST_BEHIND = 3;

export class PlayoutClock {
  constructor() {
    this.clear();
  }

  clear() {
    this.shown = 0; // sample number at the right edge, fractional
    this.speed = 1;
    this.left = RESERVE; // smoothed reserve at arrivals, seconds
    this.starving = true;
    this.last = null;
  }

  /** Seconds of signal that have come and are not shown yet. */
  behind(end) {
    return (end - this.shown) / (RATE * this.speed);
  }

  /** To be called before a frame is appended. */
  arrive(end) {
    this.left += 0.15 * (this.behind(end) - this.left);
  }

  /** Moves on to the time of an animation frame (milliseconds). */
  advance(now, end) {
    const passed = this.last === null ? 0 : Math.min(1, (now - this.last) / 1000);
    this.last = now;
    const behind = this.behind(end);
    if (behind > MOST_BEHIND || this.shown === 0)
      this.shown = Math.max(0, end - RATE * this.speed * (RESERVE + 0.4));
    if (this.starving && behind < RESERVE + 0.3)
      return;
    this.starving = false;
    const rate = 1 + Math.max(-0.08, Math.min(0.3, 0.25 * (this.left - RESERVE)));
    this.shown += passed * rate * RATE * this.speed;
    if (this.shown >= end) {
      this.shown = end;
      this.starving = true;
      this.left = RESERVE;
    }
  }
}
