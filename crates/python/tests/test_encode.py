"""Encoders: Lava's vectors, and what can't be."""

import json

import numpy as np
import pytest

import firelane
from conftest import VECTORS


def test_delta_is_lavas():
    cases = json.loads((VECTORS / "d01_delta_encoder.json").read_text())["cases"]
    assert len(cases) == 5
    for case in cases:
        values, expected = np.array(case["input"]), np.array(case["output"])[1:]
        params = [case["vth"], values.shape[1], case["spike_exp"], case["num_bits"]]
        spikes = firelane.encode.Delta(*params).encode(values)
        # Lava's come one step later.
        assert spikes.dtype == np.int32 and np.array_equal(spikes[: len(expected)], expected)
        parts = firelane.encode.Delta(*params)
        halves = [parts.encode(values[:7]), parts.encode(values[7:])]
        assert np.array_equal(np.concatenate(halves), spikes)


def test_delta_of_one_unit_takes_a_row_of_values():
    assert firelane.encode.Delta(vth=3).encode([1000, 1002, 1003, 1001]).tolist() == [[1000], [0], [3], [0]]


def test_rate_is_reached_and_the_same_for_a_seed():
    rates = np.tile([0.0, 0.25, 1.0], (4000, 1))
    spikes = firelane.encode.Rate(7).encode(rates)
    assert spikes.sum(axis=0)[[0, 2]].tolist() == [0, 4000] and 900 < spikes[:, 1].sum() < 1100
    assert np.array_equal(firelane.encode.Rate(7).encode(rates[1000:], first=1000), spikes[1000:])
    assert not np.array_equal(firelane.encode.Rate(8).encode(rates), spikes)
    # Rates are rounded to 1/65,536: 0.3 is 19,660.8 of them.
    many = np.full((300_000, 1), 0.3)
    inner = firelane._firelane.Rate(7)
    assert np.array_equal(firelane.encode.Rate(7).encode(many), inner.encode(np.full(many.shape, 19_661), 0))
    assert not np.array_equal(firelane.encode.Rate(7).encode(many), inner.encode(np.full(many.shape, 19_660), 0))


def test_what_cant_be_encoded_says_why():
    for make, error in [
        (lambda: firelane.encode.Delta(vth=-1), "vth is -1; it must be 0 to"),
        (lambda: firelane.encode.Delta(vth=1, spike_exp=8), "spike_exp is 8; it must be 0 to 7"),
        (lambda: firelane.encode.Delta(vth=1, num_bits=25), "num_bits is 25; it must be 1 to 24"),
        (lambda: firelane.encode.Delta(vth=1, units=2).encode([1, 2]), r"must have the shape \(steps, 2\)"),
        (lambda: firelane.encode.Delta(vth=1).encode([1.0, np.inf]), "inf is no number that an integer can be"),
        (lambda: firelane.encode.Rate(1).encode([[1.5]]), "rates must be 0 to 1"),
        (lambda: firelane.encode.Rate(1).encode([[np.nan]]), "a rate is no number"),
    ]:
        with pytest.raises(ValueError, match=error):
            make()
