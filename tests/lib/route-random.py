#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare routes of format 2 with Python's own arithmetic, for random uids.

    route-random.py ROUTE-LINES [COUNT [SEED]]

The other implementation is int(), str.isdigit() and zlib.crc32(), which the
original program was made of.  Digits that came with a later Unicode than the
table of desfs knows (14.0) are not asked for.
"""
import random
import subprocess
import sys
import tempfile
import unicodedata
import zlib
from datetime import datetime

KNOWN = (unicodedata if unicodedata.unidata_version == "14.0.0"
         else unicodedata.ucd_3_2_0)
CHARS = [chr(c) for c in range(0x110000) if not 0xd800 <= c < 0xe000]
DECIMALS = [c for c in CHARS if KNOWN.category(c) == "Nd"]
OTHERS = [c for c in CHARS if KNOWN.digit(c, None) is not None
          and KNOWN.decimal(c, None) is None]
NUMERIC = [c for c in CHARS if KNOWN.numeric(c, None) is not None
           and KNOWN.digit(c, None) is None]
SCRIPTS = [DECIMALS[i:i + 10] for i in range(0, len(DECIMALS), 10)]
ACCENTED = [c for c in CHARS[0xc0:0x2000] if unicodedata.decomposition(c)]
ASCII = [chr(c) for c in range(128)]
WORDS = ["report", "user", "zdjęcie", "photo", "данные", "文件", "🦀", "a", ""]
ENDS = [".pdf", ".jpg", ".tar.gz", "", ".", "/", " ", "\n", "\0"]
SIGNS = ["-", "+", " ", "_", "0x", ".", "\t", "\u00a0", "½", "\u200e"]


def digits(pick, chars, n):
    return "".join(pick.choices(chars, k=n))


def ascii_number(pick):
    return "0" * pick.choice([0, 0, 0, 1, 5]) + str(pick.getrandbits(
        pick.choice([1, 4, 8, 16, 17, 31, 32, 33, 63, 64, 65, 200])))


def script_number(pick):
    return digits(pick, pick.choice(SCRIPTS), pick.randint(1, 25))


def mixed_number(pick):
    return digits(pick, DECIMALS, pick.randint(1, 25))


def with_others(pick):
    text = script_number(pick) + pick.choice(OTHERS) + ascii_number(pick)
    return pick.choice([text, text, pick.choice(OTHERS)])


def nearly_number(pick):
    text = pick.choice([ascii_number, mixed_number])(pick)
    at = pick.randint(0, len(text))
    return text[:at] + pick.choice(SIGNS + NUMERIC[:200]) + text[at:]


def long_number(pick):
    n = pick.choice([4299, 4300, 4301, 4302, 6000])
    text = digits(pick, pick.choice([SCRIPTS[0], DECIMALS]), n)
    return pick.choice([text, "0" + text[1:], "0" * n, text + "x"])


def name(pick):
    return "/".join(pick.choice(WORDS) + pick.choice(["", "-", "_"])
                    + str(pick.randrange(10 ** 6)) + pick.choice(ENDS)
                    for _ in range(pick.randint(1, 3)))


def accents(pick):
    text = "".join(pick.choices(ACCENTED, k=pick.randint(1, 8)))
    return unicodedata.normalize(pick.choice(["NFC", "NFD"]), text)


def any_text(pick):
    return "".join(pick.choices(pick.choice([CHARS, ASCII]),
                                k=pick.randint(0, 12)))


def surrogate(pick):
    return pick.choice([name, ascii_number])(pick) + chr(
        pick.randrange(0xd800, 0xe000))


KINDS = {ascii_number: 25, script_number: 10, mixed_number: 10, with_others: 8,
         nearly_number: 12, long_number: 0.05, name: 20, accents: 5,
         any_text: 9, surrogate: 1}


def time(pick):
    text = (f"{pick.choice([pick.randint(2, 9998), 2025]):04}"
            f"-{pick.randint(1, 12):02}-{pick.randint(1, 28):02}")
    if pick.random() < 0.2:
        return text
    text += f"T{pick.randrange(24):02}:{pick.randrange(60):02}:00"
    if pick.random() < 0.2:
        text += f".{pick.randrange(10 ** 6):06}"
    return text + pick.choice(
        ["", "Z", "+00:00", "+14:00", "-12:00", "+05:45", "-00:01", "+23:59"])


def locate(uid, created_at, n_bits):
    """What the original does; ValueError is its "no"."""
    day = datetime.fromisoformat(
        created_at.replace("Z", "+00:00")).strftime("%Y%m%d")
    if uid.isdigit():
        slot = int(uid) % (1 << n_bits)
    else:
        slot = zlib.crc32(uid.encode("utf-8")) & ((1 << n_bits) - 1)
    digits = format(slot, "X").zfill(max(1, n_bits // 4))
    return f"{day}\t{slot}\t{digits}\t{day}/{digits}.des"


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    pick = random.Random(seed)
    kinds, weights = list(KINDS), list(KINDS.values())
    times = [time(pick) for _ in range(2000)]
    with tempfile.TemporaryFile("w+") as asked, \
            tempfile.TemporaryFile("w+") as answers:
        wanted = []
        n_errors = 0
        for kind in pick.choices(kinds, weights, k=count):
            uid, at = kind(pick), pick.choice(times)
            n_bits = pick.randint(4, 16)
            asked.write(f"{uid.encode('utf-8', 'surrogatepass').hex()}"
                        f"\t{at}\t{n_bits}\n")
            try:
                want = locate(uid, at, n_bits)
            except ValueError:
                want = "error"
                n_errors += 1
            wanted.append(zlib.crc32(want.encode()))
        asked.seek(0)
        subprocess.run([sys.argv[1]], stdin=asked, stdout=answers, check=True)
        asked.seek(0)
        answers.seek(0)
        bad = n = 0
        for want, line, got in zip(wanted, asked, answers):
            n += 1
            if zlib.crc32(got.rstrip("\n").encode()) != want:
                bad += 1
                if bad <= 10:
                    print(f"{line.strip()[:200]!r}: {got.strip()!r}")
        print(f"seed {seed}: {n} of {count} compared, {n_errors} errors, "
              f"{bad} wrong")
        return bad or n != count or not n_errors


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
