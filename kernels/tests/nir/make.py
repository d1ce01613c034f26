"""Makes the files beside it: networks as other people's programs write them, and what those programs say that the networks do.

    python -m venv v && v/bin/pip install torch snntorch==1.0.0 nir==1.0.8 nirtorch==2.6
    v/bin/python make.py

Sinabs needs an older `nir`, and so a folder of its own: `pip install --no-deps --target s sinabs nir==1.0.4 nirtorch==2.0.2 pbr matplotlib`
(and what matplotlib needs), then `PYTHONPATH=s python make.py sinabs`.

`snn_*.nir` were exported by snnTorch 1.0.0, `sinabs.nir` by Sinabs 3.1.3, `all.nir` and `nan.nir` written by nir 1.0.8, and `lie.nir` and `thin.nir`
by h5py. `*.json` hold the inputs that snnTorch was
given and the spikes of each of its layers: `{"inputs": [step][unit], "spikes": {LAYER: [step][neuron]}}`. The seeds are fixed; a
file is the same each time but for what HDF5 puts into it.
"""

import json
import pathlib
import sys

import nir
import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
STEPS = 400


def events(seed, units, rate=0.1):
    return (np.random.default_rng(seed).random((STEPS, units)) < rate).astype(np.float32)


def layers(*modules):
    """Linear layers and neurons by turns."""
    return torch.nn.Sequential(*modules)


def each(n, low, high, seed):
    """Constants that differ from neuron to neuron."""
    return torch.tensor(np.random.default_rng(seed).uniform(low, high, n), dtype=torch.float32)


def linear(columns, rows, gain, bias=True):
    made = torch.nn.Linear(columns, rows, bias=bias)
    torch.nn.init.normal_(made.weight, mean=gain / columns, std=gain / columns**0.5)
    if bias:
        torch.nn.init.normal_(made.bias, std=0.02)
    return made


def run(name, net, units, seed, spiking, write):
    """Writes the network, and what it does."""
    given = events(seed, units)
    spikes = {layer: [] for layer in spiking}
    with torch.no_grad():
        for row in given:
            value = torch.tensor(row)[None]
            for at, module in enumerate(net):
                value = module(value)
                value = value[0] if isinstance(value, tuple) else value
                if str(at) in spikes:
                    spikes[str(at)].append([int(one) for one in value.reshape(-1)])
    # Behind the run, for an export is a step of the network, too.
    nir.write(HERE / f"{name}.nir", write(net, torch.zeros(1, units)))
    counts = {layer: int(np.sum(rows)) for layer, rows in spikes.items()}
    print(name, counts)
    (HERE / f"{name}.json").write_text(json.dumps({"inputs": given.astype(int).tolist(), "spikes": spikes}, separators=(",", ":")) + "\n")


def snntorch():
    import snntorch as snn
    from snntorch.export_nir import export_to_nir

    write = lambda net, sample: export_to_nir(net, sample, ignore_dims=[0])
    torch.manual_seed(1)
    # The default of snnTorch: the threshold is subtracted, a step late. Constants differ from neuron to neuron.
    leaky = dict(init_hidden=True)
    run("snn_subtract", layers(
        linear(24, 32, 1.5), snn.Leaky(beta=each(32, 0.7, 0.95, 2), threshold=each(32, 0.8, 1.2, 3), **leaky),
        linear(32, 8, 1.5), snn.Leaky(beta=torch.full((8,), 0.9), threshold=torch.ones(8), **leaky),
    ), 24, 1, ["1", "3"], write)
    torch.manual_seed(2)
    zero = dict(init_hidden=True, reset_mechanism="zero", reset_delay=False)
    synaptic = dict(alpha=torch.full((32,), 0.8), beta=torch.full((32,), 0.85), threshold=torch.ones(32))
    run("snn_zero", layers(
        linear(24, 32, 0.3), snn.Synaptic(**synaptic, **zero),
        linear(32, 8, 1.0, bias=False), snn.Leaky(beta=torch.full((8,), 0.8), threshold=torch.ones(8), **zero),
    ), 24, 2, ["1", "3"], write)
    torch.manual_seed(3)
    late = dict(init_hidden=True, reset_mechanism="zero", reset_delay=True)
    run("snn_late", layers(
        linear(24, 32, 0.4), snn.Synaptic(**synaptic, **late),
    ), 24, 3, ["1"], write)


