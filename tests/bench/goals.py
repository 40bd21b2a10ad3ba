# SPDX-License-Identifier: Apache-2.0
"""What desfs is to reach, judged by the samples of one run.

Each goal names what is needed, computed from the peers' rows of the same
run, what was reached, and whether that is enough: met is None when either of
them is not known.  Figures are medians, as in the tables; only of memory, and
where no message at all is allowed, the worst repetition counts.
"""
from dataclasses import dataclass
from typing import Optional

import samples
import systems
from systems import DESFS
from samples import Table, of, per_second

SOURCE = 'source'
MIB = 1 << 20
# The FUSE peers that reading everything is compared with.
READ_PEERS = ('squashfuse_ll', 'erofsfuse', 'dwarfs')
FUSE_PEERS = tuple(r.name for r in systems.READERS
                   if r.packer and not r.kernel and r.name != DESFS)
ALL_PEERS = FUSE_PEERS + ('k-squashfs',)

RSS_MAX = 192 * MIB
SMALL_CACHE = 32 * MIB
GROWTH_MAX = 2


@dataclass(frozen=True)
class Goal:
    corpus: str
    workload: str
    goal: str
    needed: str
    reached: str
    met: Optional[bool]


def at(form, value):
    return '–' if value is None else form.format(value)


def judge(corpus, workload, goal, form, reached, needed, note='',
          most=False):
    """At least what is needed, or with most at most that."""
    met = None
    if needed is not None and reached is not None:
        met = reached <= needed if most else reached >= needed
    sign = '≤ ' if most else '≥ '
    text = '–' if needed is None else sign + form.format(needed) + note
    return Goal(corpus, workload, goal, text, at(form, reached), met)


def best(table, names, workload, get, choose=max):
    """(figure, name) of the best of these systems, or (None, None)."""
    found = [(table.median(name, workload, get), name) for name in names]
    found = [pair for pair in found if pair[0] is not None]
    return choose(found) if found else (None, None)


def by(table, name):
    """Who set the mark, for the column of what is needed."""
    if not name:
        return ''
    return f' ({name}{", scaled" if (name, "read") in table.scaled else ""})'


def times(factor, value):
    return None if value is None else factor * value


def unexplained(sample):
    """Messages, but for pages that the kernel dropped since they were read.

    A kernel that reclaims pages ahead of need (DAMON) does so on an idle
    machine, too.
    """
    return max(0, sample['messages']['messages'] - sample.get('refaults', 0))


def no_message(table, workload, title):
    reached = table.highest(DESFS, workload, unexplained)
    return judge(table.corpus, title, 'no message', '{:,.0f}', reached, 0,
                 most=True)


def read_all(table):
    work = 'all cold'
    mine = table.median(DESFS, work, per_second)
    figure, name = best(table, READ_PEERS, work, per_second)
    rows = [judge(table.corpus, 'everything cold, files/s',
                  '1.5 × the best of squashfuse_ll, erofsfuse, dwarfs',
                  '{:,.0f}', mine, times(1.5, figure), by(table, name)),
            judge(table.corpus, 'everything cold, files/s',
                  'in-kernel squashfs', '{:,.0f}', mine,
                  table.median('k-squashfs', work, per_second))]
    work = 'all warm'
    rows += [no_message(table, work, 'everything warm'),
             judge(table.corpus, 'everything warm, files/s',
                   '0.75 × the source', '{:,.0f}',
                   table.median(DESFS, work, per_second),
                   times(0.75, table.median(SOURCE, work, per_second)))]
    return rows


def best_p99(table, workload):
    """The p99 of the peer that is best in files/s, if that is known; else
    the lowest one that is."""
    _, name = best(table, FUSE_PEERS, workload, per_second)
    p99 = table.median(name, workload, of('p99')) if name else None
    if p99 is not None:
        return p99, name
    return best(table, FUSE_PEERS, workload, of('p99'), min)


def read_random(table, threads):
    title = f'random files, {threads} thread{"s" if threads > 1 else ""}'
    work = f'random {threads} cold'
    figure, name = best(table, FUSE_PEERS, work, per_second)
    p99, p99_name = best_p99(table, work)
    rows = [judge(table.corpus, f'{title} cold, files/s',
                  'the best FUSE peer', '{:,.0f}',
                  table.median(DESFS, work, per_second), figure,
                  by(table, name)),
            judge(table.corpus, f'{title} cold, p99 µs',
                  'no worse', '{:,.0f}',
                  table.median(DESFS, work, of('p99')), p99,
                  by(table, p99_name), most=True)]
    work = f'random {threads} warm'
    rows += [no_message(table, work, f'{title} warm'),
             judge(table.corpus, f'{title} warm, files/s',
                   '0.75 × the source', '{:,.0f}',
                   table.median(DESFS, work, per_second),
                   times(0.75, table.median(SOURCE, work, per_second)))]
    return rows


