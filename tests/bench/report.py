# SPDX-License-Identifier: Apache-2.0
"""Turn the samples of reading into the page docs/benchmarks.md."""
import statistics
import textwrap

import goals
import peers
import systems
from samples import (Table, bytes_per_second, cpu_per_file, daemon_per_file,
                     micros_per_file, milliseconds, of, per_second)

NOTE = 0.15     # a best value this much better than the median is shown


def fixed(digits):
    return lambda v: f'{v:,.{digits}f}'


def mega(v):
    return f'{v / 1e6:,.1f}'


def mega_whole(v):
    return f'{v / 1e6:,.0f}'


def cell(table, system, workload, get, form, best=min):
    """The median, and the best one in brackets where it differs."""
    found = table.values(system, workload, get)
    if not found:
        return '–'
    middle, top = statistics.median(found), best(found)
    text = form(middle)
    if middle and abs(top - middle) / middle > NOTE:
        text += f' ({form(top)})'
    return text


def ratio(table, system, base, workload, get):
    found = table.ratio(system, base, workload, get)
    return '–' if found is None else f'{found:.2f}'


def grid(head, rows):
    lines = ['| ' + ' | '.join(head) + ' |',
             '|---|' + '---:|' * (len(head) - 1)]
    lines += ['| ' + ' | '.join(text.replace('|', '\\|') for text in row) +
              ' |' for row in rows]
    return '\n'.join(lines) + '\n'


def label(table, results, row, kind):
    """The name of a row, and what is to be known of it."""
    if row.name == 'source':
        return f'source ({results["machine"]["filesystem"]})'
    if (row.name, kind) in table.scaled:
        return f'{row.name} (scaled)'
    absent = table.absent.get((row.name, kind))
    return f'{row.name}: {absent}' if absent else row.name


def baseline(rows):
    return next(row.name for row in rows if row.baseline)


def reading(table, results, title, columns):
    """columns: (heading, function of (table, reader name) → cell)."""
    rows = [[label(table, results, r, 'read')] +
            [get_cell(table, r.name) for _, get_cell in columns]
            for r in systems.READERS]
    return f'### {title}\n\n' + grid(
        ['system'] + [heading for heading, _ in columns], rows)


def plain(workload, get, digits, best=min):
    return lambda t, name: cell(t, name, workload, get, fixed(digits), best)


def against(workload, get):
    base = baseline(systems.READERS)
    return lambda t, name: ratio(t, name, base, workload, get)


def metadata_columns():
    base = baseline(systems.READERS)
    seconds = of('seconds')
    return [
        ('mount to first byte, ms', plain('first byte', milliseconds, 1)),
        ('find -ls cold, s', plain('find cold', seconds, 2)),
        ('÷ ' + base, against('find cold', seconds)),
        ('find -ls warm, s', plain('find warm', seconds, 2)),
        ('÷ ' + base, against('find warm', seconds)),
        ('ls -lR warm, s', plain('ls warm', seconds, 2)),
        ('÷ ' + base, against('ls warm', seconds)),
    ]


def peak(table, name):
    """The daemon's highest RSS in any of the workloads."""
    found = [s['rss'] for (system, _), many in table.by.items()
             for s in many if system == name and s.get('rss')]
    return mega_whole(max(found)) if found else '–'


def all_columns():
    base = baseline(systems.READERS)
    columns = []
    for heat in ('cold', 'warm'):
        work = 'all ' + heat
        columns += [
            (f'{heat}, files/s', plain(work, per_second, 0, max)),
            ('× ' + base, against(work, per_second)),
            ('CPU µs/file', plain(work, cpu_per_file, 0)),
            ('daemon\'s share', plain(work, daemon_per_file, 0)),
        ]
    return columns + [('daemon RSS MB', peak)]


def random_cell(work):
    def speed_and_latency(table, name):
        speed = cell(table, name, work, per_second, fixed(0), max)
        p50 = table.median(name, work, of('p50'))
        p99 = table.median(name, work, of('p99'))
        return speed if p50 is None else f'{speed}; {p50:,.0f}/{p99:,.0f}'
    return speed_and_latency


def random_columns():
    base = baseline(systems.READERS)
    columns = []
    for threads in (1, 8):
        for heat in ('cold', 'warm'):
            work = f'random {threads} {heat}'
            columns += [
                (f'{threads} thread{"s" if threads > 1 else ""} {heat}',
                 random_cell(work)),
                ('× ' + base, against(work, per_second)),
            ]
    return columns


