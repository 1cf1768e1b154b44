// Frozen traces: a copy of what was received, and a cursor that reads it.

import { Kind, MODALITIES, isGenerated } from "./frame.js";
import { CAPACITY, RATE, TraceStore } from "./trace-store.js";
import { SHORT } from "./words.js";

const MASK = CAPACITY - 1;
const STEP = 1, LEAP = 25;

export class Freeze {
  /** `told(text)`: what is under the cursor, for the page and for screen readers. */
  constructor(told) {
    this.told = told;
    this.copy = new TraceStore();
    this.on = false;
    this.right = 0;
    this.cursor = null;
  }

  set(on, store, right) {
    this.on = on;
    this.cursor = null;
    if (on) {
      this.copy.copyFrom(store);
      this.right = right;
    }
  }

  /** Arrow keys: the cursor; with Shift by 0.2 s; page keys: the view. Returns whether the key was one of these. */
  key(event, span) {
    const step = event.shiftKey ? LEAP : STEP;
    switch (event.key) {
      case "ArrowLeft": this.point((this.cursor ?? Math.floor(this.right)) - step, span); return true;
      case "ArrowRight": this.point((this.cursor ?? Math.floor(this.right - span)) + step, span); return true;
      case "PageUp": this.pan(-span / 2, span); return true;
      case "PageDown": this.pan(span / 2, span); return true;
      case "Escape": this.cursor = null; this.told(""); return true;
      default: return false;
    }
  }

  pan(samples, span) {
    const least = Math.min(this.copy.end, this.copy.oldest + span);
    this.right = Math.max(least, Math.min(this.copy.end, this.right + samples));
  }

  point(sample, span) {
    const { copy } = this;
    if (copy.end === 0)
      return;
    this.cursor = Math.max(copy.oldest, Math.min(copy.end - 1, Math.round(sample)));
    if (this.cursor > this.right)
      this.pan(this.cursor - this.right + 1, span);
    if (this.cursor < this.right - span)
      this.pan(this.cursor - this.right + span - 1, span);
    this.told(this.reading());
  }

  reading() {
    const j = this.cursor & MASK;
    const parts = [...MODALITIES].reverse().map(modality => {
      const ring = this.copy.rings[MODALITIES.indexOf(modality)], kind = ring.kind[j];
      if (kind === Kind.noSignal)
        return `${SHORT[modality]} no signal`;
      const unit = ring.free[j] ? "" : modality === "bp" ? " mmHg" : modality === "ecg" ? " mV" : "";
      const band = Number.isNaN(ring.low[j]) ? "" : ` (${ring.low[j].toPrecision(3)} to ${ring.high[j].toPrecision(3)})`;
      return `${SHORT[modality]} ${ring.value[j].toPrecision(3)}${unit}${isGenerated(kind) ? ` generated${band}` : ""}`;
    });
    return `${(this.copy.timeOf(this.cursor)).toFixed(3)} s: ${parts.join(" · ")}`;
  }
}
