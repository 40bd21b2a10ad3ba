#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times as Python reads them, and as base/timestamp.h says.

  time-random.py TIME-LINES COUNT SEED

Random texts, good ones and such with something changed.  What is accepted must
be the same for Python; what is refused must be refused by Python too, or be one
of the guesses that the header names.
"""
import random
import re
import subprocess
import sys
from datetime import datetime, timedelta

EPOCH = datetime(1970, 1, 1)
BYTES = "0123456789-:+.,TZW tz\u00e9\0"

TIME = r"\d\d(:\d\d(:\d\d([.,]\d+)?)?|\d\d(\d\d([.,]\d+)?)?)?"
DATE = r"\d{4}(-\d\d-\d\d|\d{4}|-W\d\d(-\d)?|W\d\d\d?)"
OFFSET = TIME.replace(r"\d\d", "[0-5]\\d")
# All else that Python takes is a guess.
PLAIN = re.compile(DATE + r"(Z|[^0-9+-]" + TIME + "(Z|[+-]" + OFFSET + ")?)?",
                   re.ASCII | re.DOTALL)


def clock(pick):
    sep = pick.choice([":", ""])
    n = pick.randint(1, 3)
    text = sep.join(f"{pick.randrange(m):02}" for m in (24, 60, 60)[:n])
    if n == 3 and pick.random() < 0.5:
        text += pick.choice(".,") + "".join(
            pick.choices("0123456789", k=pick.randint(1, 9)))
    return text


def good(pick):
    when = datetime(1, 1, 1) + timedelta(days=pick.randrange(3652059))
    year, week, weekday = when.isocalendar()
    text = pick.choice([
        f"{when.year:04}-{when.month:02}-{when.day:02}",
        f"{when.year:04}{when.month:02}{when.day:02}",
        f"{year:04}-W{week:02}", f"{year:04}W{week:02}",
        f"{year:04}-W{week:02}-{weekday}", f"{year:04}W{week:02}{weekday}"])
    if pick.random() < 0.8:
        text += pick.choice("TTTT t_\u00e9") + clock(pick) + pick.choice(
            ["", "Z", "+" + clock(pick), "-" + clock(pick)])
    return pick.choice(["", "", " ", "\t\n"]) + text + pick.choice(["", " "])


def changed(pick):
    text = good(pick)
    for _ in range(pick.randint(1, 3)):
        at = pick.randrange(len(text) + 1)
        cut = at + pick.randrange(2)
        text = text[:at] + pick.choice(["", pick.choice(BYTES)]) + text[cut:]
    return text


def python(text):
    """None: Python refuses it."""
    text = text.strip()
    if text.endswith("Z"):
        text = text[:-1] + "+00:00"
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    offset = when.utcoffset()
    # To Python the "+" of what was a Z is no zone but what separates a time.
    if re.fullmatch(DATE + re.escape("+00:00"), text, re.ASCII):
        offset = timedelta(0)
    us = (when.replace(tzinfo=None) - EPOCH - (offset or timedelta(0))
          ) // timedelta(microseconds=1)
    return (us, when.year * 10000 + when.month * 100 + when.day,
            int(offset is not None))


def is_known(text, want):
    """May it be refused, though Python takes it?"""
    return (not -62135596800000000 <= want[0] <= 253402300799999999 or
            not PLAIN.fullmatch(text.strip()))


def main(program, count, seed):
    pick = random.Random(int(seed))
    texts = [(good if i % 2 else changed)(pick) for i in range(int(count))]
    done = subprocess.run([program], check=True, capture_output=True, text=True,
                          input="".join(t.encode().hex() + "\n" for t in texts))
    answers = done.stdout.splitlines()
    if len(answers) != len(texts):
        sys.exit("%d answers to %d texts" % (len(answers), len(texts)))
    n_good = n_guesses = 0
    for text, answer in zip(texts, answers):
        want = python(text)
        if answer == "error":
            if want and not is_known(text, want):
                sys.exit("%r is refused, Python says %s" % (text, want))
            n_guesses += bool(want)
            continue
        n_good += 1
        if want != tuple(int(w) for w in answer.split()):
            sys.exit("%r is %s, Python says %s" % (text, answer, want))
    print(n_good, "accepted,", n_guesses, "guesses of Python refused")
    if n_good < len(texts) // 2 or n_good > len(texts) * 4 // 5:
        sys.exit("these are not the texts that were meant")


if sys.version_info < (3, 11):
    sys.exit("Python 3.11 reads more forms than this one")
main(*sys.argv[1:])
