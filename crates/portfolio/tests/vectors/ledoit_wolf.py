"""Writes ledoit_wolf.json: rows of returns, and what scikit-learn's LedoitWolf makes of them."""

import json
import pathlib

import numpy
import sklearn
from sklearn.covariance import LedoitWolf

random = numpy.random.default_rng(36)
cases = []
for rows, names, common in [(40, 5, 0.8), (6, 9, 0.3), (200, 3, 0.0), (2, 4, 0.5), (25, 1, 0.0)]:
    factor = random.standard_normal((rows, 1))
    own = random.standard_normal((rows, names))
    deviations = random.uniform(1e-4, 1e-3, names)
    returns = (common * factor + (1 - common) * own) * deviations + random.uniform(-1e-4, 1e-4, names)
    returns = numpy.round(returns, 9)
    fitted = LedoitWolf().fit(returns)
    cases.append({
        "names": names,
        "rows": returns.tolist(),
        "covariance": fitted.covariance_.ravel().tolist(),
        "shrinkage": float(fitted.shrinkage_),
    })
made_by = f"scikit-learn {sklearn.__version__}, numpy {numpy.__version__}"
path = pathlib.Path(__file__).with_name("ledoit_wolf.json")
path.write_text(json.dumps({"made_by": made_by, "cases": cases}) + "\n")
