"""The recipe of the detector that was trained, but for the training; and the detector."""

import sys

import numpy as np
import pytest

import firelane
from conftest import ROOT
from firelane import manipulation


@pytest.fixture(scope="module")
def recipe():
    sys.path.insert(0, str(ROOT / "crates" / "python" / "train"))
    import train

    return train


@pytest.fixture(scope="module")
def day():
    return manipulation.day(manipulation.VALIDATION[0])


def test_a_day_of_manipulations_is_the_same_for_a_seed_and_has_what_it_says(day):
    again, other = manipulation.day(manipulation.VALIDATION[0]), manipulation.day(manipulation.VALIDATION[1])
    assert day.file == again.file != other.file and np.array_equal(day.episodes, again.episodes)
    assert set(day.episodes.kind) == set(manipulation.KINDS) and set(day.episodes.strength) == set(
        manipulation.STRENGTHS
    )
    assert 0.4 < day.episodes.decoy.mean() < 0.6 and (day.episodes.start < day.episodes.end).all()
    rows = firelane.itch.read(day.file, day.symbols)
    assert not rows.stale.any() and day.length == 3_600_000_000_000
    for episode in day.episodes[:50]:
        mine = rows.time[rows.symbol == episode.symbol.encode()]
        assert episode.start in mine and episode.end in mine
    for first, second in ((manipulation.TRAIN, manipulation.TEST), (manipulation.VALIDATION, manipulation.TEST)):
        assert not set(first) & set(second)


def test_the_mirror_swaps_sides(recipe):
    mirror = recipe.mirrored()
    assert np.array_equal(mirror[mirror], np.arange(64))
    # add, bid, best, small and add, ask, best, small; a bid that rises and an ask that falls; a spread is the same.
    assert mirror[0] == 9 and mirror[54] == 57 and mirror[60] == 60


def test_a_threshold_is_passed_as_often_as_was_asked(recipe):
    rng = np.random.default_rng(3)
    scores = [rng.random(40_000) for _ in range(4)]
    insides = [np.zeros(40_000, dtype=int) for _ in scores]
    for inside in insides:
        inside[5_000:5_100] = 1
    scores[0][5_050], scores[1][5_050] = 9, -1
    scores[1][5_000:5_100] = 0
    for rate in (1.0, 10.0):
        at = recipe.threshold(scores, insides, rate)
        alarms = sum(
            int((np.where(inside, 0, score) > at).sum()) for score, inside in zip(scores, insides, strict=True)
        )
        assert alarms == 4 * rate
    # What is in a manipulation is no false alarm, and is found if it is above.
    assert recipe.recall(scores[:2], insides[:2], 1.0) == 0.5


def test_labels_are_where_an_alert_would_count(recipe, day):
    tracks = recipe.tracks(manipulation.VALIDATION[0], recipe.untrained(recipe.INPUTS))
    assert len(tracks) == 3
    real = day.episodes[~day.episodes.decoy]
    for track, symbol in zip(tracks, day.symbols, strict=True):
        mine = real[real.symbol == symbol]
        assert len(np.unique(track.inside[track.inside > 0])) == len(mine)
        assert len(track.ends) == (day.episodes.symbol == symbol).sum()
        assert track.spikes.shape[1] == 64 and track.spikes.sum() > len(track.spikes) * 0.9


def test_the_trained_detector_finds_what_it_was_trained_for(recipe, day):
    detector = firelane.detect.Detector(recipe.DETECTOR)
    assert detector.alerts == recipe.ALERTS and detector.inputs == recipe.INPUTS
    watched = firelane.detect.watch(day.file, detector, day.symbols)
    # The encoder of the file is the one that it was trained with.
    silent = firelane.detect.watch(day.file, recipe.untrained(recipe.INPUTS), day.symbols)
    for name in recipe.INPUTS:
        assert np.array_equal(silent.spikes[name], watched.spikes[name])
    real = day.episodes[~day.episodes.decoy]
    found = dict.fromkeys(recipe.ALERTS, 0)
    for episode in real:
        alert = manipulation.ALERTS[episode.kind]
        alerts = watched.alerts[
            (watched.alerts.code == recipe.ALERTS.index(alert) + 1) & (watched.alerts.symbol == episode.symbol.encode())
        ]
        inside = (alerts.time >= episode.start) & (alerts.time <= episode.end + manipulation.GRACE[episode.kind])
        found[alert] += bool(inside.any())
    for alert, count in found.items():
        all_of = sum(manipulation.ALERTS[kind] == alert for kind in real.kind)
        raised = (watched.alerts.code == recipe.ALERTS.index(alert) + 1).sum()
        # Three hours, each with ten false alarms or so.
        assert count > all_of * 0.35 and raised - count < 150, (alert, count, all_of, raised)
