"""What a checker of types sees of the package. `test_types.py` has mypy read it; nobody runs it."""

from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

import firelane
from firelane.lava.magma.core.process.ports.ports import InPort, OutPort, ReshapePort
from firelane.lava.magma.core.process.variable import Var
from firelane.lava.magma.core.run_conditions import RunSteps
from firelane.lava.magma.core.run_configs import Loihi2SimCfg
from firelane.lava.proc.dense.process import Dense
from firelane.lava.proc.io.extractor import Extractor
from firelane.lava.proc.lif.process import LIF
from firelane.lava.proc.monitor.process import Monitor

lif = LIF(shape=(2, 3), du=1, vth=10)
assert_type(lif.s_out, OutPort)
assert_type(lif.a_in, InPort)
assert_type(lif.v, Var)
assert_type(lif.s_out.flatten(), ReshapePort)
dense = Dense(weights=np.eye(6), weight_exp=2)
lif.s_out.flatten().connect(dense.s_in)
lif.run(condition=RunSteps(num_steps=1), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
assert_type(Monitor().get_data(), dict[str, dict[str, np.ndarray]])
assert_type(Extractor(shape=(1,)).receive(), np.ndarray)
assert_type(firelane.itch.read("day", ["AAPL"], levels=3), np.recarray[Any, Any])
assert_type(firelane.itch.Replay(b"").book("AAPL").stale, bool)
assert_type(firelane.encode.Delta(vth=3).encode([1, 2]), npt.NDArray[np.int32])
assert_type(firelane.spikes.Network("{}").run({"in": np.zeros(3)})["out"], firelane.spikes.Trace)
LIF(shape=[1])  # type: ignore[arg-type]
RunSteps("5")  # type: ignore[arg-type]
print(lif.nothing)  # type: ignore[attr-defined]
