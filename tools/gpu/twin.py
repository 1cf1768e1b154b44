#!/usr/bin/env python3
"""The live part of UniCardio in PyTorch: what a GPU user would write, to be measured beside our kernels.

Only the slots that are live are computed: the conditions of a window once, shared by its draws, and the target of every
draw. Weights are made by the recipe that our golden files name, so that the twin needs no checkpoint.

  twin.py --check full.eps.safetensors            largest error against the golden calls
  twin.py --draws 1 8 50 256 --seconds 240        milliseconds a call, eager and compiled
"""
import argparse
import json
import math
import struct
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FULL = dict(channels=288, heads=8, layers=5, embedding=256, slot=500, steps=50, samples_per_token=1, positions="global")


def recipe(seed, name, shape):
    """Element i of a tensor: a SplitMix64 output of seed and name, scaled by what the name says it is."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & (2**64 - 1)
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(seed) * GOLDEN ^ np.uint64(h)
        z = z + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1
    if "norm" in name:
        u = (1.0 if name.endswith("weight") else 0.0) + 0.1 * u
    elif len(shape) >= 2:
        u = u * math.sqrt(3 / np.prod(shape[1:]))
    else:
        u = 0.1 * u
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


class Twin(torch.nn.Module):
    """eps = f(conditions [W, k, S], target [W N, S], t) with weights of a recipe."""

    def __init__(self, seed, m, conditions, target, decoder):
        super().__init__()
        self.m, self.conditions, self.target, self.decoder = m, conditions, target, decoder
        c, e, s = m["channels"], m["embedding"], m["slot"]
        if m["samples_per_token"] != 1:
            raise ValueError("the twin knows one sample a token")
        self.width = c // m["heads"]
        w = lambda name, *shape: recipe(seed, "diffmodel." + name, shape)
        for slot in sorted({*conditions, target}):
            stem = f"input_projection_modality_{slot + 1}"
            # All six convolutions as one of width 11.
            kernel, bias = torch.zeros(c, 1, 11), torch.zeros(c)
            for i in range(6):
                size, rows = 2 * i + 1, slice(i * (c // 6), (i + 1) * (c // 6))
                kernel[rows, :, 5 - i : 6 + i] = w(f"{stem}.conv_layers.{i}.weight", c // 6, 1, size)
                bias[rows] = w(f"{stem}.conv_layers.{i}.bias", c // 6)
            self.register_buffer(f"kernel{slot}", kernel)
            self.register_buffer(f"bias{slot}", bias)
            self.register_buffer(f"gamma{slot}", w(f"norm{slot + 1}.weight", c, s))
            self.register_buffer(f"beta{slot}", w(f"norm{slot + 1}.bias", c, s))
            self.register_buffer(f"positions{slot}", positions(c, slot * s, s))
        for name, shape in {"1.weight": (e, e), "1.bias": (e,), "2.weight": (e, e), "2.bias": (e,)}.items():
            self.register_buffer("step" + name.replace(".", ""), w("diffusion_embedding.projection" + name, *shape))
        self.register_buffer("steps", steps(m["steps"], e))
        shapes = {
            "diffusion_projection.weight": (c, e), "diffusion_projection.bias": (c,),
            "mid_projection.weight": (2 * c, c, 1), "mid_projection.bias": (2 * c,),
            "cond_projection.weight": (2 * c, c, 1), "cond_projection.bias": (2 * c,),
            "output_projection.weight": (2 * c, c, 1), "output_projection.bias": (2 * c,),
        }
        layer = {
            "self_attn.in_proj_weight": (3 * c, c), "self_attn.in_proj_bias": (3 * c,),
            "self_attn.out_proj.weight": (c, c), "self_attn.out_proj.bias": (c,),
            "linear1.weight": (64, c), "linear1.bias": (64,), "linear2.weight": (c, 64), "linear2.bias": (c,),
            "norm1.weight": (c,), "norm1.bias": (c,), "norm2.weight": (c,), "norm2.bias": (c,),
        }
        shapes |= {"time_layer.layers.0." + name: shape for name, shape in layer.items()}
        self.blocks = []
        for i in range(m["layers"]):
            block = {}
            for name, shape in shapes.items():
                value = w(f"residual_layers.{i}.{name}", *shape)
                key = f"block{i}_{name.replace('time_layer.layers.0.', '').replace('.', '_')}"
                self.register_buffer(key, value.squeeze(-1) if len(shape) == 3 else value)
                block[name.replace("time_layer.layers.0.", "")] = key
            self.blocks.append(block)
        stem = f"output_projection{decoder + 1}_"
        for name, shape in {"1.weight": (c, c, 1), "1.bias": (c,), "2.weight": (1, c, 1), "2.bias": (1,)}.items():
            value = w(stem + name, *shape)
            self.register_buffer("out" + name.replace(".", ""), value.squeeze(-1) if len(shape) == 3 else value)

    def encode(self, slot, x):
        """[B, S] -> [B, S, C]."""
        y = F.conv1d(x.unsqueeze(1), getattr(self, f"kernel{slot}"), getattr(self, f"bias{slot}"), padding=5)
        y = F.layer_norm(y, y.shape[1:], getattr(self, f"gamma{slot}"), getattr(self, f"beta{slot}"))
        return y.transpose(1, 2).contiguous()

    def heads(self, x):
        return x.view(x.shape[0], x.shape[1], -1, self.width).transpose(1, 2)

    def attend(self, q, k, v):
        if hasattr(F, "scaled_dot_product_attention"):
            out = F.scaled_dot_product_attention(q, k, v)
        else:
            out = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(self.width), -1) @ v
        return out.transpose(1, 2).flatten(2)

    def rest(self, p, x, y, attended, places):
        """After attention: the layer's norms and feed-forward, the gate, residual and skip."""
        c = x.shape[-1]
        y = F.layer_norm(y + F.linear(attended, p("self_attn.out_proj.weight"), p("self_attn.out_proj.bias")), (c,),
                         p("norm1.weight"), p("norm1.bias"))
        hidden = F.gelu(F.linear(y, p("linear1.weight"), p("linear1.bias")))
        y = F.layer_norm(y + F.linear(hidden, p("linear2.weight"), p("linear2.bias")), (c,), p("norm2.weight"), p("norm2.bias"))
        y = F.linear(y, p("mid_projection.weight"), p("mid_projection.bias")) + places
        a, b = y.chunk(2, -1)
        residual, skip = F.linear(torch.sigmoid(a) * torch.tanh(b), p("output_projection.weight"),
                                  p("output_projection.bias")).chunk(2, -1)
        return (x + residual) / math.sqrt(2), skip

    def forward(self, conditions, x, t):
        windows, s = conditions.shape[0], self.m["slot"]
        draws = x.shape[0] // windows
        seen = torch.cat([self.encode(slot, conditions[:, i]) for i, slot in enumerate(self.conditions)], 1)
        x = self.encode(self.target, x)
        step = self.steps[t]
        step = F.silu(F.linear(step, self.step1weight, self.step1bias))
        step = F.silu(F.linear(step, self.step2weight, self.step2bias))
        places = torch.cat([getattr(self, f"positions{slot}") for slot in self.conditions])
        total = 0
        for i, block in enumerate(self.blocks):
            p = lambda name: getattr(self, block[name])
            d = F.linear(step, p("diffusion_projection.weight"), p("diffusion_projection.bias"))
            w, b = p("self_attn.in_proj_weight"), p("self_attn.in_proj_bias")
            of = lambda table: F.linear(table, p("cond_projection.weight"), p("cond_projection.bias"))
            last = i + 1 == len(self.blocks)
            y = seen + d
            qc, kc, vc = (self.heads(z) for z in F.linear(y, w, b).chunk(3, -1))
            if not last:
                seen, _ = self.rest(p, seen, y, self.attend(qc, kc, vc), of(places))
            y = x + d
            q, k, v = (self.heads(z) for z in F.linear(y, w, b).chunk(3, -1))
            share = lambda z: z.repeat_interleave(draws, 0) if windows > 1 else z.expand(draws, -1, -1, -1)
            attended = self.attend(q, torch.cat([share(kc), k], 2), torch.cat([share(vc), v], 2))
            x, skip = self.rest(p, x, y, attended, of(getattr(self, f"positions{self.target}")))
            total = total + skip
        y = F.relu(F.linear(total / math.sqrt(len(self.blocks)), self.out1weight, self.out1bias))
        return F.linear(y, self.out2weight, self.out2bias).squeeze(-1)