def big_columns():
    base = baseline(systems.READERS)
    return [
        ('mount to first byte, ms', plain('first byte', milliseconds, 1)),
        ('sequential cold, MB/s', plain('all cold', bytes_per_second, 0,
                                        max)),
        ('× ' + base, against('all cold', bytes_per_second)),
        ('sequential warm, MB/s', plain('all warm', bytes_per_second, 0,
                                        max)),
        ('random 4 KiB cold, IOPS; p50/p99 µs', random_cell('pread cold')),
        ('× ' + base, against('pread cold', per_second)),
        ('daemon RSS MB', peak),
    ]


KINDS = ('lookup', 'getattr', 'readlink', 'read', 'readdirplus', 'forget')


def message_row(table, workload):
    samples = table.values(systems.DESFS, workload, of('messages'))
    if not samples:
        return None

    def median(kind):
        return statistics.median(s.get(kind, 0) for s in samples)

    total = median('messages')
    shown = [median(kind) for kind in KINDS]
    return [workload] + [f'{n:,.0f}' for n in
                         [total, *shown, total - sum(shown)]]


def message_grid(table):
    rows = [message_row(table, w) for w in (
        'tar cold', 'tar warm', 'all cold', 'all warm', 'find cold',
        'find warm', 'ls warm', 'random 1 cold', 'random 1 warm',
        'random 8 cold', 'random 8 warm')]
    rows = [row for row in rows if row]
    return grid(['desfs', 'messages', *KINDS, 'others'], rows) if rows else ''


def memory_grid(table):
    rows = []
    for work, options in (('together', 'default'),
                          ('together 32M', 'block_cache=32M')):
        if table.by.get((systems.DESFS, work)):
            rows.append([options] + [
                f'{table.highest(systems.DESFS, work, of(key)) / 2**20:,.0f}'
                for key in ('rss', 'rss_after', 'block_cache')])
    return '\n' + grid(['all of it in one mount', 'highest RSS, MiB',
                        'RSS after it, MiB', 'blocks in memory, MiB'],
                       rows) if rows else ''


def cost(table):
    """What desfs takes: messages by kind, and memory."""
    parts = message_grid(table) + memory_grid(table)
    return '### FUSE messages and memory of desfs\n\n' + parts \
        if parts else ''


VERDICTS = {True: 'met', False: '**not met**', None: '**not measured**'}


def goals_table(judged):
    met = sum(goal.met is True for goal in judged)
    rows = [[g.corpus, g.workload, g.goal, g.needed, g.reached,
             VERDICTS[g.met]] for g in judged]
    return f'## Goals\n\n{met} of {len(judged)} are met.\n\n' + grid(
        ['corpus', 'workload', 'goal', 'needed', 'reached', ''], rows)


def steadiness_row(table, work, figures):
    """A workload of the baseline: here, and in the earlier comparison."""
    timed = work in peers.METADATA_WORK
    rate, get = 'files/s', per_second
    if table.corpus == 'big':
        rate, get = ('MB/s', bytes_per_second) if work == 'all cold' else \
            ('IOPS', per_second)
    found = table.values(peers.READ_BASE, work,
                         of('seconds') if timed else get)
    if not found:
        return None
    form = fixed(3 if work == 'first byte' else 2 if timed else 0)
    then = figures['seconds'] if timed else 1 / figures['seconds']
    unit = 's' if timed else rate
    middle = statistics.median(found)
    return [f'{work}, {unit}', form(middle), form(min(found)),
            form(max(found)), form(then), f'{middle / then:.2f}']


def steadiness(table):
    """What scaled rows rest on; see README.md, Noise."""
    if not any(kind == 'read' for _, kind in table.scaled):
        return ''
    known = peers.reading(peers.SAME_AS.get(table.corpus, table.corpus),
                          peers.READ_BASE)
    rows = [steadiness_row(table, work, known[work]) for work in known]
    return '### What the scaled rows rest on\n\n' + grid(
        [peers.READ_BASE, 'median', 'from', 'to', 'earlier comparison',
         'median ÷ that'], [row for row in rows if row])


def messages_per_file(s):
    return s['messages']['messages'] / s['files']


GROWTH_COLUMNS = (
    ('archive, MB', 'make', lambda s: s['bytes'] / 1e6, 1),
    ('mount to first byte, ms', 'cold', lambda s: s['first_byte'] * 1000, 1),
    ('cold read, µs', 'cold', micros_per_file, 0),
    ('lookup, µs', 'lookup', micros_per_file, 1),
    ('messages', 'lookup', messages_per_file, 2),
    ('crowd: lookup, µs', 'crowd lookup', micros_per_file, 0),
    ('messages', 'crowd lookup', messages_per_file, 2),
    ('crowd: read, µs', 'crowd read', micros_per_file, 0),
    ('messages', 'crowd read', messages_per_file, 2),
    ('daemon RSS, MB', 'memory', lambda s: s['rss'] / 1e6, 0),
)


