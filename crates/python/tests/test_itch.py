"""Recorded days: every row against what the specification says, made by hand and of a real day."""

import csv
import gzip
import lzma
import struct

import numpy as np
import pytest

import firelane
from conftest import Day, data

ROWS = [
    # time, kind, order, side, qty, price, bid, bid_qty, ask, ask_qty
    (10, b"A", 1, b"B", 100, 1_000_000, 1_000_000, 100, 0, 0),
    (11, b"A", 2, b"S", 50, 1_000_200, 1_000_000, 100, 1_000_200, 50),
    (13, b"A", 4, b"B", 30, 1_000_100, 1_000_100, 30, 1_000_200, 50),
    (20, b"E", 4, b"B", 10, 1_000_100, 1_000_100, 20, 1_000_200, 50),
    (21, b"C", 2, b"S", 20, 1_000_150, 1_000_100, 20, 1_000_200, 30),
    (22, b"X", 1, b"B", 40, 1_000_000, 1_000_100, 20, 1_000_200, 30),
    (23, b"U", 5, b"S", 60, 1_000_300, 1_000_100, 20, 1_000_300, 60),
    (24, b"P", 0, b"", 500, 1_000_250, 1_000_100, 20, 1_000_300, 60),
    (25, b"D", 4, b"B", 20, 1_000_100, 1_000_000, 60, 1_000_300, 60),
]
COLUMNS = ["time", "kind", "order", "side", "qty", "price", "bid", "bid_qty", "ask", "ask_qty"]


def plain(rows):
    return [tuple(row[name].item() for name in COLUMNS) for row in rows]


@pytest.mark.parametrize("pack", [lambda raw: raw, gzip.compress, lzma.compress], ids=["raw", "gzip", "xz"])
def test_each_message_of_a_symbol_is_a_row(day, tmp_path, pack):
    path = tmp_path / "day.itch"
    path.write_bytes(pack(day.bytes))
    rows = firelane.itch.read(path, "AAPL")
    assert plain(rows) == ROWS
    assert not rows.stale.any() and set(rows.symbol) == {b"AAPL"}
    assert plain(firelane.itch.read(day.bytes, ["AAPL"])) == ROWS


def test_without_symbols_all_are_there(day):
    rows = firelane.itch.read(day.bytes)
    assert plain(rows[rows.symbol == b"AAPL"]) == ROWS
    other = rows[rows.symbol == b"MSFT"]
    assert other.kind.tolist() == [b"A", b"D"] and other.bid.tolist() == [500_000, 0]
    both = firelane.itch.read(day.bytes, ["MSFT", "AAPL"])
    assert np.array_equal(both, rows)


def test_many_symbols_need_more_room_than_there_was():
    made = Day()
    for at in range(300):
        made.add(at, at + 1, b"B", 10 + at, f"S{at}", 10_000 + at, locate=at + 1)
    for at in range(300):
        made.cancel(1_000 + at, at + 1, 1, locate=at + 1)
    rows = firelane.itch.read(made.bytes)
    assert len(rows) == 600 and rows.bid_qty.tolist()[300:] == [9 + at for at in range(300)]
    assert [symbol.decode() for symbol in rows.symbol[300:]] == [f"S{at}" for at in range(300)]


def test_several_levels_and_the_whole_book(day):
    replay = firelane.itch.Replay(day.bytes, "AAPL", levels=3)
    rows = replay.read(until=22)
    assert len(rows) == 5 and rows.bid.shape == (5, 3)
    assert rows[-1].bid.tolist() == [1_000_100, 1_000_000, 0] and rows[-1].bid_qty.tolist() == [20, 100, 0]
    book = replay.book("AAPL")
    assert book.bids.tolist() == [[1_000_100, 20, 1], [1_000_000, 100, 1]] and book.asks.tolist() == [
        [1_000_200, 30, 1]
    ]
    assert not book.stale
    # On from there, row by row.
    more = [replay.read(rows=1) for _ in range(5)]
    assert [len(rows) for rows in more] == [1, 1, 1, 1, 0]
    assert [rows.time[0] for rows in more[:4]] == [22, 23, 24, 25]
    assert replay.book("AAPL").bids.tolist() == [[1_000_000, 60, 1]]
    assert replay.counts == {"S": 1, "A": 4, "E": 1, "C": 1, "X": 1, "U": 1, "P": 1, "D": 2}
    assert set(replay.errors.values()) == {0} and replay.missing == []


def test_an_order_is_found_whatever_the_locate_says(day):
    moved = Day()
    moved.bytes = day.bytes
    moved.cancel(30, 1, 10, locate=9).add(31, 8, b"B", 1, "IBM", 1, locate=9).delete(32, 1, locate=9)
    rows = firelane.itch.read(moved.bytes, "AAPL")
    assert rows[-2:].kind.tolist() == [b"X", b"D"] and rows[-2:].bid_qty.tolist() == [50, 0]


def test_a_new_day_begins_with_empty_books(day):
    twice = Day().event(1, b"O")
    twice.bytes = day.bytes + twice.bytes
    twice.add(2, 1, b"B", 7, "AAPL", 10)
    rows = firelane.itch.read(twice.bytes, "AAPL")
    assert (rows[-1].bid, rows[-1].bid_qty, rows[-1].ask) == (10, 7, 0) and not rows[-1].stale


def test_what_contradicts_itself_is_stale_and_told(day):
    wrong = Day()
    wrong.bytes = day.bytes
    wrong.delete(30, 99).add(31, 9, b"B", 1, "AAPL", 5)
    with pytest.warns(UserWarning, match="the bytes: unknown_ref 1; rows that may be wrong are marked stale"):
        rows = firelane.itch.read(wrong.bytes, "AAPL")
    assert rows[:-1].stale.sum() == 0 and rows[-1].stale


