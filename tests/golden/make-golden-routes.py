#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write timestamp.tsv and route-v2-more.tsv again; needs Python 3.11.

What both files expect comes from Python itself: datetime.fromisoformat, and the
steps of the original's locate_shard with str.isdigit and int.  The vectors of
the original itself are in route-v2.tsv, which no program makes.
"""
import os
import random
import sys
import unicodedata
import zlib
from datetime import datetime, timedelta

HERE = os.path.dirname(os.path.abspath(__file__))
EPOCH = datetime(1970, 1, 1)


def parse(text):
    text = text.strip()
    if text.endswith("Z"):
        text = text[:-1] + "+00:00"
    return datetime.fromisoformat(text)


def instant(when):
    offset = when.utcoffset() or timedelta(0)
    return (when.replace(tzinfo=None) - EPOCH - offset) // timedelta(microseconds=1)


def locate(uid, when, n_bits):
    day = when.strftime("%Y%m%d")
    if not 4 <= n_bits <= 16:
        raise ValueError("n_bits")
    if uid.isdigit():
        slot = int(uid) % 2 ** n_bits
    else:
        slot = zlib.crc32(uid.encode()) & (2 ** n_bits - 1)
    digits = f"{slot:0{max(1, n_bits // 4)}X}"
    return day, slot, digits, f"{day}/{digits}.des"


def clock(pick):
    sep = pick.choice([":", ""])
    parts = [f"{pick.randrange(n):02}" for n in (24, 60, 60)]
    text = sep.join(parts[:pick.randint(1, 3)])
    if text.count(sep or "x") == 2 or len(text) == 6:
        n = pick.randint(0, 9)
        if n:
            text += pick.choice(".,") + f"{pick.randrange(10 ** n):0{n}}"
    return text


def time_text(pick):
    when = datetime(1, 1, 3) + timedelta(days=pick.randrange(3652050))
    year, week, weekday = when.isocalendar()
    text = pick.choice([
        f"{when.year:04}-{when.month:02}-{when.day:02}",
        f"{when.year:04}{when.month:02}{when.day:02}",
        f"{year:04}-W{week:02}", f"{year:04}W{week:02}",
        f"{year:04}-W{week:02}-{weekday}", f"{year:04}W{week:02}{weekday}"])
    if pick.random() < 0.8:
        text += pick.choice("TTTT t_") + clock(pick)
        text += pick.choice(["", "Z", "+" + clock(pick), "-" + clock(pick)])
    return text


def write_times(out, pick):
    print("# text, microseconds since 1970 UTC, date as written; made by "
          "make-golden-routes.py", file=out)
    for _ in range(200):
        text = time_text(pick)
        when = parse(text)
        print(text, instant(when), when.year, when.month, when.day,
              sep="\t", file=out)


def uids(pick):
    zeros = [c for c in range(sys.maxunicode + 1)
             if chr(c).isdecimal() and unicodedata.decimal(chr(c)) == 0]
    for zero in zeros:
        yield chr(zero - 1) + "1"
        yield "".join(chr(zero + d) for d in (0, 9, 1, pick.randrange(10)))
        yield "1" + chr(zero + 10)
    others = [c for c in range(sys.maxunicode + 1)
              if chr(c).isdigit() and not chr(c).isdecimal()]
    for c in others:
        yield "4" + chr(c)
        if c + 1 not in others:
            yield chr(c + 1)
        if c - 1 not in others:
            yield chr(c - 1)
    yield from ["", "+1", "1_000", " 1", "0x10", "½", "²a", "1 ", "\n1", "0",
                "000", "7" * 4300, "7" * 4301, "0" * 4301, "x" * 5000,
                "٣" * 4300, "\ud800", "1\udfff", "a\udc80b", "\x7f", "\x80",
                "\u07ff", "\u0800", "\uffff", "\U00010000", "\U0010ffff"]
    for _ in range(60):
        yield "".join(pick.choice("ab/é0123456789") for _ in range(pick.randint(1, 20)))


def write_routes(out, pick):
    print("# uid (hex of UTF-8, lone surrogates as three bytes), created_at, "
          "n_bits, day, slot, hex, key; or error; made by make-golden-routes.py",
          file=out)
    whens = ["2025-03-04T23:30:00-05:00", "0033-01-02", "0999-12-31T23:59Z",
             "1000-01-01", "9999-12-31T12:00:00+09:00"]
    for i, uid in enumerate(uids(pick)):
        when, n_bits = whens[i % len(whens)], 4 + i % 13
        row = [uid.encode("utf-8", "surrogatepass").hex(), when, n_bits]
        try:
            row += locate(uid, parse(when), n_bits)
        except ValueError:
            row.append("error")
        print(*row, sep="\t", file=out)


def main():
    with open(os.path.join(HERE, "timestamp.tsv"), "w") as out:
        write_times(out, random.Random(1))
    with open(os.path.join(HERE, "route-v2-more.tsv"), "w") as out:
        write_routes(out, random.Random(2))


main()