def growth_ratio(table, work, get):
    found = list(goals.by_size(table, work, get).values())
    if len(found) < 2 or not min(found):
        return '–'
    return f'{max(found) / min(found):.2f}'


def growth(results):
    table = Table(results, 'growth')
    rows = [[f'{size:,}'] + [
        cell(table, systems.DESFS, f'{work} {size}', get, fixed(digits))
        for _, work, get, digits in GROWTH_COLUMNS]
        for size in table.facts['sizes']]
    rows.append(['highest ÷ lowest'] + [
        growth_ratio(table, work, get) for _, work, get, _ in GROWTH_COLUMNS])
    text = (
        'Archives of tiny files made by `gen-archive`, read by desfs; '
        f'repetitions: {results["runs"].get("growth", 0)}. Cold: the first '
        'file read in a fresh mount, nothing in memory. Lookup: of random '
        'names whose directories the kernel knows and whose index the daemon '
        'has in memory. Crowd: random files in a fresh mount, the same number '
        'in each archive; the fewer files there are, the sooner all of them '
        'are in memory, so only the first two are judged.')
    return '## growth\n\n' + textwrap.fill(
        text, 79, break_long_words=False, break_on_hyphens=False) + \
        '\n\n' + grid(['files'] + [c[0] for c in GROWTH_COLUMNS], rows) + \
        failures(table)


def failures(table):
    if not table.errors:
        return ''
    return '\nNot measured, because it failed:\n\n' + '\n'.join(
        f'- {system}, {work}: {error}'
        for system, work, error in table.errors) + '\n'


def section(results, name):
    if name == 'growth':
        return growth(results)
    table = Table(results, name)
    facts = results['corpora'][name]
    parts = [f'## {name}\n\n{facts["files"]:,} files, '
             f'{facts["bytes"] / 1e6:,.1f} MB, {facts["dirs"]:,} '
             f'directories; repetitions: {results["runs"].get(name, 0)}.\n']
    if name == 'big':
        parts.append(reading(table, results, 'Reading', big_columns()))
    else:
        parts += [
            reading(table, results, 'Mount and metadata',
                    metadata_columns()),
            reading(table, results, 'Everything in directory order',
                    all_columns()),
            reading(table, results, f'{min(5000, facts["small"]):,} random '
                    'small files: files/s; p50/p99 µs', random_columns()),
            cost(table),
        ]
    parts.append(steadiness(table))
    return '\n'.join(part for part in parts if part) + failures(table)


def made_by(results):
    return (f'Made by `{results["command"]}` on {results["date"]} in '
            f'{results["minutes"]} minutes, of commit {results["commit"]}. '
            'Do not edit; [tests/bench/README.md](../tests/bench/README.md) '
            'says how it is measured.')


def made_on(results):
    m = results['machine']
    versions = [f'{name} {version}' for name, version in
                m['versions'].items() if version]
    if m['desfs']:
        versions.insert(0, m['desfs'])
    return (f'The machine has {m["cores"]} cores ({m["machine"]}) and '
            f'{m["memory_gib"]} GiB of memory and runs {m["system"]}, kernel '
            f'{m["kernel"]}, with {m["filesystem"]} below. The load average '
            f'was {m["load"][0]} when it began (above 0.5 something else was '
            'running). Versions: ' + ', '.join(versions) + '.')


def paragraphs(texts):
    return '\n\n'.join(textwrap.fill(
        text, 79, break_long_words=False, break_on_hyphens=False)
        for text in texts) + '\n'


def preface(results):
    if results['machine']['root']:
        cold = ('Cold is a fresh mount after the kernel\'s caches were '
                'dropped (the storage below may stay warm)')
    else:
        cold = ('Cold is a fresh mount only: the run was not allowed to drop '
                'the kernel\'s caches, so the archives were in memory')
    return '# Benchmarks\n\n' + paragraphs([
        made_by(results),
        made_on(results),
        'All systems take turns in every repetition. Figures are medians, '
        f'with the best in brackets where it is more than {NOTE:.0%} '
        f'better. {cold}; warm is the same again at once. CPU is user and '
        'system time, of client and daemon together; what kernel threads do '
        '(k-squashfs, the disk) is not in it. MB is 10^6 bytes. The squashfs '
        'archives that are read are those of '
        f'`{baseline(systems.PACKERS)}`. Packing has a page of its own, '
        'benchmarks-packing.md.',
        'Rows marked as scaled are of programs that this machine does not '
        'have: what they reached in an earlier comparison beside '
        f'{baseline(systems.READERS)}, in proportion to what that reached '
        'here; `tests/bench/peers.py` has the figures.',
    ])


def render(results):
    parts = [preface(results), goals_table(goals.of_run(results))]
    parts += [section(results, name) for name in results['corpora']]
    return '\n'.join(parts)
