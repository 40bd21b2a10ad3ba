#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fetches every file of the sets of older archives with desfs get.

    get-legacy.py DESFS FIXTURES batch|n-bits|one [URL]

batch: each set as a list, with times whose zone and clock differ from those the
files were packed with, and once without times.  n-bits: each set that is routed
with the n_bits it was made with.  one: one file after the other, of each set
the first, the last and those whose uids are no paths.  With a URL the fixtures are
fetched from below it.  Prints how many files were right; what is wrong ends it.
"""
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile


def sets(where):
    """(directory, n_bits or None, [(uid, day, sha256)])"""
    base = os.path.join(where, "des-v2")
    with open(os.path.join(base, "expected.json")) as f:
        expected = json.load(f)
    for s in expected["sets"]:
        gone = {t["uid"] for t in s.get("tombstones", [])}
        path = os.path.join(base, s["name"])
        first = min(n for n in os.listdir(path) if n.endswith(".des"))
        day = "%s-%s-%s" % (first[:4], first[4:6], first[6:8])
        files = [(f["uid"], f.get("created_at", day)[:10], f["sha256"])
                 for f in s["files"] if f["uid"] not in gone]
        yield path, s.get("n_bits"), files, gone
    base = os.path.join(where, "datavision")
    with open(os.path.join(base, "expected.json")) as f:
        expected = json.load(f)
    daily = expected["daily"]
    yield os.path.join(base, "daily"), daily["shard_bits"], [
        (f["name"], daily["day"], f["sha256"]) for f in daily["files"]], []
    for c in expected["containers"]:
        if not c["entries"] or c["path"].startswith("daily/"):
            continue
        top = c["path"].split("/")[0]
        path = os.path.join(base, top)
        if "/" not in c["path"]:
            # Containers without a folder of a day have none.
            path = os.path.abspath("dv-" + top)
            os.makedirs(path + "/2025-01-15")
            shutil.copy(os.path.join(base, top), path + "/2025-01-15/00.des")
        yield path, None, [(e["name"], "2025-01-15", e["sha256"])
                           for e in c["entries"]], []


def run(*args, stdin=b""):
    return subprocess.run([DESFS, "get", *args], input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def fail(*args):
    print(*args)
    sys.exit(1)


def fetch_list(path, files, gone, *options):
    """All of a list; returns how many were right."""
    pairs = [{"uid": u, "created_at": t} for u, t, _ in files]
    pairs += [{"uid": u} for u in sorted(gone)]
    r = run("--batch", "-", "--report", "rep", *options, path,
            stdin=json.dumps(pairs).encode())
    if r.returncode != (1 if gone and len(pairs) > 1 else 0):
        fail(path, options, r)
    with open("rep") as f:
        rows = [json.loads(line) for line in f]
    content = {}
    with tarfile.open(fileobj=io.BytesIO(r.stdout)) as tar:
        for m in tar:
            body = tar.extractfile(m) if not m.islnk() else None
            content[m.name] = body.read() if body else content[m.linkname]
    for (uid, _, want), row in zip(files, rows):
        is_ = hashlib.sha256(content.get(row.get("path"), b"?")).hexdigest()
        if (row["uid"], row["status"], row.get("sha256"), is_) != (
                uid, "ok", want, want):
            fail(path, options, row, "wanted", uid, want, "is", is_)
    for row in rows[len(files):]:
        if row["status"] != "deleted":
            fail(path, options, row)
    return len(files)


def fetch_one(path, uid, want, *options):
    r = run(*options, "--", path, uid)
    if r.returncode or hashlib.sha256(r.stdout).hexdigest() != want:
        fail(path, options, uid, r.returncode, r.stderr)
    return 1


def is_odd(uid):
    parts = uid.split("/")
    return "" in parts or "." in parts or ".." in parts or "%" in uid


def main(what, where, url):
    n = 0
    for path, n_bits, files, gone in sets(where):
        if not files or (url and not path.startswith(where + "/")):
            continue
        if url:
            path = url + path[len(where):]
        noon = [(u, d + "T23:59:59-11:00", s) for u, d, s in files]
        if what == "batch":
            n += fetch_list(path, noon, gone)
            n += fetch_list(path, [(u, d + " 00:00:00.5+14:00", s)
                                   for u, d, s in files], gone)
            if len({u for u, _, _ in files}) == len(files):
                n += fetch_list(path, [(u, None, s) for u, _, s in files], gone)
        elif what == "n-bits" and n_bits:
            n += fetch_list(path, noon, gone, "--n-bits", str(n_bits))
            for uid, time, want in noon[::7]:
                n += fetch_one(path, uid, want, "--created-at", time,
                               "--n-bits", str(n_bits))
        elif what == "one":
            some = noon[:1] + noon[-1:] + [f for f in noon if is_odd(f[0])]
            for uid, time, want in {f[0]: f for f in some}.values():
                if "\0" not in uid:
                    n += fetch_one(path, uid, want, "--created-at", time)
    print(n)


DESFS = sys.argv[1]
main(sys.argv[3], sys.argv[2], (sys.argv + [""])[4])
