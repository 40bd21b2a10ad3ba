# SPDX-License-Identifier: Apache-2.0
"""Peers that are not installed: their figures from one earlier comparison.

Debian 12 has no erofsfuse, dwarfs or mount-zip.  A row whose program is not
there is scaled: its figure below, divided by the baseline's figure below,
times what the baseline reached in the run at hand.

The figures are medians of interleaved runs on one machine of 2 cores, Debian
12, kernel 6.18, all systems side by side, with the corpora of corpus.py.  The
squashfs archives there were made by mksquashfs at its default zstd level 15;
erofsfuse read lz4hc, dwarfs level 4 with a cache of 512 MB, or of 2 GB where
that is the only figure.
"""
import statistics

READ_BASE = 'squashfuse_ll'

# mksquashfs's row in PACKING that the others of a corpus are divided by.
PACK_BASE = {'docs': 'mksquashfs zstd 3', 'linux': 'mksquashfs zstd 3',
             'big': 'mksquashfs zstd 15'}

# small is the beginning of docs: for a look at the tables only.
SAME_AS = {'small': 'docs'}

# corpus: packer: (seconds, CPU seconds, MB of the archive)
PACKING = {
    'docs': {
        'mksquashfs zstd 3': (2.9, 5.0, 184.2),
        'mkfs.erofs lz4hc': (7.5, 7.2, 338.8),
        'mkdwarfs -l4': (37.3, 38.1, 154.6),
        'zip': (13.7, 13.3, 208.1),
    },
    'linux': {
        'mksquashfs zstd 3': (5.3, 8.4, 235.3),
        'mkfs.erofs lz4hc': (26.1, 21.6, 485.3),
        'mkdwarfs -l4': (38.2, 56.2, 187.1),
        'zip': (26.2, 25.9, 267.9),
    },
    'big': {
        'mksquashfs zstd 15': (32.5, None, 246),
        'mkdwarfs -l4': (18.2, None, 244),
    },
}

# corpus: reader: seconds of (first byte, find cold, find warm, ls warm)
METADATA = {
    'docs': {
        'squashfuse_ll': (0.012, 6.42, 0.60, 6.05),
        'erofsfuse': (0.015, 1.21, 0.82, 5.10),
        'dwarfs': (0.051, 4.11, 0.69, 4.46),
        'mount-zip': (0.62, 6.06, 5.91, 5.74),
        'fuse-zip': (0.58, 5.35, 5.32, 3.65),
    },
    'linux': {
        'squashfuse_ll': (0.014, 5.43, 1.41, 8.69),
        'erofsfuse': (0.012, 2.16, 1.25, 5.08),
        'dwarfs': (0.061, 3.99, 1.61, 5.53),
        'mount-zip': (0.60, 5.22, 5.05, 4.80),
        'fuse-zip': (0.70, 5.35, 4.92, 4.86),
    },
}

# corpus: reader: (all cold, all warm), each (files/s, CPU us a file)
READING = {
    'docs': {
        'squashfuse_ll': ((5773, 134), (16392, 50)),
        'erofsfuse': ((12242, 76), (22929, 43)),
        'dwarfs': ((9640, 97), (24894, 39)),
        'mount-zip': ((5203, 153), (6224, 122)),
        'fuse-zip': ((3761, 211), ()),
    },
    'linux': {
        'squashfuse_ll': ((5748, 138), (15187, 53)),
        'erofsfuse': ((10708, 92), (18657, 50)),
        'dwarfs': ((1619, 627), (18018, 51)),
        'mount-zip': ((4416, 187), (5071, 159)),
        'fuse-zip': ((3314, 249), (4154, 189)),
    },
    # MB/s, which is in proportion to files/s.
    'big': {
        'squashfuse_ll': ((773,), ()),
        'erofsfuse': ((898,), ()),
        'dwarfs': ((755,), ()),
        'mount-zip': ((354,), ()),
    },
}

