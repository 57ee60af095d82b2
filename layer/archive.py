"""Tar and gzip, each byte of which is decided here: how Python's tarfile fills fields that mean nothing, and what zlib
makes of its input, differs between their versions. Everything is root's and of one date."""

import zlib

EARLIEST = 315532800  # 1980-01-01, as in the zips
BLOCK = 65535  # bytes, the most that a stored block has


def tar(entries):
    """entries: (name, mode, bytes), or None instead of bytes for a folder. POSIX.1-1988, "ustar". Returns bytes."""
    return b"".join(tar_entry(*entry) for entry in entries) + bytes(1024)


def tar_entry(name, mode, data):
    if len(name) > 100:
        raise ValueError(f"{name}: longer than a header's field")
    kind, data = (b"5", b"") if data is None else (b"0", data)
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, 0, 0, len(data), EARLIEST)
    before = name.encode("ascii").ljust(100, b"\0") + numbers
    after = kind + bytes(100) + b"ustar\0" + b"00" + bytes(64) + b"0000000\0" * 2
    checksum = b"%06o\0 " % (sum(before) + 8 * ord(" ") + sum(after))
    return (before + checksum + after).ljust(512, b"\0") + data + bytes(-len(data) % 512)


def stored_gzip(data):
    """A gzip member (RFC 1952) that compresses nothing: stored blocks (RFC 1951, 3.2.4). Returns bytes."""
    out = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff"]
    for at in range(0, len(data), BLOCK):
        block = data[at : at + BLOCK]
        last = at + BLOCK >= len(data)
        out += [bytes([last]), little(len(block), 2), little(len(block) ^ 0xFFFF, 2), block]
    return b"".join([*out, little(zlib.crc32(data), 4), little(len(data), 4)])


def little(number, size):
    return number.to_bytes(size, "little")
