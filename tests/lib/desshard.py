# SPDX-License-Identifier: Apache-2.0
"""desshard.py - a second reader of the shard format, to check the first.

Written from des-shard(5) alone.  Slow, strict, simple: whatever the page says
a reader must reject is Corrupt here.  The standard library does all but
decompression.
"""
import datetime
import functools
import hashlib
import os
import struct

import lz4.frame
import zstandard

REG, DIR, LNK, FIFO, CHR, BLK, WHITEOUT = range(1, 8)
IMPLICIT, OPAQUE, SHA, XATTRS, META, GROUP, NLINK = \
    0x08, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200
BLOCK_MAX, RECORDS_MAX, PAGE_MAX = 1 << 24, 1 << 26, 1 << 23
DAY = 86400 * 10**6
HOLE, SELF = bytes(16), b"\xff" * 16


class Corrupt(Exception):
    status = 6


class Unsupported(Exception):
    status = 7


def need(true, what):
    if not true:
        raise Corrupt(what)


def sha16(data):
    return hashlib.sha256(data).digest()[:16]


# --- CRC-32C ---------------------------------------------------------------
# A byte at a time is too slow in Python, so long inputs are cut into lanes of
# 256 bytes, and all lanes advance by one byte in a few operations on bytes.

def crc_byte(c):
    for _ in range(8):
        c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
    return c


LANE = 256
CRC = [crc_byte(b) for b in range(256)]
CRC_PLANES = [bytes(c >> 8 * k & 255 for c in CRC) for k in range(4)]


def crc_bytes(c, data):
    for b in data:
        c = c >> 8 ^ CRC[(c ^ b) & 255]
    return c


def crc_skip_table(k):
    """What byte k of a state becomes after a lane of zeros."""
    bits = [crc_bytes(1 << 8 * k + i, bytes(LANE)) for i in range(8)]
    return [functools.reduce(lambda x, i: x ^ (bits[i] if b >> i & 1 else 0),
                             range(8), 0) for b in range(256)]


CRC_SKIP = [crc_skip_table(k) for k in range(4)]


def crc32c(data):
    n = len(data) // LANE
    state = 0xFFFFFFFF
    if n:
        def xor(a, b):
            return (int.from_bytes(a, "little") ^
                    int.from_bytes(b, "little")).to_bytes(n, "little")
        planes = [bytes(n)] * 4
        for i in range(LANE):
            at = xor(planes[0], data[i:n * LANE:LANE])
            low = [at.translate(t) for t in CRC_PLANES]
            planes = [xor(planes[k + 1], low[k]) for k in range(3)] + [low[3]]
        for lane in zip(*planes):
            state = int.from_bytes(lane, "little") ^ functools.reduce(
                lambda x, k: x ^ CRC_SKIP[k][state >> 8 * k & 255],
                range(4), 0)
    return crc_bytes(state, data[n * LANE:]) ^ 0xFFFFFFFF


# --- Bytes -----------------------------------------------------------------

