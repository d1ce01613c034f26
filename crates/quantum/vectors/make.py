"""Writes the vectors of this folder: inputs and exact numbers of the packages that users would take instead.

    python3.11 -m venv v
    v/bin/pip install qiskit==2.6.2 qiskit-finance==0.4.1 qiskit-optimization==0.7.0 qiskit-algorithms==0.4.0 \
        qiskit-machine-learning==0.9.1 scikit-learn==1.9.1 networkx==3.6.1
    v/bin/python crates/quantum/vectors/make.py

Nothing here is sampled but points and angles that are inputs; all results are exact (of statevectors), but for the machine that
scikit-learn trains, which ends at its tolerance.
"""
import datetime
import json
import os
import warnings
from importlib.metadata import version

import networkx as nx
import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import library as lib
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector
from qiskit_finance.applications.estimation import EuropeanCallDelta, EuropeanCallPricing
from qiskit_finance.applications.optimization import PortfolioOptimization
from qiskit_finance.circuit.library import GaussianConditionalIndependenceModel, LogNormalDistribution
from qiskit_finance.data_providers import RandomDataProvider
from qiskit_machine_learning.kernels import FidelityStatevectorKernel
from qiskit_optimization.converters import QuadraticProgramToQubo
from sklearn.svm import SVC

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ["qiskit", "qiskit-finance", "qiskit-optimization", "qiskit-algorithms", "qiskit-machine-learning", "scikit-learn", "networkx", "numpy"]


def write(name, document):
    document = {"made_by": "crates/quantum/vectors/make.py", "packages": {one: version(one) for one in PACKAGES}, **document}
    with open(os.path.join(HERE, name), "w") as file:
        # A line for each key.
        lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


def state_of(circuit):
    return Statevector(transpile(circuit, basis_gates=["u", "cx"], optimization_level=0))


def complex_list(values):
    return [[float(v.real), float(v.imag)] for v in np.asarray(values).ravel()]


def gates():
    angle = 0.7
    all_gates = {
        "x": lib.XGate(), "y": lib.YGate(), "z": lib.ZGate(), "h": lib.HGate(), "s": lib.SGate(), "sdg": lib.SdgGate(),
        "t": lib.TGate(), "tdg": lib.TdgGate(), "sx": lib.SXGate(), "sxdg": lib.SXdgGate(), "rx": lib.RXGate(angle),
        "ry": lib.RYGate(angle), "rz": lib.RZGate(angle), "p": lib.PhaseGate(angle), "swap": lib.SwapGate(),
        "rxx": lib.RXXGate(angle), "ryy": lib.RYYGate(angle), "rzz": lib.RZZGate(angle), "xy": lib.XXPlusYYGate(angle),
        "cx": lib.CXGate(), "cz": lib.CZGate(), "cp": lib.CPhaseGate(angle), "crx": lib.CRXGate(angle), "cry": lib.CRYGate(angle),
        "crz": lib.CRZGate(angle), "ch": lib.CHGate(), "cy": lib.CYGate(), "ccx": lib.CCXGate(), "cswap": lib.CSwapGate(),
    }
    # Row by row; qubit 0 is the lowest bit of the index, and controls come before targets.
    matrices = {name: complex_list(Operator(gate).data) for name, gate in all_gates.items()}
    write("gates.json", {"angle": angle, "matrices": matrices})


