// Waits between attempts: 0.5 s, doubled up to 8 s, a little random so that many pages do not come at once.

export class Backoff {
  constructor(again) {
    this.again = again;
    this.wait = 0;
    this.timer = null;
  }

  /** Tries again after a while; returns the seconds. */
  later() {
    clearTimeout(this.timer);
    this.wait = Math.min(8, this.wait === 0 ? 0.5 : 2 * this.wait);
    const seconds = this.wait * (0.8 + 0.4 * Math.random());
    this.timer = setTimeout(this.again, 1000 * seconds);
    return seconds;
  }

  /** Tries again at once, if an attempt is being waited for. */
  now() {
    if (this.timer === null)
      return;
    this.stop();
    this.again();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
  }

  succeeded() {
    this.stop();
    this.wait = 0;
  }
}
