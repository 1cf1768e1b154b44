// Draws one trace on a canvas, without making an object an animation frame.

import { Kind, isGenerated } from "./frame.js";
import { CAPACITY, RATE } from "./trace-store.js";
import { NOT_RECEIVED, REASONS } from "./words.js";

const MASK = CAPACITY - 1;
const SOLID = [], DASH = [9, 4], DOTS = [2, 2], DASH_LENGTH = 13;
const FONT = "11px system-ui, sans-serif";
const PEN_ROOM = 10; // pixels between the newest sample and the right edge
const GUTTER = 34; // pixels at the left for the scale
const REASON_ROOM = 164; // pixels that a reason for no signal takes
const GROUPS = Object.freeze({ none: 0, measured: 1, bridged: 2, generated: 3 });

const groupOf = kind => isGenerated(kind) ? GROUPS.generated : kind === Kind.noSignal ? GROUPS.none : kind === Kind.bridged ? GROUPS.bridged : GROUPS.measured;

/** Where the samples of one kind end, and of one reason where there is no signal. */
function endOfRun(ring, start, to) {
  const kind = ring.kind[start & MASK], reason = ring.reason[start & MASK];
  let i = start + 1;
  while (i < to && ring.kind[i & MASK] === kind && (kind !== Kind.noSignal || ring.reason[i & MASK] === reason))
    i++;
  return i;
}

export class TracePainter {
  constructor(canvas, axis) {
    this.canvas = canvas;
    this.axis = axis;
    this.context = canvas.getContext("2d", { alpha: false });
    this.width = this.height = this.ratio = 0; // CSS pixels
    this.perSample = 0;
    this.right = 0; // sample number at the pen
    this.colors = null;
    this.hatch = null;
    this.bandHatch = null;
    this.phasedTo = 0;
    this.phasedFor = -1;
    this.unit = "";
    this.pace = ""; // what stands beside the bar of one second; empty for no bar
  }

  resize(width, height, ratio) {
    this.width = width;
    this.height = height;
    this.ratio = ratio;
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.phasedFor = -1;
  }

  setColors(colors) {
    this.colors = colors;
    this.hatch = hatch(this.context, colors.hatch);
    this.bandHatch = hatch(this.context, colors.generated);
  }

  setScale(pixelsPerSecond) {
    this.perSample = pixelsPerSecond / RATE;
    this.phasedFor = -1;
  }

  /** Samples that fit between the scale and the pen. */
  get span() {
    return this.perSample > 0 ? Math.max(0, this.width - PEN_ROOM - GUTTER) / this.perSample : 0;
  }

  x(sample) {
    return this.width - PEN_ROOM - (this.right - sample) * this.perSample;
  }

  y(value) {
    return (this.axis.high - value) * this.perUnit;
  }

  get perUnit() {
    return this.height / (this.axis.high - this.axis.low);
  }

  /** Where a ring's sample stands: what has no unit is not on the scale. */
  yOf(ring, sample) {
    const j = sample & MASK, v = ring.value[j];
    return this.y(ring.free[j] !== 0 ? v * this.axis.freeScale + this.axis.freeOffset : v);
  }

  /** Sample under a point of the canvas. */
  sampleAt(x) {
    return this.right - (this.width - PEN_ROOM - x) / this.perSample;
  }

  paint(store, ring, right, cursor) {
    const c = this.context;
    if (this.width < 1 || this.colors === null || this.perSample === 0)
      return;
    this.right = right;
    const to = Math.min(store.end, Math.floor(right) + 1), from = Math.max(store.oldest, Math.floor(right - this.span) - 1);
    this.phase(ring, Math.max(store.oldest, from - 1), store.end);
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.fillStyle = this.colors.plot;
    c.fillRect(0, 0, this.width, this.height);
    this.paintGaps(ring, from, to);
    this.paintGrid(store);
    this.paintBand(ring, from, to);
    this.paintInput(ring, from, to);
    this.paintLines(ring, from, to);
    this.paintReasons(ring, from, to);
    this.paintScale();
    if (this.pace !== "")
      this.paintSecond(this.pace);
    if (cursor !== null)
      this.paintCursor(ring, cursor);
    else if (to > from)
      this.paintPen(ring, to - 1);
  }

  // Dashes must move with the signal, so each sample knows how long the line up to it is.
  phase(ring, from, to) {
    let i = Math.max(from, Math.min(this.phasedTo, ring.rewritten));
    ring.rewritten = Infinity;
    if (this.phasedFor !== this.axis.version || i > to || i < from) {
      this.phasedFor = this.axis.version;
      i = from;
      ring.phase[i & MASK] = 0;
    }
    const { perSample, perUnit } = this, { freeScale } = this.axis;
    for (; i < to; i++) {
      const j = i & MASK, rise = (ring.value[j] - ring.value[(i - 1) & MASK]) * (ring.free[j] !== 0 ? perUnit * freeScale : perUnit);
      const length = rise === rise ? Math.sqrt(perSample * perSample + rise * rise) : 0;
      ring.phase[i & MASK] = (ring.phase[(i - 1) & MASK] + length) % DASH_LENGTH;
    }
    this.phasedTo = to;
  }

