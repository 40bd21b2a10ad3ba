# SPDX-License-Identifier: Apache-2.0
"""What is compared: the packers and the readers, one row each.

In a command {src} is the corpus, {tar} a tar of it, {out} the archive to be
made, {image} the archive to be read, {mnt} the mount point, {jobs} the number
of cores, {cpu} one of them and {cpus} two; {desfs_pack} and {mount_desfs} are
the programs under test.  A command without shell syntax is run without a shell.
"""
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass

# The rows of the program under test that goals speak of.
DESFS = 'desfs'
SMALL_LEVEL = 9         # the level of our choice
SMALL = 'desfs --profile small'
SMALLEST = f'{SMALL} --level {SMALL_LEVEL}'
FAST = 'desfs --profile fast'
PROFILES = '--profile=default|small|fast'   # as --help has it
NONE = 'desfs --codec none'
ZSTD_5 = 'desfs --level 5'
MANY_SLOTS = 'desfs --n-bits 16'
ONE_CORE, TWO_CORES = 'desfs on 1 core', 'desfs on 2 cores'

# And those of the peers that only packing has.
TAR = 'tar'
ZSTD_1, ZSTD_2 = 'zstd -3 -T1', 'zstd -3 -T2'
ZSTD_PINNED = 'zstd -3 -T1 on 1 core'

# What a corpus is for: data to be compressed, or names to be handled.
DATA = ('docs', 'linux', 'big', 'compressed', 'small')
MANY = ('docs', 'linux', 'small')


@dataclass(frozen=True)
class Packer:
    name: str
    command: str
    needs: tuple            # programs
    corpora: tuple = DATA
    option: str = ''        # without it in desfs-pack --help it is absent
    slow: bool = False      # runs --slow-runs times only
    once: bool = False      # nothing is judged by its time
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


def desfs_row(name, options='', before='', **more):
    return Packer(name, f'{before}{{desfs_pack}} {options}{{src}} {{out}}',
                  ('desfs-pack',) + (('taskset',) if before else ()), **more)


def mksquashfs(name, options='', **more):
    return Packer(name, f'mksquashfs {{src}} {{out}} -comp zstd {options}'
                  '-processors {jobs} -noappend -no-progress -quiet',
                  ('mksquashfs',), **more)


def zstd(name, threads, before=''):
    return Packer(name, f'{before}zstd -3 -T{threads} -q -f {{tar}} -o {{out}}',
                  ('tar', 'zstd') + (('taskset',) if before else ()))


PACKERS = (
    desfs_row(DESFS, corpora=DATA + ('tiny', 'mean10k', 'million')),
    desfs_row(SMALL, '--profile small ', option=PROFILES),
    desfs_row(SMALLEST, f'--profile small --level {SMALL_LEVEL} ',
              option=PROFILES, slow=True),
    desfs_row(FAST, '--profile fast ', option=PROFILES),
    desfs_row(NONE, '--codec none ', corpora=DATA + ('tiny', 'mean10k')),
    desfs_row(ZSTD_5, '--level 5 ', corpora=('linux', 'small')),
    desfs_row(MANY_SLOTS, '--n-bits 16 ', corpora=('million', 'small'),
              once=True),
    desfs_row(ONE_CORE, '--jobs 1 ', 'taskset -c {cpu} '),
    desfs_row(TWO_CORES, '--jobs 2 ', 'taskset -c {cpus} '),
    # Not of tiny: among files of one size its search for equal ones takes
    # the square of their number.
    mksquashfs('mksquashfs zstd 3', '-Xcompression-level 3 ', baseline=True),
    mksquashfs('mksquashfs zstd 15', slow=True),
    Packer('mkfs.erofs lz4hc', 'mkfs.erofs -zlz4hc {out} {src}',
           ('mkfs.erofs',), corpora=MANY, once=True),
    Packer('mkdwarfs -l4',
           'mkdwarfs -i {src} -o {out} -l4 -N {jobs} --no-progress',
           ('mkdwarfs',), slow=True),
    Packer('zip', 'cd {src} && exec zip -qry - . >{out}', ('zip',),
           corpora=MANY, once=True),
    Packer('tar | zstd -3 -T0',
           'tar -C {src} -cf - . | zstd -3 -T0 -q -f -o {out}',
           ('tar', 'zstd')),
    # Into a file: tar reads nothing when its output is /dev/null.
    Packer(TAR, 'tar -C {src} -cf {out} .', ('tar',),
           corpora=DATA + ('tiny', 'mean10k')),
    zstd(ZSTD_1, 1),
    zstd(ZSTD_PINNED, 1, 'taskset -c {cpu} '),
    zstd(ZSTD_2, 2),
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

# Whose archives are read.
READ_PACKERS = tuple(p for p in PACKERS
                     if p.name in {r.packer for r in READERS})


def packers_of(corpus):
    return [p for p in PACKERS if corpus in p.corpora]


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


def lacks(option, desfs):
    """Why the option cannot be given to desfs-pack, or None."""
    if not option:
        return None
    got = subprocess.run([desfs['desfs-pack'], '--help'], check=False,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True)
    return None if option in got.stdout else \
        f'desfs-pack has no {option.partition("=")[0]}'


def missing(row, desfs):
    """The first program that cannot be run, or the option, or None."""
    for name in row.needs:
        if name in desfs:
            if not desfs[name]:
                return f'{name} is not built'
        elif not shutil.which(name):
            return f'{name} not on PATH'
    return lacks(getattr(row, 'option', ''), desfs)


def build(command, programs, **values):
    """The argument vector of a command."""
    for name, path in programs.items():
        values[name.replace('-', '_').replace('.', '_')] = path
    quoted = command.format(**{k: shlex.quote(str(v))
                               for k, v in values.items()})
    if '|' in command or '>' in command:
        return ['sh', '-c', quoted]
    return shlex.split(quoted)
