#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""pack-model.py SEED STEPS [WORKERS] - change a tree at random, pack it, compare
the archive with what it must show: after each run with --mirror the source;
without it also the names that were there before.  Packing again must find nothing
to do.  With WORKERS so many pack it, at once or one after the other.

In the current directory; DESFS and DESFS_PACK name the programs.
"""
import json
import os
import random
import shutil
import stat
import subprocess
import sys

PACK = os.environ["DESFS_PACK"]
DESFS = os.environ["DESFS"]
SOURCE, ARCHIVE = "src", "archive"
TIMES = ("2026-01-01", "2026-01-02", "2025-12-31T23:59:59.999999Z")


class Model:
    def __init__(self, seed, workers):
        self.rnd = random.Random(seed)
        self.workers = workers
        self.serial = 0
        self.shown = {}
        # Times that do not grow from run to run are the hard case.
        self.times = TIMES if self.rnd.random() < 0.5 else None
        self.first = ["--route", self.rnd.choice(("parent", "uid")),
                      "--n-bits", self.rnd.choice("45")]
        os.mkdir(SOURCE)

    def path(self):
        depth = self.rnd.randint(1, 4)
        names = (self.rnd.choice("abcd") for _ in range(depth))
        return os.path.join(SOURCE, *names)

    def change(self):
        path, kind = self.path(), self.rnd.random()
        self.serial += 1
        make_parents(path)
        if kind < 0.1:
            if os.path.lexists(path):
                os.utime(path, (self.serial, self.serial),
                         follow_symlinks=False)
            return
        remove(path)
        if kind < 0.4:
            with open(path, "w") as f:
                f.write(f"{self.serial} " * self.rnd.choice((0, 1, 10, 60000)))
        elif kind < 0.55:
            os.mkdir(path)
        elif kind < 0.65:
            os.symlink(f"target {self.serial}", path)
        elif kind < 0.75:
            files = [p for p, v in look(SOURCE).items() if v[0] == "file"]
            if files:
                os.link(os.path.join(SOURCE, self.rnd.choice(files)), path)

    def pack(self, mirror):
        args = [PACK, "-q", "--max-shard-size",
                self.rnd.choice(("1G", "1K", "100"))] + self.first
        self.first = []
        if mirror:
            args.append("--mirror")
        if self.times:
            args += ["--created-at", self.rnd.choice(self.times)]
        for again in (False, True):
            before = records()
            self.run(args + [SOURCE, ARCHIVE])
            if again and records() != before:
                sys.exit("a second run packed something")

    def run(self, args):
        if not self.workers:
            subprocess.run(args, check=True)
            return
        order = list(range(1, self.workers + 1))
        self.rnd.shuffle(order)
        while order:
            n = self.rnd.randint(1, len(order))
            running = [subprocess.Popen(
                args[:1] + [f"--worker={i}/{self.workers}"] + args[1:])
                for i in order[:n]]
            if any([p.wait() for p in running]):
                sys.exit("a worker failed")
            order = order[n:]

    def step(self):
        for _ in range(self.rnd.randint(1, 8)):
            self.change()
        mirror = self.rnd.random() < 0.5
        self.pack(mirror)
        source = look(SOURCE)
        want = dict(source)
        if not mirror:
            for path, what in self.shown.items():
                if not is_below_file(path, source):
                    want.setdefault(path, what)
        self.shown = want
        return want, mirror


def records():
    where = os.path.join(ARCHIVE, "log")
    return sorted(os.listdir(where)) if os.path.isdir(where) else []


def make_parents(path):
    at = SOURCE
    for name in os.path.relpath(os.path.dirname(path), SOURCE).split("/"):
        at = os.path.join(at, name)
        if os.path.islink(at) or not os.path.isdir(at):
            remove(at)
            os.mkdir(at)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def is_below_file(path, source):
    names = path.split("/")
    above = ("/".join(names[:n]) for n in range(1, len(names)))
    return any(source.get(a, ("directory",))[0] != "directory" for a in above)


def look(root):
    seen = {}
    for where, dirs, names in os.walk(root):
        for name in dirs + names:
            path = os.path.join(where, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISDIR(mode):
                what = ("directory",)
            elif stat.S_ISLNK(mode):
                what = ("symlink", os.readlink(path))
            else:
                with open(path, "rb") as f:
                    what = ("file", f.read())
            seen[os.path.relpath(path, root)] = what
    return seen


def run(*args):
    return subprocess.run((DESFS,) + args, check=True,
                          stdout=subprocess.PIPE).stdout


def look_at_archive():
    seen = {}
    for line in run("ls", "-R", "--json", ARCHIVE).splitlines():
        row = json.loads(line)
        path, kind = row["path"], row["type"]
        if kind == "symlink":
            seen[path] = (kind, row["target"])
        elif kind == "file":
            seen[path] = (kind, run("cat", ARCHIVE, path))
        else:
            seen[path] = (kind,)
    return seen


def main():
    model = Model(int(sys.argv[1]), int((sys.argv[3:] or [0])[0]))
    for n in range(int(sys.argv[2])):
        want, mirror = model.step()
        got = look_at_archive()
        if got == want:
            continue
        print(f"step {n}, mirror {mirror}:")
        for path in sorted(set(got) | set(want)):
            if got.get(path) != want.get(path):
                print(f"{path}: {got.get(path)!r:.60} is shown, "
                      f"not {want.get(path)!r:.60}")
        sys.exit(1)


if __name__ == "__main__":
    main()