def sinabs():
    """Sinabs counts time in steps: dt is 1. Its resets subtract the threshold, at once; its decay is exponential."""
    import sinabs.activation as activation
    import sinabs.layers as sl
    from sinabs.nir import to_nir

    torch.manual_seed(5)
    squeeze = dict(batch_size=1, spike_fn=activation.SingleSpike)
    run("sinabs", layers(
        linear(24, 16, 2.0), sl.IAFSqueeze(**squeeze), linear(16, 4, 20.0), sl.LIFSqueeze(tau_mem=10.0, norm_input=True, **squeeze),
    ), 24, 5, ["1", "3"], to_nir)


def all_nodes():
    """Every node that is known, in one graph, two deep."""
    f = lambda *values: np.array(values, dtype=np.float32)
    n = lambda value, count: np.full(count, value, dtype=np.float32)
    rng = np.random.default_rng(4)
    w = lambda rows, columns: (rng.normal(0.3, 0.5, (rows, columns))).astype(np.float32)
    inner = nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([4])),
            "lif": nir.LIF(tau=f(0.004, 0.006, 0.008, 0.01), r=n(4, 4), v_leak=n(0.1, 4), v_threshold=n(1, 4), v_reset=f(0, -0.1, -0.2, 0.2)),
            "w_rec": nir.Linear(w(4, 4) - 0.4),
            "output": nir.Output(np.array([4])),
        },
        edges=[("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )
    graph = nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([2, 3])),
            "flat": nir.Flatten({"input": np.array([2, 3])}, 0, 1),
            "delay": nir.Delay(f(0, 0.001, 0.002, 0.003, 0.004, 0.005)),
            "fc1": nir.Affine(w(4, 6), w(4, 1)[:, 0] / 10),
            "scale": nir.Scale(f(0.5, 1, 1.5, 2)),
            "rec": inner,
            "fc2": nir.Linear(w(5, 4)),
            "cuba": nir.CubaLIF(tau_syn=n(0.003, 5), tau_mem=n(0.005, 5), r=n(8, 5), v_leak=n(0, 5), v_threshold=n(1, 5), w_in=n(1.5, 5)),
            "if": nir.IF(r=n(500, 5), v_threshold=n(1, 5)),
            "threshold": nir.Threshold(n(0.5, 5)),
            "fc3": nir.Linear(w(3, 5)),
            "li": nir.LI(tau=n(0.01, 3), r=n(1, 3), v_leak=n(0, 3)),
            "cubali": nir.CubaLI(tau_syn=n(0.002, 3), tau_mem=n(0.01, 3), r=n(1, 3), v_leak=n(0.2, 3)),
            "out": nir.Output(np.array([3])),
            "out2": nir.Output(np.array([3])),
        },
        edges=[
            ("input", "flat"), ("flat", "delay"), ("delay", "fc1"), ("fc1", "scale"), ("scale", "rec"), ("rec", "fc2"), ("fc2", "cuba"),
            ("cuba", "if"), ("if", "threshold"), ("threshold", "fc3"), ("fc3", "li"), ("fc3", "cubali"), ("li", "out"), ("cubali", "out2"),
        ],
        type_check=False,
    )
    nir.write(HERE / "all.nir", graph)
    small = nir.NIRGraph(
        nodes={"input": nir.Input(np.array([2])), "fc": nir.Linear(f(0.5, float("nan"))[None]), "lif": nir.IF(n(1, 1), n(1, 1)), "output": nir.Output(np.array([1]))},
        edges=[("input", "fc"), ("fc", "lif"), ("lif", "output")],
    )
    nir.write(HERE / "nan.nir", small)


def lies():
    """Files that say they hold what they do not: more than there may be, and more than so small a file can."""
    import h5py

    text = h5py.string_dtype()
    for name, side in [("lie.nir", 1 << 20), ("thin.nir", 8_000)]:
        with h5py.File(HERE / name, "w", libver="latest") as file:
            node = file.create_group("node")
            node.create_dataset("type", data="NIRGraph", dtype=text)
            node.create_dataset("edges", data=[["fc", "fc"]], dtype=text)
            layer = node.create_group("nodes/fc")
            layer.create_dataset("type", data="Linear", dtype=text)
            layer.create_dataset("weight", shape=(side, side), dtype="f4", chunks=(64, 64), compression="gzip")


if __name__ == "__main__":
    if "sinabs" in sys.argv:
        sinabs()
    else:
        snntorch()
        all_nodes()
        lies()
