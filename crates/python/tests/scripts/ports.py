"""Shapes of more dimensions, views of ports, several sources of one port, and connections without a Dense between."""

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import DelayDense, Dense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF, TernaryLIF


def main():
    rng = np.random.default_rng(3)
    image = Source(data=(rng.random((2, 3, 13)) < 0.4).astype(int))
    flat = Source(data=(rng.random((6, 8)) < 0.3).astype(int))
    both = Dense(weights=rng.integers(-100, 120, (4, 6)))
    plane = LIF(shape=(2, 2), du=500, dv=200, vth=60, bias_mant=np.array([[1, 2], [3, 40]]))
    values = Source(data=rng.integers(-30, 31, (2, 2, 9)))
    direct = TernaryLIF(shape=(2, 2), du=1000, dv=500, vth_hi=30, vth_lo=-30)
    turned = LIF(shape=(2, 2), du=4095, dv=100, vth=1)
    chain = Dense(weights=rng.integers(-100, 100, (3, 4)), num_message_bits=4)
    after = DelayDense(weights=rng.integers(-9, 10, (2, 3)), delays=rng.integers(0, 4, (2, 3)), num_message_bits=8, weight_exp=2)
    last = LIF(shape=(2,), du=100, dv=10, vth=90)
    image.s_out.flatten().connect(both.s_in)
    flat.s_out.connect(both.s_in)
    both.a_out.reshape((2, 2)).connect(plane.a_in)
    # No step lies between these.
    values.s_out.connect(direct.a_in)
    plane.s_out.connect(direct.a_in)
    direct.s_out.transpose().connect(turned.a_in)
    # Spikes of two populations, one in another order, and of an array, to one connection.
    plane.s_out.transpose([1, 0]).flatten().connect(chain.s_in)
    direct.s_out.reshape((4,)).connect(chain.s_in)
    values.s_out.flatten().connect(chain.s_in)
    # Outputs of a connection in another order.
    both.a_out.reshape((2, 2)).transpose().connect(turned.a_in)
    # A connection onto another one, and into an array.
    chain.a_out.connect(after.s_in)
    after.a_out.connect(last.a_in)
    sinks = {}
    for name, port, shape in [
        ("plane", plane.s_out, (2, 2)),
        ("direct", direct.s_out, (2, 2)),
        ("turned", turned.s_out, (2, 2)),
        ("chain", chain.a_out, (3,)),
        ("after", after.a_out, (2,)),
        ("last", last.s_out, (2,)),
        ("image", image.s_out, (2, 3)),
    ]:
        sinks[name] = Sink(shape=shape, buffer=40)
        port.connect(sinks[name].a_in)
    sinks["column"] = Sink(shape=(4, 1), buffer=7)
    turned.s_out.transpose((1, 0)).reshape((4, 1)).connect(sinks["column"].a_in)
    for steps in [9, 31]:
        plane.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    got = {name: sink.data.get() for name, sink in sinks.items()}
    for name, process in [("plane", plane), ("direct", direct), ("turned", turned), ("last", last)]:
        got[f"{name}_u"], got[f"{name}_v"] = process.u.get(), process.v.get()
    got["after_a_buff"] = after.a_buff.get()
    plane.stop()
    return got
