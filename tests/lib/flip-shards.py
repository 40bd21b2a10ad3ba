#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""flip-shards.py SEED SHARD... - change one byte in each shard.

Regions take turns: header, data, index, filter, info, footer, zeros.  Prints a
line for each: path, region, offset.
"""
import os
import random
import struct
import sys

FOOTER = 512


def regions(data):
    end = len(data)
    foot = data[end - FOOTER:]
    u64 = lambda at: struct.unpack_from("<Q", foot, at)[0]
    yield "header", 0, 192
    yield "data", u64(184), u64(192)
    yield "index", u64(200), u64(208)
    yield "filter", u64(248), u64(256)
    yield "filter-directory", u64(280), u64(288)
    yield "info", u64(312), u64(320)
    yield "footer", end - FOOTER, FOOTER
    yield "zeros", end - FOOTER + 392, 76


def main(argv):
    rng = random.Random(int(argv[0]))
    for i, path in enumerate(argv[1:]):
        with open(path, "r+b") as f:
            data = f.read()
            some = [r for r in regions(data) if r[2]]
            name, off, size = some[i % len(some)]
            at = off + rng.randrange(size)
            f.seek(at)
            f.write(bytes([data[at] ^ rng.randrange(1, 256)]))
        print(path, name, at)


main(sys.argv[1:])