def portfolio():
    start, end = datetime.datetime(2016, 1, 1), datetime.datetime(2016, 1, 30)
    data = RandomDataProvider(tickers=[f"TICKER{i}" for i in range(4)], start=start, end=end, seed=123)
    data.run()
    mu, sigma = data.get_period_return_mean_vector(), data.get_period_return_covariance_matrix()
    program = PortfolioOptimization(expected_returns=mu, covariances=sigma, risk_factor=0.5, budget=2).to_quadratic_program()
    qubo = QuadraticProgramToQubo(penalty=4).convert(program)
    operator, offset = qubo.to_ising()
    values = [float(qubo.objective.evaluate([x >> i & 1 for i in range(4)])) for x in range(16)]
    # The ansatz of the tutorial's variational solver, at fixed angles, and one that is entangled in a line.
    angles = [round(0.3 * k - 1.0, 10) for k in range(16)]
    means = {}
    for entanglement in ["full", "linear"]:
        circuit = lib.real_amplitudes(4, entanglement=entanglement, reps=3).assign_parameters(angles)
        means[entanglement] = float(state_of(circuit).expectation_value(operator).real) + offset
    write("portfolio.json", {
        "mu": mu.tolist(), "sigma": sigma.tolist(), "risk": 0.5, "budget": 2, "penalty": 4, "offset": float(offset),
        "terms": [[label, float(weight.real)] for label, weight in operator.to_list()], "values": values,
        "real_amplitudes": {"angles": angles, "means": means},
    })


def option():
    spot, volatility, rate, years, strike, scale, qubits = 2.0, 0.4, 0.05, 40 / 365, 1.896, 0.25, 3
    mu, sigma = (rate - 0.5 * volatility**2) * years + np.log(spot), volatility * np.sqrt(years)
    mean = np.exp(mu + sigma**2 / 2)
    deviation = np.sqrt((np.exp(sigma**2) - 1) * np.exp(2 * mu + sigma**2))
    bounds = (np.maximum(0, mean - 3 * deviation), mean + 3 * deviation)
    grid = LogNormalDistribution(qubits, mu=mu, sigma=sigma**2, bounds=bounds)
    pricing = EuropeanCallPricing(num_state_qubits=qubits, strike_price=strike, rescaling_factor=scale, bounds=bounds, uncertainty_model=grid)
    problem = pricing.to_estimation_problem()
    amplitude = float(state_of(problem.state_preparation).probabilities(problem.objective_qubits)[1])
    powers = []
    for k in range(1, 4):
        circuit = QuantumCircuit(problem.state_preparation.num_qubits)
        circuit.compose(problem.state_preparation, inplace=True)
        circuit.compose(problem.grover_operator.power(k), inplace=True)
        powers.append(float(state_of(circuit).probabilities(problem.objective_qubits)[1]))
    delta = EuropeanCallDelta(num_state_qubits=qubits, strike_price=strike, bounds=bounds, uncertainty_model=grid).to_estimation_problem()
    write("option.json", {
        "spot": spot, "volatility": volatility, "rate": rate, "years": years, "strike": strike, "scale": scale, "qubits": qubits,
        "values": grid.values.tolist(), "probabilities": grid.probabilities.tolist(),
        "exact": float(np.dot(grid.probabilities, np.maximum(0, grid.values - strike))),
        "exact_delta": float(sum(grid.probabilities[grid.values >= strike])),
        "amplitude": amplitude, "value": float(problem.post_processing(amplitude)), "powers": powers,
        "delta_amplitude": float(state_of(delta.state_preparation).probabilities(delta.objective_qubits)[1]),
    })


