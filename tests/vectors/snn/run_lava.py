"""Runs a network of the format `lava-golden-1` in Lava itself, and writes it with the trace that Lava computed.

    python3.10 -m venv v && v/bin/pip install lava-nc==0.10.0
    v/bin/python run_lava.py run NET.json OUT.json      a network of one's own
    v/bin/python run_lava.py random SEED OUT.json       a random one: whatever the format knows is in it for some seed

`tests/vectors/snn/README.md` describes the format; `firelane spikes run OUT.json` then says whether it computes the same.
"""
import json
import sys

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import DelayDense, Dense
from lava.proc.io.source import RingBuffer
from lava.proc.lif.process import LIF, LIFReset, TernaryLIF
from lava.utils.weightutils import SignMode


def population(p):
    n = p["n"]
    each = lambda key: np.broadcast_to(np.array(p.get(key, 0), dtype=np.int32), (n,)).copy()
    common = dict(shape=(n,), du=p.get("du", 0), dv=p.get("dv", 0), bias_mant=each("bias_mant"), bias_exp=each("bias_exp"),
                  u=each("u0"), v=each("v0"))
    kind = p.get("kind", "LIF")
    if kind == "TernaryLIF":
        return TernaryLIF(vth_hi=p["vth_hi"], vth_lo=p["vth_lo"], **common)
    if kind == "LIFReset":
        return LIFReset(vth=p["vth"], reset_interval=p["reset_interval"], reset_offset=p["reset_offset"], **common)
    return LIF(vth=p["vth"], **common)


def connection(c):
    more = dict(weight_exp=c.get("weight_exp", 0), num_weight_bits=c.get("num_weight_bits", 8),
                num_message_bits=c.get("num_message_bits", 0))
    if "sign_mode" in c:
        more["sign_mode"] = SignMode[c["sign_mode"]]
    weights = np.array(c["weights"], dtype=np.int32)
    if "delays" in c:
        return DelayDense(weights=weights, delays=np.array(c["delays"], dtype=int), **more)
    return Dense(weights=weights, **more)


def run(net):
    """The network's document, with Lava's trace."""
    nodes = {}
    for name, values in net["inputs"].items():
        nodes[name] = RingBuffer(data=np.array(values, dtype=np.int32).T)
    for p in net["populations"]:
        nodes[p["id"]] = population(p)
    for c in net["connections"]:
        dense = connection(c)
        nodes[c["src"]].s_out.connect(dense.s_in)
        dense.a_out.connect(nodes[c["dst"]].a_in)
    if not is_one_piece(net):
        raise SystemExit("the network is in several pieces: Lava would run the first alone")
    ids = [p["id"] for p in net["populations"]]
    trace = {i: {"u": [], "v": [], "s": []} for i in ids}
    # A sink keeps the spikes; currents and voltages are asked for after each step.
    from lava.proc.io.sink import RingBuffer as Sink
    sinks = {}
    for p in net["populations"]:
        sinks[p["id"]] = Sink(shape=(p["n"],), buffer=net["steps"])
        nodes[p["id"]].s_out.connect(sinks[p["id"]].a_in)
    root = nodes[ids[0]]
    for _ in range(net["steps"]):
        root.run(condition=RunSteps(num_steps=1), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
        for i in ids:
            trace[i]["u"].append([int(x) for x in nodes[i].u.get()])
            trace[i]["v"].append([int(x) for x in nodes[i].v.get()])
    for i in ids:
        trace[i]["s"] = [[int(x) for x in row] for row in sinks[i].data.get().T]
    root.stop()
    return {**net, "trace": trace}


def random_network(seed):
    r = np.random.default_rng(seed)
    pick = lambda *of: of[int(r.integers(len(of)))]
    steps = 60
    net = {"format": "lava-golden-1", "generator": "lava-nc 0.10.0 Loihi2SimCfg(select_tag='fixed_pt') numpy " + np.__version__,
           "name": f"random_{seed}", "note": f"run_lava.py random, network {seed}", "steps": steps, "inputs": {}, "populations": [], "connections": []}
    sizes = {}
    graded = {}
    for i in range(int(r.integers(1, 3))):
        n = int(r.integers(1, 20))
        sizes[f"in{i}"], graded[f"in{i}"] = n, bool(r.integers(2))
        spikes = r.random((steps, n)) < pick(0.05, 0.2, 0.6)
        values = r.integers(-127, 128, (steps, n)) if graded[f"in{i}"] else 1
        net["inputs"][f"in{i}"] = (spikes * values).astype(int).tolist()
    count = int(r.integers(1, 4))
    for i in range(count):
        n = int(r.integers(1, 24))
        sizes[f"p{i}"] = n
        p = {"id": f"p{i}", "n": n, "du": pick(0, 1, 200, 1500, 4095), "dv": pick(0, 1, 300, 2048, 4095)}
        kind = pick("LIF", "LIF", "LIFReset", "TernaryLIF")
        if kind != "LIF":
            p["kind"] = kind
        if kind == "TernaryLIF":
            p["vth_hi"], p["vth_lo"] = int(r.integers(1, 3000)), int(r.integers(-3000, 1))
        else:
            p["vth"] = pick(0, 5, 100, 700, 9000, 131071)
        if kind == "LIFReset":
            p["reset_interval"], p["reset_offset"] = int(r.integers(1, 12)), int(r.integers(0, 20))
        if r.integers(2):
            p["bias_mant"] = r.integers(-4096, 4096, n).tolist()
            p["bias_exp"] = r.integers(0, 8, n).tolist()
        if r.integers(3) == 0:
            p["u0"] = r.integers(-(2**23) + 1, 2**23, n).tolist()
            p["v0"] = r.integers(-(2**23) + 1, 2**23, n).tolist()
        net["populations"].append(p)
    names = list(sizes)
    for i in range(count):
        for _ in range(int(r.integers(1, 3))):
            src = names[int(r.integers(len(names)))]
            low, high = pick((-256, 255), (-300, 300), (0, 255), (-255, 0), (-40, 41))
            c = {"src": src, "dst": f"p{i}", "weights": r.integers(low, high + 1, (sizes[f"p{i}"], sizes[src])).tolist()}
            c["weight_exp"] = pick(-6, -2, 0, 0, 1, 5, 7)
            c["num_weight_bits"] = pick(8, 8, 6, 3, 1)
            c["num_message_bits"] = pick(0, 8)
            if r.integers(3) == 0:
                c["sign_mode"] = pick("MIXED", "EXCITATORY", "INHIBITORY", "NULL")
            if r.integers(3) == 0:
                c["delays"] = r.integers(0, pick(1, 4, 64), (sizes[f"p{i}"], sizes[src])).tolist()
            net["connections"].append(c)
    return net


def is_one_piece(net):
    """Lava runs what is connected with the process that is run, and nothing else."""
    reached, found = set(), {net["populations"][0]["id"]}
    while found:
        reached |= found
        ends = [{c["src"], c["dst"]} for c in net["connections"]]
        found = set().union(*(end for end in ends if end & reached)) - reached
    return all(p["id"] in reached for p in net["populations"])


def random_piece(seed):
    """The first network of this seed, or of those behind it, that is one piece."""
    return next(net for net in map(random_network, range(1000 * seed, 1000 * seed + 1000)) if is_one_piece(net))


if __name__ == "__main__":
    what, which, out = sys.argv[1:]
    made = run(json.load(open(which)) if what == "run" else random_piece(int(which)))
    with open(out, "w") as to:
        json.dump(made, to, separators=(",", ":"))
        to.write("\n")
