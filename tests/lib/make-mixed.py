#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tree of texts and noise in any order: make-mixed.py DIR COUNT SEED

Small files of both kinds, empty ones, symbolic links, directories, large files
of either kind or both, sparse ones, hard links between far names, and runs of
one kind with few of the other between them; copies of old files, too.
"""
import os
import random
import shutil
import sys

WORDS = [b'archive ', b'block, ', b'of\n', b'the ', b'files ', b'are ']


def text(rng, size):
    out = b''.join(rng.choices(WORDS, k=size // 4 + 1))
    return out[:size]


def content(rng, kind, size):
    if kind == 'text':
        return text(rng, size)
    if kind == 'noise':
        return rng.randbytes(size)
    half = size // 2
    return text(rng, half) + rng.randbytes(size - half)


def one(rng, path, kinds, old):
    roll = rng.random()
    kind = rng.choice(kinds)
    if roll < 0.03:
        open(path, 'wb').close()
    elif roll < 0.06:
        os.symlink('nowhere', path)
    elif roll < 0.09:
        os.mkdir(path)
    elif roll < 0.13 and old:
        os.link(rng.choice(old[-rng.choice([20, 300, 9999]):]), path)
    elif roll < 0.17 and old:
        shutil.copyfile(rng.choice(old[-rng.choice([20, 300, 9999]):]), path)
        old.append(path)
    elif roll < 0.19:
        with open(path, 'wb') as f:
            f.truncate(rng.randrange(1, 600000))
            f.seek(rng.randrange(300000))
            f.write(content(rng, kind, rng.randrange(1, 30000)))
    else:
        large = roll > 0.97
        size = rng.choice([65536, 131072, 196608, 300000, 700001]) if large \
            else int(2 ** rng.uniform(0, 14))
        with open(path, 'wb') as f:
            f.write(content(rng, kind if not large else
                            rng.choice(['text', 'noise', 'half']), size))
        old.append(path)


def main():
    top, count, rng = sys.argv[1], int(sys.argv[2]), random.Random(int(sys.argv[3]))
    old = []
    mixes = [['text', 'noise'], ['text'], ['noise'], ['text'] * 50 + ['noise'],
             ['noise'] * 50 + ['text'], ['half', 'noise', 'text']]
    for i in range(count):
        if i % 500 == 0:
            kinds = mixes[i // 500 % len(mixes)]
            where = f'{top}/{i // 500:02}'
            os.makedirs(where)
        one(rng, f'{where}/{i:06}', kinds, old)


main()
