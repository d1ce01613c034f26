"""The recipe of the detector that was trained, but for the training; and the detector."""

import sys

import numpy as np
import pytest

import firelane
from conftest import ROOT


@pytest.fixture(scope="module")
def recipe():
    sys.path.insert(0, str(ROOT / "crates" / "python" / "train"))
    import train

    return train


def test_the_made_up_market_is_the_same_for_a_seed_and_has_what_it_says(recipe):
    day = recipe.market.day(1, 3_000)
    assert day.bytes == recipe.market.day(1, 3_000).bytes != recipe.market.day(2, 3_000).bytes
    rows = firelane.itch.read(bytes(day.bytes), "FIRE")
    assert len(day.episodes) > 5 and len(day.decoys) > 2 and not rows.stale.any()
    for first, last in day.episodes:
        inside = rows[(rows.time >= first) & (rows.time <= last)]
        large = inside[(inside.kind == b"A") & (inside.qty >= 800)]
        sides = {side: large[large.side == side].order for side in (b"B", b"S")}
        # All that was shown on one side is taken back.
        assert any(
            len(orders) >= 5 and np.isin(orders, inside[inside.kind == b"D"].order).sum() >= 5
            for orders in sides.values()
        )


def test_a_score_counts_episodes_and_false_alarms(recipe):
    inside = np.zeros(300, dtype=int)
    inside[50:60], inside[150:160] = 1, 2
    fired = np.zeros(300, dtype=bool)
    # In the first episode, and what is part of that alert; a false alarm ahead of it, and one that is part of that.
    fired[[5, 45, 55, 57, 95]] = True
    assert recipe.score(fired, inside) == (1, 2, 1, 300)
    # Eight steps behind an episode an alert still counts.
    fired[167] = True
    assert recipe.score(fired, inside)[:3] == (2, 2, 1)
    fired[[167, 168]] = False, True
    assert recipe.score(fired, inside)[:3] == (1, 2, 2)
    fired[[209, 250]] = True
    assert recipe.score(fired, inside)[:3] == (1, 2, 4)


def test_the_trained_detector_finds_what_it_was_trained_for(recipe):
    detector = firelane.detect.Detector(recipe.DETECTOR)
    assert detector.alerts == ["layering"] and detector.inputs == {"input": 12}
    watched, inside = recipe.watch(900, detector)
    fired = np.zeros(len(inside), dtype=bool)
    fired[watched.alerts.step[watched.alerts.code == 1] - 1] = True
    found, episodes, false, steps = recipe.score(fired, inside)
    assert episodes > 25 and found >= episodes - 1 and false <= 5, (found, episodes, false, steps)
    # The encoder of the file is the one that it was trained with.
    spikes, _ = recipe.encode(900, recipe.untrained())
    assert np.array_equal(spikes, watched.spikes["input"][watched.heard]) and (spikes.sum(axis=1) <= 1).all()
