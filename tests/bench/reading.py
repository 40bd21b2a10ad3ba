# SPDX-License-Identifier: Apache-2.0
"""Read one corpus through one system: what is measured in which mount."""
import json
import os

import measure
import stats
import systems
from measure import Failed, Mount

RANDOM_FILES = 5000
THREADS = (1, 8)
SEED = 7
FIRST_BYTE_TRIES = 10
# tar writes nothing and reads nothing when its output is /dev/null.
TAR = 'tar -C "$1" -cf - . | cat >/dev/null'


class Reading:
    """The measurements of a run that need a mount.

    bench is the run: where things are, and who takes the samples.
    """

    def __init__(self, bench):
        self.bench = bench
        self.args = bench.args
        self.reader = bench.reader

    def mount(self, name, row, options=''):
        """A fresh mount with cold caches."""
        programs = [self.reader, 'find', 'ls', 'head', 'tar', 'cat']
        if not row.packer:
            measure.drop_caches(programs)
            return Mount(None, self.bench.source(name))
        mnt = os.path.join(self.bench.work, 'mnt', row.name)
        argv = systems.build(row.command + options, self.bench.desfs,
                             mnt=mnt,
                             image=self.bench.image(name, row.packer))
        measure.drop_caches(programs + argv[:1])
        return Mount(argv, mnt, row.kernel)

    def measure(self, row, mount, argv, capture=False):
        """Run a client; outcome.messages are desfs's, None for others."""
        counts = row.name == systems.DESFS
        before = stats.read(mount.path) if counts else None
        dropped = stats.refaults()
        got = mount.measure(argv, self.args.timeout, capture)
        got.messages = stats.messages(before, stats.read(mount.path)) \
            if counts else None
        got.refaults = stats.refaults() - dropped
        return got

    def run_on(self, mount, *argv):
        """Only for what it does to the daemon."""
        mount.measure(list(argv), self.args.timeout)

    def take(self, name, row, workload, got, **values):
        if got.messages is not None:
            values['messages'] = got.messages
            values['refaults'] = got.refaults
        self.bench.sample(name, row.name, workload, **values)

    # ---- what programs do

    def first_byte(self, name, row):
        """From the start of the mount to the first byte of a file."""
        mount = self.mount(name, row)
        path = os.path.join(mount.path, self.bench.facts[name]['first'])
        start = measure.now()
        with mount:
            got = measure.run(['head', '-c', '1', path], 60, True,
                              mount.kill)
            seconds = measure.now() - start
            if not got.output:
                raise Failed('the first file is empty')
            self.bench.sample(name, row.name, 'first byte', seconds=seconds)

    def walks(self, name, row):
        with self.mount(name, row) as mount:
            for workload, argv in (
                    ('find cold', ['find', mount.path, '-ls']),
                    ('find warm', ['find', mount.path, '-ls']),
                    ('ls warm', ['ls', '-lR', mount.path])):
                got = self.measure(row, mount, argv)
                self.take(name, row, workload, got, seconds=got.seconds,
                          cpu=got.cpu + got.daemon_cpu, rss=mount.peak)

    def tar(self, name, row, mount, workload):
        got = self.measure(row, mount, ['sh', '-c', TAR, 'tar', mount.path])
        self.take(name, row, workload, got, seconds=got.seconds,
                  files=self.bench.facts[name]['files'], rss=mount.peak)

    # ---- what bench-read does

    def read_once(self, name, row, mount, workload, argv, files, size):
        """Run bench-read; what it found must be what was packed."""
        got = self.measure(row, mount, [self.reader, *argv], True)
        line = json.loads(got.output)
        if line['files'] != files or size not in (None, line['bytes']):
            raise Failed(f'{workload}: {line["files"]} files with '
                         f'{line["bytes"]} bytes instead of {files} '
                         f'with {size}')
        self.take(name, row, workload, got, seconds=line['seconds'],
                  files=files, bytes=line['bytes'],
                  p50=line['p50_us'], p99=line['p99_us'],
                  cpu=line['cpu'] + got.daemon_cpu,
                  client_cpu=line['cpu'], daemon_cpu=got.daemon_cpu,
                  rss=mount.peak)
        return line['bytes']

    def read_all(self, name, row):
        facts = self.bench.facts[name]
        with self.mount(name, row) as mount:
            for workload in ('all cold', 'all warm'):
                self.read_once(name, row, mount, workload,
                               ['all', mount.path], facts['files'],
                               facts['bytes'])

    def random_argv(self, name, mount, threads):
        count = min(RANDOM_FILES, self.bench.facts[name]['small'])
        return count, ['random', '-l', self.bench.list_of(name),
                       '-n', str(count), '-t', str(threads),
                       '-s', str(SEED), mount.path]

    def read_random(self, name, row, threads):
        size = None
        with self.mount(name, row) as mount:
            count, argv = self.random_argv(name, mount, threads)
            for heat in ('cold', 'warm'):
                size = self.read_once(name, row, mount,
                                      f'random {threads} {heat}', argv,
                                      count, size)

    def read_places(self, name, row):
        with self.mount(name, row) as mount:
            self.read_once(
                name, row, mount, 'pread cold',
                ['pread', '-n', str(RANDOM_FILES), '-s', str(SEED),
                 os.path.join(mount.path, self.bench.facts[name]['first'])],
                RANDOM_FILES, None)

    # ---- desfs alone

    def together(self, name, row, options=''):
        """All workloads in one mount: messages of tar, and memory after all.

        In between the kernel's caches are dropped, so that the daemon has
        work to do.
        """
        title = 'together' + (options and ' ' + options.split('=')[-1])
        with self.mount(name, row, options and ',' + options) as mount:
            for heat in () if options else ('cold', 'warm'):
                self.tar(name, row, mount, f'tar {heat}')
            if options:
                self.run_on(mount, 'sh', '-c', TAR, 'tar', mount.path)
            self.run_on(mount, 'ls', '-lR', mount.path)
            self.run_on(mount, self.reader, 'all', mount.path)
            for threads in THREADS:
                measure.drop_caches([])
                self.run_on(mount, self.reader, *self.random_argv(
                    name, mount, threads)[1])
            measure.drop_caches([])
            self.run_on(mount, 'find', mount.path, '-ls')
            values = stats.read(mount.path)
            self.bench.sample(
                name, row.name, title, rss=mount.peak, rss_after=mount.rss(),
                block_cache=values['volume_block_cache_bytes'])

    # ---- the whole

    def missing(self, name, row):
        absent = self.bench.absent[row]
        if not absent and row.kernel and os.geteuid():
            absent = 'needs root'
        if not absent and row.packer and not os.path.exists(
                self.bench.image(name, row.packer)):
            absent = f'no archive of {row.packer}'
        return absent

    def try_step(self, step, name, row, *more):
        try:
            step(name, row, *more)
        except (Failed, OSError, ValueError, KeyError) as e:
            self.bench.failure(name, row.name, step.__name__, e)

    def first_bytes(self, name, rows):
        """All systems take turns: the times are milliseconds."""
        rows = [row for row in rows if not self.missing(name, row)]
        for i in range(FIRST_BYTE_TRIES):
            for row in systems.rotate(rows, i):
                self.try_step(self.first_byte, name, row)

    def read(self, name, row, rep):
        absent = self.missing(name, row)
        if absent:
            return self.bench.sample(name, row.name, 'read', missing=absent)
        self.try_step(self.read_all, name, row)
        if name == 'big':
            return self.try_step(self.read_places, name, row)
        self.try_step(self.walks, name, row)
        for threads in THREADS:
            self.try_step(self.read_random, name, row, threads)
        if row.name == systems.DESFS:
            self.try_step(self.together, name, row)
            if rep < self.args.slow_runs:
                self.try_step(self.together, name, row, 'block_cache=32M')
        return None
