#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the trees that the benchmarks pack: the same bytes every time.

    corpus.py NAME DIR [--files N]    make the tree, unless DIR has it already
    corpus.py --digest DIR            one hash over names, types and contents

docs   100,000 files of 0.2 to 20 KiB in dated directories: JSON, text, and
       some that do not compress
small  the same with 5,000 files, for a quick run
big    one file of 512 MiB, mixed in the same way
linux  Debian's linux-source-6.1, unpacked from --tarball
compressed, tiny, million, mean10k: see trees.py
"""
import argparse
import datetime
import hashlib
import math
import os
import random
import shutil
import struct
import subprocess
import sys

sys.dont_write_bytecode = True

import trees

VERSION = 1     # raise it when the bytes change
SEED = 20261121
FILES = {'docs': 100_000, 'small': 5_000, **trees.FILES}
NAMES = ('docs', 'small', 'big', 'linux', *trees.FILES)
TARBALL = '/usr/src/linux-source-6.1.tar.xz'
SMALLEST, LARGEST = 205, 20 * 1024
FILES_PER_DAY = 274
BIG_SIZE = 512 << 20
FIRST_DAY = datetime.date(2024, 1, 1)


class Writer:
    """Words and records from one seeded generator."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        letters = 'etaoinshrdlucmfwypvbgkjqxz'
        weights = [26 - i for i in range(26)]
        words = {''.join(self.rng.choices(letters, weights,
                                          k=self.rng.randint(2, 11)))
                 for _ in range(6000)}
        words = sorted(words)
        self.rng.shuffle(words)
        # Zipf's law as a table, so that two random bytes choose a word.
        self.table = []
        for rank, word in enumerate(words):
            share = 65536 / ((rank + 1) * math.log(len(words)))
            self.table += [word] * max(1, round(share))
        self.table = (self.table * 2)[:65536]
        self.names = words[:400]

    def words(self, n):
        raw = self.rng.randbytes(2 * n)
        return [self.table[i] for i in struct.unpack(f'<{n}H', raw)]

    def sentence(self):
        text = ' '.join(self.words(self.rng.randint(5, 24))).capitalize()
        return text + self.rng.choice(['. ', '. ', '.\n', '? ', ';\n'])

    def text(self, size):
        """Prose that repeats itself, as letters and reports do."""
        rng = self.rng
        stock = [self.sentence() for _ in range(4)]
        out, length = [], 0
        while length < size:
            out.append(rng.choice(stock) if rng.random() < 0.85
                       else self.sentence())
            length += len(out[-1])
        return ''.join(out).encode()[:size]

    def json(self, size):
        """An order with its items, every item much like the last."""
        rng = self.rng
        out = ['{"id": "%016x", "version": 3, "customer": {"number": %d, '
               '"name": "%s %s", "country": "%s"},\n "items": [' %
               (rng.getrandbits(64), rng.randrange(10**8),
                rng.choice(self.names), rng.choice(self.names),
                rng.choice(['DE', 'AT', 'CH', 'FR', 'NL', 'PL', 'SE']))]
        notes = ['', ' '.join(self.words(5)), ' '.join(self.words(7))]
        length = len(out[0])
        comma = ''
        while True:
            item = ('%s\n  {"article": %d, "quantity": %d, "price": %.2f, '
                    '"currency": "EUR", "state": "%s", "note": "%s"}' %
                    (comma, 100000 + rng.randrange(4000),
                     rng.randint(1, 4), rng.randrange(100) + 0.99,
                     rng.choice(['open', 'shipped', 'returned', 'paid']),
                     rng.choice(notes)))
            if length + len(item) + 5 > size:
                break
            out.append(item)
            length += len(item)
            comma = ','
        return (''.join(out) + '\n ]}\n').encode().ljust(SMALLEST, b'\n')

    def noise(self, size):
        return self.rng.randbytes(size)

    def document(self):
        """(suffix, bytes): sizes are log-uniform, as small files are."""
        size = int(math.exp(self.rng.uniform(math.log(SMALLEST),
                                             math.log(LARGEST))))
        kind = self.rng.random()
        if kind < 0.41:
            return 'json', self.json(size)
        if kind < 0.67:
            return 'txt', self.text(size)
        return 'bin', self.noise(size)


