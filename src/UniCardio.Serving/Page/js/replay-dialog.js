// Starts a recording of the server's as a patient.

import { headers } from "./access.js";

const byId = id => document.getElementById(id);
const PATIENT = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export class ReplayDialog {
  /** `start(patient, message)`: what was chosen. */
  constructor(start) {
    this.dialog = byId("replay-dialog");
    byId("replay-open").addEventListener("click", () => this.open());
    byId("replay-cancel").addEventListener("click", () => this.dialog.close());
    byId("replay-start").addEventListener("click", () => this.finish(start));
    byId("replay-patient").addEventListener("keydown", event => {
      if (event.key === "Enter")
        this.finish(start);
    });
  }

  async open() {
    const select = byId("replay-recording");
    byId("replay-problem").textContent = "";
    select.replaceChildren();
    this.dialog.showModal();
    try {
      const response = await fetch(new URL("recordings", document.baseURI), { headers: headers(), cache: "no-store" });
      if (!response.ok)
        throw new Error((await response.json().catch(() => ({}))).error ?? response.statusText);
      const { recordings } = await response.json();
      select.append(...recordings.map(name => new Option(name)));
      if (recordings.length === 0)
        byId("replay-problem").textContent = "The server has no recordings. Its operator names their folder with --recordings.";
    } catch (problem) {
      byId("replay-problem").textContent = `The list of recordings did not come: ${problem.message}.`;
    }
    byId("replay-start").disabled = select.options.length === 0;
  }

  finish(start) {
    const patient = byId("replay-patient").value.trim();
    if (!PATIENT.test(patient)) {
      byId("replay-problem").textContent = "A patient is 1 to 64 letters, digits, '-', '_' and '.', the first a letter or a digit.";
      return;
    }
    if (byId("replay-start").disabled)
      return;
    this.dialog.close();
    start(patient, {
      type: "replay", recording: byId("replay-recording").value, speed: Number(byId("replay-speed").value), loop: byId("replay-loop").checked,
      generate: ["ppg", "bp", "ecg"],
    });
  }
}
