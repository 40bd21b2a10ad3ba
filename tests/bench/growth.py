# SPDX-License-Identifier: Apache-2.0
"""How reading behaves as an archive grows: tiny files, ten times more a step.

The archives are made by gen-archive, not from files.  Only desfs is measured;
an archive is compared with a smaller one.  Three kinds of operations:

cold     nothing is in memory: each in a mount of its own, the machine's caches
         dropped, so that it costs the same work in a small archive
lookup   one name, its directory known to the kernel and the index known to the
         daemon: one message each
crowd    the same number of random files in a fresh mount; a small archive is
         soon in memory as a whole, so these must differ and are not judged
"""
import json
import os
import random

import measure
import systems
from measure import Failed

SIZES = tuple(10 ** n for n in range(4, 8))
PER_DIR = 250           # as in gen-archive.c
CROWD = 2000
LOOKUPS = 500           # their index pages fit into the daemon's page cache
COLD_TRIES = 10


def path_of(number):
    folder = number // PER_DIR
    return f'{folder // PER_DIR:03}/{folder:06}/{number:08}'


def choose(size, count, seed):
    """Paths of files, the same ones for the same seed."""
    return [path_of(i) for i in
            random.Random(seed).sample(range(size), min(size, count))]


class Growth:
    """The measurements of a run with archives of gen-archive."""

    def __init__(self, bench):
        self.bench = bench
        self.reading = bench.reading
        self.row = next(r for r in systems.READERS if r.name == systems.DESFS)
        self.list = os.path.join(bench.work, 'growth.list')
        self.sizes = [n for n in SIZES if n <= bench.args.growth_max]

    def name(self, size):
        return f'growth-{size}'

    def make(self, size):
        """The archive, unless this run has it."""
        out = self.bench.image(self.name(size), self.row.packer)
        if os.path.exists(out):
            return
        program = self.bench.desfs['gen-archive']
        if not program:
            raise Failed('gen-archive is not built: make '
                         'tests/bench/gen-archive')
        got = measure.run([program, str(size), out], self.bench.args.timeout)
        self.bench.sample('growth', systems.DESFS, f'make {size}',
                          seconds=got.seconds, bytes=measure.tree_bytes(out))

    def write_list(self, paths):
        with open(self.list, 'w', encoding='ascii') as f:
            f.write(''.join(path + '\0' for path in paths))

    def ask(self, mount, mode, paths):
        """Run bench-read on them, measured; returns what it says too."""
        self.write_list(paths)
        got = self.reading.measure(
            self.row, mount, [self.bench.reader, mode, '-l', self.list,
                              '-n', str(len(paths)), mount.path], True)
        line = json.loads(got.output)
        if line['files'] != len(paths):
            raise Failed(f'{line["files"]} files instead of {len(paths)}')
        return got, line

    def take(self, work, size, got, line, **more):
        self.bench.sample('growth', systems.DESFS, f'{work} {size}',
                          seconds=line['seconds'], files=line['files'],
                          p50=line['p50_us'], p99=line['p99_us'],
                          messages=got.messages, **more)

    def cold(self, size, seed):
        """The mount, and the first file ever read in it."""
        mount = self.reading.mount(self.name(size), self.row)
        paths = choose(size, 1, seed)
        self.write_list(paths)
        start = measure.now()
        with mount:
            got = measure.run([self.bench.reader, 'random', '-l', self.list,
                               '-n', '1', mount.path], 60, True, mount.kill)
            seconds = measure.now() - start
            got.messages = None
            self.take('cold', size, got, json.loads(got.output),
                      first_byte=seconds)

    def crowd(self, size, seed):
        paths = choose(size, CROWD, seed)
        with self.reading.mount(self.name(size), self.row) as mount:
            self.take('crowd lookup', size, *self.ask(mount, 'stat', paths))
        with self.reading.mount(self.name(size), self.row) as mount:
            self.take('crowd read', size, *self.ask(mount, 'random', paths))
            self.bench.sample('growth', systems.DESFS, f'memory {size}',
                              rss=mount.peak)

    def lookup(self, size, seed):
        paths = choose(size, LOOKUPS, seed)
        with self.reading.mount(self.name(size), self.row) as mount:
            self.ask(mount, 'stat', paths)
            # The kernel forgets the names, the daemon keeps its index.
            measure.drop_caches([])
            self.ask(mount, 'stat', sorted({os.path.dirname(path)
                                            for path in paths}))
            self.take('lookup', size, *self.ask(mount, 'stat', paths))

    def try_step(self, step, size, *more):
        try:
            step(size, *more)
        except (Failed, OSError, ValueError, KeyError) as e:
            self.bench.failure('growth', systems.DESFS,
                               f'{step.__name__} {size}', e)

    def repetition(self, rep):
        for size in self.sizes:
            self.try_step(self.make, size)
        for i in range(COLD_TRIES):
            for size in systems.rotate(self.sizes, i):
                self.try_step(self.cold, size, rep * COLD_TRIES + i)
        for size in systems.rotate(self.sizes, rep):
            self.try_step(self.lookup, size, rep)
            self.try_step(self.crowd, size, rep)
