// Server-sent events through fetch, so that a token can go with the request.

import { Backoff } from "./backoff.js";
import { headers } from "./access.js";

const SILENCE = 6000; // metrics come once a second
const LONGEST_BUFFER = 1 << 20;

export class EventStream {
  /** `on`: { open(), lost(), refused(status, text), event(name, data) } */
  constructor(on) {
    this.on = on;
    this.abort = null;
    this.backoff = new Backoff(() => this.connect());
  }

  hurry() {
    this.backoff.now();
  }

  async connect() {
    this.backoff.stop();
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    let refused = false;
    try {
      const response = await fetch(new URL("events", document.baseURI), { headers: headers(), signal: abort.signal, cache: "no-store" });
      if (!response.ok) {
        const text = (await response.json().catch(() => ({}))).error ?? response.statusText;
        refused = response.status === 401 || response.status === 403;
        this.on.refused(response.status, text);
      } else {
        this.backoff.succeeded();
        this.on.open();
        await this.read(response.body.getReader(), abort);
      }
    } catch {
      // Lost or unreadable; either way it is opened anew.
    }
    if (abort !== this.abort)
      return;
    this.on.lost();
    if (!refused)
      this.backoff.later();
  }

  async read(reader, abort) {
    const decoder = new TextDecoder();
    let text = "", timer = null;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), SILENCE);
    };
    try {
      for (;;) {
        watch();
        const { done, value } = await reader.read();
        if (done)
          return;
        text += decoder.decode(value, { stream: true });
        const events = text.replaceAll("\r\n", "\n").split("\n\n");
        text = events.pop();
        if (text.length > LONGEST_BUFFER)
          return;
        events.forEach(event => this.dispatch(event));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  dispatch(block) {
    let name = "message";
    const data = [];
    for (const line of block.split("\n")) {
      if (line.startsWith("event:"))
        name = line.slice(6).trim();
      else if (line.startsWith("data:"))
        data.push(line.slice(5).trimStart());
    }
    if (data.length > 0)
      this.on.event(name, JSON.parse(data.join("\n")));
  }
}
