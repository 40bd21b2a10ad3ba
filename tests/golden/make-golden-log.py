#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the descriptors and log records here again, from desfs-archive(5).

good-* are read by tests/unit/descriptor.c and oplog.c; each bad-* has one fault,
and the tests state the result.
"""
import copy
import hashlib
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ROOT2 = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False).encode()


def write(name, value):
    if not isinstance(value, bytes):
        value = canonical(value) + b"\n"
    with open(os.path.join(HERE, name + ".json"), "wb") as f:
        f.write(value)


def with_id(d):
    d = dict(d)
    d.pop("archive_id", None)
    d["archive_id"] = hashlib.sha256(canonical(d)).hexdigest()[:32]
    return d


NO_FEATURES = {"compat": [], "incompat": [], "ro_compat": []}
DESCRIPTOR = {
    "created_at": "2026-11-21T10:15:30.123456Z",
    "features": NO_FEATURES,
    "format": 3,
    "n_bits": 4,
    "route": "parent",
}


def descriptor(name, drop=None, **changes):
    d = dict(DESCRIPTOR, **changes)
    d.pop(drop, None)
    write(name, with_id(d))


def descriptors():
    descriptor("good-descriptor-parent")
    descriptor("good-descriptor-uid", route="uid", n_bits=16)
    descriptor("good-descriptor-more", comment="caf\u00e9 \"x\"\n", later={"b": 1, "a": [True, None]})
    descriptor("good-descriptor-compat", features=dict(NO_FEATURES, compat=["x"]))
    descriptor("good-descriptor-ro-compat", features=dict(NO_FEATURES, ro_compat=["x"]))
    write("good-descriptor-spaced",
          json.dumps(with_id(DESCRIPTOR), indent=2).encode() + b"\n\n")

    descriptor("bad-descriptor-format", format=4)
    descriptor("bad-descriptor-feature", features=dict(NO_FEATURES, incompat=["sealed"]))
    descriptor("bad-descriptor-route", route="parent+bucket")
    descriptor("bad-descriptor-n-bits", n_bits=17)
    descriptor("bad-descriptor-time", created_at="2026-11-21 10:15:30Z")
    descriptor("bad-descriptor-no-time", drop="created_at")
    descriptor("bad-descriptor-no-features", drop="features")
    descriptor("bad-descriptor-features-type", features=["x"])
    descriptor("bad-descriptor-feature-number", features=dict(NO_FEATURES, compat=[1]))
    d = with_id(DESCRIPTOR)
    write("bad-descriptor-id", dict(d, n_bits=5))
    write("bad-descriptor-id-text", dict(d, archive_id=d["archive_id"].upper()))
    write("bad-descriptor-no-id", DESCRIPTOR)
    write("bad-descriptor-array", [d])
    write("bad-descriptor-empty", b"")
    write("bad-descriptor-cut", canonical(d)[:-1])
    write("bad-descriptor-twice", canonical(d)[:-1] + b',"n_bits":4}')
    write("bad-descriptor-long", canonical(d) + b" " * 65536)


SHARD = {
    "key": "20261121/20261121_A_0000_" + ROOT[:16] + ".des",
    "size": 4096,
    "root": ROOT,
    "day": 20261121,
    "slot": 10,
    "part": 0,
    "revision": 0,
    "n_bits": 4,
    "route": "parent",
    "first": "",
    "last": "a/caf%C3%A9 %22x%22%0A",
    "created_min": "2026-11-21T00:00:00.000000Z",
    "created_max": "2026-11-21T10:15:30.123456Z",
    "entries": 3,
    "files": 1,
    "plain_bytes": 12345678901,
    "incompat": 0,
    "ro_compat": 0,
    "compat": 1,
}
SECOND = dict(SHARD, key="20261121/20261121_00A_0012_R001_" + ROOT2[:16] + ".des",
              root=ROOT2, part=12, revision=1, n_bits=9, route="uid")
RECORD = {
    "version": 1,
    "kind": "shards",
    "archive_id": "000102030405060708090a0b0c0d0e0f",
    "time": "2026-11-21T10:15:31.000000Z",
    "shards": [SECOND, SHARD],
}


def with_digest(r):
    r = without(r, "digest")
    return dict(r, digest=hashlib.sha256(canonical(r)).hexdigest()[:32])


def record(name, **changes):
    write(name, with_digest(dict(RECORD, **changes)))


def shard(name, **changes):
    record(name, shards=[dict(SHARD, **changes)])


def without(d, member):
    d = copy.deepcopy(d)
    d.pop(member, None)
    return d


def records():
    record("good-oplog-two")
    record("good-oplog-none", shards=[])
    record("good-oplog-more", comment="x", shards=[dict(SHARD, colour="red")])

    record("bad-oplog-version", version=2)
    record("bad-oplog-kind", kind="checkpoint")
    shard("bad-oplog-route", route="random")
    write("bad-oplog-no-kind", with_digest(without(RECORD, "kind")))
    write("bad-oplog-no-version", with_digest(without(RECORD, "version")))
    write("bad-oplog-no-shards", with_digest(without(RECORD, "shards")))
    write("bad-oplog-no-digest", RECORD)
    write("bad-oplog-digest", dict(with_digest(RECORD), shards=[SHARD]))
    write("bad-oplog-array", [with_digest(RECORD)])
    write("bad-oplog-cut", canonical(with_digest(RECORD))[:-2])
    record("bad-oplog-archive-id", archive_id="00")
    record("bad-oplog-time", time="2026-11-21T10:15:31Z")
    record("bad-oplog-order", shards=[SHARD, SECOND])
    record("bad-oplog-same-key", shards=[SHARD, SHARD])
    record("bad-oplog-shard-type", shards=[1] + [SHARD] * 2)
    shard("bad-oplog-key", key=SHARD["key"].replace("_A_", "_B_"))
    shard("bad-oplog-key-escape", key="../" + SHARD["key"])
    shard("bad-oplog-root", root=ROOT2)
    shard("bad-oplog-root-short", root=ROOT[:62])
    shard("bad-oplog-day", day=20261131, key=SHARD["key"].replace("20261121", "20261131"))
    shard("bad-oplog-slot", slot=16, key=SHARD["key"].replace("_A_", "_10_"))
    shard("bad-oplog-part", part=10000, key=SHARD["key"].replace("_0000_", "_10000_"))
    shard("bad-oplog-revision", revision=1000,
          key=SHARD["key"].replace("_0000_", "_0000_R1000_"))
    shard("bad-oplog-n-bits", n_bits=3)
    shard("bad-oplog-size", size=703)
    shard("bad-oplog-size-sign", size=-1)
    shard("bad-oplog-files", files=4)
    shard("bad-oplog-first-last", first="b/a")
    shard("bad-oplog-name-form", last="caf\u00e9")
    shard("bad-oplog-name-long", last="x" * 65536)
    shard("bad-oplog-created", created_min="2026-11-21T10:15:30.123457Z")
    shard("bad-oplog-incompat", incompat=1 << 32)


OTHER = {
    "key": "20261121/20261121_A_0001_R012_" + ROOT[:16] + ".des",
    "root": ROOT,
}
PREV = {
    "name": "20261121T101530.999999Z-" + "0123456789abcdef" * 2 + ".json",
    "sha256": ROOT2,
}
DOCUMENTS = [{
    "key": "tombstones/2026112%d/%s.json" % (n, "8d0f6a3c1b2e4d5f" * 2),
    "count": n,
    "sha256": ROOT,
} for n in (1, 2)]
SUPPRESSED = [{
    "key": "tombstones/suppressed-20261121T101530.000000Z-%s.json" % (ROOT[:32]),
    "count": 70000,
    "sha256": ROOT2,
}]
IDS = [ROOT2[:32], ROOT[:32]]
GONE = [
    dict(OTHER, how="removed", time="2026-11-21T10:15:30.000000Z"),
    dict(OTHER, how="version-removed", time="2026-11-21T10:15:30.000000Z", zone="a"),
    dict(OTHER, how="pending", time="2026-11-21T10:15:30.000000Z", zone="b"),
    dict(OTHER, how="pending", time="2026-11-21T10:15:30.000000Z", zone="caf\u00e9",
         until="2027-11-21T10:15:30.000000Z"),
]
RECEIPT = {
    "id": ROOT2[:32],
    "subject": ROOT,
    "reason": "gdpr",
    "by": "op",
    "asked": "2026-11-21T08:00:00.000000Z",
    "hidden": "2026-11-21T08:00:00.500000Z",
    "replaced": [{"from": ROOT, "to": [ROOT2], "time": "2026-11-21T08:30:00.000000Z"}],
    "purged": [{"root": ROOT, "how": "removed", "time": "2026-11-21T09:00:00.000000Z"}],
}
REPACK = {
    "kind": "repack",
    "prev": PREV,
    "replaces": [{"key": SHARD["key"], "root": ROOT}, OTHER],
    "grace": 86400,
    "why": "merge",
    "shards": [SECOND],
}
KINDS = {
    "shards": {"prev": PREV, "allow_erased": True, "shards": [SHARD]},
    "repack": REPACK,
    "tombstones": {"kind": "tombstones", "tombstones": DOCUMENTS},
    "withdrawn": {"kind": "withdrawn", "withdrawn": IDS, "prev": PREV},
    "purged": {"kind": "purged", "purged": GONE},
    "erased": {"kind": "erased", "receipts": [RECEIPT], "suppressed": SUPPRESSED,
               "done": [d["key"] for d in DOCUMENTS]},
}


def of_kind(name, like, drop=None, **changes):
    r = without(RECORD, "shards")
    r.update(KINDS[like])
    r.update(changes)
    write(name, with_digest(without(r, drop)))


def kinds():
    for kind in KINDS:
        of_kind("good-oplog-kind-" + kind, kind)
    of_kind("good-oplog-kind-lost", "repack", shards=[], lost=7, why="corrupt")

    bad = "bad-oplog-kind-"
    for kind, array in (("repack", "shards"), ("repack", "replaces"), ("repack", "grace"),
                        ("repack", "why"), ("tombstones", "tombstones"),
                        ("withdrawn", "withdrawn"), ("purged", "purged"),
                        ("erased", "receipts"), ("erased", "done"),
                        ("erased", "suppressed")):
        of_kind(bad + kind + "-no-" + array, kind, drop=array)
    of_kind(bad + "mixed", "purged", kind="withdrawn")
    of_kind(bad + "prev", "shards", prev=dict(PREV, name="index.json"))
    of_kind(bad + "prev-later", "shards",
            prev=dict(PREV, name=PREV["name"].replace("T101530", "T101531")))
    of_kind(bad + "prev-sha256", "shards", prev=dict(PREV, sha256=ROOT[:62]))
    of_kind(bad + "replaces-none", "repack", replaces=[])
    of_kind(bad + "replaces-order", "repack", replaces=[OTHER, REPACK["replaces"][0]])
    of_kind(bad + "replaces-key", "repack", replaces=[dict(OTHER, key="desfs.json")])
    of_kind(bad + "replaces-root", "repack", replaces=[dict(OTHER, root=ROOT2)])
    of_kind(bad + "replaces-itself", "repack",
            replaces=[{"key": SECOND["key"], "root": ROOT2}])
    of_kind(bad + "grace-sign", "repack", grace=-1)
    of_kind(bad + "grace-long", "repack", grace=10 * 366 * 86400 + 1)
    of_kind(bad + "why", "repack", why="fun")
    of_kind(bad + "tombstone-order", "tombstones", tombstones=DOCUMENTS[::-1])
    of_kind(bad + "tombstone-key", "tombstones",
            tombstones=[dict(DOCUMENTS[0], key="tombstones/x.json")])
    of_kind(bad + "tombstone-sha256", "tombstones",
            tombstones=[dict(DOCUMENTS[0], sha256="00")])
    of_kind(bad + "withdrawn-twice", "withdrawn", withdrawn=[IDS[0]] * 2)
    of_kind(bad + "withdrawn-form", "withdrawn", withdrawn=["x"])
    of_kind(bad + "purged-order", "purged", purged=GONE[::-1])
    of_kind(bad + "purged-how", "purged", purged=[dict(GONE[0], how="lost")])
    of_kind(bad + "purged-until", "purged",
            purged=[dict(GONE[0], until="2027-11-21T10:15:30.000000Z")])
    of_kind(bad + "purged-key", "purged", purged=[dict(GONE[0], key="../" + OTHER["key"])])
    of_kind(bad + "purged-zone", "purged", purged=[dict(GONE[0], zone="a\n")])
    of_kind(bad + "done-order", "erased", done=[d["key"] for d in DOCUMENTS[::-1]])
    of_kind(bad + "done-key", "erased", done=["log/x"])
    of_kind(bad + "suppressed-key", "erased", suppressed=DOCUMENTS)
    of_kind(bad + "receipt", "erased", receipts=[without(RECEIPT, "subject")])
    of_kind(bad + "receipt-twice", "erased", receipts=[RECEIPT] * 2)
    # Only a checkpoint has shards of which that little is left.
    record(bad + "shard-purged", shards=[{
        "key": SHARD["key"], "root": ROOT, "size": 4096, "purged": True}])


def kept(like, second, **changes):
    """A record as checkpoints have it."""
    r = without(RECORD, "shards")
    r.update(KINDS[like])
    r["time"] = "2026-11-21T10:15:%02d.000000Z" % second
    r["name"] = "20261121T1015%02d.000000Z-%s.json" % (second, "%032x" % second)
    r["sha256"] = "%064x" % second
    r.update(changes)
    return with_digest(r)


GONE_SHARD = {"key": SHARD["key"], "root": ROOT, "size": 4096, "purged": True}


def checkpoint(name, records, drop=None, **changes):
    c = {"version": 1, "kind": "checkpoint", "archive_id": RECORD["archive_id"],
         "time": "2026-11-21T10:16:00.000000Z"}
    c.update(changes)
    c = without(c, drop)
    digest = with_digest(dict(c, records=[r["digest"] for r in records]))["digest"]
    write(name, dict(c, records=records, digest=digest))


def checkpoints():
    all_kinds = [kept(kind, 31 + i) for i, kind in enumerate(KINDS)]
    all_kinds[0] = kept("shards", 31, shards=[GONE_SHARD])
    checkpoint("good-log-checkpoint", all_kinds)
    checkpoint("good-log-checkpoint-none", [])

    bad = "bad-log-checkpoint-"
    checkpoint(bad + "version", all_kinds, version=2)
    checkpoint(bad + "kind", all_kinds, kind="shards")
    checkpoint(bad + "no-time", all_kinds, drop="time")
    checkpoint(bad + "old", all_kinds, time="2026-11-21T10:15:35.999999Z")
    checkpoint(bad + "order", all_kinds[::-1])
    checkpoint(bad + "twice", all_kinds[:1] * 2)
    checkpoint(bad + "archive", [kept("shards", 31, archive_id="00" * 16)])
    checkpoint(bad + "name", [kept("shards", 31, name="x.json")])
    checkpoint(bad + "name-time", [kept("shards", 31, time="2026-11-21T10:15:32.000000Z")])
    checkpoint(bad + "sha256", [kept("shards", 31, sha256="00")])
    checkpoint(bad + "purged", [kept("shards", 31, shards=[dict(GONE_SHARD, purged=False)])])
    checkpoint(bad + "record", [dict(all_kinds[0], shards=[])])
    c = {"version": 1, "kind": "checkpoint", "archive_id": RECORD["archive_id"],
         "time": "2026-11-21T10:16:00.000000Z", "records": all_kinds}
    write(bad + "digest", with_digest(c))
    write(bad + "no-records", with_digest(without(c, "records")))


descriptors()
records()
kinds()
checkpoints()
