# SPDX-License-Identifier: Apache-2.0
"""Turn the samples of packing into the page docs/benchmarks-packing.md."""
import packgoals
import peers
import systems
from report import (NOTE, baseline, cell, failures, fixed, goals_table, grid,
                    label, made_by, made_on, mega, mega_whole, paragraphs,
                    ratio)
from samples import Table, of

TITLES = {
    'tiny': 'files of 1 KiB',
    'mean10k': 'noise: what an archive takes more is metadata',
    'million': 'for the rerun, and memory',
}


def against_plain(table, name):
    size = table.median(name, 'pack', of('bytes'))
    return '–' if size is None else f'{size / table.facts["bytes"]:.3f}'


def columns():
    base = baseline(systems.PACKERS)

    def own(key, form):
        return lambda t, name: cell(t, name, 'pack', of(key), form)

    def against_base(key):
        return lambda t, name: ratio(t, name, base, 'pack', of(key))

    def runs(table, name):
        found = table.by.get((name, 'pack'), [])
        return str(sum('scaled' not in s for s in found))

    return (
        ('s', own('seconds', fixed(2))),
        ('s with sync', own('synced', fixed(2))),
        ('÷ ' + base, against_base('synced')),
        ('CPU s', own('cpu', fixed(1))),
        ('peak RSS MB', own('rss', mega_whole)),
        ('MB out', own('bytes', mega)),
        ('÷ ' + base, against_base('bytes')),
        ('÷ plain', against_plain),
        ('runs', runs),
    )


def packers(table, results):
    rows = [[label(table, results, p, 'pack')] +
            [get(table, p.name) for _, get in columns()]
            for p in systems.packers_of(table.corpus)]
    return grid(['packer'] + [head for head, _ in columns()], rows)


def reruns(table):
    rows = [[title] + [
        cell(table, system, 'rerun', of(key), form) for key, form in
        (('seconds', fixed(2)), ('cpu', fixed(1)), ('rss', mega_whole))]
        for system, title in (('find', 'find -printf'),
                              (systems.DESFS, 'desfs again'))
        if table.by.get((system, 'rerun'))]
    return '\n' + grid(['nothing has changed', 's', 'CPU s', 'peak RSS MB'],
                       rows) if rows else ''


def refaults(table):
    """Sources that were not in memory all the time."""
    pages = [s.get('refaults', 0) for many in table.by.values() for s in many]
    most = max(pages, default=0)
    return f'\nPages of files that were read again during one row: at most ' \
        f'{most:,}.\n' if most else ''


def section(results, name):
    table = Table(results, name)
    facts = table.facts
    title = f': {TITLES[name]}' if name in TITLES else ''
    return (f'## {name}{title}\n\n{facts["files"]:,} files, '
            f'{facts["bytes"] / 1e6:,.1f} MB, {facts["dirs"]:,} directories; '
            f'repetitions: {results["runs"].get(name, 0)}.\n\n' +
            packers(table, results) + reruns(table) + refaults(table) +
            failures(table))


def preface(results):
    return '# Benchmarks of packing\n\n' + paragraphs([
        made_by(results),
        made_on(results),
        'All packers take turns in every repetition, in another order each '
        'time. Figures are medians, with the best in brackets where it is '
        f'more than {NOTE:.0%} better. The source is in the page cache, each '
        'run is followed by sync, and times are compared with that. CPU is '
        'user and system time, peak RSS that of the largest process. MB is '
        '10^6 bytes, of all files of an archive. desfs computes SHA-256 of '
        'each file, SHA-256 and CRC32C of each block. zstd alone reads one '
        'tar of the corpus.',
        'Rows marked as scaled are of programs that this machine does not '
        'have: what they reached in an earlier comparison beside mksquashfs, '
        'in proportion to what that reached here; `tests/bench/peers.py` has '
        'the figures' + ''.join(
            f' (on {corpus} beside {base})' for corpus, base in
            peers.PACK_BASE.items() if corpus in results['corpora']) + '.',
    ])


def render(results):
    parts = [preface(results), goals_table(packgoals.of_run(results))]
    parts += [section(results, name) for name in results['corpora']]
    return '\n'.join(parts)
