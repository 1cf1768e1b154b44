// Puts the page together: one patient's connection, the traces of it, and what the user asks for.

import { setToken } from "./access.js";
import { Appearance } from "./appearance.js";
import { EventStream } from "./event-stream.js";
import { MODALITIES } from "./frame.js";
import { Freeze } from "./freeze.js";
import { Lane } from "./lane.js";
import { LiveConnection } from "./live-connection.js";
import { Numerals } from "./numerals.js";
import { PlayoutClock } from "./playout-clock.js";
import { ReplayDialog } from "./replay-dialog.js";
import { SamplingControls } from "./sampling.js";
import { announce, clearFrameFigures, notice, showDropped, showFrameFigures, showMetrics, showState } from "./status.js";
import { TraceStore } from "./trace-store.js";
import { Vitals } from "./vitals.js";
import { ENDED } from "./words.js";

const byId = id => document.getElementById(id);
const SETTING = { sensor: "muted", generate: "generate", denoise: "denoise" };

export class Monitor {
  constructor() {
    this.patient = null;
    this.session = null;
    this.pending = null; // a replay to be started once the connection stands
    this.problem = "";
    this.dropped = 0;
    this.store = new TraceStore();
    this.clock = new PlayoutClock();
    this.vitals = new Vitals();
    this.live = new LiveConnection({
      state: (name, wait) => this.connectionState(name, wait), hello: message => this.hello(message), session: session => this.showSession(session),
      frame: frame => this.takeFrame(frame), ended: message => this.ended(message), error: message => this.serverError(message),
    });
    this.events = new EventStream({
      open: () => this.live.hurry(), lost: () => this.live.restart(),
      refused: (status, text) => this.refused(status, text), event: (name, data) => this.serverEvent(name, data),
    });
    const lanes = byId("lanes"), template = byId("lane-template");
    this.lanes = Object.fromEntries(["ecg", "bp", "ppg"].map(m => [m, new Lane(m, template, (...a) => this.throwSwitch(...a))]));
    lanes.append(...Object.values(this.lanes).map(lane => lane.root));
    this.order = MODALITIES.map(m => this.lanes[m]);
    this.numerals = new Numerals(this.lanes);
    this.freeze = new Freeze(text => this.told(text));
    this.sampling = new SamplingControls(settings => this.set(settings));
    this.replays = new ReplayDialog((patient, message) => this.replay(patient, message));
    this.appearance = new Appearance(() => this.restyle());
    this.animate = this.animate.bind(this);
  }