  paintGaps(ring, from, to) {
    const c = this.context;
    for (let start = from, end; start < to; start = end) {
      const kind = ring.kind[start & MASK];
      end = endOfRun(ring, start, to);
      if (kind !== Kind.noSignal && kind !== Kind.imputed && kind !== Kind.translated)
        continue;
      const x = this.x(start), width = (end - start) * this.perSample;
      c.fillStyle = kind === Kind.noSignal && ring.reason[start & MASK] === NOT_RECEIVED ? this.colors.absent : this.colors.gap;
      c.fillRect(x, 0, width, this.height);
      if (kind !== Kind.noSignal)
        continue;
      c.save();
      c.translate(x, 0); // the hatching moves with the signal
      c.fillStyle = this.hatch;
      c.fillRect(0, 0, width, this.height);
      c.restore();
    }
  }

  /** Why there is nothing, above the grid, where there is room for it. */
  paintReasons(ring, from, to) {
    const c = this.context;
    c.font = FONT;
    c.textBaseline = "middle";
    c.textAlign = "center";
    for (let start = from, end; start < to; start = end) {
      end = endOfRun(ring, start, to);
      const left = Math.max(GUTTER, this.x(start)), visible = Math.min(this.width - PEN_ROOM, this.x(end)) - left;
      if (ring.kind[start & MASK] !== Kind.noSignal || visible < REASON_ROOM)
        continue;
      c.fillStyle = this.colors.plot;
      c.fillRect(left + (visible - REASON_ROOM) / 2, this.height / 2 - 10, REASON_ROOM, 20);
      c.fillStyle = this.colors.text;
      c.fillText(REASONS[ring.reason[start & MASK]] ?? REASONS[0], left + visible / 2, this.height / 2);
    }
  }

  paintGrid(store) {
    const c = this.context;
    c.lineWidth = 1;
    c.setLineDash(SOLID);
    c.strokeStyle = this.colors.grid;
    c.beginPath();
    for (let k = 0; k < this.axis.ticks.length; k++) {
      const y = Math.round(this.y(this.axis.ticks[k])) + 0.5;
      c.moveTo(0, y);
      c.lineTo(this.width, y);
    }
    // Five millimetres at 25 mm/s are 0.2 s.
    if (this.perSample * RATE >= 40)
      this.paintTimes(store, 5);
    c.stroke();
    c.strokeStyle = this.colors.second;
    c.beginPath();
    this.paintTimes(store, 1);
    c.stroke();
  }

  /** Upright lines, so many a second. */
  paintTimes(store, many) {
    const c = this.context, zero = this.x(store.zero - store.zeroTime * RATE), spacing = this.perSample * RATE / many;
    for (let k = Math.ceil((GUTTER - zero) / spacing), x = zero + k * spacing; x <= this.width; x += spacing) {
      c.moveTo(x, 0);
      c.lineTo(x, this.height);
    }
  }

  line(x) {
    this.context.moveTo(x, 0);
    this.context.lineTo(x, this.height);
  }

  // The loops over samples write x and y out: a call that returns a number may allocate one.

  paintBand(ring, from, to) {
    const c = this.context, { perSample, perUnit } = this, { freeScale, freeOffset } = this.axis, left = this.x(0), top = this.y(0);
    c.fillStyle = this.colors.band;
    for (let i = from; i < to;) {
      if (Number.isNaN(ring.low[i & MASK])) {
        i++;
        continue;
      }
      const start = i, free = ring.free[i & MASK], scale = free !== 0 ? freeScale * perUnit : perUnit;
      const zero = free !== 0 ? top - freeOffset * perUnit : top;
      c.beginPath();
      for (; i < to && ring.free[i & MASK] === free && !Number.isNaN(ring.low[i & MASK]); i++)
        c.lineTo(left + i * perSample, zero - ring.high[i & MASK] * scale);
      for (let k = i - 1; k >= start; k--)
        c.lineTo(left + k * perSample, zero - ring.low[k & MASK] * scale);
      c.closePath();
      c.fill();
      // Hatched too: what is generated is told by more than its colour.
      c.globalAlpha = 0.3;
      c.fillStyle = this.bandHatch;
      c.fill();
      c.globalAlpha = 1;
      c.fillStyle = this.colors.band;
    }
  }

