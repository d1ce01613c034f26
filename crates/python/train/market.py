"""A made-up day of one symbol, as messages of ITCH 5.0, in which it is known where somebody layered the book.

Background: orders of all sizes come, shrink, trade and go, on both sides. An episode of layering: within some forty messages somebody shows large orders one after another on one
side, trades a little on the other, and takes all of them back. A decoy: the same large orders, and they stay; or a crowd that leaves one side, whose orders were not large and
not shown together.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

SYMBOL = b"FIRE    "


@dataclass
class Day:
    """Messages as a BinaryFILE holds them, and where the episodes are: first and last nanosecond."""

    bytes: bytearray = field(default_factory=bytearray)
    episodes: list[tuple[int, int]] = field(default_factory=list)
    decoys: list[tuple[int, int]] = field(default_factory=list)


class Market:
    """Writes a day, message by message."""

    def __init__(self, seed: int):
        self.draw = random.Random(seed)
        self.day = Day()
        self.now = 34_200_000_000_000
        self.last = 0
        self.mid = 1_000_000
        #: Orders that rest: reference to side and size.
        self.resting: dict[int, tuple[bytes, int]] = {}

    def message(self, letter: bytes, body: bytes) -> None:
        self.now += self.draw.randint(20_000, 2_000_000)
        head = struct.pack(">cHH", letter, 0 if letter == b"S" else 1, 0) + self.now.to_bytes(6, "big")
        self.day.bytes += struct.pack(">H", len(head + body)) + head + body

    def add(self, side: bytes, qty: int) -> int:
        self.last += 1
        away = 100 * self.draw.randint(1, 5)
        price = self.mid - away if side == b"B" else self.mid + away
        self.message(b"A", struct.pack(">QcI8sI", self.last, side, qty, SYMBOL, price))
        self.resting[self.last] = (side, qty)
        return self.last

    def execute(self, side: bytes) -> None:
        order = next((order for order, (of, _) in self.resting.items() if of == side), None)
        if order is not None:
            qty = min(self.resting[order][1], 100)
            self.message(b"E", struct.pack(">QIQ", order, qty, self.now))
            self.shrink(order, qty)

    def shrink(self, order: int, qty: int) -> None:
        side, left = self.resting.pop(order)
        if left > qty:
            self.resting[order] = (side, left - qty)

    def delete(self, order: int) -> None:
        if self.resting.pop(order, None):
            self.message(b"D", struct.pack(">Q", order))

    def open(self) -> None:
        """The beginning of a day on which it trades."""
        self.message(b"S", b"O")
        self.message(b"S", b"S")
        listed = struct.pack(
            ">8sccIcc2scccccIc", SYMBOL, b"Q", b"N", 100, b"N", b"C", b"Z ", b"P", b"N", b" ", b"1", b"N", 0, b"N"
        )
        self.message(b"R", listed)
        self.message(b"H", struct.pack(">8scc4s", SYMBOL, b"T", b" ", b"    "))
        self.message(b"S", b"Q")

    def background(self) -> None:
        """One message of everybody's."""
        what = self.draw.random()
        if what < 0.52 or len(self.resting) < 20:
            size = 100 * self.draw.randint(1, 4) if self.draw.random() < 0.9 else 100 * self.draw.randint(8, 30)
            self.add(self.draw.choice([b"B", b"S"]), size)
        elif what < 0.62:
            self.execute(self.draw.choice([b"B", b"S"]))
        else:
            # The longer one rests the likelier it goes: else the book would grow all day.
            orders = list(self.resting)
            self.delete(orders[int(len(orders) * self.draw.random() ** 2)])
        if self.draw.random() < 0.02:
            self.mid += self.draw.choice([-100, 100])

    def between(self, most: int) -> None:
        for _ in range(self.draw.randint(0, most)):
            self.background()

    def episode(self) -> None:
        side, other = self.draw.choice([(b"B", b"S"), (b"S", b"B")])
        start, orders = self.now + 1, []
        for _ in range(self.draw.randint(5, 8)):
            orders.append(self.add(side, 100 * self.draw.randint(8, 30)))
            self.between(1)
        for _ in range(self.draw.randint(1, 2)):
            self.execute(other)
        self.draw.shuffle(orders)
        for order in orders:
            self.delete(order)
            self.between(1)
        self.day.episodes.append((start, self.now))

    def decoy(self) -> None:
        start = self.now + 1
        if self.draw.random() < 0.5:
            side = self.draw.choice([b"B", b"S"])
            for _ in range(self.draw.randint(5, 8)):
                self.add(side, 100 * self.draw.randint(8, 30))
                self.between(1)
        else:
            side = self.draw.choice([b"B", b"S"])
            for order in [order for order, (of, qty) in self.resting.items() if of == side and qty < 800][:7]:
                self.delete(order)
                self.between(1)
        self.day.decoys.append((start, self.now))


def day(seed: int, messages: int) -> Day:
    """A day of about so many messages. An episode or a decoy comes every two hundred messages or so."""
    market = Market(seed)
    market.open()
    while len(market.day.bytes) < 36 * messages:
        for _ in range(market.draw.randint(60, 300)):
            market.background()
        market.episode() if market.draw.random() < 0.6 else market.decoy()
    return market.day
