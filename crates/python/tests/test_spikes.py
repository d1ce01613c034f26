"""Networks from files: schedules, overflow, and what is wrong with them."""

import json

import numpy as np
import pytest

import firelane

NET = {
    "populations": [
        {"id": "a", "n": 1, "du": 4095, "dv": 4095, "vth": 0},
        {"id": "b", "n": 1, "du": 4095, "dv": 4095, "vth": 0},
    ],
    "connections": [{"src": "in", "dst": "a", "weights": [[2]]}, {"src": "a", "dst": "b", "weights": [[2]]}],
}
TEXT = json.dumps(NET)


def test_a_cascade_answers_in_the_step_and_lava_a_step_a_connection():
    once = {"in": [1, 0, 0, 0]}
    assert firelane.spikes.Network(TEXT).run(once)["b"].s.ravel().tolist() == [1, 0, 0, 0]
    assert firelane.spikes.Network(TEXT, schedule="lava").run(once)["b"].s.ravel().tolist() == [0, 0, 1, 0]


def test_what_it_has_is_said():
    net = firelane.spikes.Network(TEXT)
    assert (net.inputs, net.populations) == ({"in": 1}, {"a": 1, "b": 1})
    net.run({"in": [1, 1]})
    assert net.counters == dict(steps=2, events=2, spikes=4, synaptic_operations=4, overflows=0)


def test_what_is_no_network_says_why(tmp_path):
    wild = json.dumps({**NET, "populations": [{"id": "a", "n": 1, "du": 0, "vth": 1}, NET["populations"][1]]})
    with pytest.raises(ValueError, match="a: its current could overflow"):
        firelane.spikes.Network(wild.replace("[[2]]", "[[200]]"))
    net = firelane.spikes.Network(wild.replace("[[2]]", "[[200]]"), overflow="wrap")
    net.run({"in": np.ones(1_000, dtype=int)})
    assert net.overflows["a"] > 0 and net.overflows == {"a": net.counters["overflows"], "b": 0}
    for text, kwargs, error in [
        ("{", {}, "EOF|line 1"),
        (TEXT.replace('"b"', '"c"', 1), {}, 'there is no node "b"'),
        (TEXT, dict(schedule="soon"), 'schedule is "soon"; it must be "lava" or "cascade"'),
        (TEXT, dict(overflow="no"), 'overflow is "no"; it must be "wrap" or "forbidden"'),
        (TEXT, dict(device="loihi"), 'there is no device "loihi"; here there are software, software/scalar'),
    ]:
        with pytest.raises(ValueError, match=error):
            firelane.spikes.Network(text, **kwargs)
    path = tmp_path / "net.json"
    path.write_text("[]")
    with pytest.raises(ValueError, match="net.json: "):
        firelane.spikes.Network.open(path)
    with pytest.raises(FileNotFoundError):
        firelane.spikes.Network.open(tmp_path / "nowhere.json")


def test_a_network_keeps_what_it_has_learnt_in_a_file():
    rule = {"pre_decay": 4095, "a_plus": 400}
    one = {"src": "in", "dst": "a", "weights": [[100, 100]], "learning": rule}
    net = firelane.spikes.Network(json.dumps({"populations": NET["populations"][:1], "connections": [one]}))
    net.run({"in": np.tile([1, 0], (5, 1))})
    learnt = net.learnt()
    [[risen, kept]] = json.loads(learnt)["connections"][0]["weights"]
    assert 105 <= risen <= 110 and kept == 100
    again = firelane.spikes.Network(learnt)
    assert again.run({"in": [[1, 0]]})["a"].u[0, 0] == risen * 64
    net.restart()
    assert json.loads(net.learnt())["connections"][0]["weights"] == [[100, 100]]


def test_inputs_that_do_not_fit_say_why():
    net = firelane.spikes.Network(TEXT)
    for inputs, error in [
        ({}, "in: there are no values for this input"),
        ({"in": [1], "out": [1]}, "there is no input 'out'; there are in"),
        ({"in": [[1, 2]]}, r"in: the values have the shape \[1, 2\]; it must be \[1, 1\]"),
        ({"in": [2**40]}, "has more than 32 bits"),
        ({"in": np.ones((1, 1, 1))}, r"in: values must have the shape \(steps, 1\)"),
    ]:
        with pytest.raises(ValueError, match=error):
            net.run(inputs)
    assert net.counters["steps"] == 0
