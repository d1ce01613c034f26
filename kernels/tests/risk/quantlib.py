"""Option prices, and value at risk of books, by QuantLib: makes quantlib.json beside it.

    pip install QuantLib==1.44 numpy==2.4.6
    python quantlib.py

Prices are QuantLib's BlackCalculator's. Scenarios are its MultiPathGenerator's (Mersenne twister, one step, StochasticProcessArray of Black-Scholes
processes with the drift of the real world), revalued by BlackCalculator; VaR and ES are its RiskStatistics'. Errors are the standard deviations of
those of 16 batches, over 4. Days are trading days, 252 a year.
"""

import json
import math
import pathlib

import numpy as np
import QuantLib as ql

DAYS = 252.0
BATCHES, SIZE = 16, 8192


def black(option, spot, asset, rate, years):
    """Value and delta of one option."""
    kind = ql.Option.Call if option["kind"] == "call" else ql.Option.Put
    payoff = ql.PlainVanillaPayoff(kind, option["strike"])
    discount = math.exp(-rate * years)
    forward = spot * math.exp((rate - asset["dividend"]) * years)
    calculator = ql.BlackCalculator(payoff, forward, asset["volatility"] * math.sqrt(years), discount)
    return calculator.value(), calculator.delta(spot)


def prices():
    rows = []
    for kind in ("call", "put"):
        for strike in (60.0, 95.0, 100.0, 130.0):
            for volatility in (0.1, 0.35, 0.9):
                for days in (1.0, 21.0, 252.0):
                    for rate, dividend in ((0.05, 0.02), (-0.01, 0.0)):
                        asset = {"volatility": volatility, "dividend": dividend}
                        option = {"kind": kind, "strike": strike}
                        value, delta = black(option, 100.0, asset, rate, days / DAYS)
                        rows.append({"right": kind, "spot": 100.0, "strike": strike, "volatility": volatility, "rate": rate,
                                     "dividend": dividend, "days": days, "value": value, "delta": delta})
    return rows


BOOKS = [
    {"rate": 0.03, "correlation": [[1.0]], "horizon": 10.0, "confidence": 0.99,
     "asset": [{"name": "A", "spot": 100.0, "volatility": 0.3, "dividend": 0.0, "drift": 0.07}],
     "stock": [{"asset": "A", "quantity": 100.0}], "option": []},
    {"rate": 0.04, "correlation": [[1.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 1.0]], "horizon": 10.0, "confidence": 0.99,
     "asset": [{"name": "A", "spot": 187.5, "volatility": 0.28, "dividend": 0.005, "drift": 0.05},
               {"name": "B", "spot": 42.0, "volatility": 0.45, "dividend": 0.0, "drift": 0.0},
               {"name": "C", "spot": 98.0, "volatility": 0.18, "dividend": 0.03, "drift": -0.02}],
     "stock": [{"asset": "A", "quantity": 100.0}, {"asset": "C", "quantity": -150.0}],
     "option": [{"asset": "A", "kind": "put", "strike": 180.0, "expiry": 42.0, "quantity": 100.0},
                {"asset": "B", "kind": "call", "strike": 45.0, "expiry": 21.0, "quantity": -600.0},
                {"asset": "C", "kind": "put", "strike": 95.0, "expiry": 126.0, "quantity": -300.0}]},
    {"rate": 0.01, "correlation": [[1.0, 0.9], [0.9, 1.0]], "horizon": 21.0, "confidence": 0.975,
     "asset": [{"name": "A", "spot": 100.0, "volatility": 0.2, "dividend": 0.02, "drift": 0.0},
               {"name": "B", "spot": 100.0, "volatility": 0.5, "dividend": 0.0, "drift": 0.0}],
     "stock": [],
     "option": [{"asset": "A", "kind": "call", "strike": 100.0, "expiry": 63.0, "quantity": -100.0},
                {"asset": "A", "kind": "put", "strike": 100.0, "expiry": 63.0, "quantity": -100.0},
                {"asset": "B", "kind": "call", "strike": 110.0, "expiry": 63.0, "quantity": 50.0}]},
]


def toml(book):
    def row(values):
        return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in values.items()) + " }"

    lines = [f"rate = {book['rate']}", f"correlation = {json.dumps(book['correlation'])}"]
    lines += [f"{key} = [{', '.join(row(values) for values in book[key])}]" for key in ("asset", "stock", "option")]
    return "\n".join(lines) + "\n"


def generator(book, seed):
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    counter = ql.Actual365Fixed()

    def flat(rate):
        return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, counter))

    processes = []
    for asset in book["asset"]:
        surface = ql.BlackConstantVol(today, ql.NullCalendar(), asset["volatility"], counter)
        spot = ql.QuoteHandle(ql.SimpleQuote(asset["spot"]))
        processes.append(ql.BlackScholesMertonProcess(spot, flat(0.0), flat(asset["drift"]), ql.BlackVolTermStructureHandle(surface)))
    matrix = ql.Matrix(book["correlation"])
    array = ql.StochasticProcessArray(processes, matrix)
    grid = ql.TimeGrid(book["horizon"] / DAYS, 1)
    uniform = ql.UniformRandomSequenceGenerator(len(processes), ql.UniformRandomGenerator(seed))
    return ql.GaussianMultiPathGenerator(array, list(grid), ql.GaussianRandomSequenceGenerator(uniform), False)


def valued(book):
    assets = {asset["name"]: (number, asset) for number, asset in enumerate(book["asset"])}

    def value(spots, years):
        total = sum(row["quantity"] * spots[assets[row["asset"]][0]] for row in book["stock"])
        for row in book["option"]:
            number, asset = assets[row["asset"]]
            total += row["quantity"] * black(row, spots[number], asset, book["rate"], row["expiry"] / DAYS - years)[0]
        return total

    now = value([asset["spot"] for asset in book["asset"]], 0.0)
    figures = []
    for batch in range(BATCHES):
        paths, statistics = generator(book, 1 + batch), ql.RiskStatistics()
        for _ in range(SIZE):
            paths_now = paths.next().value()
            spots = [path[1] for path in paths_now]
            statistics.add(value(spots, book["horizon"] / DAYS) - now, 1.0)
        figures.append((statistics.valueAtRisk(book["confidence"]), statistics.expectedShortfall(book["confidence"])))
    mean, error = np.mean(figures, axis=0), np.std(figures, axis=0, ddof=1) / math.sqrt(BATCHES)
    return {"book": toml(book), "horizon": book["horizon"], "confidence": book["confidence"], "var": mean[0], "var_error": error[0],
            "es": mean[1], "es_error": error[1]}


if __name__ == "__main__":
    versions = {"QuantLib": ql.__version__, "numpy": np.__version__}
    made = {"versions": versions, "prices": prices(), "books": [valued(book) for book in BOOKS]}
    pathlib.Path(__file__).with_name("quantlib.json").write_text(json.dumps(made, indent=0) + "\n")
