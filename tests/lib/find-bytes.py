# SPDX-License-Identifier: Apache-2.0
"""find-bytes.py ARCHIVE WORD - the shards in which the bytes of WORD occur, as
they lie or once blocks and pages are decompressed; a key a line."""
import os
import sys

from desread import Archive
from desshard import Shard


class Noted(Shard):
    """Keeps the payload of each page that is read."""

    def page(self, *which):
        cursor, count = super().page(*which)
        self.payloads.append(bytes(cursor.data))
        return cursor, count


def everything(path):
    s = Noted(path)
    s.payloads = []
    yield s.read(0, s.size)
    for _ in s.entries():
        pass
    yield from s.payloads
    for off, stored in s.scan()[0].items():
        _, _, data, _, records = s.block(off, stored)
        yield from (data, records)


def main(root, word):
    word = os.fsencode(word)
    for key in sorted(Archive(root).shards):
        parts = everything(os.path.join(root, key))
        if any(word in bytes(part) for part in parts):
            print(key)


main(*sys.argv[1:])
