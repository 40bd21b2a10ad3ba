#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""erase-drill.py ARCHIVE DIR ROUNDS|SECONDSs GRACE [MOUNT] - two that reap, one
that packs, one that deletes and 16 that read, all at once on one archive.

Readers read files through MOUNT or by 'desfs cat'.  What counts is what was
acknowledged: a file that was packed and is not deleted reads byte by byte, one
whose deletion was acknowledged before a 'desfs cat' began does not read at all,
nor, once the mount has lost it, there; and nothing else may fail, ever.

DIR gets live/ with all files that are live at the end, and deleted with the
names of the others.  Exit status 0: no complaint.  Nothing here is timed but
the end: what takes long is waited for.  $DESFS and $DESFS_PACK are what is
run."""
import hashlib
import os
import random
import subprocess
import sys
import threading
import time

DESFS, PACK = os.environ["DESFS"], os.environ["DESFS_PACK"]
READERS, FILES, DELETED = 16, 12, 4  # files and deletions a round
PATIENCE = 300  # seconds for what must come, on the slowest machine
NOT_FOUND = 3
LIVE, GOING, GONE = range(3)

lock = threading.Lock()  # guards all below
states = {}
complaints = []
counts = {}
ended = threading.Event()


def count(what):
    with lock:
        counts[what] = counts.get(what, 0) + 1


def complain(text):
    with lock:
        complaints.append(text)
    ended.set()


def content(name):
    """Text that tells the name over and over, and what does not compress."""
    h = hashlib.sha256(name.encode())
    n = 1 + h.digest()[0] % 40
    noise = hashlib.shake_128(name.encode()).digest(400 * n)
    word = name[-16:].encode()
    return b"".join(b"\nhere is %s, " % word + noise[400 * i:400 * i + 400]
                    for i in range(n))


def run(*args):
    p = subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=PATIENCE, check=False)
    return p.returncode, p.stdout, p.stderr.decode(errors="replace")


# With GRACE 0 a shard may go while one that writes reads it: then it says so,
# and is run again.  Not so readers.
AGAIN = ("was replaced, and is gone", "the store has it not",
         "the next round tries again")


def must(what, *args):
    while True:
        status, out, err = run(*args)
        count(what)
        if not status or not any(text in err for text in AGAIN):
            break
        count(what + " again")
    if status:
        complain(f"{what} ended with {status}: {' '.join(args)}\n{err}")
    return out


class Drill:
    def __init__(self, archive, where, until, grace, mount):
        self.archive, self.where = archive, where
        self.grace, self.mount = grace, mount
        self.seconds = float(until[:-1]) if until[-1] == "s" else None
        self.rounds = None if self.seconds else int(until)
        self.begun = time.monotonic()

    def is_over(self, n):
        if self.seconds:
            return time.monotonic() - self.begun > self.seconds
        return n >= self.rounds

    def pack(self, n):
        names = []
        for i in range(FILES):
            word = hashlib.sha256(b"%d %d" % (n, i)).hexdigest()[:16]
            names.append(f"d{i % 3}/r{n:05}-{word}")
        source = os.path.join(self.where, "source")
        for name in names:
            os.makedirs(os.path.dirname(os.path.join(source, name)),
                        exist_ok=True)
            with open(os.path.join(source, name), "wb") as f:
                f.write(content(name))
        must("pack", PACK, "-q", source, self.archive)
        subprocess.run(["rm", "-r", source], check=True)
        with lock:
            states.update((name, LIVE) for name in names)

    def packer(self):
        n = 0
        while not ended.is_set() and not self.is_over(n):
            self.pack(n)
            n += 1
        ended.set()

    def deleter(self):
        r = random.Random(1)
        while not ended.is_set():
            with lock:
                names = [k for k, s in states.items() if s == LIVE]
                names = r.sample(names, DELETED) if len(names) > FILES else []
                states.update((name, GOING) for name in names)
            if not names:
                ended.wait(0.05)
                continue
            must("tombstone add", DESFS, "tombstone", "add", "--no-copies",
                 self.archive, *names)
            with lock:
                states.update((name, GONE) for name in names)

    def reaper(self):
        while not ended.is_set():
            must("reap", DESFS, "reap", "--grace", self.grace, self.archive)

    # --- readers ------------------------------------------------------------

    def pick(self, r):
        with lock:
            names = list(states)
            name = r.choice(names) if names else None
            return name, states.get(name)

    def cat(self, name, before):
        status, out, err = run(DESFS, "cat", self.archive, name)
        with lock:
            after = states[name]
        count("cat")
        if status == 0 and out == content(name) and before != GONE:
            return
        if status == NOT_FOUND and after != LIVE:
            return
        complain(f"cat {name}: {status}, {len(out)} bytes, was {before}, is "
                 f"{after}\n{err}")

    def read_mounted(self, name):
        """The bytes; None when there is no such file."""
        try:
            with open(os.path.join(self.mount, name), "rb") as f:
                return f.read()
        except FileNotFoundError:
            return None
        except OSError as e:
            with lock:
                if states[name] != LIVE:
                    return None
            complain(f"mount: {name}: {e}")
            return None

    def read(self, name, before):
        """Until it is as it must be, and right whenever it is there."""
        end = time.monotonic() + PATIENCE
        was_there = False  # as a view from before it was packed has it not
        while True:
            data = self.read_mounted(name)
            was_there |= data is not None
            count("read")
            with lock:
                after = states[name]
            if data is not None and data != content(name):
                complain(f"mount: {name}: {len(data)} wrong bytes")
                return
            if GOING in (before, after):
                return
            if (data is None) == (after == GONE):
                break
            if time.monotonic() > end:
                complain(f"mount: {name}: there: {data is not None}, though "
                         f"it is {after}")
                return
            before = after
            time.sleep(0.05)
        if after == GONE and was_there and \
                self.read_mounted(name) is not None:
            complain(f"mount: {name} is there again")

    def reader(self, i):
        r = random.Random(100 + i)
        while not ended.is_set():
            name, before = self.pick(r)
            if name is None:
                ended.wait(0.05)
            elif self.mount and i % 4:
                self.read(name, before)
            else:
                self.cat(name, before)

    def guarded(self, fn, *args):
        try:
            fn(*args)
        except Exception as e:  # a thread must not end unseen
            complain(f"{fn.__name__}: {e!r}")

    def main(self):
        jobs = [(self.packer,), (self.deleter,), (self.reaper,),
                (self.reaper,)]
        jobs += [(self.reader, i) for i in range(READERS)]
        threads = [threading.Thread(target=self.guarded, args=j)
                   for j in jobs]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        with open(os.path.join(self.where, "deleted"), "w") as f:
            f.writelines(n + "\n" for n, s in states.items() if s != LIVE)
        for name in (n for n, s in states.items() if s == LIVE):
            path = os.path.join(self.where, "live", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(content(name))
        print(", ".join(f"{v} {k}" for k, v in sorted(counts.items())))
        for text in complaints[:20]:
            print(text)
        return 1 if complaints else 0


os.makedirs(sys.argv[2], exist_ok=True)
sys.exit(Drill(*sys.argv[1:5], sys.argv[5] if len(sys.argv) > 5 else None)
         .main())
