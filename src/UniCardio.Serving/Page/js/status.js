// The state of the connection, notices, and the figures at the foot.

import { percent, seconds } from "./words.js";

const byId = id => document.getElementById(id);

function write(id, text) {
  const element = byId(id);
  if (element.textContent !== text)
    element.textContent = text;
}

/** `state`: connecting, live, idle, waiting or refused. */
export function showState(state, text) {
  byId("state").dataset.state = state;
  write("state-text", text);
}

export function notice(text) {
  byId("notice").hidden = text === "";
  write("notice", text);
}

export function announce(text) {
  write("announce", text);
}

export function showFrameFigures(frame, behind) {
  write("algorithmic", seconds(frame.algorithmicDelay));
  write("compute", seconds(frame.computeDelay));
  write("playout", seconds(behind));
  write("delay", seconds(frame.algorithmicDelay + frame.computeDelay + behind));
  write("skipped", frame.lostHops > 0 ? `${frame.skippedHops} (${frame.lostHops} lost)` : String(frame.skippedHops));
}

export function clearFrameFigures() {
  for (const id of ["algorithmic", "compute", "playout", "delay", "skipped", "dropped"])
    write(id, "–");
}

export function showDropped(count) {
  write("dropped", String(count));
}

export function showMetrics(metrics) {
  write("p99", metrics.delay_p99 === null ? "–" : seconds(metrics.delay_p99));
  write("load", percent(metrics.load));
  write("sessions", String(metrics.sessions));
  byId("load-meter").value = Math.min(1, metrics.load ?? 0);
}
