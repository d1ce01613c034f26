"""What the documents show works, in order."""

import gzip
import re
import shutil

import numpy as np
import pytest

import firelane
from conftest import ROOT, Day

DETECTOR = """{"populations": [{"id": "out", "n": 1, "du": 4095, "dv": 4095, "vth": 0}],
"connections": [{"src": "in", "dst": "out", "weights": [[1, 1]]}]}"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    made = Day()
    for at in range(200):
        made.add(34_199_000_000_000 + at * 10**7, 2 * at + 1, b"B", 100, "AAPL", 1_000_000 + 50 * at)
        made.add(34_199_000_000_001 + at * 10**7, 2 * at + 2, b"S", 100, "MSFT", 500_000, locate=2)
    (tmp_path / "day.itch.gz").write_bytes(gzip.compress(made.bytes))
    (tmp_path / "detector.json").write_text(DETECTOR)
    for name in ["sweeps.toml", "sweeps.json"]:
        shutil.copy(ROOT / "examples" / "detectors" / name, tmp_path)
    monkeypatch.chdir(tmp_path)


def test_the_examples_work(folder):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    space = {}
    exec(blocks[0], space)
    day, moves, spikes = (space[name] for name in ["day", "moves", "spikes"])
    # The bid climbs by half a cent a message: every second one is a spike, and so is the first value of all.
    assert len(day) == 200 and moves[:5, 0].tolist() == [1_000_000, 0, 100, 0, 100]
    assert spikes.shape == (200, 1) and np.array_equal(spikes[:, 0] != 0, moves[:, 0] != 0) and spikes.sum() == 100
    exec(blocks[1], space)
    assert len(space["early"]) == 200 and space["early"].time.max() < 34_200_000_000_000
    assert space["book"].bids[0].tolist() == [1_000_000 + 50 * 99, 100, 1]
    assert space["replay"].counts == {"A": 400}
    exec(blocks[2], space)
    assert space["heard"].shape == (400, 24) and (space["heard"].sum(axis=1) == 1).all()
    assert firelane.detect.WARM in space["alerts"].code
    exec(blocks[3], space)
    assert space["voltages"].shape == (8, 2) and space["voltages"].any()
