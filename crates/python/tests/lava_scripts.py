"""The scripts of `scripts/`, written for Lava, by whichever package they are to run.

python lava_scripts.py record      Lava's results into lava.json (Python 3.10, lava-nc==0.10.0)
python lava_scripts.py compare N   every script, and N random networks, in Lava and in Firelane by turns
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
RECORDED = HERE / "lava.json"
SCRIPTS = ["layers", "loops", "ports", "channels"]
#: So many random networks are recorded.
DRAWN = 160


def main_of(name, package):
    """The `main` of a script whose imports are of `package`: `lava`, or `firelane.lava`. Nothing else of it is changed."""
    path = HERE / "scripts" / f"{name}.py"
    text = path.read_text(encoding="utf-8")
    lines = [
        line.replace("from lava", f"from {package}", 1) if line.startswith("from lava") else line
        for line in text.split("\n")
    ]
    space = {"__name__": f"{package}.{name}"}
    exec(compile("\n".join(lines), str(path), "exec"), space)
    return space["main"]


def plain(got):
    """Results as lists of integers: whatever a network holds is one."""
    whole = {}
    for key, value in got.items():
        array = np.asarray(value)
        assert (array == array.astype(np.int64)).all(), key
        whole[key] = array.astype(np.int64).tolist()
    return whole


def digest(got):
    """A short name for results."""
    return hashlib.sha256(json.dumps(plain(got), sort_keys=True).encode()).hexdigest()[:16]


def record():
    from importlib.metadata import version

    made = f"lava-nc {version('lava-nc')}, numpy {np.__version__}, Python {sys.version.split()[0]}"
    recorded = {"made_by": made, "scripts": {name: plain(main_of(name, "lava")()) for name in SCRIPTS}, "drawn": []}
    for seed in range(DRAWN):
        recorded["drawn"].append(digest(main_of("drawn", "lava")(seed)))
        print(seed, recorded["drawn"][-1], flush=True)
    RECORDED.write_text(json.dumps(recorded, separators=(",", ":")) + "\n", encoding="utf-8")


def compare(networks):
    """Both by turns, in this process."""
    from importlib.metadata import version

    import firelane

    print(
        f"lava-nc {version('lava-nc')}, firelane {firelane.__version__}, numpy {np.__version__}, Python {sys.version.split()[0]}"
    )
    runs = [(name, ()) for name in SCRIPTS] + [("drawn", (seed,)) for seed in range(1000, 1000 + networks)]
    totals, differ = {"lava": 0.0, "firelane.lava": 0.0}, 0
    values = 0
    for name, args in runs:
        got = {}
        for package in totals:
            start = time.perf_counter()
            got[package] = plain(main_of(name, package)(*args))
            totals[package] += time.perf_counter() - start
        lava, firelane_ = got.values()
        same = lava == firelane_
        differ += not same
        values += sum(np.size(value) for value in lava.values())
        if not same or name != "drawn":
            wrong = [key for key in lava if lava[key] != firelane_.get(key)]
            print(
                f"{name}{args or ''}: {'the same' if same else 'DIFFERENT: ' + ', '.join(wrong)}, {len(lava)} results",
                flush=True,
            )
    print(
        f"{len(runs)} runs ({networks} random networks), {values} values: {differ} runs differ; lava {totals['lava']:.1f} s, firelane {totals['firelane.lava']:.2f} s"
    )
    return differ


if __name__ == "__main__":
    if sys.argv[1:] == ["record"]:
        record()
    elif len(sys.argv) == 3 and sys.argv[1] == "compare":
        sys.exit(1 if compare(int(sys.argv[2])) else 0)
    else:
        sys.exit(__doc__)