def test_more_than_is_left_is_told_by_its_name(day):
    wrong = Day()
    wrong.bytes = day.bytes
    wrong.execute(30, 1, 999)
    with pytest.warns(UserWarning, match="over_reduce 1; rows"):
        rows = firelane.itch.read(wrong.bytes, "AAPL")
    assert (rows[-1].bid, rows[-1].stale) == (0, True)


def test_a_book_stays_stale_when_there_is_more_room():
    made = Day().add(1, 1, b"B", 10, "S0", 100).delete(2, 77)
    for at in range(1, 200):
        made.add(10 + at, at + 1, b"B", 10, f"S{at}", 100, locate=at + 1)
    made.cancel(900, 1, 5)
    with pytest.warns(UserWarning, match="unknown_ref 1"):
        rows = firelane.itch.read(made.bytes)
    assert rows[-1].symbol == b"S0" and rows[-1].stale and not rows[1:-1].stale.any()


def test_what_comes_behind_the_end_of_a_day_is_another_day(day):
    more = Day()
    more.bytes = day.bytes
    more.event(50, b"C").add(5, 1, b"B", 7, "AAPL", 10)
    rows = firelane.itch.read(more.bytes, "AAPL")
    assert (rows[-1].bid, rows[-1].bid_qty, rows[-1].ask) == (10, 7, 0) and not rows.stale.any()


def capture(packets):
    """A packet capture of MoldUDP64: `(sequence number, messages)` of each packet."""
    made = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
    for sequence, messages in packets:
        body = b"SESSION   " + struct.pack(">QH", sequence, len(messages))
        body += b"".join(struct.pack(">H", len(one)) + one for one in messages)
        udp = struct.pack(">HHHH", 9_000, 9_001, 8 + len(body), 0) + body
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x0a\0\0\1", b"\xe9\0\0\1") + udp
        frame = b"\1\0^\0\0\1" + b"\2\0\0\0\0\1" + b"\x08\0" + ip
        made += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    return made


def test_a_capture_whose_packets_were_lost_is_stale_from_there_on(day):
    messages, rest = [], day.bytes
    while rest:
        size = struct.unpack(">H", rest[:2])[0]
        messages, rest = [*messages, rest[2 : 2 + size]], rest[2 + size :]
    whole = [(at + 1, [one]) for at, one in enumerate(messages)]
    rows = firelane.itch.read(capture(whole), "AAPL")
    assert plain(rows) == ROWS and not rows.stale.any()
    # Without the message of MSFT and the one that follows.
    with pytest.warns(UserWarning, match="lost 2; rows that may be wrong"):
        rows = firelane.itch.read(capture(whole[:3] + whole[5:]), "AAPL")
    assert rows.time.tolist()[:3] == [10, 11, 21] and rows.stale.tolist() == [False, False] + [True] * (len(rows) - 2)


def test_a_file_that_breaks_off_is_read_as_far_as_it_goes(day, tmp_path):
    path = tmp_path / "cut.itch"
    path.write_bytes(day.bytes[:-5])
    with pytest.warns(UserWarning, match=r"cut.itch: .*; what comes before that was read"):
        rows = firelane.itch.read(path, "AAPL")
    assert plain(rows) == ROWS


def test_what_is_no_recording_says_so(tmp_path, day):
    with pytest.raises(FileNotFoundError, match="nowhere.itch"):
        firelane.itch.read(tmp_path / "nowhere.itch", "AAPL")
    with pytest.raises(OSError, match="directory|folder"):
        firelane.itch.read(tmp_path, "AAPL")
    (tmp_path / "text").write_text("hello, this is no recording of anything\n" * 9)
    with pytest.raises(ValueError, match="text: there is no ITCH 5.0 message in it; it looks like"):
        firelane.itch.read(tmp_path / "text")
    with pytest.raises(ValueError, match="no message names aapl; symbols are as Nasdaq writes them"):
        firelane.itch.read(day.bytes, "aapl")
    with pytest.raises(ValueError, match='symbols: "A B": a symbol is one to eight printable ASCII characters'):
        firelane.itch.read(day.bytes, "A B")
    for levels in [0, 51]:
        with pytest.raises(ValueError, match=f"levels is {levels}; it must be 1 to 50"):
            firelane.itch.Replay(day.bytes, "AAPL", levels=levels)
    firelane.itch.Replay(day.bytes, "AAPL", levels=50)
    with pytest.raises(ValueError, match='"IBM" is not followed, or no message has named it yet'):
        firelane.itch.Replay(day.bytes, "AAPL").book("IBM")
    with pytest.raises(ValueError, match="rows is -1; it must be 0 or more"):
        firelane.itch.Replay(day.bytes, "AAPL").read(rows=-1)


def test_a_real_day_has_the_best_prices_that_somebody_else_found():
    rows = firelane.itch.read(data("itch/aapl_20120621_da.itch.xz"), "AAPL")
    with lzma.open(data("itch/aapl_20120621_bbo_oracle.csv.xz"), "rt") as file:
        expected = [tuple(int(value) for value in line[1:5]) for line in csv.reader(file) if line[0].isdigit()]
    best = np.stack([rows.ask, rows.ask_qty, rows.bid, rows.bid_qty], axis=1)
    changed = np.any(best[1:] != best[:-1], axis=1)
    found = best[np.concatenate([[True], changed])]
    # Theirs begin with the third, and end where LOBSTER's file does.
    assert (len(found), len(expected)) == (23_441, 15_999)
    assert found[2 : 2 + len(expected)].tolist() == [list(line) for line in expected]
