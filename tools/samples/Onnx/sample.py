# Runs an exported network in ONNX Runtime and knows nothing of this project but the file: sample.py NETWORK.onnx WINDOW.json [DRAWS]
# Needs the packages onnxruntime and numpy.
import json
import sys

import numpy as np
import onnxruntime


def scaled(name, values):
    """[S] with None where missing -> [1, S]: (mmHg - 100) / 50, or least and largest measured sample to -1 and 1; missing is -1."""
    x = np.array([np.nan if v is None else v for v in values])
    low, high = np.nanmin(x), np.nanmax(x)
    center, half = (100, 50) if name == "bp" else ((low + high) / 2, (high - low) / 2 or 1)
    return np.nan_to_num((x - center) / half, nan=-1)[None].astype(np.float32)


def sample(network, table, conditions, draws, normal):
    """The sampler: x_t [1, draws, S] from noise to signal, a network call a row of the table."""
    length = next(iter(conditions.values())).shape[1]
    x = normal((1, draws, length)).astype(np.float32)
    clean = before = np.zeros(x.shape)
    for row in table:
        p, = network.run(["prediction"], {"x_t": x, "t": np.array([row["t"]], np.int64), **conditions})
        low, high = row["clamp_low"], row["clamp_high"]
        earlier, before = before, clean
        clean = np.clip(row["clean_from_state"] * x.astype(float) + row["clean_from_prediction"] * p.astype(float),
                        -np.inf if low is None else low, np.inf if high is None else high)
        z = normal(x.shape) if row["noise"] else 0
        x = (row["state"] * x.astype(float) + row["clean0"] * clean + row["clean1"] * before + row["clean2"] * earlier
             + row["noise"] * z).astype(np.float32)
    return x[0]


def main(path, window, draws=4):
    network = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    said = network.get_modelmeta().custom_metadata_map
    with open(window) as file:
        window = json.load(file)
    conditions = {name: scaled(name, window[name]) for name in said["conditions"].split(",")}
    normal = np.random.default_rng().standard_normal
    if "noise" in window:  # the file's normals in place of our own
        given = iter(window["noise"])
        normal = lambda shape: np.array([next(given) for _ in range(int(np.prod(shape)))]).reshape(shape)
    samples = sample(network, json.loads(said["sampler_table"]), conditions, int(draws), normal)
    pressure = said["output"] == "bp"
    print(json.dumps({"output": said["output"], "unit": "mmHg" if pressure else "-1 to 1",
                      "samples": (50 * samples + 100 if pressure else samples).tolist()}))
    print(said["remark"], file=sys.stderr)


main(*sys.argv[1:])
