# SPDX-License-Identifier: Apache-2.0
"""Run programs and mounts with limits, and say what they cost."""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

TICK = os.sysconf('SC_CLK_TCK')
DROP_CACHES = '/proc/sys/vm/drop_caches'


class Failed(Exception):
    """A row that could not be measured; the text goes into the table."""


class Outcome:
    """What a program cost: seconds, cpu (user + sys), rss in bytes."""

    def __init__(self, seconds, usage, output):
        self.seconds = seconds
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss = usage.ru_maxrss * 1024
        self.output = output


def now():
    return time.monotonic()


def kill_group(pid):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def last_line(file):
    file.seek(0)
    lines = file.read().decode(errors='replace').strip().splitlines()
    return lines[-1].strip()[:200] if lines else 'it said nothing'


def run(argv, timeout, capture=False, on_timeout=None):
    """Run to the end or kill at the limit.

    on_timeout is called too: a reader that waits for a FUSE daemon does not
    die before the daemon does.
    """
    late = threading.Event()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        proc = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL,
            stdout=out if capture else subprocess.DEVNULL, stderr=err,
            start_new_session=True)

        def expire():
            late.set()
            kill_group(proc.pid)
            if on_timeout:
                on_timeout()

        timer = threading.Timer(timeout, expire)
        timer.start()
        try:
            _, status, usage = os.wait4(proc.pid, 0)
        except BaseException:
            kill_group(proc.pid)
            raise
        finally:
            timer.cancel()
        seconds = time.monotonic() - start
        proc.returncode = os.waitstatus_to_exitcode(status)
        if late.is_set():
            raise Failed(f'{os.path.basename(argv[0])}: no end after '
                         f'{timeout:.0f} s')
        if proc.returncode:
            raise Failed(f'{os.path.basename(argv[0])}: status '
                         f'{proc.returncode}: {last_line(err)}')
        out.seek(0)
        return Outcome(seconds, usage, out.read())


def sync(path):
    subprocess.run(['sync', '-f', path], check=True)


def can_drop_caches():
    return os.access(DROP_CACHES, os.W_OK)


def drop_caches(programs):
    """Empty the kernel's caches, but keep the programs themselves warm."""
    if can_drop_caches():
        os.sync()
        with open(DROP_CACHES, 'w', encoding='ascii') as f:
            f.write('3')
    for program in programs:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run([program, '--help'], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False, timeout=10)


def tree_bytes(path):
    """Bytes in a file, or in all files of a directory."""
    if not os.path.isdir(path):
        return os.stat(path).st_size
    return sum(os.lstat(os.path.join(folder, name)).st_size
               for folder, _, files in os.walk(path) for name in files)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def is_mounted(path):
    wanted = os.path.realpath(path)
    with open('/proc/self/mountinfo', encoding='utf-8',
              errors='surrogateescape') as f:
        return any(line.split(' ', 5)[4] == wanted for line in f)


def descendants(pid):
    """The process and everything it has started."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f'/proc/{one}/task'):
                with open(f'/proc/{one}/task/{task}/children',
                          encoding='ascii') as f:
                    found += [int(child) for child in f.read().split()]
    return found


class Mount:
    """One mounted archive; use as a context manager.

    Without a command it is a directory that is there already.
    """

    def __init__(self, argv, path, kernel=False, limit=30):
        self.argv = argv
        self.path = path
        self.kernel = kernel
        self.limit = limit
        self.proc = None
        self.log = None
        self.peak = 0

    def __enter__(self):
        if self.argv:
            try:
                self.start()
            except BaseException:
                self.stop()
                raise
        return self

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        os.makedirs(self.path, exist_ok=True)
        if self.kernel:
            run(self.argv, self.limit)
            return
        self.log = tempfile.TemporaryFile()
        self.proc = subprocess.Popen(
            self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self.log, start_new_session=True)
        end = time.monotonic() + self.limit
        while not is_mounted(self.path):
            if self.proc.poll() is not None:
                raise Failed(f'{os.path.basename(self.argv[0])}: '
                             f'{last_line(self.log)}')
            if time.monotonic() > end:
                raise Failed(f'not mounted after {self.limit} s')
            time.sleep(0.0002)

    def kill(self):
        """The kernel then ends what waits for the daemon."""
        if self.proc and self.proc.poll() is None:
            kill_group(self.proc.pid)

    def cpu(self):
        """User and system seconds of the daemon so far."""
        ticks = 0
        if self.proc:
            for pid in descendants(self.proc.pid):
                with contextlib.suppress(OSError):
                    with open(f'/proc/{pid}/stat', encoding='utf-8',
                              errors='replace') as f:
                        fields = f.read().rpartition(')')[2].split()
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / TICK

    def note_peak(self):
        self.peak = max(self.peak, self.memory('VmHWM:'))
        return self.peak

    def rss(self):
        """Bytes of memory the daemon has now."""
        return self.memory('VmRSS:')

    def memory(self, field):
        total = 0
        if self.proc:
            for pid in descendants(self.proc.pid):
                with contextlib.suppress(OSError):
                    with open(f'/proc/{pid}/status', encoding='utf-8',
                              errors='replace') as f:
                        total += sum(int(line.split()[1]) * 1024
                                     for line in f
                                     if line.startswith(field))
        return total

    def measure(self, argv, timeout, capture=False):
        """Run a client; the daemon's CPU comes as outcome.daemon_cpu."""
        before = self.cpu()
        outcome = run(argv, timeout, capture, self.kill)
        outcome.daemon_cpu = self.cpu() - before
        self.note_peak()
        if self.proc and self.proc.poll() is not None:
            raise Failed(f'{os.path.basename(self.argv[0])} ended: '
                         f'{last_line(self.log)}')
        return outcome

    def stop(self):
        if not self.argv:
            return
        if is_mounted(self.path):
            with contextlib.suppress(Failed):
                run(unmount_command(self.path), 20, on_timeout=self.kill)
        if self.proc:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.proc.wait(10)
            self.kill()
            self.proc.wait()
        if is_mounted(self.path):
            with contextlib.suppress(Failed):
                run(unmount_command(self.path, lazy=True), 20)
        if self.log:
            self.log.close()
            self.log = None


def unmount_command(path, lazy=False):
    if os.geteuid() == 0:
        return ['umount', '-l', path] if lazy else ['umount', path]
    helper = shutil.which('fusermount3') or 'fusermount'
    return [helper, '-u', '-z', path] if lazy else [helper, '-u', path]
