"""What QAOA of 20 qubits and four layers costs in Qiskit Aer and PennyLane Lightning, by turns with Firelane.

    python3.11 -m venv v
    v/bin/pip install qiskit==2.6.2 qiskit-aer==0.18.2 pennylane==0.45.1 pennylane-lightning==0.45.0
    v/bin/python crates/quantum/peers/qaoa.py target/release/firelane

All compute the mean of the same cost on the same graph with the same angles (crates/quantum/vectors/qaoa.json) in processor time of
one thread; what is compared is the least of several turns of each. Their circuits are built and transpiled before, outside of what
is timed; Firelane's time has all of it, the table of costs too. Aer is asked for the expectation of the 30 products of Z inside of
its run (save_expectation_value), in double precision and in single; Lightning for that of a Hamiltonian. The means must agree.
"""
import json
import os
import subprocess
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import pennylane as qml
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator

TURNS = 5
vector = json.load(open(os.path.join(os.path.dirname(__file__), "../vectors/qaoa.json")))
nodes, edges = vector["nodes"], vector["edges"]
angles = list(zip(vector["gammas"], vector["betas"]))


def aer(precision):
    """Runs the circuit of Qiskit, rzz by rzz, and gives the mean cut."""
    circuit = QuantumCircuit(nodes)
    circuit.h(range(nodes))
    for gamma, beta in angles:
        for i, j in edges:
            circuit.rzz(gamma, i, j)
        circuit.rx(2 * beta, range(nodes))
    products = SparsePauliOp.from_sparse_list([("ZZ", edge, 1.0) for edge in edges], num_qubits=nodes)
    circuit.save_expectation_value(products, range(nodes))
    simulator = AerSimulator(method="statevector", precision=precision, max_parallel_threads=1)
    circuit = transpile(circuit, simulator, optimization_level=1)

    def run():
        result = simulator.run(circuit).result()
        return (len(edges) - result.data()["expectation_value"]) / 2

    return run


def lightning():
    device = qml.device("lightning.qubit", wires=nodes)
    products = qml.Hamiltonian([1.0] * len(edges), [qml.Z(i) @ qml.Z(j) for i, j in edges])

    @qml.qnode(device, diff_method=None)
    def circuit():
        for wire in range(nodes):
            qml.Hadamard(wire)
        for gamma, beta in angles:
            for i, j in edges:
                qml.IsingZZ(gamma, wires=[i, j])
            for wire in range(nodes):
                qml.RX(2 * beta, wires=wire)
        return qml.expval(products)

    return lambda: (len(edges) - float(circuit())) / 2


def firelane(program):
    """The report of one round of `firelane quantum bench`."""
    out = subprocess.run([program, "quantum", "bench", "--rounds", "3", "--qubits", "2", "--json"], capture_output=True, check=True, text=True)
    return json.loads(out.stdout)


peers = {"aer, double": aer("double"), "aer, single": aer("single"), "lightning": lightning()}
times, means = {}, {}
for turn in range(TURNS):
    for name, run in peers.items():
        began = time.process_time()
        means[name] = run()
        times.setdefault(name, []).append((time.process_time() - began) * 1e3)
    report = firelane(sys.argv[1])
    means["firelane"] = report["mean"]
    for path in report["paths"]:
        times.setdefault(f"firelane {path['path']}", []).append(path["qaoa_ms"])
print("mean cut:", ", ".join(f"{name} {mean:.6f}" for name, mean in means.items()))
ours = min(min(all_ms) for name, all_ms in times.items() if name.startswith("firelane"))
for name, all_ms in times.items():
    print(f"{name:<16} {min(all_ms):7.1f} ms of processor time (turns: {', '.join(f'{ms:.0f}' for ms in all_ms)}); {min(all_ms) / ours:5.1f} of Firelane's least")