# corpus: reader: (1 thread cold, warm, 8 threads cold, warm), each (files/s,
# p50, p99 in us) as far as they are known
RANDOM = {
    'docs': {
        'squashfuse_ll': ((2255, 407, 916), (12488, 79, 115), (2954,),
                          (31369,)),
        'erofsfuse': ((4473, 188, 577), (22040, 49, 75), (12671,), (47279,)),
        'dwarfs': ((4593, 84, 5143), (24790, 41, 78), (9845,), (51452,)),
        'mount-zip': ((4977, 181, 346), (5900,), (17826,), (23602,)),
        'fuse-zip': ((3810, 248, 476), (4886,), (16601,), (20694,)),
    },
    'linux': {
        'squashfuse_ll': ((2184,), (12458,), (2930,), (33443,)),
        'erofsfuse': ((3271,), (18470, 50, 101), (10416,), (36226,)),
        'dwarfs': ((2925,), (22841,), (6327,), (51164,)),
        'mount-zip': ((3332,), (4230,), (11134,), (13644,)),
        'fuse-zip': ((3290,), (3675,), (10643,), (12553,)),
    },
}

# reader: (IOPS, p50, p99 in us)
PLACES = {
    'squashfuse_ll': (3690, 257, 897),
    'erofsfuse': (6838, 123, 1139),
    'dwarfs': (4926, 26, 4817),
    'mount-zip': (2219,),
}

RANDOM_WORK = ('random 1 cold', 'random 1 warm', 'random 8 cold',
               'random 8 warm')
METADATA_WORK = ('first byte', 'find cold', 'find warm', 'ls warm')


def slowness(rate, **more):
    """A rate as what a sample has: the time of one file."""
    return {'seconds': 1 / rate, **more}


def latencies(row):
    return dict(zip(('p50', 'p99'), row[1:]))


def reading(corpus, reader):
    """{workload: {field: figure}} of a reader."""
    found = {}
    for work, seconds in zip(METADATA_WORK,
                             METADATA.get(corpus, {}).get(reader, ())):
        found[work] = {'seconds': seconds}
    for work, row in zip(('all cold', 'all warm'),
                         READING.get(corpus, {}).get(reader, ())):
        if row:
            found[work] = slowness(row[0], **dict(zip(('cpu',), row[1:])))
    for work, row in zip(RANDOM_WORK,
                         RANDOM.get(corpus, {}).get(reader, ())):
        found[work] = slowness(row[0], **latencies(row))
    if corpus == 'big' and reader in PLACES:
        row = PLACES[reader]
        found['pread cold'] = slowness(row[0], **latencies(row))
    return found


def packing(corpus, packer):
    row = PACKING.get(corpus, {}).get(packer)
    if not row:
        return {}
    seconds, cpu, size = row
    found = {'seconds': seconds, 'synced': seconds, 'bytes': size}
    if cpu:
        found['cpu'] = cpu
    return {'pack': found}


def scale(figures, base_figures, base_samples):
    """One sample: what the baseline reached, in proportion; or None."""
    sample = {'scaled': True}
    for field, figure in figures.items():
        reached = [s[field] for s in base_samples if field in s]
        if reached and field in base_figures:
            sample[field] = statistics.median(reached) * figure / \
                base_figures[field]
    if 'seconds' not in sample:
        return None
    for field in ('files', 'bytes'):
        if field in base_samples[0]:
            sample.setdefault(field, base_samples[0][field])
    return sample


def add_scaled(table):
    """Fill the rows of what is absent; table.scaled tells which."""
    corpus = SAME_AS.get(table.corpus, table.corpus)
    for system, kind in list(table.absent):
        figures, base = reading, READ_BASE
        if kind == 'pack':
            figures, base = packing, PACK_BASE.get(corpus)
        known = figures(corpus, base)
        for work, row in figures(corpus, system).items():
            samples = table.by.get((base, work))
            sample = scale(row, known.get(work, {}), samples) if samples \
                else None
            if sample:
                table.by[system, work] = [sample]
                table.scaled.add((system, kind))
