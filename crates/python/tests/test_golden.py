"""Networks that Lava ran, by Lava's names and from their files: every current, voltage and spike of every step."""

import json

import numpy as np
import pytest

import firelane
from conftest import GOLDEN
from firelane.lava.magma.core.run_conditions import RunSteps
from firelane.lava.magma.core.run_configs import Loihi2SimCfg
from firelane.lava.proc.dense.process import DelayDense, Dense
from firelane.lava.proc.io.sink import RingBuffer as Sink
from firelane.lava.proc.io.source import RingBuffer
from firelane.lava.proc.lif.process import LIF, LIFReset, TernaryLIF
from firelane.lava.proc.monitor.process import Monitor
from firelane.lava.utils.weightutils import SignMode

FIXED = Loihi2SimCfg(select_tag="fixed_pt")


def population(keys):
    kind = keys.get("kind", "LIF")
    shape = (keys["n"],)
    more = {key: np.array(keys.get(key, 0)) for key in ("bias_mant", "bias_exp")}
    more.update(shape=shape, du=keys.get("du", 0), dv=keys.get("dv", 0), u=keys.get("u0", 0), v=keys.get("v0", 0))
    if kind == "TernaryLIF":
        return TernaryLIF(vth_hi=keys["vth_hi"], vth_lo=keys["vth_lo"], **more)
    if kind == "LIFReset":
        return LIFReset(
            vth=keys["vth"], reset_interval=keys["reset_interval"], reset_offset=keys["reset_offset"], **more
        )
    return LIF(vth=keys["vth"], **more)


def connection(keys):
    names = ("weight_exp", "num_weight_bits", "num_message_bits")
    more = {name: keys[name] for name in names if name in keys}
    if "sign_mode" in keys:
        more["sign_mode"] = SignMode[keys["sign_mode"]]
    weights = np.array(keys["weights"])
    if "delays" in keys:
        return DelayDense(weights=weights, delays=np.array(keys["delays"]), **more)
    return Dense(weights=weights, **more)


def build(net):
    nodes = {name: RingBuffer(data=np.array(rows).T) for name, rows in net["inputs"].items()}
    nodes.update({keys["id"]: population(keys) for keys in net["populations"]})
    for keys in net["connections"]:
        dense = connection(keys)
        nodes[keys["src"]].s_out.connect(dense.s_in)
        dense.a_out.connect(nodes[keys["dst"]].a_in)
    return nodes


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_lavas_names_compute_what_lava_computed(path):
    net = json.loads(path.read_text())
    nodes = build(net)
    probes = {}
    for keys in net["populations"]:
        for what, target in [("u", nodes[keys["id"]].u), ("v", nodes[keys["id"]].v), ("s", nodes[keys["id"]].s_out)]:
            probes[keys["id"], what] = Monitor(), target
            probes[keys["id"], what][0].probe(target, net["steps"])
    root = nodes[net["populations"][0]["id"]]
    # In stages of different lengths: a run goes on where the one before ended.
    left, stage = net["steps"], 1
    while left:
        root.run(RunSteps(min(stage, left)), FIXED)
        left, stage = left - min(stage, left), stage * 3
    compared = 0
    for (name, what), (monitor, target) in probes.items():
        got = monitor.get_data()[target.process.name][target.name]
        expected = np.array(net["trace"][name][what])
        assert np.array_equal(got, expected), f"{what} of {name} after step {np.argwhere(got != expected)[0]}"
        compared += expected.size
    assert compared > 50
    root.stop()


def test_states_after_each_step_are_what_variables_say():
    net = json.loads(next(path for path in GOLDEN if path.stem.startswith("g05")).read_text())
    nodes = build(net)
    cell = net["populations"][0]["id"]
    sink = Sink(shape=(net["populations"][0]["n"],), buffer=net["steps"])
    nodes[cell].s_out.connect(sink.a_in)
    for step in range(net["steps"]):
        nodes[cell].run(RunSteps(1), FIXED)
        assert nodes[cell].u.get().tolist() == net["trace"][cell]["u"][step]
        assert nodes[cell].v.get().tolist() == net["trace"][cell]["v"][step]
    assert sink.data.get().T.tolist() == net["trace"][cell]["s"]


def devices():
    found = ["software/scalar"]
    for device in ["software/avx2", "software/avx512", "software/neon"]:
        try:
            firelane.spikes.Network.open(GOLDEN[0], schedule="lava", overflow="wrap", device=device)
            found.append(device)
        except ValueError:
            pass
    return found


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_files_compute_what_lava_computed(path, device):
    net = firelane.spikes.Network.open(path, schedule="lava", overflow="wrap", device=device)
    assert net.device == device
    inputs, expected = firelane.spikes.golden(path)
    got = net.run(inputs)
    assert set(got) == set(expected) and expected
    for name, trace in expected.items():
        for what in "uvs":
            assert np.array_equal(getattr(got[name], what), getattr(trace, what)), f"{what} of {name}"
    counters = net.counters
    fired = sum(np.count_nonzero(trace.s) for trace in expected.values())
    assert counters["steps"] == len(next(iter(inputs.values()))) and counters["spikes"] == fired
    # From the start again, in two parts.
    net.restart()
    half = counters["steps"] // 2
    parts = [net.run({name: rows[some] for name, rows in inputs.items()}) for some in (slice(half), slice(half, None))]
    for name, trace in expected.items():
        assert np.array_equal(np.concatenate([part[name].v for part in parts]), trace.v)