def make_docs(path, files):
    writer = Writer(SEED)
    day = None
    for i in range(files):
        date = FIRST_DAY + datetime.timedelta(days=i // FILES_PER_DAY)
        if date != day:
            day = date
            folder = os.path.join(path, date.strftime('%Y/%m/%d'))
            os.makedirs(folder)
            stamp = int(datetime.datetime(
                date.year, date.month, date.day,
                tzinfo=datetime.timezone.utc).timestamp())
        suffix, data = writer.document()
        name = os.path.join(folder, f'doc-{i:07d}.{suffix}')
        with open(name, 'wb') as f:
            f.write(data)
        second = stamp + i % FILES_PER_DAY * 300
        os.utime(name, ns=(second * 10**9, second * 10**9))


def make_big(path):
    writer = Writer(SEED)
    kinds = [writer.json, writer.text, writer.noise, writer.text,
             writer.noise]
    left = BIG_SIZE
    with open(os.path.join(path, 'big.dat'), 'wb') as f:
        while left:
            piece = kinds[writer.rng.randrange(5)](
                writer.rng.randint(16 << 10, 256 << 10))
            f.write(piece[:left])
            left -= min(left, len(piece))


def make_linux(path, tarball):
    if not os.path.exists(tarball):
        raise FileNotFoundError(
            f'{tarball}: install linux-source-6.1 or name it by --tarball')
    subprocess.run(['tar', '-xf', tarball, '-C', path,
                    '--strip-components=1', '--no-same-owner'], check=True)


def make(name, path, files=None, tarball=TARBALL):
    """Leave the corpus in path; a stamp beside it tells what it holds."""
    if files is None:
        files = FILES.get(name, 0)
    stamp = path.rstrip('/') + '.stamp'
    label = f'{name} {files} version {VERSION}\n'
    if name == 'linux' and os.path.exists(tarball):
        label = f'linux {os.stat(tarball).st_size}\n'
    if os.path.exists(stamp):
        with open(stamp, encoding='ascii') as f:
            if f.read() == label and os.path.isdir(path):
                return
        os.unlink(stamp)
        shutil.rmtree(path, ignore_errors=True)
    # Without our stamp it is not ours to remove.
    os.makedirs(path)
    if name == 'big':
        make_big(path)
    elif name == 'linux':
        make_linux(path, tarball)
    elif name in trees.FILES:
        trees.make(name, path, files, Writer(SEED))
    else:
        make_docs(path, files)
    with open(stamp, 'w', encoding='ascii') as f:
        f.write(label)


def digest(path):
    total = hashlib.sha256()
    root = os.fsencode(path)
    for folder, dirs, files in os.walk(root):
        dirs.sort()
        for name in sorted(files + dirs):
            full = os.path.join(folder, name)
            total.update(os.path.relpath(full, root) + b'\0')
            if os.path.islink(full):
                total.update(b'l' + os.readlink(full) + b'\0')
            elif os.path.isdir(full):
                total.update(b'd')
            else:
                with open(full, 'rb') as f:
                    total.update(b'f' + hashlib.sha256(f.read()).digest())
    return total.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('name', choices=NAMES, nargs='?')
    parser.add_argument('dir')
    parser.add_argument('--files', type=int)
    parser.add_argument('--tarball', default=TARBALL)
    parser.add_argument('--digest', action='store_true')
    args = parser.parse_args()
    if args.digest:
        print(digest(args.dir))
        return 0
    if not args.name:
        parser.error('which corpus?')
    try:
        make(args.name, args.dir, args.files, args.tarball)
    except (OSError, subprocess.CalledProcessError) as e:
        print(f'corpus.py: {e}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
