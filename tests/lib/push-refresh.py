# SPDX-License-Identifier: Apache-2.0
"""New versions and whiteouts published to mounts that are pushing.

    push-refresh.py EVENTS

Makes two archives of the same files, a directory and one in a bucket of the
test server at FAKE_URL, mounts each thrice with refresh=1, and reads all of them
all the time, dropping from the kernel's memory what was read.  Then, EVENTS / 6
times: changes, removes and adds files, packs with --mirror, waits until each
mount has heard of it, and looks at every name: only the new bytes, removed
names absent.  Meanwhile the server delays every second reply with parts of
shards, so that READs and READDIRPLUSes hang while the mount is refreshed.
"""
import hashlib
import os
import random
import subprocess
import sys
import threading
import time

URL = os.environ["FAKE_URL"]
DIRS, FILES = 3, 60
LIMIT = 60  # seconds until something hangs
STALL = "kind=GET key=*.des p=0.5 seed=%d latency=%d"
REMOTE = "s3://bkt/a"
MOUNTS = [("local%d" % i, "local", "") for i in range(3)] + [
    ("remote%d" % i, REMOTE, "index_cache=,endpoint=" + URL)
    for i in range(3)]

rng = random.Random(5)
stopping = threading.Event()
failures = []


def fail(text):
    failures.append(text)
    stopping.set()


def run(*args):
    subprocess.run(args, check=True, timeout=LIMIT)


def content(name, version):
    size = 1000 + hash_of(name) % 9000
    return hashlib.shake_128(("%s %d" % (name, version)).encode()).digest(size)


def hash_of(name):
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def is_there(d, f, version):
    return (f + version) % 5 != 0


def names(version):
    for d in range(DIRS):
        for f in range(FILES):
            yield "d%d/f%03d" % (d, f), is_there(d, f, version)


def pack(archive):
    run(os.environ["DESFS_PACK"], "-q", "--mirror", "--endpoint", URL, "src",
        archive)


def make(version):
    for name, there in names(version):
        path = "src/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if there:
            with open(path, "wb") as f:
                f.write(content(name, version))
        elif os.path.exists(path):
            os.unlink(path)


def rules(*lines):
    subprocess.run(["curl", "-sSf", "-m", "20", "-X", "PUT", "--data-binary",
                    "@-", URL + "/_fake/rules"], check=True, timeout=LIMIT,
                   input="\n".join(lines).encode(), stdout=subprocess.DEVNULL)


def stats(mount):
    """The way there needs the root, for which the server may be too slow."""
    end = time.monotonic() + LIMIT
    while True:
        try:
            with open(mount + "/.des/stats") as f:
                return {k: int(v) for k, v in (line.split() for line in f)}
        except TimeoutError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def versions_of(data, name, newest):
    """The version these bytes are of, or None."""
    for v in range(newest, max(newest - 4, -1), -1):
        if data == content(name, v):
            return v
    return None


def read_on(mount):
    """A walk after the other; any version will do, but a whole one."""
    while not stopping.is_set():
        try:
            for d in sorted(os.listdir(mount)):
                time.sleep(0.02)
                for f in sorted(os.listdir(mount + "/" + d)):
                    name = d + "/" + f
                    try:
                        with open(mount + "/" + name, "rb") as file:
                            data = file.read()
                            os.posix_fadvise(file.fileno(), 0, 0,
                                             os.POSIX_FADV_DONTNEED)
                    except OSError:
                        continue  # removed just now, or a server too slow
                    if versions_of(data, name, newest[0]) is None:
                        fail("%s/%s: wrong bytes" % (mount, name))
                    if stopping.is_set():
                        return
        except OSError:
            time.sleep(0.01)


def wait_for(what, text):
    end = time.monotonic() + LIMIT
    while not what():
        if time.monotonic() > end or stopping.is_set():
            fail(text)
            return
        time.sleep(0.02)


def heard(mount, generation):
    """The refresh that brought the view is over: another has begun."""
    wait_for(lambda: stats(mount)["volume_generation"] >= generation,
             mount + ": no new view")
    done = stats(mount)["refresh_done"]
    wait_for(lambda: stats(mount)["refresh_done"] > done,
             mount + ": no more refreshes")


def look(mount, name, there, version):
    """None, or what is wrong; errors of the server are tried again."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        try:
            with open(mount + "/" + name, "rb") as f:
                data = f.read()
        except FileNotFoundError:
            return "is absent" if there else None
        except OSError:
            time.sleep(0.1)
            continue
        if not there:
            return "was removed"
        if data == content(name, version):
            return None
        return "is of version %s" % versions_of(data, name, version)
    return "cannot be read"


def wrong_name(mount, version):
    """The first name that is not as it should be, or None."""
    for name, there in names(version):
        wrong = look(mount, name, there, version)
        if wrong:
            return "%s/%s: %s, now is %d" % (mount, name, wrong, version)
    return None


def untold(mount):
    """The mount could not read what is new, and will tell the kernel later; it
    says so every ten seconds at most."""
    at = os.path.getsize(mount + ".log")
    with open(mount + ".log", "rb") as f:
        text = f.read()[told.get(mount, 0):]
    told[mount] = at
    if b"cannot be told" in text:
        excused[mount] = time.monotonic() + 30
    return time.monotonic() < excused.get(mount, 0)


def check(mount, version):
    end = time.monotonic() + LIMIT
    wrong = wrong_name(mount, version)
    while wrong and untold(mount) and time.monotonic() < end:
        time.sleep(0.1)
        wrong = wrong_name(mount, version)
    # What is right stays so.
    wrong = wrong or wrong_name(mount, version)
    if wrong:
        fail(wrong)


def main():
    events = int(sys.argv[1])
    version = 0
    make(version)
    pack("local")
    pack(REMOTE)
    for mount, archive, options in MOUNTS:
        os.mkdir(mount)
        run(os.environ["MOUNT_DESFS"], archive, mount, "-o",
            ",".join(filter(None, ("xattr=off,refresh=1,log=%s.log" % mount,
                                   options))))
    threads = [threading.Thread(target=read_on, args=(m[0],), daemon=True)
               for m in MOUNTS]
    for t in threads:
        t.start()
    before = time.monotonic()
    while version * len(MOUNTS) < events and not stopping.is_set():
        version += 1
        wants = [stats(m[0])["volume_generation"] + 1 for m in MOUNTS]
        newest[0] = version
        make(version)
        rules("")
        pack(REMOTE)
        rules(STALL % (version, rng.randrange(50, 800)))
        pack("local")
        for (mount, _, _), generation in zip(MOUNTS, wants):
            heard(mount, generation)
        for mount, _, _ in MOUNTS:
            check(mount, version)
    print("%d refreshes of %d mounts in %d s" %
          (version, len(MOUNTS), time.monotonic() - before))
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
    if failures:
        subprocess.run(["tail", "-n", "5"] + [m[0] + ".log" for m in MOUNTS],
                       check=False)
    sys.exit(1 if failures else 0)


newest = [0]
told, excused = {}, {}
main()
