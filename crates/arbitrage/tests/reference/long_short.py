"""A balanced selection of 128 stocks by SCIP, for comparison. PySCIPOpt 6.3.0, numpy 2.4.6.

    python long_short.py PORT5 PRICES.csv SECONDS

PRICES.csv is written where it is not there: deviations of 100 by numpy's PCG64, seed 128. The objective is that of
`firelane arbitrage long-short PORT5 --prices PRICES.csv --lambda 0.5`, in the same whole numbers. Prints what was found and
what no selection is above.
"""

import os
import sys

import numpy as np
from pyscipopt import Model, quicksum

N, LAMBDA, UNITS = 128, 0.5, 65536.0


def universe(path):
    words = iter(open(path).read().split())
    count = int(next(words))
    deviation = [[float(next(words)) for _ in range(2)][1] for _ in range(count)]
    rho = np.eye(count)
    for _ in range(count * (count + 1) // 2):
        i, j, value = int(next(words)) - 1, int(next(words)) - 1, float(next(words))
        rho[i, j] = rho[j, i] = value
    return np.array(deviation[:N]), rho[:N, :N]


def prices(path):
    if not os.path.exists(path):
        drawn = 100 * (1 + 0.04 * np.random.default_rng(128).standard_normal(N))
        rows = "".join(f"{i + 1},{p:.2f},{p + 0.04:.2f},100\n" for i, p in enumerate(drawn))
        open(path, "w").write("name,bid,ask,reference\n" + rows)
    rows = [line.split(",") for line in open(path).read().split()[1:]]
    bid, ask, reference = (np.array([float(row[k]) for row in rows]) for k in (1, 2, 3))
    return (np.log(bid / reference) + np.log(ask / reference)) / 2


sigma, rho = universe(sys.argv[1])
deviation = prices(sys.argv[2]) / sigma
side = np.where(deviation > 0, -1, 1)
reward = np.round(np.abs(deviation) * UNITS)
cost = np.round(LAMBDA * rho * np.outer(side, side) * UNITS)
np.fill_diagonal(cost, 0)

model = Model()
model.hideOutput()
model.setParam("limits/time", float(sys.argv[3]))
x = [model.addVar(vtype="B") for _ in range(N)]
y = model.addVar(lb=None)
model.addCons(quicksum(int(side[i]) * x[i] for i in range(N)) == 0)
# The diagonal of the correlations makes it convex: x is its own square.
half = LAMBDA / 2
square = quicksum((cost[i, j] / UNITS / 2 + (half if i == j else 0)) * x[i] * x[j] for i in range(N) for j in range(N))
linear = quicksum((reward[i] / UNITS + half) * x[i] for i in range(N))
model.addCons(y >= square)
model.setObjective(linear - y, "maximize")
model.optimize()
chosen = np.array([round(model.getVal(v)) for v in x])
value = (reward @ chosen - chosen @ cost @ chosen / 2) / UNITS
print(f"status {model.getStatus()} value {value:.6f} bound {model.getDualbound():.6f} net {int(side @ chosen)} names {chosen.sum()}")
