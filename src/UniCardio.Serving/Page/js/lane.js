// One trace with its name, its origin, its switches and its numerals.

import { Axis } from "./axis.js";
import { MODALITIES, isGenerated } from "./frame.js";
import { TracePainter } from "./trace-painter.js";
import { LONG, SHORT, originText } from "./words.js";

export class Lane {
  /** `ask(name, modality, on)`: a switch was thrown. */
  constructor(modality, template, ask) {
    this.modality = modality;
    this.slot = MODALITIES.indexOf(modality);
    this.root = template.content.firstElementChild.cloneNode(true);
    this.root.id = `lane-${modality}`;
    this.root.dataset.kind = "none";
    const find = selector => this.root.querySelector(selector);
    const title = find("h2");
    title.id = `title-${modality}`;
    title.textContent = SHORT[modality];
    title.title = LONG[modality];
    this.root.setAttribute("aria-labelledby", title.id);
    this.origin = find(".origin-text");
    this.canvas = find("canvas");
    this.plot = find(".plot");
    this.numerals = find(".numerals");
    this.axis = new Axis(modality);
    this.painter = new TracePainter(this.canvas, this.axis);
    this.described = "";
    this.switches = {};
    find(".switches").setAttribute("aria-label", `${SHORT[modality]} switches`);
    for (const button of this.root.querySelectorAll(".switch")) {
      const name = button.dataset.switch;
      this.switches[name] = button;
      button.disabled = true;
      button.setAttribute("aria-label", `${SHORT[modality]}: ${TEXTS[name]}`);
      button.title = TITLES[name];
      button.addEventListener("click", () => ask(name, modality, button.getAttribute("aria-checked") !== "true"));
    }
  }

  /** Shows what a session is set to; null for none. */
  showSession(session) {
    const set = (name, on, enabled) => {
      this.switches[name].setAttribute("aria-checked", String(on));
      this.switches[name].disabled = !enabled;
    };
    const has = session !== null, sensor = has && this.modality in session.channels;
    set("sensor", sensor && !session.muted.includes(this.modality), sensor);
    set("generate", has && session.generate.includes(this.modality), has);
    set("denoise", has && session.denoise.includes(this.modality), sensor);
  }

  /** The newest frame's word on this signal; returns a sentence if its origin has changed. */
  showSignal(signal) {
    const text = originText(this.modality, signal);
    if (text === this.origin.textContent)
      return null;
    this.origin.textContent = text;
    this.root.dataset.kind = signal.kind === 0 ? "none" : isGenerated(signal.kind) ? "generated" : "measured";
    return `${LONG[this.modality]}: ${text}`;
  }

  /** Says of the signal that there is none. */
  blank() {
    this.origin.textContent = "no signal";
    this.root.dataset.kind = "none";
    this.axis.clear();
  }

  /** For those who cannot see the trace. */
  describe(vitals) {
    const text = `${LONG[this.modality]} trace, ${this.origin.textContent}. ${vitals}`;
    if (text !== this.described)
      this.canvas.setAttribute("aria-label", this.described = text);
  }

  resize(pixelsPerSecond, pace) {
    const { width, height } = this.plot.getBoundingClientRect();
    this.painter.resize(width, height, Math.min(3, devicePixelRatio));
    this.painter.setScale(pixelsPerSecond);
    this.painter.pace = this.modality === "ecg" ? pace : "";
  }

  fit(store, right, pixelsPerMillimetre) {
    const to = Math.min(store.end, Math.ceil(right)), from = Math.max(store.oldest, Math.floor(right - this.painter.span));
    this.axis.fit(store.rings[this.slot], from, to, this.painter.height / pixelsPerMillimetre);
    this.painter.unit = this.axis.unit();
  }

  paint(store, right, cursor) {
    this.painter.paint(store, store.rings[this.slot], right, cursor);
  }
}

const TEXTS = { sensor: "take the sensor", generate: "generate where it is missing", denoise: "denoise while it is measured" };
const TITLES = {
  sensor: "Switch the sensor off to see the engine take over", generate: "Generate this signal where it is not measured", denoise: "Denoise this signal while it is measured",
};
