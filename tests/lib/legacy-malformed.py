#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each malformed fixture beside a good shard, through ls, extract and cat.

  legacy-malformed.py DESFS DIR RESULTS [-rss]

Writes a line for each: "ok NAME ", or "not ok NAME what is wrong".  What is
wanted is below: what is said of the object, with the exit status for damage,
and the files that come out, with the bytes that Python has found in them.  With
-rss the memory it takes is measured, too.
"""
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

FIXTURES = os.path.join(os.environ["SRCDIR"], "tests/fixtures/legacy")
CORRUPT = 6
RSS_MAX = 64 << 10  # KiB

os.environ["ASAN_OPTIONS"] = (os.environ.get("ASAN_OPTIONS", "") +
                              ":max_allocation_size_mb=64")

BOMB = 80 << 20


def des2(plain_len, frame):
    index = struct.pack("<IH1sBQQBQQI", 1, 1, b"a", 0, 8, len(frame), 1,
                        len(frame), plain_len, 0)
    return b"DES2\2\0\0\0" + frame + index + b"DESI" + struct.pack(
        "<Q", len(index))


def zeros(size, states_size):
    """A zstd frame of so many, in blocks of one byte that is repeated."""
    head = (b"\xa0" + struct.pack("<I", size) if states_size
            else b"\x00" + b"\x68")  # a window of 8 MiB
    blocks = b""
    for left in range(size, 0, -(128 << 10)):
        n = min(left, 128 << 10)
        blocks += struct.pack("<I", n << 3 | 2 | (left == n))[:3] + b"\0"
    return struct.pack("<I", 0xfd2fb528) + head + blocks


# Shards of one file, a, that no fixture is of.
MADE = {
    "bomb-stated": des2(10, zeros(BOMB, True)),
    "bomb-silent": des2(10, zeros(BOMB, False)),
    "bomb-said": des2(BOMB, zeros(BOMB, False)),
    "length-huge": des2(1 << 62, zeros(BOMB, False)),
}
# What is said of it, and the files that come out all the same.  None: nothing
# can be known to be wrong.
CASES = {
    "des-v2": {
        "good-reference": (None, "ab"),
        "zero-length": ("0 bytes", ""),
        "header-only": ("8 bytes", ""),
        "no-footer": ("footer at byte 97", ""),
        "truncated-1": ("footer at byte 108", ""),
        "bad-magic": ("header at byte 0", ""),
        "version-3": ("version at byte 4 is 3", ""),
        "reserved-set": ("header at byte 5", ""),
        "bad-footer-magic": ("footer at byte 109", ""),
        "index-size-huge": ("size of the index at byte 113 is 9223372036854775808", ""),
        "index-size-overlaps-header": ("size of the index at byte 113 is 105", ""),
        "trailing-garbage": ("footer at byte 113", ""),
        "payload-bitflip": (None, "ab"),
        "entry-past-data": ("content of 5000 bytes at byte 8", ""),
        "unknown-codec": ("codec at byte 36 is 9", ""),
        "size-mismatch": ("zstd frame states 300 bytes, not 299", ""),
        "zstd-truncated": ("zstd frame is cut", ""),
        "uid-not-utf8": ("uid is no UTF-8 at byte 15", ""),
        "meta-not-object": ("metadata are no JSON object", ""),
        "meta-truncated": ("metadata of 4000 bytes at byte 54 are cut", ""),
        "duplicate-uid": (None, "a"),
        "count-too-small": ("index has 1 entries", "a"),
        "bomb-stated": ("states %d bytes, not 10" % BOMB, ""),
        "bomb-silent": ("more than", ""),
        "bomb-said": (None, "a"),
        "length-huge": ("%d bytes, which" % (1 << 62), ""),
        "count-too-big": ("index at byte 16 has 3 entries", ""),
    },
    "datavision": {
        "good-reference": (None, "ab"),
        "header-magic": ("header at byte 0", ""),
        "footer-magic": ("footer at byte 128", ""),
        "version": ("version at byte 136 is 2", ""),
        "truncated": ("footer at byte 127", ""),
        "short": ("40 bytes", ""),
        "payload-flip": (None, "ab"),
        "index-past-end": ("index of 1000000 bytes", ""),
        "count-low": ("number of files at byte 192 is 1", "ab"),
        "count-high": ("number of files at byte 192 is 3", ""),
    },
}


def hashes(where):
    found = {}
    for base, _, names in os.walk(where):
        for name in names:
            path = os.path.join(base, name)
            digest = hashlib.sha256()
            with open(path, "rb") as f:
                while piece := f.read(1 << 20):
                    digest.update(piece)
            found[os.path.relpath(path, where)] = digest.hexdigest()
    return found


def run(*args):
    """Status, standard error, KiB of memory: of this program too, if it has
    more, so it must not.
    """
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        log.seek(0)
        return (os.waitstatus_to_exitcode(status),
                log.read().decode(errors="replace"), usage.ru_maxrss)


def good_ones(kind, expected):
    """A shard with other uids: where it is, and what is in it."""
    if kind == "des-v2":
        sets = {s["name"]: s for s in expected["sets"]}["legacy-v1"]
        return (sets["shards"][0]["path"], "20250201_07_0000.des",
                {f["uid"]: f["sha256"] for f in sets["files"]})
    plain = {c["path"]: c for c in expected["containers"]}["plain.des"]
    return ("plain.des", "2025-02-01/07.des",
            {e["name"]: e["sha256"] for e in plain["entries"]})


def check(desfs, kind, case, expected, where):
    """Yields what must be true, and what to say if it is not."""
    entry = {os.path.basename(m["path"])[:-4]: m
             for m in expected["malformed"]}.get(case)
    said, shown = CASES[kind][case]
    source, good_name, wanted = good_ones(kind, expected)
    name = "2025-02-01/00.des" if kind == "datavision" else "20250201_00_0000.des"
    archive = os.path.join(where, "archive")
    out = os.path.join(where, "out")
    for key in name, good_name:
        os.makedirs(os.path.dirname(os.path.join(archive, key)), exist_ok=True)
    shutil.copyfile(os.path.join(FIXTURES, kind, source),
                    os.path.join(archive, good_name))
    if entry:
        shutil.copyfile(os.path.join(FIXTURES, kind, entry["path"]),
                        os.path.join(archive, name))
    else:
        with open(os.path.join(archive, name), "wb") as f:
            f.write(MADE[case])
    wanted = dict(wanted)
    reads = entry["python"].get("reads", {}) if entry else {}
    for uid in shown:
        wanted[uid] = reads.get(uid, {}).get("sha256")
    ls, ls_log, ls_rss = run(desfs, "ls", "-R", archive)
    status, log, rss = run(desfs, "extract", archive, out)
    yield not ls_log or name + ": " in ls_log, "ls says something else"
    # Damage of the index is told at once, that of a file when it is read.
    yield ls == (CORRUPT if ls_log else 0), "ls ended with %s" % ls
    if not said:
        yield status == 0 and not log, "ended with %s" % status
        if case == "bomb-said":
            digest = hashlib.sha256()
            for _ in range(BOMB >> 20):
                digest.update(bytes(1 << 20))
            wanted["a"] = digest.hexdigest()
    else:
        yield status == CORRUPT, "ended with %s" % status
        yield re.search(r"\b%s: .*%s" % (re.escape(name), re.escape(said)),
                        log), "does not say " + said
        status, _, _ = run(desfs, "cat", archive,
                           b"\xff\xfe" if case == "uid-not-utf8" else "a")
        yield status == (CORRUPT if ls_log or "a" not in shown else 0), (
            "cat ended with %s" % status)
    if "-rss" in sys.argv and case != "bomb-said":
        yield max(rss, ls_rss) < RSS_MAX, "took %d KiB" % max(rss, ls_rss)
    found = hashes(out)
    for path in sorted(set(wanted) | set(found)):
        # Python has no hash of what it refuses and we do not.
        yield (path in found and path in wanted and
               wanted[path] in (None, found[path])), (
            "%r: found %s, wanted %s" % (
                path, found.get(path), wanted.get(path)))
    yield True, log


def main(desfs, where, results):
    with open(results, "w") as out:
        try_all(desfs, where, out)


def try_all(desfs, where, out):
    for kind, cases in CASES.items():
        with open(os.path.join(FIXTURES, kind, "expected.json")) as f:
            expected = json.load(f)
        names = {os.path.basename(m["path"])[:-4] for m in expected["malformed"]}
        if names != set(cases) - set(MADE):
            sys.exit("fixtures that no case is for: %s" % (names ^ set(cases)))
        for case in cases:
            with tempfile.TemporaryDirectory(dir=where) as tmp:
                log, wrong = "", []
                for is_fine, what in check(desfs, kind, case, expected, tmp):
                    log = what
                    if not is_fine:
                        wrong.append(what)
            print("not ok" if wrong else "ok", kind + "/" + case,
                  "; ".join(wrong + ([log] if wrong else [])).replace(
                      "\n", " | "), file=out)


main(*sys.argv[1:4])
