# SPDX-License-Identifier: Apache-2.0
"""What is compared: the packers and the readers, one row each.

In a command {src} is the corpus, {out} the archive to be made, {image} the
archive to be read, {mnt} the mount point and {jobs} the number of cores;
{desfs_pack} and {mount_desfs} are the programs under test.  A command without
shell syntax is run without a shell.
"""
import os
import shlex
import shutil
from dataclasses import dataclass

DESFS = 'desfs'         # the row of the program under test


@dataclass(frozen=True)
class Packer:
    name: str
    command: str
    needs: tuple            # programs
    slow: bool = False      # runs --slow-runs times only
    baseline: bool = False  # what the others are compared with


@dataclass(frozen=True)
class Reader:
    name: str
    packer: str             # which packer's archive it reads; '' = the source
    command: str            # stays in the foreground, unless it is mount(8)
    needs: tuple
    kernel: bool = False    # no daemon; needs root
    slow: bool = False      # runs --slow-runs times only
    baseline: bool = False


PACKERS = (
    Packer(DESFS, '{desfs_pack} {src} {out}', ('desfs-pack',)),
    Packer('mksquashfs zstd 3',
           'mksquashfs {src} {out} -comp zstd -Xcompression-level 3 '
           '-processors {jobs} -noappend -no-progress -quiet',
           ('mksquashfs',), baseline=True),
    Packer('mksquashfs zstd 15',
           'mksquashfs {src} {out} -comp zstd -processors {jobs} '
           '-noappend -no-progress -quiet',
           ('mksquashfs',), slow=True),
    Packer('mkfs.erofs lz4hc', 'mkfs.erofs -zlz4hc {out} {src}',
           ('mkfs.erofs',), slow=True),
    Packer('mkdwarfs -l4',
           'mkdwarfs -i {src} -o {out} -l4 -N {jobs} --no-progress',
           ('mkdwarfs',), slow=True),
    Packer('zip', 'cd {src} && exec zip -qry - . >{out}', ('zip',), slow=True),
    Packer('tar | zstd -3 -T0',
           'tar -C {src} -cf - . | zstd -3 -T0 -q -f -o {out}',
           ('tar', 'zstd')),
)

READERS = (
    Reader(DESFS, DESFS,
           '{mount_desfs} -f {image} {mnt} -o xattr=off',
           ('mount.desfs',)),
    Reader('squashfuse_ll', 'mksquashfs zstd 3',
           'squashfuse_ll -f {image} {mnt}', ('squashfuse_ll',),
           baseline=True),
    Reader('erofsfuse', 'mkfs.erofs lz4hc', 'erofsfuse -f {image} {mnt}',
           ('erofsfuse',)),
    Reader('dwarfs', 'mkdwarfs -l4', 'dwarfs -f {image} {mnt}', ('dwarfs',)),
    Reader('mount-zip', 'zip', 'mount-zip -f {image} {mnt}',
           ('mount-zip',), slow=True),
    Reader('fuse-zip', 'zip', 'fuse-zip -r -f {image} {mnt}',
           ('fuse-zip',), slow=True),
    Reader('k-squashfs', 'mksquashfs zstd 3',
           'mount -t squashfs -o loop,ro {image} {mnt}', ('mount',),
           kernel=True),
    Reader('source', '', '', ()),
)


def rotate(rows, by):
    """Another row begins each time."""
    by %= max(1, len(rows))
    return rows[by:] + rows[:by]


def find_desfs(top):
    """Our programs: from the environment, the build tree, or PATH."""
    found = {}
    for name, variable in (('desfs-pack', 'DESFS_PACK'),
                           ('mount.desfs', 'MOUNT_DESFS'),
                           ('desfs', 'DESFS'),
                           ('gen-archive', 'GEN_ARCHIVE')):
        given = os.environ.get(variable)
        built = os.path.join(top, 'tests/bench' if name == 'gen-archive'
                             else '', name)
        if given:
            # Found by the shell's rule, so that a bare name works too.
            found[name] = shutil.which(given)
        elif os.access(built, os.X_OK) and os.path.isfile(built):
            found[name] = built
        else:
            found[name] = shutil.which(name)
        if found[name]:
            found[name] = os.path.abspath(found[name])
    return found


def missing(needs, desfs):
    """The first program that cannot be run, or None."""
    for name in needs:
        if name in desfs:
            if not desfs[name]:
                return f'{name} is not built'
        elif not shutil.which(name):
            return f'{name} not on PATH'
    return None


def build(command, desfs, **values):
    """The argument vector of a command."""
    for name, path in desfs.items():
        values[name.replace('-', '_').replace('.', '_')] = path
    quoted = command.format(**{k: shlex.quote(str(v))
                               for k, v in values.items()})
    if '|' in command or '>' in command:
        return ['sh', '-c', quoted]
    return shlex.split(quoted)
