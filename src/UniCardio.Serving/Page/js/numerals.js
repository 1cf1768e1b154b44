// The large figures beside the traces.

const whole = value => Number.isFinite(value) ? String(Math.round(value)) : "– –";

class Figure {
  constructor(parent, name, unit, extra) {
    this.root = document.createElement("div");
    this.root.className = `figure ${extra}`;
    const label = this.part("span", "name", name);
    this.part("span", "unit", unit);
    this.value = this.part("span", "value", "– –");
    this.source = this.part("span", "source", "");
    this.mark = this.part("span", "mark", "generated");
    this.mark.hidden = true;
    label.title = name;
    parent.append(this.root);
  }

  part(tag, name, text) {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    this.root.append(element);
    return element;
  }

  show(text, source, generated, quality = NaN) {
    const none = text.startsWith("– –");
    write(this.value, text);
    write(this.source, source);
    // The index of a measured signal; a generated one has none of its own.
    if (none || generated || !Number.isFinite(quality))
      delete this.source.dataset.quality;
    else
      this.source.dataset.quality = `, quality ${Math.round(100 * quality)}%`;
    this.mark.hidden = none || !generated;
    this.root.classList.toggle("none", none);
    this.root.classList.toggle("generated", !none && generated);
  }
}

const write = (element, text) => {
  if (element.textContent !== text)
    element.textContent = text;
};

export class Numerals {
  constructor(lanes) {
    lanes.ecg.numerals.setAttribute("aria-label", "Heart rate");
    lanes.bp.numerals.setAttribute("aria-label", "Blood pressure");
    lanes.ppg.numerals.setAttribute("aria-label", "Pulse rate");
    this.lanes = lanes;
    this.heart = new Figure(lanes.ecg.numerals, "HR", "bpm", "heart");
    this.pressure = new Figure(lanes.bp.numerals, "SBP/DBP", "mmHg", "pressure");
    this.mean = new Figure(lanes.bp.numerals, "MAP", "mmHg", "mean");
    this.pulse = new Figure(lanes.ppg.numerals, "Pulse", "bpm", "pulse");
  }

  show({ heart, pressure, pulse }) {
    const both = Number.isFinite(pressure.systolic) ? `${whole(pressure.systolic)}/${whole(pressure.diastolic)}` : "– –";
    this.heart.show(whole(heart.rate), heart.text, heart.generated, heart.quality);
    this.pressure.show(both, pressure.text, pressure.generated, pressure.quality);
    this.mean.show(whole(pressure.mean), "", pressure.generated);
    this.pulse.show(whole(pulse.rate), pulse.text, pulse.generated, pulse.quality);
    const told = (name, figure, unit) => figure.value.textContent.startsWith("–") ? `${name} not available.` : `${name} ${figure.value.textContent} ${unit}${figure.mark.hidden ? "" : ", generated"}.`;
    this.lanes.ecg.describe(told("Heart rate", this.heart, "beats a minute"));
    this.lanes.bp.describe(told("Pressure", this.pressure, "millimetres of mercury"));
    this.lanes.ppg.describe(told("Pulse rate", this.pulse, "beats a minute"));
  }
}
