"""Detectors over recorded days: what they hear and say, and that the program says the same."""

import csv
import json
import os
import subprocess

import numpy as np
import pytest

import firelane
from conftest import ROOT, Day

LARGE = """
name = "large"
time = "event"
network = '''{"populations": [{"id": "out", "n": 1, "du": 4095, "dv": 4095, "vth": 90}],
              "connections": [{"src": "orders", "dst": "out", "weights": [[0, 100, 0, 0]]}]}'''
[address]
input = "orders"
kinds = ["add"]
sides = false
levels = 1
sizes = [1000]
[[alert]]
name = "large"
population = "out"
"""


def write(folder, text):
    path = folder / "detector.toml"
    path.write_text(text)
    return firelane.detect.Detector(path)


def test_a_detector_hears_and_says_what_it_should(tmp_path):
    detector = write(tmp_path, LARGE)
    assert (detector.name, detector.alerts, detector.inputs, detector.dt) == ("large", ["large"], {"orders": 4}, None)
    made = (
        Day()
        .add(10, 1, b"B", 100, "AAPL", 1000)
        .add(20, 2, b"B", 5000, "AAPL", 1000)
        .add(30, 3, b"B", 5000, "AAPL", 900)
    )
    made.add(40, 4, b"S", 5000, "MSFT", 900, locate=2).delete(50, 2)
    watched = firelane.detect.watch(made.bytes, detector, "AAPL")
    assert watched.rows.time.tolist() == [10, 20, 30, 50] and watched.heard.all() and not watched.restarted.any()
    # A unit for each level (the best, and all others) and size.
    assert watched.spikes["orders"].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    alerts = watched.alerts
    assert alerts.code.tolist() == [firelane.detect.WARM, 1] and alerts.time.tolist() == [10, 20]
    assert (alerts.value[1], alerts.step[1], alerts.symbol[1]) == (1, 2, b"AAPL")
    assert watched.counters["network_steps"] == 4 and watched.counters["network_alerts"] == 1
    # Of all symbols there are networks for each.
    everybody = firelane.detect.watch(made.bytes, detector)
    assert everybody.alerts[everybody.alerts.code == 1].symbol.tolist() == [b"AAPL", b"MSFT"]


def test_a_book_that_is_not_to_be_trusted_is_not_heard(tmp_path):
    made = Day().add(10, 1, b"B", 100, "AAPL", 1000)
    made.delete(15, 99).add(20, 2, b"B", 5000, "AAPL", 1000)
    with pytest.warns(UserWarning, match="unknown_ref 1"):
        watched = firelane.detect.watch(made.bytes, write(tmp_path, LARGE), "AAPL")
    assert watched.heard.tolist() == [True, False] and watched.alerts.code.tolist() == [firelane.detect.WARM]


def test_values_are_heard_with_their_size_and_a_new_day_starts_over(tmp_path):
    text = LARGE.replace(
        '"weights": [[0, 100, 0, 0]]}]',
        '"weights": [[0, 100, 0, 0]]}, {"src": "moves", "dst": "out", "weights": [[1, 1]], "num_message_bits": 12}]',
    )
    text = text.replace("[address]", '[[delta]]\nof = "bid"\ninput = "moves"\nthreshold = 10\ngraded = true\n[address]')
    detector = write(tmp_path, text)
    assert detector.inputs == {"orders": 4, "moves": 2}
    made = Day().add(10, 1, b"B", 100, "AAPL", 1000).add(20, 2, b"B", 100, "AAPL", 1025).delete(30, 2)
    # A message that contradicts the book, and a day that begins anew.
    made.delete(40, 99).add(50, 3, b"B", 100, "AAPL", 1000).event(5, b"O").add(6, 1, b"B", 100, "AAPL", 500).add(
        7, 2, b"B", 100, "AAPL", 520
    )
    with pytest.warns(UserWarning, match="unknown_ref 1"):
        watched = firelane.detect.watch(made.bytes, detector, "AAPL")
    assert watched.rows.time.tolist() == [10, 20, 30, 50, 6, 7]
    assert watched.heard.tolist() == [True, True, True, False, True, True]
    assert watched.restarted.tolist() == [False, False, False, False, True, False]
    assert watched.spikes["moves"].tolist() == [[0, 0], [25, 0], [0, 25], [0, 0], [0, 0], [20, 0]]
    assert watched.counters["network_restarts"] == 1


