# SPDX-License-Identifier: Apache-2.0
"""Read files of mounts again and again while their shards are replaced.

    read-on.py READERS STOP SOURCE GONE MOUNT...

Threads that open, read and list what is in SOURCE and not in the file GONE, which
has names that may go meanwhile; half of the reads are by descriptors opened in the
beginning.  Ends when the file STOP is there, and fails if any call did, or gave
other bytes.
"""
import os
import random
import sys
import threading

failures = []
done = []


def names_of(source):
    for at, _, files in os.walk(source):
        for f in files:
            yield os.path.relpath(at + "/" + f, source)


def content(path):
    with open(path, "rb") as f:
        return f.read()


def read_on(mount, want, held, stop, seed):
    rng = random.Random(seed)
    names = sorted(want)
    n = 0
    while not os.path.exists(stop) and len(failures) < 20:
        name = rng.choice(names)
        path = mount + "/" + name
        try:
            if name in held and rng.random() < 0.5:
                data = os.pread(held[name], len(want[name]) + 1, 0)
            else:
                data = content(path)
            if data != want[name]:
                failures.append("%s: wrong bytes" % path)
            # So that the next one asks the daemon.
            if name in held and rng.random() < 0.2:
                os.posix_fadvise(held[name], 0, 0, os.POSIX_FADV_DONTNEED)
            if rng.random() < 0.05 and os.path.basename(name) not in \
                    os.listdir(os.path.dirname(path)):
                failures.append("%s: not listed" % path)
        except OSError as e:
            failures.append("%s: %s" % (path, e))
        n += 1
    done.append(n)


def main(readers, stop, source, gone, *mounts):
    gone = set(content(gone).decode().split())
    want = {n: content(source + "/" + n) for n in names_of(source)
            if n not in gone}
    threads = []
    for i in range(int(readers)):
        mount = mounts[i % len(mounts)]
        held = {n: os.open(mount + "/" + n, os.O_RDONLY)
                for n in random.Random(i).sample(sorted(want), 20)}
        threads.append(threading.Thread(
            target=read_on, args=(mount, want, held, stop, i)))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print("%d reads" % sum(done))
    print("\n".join(failures))
    return 1 if failures or min(done) == 0 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