def metadata(table):
    seconds = of('seconds')
    erofs = table.median('erofsfuse', 'find cold', seconds)
    first, name = best(table, ALL_PEERS, 'first byte',
                       samples.milliseconds, min)
    return [judge(table.corpus, 'find -ls cold, s', '0.8 × erofsfuse',
                  '{:.2f}', table.median(DESFS, 'find cold', seconds),
                  times(0.8, erofs), by(table, erofs and 'erofsfuse'),
                  most=True),
            judge(table.corpus, 'ls -lR warm, s', '1.5 × the source',
                  '{:.2f}', table.median(DESFS, 'ls warm', seconds),
                  times(1.5, table.median(SOURCE, 'ls warm', seconds)),
                  most=True),
            judge(table.corpus, 'mount to first byte, ms', 'the best peer',
                  '{:.1f}',
                  table.median(DESFS, 'first byte', samples.milliseconds),
                  first, by(table, name), most=True)]


def messages_allowed(facts):
    """0.4 a small file, 4 a directory, one for each block of large files."""
    if 'large_blocks' not in facts:
        return None
    return 0.4 * facts['whole'] + 4 * (facts['dirs'] + 1) + \
        facts['large_blocks']


def cost(table):
    def total(s):
        return s['messages']['messages']

    rows = [judge(table.corpus, 'FUSE messages for tar cold',
                  '0.4 N + 4 D + blocks of large files', '{:,.0f}',
                  table.median(DESFS, 'tar cold', total),
                  messages_allowed(table.facts), most=True),
            no_message(table, 'tar warm', 'FUSE messages for tar again')]
    if table.corpus != 'linux':
        erofs = table.median('erofsfuse', 'all cold', samples.cpu_per_file)
        rows.append(judge(
            table.corpus, 'daemon CPU a small file cold, µs',
            '0.4 × client and daemon of erofsfuse', '{:.1f}',
            table.median(DESFS, 'all cold', samples.daemon_per_file),
            times(0.4, erofs), by(table, erofs and 'erofsfuse'), most=True))
    rows += [judge(table.corpus, 'daemon RSS, all in one mount, MiB',
                   '192 MiB', '{:.0f}',
                   times(1 / MIB, table.highest(DESFS, 'together',
                                                of('rss'))),
                   RSS_MAX / MIB, most=True),
             judge(table.corpus, 'the same with block_cache=32M, MiB '
                   'of blocks', 'kept', '{:.1f}',
                   times(1 / MIB, table.highest(DESFS, 'together 32M',
                                                of('block_cache'))),
                   SMALL_CACHE / MIB, most=True)]
    return rows


def big(table):
    mega, name = best(table, FUSE_PEERS, 'all cold',
                      samples.bytes_per_second)
    iops, iops_name = best(table, FUSE_PEERS, 'pread cold', per_second)
    return [judge(table.corpus, '512 MiB sequential cold, MB/s',
                  'the best FUSE peer', '{:,.0f}',
                  table.median(DESFS, 'all cold', samples.bytes_per_second),
                  mega, by(table, name)),
            judge(table.corpus, '512 MiB random 4 KiB, IOPS',
                  'the best FUSE peer', '{:,.0f}',
                  table.median(DESFS, 'pread cold', per_second), iops,
                  by(table, iops_name))]


def by_size(table, work, get):
    """{size: median} of the sizes that were measured."""
    found = {n: table.median(DESFS, f'{work} {n}', get)
             for n in table.facts['sizes']}
    return {n: figure for n, figure in found.items() if figure is not None}


def flat(table, title, work, get):
    """The slowest archive against the quickest one."""
    found = by_size(table, work, get)
    complete = len(found) == len(table.facts['sizes']) > 1
    return judge(
        table.corpus, title, f'flat within {GROWTH_MAX} ×', '{:,.0f}',
        max(found.values()) if complete else None,
        times(GROWTH_MAX, min(found.values()) if complete else None),
        most=True)


def growth(table):
    sizes = table.facts['sizes']
    span = f'{min(sizes):,} to {max(sizes):,} files' if sizes else 'no sizes'
    return [flat(table, f'lookup, {span}, µs', 'lookup',
                 samples.micros_per_file),
            flat(table, f'cold read, {span}, µs', 'cold',
                 samples.micros_per_file)]


def of_corpus(results, corpus):
    table = Table(results, corpus)
    if corpus == 'growth':
        return growth(table)
    if corpus == 'big':
        return big(table)
    return read_all(table) + read_random(table, 1) + \
        read_random(table, 8) + metadata(table) + cost(table)


def of_run(results):
    """All goals of a run, in the order of its corpora."""
    return [goal for corpus in results['corpora']
            for goal in of_corpus(results, corpus)]