def test_what_is_wrong_with_a_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.toml"):
        firelane.detect.Detector(tmp_path / "nowhere.toml")
    for text, error in [
        (LARGE.replace('"add"', '"ad"'), "kinds"),
        (LARGE.replace('"event"', '"tick"'), "time"),
        (LARGE.replace('population = "out"', 'population = "in"'), "population"),
        ('network = "lost.json"\n' + LARGE.replace("network", "net", 1), "lost.json"),
    ]:
        with pytest.raises(ValueError, match=rf"detector\.toml: (.|\n)*{error}"):
            write(tmp_path, text)
    with pytest.raises(ValueError, match="no message names IBM"):
        firelane.detect.watch(Day().add(1, 1, b"B", 1, "AAPL", 1).bytes, write(tmp_path, LARGE), "IBM")


def program():
    """`firelane` as `tests/run` has built it, or as `FIRELANE` names it."""
    target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    found = [path for path in [os.environ.get("FIRELANE"), f"{target}/debug/firelane"] if path and os.path.exists(path)]
    if not found:
        if os.environ.get("CI") == "true":
            raise FileNotFoundError("cargo build -p firelane-desk makes the program to compare with")
        if skips := os.environ.get("FIRELANE_SKIPS"):
            with open(skips, "a", encoding="utf-8") as lines:
                lines.write("SKIPPED python: there is no program firelane to compare with\n")
        pytest.skip("cargo build -p firelane-desk makes the program to compare with")
    return found[0]


def an_hour(seed):
    """Bursts of orders that come on one side of one of two symbols, and of such that go again, or trade."""
    draw = np.random.default_rng(seed)
    made, live, now, reference = Day().open(34_200_000_000_000, "AAA", "BBB"), [], 34_200_000_000_000, 0
    while now < 34_200_000_000_000 + 3_600_000_000_000:
        now += 1_000 << int(draw.integers(0, 24))
        locate, side, pulls = int(draw.integers(1, 3)), int(draw.integers(2)), draw.random() < 0.5
        for _ in range(int(draw.integers(1, 13))):
            now += int(draw.integers(10_000, 600_000))
            mine = [one for one in live if one[1:3] == (locate, side)]
            if pulls and mine:
                live.remove(mine[-1])
                trades = draw.random() < 0.2
                made.execute(now, mine[-1][0], mine[-1][3], locate) if trades else made.delete(now, mine[-1][0], locate)
                continue
            reference += 1
            price = 1_000_000 + 100 * int(draw.integers(1, 4)) * (1 if side else -1)
            shares = 100 * int(draw.integers(1, 9))
            made.add(now, reference, b"BS"[side : side + 1], shares, ["AAA", "BBB"][locate - 1], price, locate)
            live.append((reference, locate, side, shares))
    return made


def test_the_program_raises_the_same_alerts(tmp_path):
    made = an_hour(5)
    # An execution may leave something, which the day goes on without.
    (tmp_path / "day.itch").write_bytes(made.bytes)
    sweeps = ROOT / "examples" / "detectors" / "sweeps.toml"
    command = [program(), "replay", "day.itch", "--detector", str(sweeps), "--alerts", "alerts.csv", "--json"]
    done = subprocess.run(
        [*command, "--set", "detector.budget_ns=1000000"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    with open(tmp_path / "alerts.csv", encoding="utf-8") as file:
        expected = [tuple(line) for line in csv.reader(file)][1:]
    detector = firelane.detect.Detector(sweeps)
    watched = firelane.detect.watch(tmp_path / "day.itch", detector)
    alerts = watched.alerts[watched.alerts.code < firelane.detect.LAGGING]
    names = detector.alerts
    got = [(str(one.time), one.symbol.decode(), names[one.code - 1], str(one.value), str(one.step)) for one in alerts]
    assert len(got) > 100 and got == expected
    told = json.loads(done.stdout)["detector"]
    assert told["lagging"] == (watched.alerts.code == firelane.detect.LAGGING).sum() > 0
