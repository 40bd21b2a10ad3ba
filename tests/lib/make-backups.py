#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Backups of other kinds as no well-behaved program writes them.

make-backups.py DIR SIZE: into DIR; SIZE is that of a bomb unpacked.
"""
import bz2
import io
import lzma
import os
import sys
import tarfile
import zipfile


def tar(name, entries, form=tarfile.PAX_FORMAT):
    with tarfile.open(name, "w", format=form) as t:
        for path, kind, value in entries:
            i = tarfile.TarInfo(path)
            i.mtime, i.mode, i.uid, i.gid = 1700000000, 0o640, 3, 4
            if kind == "file":
                i.size = len(value)
                t.addfile(i, io.BytesIO(value))
                continue
            i.type = {"dir": tarfile.DIRTYPE, "link": tarfile.LNKTYPE,
                      "symlink": tarfile.SYMTYPE}[kind]
            i.mode = 0o750
            i.linkname = value
            t.addfile(i)


def names():
    tar("names.tar", [
        ("/abs/file", "file", b"absolute"),
        ("./dot//./slashes/", "dir", ""),
        ("./dot//./slashes/file", "file", b"dots"),
        ("../outside", "file", b"x"),
        ("a/../../outside", "file", b"x"),
        ("a/..", "dir", ""),
        ("n" * 256, "file", b"x"),
        ("/".join(["deep"] * 20000), "file", b"x"),
        ("n" * 255, "file", b"long"),
        ("twice", "file", b"first"),
        ("blocked", "symlink", "elsewhere"),
        ("blocked/file", "file", b"x"),
        ("twice", "file", b"second, and longer"),
        ("changes", "file", b"x"),
        ("changes", "dir", ""),
        ("changes/file", "file", b"below"),
        ("e\u0301", "file", b"composed of two"),
        ("\udcff\udcfe", "file", b"not UTF-8"),
        ("ctrl\x01\x02/\x01", "file", b"low bytes"),
        ("ctrl\x01\x02", "dir", ""),
    ])


def links():
    tar("links.tar", [
        ("one", "file", b"one"),
        ("two", "link", "one"),
        ("chain", "link", "two"),
        ("./dotted", "link", "./one"),
        ("later", "link", "comes"),
        ("comes", "file", b"x"),
        ("self", "link", "self"),
        ("out", "link", "../../etc/passwd"),
        ("dir", "dir", ""),
        ("to-dir", "link", "dir"),
        ("old", "file", b"old"),
        ("of-old", "link", "old"),
        ("old", "file", b"new"),
        ("of-new", "link", "old"),
    ])
    tar("excluded.tar", [
        ("no/one", "file", b"one"),
        ("two", "link", "no/one"),
        ("no/three", "link", "two"),
        ("four", "link", "no/three"),
        ("no/large", "file", b"large" * 1000),
        ("to-large", "link", "no/large"),
    ])
    rounds = [("l000", "file", b"end")]
    rounds += [("l%03d" % i, "link", "l%03d" % (i - 1)) for i in range(1, 40)]
    tar("chain.tar", rounds)


def acls():
    """Lists with a name that nobody knows; the mode is that of the mask."""
    with tarfile.open("acls.tar", "w", format=tarfile.PAX_FORMAT) as t:
        for name, mode, group, mask in (("narrow", 0o744, "rwx", "r--"),
                                        ("wide", 0o774, "r--", "rwx")):
            i = tarfile.TarInfo(name)
            i.mode = mode
            i.pax_headers["SCHILY.acl.access"] = (
                f"user::rwx\nuser:no such user:rwx\ngroup::{group}\n"
                f"mask::{mask}\nother::r--\n")
            t.addfile(i)


def sparse():
    """Holes that no file system has, and 200 that one would have."""
    with tarfile.open("sparse.tar", "w", format=tarfile.PAX_FORMAT) as t:
        for name, size in ([("exa", 1 << 62), ("peta", 1 << 50)] +
                           [("h%03d" % i, 1 << 20) for i in range(200)] +
                           [("tera", (1 << 42) + 1), ("good", 1 << 20)]):
            data = b"1\n%d\n4\n" % (size - 4)
            i = tarfile.TarInfo(name)
            i.size = 512 + 4
            i.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                             "GNU.sparse.name": name,
                             "GNU.sparse.realsize": str(size)}
            t.addfile(i, io.BytesIO(data.ljust(512, b"\0") + b"data"))


def cpio():
    """Hard links have their content with the last name, as in GNU cpio."""
    out = b""
    rows = [("first", 7, 0o100644, 3, b""), ("second", 7, 0o100644, 3, b""),
            ("third", 7, 0o100644, 3, b"of all three"),
            ("alone", 8, 0o100600, 1, b"alone"),
            ("TRAILER!!!", 0, 0, 1, b"")]
    for name, ino, mode, nlink, data in rows:
        n = name.encode() + b"\0"
        head = b"070701" + b"".join(
            b"%08x" % v for v in (ino, mode, 1, 2, nlink, 1700000000, len(data),
                                  8, 1, 0, 0, len(n), 0)) + n
        out += head + b"\0" * (-len(head) % 4)
        out += data + b"\0" * (-len(data) % 4)
    with open("links.cpio", "wb") as f:
        f.write(out)


def zips():
    with zipfile.ZipFile("good.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("dir/file", b"in a zip\n" * 1000)
        z.writestr("s\u00e9", b"name in UTF-8")
        link = zipfile.ZipInfo("symlink")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        z.writestr(link, "dir/file")
    with open("good.zip", "rb") as f:
        b = bytearray(f.read())
    with open("cut.zip", "wb") as f:
        f.write(b[:-30])
    with zipfile.ZipFile("mixed.zip", "w", zipfile.ZIP_STORED) as z:
        z.writestr("good", b"good")
        z.writestr("damaged", b"damaged bytes")
        z.writestr("secret", b"secret bytes")
    with open("mixed.zip", "rb") as f:
        b = bytearray(f.read())
    b[b.index(b"damaged bytes")] ^= 1
    # The bit of encryption, in both headers.
    for mark, flags, name in ((b"PK\3\4", 6, 30), (b"PK\1\2", 8, 46)):
        at = b.index(mark)
        while b[at + name:at + name + 6] != b"secret":
            at = b.index(mark, at + 1)
        b[at + flags] |= 1
    with open("mixed.zip", "wb") as f:
        f.write(b)


def bombs(size):
    with tarfile.open("bomb.tar.bz2", "w:bz2", compresslevel=9) as t:
        i = tarfile.TarInfo("bomb")
        i.size = size

        class Zeros(io.RawIOBase):
            def read(self, n=-1):
                return b"\0" * n
        t.addfile(i, Zeros())


def odd():
    with open("empty", "wb"):
        pass
    with open("text", "wb") as f:
        f.write(b"this is no backup\n" * 100)
    tar("small.tar", [("a", "file", b"a" * 100), ("b", "file", b"b" * 100)])
    with open("small.tar", "rb") as f:
        b = f.read()
    with open("small.tar.xz", "wb") as f:
        f.write(lzma.compress(b))
    with open("flip.tar.bz2", "wb") as f:
        c = bytearray(bz2.compress(b))
        c[len(c) // 2] ^= 16
        f.write(c)
    with open("no-end.tar", "wb") as f:
        f.write(b[:4 * 512])
    with open("mtree", "wb") as f:
        f.write(b"#mtree\n./x type=file content=/etc/passwd\n")


os.chdir(sys.argv[1])
names()
links()
acls()
sparse()
cpio()
zips()
odd()
bombs(int(sys.argv[2]))