def positions(c, first, count):
    j = np.arange(c // 2, dtype=np.float32)
    base = np.power(10000.0, (np.float32(2) * j / np.float32(c)).astype(np.float32).astype(np.float64)).astype(np.float32)
    angle = (np.arange(first, first + count, dtype=np.float32)[:, None] * (np.float32(1) / base)[None]).astype(np.float32)
    table = np.empty((count, c), np.float32)
    table[:, 0::2], table[:, 1::2] = np.sin(angle.astype(np.float64)), np.cos(angle.astype(np.float64))
    return torch.from_numpy(table)


def steps(count, e):
    """sin and cos of t f_j, with every intermediate rounded to float32: f reaches 10,000, so the rounding is in the model."""
    j = np.arange(e // 2, dtype=np.float32)
    x = ((j / np.float32(e // 2 - 1)).astype(np.float32) * np.float32(4)).astype(np.float32)
    f = np.power(10.0, x.astype(np.float64)).astype(np.float32)
    a = (np.arange(count, dtype=np.float32)[:, None] * f[None]).astype(np.float32).astype(np.float64)
    return torch.from_numpy(np.concatenate([np.sin(a), np.cos(a)], 1).astype(np.float32))


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    values = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values[name] = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"])
    return header["__metadata__"], values


def check(path, device):
    meta, values = read(path)
    m = {key: (meta.get(key, default) if key == "positions" else int(meta.get(key, default))) for key, default in FULL.items()}
    worst, calls = 0.0, 0
    for name in sorted(n for n in values if n.startswith("eps/") and n.endswith("/x")):
        parts = dict(p.split("=") for p in name.split("/")[1:-1])
        conditions, target, decoder = [int(d) for d in parts["cond"]], int(parts["target"]), int(parts["decoder"])
        twin = Twin(int(meta["seed"]), m, conditions, target, decoder).to(device)
        x = torch.from_numpy(values[name].copy()).to(device).view(-1, 4, m["slot"])
        with torch.no_grad():
            eps = twin(x[:, conditions], x[:, target].contiguous(), int(parts["t"])).cpu().numpy()
        expected = values[name[:-1] + "eps"]
        worst = max(worst, float(np.abs(eps - expected).max() / np.abs(expected).max()))
        calls += 1
    return dict(file=path.rsplit("/", 1)[-1], calls=calls, worst=worst)


def measure(call, device, seconds):
    """Median milliseconds of calls that follow one another on the device, after a warm-up."""
    cuda = device.type == "cuda"
    times, begin = [], time.perf_counter()
    for i in range(203):
        if cuda:
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record()
            call(i)
            end.record()
            torch.cuda.synchronize()
            times.append(start.elapsed_time(end))
        else:
            t0 = time.perf_counter()
            call(i)
            times.append(1e3 * (time.perf_counter() - t0))
        if i >= 4 and time.perf_counter() - begin > seconds:
            break
    return float(np.median(times[3:])), len(times) - 3


def bench(draws, device, seconds, tasks):
    deadline, rows = time.perf_counter() + seconds, []
    twin = Twin(1, FULL, [0], 2, 2).to(device).eval()
    for mode in tasks:
        for precision in (["float32", "tf32"] if device.type == "cuda" else ["float32"]):
            torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
            torch.backends.cudnn.allow_tf32 = precision == "tf32"
            run = twin if mode == "eager" else torch.compile(twin, mode="reduce-overhead", dynamic=False)
            for n in draws:
                if time.perf_counter() > deadline:
                    rows.append(dict(mode=mode, precision=precision, draws=n, skipped="no time left"))
                    continue
                try:
                    g = torch.Generator().manual_seed(7)
                    c, x = torch.randn(1, 1, 500, generator=g).to(device), torch.randn(n, 500, generator=g).to(device)
                    begin = time.perf_counter()
                    with torch.no_grad():
                        run(c, x, 13)
                        first = time.perf_counter() - begin
                        ms, calls = measure(lambda i: run(c, x, 13), device, min(4.0, seconds / 8))
                    rows.append(dict(mode=mode, precision=precision, draws=n, ms=ms, calls=calls, first_s=first))
                except Exception as problem:  # noqa: BLE001 - a mode that this PyTorch cannot do is a row of the report
                    rows.append(dict(mode=mode, precision=precision, draws=n, failed=f"{type(problem).__name__}: {problem}"[:300]))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", nargs="*", default=[], metavar="GOLDEN", help="golden files of network calls")
    parser.add_argument("--draws", nargs="*", type=int, default=[])
    parser.add_argument("--seconds", type=float, default=240, help="for all timings")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    options = parser.parse_args()
    device = torch.device(options.device)
    modes = ["eager", "compiled"] if hasattr(torch, "compile") else ["eager"]
    result = dict(torch=torch.__version__, device=torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
                  checks=[check(path, device) for path in options.check],
                  rows=bench(options.draws, device, options.seconds, modes) if options.draws else [])
    print(json.dumps(result, indent=1))
    return 1 if any(not c["worst"] <= options.tolerance for c in result["checks"]) else 0


if __name__ == "__main__":
    sys.exit(main())
