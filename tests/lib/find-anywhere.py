#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""find-anywhere.py WORDS PATH... - where the words (of the file WORDS, one a
line) occur: in any file below the paths, as its bytes lie or in any zstd or
lz4 frame that begins anywhere in them.

So shards, caches, databases with their logs, unfinished uploads and versions
are searched alike, whatever their format.  A line for each place: path, "raw"
or the codec with the offset of its frame, word; exit status 1 if there is any.
What is not there any more when its turn comes is passed over."""
import mmap
import os
import re
import sys

import lz4.frame
import zstandard

MOST = 32 << 20  # stored bytes of a frame; plain ones of lz4
MAGIC = re.compile(rb"\x28\xb5\x2f\xfd|\x04\x22\x4d\x18")


def plain(data, at):
    """The bytes of the frame at that offset, or as many as are right."""
    window = data[at:at + MOST]
    try:
        if window[0] == 0x28:
            d = zstandard.ZstdDecompressor(max_window_size=1 << 31)
            return "zstd", d.decompressobj().decompress(window)
        return "lz4", lz4.frame.LZ4FrameDecompressor().decompress(window, MOST)
    except (zstandard.ZstdError, RuntimeError, EOFError, MemoryError):
        return None, b""


def places(data, words):
    for m in words.finditer(data):
        yield "raw", m.group()
    # Without a copy for each.
    with memoryview(data) as view:
        for at in [m.start() for m in MAGIC.finditer(data)]:
            codec, text = plain(view, at)
            for w in words.finditer(text):
                yield f"{codec}:{at}", w.group()


def search(path, words):
    found = 0
    try:
        with open(path, "rb") as f:
            size = os.fstat(f.fileno()).st_size
            if not size:
                return 0
            with mmap.mmap(f.fileno(), size, access=mmap.ACCESS_READ) as m:
                for where, word in places(m, words):
                    print(path, where, os.fsdecode(word))
                    found += 1
    except (FileNotFoundError, IsADirectoryError):
        pass
    return found


def files(path):
    if not os.path.isdir(path):
        yield path
    for top, _, names in os.walk(path):
        for name in names:
            full = os.path.join(top, name)
            if os.path.isfile(full) and not os.path.islink(full):
                yield full


def main(list_of_words, *paths):
    with open(list_of_words, "rb") as f:
        all_words = [w for w in f.read().split(b"\n") if w]
    if not all_words:
        sys.exit("find-anywhere.py: no words")
    words = re.compile(b"|".join(re.escape(w) for w in all_words))
    n = sum(search(f, words) for p in paths for f in files(p))
    sys.exit(1 if n else 0)


main(*sys.argv[1:])
