"""Recurrent connections, delays, resets, ternary and graded spikes."""

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc import io
from lava.proc.dense.process import DelayDense, Dense
from lava.proc.lif.process import LIF, LIFReset, TernaryLIF
from lava.proc.monitor.process import Monitor
from lava.utils.weightutils import SignMode


def main():
    rng = np.random.default_rng(11)
    graded = rng.integers(-60, 61, (4, 30)) * (rng.random((4, 30)) < 0.4)
    source = io.source.RingBuffer(data=graded)
    into = Dense(weights=rng.integers(-200, 200, (6, 4)), num_message_bits=8, weight_exp=-2, sign_mode=SignMode.MIXED)
    ternary = TernaryLIF(shape=(6,), du=900, dv=300, vth_hi=40, vth_lo=-25)
    around = DelayDense(weights=rng.integers(-120, 120, (6, 6)), delays=rng.integers(0, 9, (6, 6)), weight_exp=-1)
    on = DelayDense(weights=rng.integers(-255, 1, (3, 6)), delays=3, num_message_bits=2, sign_mode=SignMode.INHIBITORY)
    reset = LIFReset(shape=(3,), du=100, dv=100, vth=20, bias_mant=400, reset_interval=7, reset_offset=12)
    back = Dense(weights=rng.integers(0, 50, (6, 3)), num_weight_bits=4)
    alone = LIF(shape=(3,), du=2000, dv=4095, vth=1)
    excite = Dense(weights=np.eye(3, dtype=int) * 300, sign_mode=SignMode.EXCITATORY)
    source.s_out.connect(into.s_in)
    into.a_out.connect(ternary.a_in)
    ternary.s_out.connect([around.s_in, on.s_in])
    around.a_out.connect(ternary.a_in)
    on.a_out.connect(reset.a_in)
    reset.s_out.connect(back.s_in)
    back.a_out.connect(ternary.a_in)
    reset.s_out.connect(excite.s_in)
    excite.a_out.connect(alone.a_in)
    sinks = {}
    for name, process, size in [("ternary", ternary, 6), ("reset", reset, 3), ("alone", alone, 3)]:
        sinks[name] = io.sink.RingBuffer(shape=(size,), buffer=90)
        process.s_out.connect(sinks[name].a_in)
    monitor = Monitor()
    monitor.probe(ternary.v, 90)
    for steps in [1, 2, 30, 57]:
        source.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    got = {name: sink.data.get() for name, sink in sinks.items()}
    got["v"] = monitor.get_data()[ternary.name]["v"]
    for name, process in [("ternary", ternary), ("reset", reset), ("alone", alone)]:
        got[f"{name}_u"], got[f"{name}_v"] = process.u.get(), process.v.get()
    source.stop()
    return got
