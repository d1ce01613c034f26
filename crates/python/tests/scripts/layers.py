"""Two layers with a monitor on everything, run in three stages, with variables set in between."""

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF
from lava.proc.monitor.process import Monitor


def main():
    rng = np.random.default_rng(7)
    source = Source(data=(rng.random((6, 17)) < 0.3).astype(int))
    first = Dense(weights=rng.integers(-90, 91, (5, 6)), weight_exp=1)
    hidden = LIF(shape=(5,), du=300, dv=120, vth=70, bias_mant=np.array([0, 30, -20, 5, 90]), bias_exp=[0, 1, 2, 6, 3])
    second = Dense(weights=rng.integers(0, 200, (3, 5)), num_weight_bits=6)
    out = LIF(shape=(3,), du=4095, dv=50, vth=150, name="out")
    sink = Sink(shape=(3,), buffer=11)
    source.s_out.connect(first.s_in)
    first.a_out.connect(hidden.a_in)
    hidden.s_out.connect(second.s_in)
    second.a_out.connect(out.a_in)
    out.s_out.connect(sink.a_in)
    watched = {"v": hidden.v, "u": hidden.u, "s": hidden.s_out, "out_v": out.v, "out_s": out.s_out, "a": first.a_out}
    monitors = {}
    for name, target in watched.items():
        monitors[name] = Monitor()
        monitors[name].probe(target, 45)

    config = Loihi2SimCfg(select_tag="fixed_pt")
    hidden.run(condition=RunSteps(num_steps=20), run_cfg=config)
    got = {"hidden_v_20": hidden.v.get(), "first_weights": first.weights.get(), "second_weights": second.weights.get()}
    got["first_a_buff"], got["second_a_buff"] = first.a_buff.get(), second.a_buff.get()
    hidden.v.set(np.array([100, -4000, 9000, 0, 1]))
    hidden.u.set(np.array([1, 2, 3, 4, 4000]))
    hidden.bias_mant.set(np.array([7, 70, 700, -700, 0]))
    hidden.run(condition=RunSteps(num_steps=1), run_cfg=config)
    got["hidden_v_21"], got["hidden_u_21"] = hidden.v.get(), hidden.u.get()
    # Weights that are set after the first step are not cut any more.
    first.weights.set(rng.integers(-100, 101, (5, 6)))
    source.data.set(np.ones((6, 17), dtype=int))
    out.run(condition=RunSteps(num_steps=15), run_cfg=config)
    got["first_weights_36"], got["source"] = first.weights.get(), source.data.get()
    for name, monitor in monitors.items():
        target = watched[name]
        got[f"monitor_{name}"] = monitor.get_data()[target.process.name][target.name]
    got["sink"] = sink.data.get()
    for name in ["du", "dv", "vth", "bias_mant", "bias_exp"]:
        got[name] = getattr(hidden, name).get()
    hidden.stop()
    return got
