"""What a step costs by Lava's names: 128 -> 256 -> 64 neurons, fully connected, 5 % of the inputs firing.

pip install ./crates/python && python crates/python/bench.py
"""

import time

import numpy as np

from firelane.lava.magma.core.run_conditions import RunSteps
from firelane.lava.magma.core.run_configs import Loihi2SimCfg
from firelane.lava.proc.dense.process import Dense
from firelane.lava.proc.io.sink import RingBuffer as Sink
from firelane.lava.proc.io.source import RingBuffer as Source
from firelane.lava.proc.lif.process import LIF


def network(watched: bool) -> LIF:
    """The network with its spikes kept; `watched`: the sums of its second connection, too, which takes each step by itself."""
    draw = np.random.default_rng(1)
    source = Source(data=(draw.random((128, 10_000)) < 0.05).astype(int))
    first, second = (Dense(weights=draw.integers(-64, 64, shape), weight_exp=1) for shape in [(256, 128), (64, 256)])
    hidden, out = (LIF(shape=(n,), du=1500, dv=400, vth=300) for n in [256, 64])
    spikes, sums = Sink(shape=(64,), buffer=10_000), Sink(shape=(64,), buffer=10_000)
    source.s_out.connect(first.s_in)
    first.a_out.connect(hidden.a_in)
    hidden.s_out.connect(second.s_in)
    second.a_out.connect(out.a_in)
    out.s_out.connect(spikes.a_in)
    if watched:
        second.a_out.connect(sums.a_in)
    return out


def fastest(act, turns: int) -> float:
    """Microseconds of the fastest turn."""
    took = []
    for _ in range(turns):
        start = time.perf_counter()
        act()
        took.append(time.perf_counter() - start)
    return min(took) * 1e6


for name, watched, steps in [
    ("RunSteps(1000)", False, 1_000),
    ("RunSteps(1)", False, 1),
    ("RunSteps(1000), watched", True, 1_000),
]:
    lif = network(watched)
    lif.run(RunSteps(1), Loihi2SimCfg(select_tag="fixed_pt"))
    best = fastest(lambda lif=lif, steps=steps: lif.run(RunSteps(steps)), 10 if steps > 1 else 1_000)
    print(f"{name:24} {best / steps:8.2f} us a step")
