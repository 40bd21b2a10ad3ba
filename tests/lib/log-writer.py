#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write records and checkpoints of a log, and what they name, in a directory.

From desfs-archive(5) alone, without a line of the program.

    log-writer.py ARCHIVE repack OLD-KEY... -- NEW-KEY...  (known from --shards)
    log-writer.py ARCHIVE tombstone UID...     prints the document's key
    log-writer.py ARCHIVE withdrawn DOCUMENT-KEY...
    log-writer.py ARCHIVE done DOCUMENT-KEY...
    log-writer.py ARCHIVE aggregate HOUR DOCUMENT-KEY...
    log-writer.py ARCHIVE checkpoint [PURGED-KEY...]
    log-writer.py ARCHIVE names               first and last of all shards told of

--ahead DAYS: with a clock that is so far ahead.
--shards OTHER-ARCHIVE: take what is said of shards from that log, too.
"""
import argparse
import datetime
import hashlib
import json
import os
import secrets
import sys


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False).encode()


def sha(data):
    return hashlib.sha256(data).hexdigest()


def stamp(t, form="%Y-%m-%dT%H:%M:%S.%fZ"):
    return t.strftime(form)


def percent(uid):
    keep = "/-._~"
    return "".join(c if c.isalnum() and c.isascii() or c in keep else "%%%02X" % ord(c)
                   for c in uid)


class Archive:
    ahead = 0

    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, "desfs.json"), "rb") as f:
            self.id = json.load(f)["archive_id"]

    def read(self, key):
        with open(os.path.join(self.path, key), "rb") as f:
            return f.read()

    def write(self, key, data):
        path = os.path.join(self.path, key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "xb") as f:
            f.write(data)

    def names(self):
        """Those of the records that are there as objects of their own."""
        return sorted(n for n in os.listdir(os.path.join(self.path, "log"))
                      if n[0].isdigit())

    def records(self):
        """(name, sha256, record) of all, also of those in checkpoints."""
        found = {}
        for n in sorted(os.listdir(os.path.join(self.path, "log"))):
            data = self.read("log/" + n)
            if n.startswith("checkpoint-"):
                for r in json.loads(data)["records"]:
                    found.setdefault(r["name"], (r["sha256"], r))
            elif n[0].isdigit():
                found[n] = (sha(data), json.loads(data))
        return [(n,) + found[n] for n in sorted(found)]

    def shards(self):
        return {s["key"]: s for _, _, r in self.records() for s in r.get("shards", [])}

    def now(self):
        now = datetime.datetime.utcnow() + datetime.timedelta(days=self.ahead)
        for _, _, r in self.records():
            t = datetime.datetime.strptime(r["time"], "%Y-%m-%dT%H:%M:%S.%fZ")
            now = max(now, t + datetime.timedelta(microseconds=1))
        return now

    def add(self, kind, **members):
        t = self.now()
        r = {"version": 1, "kind": kind, "archive_id": self.id, "time": stamp(t)}
        r.update(members)
        known = self.records()
        if known:
            r["prev"] = {"name": known[-1][0], "sha256": known[-1][1]}
        r["digest"] = sha(canonical(r))[:32]
        self.write("log/%s-%s.json" % (stamp(t, "%Y%m%dT%H%M%S.%fZ"), secrets.token_hex(16)),
                   canonical(r) + b"\n")


def repack(a, args):
    old, new = args.words[:args.words.index("--")], args.words[args.words.index("--") + 1:]
    shards = dict(a.shards(), **(Archive(args.shards).shards() if args.shards else {}))
    a.add("repack", grace=0, why="deleted",
          replaces=[{"key": k, "root": shards[k]["root"]} for k in sorted(old)],
          shards=[shards[k] for k in sorted(new)])


def tombstone(a, args):
    t = a.now()
    erasures = sorted(({"id": secrets.token_hex(16), "uid": percent(u), "until": stamp(t)}
                       for u in args.words), key=lambda e: e["id"])
    data = canonical({"version": 1, "kind": "tombstones", "archive_id": a.id,
                      "time": stamp(t), "reason": "gdpr", "nonce": secrets.token_hex(16),
                      "erasures": erasures}) + b"\n"
    key = "tombstones/%s/%s.json" % (stamp(t, "%Y%m%d"), secrets.token_hex(16))
    a.write(key, data)
    a.add("tombstones", tombstones=[{"key": key, "count": len(erasures), "sha256": sha(data)}])
    print(key)


def withdrawn(a, args):
    ids = [e["id"] for k in args.words for e in json.loads(a.read(k))["erasures"]]
    a.add("withdrawn", withdrawn=sorted(ids))


def done(a, args):
    a.add("erased", receipts=[], suppressed=[], done=sorted(args.words))


def aggregate(a, args):
    hour = args.words[0]
    text = b",".join(a.read(k).rstrip(b"\n") for k in args.words[1:])
    head = canonical({"version": 1, "kind": "aggregate", "archive_id": a.id,
                      "time": stamp(a.now()), "documents": []})
    a.write("tombstones/%s.json" % hour,
            head.replace(b'"documents":[]', b'"documents":[' + text + b"]") + b"\n")


def sealed(r):
    r = dict(r)
    r.pop("digest", None)
    r["digest"] = sha(canonical(r))[:32]
    return r


def checkpoint(a, args):
    records = []
    for name, digest, r in a.records():
        r = dict(r, name=name, sha256=digest)
        if "shards" in r:
            r["shards"] = [{"key": s["key"], "root": s["root"], "size": s["size"], "purged": True}
                           if s["key"] in args.words else s for s in r["shards"]]
        records.append(sealed(r))
    t = a.now()
    c = {"version": 1, "kind": "checkpoint", "archive_id": a.id, "time": stamp(t),
         "records": [r["digest"] for r in records]}
    c["digest"] = sha(canonical(c))[:32]
    c["records"] = records
    a.write("log/checkpoint-%s-%s.json" % (stamp(t, "%Y%m%dT%H%M%S.%fZ"),
                                           secrets.token_hex(16)), canonical(c) + b"\n")


def names(a, args):
    for s in a.shards().values():
        if args.words and s["key"] not in args.words:
            continue
        print(s.get("first"), s.get("last"))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--shards")
    p.add_argument("--ahead", type=int, default=0)
    p.add_argument("archive")
    p.add_argument("what", choices=["repack", "tombstone", "withdrawn", "done", "aggregate",
                                    "checkpoint", "names"])
    at = sys.argv.index("--", 1) if "--" in sys.argv[1:] else None
    rest = sys.argv[at:] if at else []
    args, words = p.parse_known_args(sys.argv[1:at])
    args.words = words + rest
    archive = Archive(args.archive)
    archive.ahead = args.ahead
    globals()[args.what](archive, args)


main()
