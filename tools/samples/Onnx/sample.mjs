// The same in Node: node sample.mjs NETWORK.onnx WINDOW.json [DRAWS], after npm install here.
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-web";
import { restore } from "./sampler.mjs";

const [path, window, draws = "4"] = process.argv.slice(2);
ort.env.wasm.numThreads = 1;
const { remark, ...result } = await restore(ort, new Uint8Array(await readFile(path)), JSON.parse(await readFile(window, "utf8")), Number(draws));
console.log(JSON.stringify(result));
console.error(remark);
