"""Trains the detector of manipulations by surrogate gradients, and writes it as NIR.

    pip install './crates/python[train]'
    cd crates/python/train
    python train.py manipulation.nir               a quarter of an hour on a core
    firelane spikes import manipulation.nir --dt 1e-4 --reset zero \
        --out ../../../examples/detectors/manipulation.json
    firelane spikes score                          days that nothing was chosen by

It learns from the days of `firelane.manipulation.TRAIN` what the encoder of `examples/detectors/manipulation.toml` hears of them, a step an event: a hidden
layer of integrate-and-fire neurons, each with time constants of its own, and three that add up what it says, one for each alert. What an alert's neuron
has added up is its score; the threshold that it gets at the end is the one at which it raises ten false alarms a symbol-hour on the days of `VALIDATION`.

The neurons are snnTorch's (`Synaptic`), and so are names and export. Their steps are written out below, for a step of snnTorch's takes ten times as long; that both
are the same is checked before anything is written.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import firelane
from firelane import manipulation

DETECTOR = Path(__file__).resolve().parents[3] / "examples" / "detectors" / "manipulation.toml"
ALERTS = list(dict.fromkeys(manipulation.ALERTS.values()))
#: What snnTorch exports as a step, in seconds.
DT = 1e-4
#: Steps of a stretch that is learnt from; the first ones, in which the network finds its feet, do not count. A block of steps raises one alarm at most.
STRETCH, WARM, BLOCK = 288, 64, 32
#: Stretches of a batch, batches of an epoch.
BATCH, BATCHES = 96, 40
#: False alarms an hour at which the thresholds are set.
RATE = 10.0


@dataclass
class Track:
    """A symbol of a day. spikes: `(steps, units)`. inside: of each step and alert the number of the manipulation that an alert would be of, from 1 on; 0: none. ends: steps
    at which an episode, a decoy or not, has ended."""

    spikes: np.ndarray
    inside: np.ndarray
    ends: np.ndarray


def untrained(inputs: dict[str, int]) -> firelane.detect.Detector:
    """The detector's file with a network that hears and does nothing, for its encoder alone."""
    rows = ", ".join(
        f'{{"src": "{name}", "dst": "alerts", "weights": {[[0] * units] * len(ALERTS)}}}'
        for name, units in inputs.items()
    )
    silent = (
        f'{{"populations": [{{"id": "alerts", "n": {len(ALERTS)}, "du": 4095, "vth": 100}}], "connections": [{rows}]}}'
    )
    text = DETECTOR.read_text(encoding="utf-8")
    text = re.sub(r"^network = .*$", f"network = '''{silent}'''", text, flags=re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / DETECTOR.name
        path.write_text(text, encoding="utf-8")
        return firelane.detect.Detector(path)


#: The inputs of the network, and the number of their units: addresses, and what prices did.
INPUTS = {"orders": 54, "moves": 10}


def mirrored() -> np.ndarray:
    """Of each unit the one that says the same of the other side of the book: what holds of buyers holds of sellers."""
    orders = np.arange(INPUTS["orders"]).reshape(3, 2, 9)[:, ::-1].reshape(-1)
    # Rises and falls of bid, ask, last, spread, imbalance: a bid that rises is an ask that falls.
    moves = np.array([3, 2, 1, 0, 5, 4, 6, 7, 9, 8]) + INPUTS["orders"]
    return np.concatenate([orders, moves])


def tracks(seed: int, detector: firelane.detect.Detector) -> list[Track]:
    """A day through the encoder."""
    day = manipulation.day(seed)
    watched = firelane.detect.watch(day.file, detector, day.symbols)
    spikes = np.concatenate([watched.spikes[name] for name in INPUTS], axis=1).astype(np.int8)
    made = []
    for symbol in day.symbols:
        mine = watched.heard & (watched.rows.symbol == symbol.encode())
        when = watched.rows.time[mine]
        inside = np.zeros((len(when), len(ALERTS)), dtype=np.int32)
        of = day.episodes[day.episodes.symbol == symbol]
        for number, episode in enumerate(of, 1):
            if not episode.decoy:
                first = np.searchsorted(when, episode.start)
                behind = np.searchsorted(when, episode.end + manipulation.GRACE[episode.kind], side="right")
                inside[first:behind, ALERTS.index(manipulation.ALERTS[episode.kind])] = number
        made.append(Track(spikes[mine], inside, np.searchsorted(when, of.end, side="right")))
    return made


def threshold(scores: list[np.ndarray], insides: list[np.ndarray], rate: float) -> float:
    """Where so many blocks an hour outside of manipulations have a higher score; a track is an hour."""
    highest = []
    for score, inside in zip(scores, insides, strict=True):
        outside = np.where(inside > 0, -np.inf, score)
        blocks = outside[: len(outside) // BLOCK * BLOCK].reshape(-1, BLOCK).max(axis=1)
        # Neighbours are one alarm: the higher one counts.
        before, behind = np.r_[-np.inf, blocks[:-1]], np.r_[blocks[1:], -np.inf]
        highest.append(blocks[(blocks > before) & (blocks >= behind)])
    return float(np.sort(np.concatenate(highest))[::-1][int(rate * len(scores))])


def recall(score: list[np.ndarray], insides: list[np.ndarray], at: float) -> float:
    """Manipulations in which the score is higher."""
    found = [
        track[inside == number].max() > at
        for track, inside in zip(score, insides, strict=True)
        for number in np.unique(inside[inside > 0])
    ]
    return float(np.mean(found))


def fast_steps():
    """The steps of both layers, compiled: spikes `(steps, batch, hidden)` of currents; what is added up of currents, without spikes."""
    import torch

    @torch.jit.script
    def spiking(current, alpha, beta):  # type: ignore[no-untyped-def]
        synapse, voltage = torch.zeros_like(current[0]), torch.zeros_like(current[0])
        out = []
        for now in current.unbind(0):
            synapse = alpha * synapse + now
            voltage = beta * voltage + synapse
            over = voltage - 1.0
            # A step, with the gradient of snnTorch's fast_sigmoid(slope=5).
            smooth = over / (1.0 + 5.0 * over.abs())
            spike = (over > 0).float().detach() + smooth - smooth.detach()
            voltage = voltage * (over <= 0).float().detach()
            out.append(spike)
        return torch.stack(out)

    @torch.jit.script
    def adding(current, alpha, beta):  # type: ignore[no-untyped-def]
        synapse, voltage = torch.zeros_like(current[0]), torch.zeros_like(current[0])
        out = []
        for now in current.unbind(0):
            synapse = alpha * synapse + now
            voltage = beta * voltage + synapse
            out.append(voltage)
        return torch.stack(out)

    return spiking, adding


class Net:
    """Affine, CubaLIF, Affine, CubaLIF, as NIR calls them."""

    def __init__(self, hidden: int) -> None:
        import snntorch as snn
        import torch
        from snntorch import surrogate

        torch.manual_seed(1)
        units, alerts = sum(INPUTS.values()), len(ALERTS)
        # From two events to forty: what a burst is, and what a book remembers.
        taus = torch.exp(torch.rand(hidden) * float(np.log(40 / 2)) + float(np.log(2)))
        common = dict(learn_alpha=True, learn_beta=True, reset_delay=False, spike_grad=surrogate.fast_sigmoid(slope=5))
        self.module = torch.nn.ModuleList(
            [
                torch.nn.Linear(units, hidden),
                snn.Synaptic(torch.exp(-3 / taus), torch.exp(-1 / taus), 1.0, reset_mechanism="zero", **common),
                torch.nn.Linear(hidden, alerts),
                snn.Synaptic(
                    torch.full((alerts,), 0.6), torch.full((alerts,), 0.85), 1e9, reset_mechanism="none", **common
                ),
            ]
        )
        with torch.no_grad():
            self.module[0].weight *= 3
            self.module[2].bias.fill_(-0.2)
        self.spiking, self.adding = fast_steps()

    def run(self, spikes):
        """Scores `(steps, batch, alerts)` of inputs `(steps, batch, units)`."""
        first, hidden, second, alerts = self.module
        fired = self.spiking(first(spikes), hidden.alpha, hidden.beta)
        return self.adding(second(fired), alerts.alpha, alerts.beta)

    def run_by_snntorch(self, spikes):
        """The same, by snnTorch's own steps."""
        import torch

        first, hidden, second, alerts = self.module
        synapse, voltage = hidden.init_synaptic()
        synapse_of_alert, score = alerts.init_synaptic()
        scores = []
        for step in spikes:
            fired, synapse, voltage = hidden(first(step), synapse, voltage)
            _, synapse_of_alert, score = alerts(second(fired), synapse_of_alert, score)
            scores.append(score)
        return torch.stack(scores)

    def keep_stable(self) -> None:
        """Time constants of three to thirty-three events at most for currents, sixty-six for voltages."""
        import torch

        with torch.no_grad():
            for layer in (self.module[1], self.module[3]):
                layer.alpha.clamp_(0, 0.97)
                layer.beta.clamp_(0, 0.985)

    def scores(self, track: Track) -> np.ndarray:
        """Of a whole track `(steps, alerts)`: in pieces side by side, each with what came before it."""
        import torch

        piece, before = 500, 150
        starts = np.arange(0, len(track.spikes), piece)
        table = np.zeros((before + piece, len(starts), track.spikes.shape[1]), dtype=np.float32)
        for at, start in enumerate(starts):
            lead = min(before, start)
            some = track.spikes[start - lead : start + piece]
            table[before - lead : before - lead + len(some), at] = some
        with torch.no_grad():
            scores = self.run(torch.tensor(table)).numpy()[before:]
        return scores.transpose(1, 0, 2).reshape(-1, len(ALERTS))[: len(track.spikes)]


def loss_of(scores, inside):
    """In a manipulation the highest score should be above zero; elsewhere that of each block below, and the highest of these above all."""
    import torch
    from torch.nn.functional import softplus

    scores, inside = scores[WARM:], inside[WARM:] > 0
    total = scores.new_zeros(())
    for alert in range(len(ALERTS)):
        score, wanted = scores[..., alert], inside[..., alert]
        there = wanted.any(0)
        met = torch.where(wanted, score, torch.full_like(score, -50.0)).amax(0)[there]
        blocks = score.reshape(-1, BLOCK, score.shape[1]).amax(1)
        free = blocks[~wanted.reshape(-1, BLOCK, wanted.shape[1]).any(1)]
        hard = free.topk(max(1, len(free) // 20)).values
        total = total + softplus(-met).sum() / (0.1 * BATCH) + 3 * softplus(free).mean() + softplus(hard).mean()
    return total


def train(out: str, epochs: int, hidden: int) -> None:
    import torch

    torch.set_num_threads(1)
    detector = untrained(INPUTS)
    rng = np.random.default_rng(1)
    learnt = [track for seed in manipulation.TRAIN for track in tracks(seed, detector)]
    judged = [track for seed in manipulation.VALIDATION for track in tracks(seed, detector)]
    insides = [[track.inside[:, alert] for track in judged] for alert in range(len(ALERTS))]
    net, mirror = Net(hidden), mirrored()
    optimiser = torch.optim.Adam(net.module.parameters(), lr=4e-3)
    best, kept, began = -1.0, {}, time.monotonic()

    def batch():
        spikes, inside = [], []
        for _ in range(BATCH):
            track = learnt[rng.integers(len(learnt))]
            # Four of five end shortly behind an episode.
            near = track.ends[rng.integers(len(track.ends))] + rng.integers(5, 80)
            end = int(
                np.clip(near if rng.random() < 0.8 else rng.integers(len(track.spikes)), STRETCH, len(track.spikes))
            )
            some = track.spikes[end - STRETCH : end]
            spikes.append(some[:, mirror] if rng.random() < 0.5 else some)
            inside.append(track.inside[end - STRETCH : end])
        return torch.tensor(np.stack(spikes, 1), dtype=torch.float32), torch.tensor(np.stack(inside, 1))

    for epoch in range(epochs):
        for group in optimiser.param_groups:
            group["lr"] = 4e-3 * (1 - epoch / epochs) + 1e-4
        total = 0.0
        for _ in range(BATCHES):
            spikes, inside = batch()
            loss = loss_of(net.run(spikes), inside)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.module.parameters(), 1.0)
            optimiser.step()
            net.keep_stable()
            total += float(loss.detach())
        said = f"epoch {epoch + 1} of {epochs}: loss {total / BATCHES:.3f}, {time.monotonic() - began:.0f} s"
        if (epoch + 1) % 8 == 0 or epoch + 1 == epochs:
            scores = [net.scores(track) for track in judged]
            recalls = []
            for alert in range(len(ALERTS)):
                of = [score[:, alert] for score in scores]
                rates = (1.0, RATE, 60.0)
                recalls.append([recall(of, insides[alert], threshold(of, insides[alert], rate)) for rate in rates])
            said += "; met at 1, 10, 60 false alarms an hour: " + "; ".join(
                f"{name} " + " ".join(f"{part:.2f}" for part in parts)
                for name, parts in zip(ALERTS, recalls, strict=True)
            )
            if (value := float(np.mean([parts[:2] for parts in recalls]))) > best:
                best, kept = value, {name: tensor.clone() for name, tensor in net.module.state_dict().items()}
        print(said, flush=True)
    net.module.load_state_dict(kept)
    sample = torch.tensor(judged[0].spikes[:2_000, None].astype(np.float32))
    with torch.no_grad():
        apart = float((net.run(sample) - net.run_by_snntorch(sample)).abs().max())
    if apart > 1e-3:
        raise SystemExit(f"snnTorch's steps and ours are {apart} apart: one of them has changed")
    scores = [net.scores(track) for track in judged]
    thresholds = [
        threshold([score[:, alert] for score in scores], insides[alert], RATE) for alert in range(len(ALERTS))
    ]
    export(net, thresholds, out)


def export(net: Net, thresholds: list[float], out: str) -> None:
    """The network as NIR, each alert's neuron with its threshold; constants as snnTorch's own export has them."""
    import nir

    first, hidden, second, alerts = net.module
    numpy = lambda tensor: tensor.detach().numpy().astype(np.float64)

    def cuba(layer, level: np.ndarray) -> nir.CubaLIF:
        tau_syn, tau_mem = DT / (1 - numpy(layer.alpha)), DT / (1 - numpy(layer.beta))
        zero = np.zeros_like(level)
        return nir.CubaLIF(
            tau_syn=tau_syn,
            tau_mem=tau_mem,
            r=tau_mem / DT,
            v_leak=zero,
            v_threshold=level,
            v_reset=zero,
            w_in=tau_syn / DT,
        )

    weights, nodes, edges, done = numpy(first.weight), {}, [], 0
    for number, (name, units) in enumerate(INPUTS.items()):
        some = weights[:, done : done + units]
        nodes[name] = nir.Input({"input": np.array([units])})
        # The bias is of all, and stands with the first.
        nodes[f"of_{name}"] = nir.Affine(some, numpy(first.bias)) if number == 0 else nir.Linear(some)
        edges += [(name, f"of_{name}"), (f"of_{name}", "hidden")]
        done += units
    nodes["hidden"] = cuba(hidden, np.ones(len(weights)))
    # A neuron that hears nothing rests at zero: where its bias would hold it is taken off its threshold.
    rest = numpy(second.bias) / ((1 - numpy(alerts.alpha)) * (1 - numpy(alerts.beta)))
    nodes["to_alerts"] = nir.Linear(numpy(second.weight))
    nodes["alerts"] = cuba(alerts, np.array(thresholds) - rest)
    nodes["output"] = nir.Output({"output": np.array([len(ALERTS)])})
    edges += [("hidden", "to_alerts"), ("to_alerts", "alerts"), ("alerts", "output")]
    nir.write(out, nir.NIRGraph(nodes, edges))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", help="the NIR file to write")
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--hidden", type=int, default=64, help="neurons of the hidden layer")
    options = parser.parse_args()
    train(options.out, options.epochs, options.hidden)
