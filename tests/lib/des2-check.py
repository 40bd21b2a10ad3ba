#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""des2-check.py - a strict checker of archives of the format DES2, version 2.

	des2-check.py ARCHIVE [options]

It knows the format from its description alone and shares no code with desfs.
All that the original's writer does is demanded, and that every byte is
accounted for.  The last line tells what was found.  Options:

	--n-bits N          the slots are of so many bits (8)
	--max-shard N       a shard ends before more plain bytes (1000000000)
	--threshold N       larger files are big files (10485760)
	--codec NAME        of what is compressed: none, zstd (default) or lz4
	--source DIR        the archive has all regular files below DIR, and no
	                    others, with these contents
	--within            with --source: some of the files may be missing
	--day YYYYMMDD      all shards are of this day
	--no-meta           entries have no metadata
	--orphans           big files that no entry names may be there
	--gaps              numbers of shards may be missing
	--runs              several runs: a shard need not be full
"""
import argparse
import hashlib
import json
import os
import re
import struct
import sys
import zlib
from datetime import datetime

import lz4.frame
import zstandard

SKIPPED = {".jpg", ".jpeg", ".png", ".gif", ".gz", ".zip", ".bz2", ".xz"}
CODECS = ["none", "zstd", "lz4"]
SHARD = re.compile(r"([0-9]{5,8})_([0-9A-F]{1,4})_([0-9]{4,9})\.des")
FILES_MAX = 1 << 20


def die(*what):
    print("des2-check:", *what, file=sys.stderr)
    sys.exit(1)


def want(condition, *what):
    if not condition:
        die(*what)


def slot_of(uid, n_bits):
    if uid and uid.isdigit():
        return int(uid) % (1 << n_bits)
    return zlib.crc32(uid.encode()) & ((1 << n_bits) - 1)


def hex_of(slot, n_bits):
    return format(slot, "X").zfill(max(1, n_bits // 4))


def suffix_of(uid):
    name = uid.rstrip("/").rpartition("/")[2]
    if name in (".", ".."):
        return ""
    i = name.rfind(".")
    return name[i:].lower() if 0 < i < len(name) - 1 else ""


def zstd_plain(data, size, where):
    want(data[:4] == b"\x28\xb5\x2f\xfd", where, "no zstd frame")
    flags = data[4]
    want(not flags & 0x04, where, "zstd frame has a checksum")
    want(not flags & 0x03, where, "zstd frame has a dictionary")
    want(not flags & 0x08, where, "zstd frame has a reserved bit")
    single = flags >> 5 & 1
    width = [single, 2, 4, 8][flags >> 6]
    want(width, where, "zstd frame states no size")
    at = 5 + (not single)
    stated = int.from_bytes(data[at:at + width], "little")
    if width == 2:
        stated += 256
    want(stated == size, where, "zstd frame states", stated, "not", size)
    d = zstandard.ZstdDecompressor().decompressobj()
    plain = d.decompress(data)
    want(d.eof if hasattr(d, "eof") else True, where, "zstd frame is cut")
    want(not d.unused_data, where, "bytes behind the zstd frame")
    return plain


def lz4_plain(data, size, where):
    if not size:
        want(data == bytes.fromhex("04224d1860408200000000"), where,
             "not the frame of an empty file:", data.hex())
        return b""
    want(data[:6] == bytes.fromhex("04224d186840"), where,
         "lz4 frame begins with", data[:6].hex())
    stated = int.from_bytes(data[6:14], "little")
    want(stated == size, where, "lz4 frame states", stated, "not", size)
    d = lz4.frame.LZ4FrameDecompressor()
    plain = d.decompress(data)
    want(d.eof, where, "lz4 frame is cut")
    want(not d.unused_data, where, "bytes behind the lz4 frame")
    return plain


class Index:
    def __init__(self, data, where):
        self.data, self.at, self.where = data, 0, where

    def take(self, n):
        want(self.at + n <= len(self.data), self.where, "index is cut at",
             self.at)
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), "little")


class Checker:
    def __init__(self, o):
        self.o = o
        self.files = {}  # (day, uid): SHA-256 of the content
        self.big = set()
        self.n_shards = self.n_big = 0

    def meta(self, text, day, where):
        if self.o.no_meta:
            want(not text, where, "has metadata")
            return
        try:
            meta = json.loads(text)
        except ValueError as e:
            die(where, "metadata:", e, text)
        want(isinstance(meta, dict), where, "metadata are no object")
        stamp = datetime.fromisoformat(meta["created_at"])
        want(stamp.utcoffset() is not None, where, "created_at has no zone")
        want(stamp.strftime("%Y%m%d") == day, where, "created_at is",
             meta["created_at"])

    def inline(self, f, index, data_end, uid, where):
        offset, length = index.number(8), index.number(8)
        codec = index.number(1)
        compressed, plain_len = index.number(8), index.number(8)
        want(offset == self.next, where, "begins at", offset, "not",
             self.next)
        want(length == compressed, where, "has two lengths")
        self.next = offset + length
        want(self.next <= data_end, where, "reaches beyond the data")
        want(plain_len <= self.o.threshold, where, "should be a big file")
        skipped = suffix_of(uid) in SKIPPED
        wanted = "none" if skipped else self.o.codec
        want(codec < 3 and CODECS[codec] == wanted, where, "has codec", codec,
             "not", wanted)
        f.seek(offset)
        data = f.read(length)
        if codec == 0:
            want(length == plain_len, where, "lengths without a codec")
            plain = data
        elif codec == 1:
            plain = zstd_plain(data, plain_len, where)
        else:
            plain = lz4_plain(data, plain_len, where)
        want(len(plain) == plain_len, where, "has", len(plain), "bytes, not",
             plain_len)
        return plain_len, hashlib.sha256(plain).hexdigest()

    def external(self, index, where):
        want(index.number(2) == 64, where, "length of the hash")
        name = index.take(64).decode("ascii")
        want(re.fullmatch("[0-9a-f]{64}", name), where, "hash", name)
        size = index.number(8)
        want(size > self.o.threshold, where, "should be no big file")
        path = os.path.join(self.o.archive, "_bigFiles", name)
        want(os.path.isfile(path), where, "is not there:", path)
        want(os.path.getsize(path) == size, where, "size of", path)
        self.big.add(name)
        return size, name

    def entry(self, f, index, data_end, day, slot, where):
        uid = index.take(index.number(2)).decode("utf-8", "strict")
        where = "%s: %r:" % (where, uid[:80])
        want((day, uid) not in self.files, where, "is there twice")
        want(hex_of(slot_of(uid, self.o.n_bits), self.o.n_bits) == slot,
             where, "belongs elsewhere")
        flags = index.number(1)
        want(flags in (0, 1), where, "flags", flags)
        if flags:
            size, digest = self.external(index, where)
        else:
            size, digest = self.inline(f, index, data_end, uid, where)
        self.meta(index.take(index.number(4)), day, where)
        self.files[day, uid] = digest
        return size

    def shard(self, name, day, slot):
        """Plain sizes of its files, in their order."""
        path = os.path.join(self.o.archive, name)
        size = os.path.getsize(path)
        want(size >= 24, name, "has", size, "bytes")
        with open(path, "rb") as f:
            want(f.read(8) == b"DES2\x02\0\0\0", name, "header")
            f.seek(size - 12)
            magic, index_size = struct.unpack("<4sQ", f.read(12))
            want(magic == b"DESI", name, "footer")
            data_end = size - 12 - index_size
            want(data_end >= 8 and index_size >= 4, name, "index size")
            f.seek(data_end)
            index = Index(f.read(index_size), name)
            self.next = 8
            sizes = [self.entry(f, index, data_end, day, slot, name)
                     for _ in range(index.number(4))]
            want(index.at == index_size, name, "bytes behind the index")
            want(self.next == data_end, name, "bytes of no entry")
        want(sizes, name, "has no entries")
        self.n_shards += 1
        return sizes

    def rollover(self, shards):
        """Each shard was full for what the next one begins with."""
        for name, sizes in shards:
            want(sum(sizes) <= self.o.max_shard or len(sizes) == 1, name,
                 "is larger than a shard may be")
        for (name, sizes), (_, following) in zip(shards, shards[1:]):
            want(sum(sizes) + following[0] > self.o.max_shard or
                 len(sizes) == FILES_MAX, name, "ended early")

    def shards(self):
        groups = {}
        for name in sorted(os.listdir(self.o.archive)):
            if name in ("_bigFiles", "tmp"):
                continue
            m = SHARD.fullmatch(name)
            want(m, name, "is no name of a shard")
            day, slot, number = m.group(1), m.group(2), m.group(3)
            want(number == "%04d" % int(number), name, "number")
            want(self.o.day in (None, day), name, "is of another day")
            groups.setdefault((day, slot), []).append((int(number), name))
        for (day, slot), group in groups.items():
            group.sort()
            if not self.o.gaps:
                want([n for n, _ in group] == list(range(len(group))),
                     group[0][1], "numbers are", [n for n, _ in group])
            # Of several runs each begins a shard of its own.
            found = [(name, self.shard(name, day, slot))
                     for _, name in group]
            if not self.o.runs:
                self.rollover(found)

    def big_files(self):
        folder = os.path.join(self.o.archive, "_bigFiles")
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), "rb") as f:
                digest = hashlib.sha256()
                while True:
                    part = f.read(1 << 20)
                    if not part:
                        break
                    digest.update(part)
            want(digest.hexdigest() == name, name, "has other content")
            want(name in self.big or self.o.orphans, name, "is of no entry")
            self.n_big += 1

    def sources(self):
        found = {uid: digest for (_, uid), digest in self.files.items()}
        wanted = {}
        for folder, _, names in os.walk(self.o.source):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.islink(path) or not os.path.isfile(path):
                    continue
                with open(path, "rb") as f:
                    digest = hashlib.sha256(f.read()).hexdigest()
                uid = os.path.relpath(path, self.o.source)
                try:
                    uid.encode()
                except UnicodeEncodeError:
                    continue
                wanted[uid] = digest
        for uid, digest in found.items():
            want(uid in wanted, repr(uid), "is not in the sources")
            want(wanted[uid] == digest, repr(uid), "has other content")
        missing = wanted.keys() - found.keys()
        want(not missing or self.o.within, "missing:", sorted(missing)[:10])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("archive")
    p.add_argument("--n-bits", type=int, default=8)
    p.add_argument("--max-shard", type=int, default=1000000000)
    p.add_argument("--threshold", type=int, default=10485760)
    p.add_argument("--codec", choices=CODECS, default="zstd")
    p.add_argument("--source")
    p.add_argument("--within", action="store_true")
    p.add_argument("--day")
    p.add_argument("--no-meta", action="store_true")
    p.add_argument("--orphans", action="store_true")
    p.add_argument("--gaps", action="store_true")
    p.add_argument("--runs", action="store_true")
    c = Checker(p.parse_args())
    c.shards()
    c.big_files()
    if c.o.source:
        c.sources()
    print(len(c.files), "files,", c.n_shards, "shards,", c.n_big, "big files")


main()
