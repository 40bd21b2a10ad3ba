# SPDX-License-Identifier: Apache-2.0
"""What a desfs mount counts (MOUNT/.des/stats), and what the kernel does."""
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


def refaults():
    """Pages of files read again so far since the kernel had dropped them."""
    with open('/proc/vmstat', encoding='ascii') as f:
        for line in f:
            name, value = line.split()
            if name == 'workingset_refault_file':
                return int(value)
    return 0
