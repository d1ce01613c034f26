"""How long dwave-samplers' annealer and simulated-bifurcation take to come to a cut; `firelane ising bench --peers` runs it.

    python annealers.py FILE INSTANCE SHARE TARGET

FILE is a graph as rudy writes it. For each peer a line of JSON: the share of its reads that reached the target, the CPU time of a read (one
thread), and TTS99. Settings are the best of those that were tried on these instances; simulated-bifurcation's pressure is made to rise over all
of its steps, which by default it does not.
"""
import json
import math
import sys
import time

import numpy as np

file, instance, share, target = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
with open(file) as lines:
    vertices = int(lines.readline().split()[0])
    edges = [tuple(map(float, line.split())) for line in lines]
i = np.array([edge[0] for edge in edges], dtype=int) - 1
j = np.array([edge[1] for edge in edges], dtype=int) - 1
w = np.array([edge[2] if len(edge) > 2 else 1.0 for edge in edges])


def say(peer, setting, cuts, seconds):
    success = float(np.mean(np.array(cuts) >= target))
    run = seconds / len(cuts) * 1e3
    tts = run if success >= 0.99 else run * math.log(0.01) / math.log(1 - success) if success > 0 else None
    print(json.dumps({"peer": peer, "instance": instance, "share": share, "setting": setting, "reads": len(cuts),
                      "success": success, "run_ms": run, "tts99_ms": tts}))


def cut(spins):
    return float(np.sum(w * (1 - spins[i] * spins[j]) / 2))


def annealing(sweeps, reads):
    from dwave.samplers import SimulatedAnnealingSampler
    couplings = {(int(a), int(b)): float(c) for a, b, c in zip(i, j, w)}
    begun = time.process_time()
    found = SimulatedAnnealingSampler().sample_ising({v: 0.0 for v in range(vertices)}, couplings, num_reads=reads, num_sweeps=sweeps, seed=1)
    seconds = time.process_time() - begun
    order = np.argsort(found.variables)
    say("dwave-samplers, annealing", f"{sweeps} sweeps", [cut(spins[order]) for spins in found.record.sample], seconds)


def bifurcation(steps, dt, agents):
    import torch
    import simulated_bifurcation as sb
    torch.set_num_threads(1)
    torch.manual_seed(1)
    matrix = torch.zeros((vertices, vertices))
    matrix[i, j] = torch.tensor(w, dtype=torch.float32)
    matrix[j, i] = matrix[i, j]
    sb.set_env(time_step=dt, pressure_slope=1 / (dt * steps))
    begun = time.process_time()
    spins, _ = sb.minimize(matrix, domain="spin", mode="discrete", agents=agents, max_steps=steps, best_only=False, early_stopping=False, verbose=False)
    seconds = time.process_time() - begun
    say("simulated-bifurcation, dSB", f"{steps} steps, dt {dt}", [cut(row) for row in spins.numpy()], seconds)


# Sweeps and reads; steps, time step and agents.
SETTINGS = {
    ("G1", 0.99): ((100, 64), (200, 0.75, 128)),
    ("G22", 0.99): ((200, 64), (1000, 0.75, 128)),
    ("G22", 0.999): ((3000, 32), (5000, 0.75, 64)),
    ("G39", 0.99): ((3000, 32), None),
    ("G55", 0.99): ((500, 32), None),
    ("G70", 0.99): ((1000, 32), None),
    ("K2000", 0.99): ((1000, 8), (1000, 1.0, 64)),
}
sweeps, steps = SETTINGS[instance, share]
annealing(*sweeps)
if steps is not None:
    bifurcation(*steps)
