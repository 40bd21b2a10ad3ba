# SPDX-License-Identifier: Apache-2.0
"""Turn the samples of a run into the page docs/benchmarks.md."""
import statistics
import textwrap

import systems

NOTE = 0.15     # a best value this much better than the median is shown


class Table:
    """The samples of one corpus, by system and workload."""

    def __init__(self, results, corpus):
        self.corpus = corpus
        self.by = {}
        self.absent = {}
        self.errors = []
        for s in results['samples']:
            if s['corpus'] != corpus:
                continue
            if 'missing' in s:
                self.absent[s['system'], s['workload']] = s['missing']
            elif 'error' in s:
                line = (s['system'], s['workload'], s['error'])
                if line not in self.errors:
                    self.errors.append(line)
            else:
                self.by.setdefault((s['system'], s['workload']),
                                   []).append(s)

    def values(self, system, workload, get):
        return [get(s) for s in self.by.get((system, workload), [])]

    def median(self, system, workload, get):
        found = self.values(system, workload, get)
        return statistics.median(found) if found else None

    def cell(self, system, workload, get, form, best=min):
        """The median, and the best one in brackets where it differs."""
        found = self.values(system, workload, get)
        if not found:
            return '–'
        middle, top = statistics.median(found), best(found)
        text = form(middle)
        if middle and abs(top - middle) / middle > NOTE:
            text += f' ({form(top)})'
        return text

    def ratio(self, system, base, workload, get):
        mine = self.median(system, workload, get)
        theirs = self.median(base, workload, get)
        return f'{mine / theirs:.2f}' if mine and theirs else '–'


def fixed(digits):
    return lambda v: f'{v:,.{digits}f}'


def mega(v):
    return f'{v / 1e6:,.1f}'


def mega_whole(v):
    return f'{v / 1e6:,.0f}'


def per_second(s):
    return s['files'] / s['seconds']


def bytes_per_second(s):
    return s['bytes'] / s['seconds'] / 1e6


def cpu_per_file(s):
    return s['cpu'] / s['files'] * 1e6


def of(key):
    return lambda s: s[key]


def grid(head, rows):
    lines = ['| ' + ' | '.join(head) + ' |',
             '|---|' + '---:|' * (len(head) - 1)]
    lines += ['| ' + ' | '.join(cell.replace('|', '\\|') for cell in row) +
              ' |' for row in rows]
    return '\n'.join(lines) + '\n'


def label(results, reader):
    if reader.name == 'source':
        return f'source ({results["machine"]["filesystem"]})'
    return reader.name


def baseline(rows):
    return next(row.name for row in rows if row.baseline)


def packing(table, results):
    base = baseline(systems.PACKERS)
    head = ['packer', 's', 's with sync', 'CPU s', 'peak RSS MB', 'MB out',
            'time ÷ ' + base, 'bytes ÷ ' + base, 'runs']
    rows = []
    for p in systems.PACKERS:
        absent = table.absent.get((p.name, 'pack'))
        if absent:
            rows.append([f'{p.name}: {absent}'] + ['–'] * (len(head) - 1))
            continue
        rows.append([
            p.name,
            table.cell(p.name, 'pack', of('seconds'), fixed(2)),
            table.cell(p.name, 'pack', of('synced'), fixed(2)),
            table.cell(p.name, 'pack', of('cpu'), fixed(1)),
            table.cell(p.name, 'pack', of('rss'), mega_whole),
            table.cell(p.name, 'pack', of('bytes'), mega),
            table.ratio(p.name, base, 'pack', of('synced')),
            table.ratio(p.name, base, 'pack', of('bytes')),
            str(len(table.by.get((p.name, 'pack'), []))),
        ])
    return '### Packing\n\n' + grid(head, rows)


def reading(table, results, title, columns):
    """columns: (heading, function of (table, reader name) → cell)."""
    rows = []
    for r in systems.READERS:
        absent = table.absent.get((r.name, 'read'))
        if absent:
            rows.append([f'{r.name}: {absent}'] + ['–'] * len(columns))
        else:
            rows.append([label(results, r)] +
                        [cell(table, r.name) for _, cell in columns])
    return f'### {title}\n\n' + grid(
        ['system'] + [heading for heading, _ in columns], rows)


def plain(workload, get, digits, best=min):
    return lambda t, name: t.cell(name, workload, get, fixed(digits), best)


def against(workload, get):
    base = baseline(systems.READERS)
    return lambda t, name: t.ratio(name, base, workload, get)


def milliseconds(s):
    return s['seconds'] * 1000


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
            ('daemon\'s share', plain(
                work, lambda s: s['daemon_cpu'] / s['files'] * 1e6, 0)),
        ]
    return columns + [('daemon RSS MB', peak)]


def random_cell(work):
    def cell(table, name):
        if not table.by.get((name, work)):
            return '–'
        speed = table.cell(name, work, per_second, fixed(0), max)
        p50 = table.median(name, work, of('p50'))
        p99 = table.median(name, work, of('p99'))
        return f'{speed}; {p50:,.0f}/{p99:,.0f}'
    return cell


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


def section(results, name):
    table = Table(results, name)
    facts = results['corpora'][name]
    parts = [f'## {name}\n\n{facts["files"]:,} files, '
             f'{facts["bytes"] / 1e6:,.1f} MB, {facts["dirs"]:,} '
             f'directories; repetitions: {results["runs"].get(name, 0)}.\n',
             packing(table, results)]
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
        ]
    if table.errors:
        parts.append('Not measured, because it failed:\n\n' + '\n'.join(
            f'- {system}, {work}: {error}'
            for system, work, error in table.errors) + '\n')
    return '\n'.join(parts)


def preface(results):
    m = results['machine']
    versions = [f'{name} {version}' for name, version in
                m['versions'].items() if version]
    if m['desfs']:
        versions.insert(0, m['desfs'])
    if m['root']:
        cold = ('Cold is a fresh mount after the kernel\'s caches were '
                'dropped (the storage below may stay warm)')
    else:
        cold = ('Cold is a fresh mount only: the run was not allowed to drop '
                'the kernel\'s caches, so the archives were in memory')
    paragraphs = [
        f'Made by `{results["command"]}` on {results["date"]} in '
        f'{results["minutes"]} minutes, of commit {results["commit"]}. Do '
        'not edit; [tests/bench/README.md](../tests/bench/README.md) says '
        'how it is measured.',
        f'The machine has {m["cores"]} cores ({m["machine"]}) and '
        f'{m["memory_gib"]} GiB of memory and runs {m["system"]}, kernel '
        f'{m["kernel"]}, with {m["filesystem"]} below. The load average was '
        f'{m["load"][0]} when it began (above 0.5 something else was '
        'running). Versions: ' + ', '.join(versions) + '.',
        'All systems take turns in every repetition. Figures are medians, '
        f'with the best in brackets where it is more than {NOTE:.0%} '
        f'better. {cold}; warm is the same again at once. The source is in '
        'the page cache when it is packed; ratios of pack time are with '
        'sync. CPU is user and system time, of client and daemon together; '
        'what kernel threads do (k-squashfs, the disk) is not in it. MB is '
        '10^6 bytes. The squashfs archives that are read are those of '
        f'`{baseline(systems.PACKERS)}`.',
    ]
    return '# Benchmarks\n\n' + '\n\n'.join(
        textwrap.fill(p, 79, break_long_words=False, break_on_hyphens=False)
        for p in paragraphs) + '\n'


def render(results):
    parts = [preface(results)]
    parts += [section(results, name) for name in results['corpora']]
    return '\n'.join(parts)