  start() {
    this.restyle();
    const resized = new ResizeObserver(() => this.resize());
    this.order.forEach(lane => resized.observe(lane.plot));
    byId("patient").addEventListener("change", event => this.watch(event.target.value));
    byId("freeze").addEventListener("click", () => this.toggleFreeze());
    byId("replay-stop").addEventListener("click", () => this.ask({ type: "stop" }));
    byId("token-use").addEventListener("click", () => this.useToken());
    addEventListener("keydown", event => this.key(event));
    addEventListener("hashchange", () => this.watch(decodeURIComponent(location.hash.slice(1))));
    for (const name of ["online", "focus"])
      addEventListener(name, () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
    this.order.forEach(lane => lane.canvas.addEventListener("pointermove", event => this.point(lane, event)));
    this.order.forEach(lane => lane.canvas.addEventListener("pointerdown", event => this.point(lane, event)));
    this.events.connect();
    if (location.hash.length > 1)
      this.watch(decodeURIComponent(location.hash.slice(1)));
    requestAnimationFrame(this.animate);
  }

  hurry() {
    this.events.hurry();
    this.live.hurry();
  }

  // What the connection tells.

  connectionState(name, wait) {
    // From the loss on, through every new try, until it stands again.
    if (name !== "connecting")
      document.documentElement.classList.toggle("stale", name !== "open");
    if (name !== "open") {
      this.showSession(null);
      showState(name, name === "connecting" ? "Connecting" : `Connection lost. Trying again in ${Math.ceil(wait)} s`);
    }
  }

  hello(message) {
    byId("weights").textContent = typeof message.network === "string" ? `Weights: ${message.network}${message.untrained ? ", untrained: what it makes is noise" : ""}.` : "";
    this.ready = message.ready;
    this.problem = "";
    this.showSession(message.session);
    if (this.pending !== null) {
      const replay = this.pending;
      this.pending = null;
      this.ask(replay);
    }
  }

  takeFrame(frame) {
    const { store, clock } = this;
    const before = store.end;
    store.append(frame, `${this.session?.session}/${frame.segment}`);
    if (store.end > before)
      clock.arrive(before);
    showDropped(this.dropped += frame.dropped);
    if (frame.preliminary)
      return;
    this.vitals.take(frame.vitals);
    this.numerals.show(this.vitals);
    const changes = this.order.map((lane, m) => lane.showSignal(frame.signals[m])).filter(text => text !== null);
    if (changes.length > 0)
      announce(changes.join(". "));
    if (!this.freeze.on)
      this.order.forEach(lane => lane.fit(store, clock.shown, this.appearance.pixelsPerMillimetre));
    showFrameFigures(frame, Math.max(0, clock.behind(store.end)));
  }

  ended(message) {
    this.showSession(null);
    this.blank();
    this.problem = [ENDED[message.reason] ?? `The session ended: ${message.reason}.`, message.message ?? ""].join(" ").trim();
    notice(this.problem);
  }

  serverError(message) {
    if (message.id === undefined || message.id === null)
      notice(`The server says: ${message.message}`);
  }

  // What the server tells of all patients.

  serverEvent(name, data) {
    if (name === "metrics")
      showMetrics(data);
    else if (name === "patients")
      this.showPatients(data.patients.map(p => p.patient));
  }

  refused(status, text) {
    showState("refused", status === 401 ? "A token is needed" : `Refused: ${text}`);
    if (status === 401 && !byId("token-dialog").open)
      byId("token-dialog").showModal();
  }

  useToken() {
    setToken(byId("token").value.trim());
    byId("token").value = "";
    byId("token-dialog").close();
    this.events.connect();
    if (this.patient !== null)
      this.live.watch(this.patient);
  }

  showPatients(names) {
    const select = byId("patient");
    if (this.patient === null && names.length > 0)
      this.watch(names.includes("demo") ? "demo" : names[0]);
    const all = [...new Set([...names, ...(this.patient === null ? [] : [this.patient])])].sort();
    if (all.join() !== [...select.options].map(o => o.value).join())
      select.replaceChildren(...(all.length > 0 ? all.map(n => new Option(n, n)) : [new Option("none", "")]));
    select.disabled = all.length === 0;
    if (this.patient !== null)
      select.value = this.patient;
    else
      showState("idle", "No patient has a session");
  }

  // What the user asks for.

  watch(patient) {
    if (patient === this.patient || patient === "")
      return;
    this.patient = patient;
    history.replaceState(null, "", `#${encodeURIComponent(patient)}`);
    this.blank();
    this.dropped = 0;
    clearFrameFigures();
    if (this.freeze.on)
      this.toggleFreeze();
    for (const lane of this.order)
      lane.axis.clear();
    const select = byId("patient");
    if (![...select.options].some(o => o.value === patient))
      this.showPatients([...select.options].map(o => o.value).filter(n => n !== ""));
    select.value = patient;
    this.live.watch(patient);
  }

  replay(patient, message) {
    if (patient === this.patient && this.live.isOpen)
      this.ask(message);
    else {
      this.pending = message;
      this.watch(patient);
    }
  }

  throwSwitch(name, modality, on) {
    if (this.session === null)
      return;
    const setting = SETTING[name], listed = name === "sensor" ? !on : on;
    const others = this.session[setting].filter(m => m !== modality);
    this.set({ [setting]: listed ? [...others, modality] : others });
  }

  set(settings) {
    return this.ask({ type: "set", ...settings });
  }

  async ask(message) {
    try {
      await this.live.ask(message);
      notice(this.problem);
    } catch (problem) {
      notice(`That did not work: ${problem.message}.`);
      this.showSession(this.session);
    }
  }

  showSession(session) {
    if (session !== null && session.session !== this.session?.session)
      notice(this.problem = "");
    // Figures are those of a session that runs: none stays of one that ended, nor of the one before.
    if (session?.session !== this.session?.session)
      this.blankFigures();
    this.session = session;
    this.clock.speed = session?.speed ?? 1;
    this.order.forEach(lane => lane.showSession(session));
    this.sampling.show(session);
    byId("replay-stop").hidden = session?.source !== "replay";
    if (session !== null)
      showState("live", `Live: ${session.source === "device" ? "device" : `${session.source} of ${session.recording}${session.speed > 1 ? `, ${session.speed} ×` : ""}`}`);
    else if (this.live.isOpen)
      showState("idle", this.ready === false ? "The server is packing the weights" : "Connected. No session of this patient");
  }

  /** Nothing of a session that is over, or of another patient, stays on the page. */
  blank() {
    this.store.clear();
    this.clock.clear();
    this.order.forEach(lane => lane.blank());
    this.blankFigures();
  }

  blankFigures() {
    this.vitals.blank();
    this.numerals.show(this.vitals);
  }

  toggleFreeze() {
    this.freeze.set(!this.freeze.on, this.store, this.clock.shown);
    const button = byId("freeze");
    button.setAttribute("aria-pressed", String(this.freeze.on));
    button.textContent = this.freeze.on ? "Continue" : "Freeze";
    document.documentElement.classList.toggle("frozen", this.freeze.on);
    this.told(this.freeze.on ? "Frozen; the figures continue. Arrow keys or the pointer read the traces, Page Up and Page Down move them." : "");
  }

  told(text) {
    byId("reading").textContent = text;
  }

  point(lane, event) {
    if (!this.freeze.on)
      return;
    const box = lane.canvas.getBoundingClientRect();
    this.freeze.point(lane.painter.sampleAt(event.clientX - box.left), lane.painter.span);
  }

  key(event) {
    const within = selector => (event.target.closest?.(selector) ?? null) !== null;
    // F works wherever no letter is meant for something else: after a click on a choice or a slider too.
    if (event.ctrlKey || event.altKey || event.metaKey || within("select, dialog, input:not([type=radio]):not([type=range]):not([type=checkbox])"))
      return;
    if (event.key === "f" || event.key === "F")
      this.toggleFreeze();
    else if (within("input, summary") || !this.freeze.on || !this.freeze.key(event, this.order[0].painter.span))
      return;
    event.preventDefault();
  }

  // Drawing.

  restyle() {
    if (this.appearance === undefined)
      return;
    this.order.forEach(lane => lane.painter.setColors(this.appearance.colors(lane.root)));
    this.resize();
  }

  resize() {
    for (const lane of this.order) {
      lane.resize(this.appearance.pixelsPerSecond, `${this.appearance.timebase} mm/s   1 s`);
      lane.fit(this.freeze.on ? this.freeze.copy : this.store, this.freeze.on ? this.freeze.right : this.clock.shown, this.appearance.pixelsPerMillimetre);
    }
    this.draw(); // A canvas that gets another size is empty, and the next animation frame comes after this one is shown.
  }

  animate(now) {
    this.clock.advance(now, this.store.end);
    this.draw();
    requestAnimationFrame(this.animate);
  }

  draw() {
    const { store, clock, freeze } = this;
    for (let m = 0; m < this.order.length; m++) {
      if (freeze.on)
        this.order[m].paint(freeze.copy, freeze.right, freeze.cursor);
      else
        this.order[m].paint(store, clock.shown, null);
    }
  }
}
