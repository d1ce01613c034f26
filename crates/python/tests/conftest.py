"""Where the vectors are, and messages of ITCH 5.0 made by hand from its specification."""

import os
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "vectors" / "snn"
GOLDEN = sorted(VECTORS.glob("[gr]*.json"))


def data(name):
    """A file of the test data, or a skip that says so in the list of `tests/run`."""
    folders = [os.environ.get("FIRELANE_DATA"), ROOT / "shared", ROOT.parent / "shared"]
    for folder in folders:
        if folder and (Path(folder) / "data" / name).is_file():
            return Path(folder) / "data" / name
    if os.environ.get("CI") == "true":
        raise FileNotFoundError(f"data/{name}: set FIRELANE_DATA to the folder of the test data")
    if skips := os.environ.get("FIRELANE_SKIPS"):
        with open(skips, "a", encoding="utf-8") as lines:
            lines.write(f"SKIPPED python: data/{name} is not there\n")
    pytest.skip(f"data/{name} is not there")


class Day:
    """A day of messages, as a BinaryFILE holds them ("TotalView-ITCH 5.0")."""

    def __init__(self):
        self.bytes = b""

    def message(self, letter, locate, ns, body):
        head = struct.pack(">cHH", letter, locate, 0) + ns.to_bytes(6, "big")
        self.bytes += struct.pack(">H", len(head + body)) + head + body
        return self

    def add(self, ns, order, side, shares, symbol, price, locate=1):
        body = struct.pack(">QcI8sI", order, side, shares, symbol.ljust(8).encode(), price)
        return self.message(b"A", locate, ns, body)

    def execute(self, ns, order, shares, locate=1):
        return self.message(b"E", locate, ns, struct.pack(">QIQ", order, shares, 77))

    def execute_at(self, ns, order, shares, price, locate=1):
        return self.message(b"C", locate, ns, struct.pack(">QIQcI", order, shares, 78, b"Y", price))

    def cancel(self, ns, order, shares, locate=1):
        return self.message(b"X", locate, ns, struct.pack(">QI", order, shares))

    def delete(self, ns, order, locate=1):
        return self.message(b"D", locate, ns, struct.pack(">Q", order))

    def replace(self, ns, order, new, shares, price, locate=1):
        return self.message(b"U", locate, ns, struct.pack(">QQII", order, new, shares, price))

    def trade(self, ns, shares, symbol, price, locate=1):
        body = struct.pack(">QcI8sIQ", 0, b"B", shares, symbol.ljust(8).encode(), price, 79)
        return self.message(b"P", locate, ns, body)

    def open(self, ns, *symbols):
        """The beginning of a day on which these trade: locates count from 1 on."""
        self.event(ns, b"O").event(ns, b"S")
        for locate, symbol in enumerate(symbols, 1):
            name = symbol.ljust(8).encode()
            body = struct.pack(
                ">8sccIcc2scccccIc", name, b"Q", b"N", 100, b"N", b"C", b"Z ", b"P", b"N", b" ", b"1", b"N", 0, b"N"
            )
            self.message(b"R", locate, ns, body).message(
                b"H", locate, ns, struct.pack(">8scc4s", name, b"T", b" ", b"    ")
            )
        return self.event(ns, b"Q")

    def event(self, ns, code):
        return self.message(b"S", 0, ns, code)


@pytest.fixture
def day():
    """Two symbols; every message that moves an order."""
    made = Day().event(1, b"O")
    made.add(10, 1, b"B", 100, "AAPL", 1_000_000).add(11, 2, b"S", 50, "AAPL", 1_000_200)
    made.add(12, 3, b"B", 70, "MSFT", 500_000, locate=2).add(13, 4, b"B", 30, "AAPL", 1_000_100)
    made.execute(20, 4, 10).execute_at(21, 2, 20, 1_000_150).cancel(22, 1, 40).replace(23, 2, 5, 60, 1_000_300)
    made.trade(24, 500, "AAPL", 1_000_250).delete(25, 4).delete(26, 3, locate=2)
    return made
