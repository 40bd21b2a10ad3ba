#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""history.py - all versions that an archive has, for shell tests.

	history.py ARCHIVE    a line for each but inferred directories: uid,
	                      created_at, type, mode, owner, mtime, size, what
	                      a directory hides, hash, target, xattrs, links
"""
import sys

import desread
from desshard import IMPLICIT, OPAQUE


def main(root):
    archive = desread.Archive(root)
    lines = set()
    for key in archive.shards:
        s = archive.shard(key)
        for e in s.entries():
            if not desread.is_at_home(e, s) or \
                    e.flags & IMPLICIT and not e.flags & OPAQUE:
                continue
            lines.add(" ".join(map(str, (
                desread.escape(e.uid), e.created, e.type, oct(e.mode), e.owner,
                e.grp, e.mtime, e.ns, e.size,
                e.opaque if e.flags & OPAQUE else "-", e.sha.hex(),
                desread.escape(e.target), e.rdev, e.xattrs.hex(), e.links()))))
    print("\n".join(sorted(lines)))


main(sys.argv[1])
