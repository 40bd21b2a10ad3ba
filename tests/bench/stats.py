# SPDX-License-Identifier: Apache-2.0
"""What a desfs mount counts about itself: MOUNT/.des/stats."""
import os


def read(mount_point):
    """{name: number}; the messages this takes are counted apart."""
    with open(os.path.join(mount_point, '.des', 'stats'),
              encoding='ascii') as f:
        pairs = (line.split() for line in f)
        return {p[0]: int(p[1]) for p in pairs
                if len(p) == 2 and p[1].isdigit()}


def messages(before, after):
    """FUSE messages by kind, and all of them as 'messages'."""
    kind = 'fuse_'
    found = {name[len(kind):]: number - before.get(name, 0)
             for name, number in after.items() if name.startswith(kind)}
    return {name: n for name, n in found.items() if n or name == 'messages'}
