#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Archives of older programs from the fixtures, and what must be seen of them.

  legacy-fixtures.py make DIR
	Write the archives DIR/NAME and, for each, DIR/NAME.json: by day, the
	path of each file with its size and SHA-256.
  legacy-fixtures.py tree JSON DIR
  legacy-fixtures.py days JSON DIR
	Compare with a directory that shows the newest files, or one per day.
  legacy-fixtures.py listing JSON < LINES
	Compare with the lines of ls --json -R.
  legacy-fixtures.py paths JSON
	The paths of the newest files, each with a NUL behind it.
  legacy-fixtures.py content JSON < BYTES
	Compare with the files of these paths, one behind the other.
"""
import hashlib
import json
import os
import shutil
import struct
import sys

FIXTURES = os.path.join(os.environ["SRCDIR"], "tests/fixtures/legacy")

# Sets whose shard may be called anything, since its uids are not routed: each
# gets a day of its own, so that their uids are versions of each other.
LOOSE = ["codec-none", "codec-zstd5", "codec-zstd9", "codec-lz4", "bigfiles",
         "legacy-v1", "empty-shard", "sidecar"]
WHOLE = ["packed-n4", "packed-n8", "packed-n10", "packed-bigfile"]
OTHERS = {"%": ("00", "25", "2E", "2F")}


# Uids that are no paths, or look like what stands for one.
ODD = ["", "/", "//", "a", "a/b", "a//b", "a/", "a%file", "a%25file", "..",
       "../../etc/passwd", "./x", ".des", ".des/stats", "d/.des", "x\0y",
       "100%", "50%2F", "50%2f", "%empty", "%empty/x", "b/%empty", "%more/z",
       "%", "%%", "q/r/s", "q/r", "q", "x" * 256, "p/" + "y" * 600 + "/z",
       "\u00e9" * 200, "w" * 251 + "%2F" + "w" * 10, "new\nline", "tab\t"]


def escape_part(part, is_first):
    """What src/legacy/legacy-path.h says, written once more."""
    hidden = part in (".", "..") or (is_first and part == ".des")
    out = ""
    for i, c in enumerate(part):
        rest = part[i + 1:]
        if c == "%" and (rest[:2] in OTHERS[c] or rest in ("more", "file") or
                         (is_first and i == 0 and rest == "empty")):
            c = "%25"
        elif c in "\0/" or (c == "." and hidden):
            c = "%%%02X" % ord(c)
        out += c
    return out


def cut(text):
    raw = text.encode()
    pieces = []
    while len(raw) > 255:
        at = 250
        while raw[at] & 0xc0 == 0x80:
            at -= 1
        for back in (1, 2):
            if raw[at - back:at - back + 3] in (b"%00", b"%25", b"%2E", b"%2F"):
                at -= back
                break
        pieces.append(raw[:at] + b"%more")
        raw = raw[at:]
    return b"/".join(pieces + [raw]).decode()


def path_of(uid, mark=""):
    parts, start = [], 0
    for i in range(1, len(uid) - 1):
        if uid[i] == "/" and i > start:
            parts.append(uid[start:i])
            start = i + 1
    parts.append(uid[start:])
    if not uid:
        return "%empty" + mark
    texts = [escape_part(p, i == 0) for i, p in enumerate(parts)]
    texts[-1] += mark
    return "/".join(cut(t) for t in texts)


def des2_shard(files):
    """files: uid and bytes; a third item is written as metadata."""
    data, index = b"", struct.pack("<I", len(files))
    for uid, content, *meta in files:
        uid = uid.encode()
        meta = json.dumps(meta[0]).encode() if meta else b""
        index += struct.pack("<H", len(uid)) + uid + struct.pack(
            "<BQQBQQI", 0, 8 + len(data), len(content), 0, len(content),
            len(content), len(meta)) + meta
        data += content
    return b"DES2\2\0\0\0" + data + index + b"DESI" + struct.pack(
        "<Q", len(index))


def sidecar(name, tombstones):
    return json.dumps({"version": 1, "shard_file": name, "index": {},
                       "tombstones": tombstones}, indent=2).encode()


def load(kind):
    with open(os.path.join(FIXTURES, kind, "expected.json")) as f:
        return json.load(f)


class Archive:
    def __init__(self, where, name):
        self.base = os.path.join(where, name)
        self.days = {}

    def put(self, source, name):
        to = os.path.join(self.base, name)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copyfile(os.path.join(FIXTURES, source), to)

    def write(self, name, data):
        os.makedirs(self.base, exist_ok=True)
        with open(os.path.join(self.base, name), "wb") as f:
            f.write(data)

    def put_outside(self, folder, day_folder=""):
        base = os.path.join(FIXTURES, folder, "_bigFiles")
        for name in os.listdir(base) if os.path.isdir(base) else []:
            self.put(os.path.join(base, name),
                     os.path.join(day_folder, "_bigFiles", name))

    def add(self, day, uid, size, sha256):
        self.days.setdefault(day, {})[uid] = [size, sha256]

    def end(self):
        newest = {}
        for day in sorted(self.days):
            newest.update(self.days[day])
        plain = {path_of(uid) for uid in newest}
        above = {p[:i] for p in plain for i, c in enumerate(p) if c == "/"}
        marked = {uid: path_of(uid, "%file" if path_of(uid) in above else "")
                  for uid in newest}
        doc = {"tree": {marked[u]: v for u, v in newest.items()},
               "days": {d: {marked[u]: v for u, v in files.items()}
                        for d, files in self.days.items() if files}}
        with open(self.base + ".json", "w") as f:
            json.dump(doc, f, indent=1)


def make_loose(where, sets):
    archive = Archive(where, "loose")
    for i, name in enumerate(LOOSE):
        day = "202501%02d" % (i + 1)
        for shard in sets[name]["shards"]:
            archive.put("des-v2/" + shard["path"], day + "_00_0000.des")
            meta = "des-v2/" + shard["path"][:-3] + "meta"
            if os.path.exists(os.path.join(FIXTURES, meta)):
                archive.put(meta, day + "_00_0000.meta")
        archive.put_outside("des-v2/" + name)
        hidden = {"200", "300"} if name == "sidecar" else ()
        for f in sets[name]["files"]:
            if f["uid"] not in hidden:
                archive.add(day, f["uid"], f["size"], f["sha256"])
    archive.end()


def make_whole(where, name, entry):
    archive = Archive(where, name)
    for shard in entry["shards"]:
        archive.put("des-v2/" + shard["path"],
                    os.path.basename(shard["path"]))
    archive.put_outside("des-v2/" + name)
    for f in entry["files"]:
        archive.add(f["created_at"][:10].replace("-", ""), f["uid"], f["size"],
                    f["sha256"])
    archive.end()


def make_datavision(where, expected):
    archive = Archive(where, "datavision")
    for i, c in enumerate(expected["containers"]):
        folder = os.path.basename(os.path.dirname(c["path"]))
        name = os.path.basename(c["path"])
        if not folder[:1].isdigit():
            folder, name = "2025-01-%02d" % (20 + i), "00.des"
        archive.put("datavision/" + c["path"], folder + "/" + name)
        day = folder.replace("-", "")
        for e in c["entries"]:
            archive.add(day, e["name"], e["size"], e["sha256"])
    archive.put_outside("datavision/ext/2025-01-15", "2025-01-15")
    archive.end()


def make_odd(where):
    """Uids of all kinds; tombstones that count in another shard and at another
    time; the first shard of a slot wins, and the last entry in it.
    """
    archive = Archive(where, "odd")
    files = [(uid, b"odd %d" % i) for i, uid in enumerate(ODD)]
    archive.write("20250301_00_0000.des", des2_shard(files))
    for uid, content in files:
        archive.add("20250301", uid, len(content),
                    hashlib.sha256(content).hexdigest())
    archive.write("20250302_00_0000.des", des2_shard(
        [("first", b"old"), ("first", b"entry"), ("gone", b"0")]))
    archive.write("20250302_00_0001.des", des2_shard(
        [("first", b"second shard"), ("gone/later", b"1"), ("kept", b"2"),
         ("stamped", b"3", {"created_at": "2025-03-02T23:00:00-05:00"})]))
    archive.write("20250302_00_0000.meta", sidecar("20250302_00_0000.des", {
        "gone/later:2025-03-02T10:00:00Z": {"uid": "gone/later"},
        "gone:2025-03-02T10:00:00Z": {
            "uid": "gone", "created_at": "2025-03-02T10:00:00Z"}}))
    for uid, content in ("first", b"entry"), ("kept", b"2"):
        archive.add("20250302", uid, len(content),
                    hashlib.sha256(content).hexdigest())
    # 04:00 of the next day in UTC, which is what days are in a mount.
    archive.add("20250303", "stamped", 1, hashlib.sha256(b"3").hexdigest())
    archive.end()


def make(where):
    expected = load("des-v2")
    sets = {s["name"]: s for s in expected["sets"]}
    if set(sets) != set(LOOSE + WHOLE):
        sys.exit("sets of the fixtures: " + " ".join(sorted(sets)))
    make_odd(where)
    make_loose(where, sets)
    for name in WHOLE:
        make_whole(where, name, sets[name])
    make_datavision(where, load("datavision"))


def files_below(where):
    for base, _, names in os.walk(os.fsencode(where)):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as f:
                digest = hashlib.sha256()
                size = 0
                while piece := f.read(100000):
                    size += len(piece)
                    digest.update(piece)
            if os.stat(path).st_size != size:
                sys.exit("%r is %d bytes, not as many as it says" % (path, size))
            yield (os.path.relpath(path, os.fsencode(where)).decode(),
                   [size, digest.hexdigest()])


def compare(wanted, found, what):
    for path in sorted(set(wanted) | set(found)):
        if wanted.get(path) != found.get(path):
            sys.exit("%s: %r is %s, not %s" % (
                what, path, found.get(path), wanted.get(path)))
    if not wanted and what != "tree":
        sys.exit(what + ": nothing to compare")
    print(what, len(wanted), "files")


def main(mode, name, *args):
    if mode == "make":
        make(name)
        return
    with open(name) as f:
        doc = json.load(f)
    if mode == "tree":
        compare(doc["tree"], dict(files_below(args[0])), "tree")
    elif mode == "days":
        if sorted(os.listdir(args[0])) != sorted(doc["days"]):
            sys.exit("days are " + " ".join(sorted(os.listdir(args[0]))))
        for day, files in doc["days"].items():
            compare(files, dict(files_below(os.path.join(args[0], day))), day)
    elif mode == "listing":
        lines = [json.loads(line) for line in sys.stdin]
        compare({p: v[0] for p, v in doc["tree"].items()},
                {e["path"]: e["size"] for e in lines if e["type"] == "file"},
                "listing")
    elif mode == "paths":
        print("\0".join(sorted(doc["tree"])), end="\0")
    elif mode == "content":
        for path in sorted(doc["tree"]):
            size, sha256 = doc["tree"][path]
            data = sys.stdin.buffer.read(size)
            if hashlib.sha256(data).hexdigest() != sha256:
                sys.exit("%r has other bytes" % path)
        if sys.stdin.buffer.read(1):
            sys.exit("more bytes than those of all files")
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