  // The input of denoised stretches, thin below the result.
  paintInput(ring, from, to) {
    const c = this.context, { perSample, perUnit } = this, left = this.x(0), top = this.y(0);
    c.strokeStyle = this.colors.measured;
    c.lineWidth = 1;
    c.globalAlpha = 0.6;
    c.beginPath();
    let pen = false;
    for (let i = from; i < to; i++) {
      const v = ring.measured[i & MASK];
      if (Number.isNaN(v)) {
        pen = false;
      } else {
        // Canvas takes the first lineTo of a path for a moveTo, but not one after a hole.
        if (!pen)
          c.moveTo(left + i * perSample, top - v * perUnit);
        c.lineTo(left + i * perSample, top - v * perUnit);
        pen = true;
      }
    }
    c.stroke();
    c.globalAlpha = 1;
  }

  paintLines(ring, from, to) {
    const c = this.context, { perSample, perUnit } = this, { freeScale, freeOffset } = this.axis, left = this.x(0), top = this.y(0);
    c.lineJoin = "round";
    for (let i = from; i < to;) {
      const group = groupOf(ring.kind[i & MASK]), free = ring.free[i & MASK], before = (i - 1) & MASK;
      const scale = free !== 0 ? freeScale * perUnit : perUnit, zero = free !== 0 ? top - freeOffset * perUnit : top;
      // A line begins at the sample before, where there is one on the same scale: no hole between two styles.
      const joins = i > from && group !== GROUPS.none && ring.free[before] === free && !Number.isNaN(ring.value[before]);
      const start = joins ? i - 1 : i;
      while (i < to && groupOf(ring.kind[i & MASK]) === group && ring.free[i & MASK] === free)
        i++;
      if (group === GROUPS.none)
        continue;
      c.beginPath();
      for (let k = start; k < i; k++)
        c.lineTo(left + k * perSample, zero - ring.value[k & MASK] * scale);
      c.strokeStyle = group === GROUPS.generated ? this.colors.generated : this.colors.measured;
      c.lineWidth = group === GROUPS.generated ? 2.2 : 1.7;
      c.setLineDash(group === GROUPS.generated ? DASH : group === GROUPS.bridged ? DOTS : SOLID);
      c.lineDashOffset = ring.phase[start & MASK];
      c.stroke();
    }
    c.setLineDash(SOLID);
  }

  paintScale() {
    const c = this.context;
    c.fillStyle = this.colors.plot;
    c.fillRect(0, 0, GUTTER, this.height);
    c.font = FONT;
    c.textAlign = "right";
    c.textBaseline = "middle";
    c.lineWidth = 3;
    c.strokeStyle = this.colors.plot;
    c.fillStyle = this.colors.text;
    for (let k = 0; k < this.axis.ticks.length; k++) {
      const y = this.y(this.axis.ticks[k]);
      if (y < 7 || y > this.height - 7 || this.axis.labels[k] === "")
        continue;
      c.fillText(this.axis.labels[k], GUTTER - 5, y);
    }
    c.textAlign = "left";
    c.strokeText(this.unit, GUTTER + 4, this.height - 9);
    c.fillText(this.unit, GUTTER + 4, this.height - 9);
  }

  /** A bar of one second at the lower right. */
  paintSecond(text) {
    const c = this.context, length = this.perSample * RATE, right = this.width - PEN_ROOM, y = Math.round(this.height - 8) + 0.5;
    c.textAlign = "right";
    c.lineWidth = 3;
    c.strokeText(text, right - length - 8, y);
    c.fillText(text, right - length - 8, y);
    c.lineWidth = 1.5;
    c.strokeStyle = this.colors.text;
    c.beginPath();
    c.moveTo(right - length, y - 4);
    c.lineTo(right - length, y + 4);
    c.moveTo(right - length, y);
    c.lineTo(right, y);
    c.moveTo(right, y - 4);
    c.lineTo(right, y + 4);
    c.stroke();
  }

  paintPen(ring, sample) {
    const value = ring.value[sample & MASK];
    if (Number.isNaN(value))
      return;
    const c = this.context;
    c.fillStyle = isGenerated(ring.kind[sample & MASK]) ? this.colors.generated : this.colors.measured;
    c.beginPath();
    c.arc(this.x(sample), this.yOf(ring, sample), 3.2, 0, 2 * Math.PI);
    c.fill();
  }

  paintCursor(ring, cursor) {
    const c = this.context, x = this.x(cursor);
    c.strokeStyle = this.colors.text;
    c.lineWidth = 1;
    c.beginPath();
    this.line(Math.round(x) + 0.5);
    c.stroke();
    this.paintPen(ring, cursor);
  }
}

function hatch(context, color) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const c = tile.getContext("2d");
  c.strokeStyle = color;
  c.lineWidth = 1;
  c.beginPath();
  for (let k = -8; k <= 8; k += 8) {
    c.moveTo(k, 8);
    c.lineTo(k + 8, 0);
  }
  c.stroke();
  return context.createPattern(tile, "repeat");
}
