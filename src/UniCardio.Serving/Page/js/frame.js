// Frames of the live protocol in their binary form (PROTOCOL.md).

export const MODALITIES = ["ppg", "bp", "ecg"];

export const Kind = Object.freeze({ noSignal: 0, measured: 1, bridged: 2, imputed: 3, denoised: 4, translated: 5 });

export const isGenerated = kind => kind >= Kind.imputed;

// Words of the JSON form, in the order of the binary form's codes.
export const NO_SIGNAL = [null, "warming_up", "not_requested", "nothing_supports", "overload", "compute_failed", "pending"];
export const ABSENCE = [null, "no_sensor", "missing", "flat", "clipped", "implausible", "muted"];
export const TASKS = ["translate", "impute", "denoise"];

const HEADER = 8, HEAD = 80, SIGNAL = 32, FRAME = 2, VERSION = 1;

/** Lays arrays over a message; nothing is copied. Throws if the message is not a frame. */
export function decodeFrame(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEAD || view.getUint8(0) !== 0x55 || view.getUint8(1) !== 0x43 || view.getUint32(4, true) !== buffer.byteLength)
    throw new RangeError(`a message of ${buffer.byteLength} bytes is no frame`);
  if (view.getUint8(2) !== VERSION || view.getUint8(3) !== FRAME)
    throw new RangeError(`version ${view.getUint8(2)} and kind ${view.getUint8(3)} are unknown`);
  const flags = view.getUint32(64, true);
  const frame = {
    index: Number(view.getBigInt64(HEADER, true)),
    start: Number(view.getBigInt64(16, true)) / 1e6,
    skippedHops: Number(view.getBigInt64(32, true)),
    lostHops: Number(view.getBigInt64(40, true)),
    dropped: Number(view.getBigInt64(48, true)),
    segment: view.getInt32(56, true),
    count: view.getUint32(60, true),
    skipped: (flags & 1) !== 0,
    last: (flags & 2) !== 0,
    preliminary: (flags & 4) !== 0, // what is measured; comes again when it is whole
    algorithmicDelay: view.getFloat32(68, true),
    computeDelay: view.getFloat32(72, true),
    signals: [null, null, null],
    vitals: null,
  };
  let at = HEAD;
  for (let i = 0; i < MODALITIES.length; i++)
    at = decodeSignal(view, at, frame);
  const vital = view.getUint32(76, true);
  if (vital > 0)
    frame.vitals = MODALITIES.map((_, i) => decodeVital(view, at + i * vital));
  return frame;
}

function decodeVital(view, at) {
  return {
    rate: view.getFloat32(at, true), systolic: view.getFloat32(at + 4, true), diastolic: view.getFloat32(at + 8, true), mean: view.getFloat32(at + 12, true),
    quality: view.getFloat32(at + 16, true), age: view.getFloat32(at + 20, true), absence: view.getUint8(at + 24), generated: view.getUint8(at + 25) !== 0,
    reasons: view.getUint16(at + 26, true),
  };
}

function decodeSignal(view, at, frame) {
  const flags = view.getUint8(at + 6), stretches = view.getUint32(at + 28, true), n = frame.count;
  const signal = {
    kind: view.getUint8(at + 1),
    noSignal: view.getUint8(at + 2),
    absence: view.getUint8(at + 3),
    task: view.getUint8(at + 4),
    conditions: view.getUint8(at + 5),
    normalized: (flags & 1) !== 0,
    usable: view.getFloat32(at + 8, true),
    stretches: new Uint32Array(view.buffer, at + SIGNAL, 2 * stretches),
    values: null, low: null, high: null, measured: null,
  };
  frame.signals[view.getUint8(at)] = signal;
  at += SIGNAL + 8 * stretches;
  const take = () => {
    const array = new Float32Array(view.buffer, at, n);
    at += 4 * n;
    return array;
  };
  signal.values = take();
  if (flags & 2) {
    signal.low = take();
    signal.high = take();
  }
  if (flags & 4)
    signal.measured = take();
  return at;
}
