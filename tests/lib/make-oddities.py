#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make-oddities.py DIR [--count N] - a tree with every kind of entry.

Always the same tree for the same user, system and file system; what one of them
does not allow is left out with a note on stderr.  special/ has what diff(1)
cannot compare, special/sockets/ what cannot be packed.  --count is the number
of files in the directory many/.
"""
import argparse
import os
import random
import socket
import stat
import subprocess
import sys

BLOCK = 131072
MIB = 1 << 20
LONG_PATH = 4000


def attempt(what, fn, *args, **kwargs):
    try:
        fn(*args, **kwargs)
    except OSError as e:
        print(f"left out: {what}: {e.strerror}", file=sys.stderr)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def sizes():
    rnd = random.Random(1)
    os.mkdir("sizes")
    for n in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK):
        write(f"sizes/{n}", rnd.randbytes(n))
    write("sizes/random", rnd.randbytes(3 * MIB))
    line = b"the same line again and again, with a number: %d\n"
    text = b"".join(line % i for i in range(200000))
    write("sizes/text", text[: 10 * MIB].ljust(10 * MIB, b"."))
    write("sizes/zeros", bytes(MIB))


def sparse(path, size, places):
    with open(path, "wb") as f:
        for at in places:
            f.seek(at)
            f.write(b"data at %d" % at)
        f.truncate(size)


def holes():
    os.mkdir("holes")
    sparse("holes/middle", 64 * MIB, (0, 4095, 10 * MIB + 1, 33 * MIB + 77,
                                      64 * MIB - 30))
    sparse("holes/ends", 20 * MIB, (7 * MIB - 3,))
    sparse("holes/only", 5 * MIB + 1, ())


def links():
    os.makedirs("links/deep/er")
    os.mkdir("links/other")
    write("links/one", b"one file of many names")
    os.link("links/one", "links/same")
    os.link("links/one", "links/deep/er/far")
    os.link("links/one", "links/other/across")
    write("links/other/big", bytes(range(256)) * 2000)
    os.link("links/other/big", "links/deep/big")
    for name, target in (
        (b"dangling", b"not/here"),
        (b"to-file", b"one"),
        (b"to-dir", b"deep/er"),
        (b"up", b"../sizes/1"),
        (b"absolute", b"/etc/hostname"),
        (b"itself", b"itself"),
        (b"odd", b"a\nb\xff\\ "),
        (b"long", b"x/" * 2000),
    ):
        os.symlink(target, b"links/" + name)


def special():
    os.makedirs("special/sockets")
    os.mkfifo("special/fifo", 0o640)
    os.link("special/fifo", "special/fifo-again")
    for name, kind, major, minor in (
        ("null", stat.S_IFCHR, 1, 3),
        ("disk", stat.S_IFBLK, 7, 200),
        ("large", stat.S_IFCHR, 511, 1048575),
    ):
        attempt(f"device {name}", os.mknod, f"special/{name}", kind | 0o600,
                os.makedev(major, minor))
    at = os.getcwd()
    os.chdir("special/sockets")  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("socket")
    os.chdir(at)


def modes():
    os.mkdir("modes")
    for mode in (0o000, 0o111, 0o400, 0o600, 0o644, 0o777, 0o1777, 0o2755,
                 0o4755, 0o6711):
        write(f"modes/{mode:04o}", b"mode %o" % mode)
        os.chmod(f"modes/{mode:04o}", mode)
        os.mkdir(f"modes/d{mode:04o}")
        # Others than root must be able to read the directories.
        os.chmod(f"modes/d{mode:04o}",
                 mode if os.geteuid() == 0 else mode | 0o500)
    if os.geteuid() == 0:
        for uid, gid in ((1, 0), (65534, 65534), (123456, 4000000000)):
            name = f"modes/of-{uid}-{gid}"
            write(name, b"not yours")
            os.chmod(name, 0o600)
            attempt(f"owner {uid}", os.chown, name, uid, gid)
    else:
        os.chmod("modes/0000", 0o400)
        os.chmod("modes/0111", 0o511)


def xattrs():
    os.mkdir("xattrs")
    spaces = ["user"] + (["trusted"] if os.geteuid() == 0 else [])
    for space in spaces:
        for what in ("file", "dir"):
            path = f"xattrs/{space}-{what}"
            if what == "dir":
                os.mkdir(path)
            else:
                write(path, b"x")
            for name, value in (("empty", b""), ("zero", b"\0\xff\n"),
                                ("plain", b"value"), ("long", b"v" * 800)):
                attempt(f"{space}.{name}", os.setxattr, path,
                        f"{space}.{name}", value)
    write("xattrs/large", b"x")
    for n in (3000, 60000):
        attempt(f"attribute of {n} bytes", os.setxattr, "xattrs/large",
                f"user.n{n}", b"%d" % n * (n // 5))


def setfacl(path, *args):
    try:
        subprocess.run(["setfacl", *args, path], check=True,
                       capture_output=True)
    except (OSError, subprocess.CalledProcessError) as e:
        print(f"left out: ACL of {path}: {e}", file=sys.stderr)


def acls():
    os.mkdir("acls")
    write("acls/file", b"x")
    setfacl("acls/file", "-m", "u:1:rw,g:2:r,m::rw")
    write("acls/dir-before", b"x")
    os.mkdir("acls/dir")
    setfacl("acls/dir", "-m", "u:1:rwx,d:u:1:rx,d:g:3:rwx")
    write("acls/dir/inherits", b"x")


def names():
    os.mkdir("names")
    at = os.open("names", os.O_RDONLY)
    odd = [b"new\nline", b"\n", b"tab\there", b"\x01\x7f", b"\xff\xfe bytes",
           b"\xc3", "…".encode(), "e\u0301 or \u00e9".encode(), b"-rf", b"--",
           b" ", b" lead", b"trail ", b"back\\slash", b"\\012", b"'", b'"',
           b"$(x)`y`", b"*", b"?", b"[a-z]", b"#", b"~", b".hidden", b"...",
           b"..x", b"a@20260101T000000.000000Z", b"%2F", b"con:", b"a,b=c",
           b"x" * 255, b"\xff" * 255, b".des", b".desx"]
    for name in odd:
        fd = os.open(name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=at)
        os.write(fd, b"named " + name)
        os.close(fd)
    # What sorts around a directory's name and the slash after it.
    for name in (b"d!", b"d+x", b"d,", b"d.", b"d-", b"d0", b"da", b"D", b"c"):
        fd = os.open(name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=at)
        os.close(fd)
    os.close(at)
    os.makedirs("names/d/d/d")
    os.makedirs("names/d.d/d")
    for path in ("names/d/d!", "names/d/x", "names/d/d/x", "names/d/d/d/x",
                 "names/d.d/x", "names/d.d/d/x"):
        write(path, path.encode())
    for name in (b"\xff dir", b"new\ndir", b"-dir", b" "):
        os.makedirs(b"names/d/" + name)
        write(b"names/d/" + name + b"/in", b"x")


def deep():
    """A path of LONG_PATH bytes; no call is given more than one name."""
    left = LONG_PATH - len("deep")
    os.mkdir("deep")
    at = os.open("deep", os.O_RDONLY)
    made = []
    while left > 256 + 10:
        name = b"%02d-" % len(made) + b"d" * 197
        made.append(name)
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
        left -= len(name) + 1
    fd = os.open(b"f" * min(left - 1, 255), os.O_WRONLY | os.O_CREAT, 0o644,
                 dir_fd=at)
    os.write(fd, b"at the end")
    os.close(fd)
    os.close(at)
    os.makedirs("deep/" + "/".join(str(i % 10) for i in range(300)))


def empty():
    os.makedirs("empty/a/b/c")
    os.mkdir("empty/d")


def many(count):
    os.mkdir("many")
    at = os.open("many", os.O_RDONLY)
    for i in range(count):
        fd = os.open(f"{i:06d}", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=at)
        if i % 16:
            os.write(fd, b"%d" % (i * 2654435761 % 4294967296) * (i % 16))
        os.close(fd)
    os.close(at)


def times():
    os.mkdir("times")
    for s, ns in ((0, 0), (-1, 999999999), (-2000000000, 1), (1, 1),
                  (1700000000, 123456789), (2147483648, 5),
                  (5000000000, 999999999)):
        name = f"times/{s}.{ns}"
        write(name, b"t")
        attempt(f"mtime {s}", os.utime, name,
                ns=(s * 10**9 + ns, s * 10**9 + ns))
        os.symlink("t", name + "-link")
        attempt(f"mtime {s} of a link", os.utime, name + "-link",
                ns=(s * 10**9 + ns, s * 10**9 + ns), follow_symlinks=False)
    os.mkdir("times/dir")
    os.utime("times/dir", ns=(-10**9, -10**9 + 7))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("dir")
    p.add_argument("--count", type=int, default=1000)
    opts = p.parse_args()
    os.umask(0o022)
    os.makedirs(opts.dir, exist_ok=True)
    os.chdir(opts.dir)
    for make in (sizes, holes, links, special, modes, xattrs, acls, names,
                 deep, empty, times):
        make()
    many(opts.count)
    os.utime(".", ns=(10**18, 10**18 + 1))


main()