def credit():
    factor, default, sensitivity, loss, scale, level = 2, [0.15, 0.25], [0.1, 0.05], [1, 2], 0.25, 0.95
    model = GaussianConditionalIndependenceModel(factor, 2, default, sensitivity)
    pdf = np.zeros(4)
    for number, p in enumerate(state_of(model).probabilities()):
        pdf[sum(loss[k] * (number >> (factor + k) & 1) for k in range(2))] += p
    risk = next(x for x in range(4) if pdf[: x + 1].sum() >= level)

    def estimated(objective):
        """The amplitude of a circuit that adds up losses and then computes `objective` of them."""
        adder = lib.WeightedAdder(model.num_qubits - factor, loss)
        sums = adder.num_sum_qubits
        circuit = QuantumCircuit(model.num_qubits + adder.num_qubits - 2 + objective.num_qubits - sums)
        circuit.append(model.to_gate(), range(model.num_qubits))
        carries = list(range(model.num_qubits + sums, model.num_qubits + adder.num_qubits - 2))
        register = list(range(model.num_qubits, model.num_qubits + sums))
        circuit.append(adder.to_gate(), list(range(factor, factor + 2)) + register + carries)
        rest = list(range(model.num_qubits + adder.num_qubits - 2, circuit.num_qubits))
        circuit.append(objective.to_gate(), register + rest)
        return float(state_of(circuit).probabilities([rest[0]])[1])

    mean = lib.LinearAmplitudeFunction(2, slope=[1], offset=[0], domain=(0, 3), image=(0, 3), rescaling_factor=scale)
    beyond = lib.LinearAmplitudeFunction(2, [0, 1], [0, 0], domain=(0, 3), image=(0, 3 - risk), rescaling_factor=scale, breakpoints=[0, risk])
    amplitude, above = estimated(mean), estimated(beyond)
    write("credit.json", {
        "factor_qubits": factor, "default": default, "sensitivity": sensitivity, "loss": [int(one) for one in loss], "scale": scale, "level": level,
        "pdf": pdf.tolist(), "mean": float(np.arange(4) @ pdf), "value_at_risk": int(risk), "not_above": float(pdf[: risk + 1].sum()),
        "mean_above": float(np.arange(risk + 1, 4) @ pdf[risk + 1 :] / pdf[risk + 1 :].sum()),
        "mean_amplitude": amplitude, "mean_value": float(mean.post_processing(amplitude)),
        "above_amplitude": above, "above_value": float(beyond.post_processing(above)),
    })


def qaoa():
    nodes, layers = 20, 4
    graph = nx.random_regular_graph(3, nodes, seed=7)
    edges = [list(edge) for edge in graph.edges()]
    gammas = [round(0.2 + 0.15 * k, 10) for k in range(layers)]
    betas = [round(0.15 * k - 0.6, 10) for k in range(layers)]
    circuit = QuantumCircuit(nodes)
    circuit.h(range(nodes))
    for gamma, beta in zip(gammas, betas):
        # exp(-i gamma C), C = minus the cut, but for a phase of everything.
        for i, j in edges:
            circuit.rzz(gamma, i, j)
        circuit.rx(2 * beta, range(nodes))
    cut = SparsePauliOp.from_sparse_list([("ZZ", e, 0.5) for e in edges] + [("", [], -len(edges) / 2)], num_qubits=nodes)
    mean = float(Statevector(circuit).expectation_value(cut).real)
    write("qaoa.json", {"nodes": nodes, "edges": edges, "gammas": gammas, "betas": betas, "mean": mean})


def kernel():
    random = np.random.default_rng(7)
    points, classes = [], []
    # Two rings, one within the other, with noise: a task on which no kernel is given an advantage.
    for k in range(60):
        inner = k % 2 == 0
        radius, turn = (0.6 if inner else 1.1) + random.normal(0, 0.12), random.uniform(0, 2 * np.pi)
        points.append([round(1.5 + radius * np.cos(turn), 6), round(1.5 + radius * np.sin(turn), 6)])
        classes.append(inner)
    points = np.array(points)
    train, test = slice(0, 40), slice(40, 60)
    fidelity = FidelityStatevectorKernel(feature_map=lib.zz_feature_map(2, reps=2, entanglement="full"))
    gram, crossed = fidelity.evaluate(points[train]), fidelity.evaluate(points[test], points[train])
    machine = SVC(kernel="precomputed", C=1.0, tol=1e-9).fit(gram, classes[train])
    write("kernel.json", {
        "repetitions": 2, "cost": 1.0, "points": points.tolist(), "classes": classes, "trained": 40, "gram": gram[:8].tolist(),
        "decisions": machine.decision_function(crossed).tolist(), "vectors": int(machine.n_support_.sum()),
    })


gates()
portfolio()
option()
credit()
qaoa()
kernel()
