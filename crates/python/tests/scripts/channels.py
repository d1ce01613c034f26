"""A script that sends and receives while the network runs."""

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.io import utils
from lava.proc.io.extractor import Extractor, PyLoihiExtractorModel
from lava.proc.io.injector import Injector, PyLoihiInjectorModel
from lava.proc.lif.process import LIF


def main():
    rng = np.random.default_rng(5)
    injector = Injector(shape=(3,), buffer_size=8)
    sometimes = Injector(
        shape=(2,),
        channel_config=utils.ChannelConfig(
            utils.SendFull.BLOCKING, utils.ReceiveEmpty.NON_BLOCKING_ZEROS, utils.ReceiveNotEmpty.ACCUMULATE
        ),
    )
    first = Dense(weights=rng.integers(0, 100, (4, 3)))
    other = Dense(weights=rng.integers(-100, 0, (4, 2)))
    lif = LIF(shape=(4,), du=2000, dv=500, vth=50)
    extractor = Extractor(shape=(4,), buffer_size=5)
    injector.out_port.connect(first.s_in)
    sometimes.out_port.connect(other.s_in)
    first.a_out.connect(lif.a_in)
    other.a_out.connect(lif.a_in)
    lif.s_out.connect(extractor.in_port)

    # Lava's models of these have no tag, and must be named.
    channels = {Injector: PyLoihiInjectorModel, Extractor: PyLoihiExtractorModel}
    config = Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=channels)
    got = {}
    lif.run(condition=RunSteps(num_steps=30, blocking=False), run_cfg=config)
    rows = []
    for step in range(30):
        injector.send((rng.random(3) < 0.5).astype(int))
        rows.append(extractor.receive())
    lif.wait()
    got["rows"], got["v"] = np.array(rows), lif.v.get()
    # What was sent ahead is there for the next run.
    for _ in range(4):
        injector.send(np.array([1, 0, 1]))
    sometimes.send(np.array([1, 0]))
    sometimes.send(np.array([0, 1]))
    lif.run(condition=RunSteps(num_steps=4), run_cfg=config)
    got["ahead"] = np.array([extractor.receive() for _ in range(4)])
    got["u"] = lif.u.get()
    lif.stop()
    return got
