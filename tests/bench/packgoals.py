# SPDX-License-Identifier: Apache-2.0
"""What packing is to reach, judged by the samples of one run.

As in goals.py: what is needed comes from the peers' rows of the same run,
medians are compared, and met is None when something is not known.  Times are
those with sync; only of memory the worst repetition counts.
"""
from goals import MIB, Goal, judge, times
from samples import Table, of
from systems import (DESFS, MANY_SLOTS, NONE, ONE_CORE, SMALL, SMALLEST, TAR,
                     TWO_CORES, ZSTD_1, ZSTD_2, ZSTD_5)

SQUASH, SQUASH_15 = 'mksquashfs zstd 3', 'mksquashfs zstd 15'
DWARFS = 'mkdwarfs -l4'
TAR_ZSTD = 'tar | zstd -3 -T0'
SECONDS, BYTES = 'synced', 'bytes'

# corpus: bytes against mksquashfs at level 3: (default, --profile small).  What
# is asked for is about Linux and documents; everything else is only not to be
# larger than documents may be in the default profile.
SQUASH_BYTES = {'linux': (0.98, 0.93), 'docs': (1.02, 0.97),
                'small': (1.02, 0.97)}
OTHER_BYTES = (1.02, 1.02)

# The original packer, written in Python: files/s at one codec, and what tar
# reached beside it.
PYTHON = {NONE: 24_800, ZSTD_5: 7_000}
PYTHON_TAR = 56_000
PYTHON_TREE = ('linux', 'small')

RSS_MAX = 256 * MIB
METADATA_MAX = 1.5      # per cent


def short(row):
    """The name of a row of desfs in the column of the workload."""
    return 'default' if row == DESFS else row.replace('desfs ', '')


def compare(table, mine, theirs, key, factor):
    """At most factor times what a peer took, of seconds or bytes."""
    form, unit, scale = ('{:.2f}', 's', 1) if key == SECONDS else \
        ('{:,.1f}', 'MB', 1e-6)
    reached = times(scale, table.median(mine, 'pack', of(key)))
    base = times(scale, table.median(theirs, 'pack', of(key)))
    met, shown, needed = None, '–', '–'
    if reached is not None:
        shown = form.format(reached)
    if base:
        needed = '≤ ' + form.format(factor * base)
        if (theirs, 'pack') in table.scaled:
            needed += ' (scaled)'
    if base and reached is not None:
        met = reached <= factor * base
        shown += f' ({reached / base:.3f} ×)'
    return Goal(table.corpus, f'{short(mine)}, {unit}',
                f'{factor:g} × {theirs}', needed, shown, met)


def against_squashfs(table):
    default, small = SQUASH_BYTES.get(table.corpus, OTHER_BYTES)
    return [compare(table, DESFS, SQUASH, SECONDS, 0.8),
            compare(table, DESFS, SQUASH, BYTES, default),
            compare(table, SMALL, SQUASH, SECONDS, 1),
            compare(table, SMALL, SQUASH, BYTES, small),
            compare(table, SMALLEST, SQUASH_15, SECONDS, 0.5),
            compare(table, SMALLEST, SQUASH_15, BYTES, 1)]


def against_dwarfs(table):
    """Of compressed files there is no figure to scale: told, but not judged."""
    return [compare(table, SMALLEST, DWARFS, SECONDS, 0.5),
            compare(table, SMALLEST, DWARFS, BYTES, 1.05)]


def against_tar_zstd(table):
    return [compare(table, DESFS, TAR_ZSTD, SECONDS, 1.3),
            compare(table, DESFS, TAR_ZSTD, BYTES, 1.13),
            compare(table, SMALL, TAR_ZSTD, BYTES, 1.1)]


def files_per_cpu(table, row):
    def rate(sample):
        return table.facts['files'] / sample['cpu']
    return table.median(row, 'pack', rate)


def against_python(table):
    """By way of tar: its files per CPU second there and here."""
    tar = files_per_cpu(table, TAR)
    return [judge(table.corpus, f'{short(row)}, files per CPU s',
                  f'3 × {files:,} ÷ {PYTHON_TAR:,} × tar', '{:,.0f}',
                  files_per_cpu(table, row),
                  times(3 * files / PYTHON_TAR, tar))
            for row, files in PYTHON.items()]


def against_tar(table, factor):
    def speed(sample):
        return table.facts['bytes'] / sample[SECONDS] / 1e6

    return judge(table.corpus, f'{short(NONE)}, MB/s', f'{factor:g} × tar',
                 '{:,.0f}', table.median(NONE, 'pack', speed),
                 times(factor, table.median(TAR, 'pack', speed)))


def gain(table, one, two):
    """How many times quicker two cores are."""
    return table.ratio(one, two, 'pack', of(SECONDS))


def cores(table):
    return judge(table.corpus, '2 cores ÷ 1 core, speed',
                 f'0.95 × {ZSTD_2} ÷ {ZSTD_1}', '{:.2f}',
                 gain(table, ONE_CORE, TWO_CORES),
                 times(0.95, gain(table, ZSTD_1, ZSTD_2)))


def memory(table, row=DESFS):
    return judge(table.corpus, f'{short(row)}, highest RSS, MiB', '256 MiB',
                 '{:.0f}',
                 times(1 / MIB, table.highest(row, 'pack', of('rss'))),
                 RSS_MAX / MIB, most=True)


def rerun(table):
    seconds = of('seconds')
    return judge(table.corpus, 'unchanged rerun, s', '2 × find -printf',
                 '{:.2f}', table.median(DESFS, 'rerun', seconds),
                 times(2, table.median('find', 'rerun', seconds)), most=True)


def overhead(table, row):
    """The files are noise: what their archive takes more is metadata."""
    def percent(sample):
        return 100 * (sample[BYTES] / table.facts['bytes'] - 1)

    return judge(table.corpus, f'{short(row)}, metadata, % of plain bytes',
                 '1.5 %', '{:.2f}', table.median(row, 'pack', percent),
                 METADATA_MAX, most=True)


def of_data(table):
    rows = against_squashfs(table) + against_dwarfs(table) + \
        against_tar_zstd(table)
    if table.corpus in PYTHON_TREE:
        rows += against_python(table)
    return rows + [against_tar(table, 0.9), cores(table), memory(table)]


OTHERS = {
    'tiny': lambda t: [against_tar(t, 1.2), memory(t)],
    'mean10k': lambda t: [overhead(t, DESFS), overhead(t, NONE)],
    'million': lambda t: [rerun(t), memory(t), memory(t, MANY_SLOTS)],
}


def of_corpus(results, corpus):
    return OTHERS.get(corpus, of_data)(Table(results, corpus))


def of_run(results):
    """All goals of a run, in the order of its corpora."""
    return [goal for corpus in results['corpora']
            for goal in of_corpus(results, corpus)]
