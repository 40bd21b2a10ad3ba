# SPDX-License-Identifier: Apache-2.0
"""Delete files under mounts that push, with requests that hang.

    delete-rounds.py EVENTS

Makes two archives of the same files, a directory and one in a bucket of the
test server at FAKE_URL, mounts each thrice with refresh=1, and reads all of them
all the time, dropping from the kernel's memory what was read.  Then, EVENTS / 6
times: holds two files open, mapped and cached in each mount, deletes them, and
waits until reads fail, the page cache has none of them, and their names are gone.
What is gone must stay so.  Meanwhile the server delays every second reply with
parts of shards.
"""
import errno
import hashlib
import importlib.util
import os
import random
import subprocess
import sys
import threading
import time

URL = os.environ["FAKE_URL"]
DESFS = os.environ["DESFS"]
LIB = os.path.dirname(os.path.abspath(__file__))
LIMIT = 60  # seconds until something hangs
STALL = "kind=GET key=*.des p=0.5 seed=%d latency=%d"
DIRS, STABLE = 3, 40
REMOTE = "s3://bkt/a"
MOUNTS = [("local%d" % i, "local", "") for i in range(3)] + [
    ("remote%d" % i, REMOTE, "index_cache=,endpoint=" + URL)
    for i in range(3)]

rng = random.Random(7)
stopping = threading.Event()
failures = []
gone = {m[0]: set() for m in MOUNTS}  # seen to be gone


def load(name):
    spec = importlib.util.spec_from_file_location(
        name.replace("-", "_"), LIB + "/" + name + ".py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


held_file = load("held-file")


def fail(text):
    failures.append(text)
    stopping.set()


def run(*args, **kwargs):
    subprocess.run(args, check=True, timeout=LIMIT, stdout=subprocess.DEVNULL,
                   **kwargs)


def content(name):
    size = 1000 + int.from_bytes(hashlib.sha256(name.encode()).digest()[:2],
                                 "big") % 9000
    return hashlib.shake_128(name.encode()).digest(size)


def doomed(number):
    """The two names that go in a round."""
    return ["d%d/x%04d" % (number % DIRS, number),
            "d%d/y%04d" % ((number + 1) % DIRS, number)]


def make(rounds):
    names = ["d%d/f%03d" % (d, f) for d in range(DIRS) for f in range(STABLE)]
    for i in range(rounds):
        names += doomed(i)
    for name in names:
        os.makedirs(os.path.dirname("src/" + name), exist_ok=True)
        with open("src/" + name, "wb") as f:
            f.write(content(name))


def rules(*lines):
    run("curl", "-sSf", "-m", "20", "-X", "PUT", "--data-binary", "@-",
        URL + "/_fake/rules", input="\n".join(lines).encode())


def read_on(mount):
    while not stopping.is_set():
        try:
            for d in sorted(os.listdir(mount)):
                time.sleep(0.02)
                for f in sorted(os.listdir(mount + "/" + d)):
                    read_one(mount, d + "/" + f)
                    if stopping.is_set():
                        return
        except OSError:
            time.sleep(0.01)


def read_one(mount, name):
    was_gone = name in gone[mount]
    try:
        with open(mount + "/" + name, "rb") as file:
            data = file.read()
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        return  # deleted just now, or a server too slow
    if was_gone:
        fail("%s/%s: can be read again" % (mount, name))
    if data != content(name):
        fail("%s/%s: wrong bytes" % (mount, name))


def until(what, text):
    end = time.monotonic() + LIMIT
    while not stopping.is_set():
        if what():
            return
        if time.monotonic() > end:
            fail(text)
        time.sleep(0.02)


def hold(mount, name):
    end = time.monotonic() + LIMIT
    while True:
        try:
            return held_file.Held(mount + "/" + name)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def is_absent(path):
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False


def is_unlisted(path):
    try:
        return os.path.basename(path) not in os.listdir(os.path.dirname(path))
    except OSError:
        return False


def check(mount, name, held):
    path = mount + "/" + name
    until(lambda: held.error() == errno.ESTALE, path + ": can be read")
    until(lambda: held.resident() == 0, path + ": is in the page cache")
    until(lambda: is_absent(path), path + ": has a name")
    until(lambda: is_unlisted(path), path + ": is listed")
    if held.error() != errno.ESTALE or held.resident():
        fail(path + ": is back")
    gone[mount].add(name)
    held.map.close()
    os.close(held.fd)


def delete(names):
    run(sys.executable, "-B", LIB + "/make-tombstone.py", "local", *names)
    run(DESFS, "tombstone", "add", "--endpoint", URL, REMOTE, *names)


def stats(mount):
    with open(mount + "/.des/stats") as f:
        return {k: int(v) for k, v in (line.split() for line in f)}


def mount_all():
    for mount, archive, options in MOUNTS:
        os.mkdir(mount)
        run(os.environ["MOUNT_DESFS"], archive, mount, "-o",
            ",".join(filter(None, ("xattr=off,refresh=1,log=%s.log" % mount,
                                   options))))


def main():
    rounds = -(-int(sys.argv[1]) // len(MOUNTS))
    make(rounds)
    for archive in "local", REMOTE:
        run(os.environ["DESFS_PACK"], "-q", "--endpoint", URL, "src", archive)
    mount_all()
    threads = [threading.Thread(target=read_on, args=(m[0],), daemon=True)
               for m in MOUNTS]
    for t in threads:
        t.start()
    before = time.monotonic()
    for i in range(rounds):
        if stopping.is_set():
            break
        names = doomed(i)
        rules("")
        held = [(m[0], n, hold(m[0], n)) for m in MOUNTS for n in names]
        rules(STALL % (i + 1, rng.randrange(50, 800)))
        delete(names)
        for mount, name, h in held:
            check(mount, name, h)
    print("%d rounds with %d mounts in %d s" %
          (rounds, len(MOUNTS), time.monotonic() - before))
    rules("")
    stopping.set()
    for t in threads:
        t.join(LIMIT)
        if t.is_alive():
            failures.append("a reader hangs")
    for mount, _, _ in MOUNTS:
        found = {k: v for k, v in stats(mount).items()
                 if k.startswith(("push_", "error_")) and v}
        print(mount, found)
        if not found.get("push_files"):
            failures.append(mount + ": nothing was pushed")
    print("\n".join(failures[:20]))
    sys.exit(1 if failures else 0)


main()
