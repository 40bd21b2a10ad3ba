#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""desread.py - a second reader of desfs archives, to check the first.

Written from des-shard(5) and desfs-archive(5) alone.  It keeps the whole tree
in memory and reads only archives in directories.

	desread.py verify SHARD...|ARCHIVE...  everything; a line for each shard
	desread.py ls SHARD|ARCHIVE            uids of a shard, paths of an archive
	desread.py cat ARCHIVE PATH            the bytes of a file
	desread.py tree ARCHIVE                a line for each path: path, type,
	desread.py tree --source DIR           mode, owner, size, mtime, content,
	                                       links, xattrs; in any order of
	                                       bytes the same for both
Exit status, as of desfs(1): 0 good, 2 wrong usage, 3 not found, 6 damaged,
7 made by a newer version.
"""
import hashlib
import json
import os
import re
import stat
import sys
import zlib

import desshard
from desshard import (BLK, CHR, DIR, FIFO, IMPLICIT, LNK, OPAQUE, REG, WHITEOUT,
                      Corrupt, Cursor, Shard, Unsupported, need)

TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{6})Z")
RECORD = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-[0-9a-f]{32}\.json")
ROUTES = {"uid": 0, "parent": 1}
LETTERS = {REG: "f", DIR: "d", LNK: "l", FIFO: "p", CHR: "c", BLK: "b"}


# --- Documents -------------------------------------------------------------

def unique(pairs):
    need(len(dict(pairs)) == len(pairs), "a name twice in an object")
    return dict(pairs)


def read_json(path, most):
    with open(path, "rb") as f:
        data = f.read(most + 1)
    need(len(data) <= most, "document too long")
    try:
        doc = json.loads(data.decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError) as e:
        raise Corrupt(f"{path}: {e}") from None
    need(isinstance(doc, dict), f"{path}: not an object")
    return doc


def member(doc, name, kind):
    need(type(doc.get(name)) is kind, f"member {name}")
    return doc[name]


def number(doc, name, most=2**63 - 1):
    v = member(doc, name, int)
    need(0 <= v <= most, f"member {name}")
    return v


def hexadecimal(doc, name, digits):
    v = member(doc, name, str)
    need(re.fullmatch(f"[0-9a-f]{{{digits}}}", v), f"member {name}")
    return bytes.fromhex(v)


def point_in_time(doc, name):
    m = TIME.fullmatch(member(doc, name, str))
    need(m, f"member {name}")
    y, mo, d, h, mi, s, us = map(int, m.groups())
    need(h < 24 and mi < 60 and s < 60, f"member {name}")
    return desshard.day_start(y * 10000 + mo * 100 + d) + \
        (h * 3600 + mi * 60 + s) * 10**6 + us


def percent(data):
    return "".join(chr(b) if 0x20 <= b <= 0x7E and b not in b'%"\\'
                   else f"%{b:02X}" for b in data)


def uid_member(doc, name):
    text = member(doc, name, str)
    uid = re.sub(r"%([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), text)
    need(all(ord(c) < 256 for c in uid) and len(uid) <= 65535, name)
    uid = uid.encode("latin-1")
    need(percent(uid) == text, f"member {name} is not in the one form")
    return uid


def slot_of(uid, route, n_bits):
    text = desshard.split(uid)[0] if route else uid
    value = int(text) if re.fullmatch(rb"[0-9]+", text) else zlib.crc32(text)
    return value % 2**n_bits


def hash_member(d, name):
    """A member that hashes all others."""
    rest = {k: v for k, v in d.items() if k != name}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False)
    need(desshard.sha16(text.encode()) == hexadecimal(d, name, 32), name)
    return hexadecimal(d, name, 32)


# --- An archive ------------------------------------------------------------

class Archive:
    def __init__(self, root):
        self.root = root
        self.read_descriptor(os.path.join(root, "desfs.json"))
        self.shards = {}
        for name in sorted(os.listdir(os.path.join(root, "log"))):
            if name.startswith("checkpoint-"):
                raise Unsupported("log with checkpoints")
            m = RECORD.fullmatch(name)
            if m:
                self.read_record(os.path.join(root, "log", name), m[1])

    def read_descriptor(self, path):
        d = read_json(path, 65536)
        if number(d, "format") != 3:
            raise Unsupported(f"format {d['format']}")
        features = member(d, "features", dict)
        for kind in "incompat", "ro_compat", "compat":
            need(all(type(f) is str for f in member(features, kind, list)),
                 "features")
        if features["incompat"]:
            raise Unsupported(f"features {features['incompat']}")
        self.n_bits, self.route = number(d, "n_bits"), member(d, "route", str)
        need(4 <= self.n_bits <= 16, "n_bits")
        need(self.route in ROUTES, "route")
        point_in_time(d, "created_at")
        self.id = hash_member(d, "archive_id")

    def read_record(self, path, at):
        r = read_json(path, 1 << 28)
        if number(r, "version") > 1 or member(r, "kind", str) != "shards":
            raise Unsupported(f"{path}: {r['kind']}, {r['version']}")
        need(r["version"] == 1, "version of a record")
        hash_member(r, "digest")
        need(hexadecimal(r, "archive_id", 32) == self.id, "other archive's log")
        point_in_time(r, "time")
        need(re.sub("[-:]", "", r["time"]) == at, "time of a record")
        last = ""
        for m in member(r, "shards", list):
            need(type(m) is dict, "shard in a record")
            key = self.check_meta(m)
            need(last < key, "order of a record's shards")
            known = self.shards.setdefault(key, m)
            need((known["size"], known["root"]) == (m["size"], m["root"]),
                 f"records disagree about {key}")
            last = key

    def check_meta(self, m):
        day, slot = number(m, "day"), number(m, "slot")
        n_bits, part = number(m, "n_bits", 16), number(m, "part", 9999)
        revision = number(m, "revision", 999)
        need(n_bits >= 4 and slot < 2**n_bits, "slot of a shard")
        need(member(m, "route", str) in ROUTES, "route of a shard")
        need(number(m, "size") >= 704, "size of a shard")
        root = hexadecimal(m, "root", 64)
        uid_member(m, "first"), uid_member(m, "last")
        need(point_in_time(m, "created_min") <= point_in_time(m, "created_max"),
             "created_min")
        for name in "entries", "files", "plain_bytes":
            number(m, name)
        for name in "incompat", "ro_compat", "compat":
            number(m, name, 2**32 - 1)
        if m["incompat"]:
            raise Unsupported(f"shard with features {m['incompat']}")
        desshard.day_start(day)
        again = f"_R{revision:03}" if revision else ""
        key = f"{day:08}/{day:08}_{slot:0{-(-n_bits // 4)}X}_{part:04}" \
              f"{again}_{root[:8].hex()}.des"
        need(member(m, "key", str) == key, f"key is not {key}")
        return key

    def shard(self, key):
        m = self.shards[key]
        try:
            s = Shard(os.path.join(self.root, key))
        except FileNotFoundError:
            raise Corrupt("the log names it and it is not there") from None
        need((s.size, s.root.hex()) == (m["size"], m["root"]), "size or root")
        told = (s.day, s.slot, s.n_bits, s.route, s.part, s.revision, s.oldest,
                s.newest, s.n_entries, s.n_files, s.plain, s.first, s.last,
                0, s.ro_compat, s.compat, s.archive)
        need(told == (m["day"], m["slot"], m["n_bits"], ROUTES[m["route"]],
                      m["part"], m["revision"], point_in_time(m, "created_min"),
                      point_in_time(m, "created_max"), m["entries"], m["files"],
                      m["plain_bytes"], uid_member(m, "first"),
                      uid_member(m, "last"), m["incompat"], m["ro_compat"],
                      m["compat"], self.id), "record and footer differ")
        return s

    def verify(self):
        for key in sorted(self.shards):
            try:
                s = self.shard(key)
                verify_shard(key, s)
                for e in s.entries():
                    need(e.type == DIR or is_at_home(e, s), "slot of an entry")
            except (Corrupt, Unsupported) as err:
                raise type(err)(f"{key}: {err}") from None

    def load(self):
        """{parent: {name: [(entry, shard), ...]}} of all that counts."""
        dirs, self.roots = {}, []
        for key in sorted(self.shards):
            s = self.shard(key)
            for e in s.entries():
                if not e.uid:
                    self.roots.append((e, s))
                elif is_at_home(e, s):
                    dirs.setdefault(e.parent, {}).setdefault(
                        e.name, []).append((e, s))
        self.dirs = dirs

    def tree(self):
        """(path, entry, shard) of all that is visible, the root first."""
        self.load()
        root = choose(self.roots, None)
        stack = [(b"", *root)] if root else []
        while stack:
            path, e, s = stack.pop()
            yield path, e, s
            if e.type != DIR:
                continue
            since = e.opaque if e.flags & OPAQUE else None
            for name, versions in self.dirs.get(path, {}).items():
                chosen = choose(versions, since)
                if chosen and name not in (b"", b".", b"..") and \
                        len(name) <= 255 and not re.search(rb"[/\0]", name):
                    stack.append((path + b"/" + name if path else name,
                                  *chosen))


def is_at_home(e, s):
    """Elsewhere there are but directories above other entries."""
    return slot_of(e.uid, s.route, s.n_bits) == s.slot


def choose(versions, since):
    """The version that is shown; a directory is rather what somebody said of
    it than what was inferred later."""
    live = [v for v in versions if since is None or v[0].created >= since]
    live.sort(key=lambda v: v[0].created)
    said = [v for v in live if not v[0].flags & IMPLICIT]
    inferred = [v for v in live if v[0].flags & IMPLICIT]
    best = (said or inferred or [None])[-1]
    if said and inferred and best[0].type != DIR and \
            inferred[-1][0].created > best[0].created:
        best = inferred[-1]
    return best if best and best[0].type != WHITEOUT else None


# --- Lines -----------------------------------------------------------------

def escape(data):
    return "".join(chr(b) if 0x21 <= b <= 0x7E and b not in b"\\,=" else
                   f"\\{b:03o}" for b in data) or "-"


def line(path, kind, mode, owner, size, mtime, content, links, xattrs):
    text = ",".join(escape(n) + "=" + escape(v) for n, v in sorted(xattrs))
    return "\t".join([escape(path or b"."), LETTERS[kind], f"{mode:04o}",
                      "%d:%d" % owner, str(size), "%d.%09d" % mtime, content,
                      str(links or "-"), text or "-"])


def entry_line(path, e, s):
    content, xattrs, c = "-", [], Cursor(e.xattrs)
    if e.type == REG:
        h = hashlib.sha256()
        for piece in s.content(e):
            h.update(piece)
        content = h.hexdigest()
        need(not e.sha or content == e.sha.hex(), f"SHA-256 of {e.uid!r}")
    elif e.type == LNK:
        content = escape(e.target)
    elif e.type in (CHR, BLK):
        content = "%d:%d" % e.rdev
    while c.at < len(c.data):
        xattrs.append((c.string(1 << 20), c.string(1 << 20)))
    mode, owner, mtime = e.mode, (e.owner, e.grp), (e.mtime, e.ns)
    if e.flags & IMPLICIT:
        mode, owner = 0o755, (0, 0)
        mtime = e.created // 10**6, e.created % 10**6 * 1000
    return line(path, e.type, mode, owner, e.size, mtime, content, e.links(),
                xattrs)


def is_packed_xattr(name):
    return re.match(r"user\.|trusted\.|security\.capability$|"
                    r"system\.posix_acl_(access|default)$", name)


def source_line(path, full, links):
    st = os.lstat(full)
    kinds = {stat.S_IFREG: REG, stat.S_IFDIR: DIR, stat.S_IFLNK: LNK,
             stat.S_IFIFO: FIFO, stat.S_IFCHR: CHR, stat.S_IFBLK: BLK}
    kind = kinds[stat.S_IFMT(st.st_mode)]
    size, content = 0, "-"
    if kind == REG:
        size = st.st_size
        with open(full, "rb") as f:
            content = hashlib.file_digest(f, "sha256").hexdigest()
    elif kind == LNK:
        target = os.readlink(full)
        size, content = len(target), escape(target)
    elif kind in (CHR, BLK):
        content = f"{os.major(st.st_rdev)}:{os.minor(st.st_rdev)}"
    xattrs = [(os.fsencode(n), os.getxattr(full, n, follow_symlinks=False))
              for n in os.listxattr(full, follow_symlinks=False)
              if is_packed_xattr(n)]
    return line(path, kind, stat.S_IMODE(st.st_mode), (st.st_uid, st.st_gid),
                size, divmod(st.st_mtime_ns, 10**9), content, links, xattrs)


def source_lines(root):
    """Links are counted in the tree: of directories, from those below."""
    paths, names, below = [b""], {}, {b"": 2}
    for path in paths:
        if path not in below:
            continue
        for entry in os.scandir(os.path.join(root, path)):
            st = entry.stat(follow_symlinks=False)
            if stat.S_ISSOCK(st.st_mode):
                continue
            paths.append(os.path.join(path, entry.name))
            if stat.S_ISDIR(st.st_mode):
                below[path] += 1
                below[paths[-1]] = 2
            else:
                inode = st.st_dev, st.st_ino
                names.setdefault(inode, []).append(paths[-1])
    links = {p: len(ps) for ps in names.values() for p in ps} | below
    for path in paths:
        yield source_line(path, os.path.join(root, path), links[path])


# --- Commands --------------------------------------------------------------

def verify_shard(name, s):
    n = s.verify()
    more = f", {n} records of no entry" if n else ""
    print(f"{name}: {s.n_entries} entries, {s.n_blocks} blocks, "
          f"{s.dead} bytes unreferenced{more}")


def verify(*paths):
    for path in paths:
        try:
            if os.path.isdir(path):
                Archive(path).verify()
            else:
                verify_shard(path, Shard(path))
        except (Corrupt, Unsupported) as e:
            raise type(e)(f"{path}: {e}") from None


def ls(path):
    if os.path.isdir(path):
        uids = (p or b"." for p, _, _ in Archive(path).tree())
    else:
        uids = (e.uid for e in Shard(path).entries())
    for uid in sorted(uids):
        print(escape(uid))


def cat(root, path):
    for found, e, s in Archive(root).tree():
        if found == os.fsencode(path) and e.type == REG:
            for piece in s.content(e):
                sys.stdout.buffer.write(piece)
            return
    raise FileNotFoundError(path)


def tree(root, directory=None):
    if root == "--source" and directory:
        lines = source_lines(os.fsencode(directory))
    else:
        lines = (entry_line(*found) for found in Archive(root).tree())
    for text in sorted(lines):
        print(text)


def main(argv):
    commands = {"verify": verify, "ls": ls, "cat": cat, "tree": tree}
    if len(argv) < 3 or argv[1] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        commands[argv[1]](*argv[2:])
    except (Corrupt, Unsupported) as e:
        print(f"desread.py: {e}", file=sys.stderr)
        return e.status
    except OSError as e:
        print(f"desread.py: {e}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
