# SPDX-License-Identifier: Apache-2.0
"""The trees that only packing is measured with: the same bytes every time.

compressed  2,500 files of 20 to 400 KiB of what is compressed already: noise
            in the shape of JPEG and PNG, texts in zip, gzip, xz and zstd
tiny        200,000 files of 1 KiB, 1,000 a directory
million     1,000,000 files of about 100 bytes, 1,000 a directory
mean10k     20,000 files of noise, 205 bytes to 57 KiB, 10 KiB on average: what
            an archive of them takes more than they do is metadata

The folders of the large ones are made by several processes, each folder from a
generator of its own.  The bytes of gzip, xz and zstd are those of the machine's
libraries: another version of one of them may make other bytes.
"""
import io
import lzma
import math
import multiprocessing
import os
import random
import struct
import subprocess
import zipfile
import zlib

SEED = 20261121
STAMP = 1_700_000_000
FILES = {'compressed': 2_500, 'tiny': 200_000, 'million': 1_000_000,
         'mean10k': 20_000}
PER_DIR = {'tiny': 1_000, 'million': 1_000, 'mean10k': 250}
TINY = 1024
MEAN_SMALLEST, MEAN_LARGEST = 205, 58_000
SMALLEST, LARGEST = 20 << 10, 400 << 10
WORDS_PER_BYTE = 1 / 5
TEXT_POOL = 8 << 20
CAMERA_DAYS = 40


def log_uniform(rng, low, high):
    return int(math.exp(rng.uniform(math.log(low), math.log(high))))


def write(path, data, second):
    with open(path, 'wb', buffering=0) as f:
        f.write(data)
        os.utime(f.fileno(), (second, second))


# ---- already compressed

def jpeg(rng, size):
    """Markers and tables as a camera writes them, then entropy-coded noise."""
    head = (b'\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x01\x00\x48\x00\x48'
            b'\x00\x00\xff\xdb\x00\x43\x00' + bytes(range(1, 65)) +
            b'\xff\xc0\x00\x11\x08\x04\x38\x07\x80\x03\x01\x22\x00\x02\x11'
            b'\x01\x03\x11\x01\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11'
            b'\x00\x3f\x00')
    scan = rng.randbytes(size).replace(b'\xff', b'\xff\x00')
    return head + scan[:size - len(head) - 2] + b'\xff\xd9'


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + \
        struct.pack('>I', zlib.crc32(kind + data))


def png(rng, size):
    body = [chunk(b'IDAT', rng.randbytes(min(8192, left)))
            for left in range(size, 0, -8192)]
    return b'\x89PNG\r\n\x1a\n' + \
        chunk(b'IHDR', struct.pack('>IIBBBBB', 1920, 1080, 8, 2, 0, 0, 0)) + \
        b''.join(body) + chunk(b'IEND', b'')


def gzip(text):
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(text) + packer.flush()


def xz(text):
    return lzma.compress(text, preset=0)


def zstd(text):
    return subprocess.run(['zstd', '-3', '-q', '-c'], input=text,
                          stdout=subprocess.PIPE, check=True).stdout


def zipped(text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as archive:
        for i in range(8):
            part = text[len(text) * i // 8:len(text) * (i + 1) // 8]
            info = zipfile.ZipInfo(f'part-{i}.txt', (2024, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            archive.writestr(info, part)
    return out.getvalue()


# (share, suffix, of noise or else of text)
KINDS = ((0.40, 'jpg', jpeg, None), (0.15, 'png', png, None),
         (0.15, 'zip', None, zipped), (0.10, 'gz', None, gzip),
         (0.10, 'xz', None, xz), (0.10, 'zst', None, zstd))


def choose(rng):
    left = rng.random()
    for kind in KINDS:
        left -= kind[0]
        if left < 0:
            return kind
    return KINDS[-1]


def text_of(rng, pool, packed):
    """About so much text that it takes so many bytes when compressed."""
    pieces, left = [], int(packed * 2.6)
    while left > 0:
        start = rng.randrange(len(pool) - 1)
        piece = pool[start:start + rng.randint(64, 4096)][:left]
        pieces.append(piece)
        left -= len(piece)
    return b''.join(pieces)


def make_compressed(path, files, writer):
    """writer makes words, see corpus.py."""
    rng = random.Random(SEED)
    pool = ' '.join(writer.words(int(TEXT_POOL * WORDS_PER_BYTE))).encode()
    for i in range(files):
        folder = os.path.join(path, f'{i * CAMERA_DAYS // files:03}')
        os.makedirs(folder, exist_ok=True)
        _, suffix, of_noise, of_text = choose(rng)
        size = log_uniform(rng, SMALLEST, LARGEST)
        data = of_noise(rng, size) if of_noise else \
            of_text(text_of(rng, pool, size))
        write(os.path.join(folder, f'file-{i:05}.{suffix}'), data, STAMP + i)


# ---- many small ones

def tiny(rng, number):
    head = b'{"number": %09d, "state": "archived", "text": "' % number
    # Hexadecimal digits: half as many bytes when compressed.
    return head + rng.randbytes(TINY).hex().encode()[:TINY - len(head) - 3] + \
        b'"}\n'


def one_of_million(rng, number):
    return b'{"number": %09d, "state": "%s", "owner": "somebody", ' \
        b'"token": "%016x", "version": 3}\n' % (
            number, rng.choice((b'archived', b'new')), rng.getrandbits(64))


def noise(rng, _):
    return rng.randbytes(log_uniform(rng, MEAN_SMALLEST, MEAN_LARGEST))


MAKERS = {'tiny': tiny, 'million': one_of_million, 'mean10k': noise}


def make_folder(task):
    name, path, folder, files = task
    rng = random.Random(SEED * 1000 + folder)
    here = os.path.join(path, f'{folder // 100:03}', f'{folder:05}')
    os.makedirs(here)
    first = folder * PER_DIR[name]
    for number in range(first, min(first + PER_DIR[name], files)):
        write(os.path.join(here, f'record-{number:08}.json'),
              MAKERS[name](rng, number), STAMP + number % 86400)


def make_many(name, path, files):
    folders = -(-files // PER_DIR[name])
    for top in range(-(-folders // 100)):
        os.makedirs(os.path.join(path, f'{top:03}'))
    tasks = [(name, path, folder, files) for folder in range(folders)]
    with multiprocessing.Pool() as pool:
        for _ in pool.imap_unordered(make_folder, tasks, 8):
            pass


def make(name, path, files, writer):
    if name == 'compressed':
        make_compressed(path, files, writer)
    else:
        make_many(name, path, files)
