// An exported network in onnxruntime-web, in a browser or in Node; `ort` is that package.

/** The file's metadata, which the package does not give: pairs {1: key, 2: value} in field 14 of the outermost protobuf message. */
export function metadata(bytes) {
  const text = new TextDecoder();
  function* fields(from, to) {
    let at = from;
    const varint = () => { for (let n = 0, scale = 1; ; scale *= 128) { const b = bytes[at++]; n += (b & 127) * scale; if (b < 128) return n; } };
    while (at < to) {
      const tag = varint(), wire = tag % 8, size = varint();   // of wire type 0 the value itself; this file has no others
      if (wire === 2) { yield [tag >> 3, at, at + size]; at += size; }
    }
  }
  return Object.fromEntries([...fields(0, bytes.length)].filter(([field]) => field === 14).map(([, from, to]) =>
    [...fields(from, to)].map(([, a, b]) => text.decode(bytes.subarray(a, b)))));
}

/** [S] with null where missing: (mmHg - 100) / 50, or least and largest measured sample to -1 and 1; what is missing is -1. */
export function scaled(name, values) {
  const measured = values.filter(v => v !== null), low = Math.min(...measured), high = Math.max(...measured);
  const [center, half] = name === "bp" ? [100, 50] : [(low + high) / 2, (high - low) / 2 || 1];
  return Float32Array.from(values, v => v === null ? -1 : (v - center) / half);
}

/** The sampler: x_t [1, draws, S] from noise to signal, a network call a row of the table. `conditions` are [S] by name. */
export async function sample(ort, session, table, conditions, draws, normal) {
  const length = Object.values(conditions)[0].length, count = draws * length;
  const inputs = Object.fromEntries(Object.entries(conditions).map(([name, x]) => [name, new ort.Tensor("float32", x, [1, length])]));
  let x = Float32Array.from({ length: count }, normal);
  let clean = new Float64Array(count), before = new Float64Array(count);
  for (const row of table) {
    const t = new ort.Tensor("int64", BigInt64Array.of(BigInt(row.t)), [1]);
    const { prediction } = await session.run({ ...inputs, x_t: new ort.Tensor("float32", x, [1, draws, length]), t });
    const earlier = before, p = prediction.data, next = new Float32Array(count);
    before = clean;
    clean = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const c = row.clean_from_state * x[i] + row.clean_from_prediction * p[i];
      clean[i] = Math.min(Math.max(c, row.clamp_low ?? -Infinity), row.clamp_high ?? Infinity);
      next[i] = row.state * x[i] + row.clean0 * clean[i] + row.clean1 * before[i] + row.clean2 * earlier[i]
        + (row.noise ? row.noise * normal() : 0);
    }
    x = next;
  }
  return Array.from({ length: draws }, (_, n) => x.subarray(n * length, (n + 1) * length));
}

/** From a file's bytes and a window, {ppg: [S], ...}, to its samples. */
export async function restore(ort, bytes, window, draws) {
  const said = metadata(bytes), given = window.noise?.values();
  const session = await ort.InferenceSession.create(bytes);
  const conditions = Object.fromEntries(said.conditions.split(",").map(name => [name, scaled(name, window[name])]));
  const normal = () => given ? given.next().value : Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  const samples = await sample(ort, session, JSON.parse(said.sampler_table), conditions, draws, normal);
  const pressure = said.output === "bp";
  return { output: said.output, unit: pressure ? "mmHg" : "-1 to 1", remark: said.remark,
    samples: samples.map(draw => Array.from(draw, v => pressure ? 50 * v + 100 : v)) };
}
