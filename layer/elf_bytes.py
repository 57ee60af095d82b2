"""Where in a shipped binary a byte is. What ships has no list of sections (vendor/pack_relocations.c cuts it off), but its
unstripped twin, which the build leaves beside it, has one, and the sections lie where they lay.

Source: System V ABI, chapters 4 and 5; 64 bits, little-endian.
"""

import struct
from bisect import bisect_right
from operator import eq

from zip_bytes import count

HEADER_SIZE = 64
SECTION_FORM, SYMBOL_FORM = "<IIQQQQIIQQ", "<IBBHQQ"
SYMBOL_SIZE = struct.calcsize(SYMBOL_FORM)
NOBITS, SYMTAB, ALLOCATED = 8, 2, 2
CPUS = {62: "x86_64", 183: "arm64"}
MOSTLY = 0.5
RELOCATIONS = {".rela.dyn": ".rela.dyn (the packed relocations)"}


def cpu_of(data):
    """x86_64, arm64; or None when it is neither, or no ELF file."""
    if data[:6] != b"\x7fELF\2\1" or len(data) < HEADER_SIZE:
        return None
    return CPUS.get(struct.unpack_from("<H", data, 18)[0])


def likeness(theirs, ours):
    """How many of the bytes are the same, in the same place: from 0 to 1."""
    return sum(map(eq, theirs, ours)) / max(len(theirs), len(ours), 1)


def mostly(theirs, ours):
    return likeness(theirs, ours) > MOSTLY


def text_at(table, at):
    return table[at : table.index(b"\0", at)].decode("utf-8", "replace")


class Section:
    def __init__(self, values):
        self.name, self.type, self.flags, self.address, self.offset, self.size, self.link = values[:7]

    def of(self, data):
        return data[self.offset : self.offset + self.size]


def sections(twin):
    begin = struct.unpack_from("<Q", twin, 40)[0]
    size, number, names = struct.unpack_from("<3H", twin, 58)
    found = [Section(struct.unpack_from(SECTION_FORM, twin, begin + size * i)) for i in range(number)]
    table = found[names].of(twin)
    for section in found:
        section.name = text_at(table, section.name)
    return found


class Map:
    """ours: what ships; twin: the same before it was stripped."""

    def __init__(self, ours, twin):
        every = sections(twin)
        size, number = struct.unpack_from("<2H", ours, 54)
        self.parts = [(0, HEADER_SIZE, "ELF header", None), (HEADER_SIZE, HEADER_SIZE + size * number, "program headers", None)]
        for one in every:
            if one.flags & ALLOCATED and one.type != NOBITS and one.size:
                self.parts.append((one.offset, one.offset + one.size, RELOCATIONS.get(one.name, one.name), one))
        code = next(one for one in every if one.name == ".text")
        if code.of(twin) != code.of(ours):
            raise ValueError("the unstripped twin is not this binary's")
        self.parts = self.with_gaps(sorted(self.parts, key=lambda part: part[0]), len(ours))
        self.read_symbols(every, twin)

    @staticmethod
    def with_gaps(parts, length):
        """What lies between sections is nobody's, but it is there."""
        out, at, before = [], 0, "the beginning"
        for part in [*parts, (length, length, "the end", None)]:
            if part[0] > at:
                out.append((at, part[0], f"the gap between {before} and {part[2]}", None))
            if part[1] > part[0]:
                out.append(part)
            at, before = part[1], part[2]
        return out

    def read_symbols(self, every, twin):
        table = next(one for one in every if one.type == SYMTAB)
        names = every[table.link].of(twin)
        self.symbols = []
        for name, info, _, section, address, size in struct.iter_unpack(SYMBOL_FORM, table.of(twin)):
            if size and section < len(every) and info & 15 in (1, 2):  # data, functions
                self.symbols.append((address, size, text_at(names, name)))
        self.symbols.sort()

    def symbol(self, section, at):
        """", in NAME" where a function or a table has the byte."""
        address = section.address + at - section.offset
        i = bisect_right(self.symbols, (address, 1 << 63, "")) - 1
        if i >= 0 and address < self.symbols[i][0] + self.symbols[i][1]:
            return f", in {self.symbols[i][2]}"
        return ""


def place(at, ours, twin):
    """What a byte of ours is part of."""
    shape = Map(ours, twin)
    _, _, what, section = next(part for part in shape.parts if at < part[1])
    return what + (shape.symbol(section, at) if section else "")


def explain(theirs, ours, twin):
    """Which parts of theirs differ from ours, one line each."""
    lines = []
    if cpu_of(theirs) != cpu_of(ours) and not mostly(theirs, ours):
        return [f"is no binary for {cpu_of(ours)}" if cpu_of(theirs) is None else f"is for {cpu_of(theirs)}"]
    shape = Map(ours, twin)
    for begin, end, what, section in shape.parts:
        one, other = theirs[begin:end], ours[begin:end]
        apart = [i for i, (a, b) in enumerate(zip(one, other)) if a != b] if one != other else []
        if apart:
            at = begin + apart[0]
            where = shape.symbol(section, at) if section else ""
            bytes_ = "1 byte differs" if len(apart) == 1 else f"{len(apart)} bytes differ, the first"
            lines.append(f"{what}: {bytes_}, at {at:#x}{where}")
    if len(theirs) > len(ours):
        lines.append(f"behind its end: {count(len(theirs) - len(ours))} more")
    if len(theirs) < len(ours):
        last = next(what for _, end, what, _ in shape.parts if end > len(theirs))
        lines.append(f"cut off in {last}: {count(len(ours) - len(theirs))} missing at the end")
    return lines
