#!/usr/bin/env python3
"""What a run on a GPU machine left, as one page: report.py BUNDLE OUT. Simulator and hardware stand side by side."""
import csv
import glob
import json
import os
import re
import sys


def load(path):
    try:
        with open(path) as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def table(title, rows):
    if not rows:
        return ["-"]
    return ["| " + " | ".join(title) + " |", "|" + "---|" * len(title)] + ["| " + " | ".join(map(str, r)) + " |" for r in rows]


def number(value, digits=1):
    return "-" if value is None else f"{value:.{digits}f}"


def steps(out):
    path = os.path.join(out, "steps")
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [line.rstrip("\n").split("\t") for line in file]


def simulated(bundle, device, size, draws, variant=""):
    """The prediction for this device, or else for the H100; and which it is. A variant's own name is after the draws."""
    names = sorted({os.path.basename(p).split("-")[0] for p in glob.glob(os.path.join(bundle, "simulated", "*.json"))})
    text = device.lower().replace(" ", "")
    for name in [n for n in names if n in text] + ["h100"] + names:
        found = load(os.path.join(bundle, "simulated", f"{name}-{size}-{draws}{variant and '-' + variant}.json"))
        if found:
            return name, found
    return None, None


def assembled(out):
    """Kernel -> registers, spilled bytes, shared bytes, from ptxas -v."""
    kernels, name = {}, None
    try:
        with open(os.path.join(out, "ptxas.txt")) as file:
            for line in file:
                if line.startswith("== "):
                    name = line[3:].strip()
                    kernels[name] = ["refused", 0, 0]
                elif m := re.search(r"Used (\d+) registers", line):
                    kernels[name][0] = int(m.group(1))
                    if m := re.search(r"(\d+) bytes smem", line):
                        kernels[name][2] = int(m.group(1))
                elif m := re.search(r"(\d+) bytes spill stores", line):
                    kernels[name][1] += int(m.group(1))
    except OSError:
        pass
    return kernels


def counted(out):
    """Kernel -> metrics of Nsight Compute, the mean over its launches."""
    sums = {}
    try:
        with open(os.path.join(out, "ncu.csv")) as file:
            lines = [line for line in file if line.startswith('"')]
        for row in csv.DictReader(lines):
            kernel = re.sub(r"^Kernel_|\(.*$", "", row["Kernel Name"])
            try:
                value = float(row["Metric Value"].replace(",", ""))
            except ValueError:
                continue
            sums.setdefault(kernel, {}).setdefault(f"{row['Metric Name']} [{row['Metric Unit']}]", []).append(value)
    except (OSError, KeyError):
        pass
    return {k: {m: sum(v) / len(v) for m, v in metrics.items()} for k, metrics in sums.items()}


def main(bundle, out):
    with open(os.path.join(bundle, "commit")) as file:
        commit = file.read().strip()
    benches = {}
    for path in glob.glob(os.path.join(out, "bench-*.json")):
        rows = load(path)
        if rows:
            _, size, draws, *rest = os.path.basename(path)[:-5].split("-")
            benches[(size, int(draws), "-".join(rest))] = rows[0]
    devices = load(os.path.join(out, "devices.json")) or {}
    names = [d["name"] for d in devices.get("gpu", []) if d["kind"] == "cuda" and d.get("refusal") is None]
    device = names[0] if names else "none"
    is_simulated = device.startswith("simulated")
    lines = [f"# A run on {device}", "", f"Commit {commit}. " + (
        "**A rehearsal on the simulator: no time on this page is one of hardware.**" if is_simulated
        else "Times are of this machine; the columns named simulated were computed before, without a GPU.")]
    lines += ["", "## Steps", ""] + table(["step", "status", "s", "last line of errors"], [(s + [""] * 4)[:4] for s in steps(out)])
    golden = []
    for path in sorted(glob.glob(os.path.join(out, "golden-*.json"))):
        found = load(path)
        golden.append([os.path.basename(path)[7:-5]] + ([f"{found['worst']:.2e}", f"{found['tolerance']:g}", found["passed"],
                      found["backend"]] if found and found.get("worst") is not None else ["-", "-", "did not run", "-"]))
    lines += ["", "## Golden files", ""] + table(["file", "largest relative error", "tolerance", "passed", "on"], golden)
    twin = load(os.path.join(out, "twin.json")) or {}
    rows = {(r["mode"], r["precision"], r["draws"]): r for r in twin.get("rows", [])}
    calls = []
    for (size, draws, variant), b in sorted(benches.items()):
        name, model = simulated(bundle, device, size, draws, variant)
        torch = [rows.get((mode, precision, draws), {}).get("ms") if size == "full" else None
                 for mode, precision in (("eager", "float32"), ("compiled", "float32"), ("compiled", "tf32"))]
        calls.append([size, draws, b["precision"], b.get("weight_bits", 32), number(b["ms"]["p50"], 3), number(b["queued_ms"], 3), number(b["kernel_ms"], 3),
                      "-" if not model else f"{model['model_us'] / 1e3:.3f} ({name})", number(b["gflops"], 0)]
                     + [number(t, 3) for t in torch])
    lines += ["", "## A call, ms", "", "Waited for: from the hand-over to the end, each call. Queued: a call of a run that is queued at once. "
              f"The twin is PyTorch {twin.get('torch', '(did not run)')} on {twin.get('device', '-')}, the live slots alone, weights of the same "
              "recipe.", ""]
    lines += table(["size", "draws", "precision", "bits of a weight", "waited for", "queued", "kernels", "simulated", "GFLOP/s", "twin, eager float32",
                    "twin, compiled float32", "twin, compiled tf32"], calls)
    for c in twin.get("checks", []):
        lines.append(f"\nTwin against {c['file']}: {c['worst']:.2e} over {c['calls']} calls.")
    failed = [f"{r['mode']} {r['precision']} {r['draws']}: {r.get('failed') or r.get('skipped')}" for r in twin.get("rows", []) if "ms" not in r]
    lines += [""] + [f"* twin: {f}" for f in failed]
    registers = assembled(out)
    for (size, draws, variant), b in sorted(benches.items()):
        name, model = simulated(bundle, device, size, draws, variant)
        if variant and not model:
            continue
        predicted = {r["kernel"]: r for r in (model or {}).get("rows", [])}
        kernels = []
        for k in b["kernels"]:
            p = predicted.get(k["kernel"])
            ratio = k["us"] / p["model_us"] if p and k["us"] and p["launches"] == k["launches"] else None
            own = registers.get(k["kernel"]) or next((v for n, v in registers.items() if n.startswith(k["kernel"] + "-")), None)
            kernels.append([k["kernel"], k["launches"], number(k["us"]), number(p and p["model_us"]), number(ratio, 2),
                            p["bound"] if p else "-", p["live_registers"] if p else "-", own[0] if own else "-"])
        lines += ["", f"## Kernels, {size}, {draws} draws{variant and ', ' + variant}, us", ""] + table(
            ["kernel", "launches", "measured (events)", f"simulated ({name or 'none'})", "measured / simulated", "bound by, simulated", "live words",
             "registers, ptxas"], kernels)
    if registers:
        lines += ["", "## ptxas -v", ""] + table(["kernel", "registers", "bytes spilled", "shared bytes"],
                                                [[n, *v] for n, v in sorted(registers.items())])
    metrics = counted(out)
    if metrics:
        keys = sorted({m for v in metrics.values() for m in v})
        lines += ["", "## Nsight Compute, full, 8 draws, mean a launch", ""] + table(
            ["kernel"] + keys, [[k] + [number(v.get(m)) for m in keys] for k, v in sorted(metrics.items())])
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
