#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Test what judges: scaling, goals and their table, with made-up samples."""
import sys
import unittest

sys.dont_write_bytecode = True

import goals
import growth
import peers
import report
import samples
import stats
import systems

FACTS = {'files': 1000, 'bytes': 10 ** 6, 'dirs': 9, 'small': 990,
         'whole': 990, 'large_blocks': 30}
MACHINE = {'cores': 2, 'memory_gib': 8, 'machine': 'x', 'kernel': '6',
           'system': 'Debian', 'filesystem': 'ext4', 'load': [0, 0, 0],
           'root': True, 'desfs': 'desfs 1', 'versions': {}}


def run_of(corpus, rows, absent=()):
    """Results with rows (system, workload, values) in one corpus."""
    found = [{'corpus': corpus, 'system': system, 'workload': work, **values}
             for system, work, values in rows]
    found += [{'corpus': corpus, 'system': system, 'workload': kind,
               'missing': 'not on PATH'} for system, kind in absent]
    return {'command': 'run', 'date': 'today', 'minutes': 1,
            'commit': 'none', 'machine': MACHINE, 'corpora': {corpus: FACTS},
            'runs': {corpus: 1}, 'samples': found}


def speed(rate, **more):
    return {'seconds': 1000 / rate, 'files': 1000, 'bytes': 10 ** 6, **more}


def goal(results, workload, text=''):
    found = [g for g in goals.of_run(results)
             if g.workload == workload and text in g.goal]
    assert len(found) == 1, found
    return found[0]


class Scaling(unittest.TestCase):
    def test_a_rate_keeps_its_proportion_to_the_baseline(self):
        table = samples.Table(run_of('docs', [
            ('squashfuse_ll', 'all cold', speed(5773 * 2, cpu=0.067))],
            [('erofsfuse', 'read')]), 'docs')
        self.assertAlmostEqual(
            table.median('erofsfuse', 'all cold', samples.per_second),
            12242 * 2, places=3)
        self.assertAlmostEqual(
            table.median('erofsfuse', 'all cold', samples.cpu_per_file),
            67 * 76 / 134, places=3)
        self.assertIn(('erofsfuse', 'read'), table.scaled)

    def test_a_time_keeps_its_proportion_to_the_median(self):
        table = samples.Table(run_of('linux', [
            ('squashfuse_ll', 'find cold', {'seconds': s})
            for s in (10, 5.43, 1)], [('dwarfs', 'read')]), 'linux')
        self.assertAlmostEqual(
            table.median('dwarfs', 'find cold', samples.of('seconds')), 3.99)

    def test_packers_are_scaled_by_mksquashfs(self):
        table = samples.Table(run_of('docs', [
            ('mksquashfs zstd 3', 'pack',
             {'seconds': 2.9, 'synced': 5.8, 'cpu': 5.0, 'bytes': 184.2})],
            [('mkdwarfs -l4', 'pack')]), 'docs')
        got = table.by['mkdwarfs -l4', 'pack'][0]
        self.assertAlmostEqual(got['seconds'], 37.3)
        self.assertAlmostEqual(got['synced'], 74.6)
        self.assertAlmostEqual(got['bytes'], 154.6)

    def test_what_is_there_is_not_scaled(self):
        table = samples.Table(run_of('docs', [
            ('squashfuse_ll', 'all cold', speed(5773)),
            ('erofsfuse', 'all cold', speed(7))]), 'docs')
        self.assertAlmostEqual(
            table.median('erofsfuse', 'all cold', samples.per_second), 7)
        self.assertEqual(table.scaled, set())

    def test_without_the_baseline_there_is_no_row(self):
        table = samples.Table(run_of('docs', [],
                                     [('erofsfuse', 'read')]), 'docs')
        self.assertIsNone(
            table.median('erofsfuse', 'all cold', samples.per_second))

    def test_figures_are_complete(self):
        for corpus in ('docs', 'linux'):
            base = peers.reading(corpus, peers.READ_BASE)
            for reader in goals.FUSE_PEERS:
                row = peers.reading(corpus, reader)
                self.assertLessEqual(set(row), set(base))
                for work in ('first byte', 'find cold', 'ls warm',
                             'all cold', *peers.RANDOM_WORK):
                    self.assertIn(work, row, (corpus, reader))


