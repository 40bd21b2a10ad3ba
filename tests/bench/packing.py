# SPDX-License-Identifier: Apache-2.0
"""Make archives of one corpus, and find out again that nothing changed."""
import os
import random
import subprocess
import time

import measure
import stats
import systems
from measure import Failed

# Like the walk of a rerun: the type, times, mode, owner and size of each name.
FIND = ('find', '{src}', '-printf', '%y %s %T@ %m %U %G %p\\n')
RERUN = 'million'


class Packing:
    """The measurements of a run that make archives.

    bench is the run: where things are, and who takes the samples.
    """

    def __init__(self, bench):
        self.bench = bench
        self.args = bench.args
        self.reader = bench.reader

    def tar_of(self, name):
        return os.path.join(self.bench.work, 'out', f'{name}.tar')

    def warm(self, name, packer):
        """What is read is in the page cache for everybody."""
        if name == RERUN:
            return      # minutes, and no time to pack is judged there
        if '{tar}' not in packer.command:
            measure.run([self.reader, 'all', self.bench.source(name)], 600)
            return
        tar = self.tar_of(name)
        if not os.path.exists(tar):
            measure.run(['tar', '-C', self.bench.source(name), '-cf', tar,
                         '.'], 600)
        measure.run(['cat', tar], 600)

    def make(self, name, packer):
        """The archive; what it cost."""
        cpus = sorted(os.sched_getaffinity(0))
        out = self.bench.image(name, packer.name)
        measure.remove(out)
        argv = systems.build(
            packer.command, self.bench.desfs, out=out,
            src=self.bench.source(name), tar=self.tar_of(name),
            jobs=self.bench.jobs, cpu=cpus[0],
            cpus=','.join(str(cpu) for cpu in cpus[:2]))
        try:
            self.warm(name, packer)
            os.sync()
            dropped = stats.refaults()
            start = time.monotonic()
            got = measure.run(argv, self.args.timeout)
            measure.sync(out)
            synced = time.monotonic() - start
        except BaseException:
            # Half an archive must not be read in the next step.
            measure.remove(out)
            raise
        return {'seconds': got.seconds, 'synced': synced, 'cpu': got.cpu,
                'rss': got.rss, 'bytes': measure.tree_bytes(out),
                'refaults': stats.refaults() - dropped}

    def for_readers(self, name, rows):
        """Archives of what is there to be read; nothing is measured."""
        for packer in systems.READ_PACKERS:
            wanted = [r for r in rows if r.packer == packer.name and
                      not self.bench.absent[r]]
            if not wanted or self.bench.absent[packer]:
                continue
            try:
                cost = self.make(name, packer)
                self.bench.say(f'  made by {packer.name}: '
                               f'{cost["synced"]:.2f} s')
            except (Failed, OSError, subprocess.CalledProcessError) as e:
                self.bench.failure(name, packer.name, 'pack', e)

    def pack(self, name, packer, rep):
        absent = self.bench.absent[packer]
        if absent:
            self.bench.sample(name, packer.name, 'pack', missing=absent)
            return
        try:
            cost = self.make(name, packer)
            self.bench.sample(name, packer.name, 'pack', rep=rep, **cost)
            self.bench.say(f'  {packer.name}: {cost["synced"]:.2f} s')
        except (Failed, OSError, subprocess.CalledProcessError) as e:
            self.bench.failure(name, packer.name, 'pack', e)
            return
        kept = name == RERUN and packer.name == systems.DESFS
        if not kept and not self.args.keep:
            measure.remove(self.bench.image(name, packer.name))

    # ---- an unchanged tree

    def find(self, name):
        argv = [word.format(src=self.bench.source(name)) for word in FIND]
        return measure.run(argv, self.args.timeout)

    def again(self, name):
        """desfs-pack once more, with nothing to do."""
        out = self.bench.image(name, systems.DESFS)
        if not os.path.exists(out):
            raise Failed(f'no archive of {systems.DESFS}')
        before = measure.tree_bytes(out)
        row = next(p for p in systems.PACKERS if p.name == systems.DESFS)
        got = measure.run(systems.build(
            row.command, self.bench.desfs, out=out,
            src=self.bench.source(name)), self.args.timeout)
        if measure.tree_bytes(out) != before:
            raise Failed('an unchanged tree was packed again')
        return got

    def rerun(self, name, rep):
        """By turns; the names and their attributes are in memory for both."""
        steps = [('find', self.find), (systems.DESFS, self.again)]
        for system, step in systems.rotate(steps, rep):
            try:
                self.find(name)
                dropped = stats.refaults()
                got = step(name)
                self.bench.sample(name, system, 'rerun', rep=rep,
                                  seconds=got.seconds, cpu=got.cpu,
                                  rss=got.rss,
                                  refaults=stats.refaults() - dropped)
                self.bench.say(f'  again, {system}: {got.seconds:.2f} s')
            except (Failed, OSError) as e:
                self.bench.failure(name, system, 'rerun', e)

    # ---- the whole

    def due(self, name, packer, rep):
        if packer.once or name == RERUN:
            return rep == 0
        return not packer.slow or rep < self.args.slow_runs

    def repetition(self, name, rep):
        rows = [p for p in systems.packers_of(name) if self.due(name, p, rep)]
        # Another order each time, so that nobody always comes after the
        # same one; the same orders in each run.
        random.Random(f'{name} {rep}').shuffle(rows)
        for packer in rows:
            self.pack(name, packer, rep)
        if name == RERUN:
            self.rerun(name, rep)
        if not self.args.keep:
            measure.remove(self.tar_of(name))
