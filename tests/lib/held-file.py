# SPDX-License-Identifier: Apache-2.0
"""Hold a file of a mount open, mapped and cached while it is deleted.

    held-file.py DELETED KEPT TOUCH

Opens, maps and reads both, makes the file TOUCH, waits until a read of DELETED
fails, and looks: reads by its descriptor, its pages in the kernel's cache, a look
at the mapping, which ends the process that dares; KEPT goes on as before.
"""
import ctypes
import errno
import mmap
import os
import signal
import sys
import time

LIMIT = 60  # seconds until something hangs
libc = ctypes.CDLL(None, use_errno=True)


class Held:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self.fd).st_size
        self.map = mmap.mmap(self.fd, self.size, mmap.MAP_SHARED,
                             mmap.PROT_READ)
        self.bytes = os.pread(self.fd, self.size, 0)
        assert self.map[:] == self.bytes

    def address(self):
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int,
                              ctypes.c_int, ctypes.c_int, ctypes.c_long]
        return libc.mmap(None, self.size, mmap.PROT_READ, mmap.MAP_SHARED,
                         self.fd, 0)

    def resident(self):
        """Pages of the file in the kernel's cache."""
        n = -(-self.size // mmap.PAGESIZE)
        seen = ctypes.create_string_buffer(n)
        libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t,
                                 ctypes.c_char_p]
        if libc.mincore(self.address(), self.size, seen):
            raise OSError(ctypes.get_errno(), "mincore")
        return sum(b & 1 for b in seen.raw[:n])

    def error(self):
        try:
            os.pread(self.fd, self.size, 0)
        except OSError as e:
            return e.errno
        return 0

    def dare(self):
        """How a process ends that looks at the mapping."""
        child = os.fork()
        if not child:
            signal.alarm(LIMIT)
            ctypes.string_at(self.address(), self.size)
            os._exit(0)
        return os.WTERMSIG(os.waitpid(child, 0)[1])


def main(deleted, kept, touch):
    gone, stays = Held(deleted), Held(kept)
    assert gone.resident() and stays.resident()
    assert gone.dare() == 0
    open(touch, "w").close()
    end = time.monotonic() + LIMIT
    while not gone.error() and time.monotonic() < end:
        time.sleep(0.02)
    assert gone.error() == errno.ESTALE, gone.error()
    # The reads fail first, then the kernel is told.
    while gone.resident() and time.monotonic() < end:
        time.sleep(0.02)
    assert gone.resident() == 0, gone.resident()
    assert gone.dare() == signal.SIGBUS
    assert gone.error() == errno.ESTALE
    assert gone.resident() == 0
    assert not os.path.exists(deleted)
    assert stays.map[:] == stays.bytes
    assert os.pread(stays.fd, stays.size, 0) == stays.bytes
    assert stays.dare() == 0


if __name__ == "__main__":
    main(*sys.argv[1:])
