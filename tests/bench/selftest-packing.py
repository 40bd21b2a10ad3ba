#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Test what judges packing, and the trees for it, with made-up samples."""
import os
import sys
import tempfile
import types
import unittest

sys.dont_write_bytecode = True

import corpus
import packgoals
import packing
import packreport
import peers
import systems
import trees
from selftest import run_of


def packed(synced=1.0, size=1.0, cpu=1.0, rss=1 << 20):
    return {'seconds': synced, 'synced': synced, 'bytes': size * 1e6,
            'cpu': cpu, 'rss': rss}


def packing_of(corpus, rows, absent=()):
    """Goals by (workload, goal); rows are of packers, or have a workload."""
    rows = [(row[0], 'pack', row[1]) if len(row) == 2 else row
            for row in rows]
    results = run_of(corpus, rows, [(name, 'pack') for name in absent])
    found = {(g.workload, g.goal): g for g in packgoals.of_run(results)}
    assert len(found) == len(packgoals.of_run(results))
    return found


class Packing(unittest.TestCase):
    SQUASH, SQUASH_15 = 'mksquashfs zstd 3', 'mksquashfs zstd 15'

    def met(self, tree, workload, goal, *rows):
        return packing_of(tree, rows)[workload, goal].met

    def test_time_and_bytes_are_compared_apart(self):
        rows = [(systems.DESFS, packed(8, 103)), (self.SQUASH, packed(10, 100))]
        judged = packing_of('docs', rows)
        time = judged['default, s', '0.8 × ' + self.SQUASH]
        self.assertIs(time.met, True)
        self.assertEqual((time.needed, time.reached),
                         ('≤ 8.00', '8.00 (0.800 ×)'))
        self.assertIs(judged['default, MB', '1.02 × ' + self.SQUASH].met,
                      False)

    def test_bytes_depend_on_the_corpus(self):
        for tree, default, small in (
                ('linux', 98, 93), ('docs', 102, 97), ('big', 102, 102),
                ('compressed', 102, 102)):
            for row, title, most in ((systems.DESFS, 'default', default),
                                     (systems.SMALL, '--profile small',
                                      small)):
                goal = f'{most / 100:g} × {self.SQUASH}'
                for size, met in ((most, True), (most + 0.1, False)):
                    self.assertIs(self.met(
                        tree, f'{title}, MB', goal, (row, packed(1, size)),
                        (self.SQUASH, packed(1, 100))), met)

    def test_medians_are_compared(self):
        rows = [(systems.DESFS, packed(s)) for s in (1, 7, 50)]
        rows += [(self.SQUASH, packed(s)) for s in (10, 9, 500)]
        self.assertIs(self.met('docs', 'default, s', '0.8 × ' + self.SQUASH,
                               *rows), True)

    def test_the_hard_peers_are_for_the_level_of_our_choice(self):
        title = systems.SMALLEST.replace('desfs ', '')
        rows = [(systems.SMALLEST, packed(5.1, 100)),
                (self.SQUASH_15, packed(10, 100)),
                ('mkdwarfs -l4', packed(20, 96))]
        judged = packing_of('linux', rows)
        for unit, goal, met in (
                ('s', '0.5 × ' + self.SQUASH_15, False),
                ('MB', '1 × ' + self.SQUASH_15, True),
                ('s', '0.5 × mkdwarfs -l4', True),
                ('MB', '1.05 × mkdwarfs -l4', True)):
            self.assertIs(judged[f'{title}, {unit}', goal].met, met, goal)

    def test_dwarfs_is_scaled_where_there_is_a_figure(self):
        title = systems.SMALLEST.replace('desfs ', '') + ', MB'
        for tree, base, size in (('docs', self.SQUASH, 184.2),
                                   ('linux', self.SQUASH, 235.3),
                                   ('big', self.SQUASH_15, 246)):
            figure = peers.packing(tree, 'mkdwarfs -l4')['pack']['bytes']
            for more, met in ((-0.01, True), (0.01, False)):
                rows = [(base, packed(1, size)),
                        (systems.SMALLEST, packed(1, 1.05 * figure + more))]
                got = packing_of(tree, rows, ['mkdwarfs -l4'])[
                    title, '1.05 × mkdwarfs -l4']
                self.assertIs(got.met, met)
                self.assertIn('scaled', got.needed)
        told = packing_of('compressed', [(systems.SMALLEST, packed(1, 1))],
                          ['mkdwarfs -l4'])
        self.assertIsNone(told[title, '1.05 × mkdwarfs -l4'].met)

    def test_the_python_packer_by_way_of_tar(self):
        for row, files, title in (
                (systems.NONE, 24800, '--codec none, files per CPU s'),
                (systems.ZSTD_5, 7000, '--level 5, files per CPU s')):
            goal = f'3 × {files:,} ÷ 56,000 × tar'
            cpu = 56000 / files / 3
            for factor, met in ((0.99, True), (1.01, False)):
                self.assertIs(self.met(
                    'linux', title, goal, (systems.TAR, packed(9, cpu=1)),
                    (row, packed(9, cpu=factor * cpu))), met)

    def test_without_a_codec_it_is_as_quick_as_tar(self):
        for tree, factor in (('linux', 0.9), ('tiny', 1.2)):
            for more, met in ((0.99, True), (1.01, False)):
                self.assertIs(self.met(
                    tree, '--codec none, MB/s', f'{factor} × tar',
                    (systems.TAR, packed(10)),
                    (systems.NONE, packed(10 / factor * more))), met)

    def test_two_cores_gain_what_zstd_gains(self):
        for two, met in ((5.2, True), (5.3, False)):
            self.assertIs(self.met(
                'linux', '2 cores ÷ 1 core, speed',
                '0.95 × zstd -3 -T2 ÷ zstd -3 -T1',
                (systems.ONE_CORE, packed(10)),
                (systems.TWO_CORES, packed(two)),
                (systems.ZSTD_1, packed(8)), (systems.ZSTD_2, packed(4))),
                met)

    def test_memory_is_the_highest_of_all(self):
        for mib, met in ((256, True), (257, False)):
            rows = [(systems.DESFS, packed(rss=m << 20))
                    for m in (1, mib, 2)]
            self.assertIs(self.met('tiny', 'default, highest RSS, MiB',
                                   '256 MiB', *rows), met)

    def test_what_noise_takes_more_is_metadata(self):
        for size, met in ((1.0149, True), (1.0151, False)):
            self.assertIs(self.met(
                'mean10k', 'default, metadata, % of plain bytes', '1.5 %',
                (systems.DESFS, packed(size=size))), met)

    def test_a_rerun_is_compared_with_find(self):
        for seconds, met in ((2, True), (2.01, False)):
            self.assertIs(self.met(
                'million', 'unchanged rerun, s', '2 × find -printf',
                ('find', 'rerun', {'seconds': 1}),
                (systems.DESFS, 'rerun', {'seconds': seconds})), met)

    def test_what_was_not_measured_is_not_met(self):
        for tree in ('docs', 'linux', 'big', 'compressed', 'tiny',
                       'mean10k', 'million'):
            judged = packing_of(tree, [], [systems.SMALL])
            self.assertGreater(len(judged), 1)
            self.assertEqual({g.met for g in judged.values()}, {None})

    def test_every_row_is_on_the_page(self):
        for tree in ('linux', 'compressed', 'million'):
            page = packreport.render(run_of(
                tree, [(self.SQUASH, 'pack', packed()),
                         ('find', 'rerun', {'seconds': 1, 'cpu': 1})],
                [(systems.SMALL, 'pack')]))
            for packer in systems.packers_of(tree):
                self.assertIn('| ' + packer.name.replace('|', '\\|'), page)
            self.assertIn('find -printf', page)

    def test_what_is_judged_is_measured(self):
        rows = {p.name: p for p in systems.PACKERS}
        self.assertEqual(len(rows), len(systems.PACKERS))
        for tree in ('docs', 'linux', 'big', 'compressed'):
            for name in (systems.DESFS, systems.SMALL, systems.SMALLEST,
                         systems.NONE, systems.ONE_CORE, systems.TWO_CORES,
                         packgoals.SQUASH, packgoals.SQUASH_15,
                         packgoals.DWARFS, packgoals.TAR_ZSTD, systems.TAR,
                         systems.ZSTD_1, systems.ZSTD_2):
                self.assertIn(tree, rows[name].corpora)
                self.assertFalse(rows[name].once)
        for tree, name in (('linux', systems.ZSTD_5),
                             ('tiny', systems.NONE), ('tiny', systems.TAR),
                             ('mean10k', systems.NONE),
                             ('million', systems.MANY_SLOTS)):
            self.assertIn(tree, rows[name].corpora)

    def test_orders_differ_and_are_the_same_in_each_run(self):
        def order(rep):
            seen = []
            bench = types.SimpleNamespace(
                args=types.SimpleNamespace(slow_runs=1, keep=True),
                reader='', work='')
            one = packing.Packing(bench)
            one.pack = lambda _, packer, __: seen.append(packer.name)
            one.repetition('linux', rep)
            return seen

        self.assertEqual(order(1), order(1))
        self.assertNotEqual(order(1), order(2))
        self.assertEqual(sorted(order(1)), sorted(order(2)))
        self.assertEqual(
            set(order(0)) - set(order(1)),
            {p.name for p in systems.packers_of('linux')
             if p.slow or p.once})


