# SPDX-License-Identifier: Apache-2.0
"""A tree that changes all the time, and whose files tell whether they are whole.

    mutate.py run DIR SEED    make it and change it until SIGTERM; says "READY"
    mutate.py check DIR       is each file one generation of itself?

A file holds its name and generation over and over.  Each change is one call
that writes all of its bytes, or cuts or continues it, or replaces it; so at any
moment its bytes are of one generation, unless SIGKILL ends it within one.
Files that were replaced have a modification time that belongs to their
generation.
"""
import os
import random
import signal
import sys

SIZES = [0, 40, 3000, 5000, 131072, 131073, 400000, 3000000]
EPOCH = 1_600_000_000


def content(name, generation, size):
    line = b"%s %d\n" % (name.encode(), generation)
    return (line * (size // len(line) + 1))[:size]


def stamp(generation):
    return (EPOCH + generation) * 10**9 + generation


class Tree:
    def __init__(self, where, seed):
        self.random = random.Random(seed)
        self.where = where
        self.names = ["d%d/f%02d" % (i % 5, i) for i in range(60)]
        self.last = 0
        self.generation = dict.fromkeys(self.names, 0)

    def path(self, name):
        return os.path.join(self.where, name)

    def next(self, name):
        self.last += 1
        self.generation[name] = self.last
        return self.last

    def replace(self, name):
        g = self.next(name)
        tmp = self.path(os.path.dirname(name) + "/.tmp")
        with open(tmp, "wb", buffering=0) as f:
            f.write(content(name, g, self.random.choice(SIZES)))
        os.utime(tmp, ns=(stamp(g), stamp(g)))
        os.rename(tmp, self.path(name))

    def overwrite(self, name):
        with open(self.path(name), "r+b", buffering=0) as f:
            size = os.fstat(f.fileno()).st_size
            f.write(content(name, self.next(name), size))

    def twice(self, name):
        """Within one tick, if it is quick."""
        self.overwrite(name)
        self.overwrite(name)

    def go_on(self, name):
        with open(self.path(name), "r+b", buffering=0) as f:
            size = f.seek(0, os.SEEK_END)
            more = self.random.randrange(1, 20000)
            f.write(content(name, self.generation[name], size + more)[size:])

    def cut(self, name):
        size = os.stat(self.path(name)).st_size
        os.truncate(self.path(name), self.random.randrange(size + 1))

    def touch(self, name):
        os.chmod(self.path(name), self.random.choice([0o600, 0o644]))

    def remove(self, name):
        os.unlink(self.path(name))

    def step(self):
        name = self.random.choice(self.names)
        acts = [self.replace] * 3 + [self.overwrite] * 3 + [self.twice] * 2
        acts += [self.go_on, self.cut, self.touch, self.remove]
        try:
            self.random.choice(acts)(name)
        except FileNotFoundError:
            self.replace(name)

    def run(self):
        for name in self.names:
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            self.replace(name)
        ended = []
        signal.signal(signal.SIGTERM, lambda *args: ended.append(1))
        print("READY", flush=True)
        while not ended:
            self.step()


def generation_of(name, data):
    """None when it is torn, 0 when there is too little of it to tell."""
    end = data.find(b"\n")
    if end < 0:
        head = name.encode() + b" "
        known = data[:len(head)] == head[:len(data)]
        return 0 if known and (len(data) <= len(head) or
                               data[len(head):].isdigit()) else None
    words = data[:end].split(b" ")
    if len(words) != 2 or not words[1].isdigit():
        return None
    g = int(words[1])
    return g if data == content(name, g, len(data)) else None


def check(where):
    n = n_timed = 0
    for folder, _, names in os.walk(where):
        for base in names:
            path = os.path.join(folder, base)
            if base == ".tmp":
                continue
            name = os.path.relpath(path, where)
            with open(path, "rb") as f:
                data = f.read()
            g = generation_of(name, data)
            if g is None:
                sys.exit("%s: torn: %r..." % (name, data[:60]))
            at = os.stat(path).st_mtime_ns
            if g and at < (EPOCH + 10**8) * 10**9:
                n_timed += 1
                if stamp(g) != at:
                    sys.exit("%s: generation %d has the time of another" %
                             (name, g))
            n += 1
    print("%d files are whole, %d have the time of their generation" %
          (n, n_timed))
    if not n:
        sys.exit("no files")


if __name__ == "__main__":
    if sys.argv[1] == "run":
        Tree(sys.argv[2], int(sys.argv[3])).run()
    check(sys.argv[2])