class Cursor:
    """Reads bytes from the front, never beyond the end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        need(n <= len(self.data) - self.at, "a field runs beyond its container")
        self.at += n
        return self.data[self.at - n:self.at]

    def varint(self, most=2**64 - 1):
        v = shift = 0
        while True:
            byte = self.take(1)[0]
            v |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            need(shift < 70, "varint of more than ten bytes")
        need(byte or shift == 7, "varint in a longer form")
        need(v <= most, f"number {v} is beyond its limit {most}")
        return v

    def varints(self, n, most=2**64 - 1):
        return [self.varint(most) for _ in range(n)]

    def zigzag(self):
        v = self.varint()
        return -(v >> 1) - 1 if v & 1 else v >> 1

    def string(self, most):
        return bytes(self.take(self.varint(most)))

    def shared(self, before, most):
        """A string whose beginning is that of the one before."""
        n = self.varint(len(before))
        return before[:n] + self.string(most - n)

    def end(self):
        need(self.at == len(self.data), "bytes left over")


def day_start(day):
    """The first microsecond of a day that is a number YYYYMMDD."""
    try:
        date = datetime.date(day // 10000, day // 100 % 100, day % 100)
    except ValueError:
        raise Corrupt(f"{day} is no day") from None
    return (date.toordinal() - datetime.date(1970, 1, 1).toordinal()) * DAY


def i64(v):
    """Differences of i64 wrap around."""
    return (v + 2**63) % 2**64 - 2**63


def varint(v):
    out = bytearray()
    while v > 0x7F:
        out.append(v & 0x7F | 0x80)
        v >>= 7
    return bytes(out) + bytes([v])


def zigzag(v):
    return varint(2 * v if v >= 0 else -2 * v - 1)


def string(s):
    return varint(len(s)) + s


def zstd_frame_length(data):
    """Where the first frame ends: RFC 8878, 3.1.1."""
    at = zstandard.frame_header_size(data)
    last = 0
    while not last:
        need(at + 3 <= len(data), "zstd frame is cut short")
        head = int.from_bytes(data[at:at + 3], "little")
        last, kind = head & 1, head >> 1 & 3
        at += 3 + (1 if kind == 1 else head >> 3)
    return at + 4 * zstandard.get_frame_parameters(data).has_checksum


def unpack(codec, data, raw):
    if codec == 0:
        need(len(data) == raw, "stored, but of different lengths")
        return data
    need(0 < len(data) < raw, "compressed to no fewer bytes")
    try:
        if codec == 1:
            need(zstandard.frame_content_size(data) == raw,
                 "content size of the zstd frame")
            out = zstandard.ZstdDecompressor().decompress(data, raw)
            need(zstd_frame_length(data) == len(data), "bytes after the frame")
        elif codec == 2:
            need(lz4.frame.get_frame_info(data)["content_size"] == raw,
                 "content size of the lz4 frame")
            d = lz4.frame.LZ4FrameDecompressor()
            out = d.decompress(data, raw + 1)
            need(d.eof and not d.unused_data, "not one lz4 frame")
        else:
            raise Corrupt(f"unknown codec {codec}")
    except (zstandard.ZstdError, RuntimeError) as e:
        raise Corrupt(f"decompression: {e}") from None
    need(len(out) == raw, "decompressed to another length")
    return out


# --- Entries ---------------------------------------------------------------

class Ref:
    """A block as an entry refers to it."""

    def __init__(self, stored, raw):
        self.stored, self.raw = stored, raw
        self.off, self.codec, self.hash = 0, 0, HOLE


class Entry:
    opaque, target, rdev, group, nlink = None, b"", (0, 0), b"", None
    xattrs, meta, sha = b"", b"", b""
    block_size, tail, segments = 0, 0, ()

    @property
    def type(self):
        return self.flags & 7

    @property
    def uid(self):
        return self.parent + b"/" + self.name if self.parent else self.name

    @property
    def key(self):
        return self.parent, self.name, -self.created

    def links(self):
        return self.nlink if self.flags & NLINK else int(self.type != DIR)

    def logical(self, flags):
        """Items 1 to 14 of a record, the uid whole."""
        out = [varint(flags), b"\0", string(self.uid), zigzag(self.created),
               varint(self.mode), varint(self.owner), varint(self.grp),
               zigzag(self.mtime), varint(self.ns), varint(self.size)]
        if flags & OPAQUE:
            out.append(zigzag(self.opaque))
        if self.type == LNK:
            out.append(string(self.target))
        if self.type in (CHR, BLK):
            out += map(varint, self.rdev)
        if flags & GROUP:
            out.append(self.group)
        if flags & NLINK:
            out.append(varint(self.nlink))
        if flags & XATTRS:
            out.append(string(self.xattrs))
        if flags & META:
            out.append(string(self.meta))
        return b"".join(out)

    def check(self):
        f, t = self.flags, self.type
        need(t and not f & ~0x3FF, f"flags {f:#x}")
        need(t == DIR or not f & (IMPLICIT | OPAQUE), "flags of a directory")
        need(t == REG or not f & SHA, "content hash of no file")
        need(all(value for flag, value in
                 [(XATTRS, self.xattrs), (META, self.meta),
                  (GROUP, any(self.group))] if f & flag), "flag of nothing")
        need(not f & NLINK or self.nlink != (t != DIR), "number of links")
        need(self.mode <= 0o7777, "mode")
        need(max(self.owner, self.grp, self.nlink or 0, *self.rdev) < 2**32,
             "owner, device or links")
        need(self.ns < 10**9, "nanoseconds")
        need(t == REG or self.size == len(self.target), "size of no file")
        need(self.size < 2**63 and len(self.target) <= 65535, "size")
        need(t != LNK or (self.target and b"\0" not in self.target), "target")
        need(len(self.uid) <= 65535, "length of uid")
        need((self.parent, self.name) == split(self.uid), "split of a uid")
        if f & XATTRS:
            last = None
            c = Cursor(self.xattrs)
            while c.at < len(c.data):
                name = c.string(1 << 20)
                c.string(1 << 20)
                need(name and b"\0" not in name, "name of an xattr")
                need(last is None or name > last, "order of xattrs")
                last = name


def split(uid):
    i = uid.rfind(b"/")
    return (uid[:i], uid[i + 1:]) if i > 0 else (b"", uid)


def read_record(c, before):
    """One record, where its content is: None or (hashes, tail, block size)."""
    e = Entry()
    e.flags = c.varint(0x3FF)
    need(not e.flags & SHA, "record with a hash")
    e.parent, e.name = split(c.shared(before, 65535))
    e.created = c.zigzag()
    e.mode, e.owner, e.grp = c.varints(3)
    e.mtime, e.ns, e.size = c.zigzag(), c.varint(), c.varint()
    if e.flags & OPAQUE:
        e.opaque = c.zigzag()
    if e.type == LNK:
        e.target = c.string(65535)
    if e.type in (CHR, BLK):
        e.rdev = tuple(c.varints(2))
    if e.flags & GROUP:
        e.group = bytes(c.take(16))
    if e.flags & NLINK:
        e.nlink = c.varint()
    if e.flags & XATTRS:
        e.xattrs = c.string(1 << 20)
    if e.flags & META:
        e.meta = c.string(65536)
    e.check()
    kind = c.take(1)[0]
    need(kind <= 2, "where the content is")
    if kind == 0:
        return e, None
    need(e.type == REG and e.size > 0, "content of no file")
    if kind == 1:
        return e, ((SELF,), c.varint(), 0)
    n, size, tail = c.varints(3)
    size = size if n > 1 else BLOCK_MAX
    need(n > 0 and (n - 1) * size < e.size <= n * size, "segments")
    hashes = tuple(bytes(c.take(16)) for _ in range(n))
    return e, (hashes, tail, size if n > 1 else 0)


# --- Index -----------------------------------------------------------------

def block_table(c, n):
    refs = [Ref(s, 0) for s in c.varints(n, 2**32 - 1)]
    for r in refs:
        r.raw = c.varint(BLOCK_MAX)
    there = [r for r in refs if r.stored]
    end = 0
    for r in there:
        r.off = i64(end + c.zigzag())
        end = r.off + r.stored
    for r in there:
        r.codec = c.take(1)[0]
    for r in there:
        r.hash = bytes(c.take(16))
    return refs


def page_refs(c, n):
    places, end = [], 0
    for _ in range(n):
        off = end + c.zigzag()
        need(off >= end, "pages are not in the order of their references")
        length = c.varint(2**32 - 1)
        end = off + length
        places.append((off, length))
    return [(off, length, bytes(c.take(16))) for off, length in places]


def leaf_names(c, n):
    """Parent and name of each entry."""
    parents, before = [], b""
    for i in range(c.varint(n)):
        below = c.varint(n - len(parents))
        parent = c.shared(before, 65535)
        need(below and (not i or parent > before), "parents of a leaf")
        parents += [parent] * below
        before = parent
    need(len(parents) == n, "entries below the parents of a leaf")
    same, rest = c.varints(n, 65535), c.varints(n, 65535)
    names = []
    for i in range(n):
        before = names[-1] if i and parents[i] == parents[i - 1] else b""
        need(same[i] <= len(before), "shared bytes of a name")
        names.append(before[:same[i]] + bytes(c.take(rest[i])))
    need(sum(map(len, names + list(set(parents)))) <= PAGE_MAX,
         "names of a page")
    return zip(parents, names)


def leaf_contents(c, files, table):
    for e in files:
        e.n = c.varint(1 << 26)
    for e in files:
        if e.n > 1:
            e.block_size = c.varint(BLOCK_MAX)
            need(e.block_size >= 4096, "block size of a file")
    for e in files:
        if e.n:
            e.tail = c.varint(BLOCK_MAX)
    last = 0
    for e in files:
        if 1 <= e.n <= 64:
            first = i64(last + c.zigzag())
            need(0 <= first <= len(table) - e.n, "references of a file")
            e.segments = table[first:first + e.n]
            last = first + e.n - 1
    for e in files:
        if e.n > 64:
            e.per_list = c.varint(65536)
            need(e.per_list, "references in a block list")
            n = -(-e.n // e.per_list)
            need(n <= 1024, "block lists of a file")
            e.lists = page_refs(c, n)


def read_leaf(c, n):
    table = block_table(c, c.varint(65536))
    es = []
    for parent, name in leaf_names(c, n):
        e = Entry()
        e.parent, e.name = parent, name
        es.append(e)

    def column(field, read, which=es):
        for e in which:
            setattr(e, field, read())

    def differences(field):
        v = 0
        for e in es:
            v = i64(v + c.zigzag())
            setattr(e, field, v)

    column("flags", c.varint)
    differences("created")
    column("mode", c.varint)
    column("owner", c.varint)
    column("grp", c.varint)
    differences("mtime")
    column("ns", lambda: int.from_bytes(c.take(4), "little"))
    column("size", c.varint)
    leaf_contents(c, [e for e in es if e.type == REG], table)
    column("sha", lambda: bytes(c.take(32)), [e for e in es if e.flags & SHA])
    column("opaque", c.zigzag, [e for e in es if e.flags & OPAQUE])
    for e in es:
        if e.type == LNK:
            e.target = bytes(c.take(e.size))
    column("rdev", lambda: tuple(c.varints(2)),
           [e for e in es if e.type in (CHR, BLK)])
    column("group", lambda: bytes(c.take(16)),
           [e for e in es if e.flags & GROUP])
    column("nlink", c.varint, [e for e in es if e.flags & NLINK])
    column("meta", lambda: c.string(65536), [e for e in es if e.flags & META])
    lists = [c.string(1 << 20) for _ in range(c.varint(n))]
    column("xattrs", lambda: lists[c.varint(len(lists) - 1)],
           [e for e in es if e.flags & XATTRS])
    c.end()
    need(sum(len(e.xattrs) for e in es) <= PAGE_MAX, "xattrs of a page")
    for e in es:
        e.check()
    return es


def read_node(c, n):
    """(ordinal, page reference, first parent, first name) of each child."""
    ordinals, v = [], 0
    for _ in range(n):
        v += c.varint()
        ordinals.append(v)
    refs, keys = page_refs(c, n), []
    parent = name = b""
    for _ in range(n):
        p = c.shared(parent, 65535)
        name = c.shared(name if p == parent else b"", 65535)
        parent = p
        keys.append((parent, name))
    c.end()
    return list(zip(ordinals, refs, keys))


# --- A shard ---------------------------------------------------------------

def mix64(h):
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    h = (h ^ h >> 27) * 0x94D049BB133111EB % 2**64
    return h ^ h >> 31


class Filter:
    def __init__(self, data, directory, n):
        size = n * 10 // 8
        self.n = bool(size) if size < 32768 else size // 16384
        self.size = size if size < 32768 else 16384
        self.data = data
        need(len(data) == self.n * self.size, "length of the filter")
        parts = [data[i * self.size:(i + 1) * self.size] for i in range(self.n)]
        need(directory == b"".join(map(sha16, parts)), "filter directory")

    def may_have(self, uid):
        fnv = 0xCBF29CE484222325
        for b in uid:
            fnv = (fnv ^ b) * 0x100000001B3 % 2**64
        h = mix64(fnv)
        base = ((h >> 32) * self.n >> 32) * self.size
        s = mix64(h)
        a, b = s & 0xFFFFFFFF, s >> 32 | 1
        bits = [(a + i * b) % 2**32 % (8 * self.size) for i in range(7)]
        return all(self.data[base + k // 8] >> k % 8 & 1 for k in bits)


class Shard:
    def __init__(self, path):
        self.file = open(path, "rb")
        self.size = os.fstat(self.file.fileno()).st_size
        need(self.size >= 192 + 512, "too short for a shard")
        self.header, foot = self.read(0, 192), self.read(self.size - 512, 512)
        self.read_header(self.header)
        self.read_footer(foot)

    def read(self, off, n):
        need(0 <= off and off + n <= self.size, "beyond the end of the shard")
        data = os.pread(self.file.fileno(), n, off)
        need(len(data) == n, "short read")
        return data

    def read_header(self, h):
        need(h[:8] == b"DES3\r\n\x1a\n", "magic of the header")
        (version, size, incompat, self.ro_compat, self.compat, self.archive,
         self.day, self.slot, self.n_bits, self.route, zero, self.part,
         self.revision, self.block_size, self.writer, zeros, crc) = \
            struct.unpack("<8xHHIII16sIIBBHIII64s60sI", h)
        need(crc == crc32c(h[:188]), "CRC of the header")
        if version != 3 or incompat:
            raise Unsupported(f"version {version}, features {incompat:#x}")
        need(size == 192 and not zero and not any(zeros), "header")
        need(4 <= self.n_bits <= 16 and self.slot < 1 << self.n_bits, "slot")
        need(self.route <= 1, "route")
        need(4096 <= self.block_size <= BLOCK_MAX, "block size")
        need(not self.writer.rstrip(b"\0").count(b"\0"), "writer")

    def read_footer(self, f):
        need(f[:8] == b"DES3FOOT" and f[504:] == b"3SEDdone", "footer magic")
        need(int.from_bytes(f[500:504], "little") == crc32c(f[:500]),
             "CRC of the footer")
        self.root = f[468:500]
        need(hashlib.sha256(f[:468]).digest() == self.root, "root")
        h, compat = self.header, int.from_bytes(f[20:24], "little")
        version, incompat = struct.unpack_from("<H2xI", f, 8)
        if version != 3 or incompat:
            raise Unsupported(f"version {version}, features {incompat:#x}")
        need(f[8:10] + f[12:20] + f[24:128] == h[8:10] + h[12:20] + h[24:128]
             and f[10:12] == b"\0\2", "footer is not that of the header")
        need(self.compat & ~compat == 0, "compatible features")
        self.compat = compat
        (self.oldest, self.newest, self.n_entries, self.n_files, self.plain,
         self.n_blocks, self.dead) = struct.unpack_from("<qqQQQQQ", f, 128)
        data, index = struct.unpack_from("<QQ", f, 184), \
            struct.unpack_from("<QQ", f, 200)
        off, length, self.levels, digest = struct.unpack_from("<QII16s", f, 216)
        self.root_page = off, length, digest
        places = [struct.unpack_from("<QQ16s", f, 248 + 32 * i)
                  for i in range(3)]
        header_hash, self.logical = f[344:360], f[360:392]
        need(header_hash == sha16(h), "hash of the header")
        need(not any(f[392:468]), "zeros of the footer")
        end = 192
        filter_, *rest = [p[:2] for p in places]
        for at, n in [data, filter_, index] + rest:
            need(at == end, "parts do not tile the shard")
            end += n
        need(end == self.size - 512, "parts do not tile the shard")
        self.data_end, (self.index, self.index_len) = sum(data), index
        need(self.levels <= 8 and self.n_entries <= 1 << 40, "levels or count")
        parts = [self.read(at, n) for at, n, _ in places]
        need([sha16(p) for p in parts] == [p[2] for p in places],
             "hash of filter, filter directory or info")
        self.filter = Filter(parts[0], parts[1], self.n_entries)
        c = Cursor(parts[2])
        need(len(c.data) <= 262144, "length of info")
        self.first, self.last = [
            c.take(int.from_bytes(c.take(4), "little")) for _ in range(2)]
        c.end()

    def page(self, ref, kind, level):
        off, length, digest = ref
        need(24 <= length and 0 <= off and off + length <= self.index_len,
             "page outside of the index")
        p = self.read(self.index + off, length)
        need(sha16(p) == digest, "hash of a page")
        magic, k, codec, lv, zero, count, raw, stored, crc = \
            struct.unpack_from("<4sBBBBIIII", p)
        need(magic == b"DGPG" and not zero, "page")
        need((k, lv) == (kind, level), "kind or level of a page")
        need(1 <= count <= 65536 and raw <= PAGE_MAX, "count or length of page")
        need(stored == length - 24, "stored length of a page")
        need(crc == crc32c(p[:20] + p[24:]), "CRC of a page")
        need(off not in self.pages, "page referred to twice")
        self.pages[off] = length
        return Cursor(unpack(codec, p[24:], raw)), count

    def entries(self):
        """All entries in order; the pages above and between checked."""
        self.pages = {}
        need(bool(self.n_entries) == bool(self.levels), "levels of pages")
        if self.levels:
            yield from self.below(self.root_page, self.levels, 0, None)
        else:
            need(self.root_page == (0, 0, HOLE), "root page of nothing")
        end = 0
        for off in sorted(self.pages):
            need(off == end, "pages do not tile the index")
            end += self.pages[off]
        need(end == self.index_len, "pages do not tile the index")

    def below(self, ref, level, ordinal, key):
        if level == 1:
            es = read_leaf(*self.page(ref, 1, 1))
            need(key in (None, es[0].key[:2]), "first key of a leaf")
            for e in es:
                self.find_segments(e)
                yield e
            return
        children = read_node(*self.page(ref, 2, level))
        need(children[0][0] == ordinal and key in (None, children[0][2]),
             "first child of a node")
        for i, (at, child, first) in enumerate(children):
            need(at == ordinal, "ordinal of a child")
            need(not i or first >= children[i - 1][2], "keys of a node")
            for e in self.below(child, level - 1, ordinal, first):
                ordinal += 1
                yield e

    def find_segments(self, e):
        if e.type != REG:
            return
        if e.n > 64:
            e.segments = []
            for i, ref in enumerate(e.lists):
                c, count = self.page(ref, 3, 0)
                need(count == min(e.per_list, e.n - i * e.per_list),
                     "references in a block list")
                e.segments += block_table(c, count)
                c.end()
        if not e.n:
            need(not e.size, "file without segments")
            return
        left = e.size - (e.n - 1) * e.block_size
        last = e.segments[-1]
        need(0 < left <= (e.block_size or BLOCK_MAX), "size of segments")
        need(all(s.raw == e.block_size for s in e.segments[:-1]),
             "length of a segment")
        need(e.tail + left <= last.raw, "tail beyond its block")

    @functools.lru_cache(maxsize=16)
    def block(self, off, stored):
        """The file data and the records of the block at off."""
        need(192 <= off and off + stored <= self.data_end, "block outside data")
        b = self.read(off, stored)
        (magic, codec, rcodec, zero, n, raw, packed, rraw, rpacked, dictionary,
         zero2, crc) = struct.unpack_from("<4sBBHIIIIIIII", b)
        need(magic == b"DBLK", "magic of a block")
        need(40 + packed + rpacked == stored, "length of a block")
        need(not zero and not zero2, "zeros of a block")
        need(crc == crc32c(b[:36] + b[40:]), "CRC of a block")
        need(not dictionary, "dictionary")
        need(bool(n) == bool(rraw), "number of records")
        need(raw <= BLOCK_MAX and rraw <= RECORDS_MAX, "lengths of a block")
        return sha16(b), codec, unpack(codec, b[40:40 + packed], raw), \
            n, unpack(rcodec, b[40 + packed:], rraw)

    def segment(self, ref):
        if not ref.stored:
            return bytes(ref.raw)
        digest, codec, data, _, _ = self.block(ref.off, ref.stored)
        need((digest, codec, len(data)) == (ref.hash, ref.codec, ref.raw),
             "block is not the one referred to")
        return data

    def content(self, e):
        for s in e.segments[:-1]:
            yield self.segment(s)
        for s in e.segments[-1:]:
            left = e.size - (e.n - 1) * e.block_size
            yield self.segment(s)[e.tail:e.tail + left]

    def scan(self):
        """Every block of the data, in order: {offset: stored length}, and the
        records of all: {logical form: places of the content}."""
        blocks, records, at = {}, {}, 192
        while at < self.data_end:
            need(at + 40 <= self.data_end, "block cut short")
            head = self.read(at, 40)
            stored = 40 + sum(struct.unpack_from("<I4xI", head, 16))
            digest, _, data, n, recs = self.block(at, stored)
            c, uid = Cursor(recs), b""
            for _ in range(n):
                e, where = read_record(c, uid)
                uid = e.uid
                if where:
                    hashes, tail, size = where
                    hashes = tuple(digest if h == SELF else h for h in hashes)
                    where = hashes, tail, size
                records.setdefault(e.logical(e.flags), []).append(where)
            c.end()
            blocks[at] = stored
            at += stored
        return blocks, records

    def verify(self):
        """Everything; the number of records that no entry has."""
        blocks, records = self.scan()
        need(len(blocks) == self.n_blocks, "number of blocks")
        used, matched, logical = set(), set(), hashlib.sha256()
        n = files = plain = xattrs = 0
        times, uids, before = set(), [b"", b""], None
        dirs, parents, start = set(), set(), day_start(self.day)
        for e in self.entries():
            need(before is None or before < e.key, "order of entries")
            need(self.filter.may_have(e.uid), "filter denies an entry")
            digest = hashlib.sha256()
            for piece in self.content(e):
                digest.update(piece)
            need(not e.flags & SHA or digest.digest() == e.sha,
                 f"SHA-256 of {e.uid!r}")
            stored = [s for s in e.segments if s.stored]
            need(all(blocks.get(s.off) == s.stored for s in stored),
                 "reference to no block")
            used.update(s.off for s in stored)
            where = (tuple(s.hash for s in e.segments), e.tail, e.block_size) \
                if e.segments else None
            form = e.logical(e.flags & ~SHA)
            need(where in records.get(form, ()), f"no record of {e.uid!r}")
            matched.add(form)
            logical.update(e.logical(e.flags) + e.sha)
            n += 1
            files += e.type == REG
            plain += e.size if e.type == REG else 0
            xattrs |= e.flags & XATTRS
            times = {min(times | {e.created}), max(times | {e.created})}
            uids = [e.uid if before is None else uids[0], e.uid]
            before = e.key
            if e.type == DIR:
                dirs.add(e.uid)
            if e.uid and e.type != WHITEOUT:
                parents.add(e.parent)
            need(0 <= e.created - start < DAY, "created_at of another day")
        need(parents <= dirs, "directory above an entry is not there")
        need((n, files, plain) == (self.n_entries, self.n_files, self.plain),
             "counts in the footer")
        need({self.oldest, self.newest} == (times or {0}), "created_at")
        need([self.first, self.last] == uids, "first and last uid")
        need(bool(xattrs) == self.compat & 1, "compatible feature 1")
        need(logical.digest() == self.logical, "logical root")
        need(self.dead == sum(blocks[b] for b in blocks if b not in used),
             "bytes of unreferenced blocks")
        return len(records) - len(matched)