class Trees(unittest.TestCase):
    def test_the_same_files_each_time(self):
        with tempfile.TemporaryDirectory() as top:
            for name, want in (('tiny', 1024), ('million', None),
                               ('mean10k', None)):
                seen = set()
                for turn in 'ab':
                    path = os.path.join(top, name + turn)
                    trees.make(name, path, 300, None)
                    seen.add(corpus.digest(path))
                    sizes = [os.stat(os.path.join(folder, one)).st_size
                             for folder, _, files in os.walk(path)
                             for one in files]
                    self.assertEqual(len(sizes), 300)
                    if want:
                        self.assertEqual(set(sizes), {want})
                self.assertEqual(len(seen), 1)

    def test_an_option_that_is_not_there_leaves_the_row_out(self):
        with tempfile.TemporaryDirectory() as top:
            program = os.path.join(top, 'desfs-pack')
            row = next(p for p in systems.PACKERS if p.name == systems.SMALL)
            for text, absent in (('--profile=NAME', True),
                                 (systems.PROFILES, False)):
                with open(program, 'w', encoding='ascii') as f:
                    f.write(f'#!/bin/sh\necho "  {text}"\n')
                os.chmod(program, 0o755)
                got = systems.missing(row, {'desfs-pack': program})
                self.assertEqual(got is not None, absent)


if __name__ == '__main__':
    unittest.main()
