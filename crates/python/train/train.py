"""Trains a small detector by surrogate gradients in snnTorch, and writes it as NIR.

    pip install './crates/python[train]'
    cd crates/python/train
    python train.py layering.nir                   minutes on one core; figures of days that it was not trained on
    firelane spikes import layering.nir --dt 1e-4 --reset zero --out ../../../examples/detectors/layering.json
    python train.py --score                        the same days, by the integer network in Firelane

What it learns is `market.py`'s layering, as `examples/detectors/layering.toml` encodes it: twelve inputs, one for each kind of message (an order comes, goes, trades),
side and size (large from 800 shares on); a step a message.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

import numpy as np

import firelane
import market

DETECTOR = Path(__file__).resolve().parents[3] / "examples" / "detectors" / "layering.toml"
#: Seeds of the days: to learn from, to choose by, to report on.
LEARN, CHOOSE, REPORT = range(100, 112), range(200, 203), range(300, 306)
MESSAGES = 12_000
INPUTS, HIDDEN = 12, 24
#: Steps of a stretch that is learnt from, and of an episode's end in which an alert still counts.
STRETCH, GRACE, MERGE = 96, 8, 40


def untrained() -> firelane.detect.Detector:
    """The detector's file with a network that hears and does nothing, for its encoder alone."""
    silent = (
        '{"populations": [{"id": "3", "n": 1, "du": 4095, "vth": 100}], "connections": '
        f'[{{"src": "input", "dst": "3", "weights": [{[0] * INPUTS}]}}]}}'
    )
    text = re.sub(
        r"^network = .*$", f"network = '''{silent}'''", DETECTOR.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / DETECTOR.name
        path.write_text(text, encoding="utf-8")
        return firelane.detect.Detector(path)


def watch(seed: int, detector: firelane.detect.Detector) -> tuple[firelane.detect.Watched, np.ndarray]:
    """A day through a detector, and of each of its steps the number of the episode that it is in, from 1 on; 0: none."""
    day = market.day(seed, MESSAGES)
    watched = firelane.detect.watch(bytes(day.bytes), detector, "FIRE")
    time = watched.rows.time[watched.heard]
    inside = np.zeros(len(time), dtype=int)
    for number, (first, last) in enumerate(day.episodes, 1):
        inside[(time >= first) & (time <= last)] = number
    return watched, inside


def encode(seed: int, detector: firelane.detect.Detector) -> tuple[np.ndarray, np.ndarray]:
    """The spikes `(steps, 12)` of a day, and where its episodes are."""
    watched, inside = watch(seed, detector)
    return watched.spikes["input"][watched.heard], inside


def score(fired: np.ndarray, inside: np.ndarray) -> tuple[int, int, int, int]:
    """Episodes in which (or up to GRACE steps after which) an alert came, episodes, false alarms, steps. Spikes up to MERGE steps behind an alert are part
    of it, as in the detector's file."""
    found, false, last = set(), 0, -MERGE - 1
    for at in np.flatnonzero(fired):
        if at - last <= MERGE:
            continue
        last = at
        near = inside[max(at - GRACE, 0) : at + 1]
        if near.any():
            found.add(int(near[near > 0][-1]))
        else:
            false += 1
    return len(found), int(inside.max()), false, len(inside)


def told(name: str, scores: list[tuple[int, int, int, int]]) -> str:
    found, episodes, false, steps = (sum(one[at] for one in scores) for at in range(4))
    return f"{name}: {found} of {episodes} episodes ({found / episodes:.1%}), {false} false alarms in {steps} steps"


def stretches(spikes: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Stretches that end with an episode, and as many that have none in them; which they are."""
    ends = [np.flatnonzero(inside == number)[-1] + 1 for number in range(1, inside.max() + 1)]
    ends = [end for end in ends if end >= STRETCH]
    quiet = [at for at in range(STRETCH, len(inside)) if not inside[at - STRETCH - GRACE : at].any()]
    chosen = rng.choice(quiet, 2 * len(ends), replace=False)
    cut = [spikes[end - STRETCH : end] for end in [*ends, *chosen]]
    return np.array(cut, dtype=np.float32), np.array([1] * len(ends) + [0] * len(chosen), dtype=np.float32)


class Net:
    """Affine, CubaLIF, Affine, CubaLIF. Built by hand from layers that NIR has."""

    def __init__(self) -> None:
        import snntorch as snn
        import torch
        from snntorch import surrogate

        torch.manual_seed(1)
        full = torch.full
        # A reset in the step of the spike: NIR knows no other.
        cell = lambda n, alpha, beta: snn.Synaptic(
            alpha=full((n,), alpha),
            beta=full((n,), beta),
            threshold=full((n,), 1.0),
            init_hidden=True,
            spike_grad=surrogate.fast_sigmoid(slope=10),
            reset_mechanism="zero",
            reset_delay=False,
        )
        self.module = torch.nn.Sequential(
            torch.nn.Linear(INPUTS, HIDDEN), cell(HIDDEN, 0.8, 0.9), torch.nn.Linear(HIDDEN, 1), cell(1, 0.7, 0.9)
        )
        with torch.no_grad():
            self.module[0].weight *= 2

    def run(self, spikes):
        """Spikes `(steps, batch)` of the output, of inputs `(steps, batch, units)`."""
        import torch
        from snntorch import utils

        utils.reset(self.module)
        return torch.stack([self.module(step)[..., 0] for step in spikes])

    def fired(self, spikes: np.ndarray) -> np.ndarray:
        """The same of a whole day, without learning."""
        import torch

        with torch.no_grad():
            return self.run(torch.tensor(spikes, dtype=torch.float32)[:, None, :])[:, 0].numpy() != 0


def train(out: str, epochs: int) -> None:
    import nir
    import torch
    from snntorch.export_nir import export_to_nir

    torch.set_num_threads(1)
    detector = untrained()
    rng = np.random.default_rng(1)
    days = [encode(seed, detector) for seed in LEARN]
    judged = [encode(seed, detector) for seed in CHOOSE]
    net = Net()
    optimiser = torch.optim.Adam(net.module.parameters(), lr=5e-3)
    best, kept = -1.0, None
    for epoch in range(epochs):
        cuts = [stretches(*one, rng) for one in days]
        inputs = torch.tensor(np.concatenate([cut for cut, _ in cuts])).transpose(0, 1)
        wanted = torch.tensor(np.concatenate([which for _, which in cuts]))
        order = torch.randperm(len(wanted))
        total = 0.0
        for some in order.split(64):
            fired = net.run(inputs[:, some])
            # An episode is to be told of in its second half; elsewhere every spike is one too many.
            late, early = fired[STRETCH // 2 :].sum(0), fired[: STRETCH // 2].sum(0)
            logit = 3 * (late - 0.5) * wanted[some] + 3 * (late + early - 0.5) * (1 - wanted[some])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logit, wanted[some]) + 0.2 * early.mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(some)
        scores = [score(net.fired(spikes), inside) for spikes, inside in judged]
        found, episodes, false, _ = (sum(one[at] for one in scores) for at in range(4))
        print(f"epoch {epoch}: loss {total / len(order):.3f}; {told('chosen by', scores)}", flush=True)
        if (value := found / episodes - 0.5 * false / episodes) > best:
            best, kept = value, {name: tensor.clone() for name, tensor in net.module.state_dict().items()}
    net.module.load_state_dict(kept)
    graph = export_to_nir(net.module, torch.zeros(1, INPUTS), ignore_dims=[0])
    nir.write(out, graph)
    report = [encode(seed, detector) for seed in REPORT]
    print(told("floating point", [score(net.fired(spikes), inside) for spikes, inside in report]))
    print(
        told(
            "a rule (five large orders of a side come, then three go, in 40 messages)",
            [score(rule(spikes), inside) for spikes, inside in report],
        )
    )


def rule(spikes: np.ndarray) -> np.ndarray:
    """What somebody would write by hand: five large orders of one side came and three went within the last 40 messages."""
    window = np.ones(40, dtype=int)
    recent = np.stack([np.convolve(spikes[:, unit], window)[: len(spikes)] for unit in range(INPUTS)], axis=1)
    sides = [(recent[:, 1 + 2 * side] >= 5) & (recent[:, 5 + 2 * side] >= 3) for side in range(2)]
    now = [spikes[:, 5 + 2 * side] > 0 for side in range(2)]
    return (sides[0] & now[0]) | (sides[1] & now[1])


def judge() -> None:
    """The integer network, in Firelane."""
    detector = firelane.detect.Detector(DETECTOR)
    scores = []
    for seed in REPORT:
        watched, inside = watch(seed, detector)
        fired = np.zeros(len(inside), dtype=bool)
        fired[watched.alerts.step[watched.alerts.code == 1] - 1] = True
        scores.append(score(fired, inside))
    print(told("integers", scores))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", nargs="?", help="the NIR file to write")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--score", action="store_true", help="train nothing: score the detector that is there")
    options = parser.parse_args()
    if options.score:
        judge()
    elif options.out:
        train(options.out, options.epochs)
    else:
        parser.error("name the NIR file to write, or --score")
