#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An archive of an older program with many small files.

  legacy-many.py des2|datavision DIR FILES SIZE [SHARDS [DIRS]]
	FILES files of about SIZE bytes in DIRS directories (0: none) and in
	SHARDS shards of one day, not compressed, in an order that has nothing
	to do with their names; the same at each call.
"""
import hashlib
import json
import os
import random
import struct
import sys

DAY = "20250115"


def content(name, size):
    n = size // 2 + random.Random(name).randrange(size)
    return random.Random("of " + name).randbytes(n)


def names(n_files, n_dirs):
    """In the order in which they came."""
    all_names = ["doc_%s_(%06d_0)" % (DAY, i) for i in range(n_files)]
    if n_dirs:
        all_names = ["d%04d/%s" % (i % n_dirs, name)
                     for i, name in enumerate(all_names)]
    random.Random(n_files).shuffle(all_names)
    return all_names


def des2(files):
    data, index = b"".join(c for _, c in files), []
    off = 8
    for name, c in files:
        index.append(struct.pack("<H", len(name)) + name.encode() + struct.pack(
            "<BQQBQQI", 0, off, len(c), 0, len(c), len(c), 0))
        off += len(c)
    index = struct.pack("<I", len(files)) + b"".join(index)
    return b"DES2\2\0\0\0" + data + index + b"DESI" + struct.pack(
        "<Q", len(index))


def datavision(files):
    data = b"".join(c for _, c in files)
    metas = [json.dumps({"size": len(c)}).encode() for _, c in files]
    meta = b"".join(metas)
    off, meta_off, index = 16, 16 + len(data), b""
    for (name, c), m in zip(files, metas):
        index += struct.pack("<H", len(name)) + name.encode() + struct.pack(
            "<QQQQI", off, len(c), meta_off, len(m), 0)
        off += len(c)
        meta_off += len(m)
    return b"DESHEAD1\1" + bytes(7) + data + meta + index + struct.pack(
        "<8sB7xQQQQQQQ", b"DESFOOT1", 1, 16, len(data), 16 + len(data),
        len(meta), 16 + len(data) + len(meta), len(index), len(files))


def main(kind, where, n_files, size, n_shards=16, n_dirs=0):
    shards = [[] for _ in range(int(n_shards))]
    for name in names(int(n_files), int(n_dirs)):
        slot = hashlib.sha256(name.encode()).digest()
        shards[int.from_bytes(slot[:4], "big") % len(shards)].append(name)
    for i, of_shard in enumerate(shards):
        files = [(name, content(name, int(size))) for name in of_shard]
        if kind == "des2":
            path = os.path.join(where, "%s_%02X_0000.des" % (DAY, i))
        else:
            path = os.path.join(where, "2025-01-15", "%02x.des" % i)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(des2(files) if kind == "des2" else datavision(files))


main(*sys.argv[1:])
