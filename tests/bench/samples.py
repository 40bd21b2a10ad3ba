# SPDX-License-Identifier: Apache-2.0
"""The samples of one corpus by system and workload, and what is taken of them.

A function that takes a figure out of a sample may raise KeyError: that sample
does not have it.
"""
import statistics

import peers


class Table:
    """The samples of one corpus; absent peers are scaled, see peers.py."""

    def __init__(self, results, corpus):
        self.corpus = corpus
        self.facts = results['corpora'].get(corpus, {})
        self.by = {}
        self.absent = {}
        self.errors = []
        self.scaled = set()
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
        peers.add_scaled(self)

    def values(self, system, workload, get):
        found = []
        for s in self.by.get((system, workload), []):
            try:
                found.append(get(s))
            except KeyError:
                pass
        return found

    def median(self, system, workload, get):
        found = self.values(system, workload, get)
        return statistics.median(found) if found else None

    def highest(self, system, workload, get):
        return max(self.values(system, workload, get), default=None)

    def ratio(self, system, base, workload, get):
        mine = self.median(system, workload, get)
        theirs = self.median(base, workload, get)
        return mine / theirs if mine and theirs else None


def of(key):
    return lambda s: s[key]


def milliseconds(s):
    return s['seconds'] * 1000


def per_second(s):
    return s['files'] / s['seconds']


def bytes_per_second(s):
    return s['bytes'] / s['seconds'] / 1e6


def cpu_per_file(s):
    return s['cpu'] / s['files'] * 1e6


def daemon_per_file(s):
    return s['daemon_cpu'] / s['files'] * 1e6


def micros_per_file(s):
    return s['seconds'] / s['files'] * 1e6
