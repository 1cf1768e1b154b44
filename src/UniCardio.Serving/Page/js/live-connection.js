// The WebSocket of one patient: connects, stays connected, and answers for messages sent.

import { Backoff } from "./backoff.js";
import { subprotocols } from "./access.js";
import { decodeFrame } from "./frame.js";

const ANSWER_TIME = 15000;

export class LiveConnection {
  /** `on`: { state(name, seconds), hello(message), session(message), frame(frame), ended(message), error(message) } */
  constructor(on) {
    this.on = on;
    this.patient = null;
    this.socket = null;
    this.asked = new Map();
    this.nextId = 1;
    this.backoff = new Backoff(() => this.connect());
  }

  get isOpen() {
    return this.socket !== null && this.socket.readyState === WebSocket.OPEN;
  }

  watch(patient) {
    this.patient = patient;
    this.backoff.succeeded();
    this.drop();
    if (patient !== null)
      this.connect();
  }

  /** The network or the server seems to be back: do not wait. */
  hurry() {
    this.backoff.now();
  }

  /** Nothing is heard any more: the connection is taken for dead. */
  restart() {
    if (this.patient === null || this.backoff.timer !== null)
      return;
    this.drop();
    this.on.state("waiting", this.backoff.later());
  }

  connect() {
    this.backoff.stop();
    this.drop();
    this.on.state("connecting", 0);
    const address = new URL(`live/${encodeURIComponent(this.patient)}?frames=binary&measured=first`, document.baseURI);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, subprotocols());
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => this.on.state("open", 0);
    socket.onmessage = event => this.receive(event.data);
    socket.onclose = () => {
      if (this.socket !== socket)
        return;
      this.drop();
      this.on.state("waiting", this.backoff.later());
    };
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    for (const { reject } of this.asked.values())
      reject(new Error("the connection was lost"));
    this.asked.clear();
  }

  receive(data) {
    if (typeof data !== "string") {
      this.on.frame(decodeFrame(data));
      return;
    }
    const message = JSON.parse(data);
    this.settle(message);
    if (message.type === "hello") {
      this.backoff.succeeded();
      this.on.hello(message);
    } else if (message.type === "session" || message.type === "ended" || message.type === "error")
      this.on[message.type](message);
  }

  settle(message) {
    const asked = this.asked.get(message.id);
    if (asked === undefined)
      return;
    this.asked.delete(message.id);
    clearTimeout(asked.timer);
    if (message.type === "error")
      asked.reject(new Error(message.message));
    else
      asked.resolve(message);
  }

  /** Sends a control message; the promise holds the answer. */
  ask(message) {
    if (!this.isOpen)
      return Promise.reject(new Error("there is no connection to the server"));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.asked.delete(id);
        reject(new Error("the server did not answer"));
      }, ANSWER_TIME);
      this.asked.set(id, { resolve, reject, timer });
      this.socket.send(JSON.stringify({ ...message, id }));
    });
  }
}
