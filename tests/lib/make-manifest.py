#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make-manifest.py - files and manifests that list them, and checks of what was
made of them.

    make-manifest.py make COUNT           files below src/, m.json, m.jsonl, m.tsv
    make-manifest.py report FILE STATUS   the report is as it has to be, good
                                          records having STATUS
    make-manifest.py tar <TAR             so are the files of an export

Of each hundred records one has no file, one another size, one another hash, one
no date, and one the uid and the time of the one before.
"""
import hashlib
import json
import os
import re
import sys
import tarfile

BAD = {
    11: ("failed", r"^src/.*: No such file or directory$"),
    22: ("failed", r"^src/.*: size is \d+, the manifest says \d+$"),
    33: ("failed", r"^sha256 is [0-9a-f]{64}, wanted 0{64}$"),
    44: ("failed", r"created_at: 'soon' is no ISO 8601 time"),
    55: ("duplicate", r"created_at$"),
}


def content(i):
    return b"%d " % i * (i * 7 % 61)


def uid(i):
    if i % 100 == 55:
        i -= 1
    if i % 5 == 0:
        return i  # a number
    if i % 5 == 1:
        return "a//b/%d/" % i
    if i % 5 == 2:
        return "\u017c \u00f3/\t%d\\\n" % i
    return "d%02x/%d/file.%d" % (i % 256, i % 16, i)


def path(i):
    """of what make-manifest made of uid(i)"""
    u = str(uid(i))
    return "a/%%2Fb/%d%%2F" % i if u.startswith("a//") else u


def record(i):
    data = content(i)
    day = i % 2 + 1
    r = {
        "uid": uid(i),
        "created_at": "2024-03-%02dT%02d:00:00%s" % (
            day, i % 24, ("Z", "+05:30", "")[i % 3]),
        "size_bytes": len(data),
        "source_path": "src/%d/%d" % (i // 1000, i),
    }
    if i % 100 == 55:
        r["created_at"] = record(i - 1)["created_at"]
    if i % 2:
        r["sha256"] = hashlib.sha256(data).hexdigest()
    if i % 3 == 0:
        r["metadata"] = {"n": i, "text": "\u00e9\t\"\\"}
    if i % 100 == 11:
        r["source_path"] += ".none"
    if i % 100 == 22:
        r["size_bytes"] += 1
    if i % 100 == 33:
        r["sha256"] = "0" * 64
    if i % 100 == 44:
        r["created_at"] = "soon"
    return r


def escape(text):
    for a, b in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n")):
        text = text.replace(a, b)
    return text


def columns(r):
    meta = json.dumps(r["metadata"]) if "metadata" in r else "\\N"
    return [escape(str(r["uid"])), r["created_at"], str(r["size_bytes"]),
            r["source_path"], r.get("sha256", ""),
            meta if meta == "\\N" else escape(meta)]


def make(count):
    array, lines, tsv = (open("m." + e, "w", encoding="utf-8")
                         for e in ("json", "jsonl", "tsv"))
    tsv.write("uid\tcreated_at\tsize\tpath\tsha256\tmeta\n")
    for i in range(count):
        if i % 1000 == 0:
            os.makedirs("src/%d" % (i // 1000))
        fd = os.open("src/%d/%d" % (i // 1000, i), os.O_WRONLY | os.O_CREAT)
        os.write(fd, content(i))
        os.close(fd)
        r = record(i)
        array.write("[\n" if i == 0 else ",\n")
        array.write(json.dumps(r, indent=2 if i % 50 == 0 else None))
        lines.write(json.dumps(r, ensure_ascii=False) + "\n")
        tsv.write("\t".join(columns(r)) + "\n")
    array.write("\n]\n")


def check_report(name, good):
    count = 0
    with open(name, encoding="utf-8") as report:
        for i, line in enumerate(report):
            count += 1
            is_, want = json.loads(line), record(i)
            status, reason = BAD.get(i % 100, (good, None))
            if good == "would_archive" and i % 100 == 33:
                continue  # it was not read
            assert is_["record"] == i + 1, line
            assert is_["uid"] == str(want["uid"]), line
            assert is_["created_at"] == want["created_at"], line
            assert is_["status"] == status, line
            if reason:
                assert re.search(reason, is_["reason"]), line
                assert "shard" not in is_, line
                continue
            assert is_["size"] == want["size_bytes"], line
            assert "reason" not in is_, line
            if good == "would_archive":
                continue
            assert re.match(r"(\d{8}/)?\d{8}_.*\.des$", is_["shard"]), line
            assert is_["sha256"] == hashlib.sha256(content(i)).hexdigest(), line
    made = sum(1 for _ in open("m.jsonl", "rb"))
    assert count == made, (count, made)
    print(count, "records")


def check_tar():
    made = sum(1 for _ in open("m.jsonl", "rb"))
    want = {path(i): i for i in range(made) if i % 100 not in BAD}
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as tar:
        for member in tar:
            if not member.isfile():
                continue
            i = want.pop(member.name)
            assert tar.extractfile(member).read() == content(i), member.name
    assert not want, list(want.items())[:5]


if sys.argv[1] == "make":
    make(int(sys.argv[2]))
elif sys.argv[1] == "report":
    check_report(*sys.argv[2:])
else:
    check_tar()