class Goals(unittest.TestCase):
    def test_the_best_peer_sets_the_mark(self):
        def reached(rate):
            return goal(run_of('docs', [
                ('desfs', 'all cold', speed(rate)),
                ('squashfuse_ll', 'all cold', speed(5773)),
                ('k-squashfs', 'all cold', speed(1))],
                [('erofsfuse', 'read'), ('dwarfs', 'read')]),
                'everything cold, files/s', '1.5')

        self.assertIs(reached(18364).met, True)
        self.assertIs(reached(18362).met, False)
        self.assertEqual(reached(1).needed, '≥ 18,363 (erofsfuse, scaled)')

    def test_one_message_is_too_many(self):
        for n in (0, 1):
            results = run_of('docs', [
                ('desfs', 'all warm', speed(1, messages={'messages': 0})),
                ('desfs', 'all warm', speed(1, messages={'messages': n}))])
            self.assertIs(goal(results, 'everything warm').met, n == 0)

    def test_pages_the_kernel_dropped_may_be_read_again(self):
        sample = {'messages': {'messages': 7}}
        self.assertEqual(goals.unexplained(sample), 7)
        self.assertEqual(goals.unexplained(dict(sample, refaults=5)), 2)
        self.assertEqual(goals.unexplained(dict(sample, refaults=9)), 0)

    def test_messages_are_allowed_by_files_directories_and_blocks(self):
        self.assertAlmostEqual(goals.messages_allowed(FACTS),
                               0.4 * 990 + 4 * 10 + 30)
        for n in (466, 467):
            results = run_of('docs', [
                ('desfs', 'tar cold', {'messages': {'messages': n}})])
            self.assertIs(
                goal(results, 'FUSE messages for tar cold').met, n == 466)

    def test_p99_is_that_of_the_best_peer_or_the_lowest_known(self):
        rows = [('desfs', 'random 1 cold', speed(9, p50=1, p99=150)),
                ('squashfuse_ll', 'random 1 cold',
                 speed(5, p50=1, p99=100))]
        title = 'random files, 1 thread cold, p99 µs'
        quick = ('dwarfs', 'random 1 cold', speed(8, p50=1, p99=200))
        blind = ('dwarfs', 'random 1 cold', speed(8))
        self.assertIs(goal(run_of('docs', rows), title).met, False)
        self.assertIs(goal(run_of('docs', rows + [quick]), title).met, True)
        self.assertIs(goal(run_of('docs', rows + [blind]), title).met, False)

    def test_what_was_not_measured_is_not_met(self):
        judged = goals.of_run(run_of('docs', []))
        self.assertGreater(len(judged), 15)
        self.assertEqual({g.met for g in judged}, {None})

    def test_lower_is_better_for_times_and_memory(self):
        rows = [('source', 'ls warm', {'seconds': 1})]
        for seconds, met in ((1.5, True), (1.6, False)):
            results = run_of('docs', rows + [
                ('desfs', 'ls warm', {'seconds': seconds})])
            self.assertIs(goal(results, 'ls -lR warm, s').met, met)
        for mib, met in ((192, True), (193, False)):
            results = run_of('docs', [
                ('desfs', 'together', {'rss': mib << 20})])
            self.assertIs(
                goal(results, 'daemon RSS, all in one mount, MiB').met, met)


class Growth(unittest.TestCase):
    def results(self, micros):
        results = run_of('growth', [
            ('desfs', f'cold {size}', {'seconds': us / 1e6, 'files': 1})
            for size, us in micros.items()])
        results['corpora']['growth'] = {'sizes': [10, 100, 1000]}
        return results

    def met(self, micros):
        return goal(self.results(micros),
                    'cold read, 10 to 1,000 files, µs').met

    def test_flat_is_within_a_factor_of_all_sizes(self):
        self.assertIs(self.met({10: 50, 100: 80, 1000: 99}), True)
        self.assertIs(self.met({10: 50, 100: 101, 1000: 50}), False)

    def test_a_size_that_failed_is_not_overlooked(self):
        self.assertIs(self.met({10: 50, 1000: 50}), None)

    def test_the_page_has_the_table(self):
        page = report.render(self.results({10: 50, 100: 80, 1000: 100}))
        self.assertIn('| 1,000 |', page)
        self.assertIn('2.00', page)

    def test_a_path_is_known_from_its_number(self):
        self.assertEqual(growth.path_of(0), '000/000000/00000000')
        self.assertEqual(growth.path_of(62500), '001/000250/00062500')
        self.assertEqual(growth.path_of(9999999), '159/039999/09999999')


class Page(unittest.TestCase):
    def test_every_row_is_on_the_page_with_and_without_samples(self):
        for corpus in ('docs', 'big'):
            rows = [('squashfuse_ll', work, speed(100, p50=1, p99=2, cpu=1))
                    for work in ('all cold', 'all warm', 'pread cold',
                                 'find cold', 'random 1 cold')]
            page = report.render(run_of(corpus, rows, [
                (r.name, 'read') for r in systems.READERS
                if r.name != 'squashfuse_ll']))
            for r in systems.READERS:
                self.assertIn(f'| {r.name}', page)
            self.assertIn('erofsfuse (scaled)', page)
            self.assertIn('## Goals', page)

    def test_messages_are_told_apart_by_kind(self):
        self.assertEqual(
            stats.messages({'fuse_messages': 1, 'fuse_read': 1, 'x': 1},
                           {'fuse_messages': 6, 'fuse_read': 3,
                            'fuse_lookup': 3, 'fuse_open': 0, 'x': 9}),
            {'messages': 5, 'read': 2, 'lookup': 3})


if __name__ == '__main__':
    unittest.main()
