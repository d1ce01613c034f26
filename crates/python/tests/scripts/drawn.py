"""A random network: the same for a seed, whatever computes it."""

import random

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import DelayDense, Dense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF, LIFReset, TernaryLIF
from lava.utils.weightutils import SignMode


def table(draw, low, high, shape):
    return np.array([draw.randint(low, high) for _ in range(int(np.prod(shape)))], dtype=int).reshape(shape)


def population(draw, n):
    kind = draw.choice([LIF, LIF, LIFReset, TernaryLIF])
    params = dict(shape=(n,), du=draw.choice([0, 1, 200, 1500, 4095]), dv=draw.choice([0, 1, 300, 2048, 4095]))
    if draw.random() < 0.5:
        params.update(bias_mant=table(draw, -4096, 4095, (n,)), bias_exp=table(draw, 0, 7, (n,)))
    if draw.random() < 0.3:
        params.update(u=table(draw, -(2**23) + 1, 2**23 - 1, (n,)), v=table(draw, -(2**23) + 1, 2**23 - 1, (n,)))
    if kind is TernaryLIF:
        params.update(vth_hi=draw.randint(1, 3000), vth_lo=draw.randint(-3000, 0))
    else:
        params.update(vth=draw.choice([0, 5, 100, 700, 9000, 131071]))
    if kind is LIFReset:
        params.update(reset_interval=draw.randint(1, 12), reset_offset=draw.randint(0, 20))
    return kind(**params)


def connection(draw, targets, sources):
    low, high = draw.choice([(-256, 255), (-300, 300), (0, 255), (-255, 0), (-40, 41)])
    params = dict(weights=table(draw, low, high, (targets, sources)), weight_exp=draw.choice([-6, -2, 0, 0, 1, 5, 7]))
    params.update(num_weight_bits=draw.choice([8, 8, 6, 3, 1]), num_message_bits=draw.choice([0, 8]))
    if draw.random() < 0.3:
        params["sign_mode"] = draw.choice([SignMode.MIXED, SignMode.EXCITATORY, SignMode.INHIBITORY, SignMode.NULL])
    if draw.random() < 0.3:
        return DelayDense(delays=table(draw, 0, draw.choice([1, 4, 63]), (targets, sources)), **params)
    return Dense(**params)


def main(seed=0):
    draw = random.Random(seed)
    ends = []
    for _ in range(draw.randint(1, 2)):
        n, steps, most = draw.randint(1, 12), draw.randint(5, 40), draw.choice([1, 1, 127])
        density = draw.choice([0.05, 0.2, 0.6])
        data = table(draw, -most if most > 1 else 1, most, (n, steps))
        data[[[draw.random() >= density for _ in range(steps)] for _ in range(n)]] = 0
        ends.append((Source(data=data).s_out, n))
    cells = []
    for _ in range(draw.randint(1, 3)):
        n = draw.randint(1, 12)
        cell = population(draw, n)
        cells.append((cell, n))
        ends.append((cell.s_out, n))
    # Each hears the one before, so that all are of one network.
    heard = [ends[0][0]]
    for at, (cell, n) in enumerate(cells):
        before = [ends[0]] if at == 0 else [(cells[at - 1][0].s_out, cells[at - 1][1])]
        more = [end for end in ends if draw.random() < 0.4]
        for port, size in before + more:
            dense = connection(draw, n, size)
            port.connect(dense.s_in)
            dense.a_out.connect(cell.a_in)
            heard.append(port)
    sinks = []
    for cell, n in cells:
        sink = Sink(shape=(n,), buffer=60)
        cell.s_out.connect(sink.a_in)
        sinks.append(sink)
    root, got = cells[0][0], {}
    for stage, steps in enumerate([1, 7, 20, 22]):
        root.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
        for at, (cell, _) in enumerate(cells):
            got[f"u{at}_{stage}"], got[f"v{at}_{stage}"] = cell.u.get(), cell.v.get()
        if stage == 1:
            cell, n = cells[-1]
            cell.v.set(table(draw, -(2**20), 2**20, (n,)))
            cell.bias_mant.set(table(draw, -4096, 4095, (n,)))
    for at, sink in enumerate(sinks):
        got[f"s{at}"] = sink.data.get()
    root.stop()
    return got
