"""What a step of the network of `firelane spikes bench` costs in Brian2's C++ standalone mode, by turns with Firelane.

    python3 -m venv v && v/bin/pip install brian2==2.9.0 'numpy<2'
    v/bin/python kernels/peers/brian2_step.py target/release/firelane

Both run 10,000 steps of 128 -> 256 -> 64 neurons with the weights of tests/vectors/snn/g12_gateway_128_256_64.json, 5 % of the
inputs firing, on one thread. Brian2 computes in double precision and reports the time of its simulation loop alone; what is
compared is the least of several runs of each. The rates at which the layers fire are printed: they must be the same dynamics.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, defaultclock, device, ms, prefs, set_device

STEPS = 10_000
net = json.load(open(os.path.join(os.path.dirname(__file__), "../../tests/vectors/snn/g12_gateway_128_256_64.json")))


def standalone(count):
    """Builds the program, with `count` one that counts spikes, too; what runs it: seconds of the loop, and the layers' rates."""
    folder = tempfile.mkdtemp()
    device.reinit()
    device.activate()
    set_device("cpp_standalone", directory=folder, build_on_run=False)
    prefs.devices.cpp_standalone.openmp_threads = 0
    defaultclock.dt = 1 * ms
    fired = np.random.default_rng(1).random((STEPS, 128)) < 0.05
    at, unit = np.nonzero(fired)
    nodes = {"in0": SpikeGeneratorGroup(128, unit, at * ms)}
    rest = []
    for p in net["populations"]:
        keep = {"ku": 1 - (p["du"] + 1) / 4096, "kv": 1 - p["dv"] / 4096, "vth": p["vth"] * 64.0}
        group = NeuronGroup(p["n"], "u : 1\nv : 1\na : 1", threshold="v > vth", reset="v = 0", namespace=keep)
        # One step of the recurrence, and the sum of its inputs taken and cleared.
        group.run_regularly("u = u * ku + 64 * a\nv = v * kv + u\na = 0", dt=1 * ms, when="groups")
        nodes[p["id"]] = group
    for c in net["connections"]:
        weights = np.array(c["weights"]).T
        synapses = Synapses(nodes[c["src"]], nodes[c["dst"]], "w : 1", on_pre="a_post += w")
        synapses.connect()
        synapses.w = weights.flatten()
        rest.append(synapses)
    monitors = [SpikeMonitor(nodes[p["id"]], record=False) for p in net["populations"]] if count else []
    Network(*nodes.values(), *rest, *monitors).run(STEPS * ms)
    device.build(directory=folder, compile=True, run=False, debug=False)

    def run():
        device.run(folder, with_output=False, run_args=[])
        rates = [m.num_spikes / STEPS / p["n"] for m, p in zip(monitors, net["populations"])]
        return device._last_run_time, rates

    return run


firelane = sys.argv[1]
_, rates = standalone(True)()
timed = standalone(False)
theirs, ours = [], {}
for turn in range(9):
    theirs.append(timed()[0] / STEPS * 1e9)
    out = subprocess.run([firelane, "spikes", "bench", "--steps", "20000", "--json"], capture_output=True, check=True, text=True)
    for one in json.loads(out.stdout)["devices"]:
        ours.setdefault(one["device"], []).append(one["best_ns"])
print("rates of Brian2's layers:", ", ".join(f"{rate:.4f}" for rate in rates))
print(f"brian2 standalone      {min(theirs):8.0f} ns a step (runs: {', '.join(f'{ns:.0f}' for ns in theirs)})")
for name, all_ns in ours.items():
    print(f"{name:<20}   {min(all_ns):8.0f} ns a step; Brian2's time is {min(theirs) / min(all_ns):.1f} times that")
