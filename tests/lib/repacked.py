# SPDX-License-Identifier: Apache-2.0
"""repacked.py [--split] OLD... -- NEW... -- UID... - compare shards with those that were
made of them without UID...; exits non-zero and says why when they differ.

All entries but those are there, with the same fields and bytes; no record and
no name of them is; no block is kept that nobody needs; and a block that has
nothing of them is in the new shards as it was, byte for byte.  Prints how many
were and how many others there are.  With --split blocks may be cut.
"""
import os
import sys

from desshard import DIR, IMPLICIT, Cursor, Shard, read_record


def entries(shards):
    """{(uid, created): (logical form, bytes)}; of equal keys what is more."""
    out = {}
    for s in shards:
        for e in s.entries():
            key = e.uid, e.created
            if key in out and e.flags & IMPLICIT:
                continue
            out[key] = e, e.logical(e.flags) + e.sha, b"".join(s.content(e))
    return out


def records(s, off, stored):
    _, _, _, n, recs = s.block(off, stored)
    c, uid = Cursor(recs), b""
    for _ in range(n):
        e, where = read_record(c, uid)
        uid = e.uid
        yield e, where


def blocks(s, gone):
    """(stored bytes, touched) of each block."""
    touched, used = set(), set()
    for e in s.entries():
        for ref in e.segments:
            if ref.stored:
                used.add(ref.off)
                if e.uid in gone:
                    touched.add(ref.off)
    hashes = set()
    for off, stored in s.scan()[0].items():
        digest, _, data, n, _ = s.block(off, stored)
        hit = off in touched or bool(data) and off not in used
        for e, where in records(s, off, stored):
            hit |= e.uid in gone
            hit |= bool(where) and bool(hashes & set(where[0]))
        if hit:
            hashes.add(digest)
        yield s.read(off, stored), hit


def fail(what):
    sys.exit(f"repacked.py: {what}")


def main(argv):
    is_split = argv[0] == "--split"
    argv = argv[is_split:]
    at = [i for i, a in enumerate(argv) if a == "--"]
    old = [Shard(p) for p in argv[:at[0]]]
    new = [Shard(p) for p in argv[at[0] + 1:at[1]]]
    gone = {os.fsencode(u) for u in argv[at[1] + 1:]}
    was, now = entries(old), entries(new)
    for key, (e, form, data) in was.items():
        if key[0] in gone or e.flags & IMPLICIT:
            continue
        if key not in now:
            fail(f"{key} is missing")
        if now[key][1:] != (form, data):
            fail(f"{key} is another one")
    for key, (e, _, _) in now.items():
        if key[0] in gone:
            fail(f"{key} is there")
        if key not in was:
            fail(f"{key} is new")
    for s in new:
        if s.verify():
            fail("records of entries that are no more")
        below = {e.parent for e in s.entries() if e.uid}
        for e in s.entries():
            if e.type == DIR and e.flags & IMPLICIT and \
                    e.uid not in below and \
                    not any(p.startswith(e.uid + b"/") for p in below):
                fail(f"nothing is below {e.uid!r}")
        for off, stored in s.scan()[0].items():
            for e, _ in records(s, off, stored):
                if e.uid in gone:
                    fail(f"a record of {e.uid!r}")
    kept = set()
    for s in new:
        kept.update(bytes(s.read(off, n)) for off, n in s.scan()[0].items())
    n = {False: 0, True: 0}
    for s in old:
        for stored, hit in blocks(s, gone):
            n[hit] += 1
            if not hit and not is_split and bytes(stored) not in kept:
                fail("a block that nothing goes of is not as it was")
    print(f"{n[False]} blocks copied, {n[True]} not")


main(sys.argv[1:])
