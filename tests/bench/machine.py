# SPDX-License-Identifier: Apache-2.0
"""What a run is made with: the commit, the machine, versions."""
import os
import platform
import subprocess

import measure

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PACKAGES = ('squashfs-tools', 'squashfuse', 'erofs-utils', 'erofsfuse',
            'dwarfs', 'zstd', 'libzstd1', 'tar', 'findutils', 'coreutils')


def first_line(argv):
    try:
        got = subprocess.run(argv, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True,
                             timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (got.stdout.strip().splitlines() or [''])[0]


def commit():
    """The commit, marked when what was measured differs from it."""
    name = first_line(['git', '-C', TOP, 'rev-parse', '--short=12', 'HEAD'])
    changed = first_line(['git', '-C', TOP, 'status', '--porcelain', '-uno',
                          '--', '.', ':!docs/benchmarks*.md'])
    if not name or ' ' in name:
        return 'unknown'
    return name + (' with changes' if changed else '')


def debian_version(package):
    got = first_line(['dpkg-query', '-W', '-f', '${Version}', package])
    return None if not got or 'no packages' in got else got


def facts(bench):
    with open('/proc/meminfo', encoding='ascii') as f:
        memory = int(f.readline().split()[1]) // (1 << 20)
    try:
        system = platform.freedesktop_os_release()['PRETTY_NAME']
    except OSError:
        system = platform.system()
    return {
        'cores': bench.jobs,
        'memory_gib': memory,
        'machine': platform.machine(),
        'kernel': '.'.join(platform.release().split('.')[:2]),
        'system': system,
        'filesystem': first_line(['findmnt', '-n', '-o', 'FSTYPE', '-T',
                                  bench.work]) or 'unknown',
        'load': [round(x, 2) for x in os.getloadavg()],
        'root': measure.can_drop_caches(),
        'desfs': first_line([bench.desfs['desfs'], 'version'])
                 if bench.desfs['desfs'] else None,
        'versions': {p: debian_version(p) for p in PACKAGES},
    }
