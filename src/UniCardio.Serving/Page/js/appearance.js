// Colours, scheme and the size of a millimetre on this screen.

const SCHEMES = ["system", "dark", "light"];
const PALETTES = { signals: "by signal", safe: "for any colour vision" };
const COLORS = ["plot", "grid", "second", "text", "measured", "generated", "band", "gap", "absent", "hatch"];
const PIXELS_PER_MM = 96 / 25.4; // what CSS takes a millimetre for

export class Appearance {
  /** `changed()`: colours or scale are different now. */
  constructor(changed) {
    this.changed = changed;
    this.timebase = number(localStorage.getItem("unicardio-timebase"), 25);
    this.scale = number(localStorage.getItem("unicardio-ruler"), 100);
    this.scheme = SCHEMES.includes(localStorage.getItem("unicardio-scheme")) ? localStorage.getItem("unicardio-scheme") : "system";
    this.palette = localStorage.getItem("unicardio-palette") in PALETTES ? localStorage.getItem("unicardio-palette") : "signals";
    this.bindScheme();
    this.bindPalette();
    this.bindTimebase();
    this.bindRuler();
  }

  get pixelsPerMillimetre() {
    return PIXELS_PER_MM * this.scale / 100;
  }

  get pixelsPerSecond() {
    return this.timebase * this.pixelsPerMillimetre;
  }

  /** The colours of a lane. */
  colors(root) {
    const style = getComputedStyle(root);
    return Object.fromEntries(COLORS.map(name => [name, style.getPropertyValue(`--${name}`).trim()]));
  }

  bindScheme() {
    const button = document.getElementById("scheme");
    const apply = () => {
      document.documentElement.dataset.scheme = this.scheme;
      button.textContent = `Scheme: ${this.scheme}`;
      this.changed();
    };
    button.addEventListener("click", () => {
      this.scheme = SCHEMES[(SCHEMES.indexOf(this.scheme) + 1) % SCHEMES.length];
      localStorage.setItem("unicardio-scheme", this.scheme);
      apply();
    });
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.changed());
    apply();
  }

  bindPalette() {
    const select = document.getElementById("palette");
    select.replaceChildren(...Object.entries(PALETTES).map(([value, text]) => new Option(text, value)));
    select.value = document.documentElement.dataset.palette = this.palette;
    select.addEventListener("change", () => {
      document.documentElement.dataset.palette = this.palette = select.value;
      localStorage.setItem("unicardio-palette", select.value);
      this.changed();
    });
  }

  bindTimebase() {
    for (const input of document.querySelectorAll("input[name=timebase]")) {
      input.checked = Number(input.value) === this.timebase;
      input.addEventListener("change", () => {
        this.timebase = Number(input.value);
        localStorage.setItem("unicardio-timebase", input.value);
        this.changed();
      });
    }
  }

  bindRuler() {
    const input = document.getElementById("ruler"), value = document.getElementById("ruler-value"), bar = document.getElementById("bar50");
    const apply = () => {
      value.textContent = `${this.scale}%`;
      bar.style.width = `${50 * this.pixelsPerMillimetre}px`;
    };
    input.value = String(this.scale);
    input.addEventListener("input", () => {
      this.scale = Number(input.value);
      localStorage.setItem("unicardio-ruler", input.value);
      apply();
      this.changed();
    });
    apply();
  }
}

const number = (text, otherwise) => text !== null && Number(text) > 0 ? Number(text) : otherwise;
