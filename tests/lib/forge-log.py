#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Change what a log says, as somebody could who may write to the archive.

Usage: forge-log.py ARCHIVE CODE

CODE is run with "records", those of the log in order, and "of", which gives those
of a kind.  Then digests and the hashes of predecessors are made right again.
"""
import glob
import hashlib
import json
import os
import sys


def text(record):
    return json.dumps(record, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False)


def main():
    archive, code = sys.argv[1:]
    # What a checkpoint stands for stays as it is.
    hashes = {r["name"]: r["sha256"]
              for f in glob.glob(f"{archive}/log/checkpoint-*")
              for r in json.load(open(f))["records"]}
    names = sorted(n for n in os.listdir(f"{archive}/log") if n[0] == "2")
    records = [json.load(open(f"{archive}/log/{n}")) for n in names]
    exec(code, {"records": records, "of": lambda kind: [
        r for r in records if r["kind"] == kind]})
    for name, record in zip(names, records):
        if "prev" in record:
            record["prev"]["sha256"] = hashes[record["prev"]["name"]]
        record.pop("digest")
        digest = hashlib.sha256(text(record).encode()).hexdigest()[:32]
        record["digest"] = digest
        data = (text(record) + "\n").encode()
        hashes[name] = hashlib.sha256(data).hexdigest()
        path = f"{archive}/log/{name}"
        os.unlink(path)
        with open(path, "wb") as f:
            f.write(data)


main()
