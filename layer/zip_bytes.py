"""A zip as it lies in the file: every byte belongs to a part that has a name. Programs that unpack zips look at some of
the bytes and pass over the others, each at its own; here what is passed over is what matters.

Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.4; without zip64, encryption and disks, which our zips never have.
"""

import struct
import zlib

LOCAL, ENTRY, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
LOCAL_FORM, ENTRY_FORM, END_FORM = "<4s5H3I2H", "<4s6H3I5H2I", "<4s4H2IH"
LOCAL_SIZE, ENTRY_SIZE, END_SIZE = (struct.calcsize(form) for form in (LOCAL_FORM, ENTRY_FORM, END_FORM))
LOCAL_NAMES = "needs flags method time date crc packed size".split()
ENTRY_NAMES = "made_by needs flags method time date crc packed size".split()
DEFLATED = 8
DESCRIPTOR = 8  # among the flags: sizes and checksum stand behind the data
MOST = 1 << 26  # bytes that all members may have, packed and unpacked: Lambda's own limit is of this order
MOST_MEMBERS = 1000
MOST_BROKEN = 1 << 20  # of a damaged member


class Broken(Exception):
    """What cannot be read as a zip; the words say why."""


class Member:
    """name; fields, as in ENTRY_NAMES and what else its entry has, and "local extra", the extra fields before its data;
    packed, bytes; content, bytes, or None where it cannot be unpacked; begun, then, what comes out before the damage;
    faults, what the zip says of it that is not so."""

    def __init__(self, name, fields):
        self.name, self.fields = name, fields
        self.packed, self.content, self.begun, self.faults = b"", None, b"", []


class Zip:
    """members, in the directory's order; faults, each in words; parts: (from, to, what), which need not touch; comment."""

    def __init__(self):
        self.members, self.faults, self.parts, self.comment = [], [], [], b""
        self.left = MOST

    def part_at(self, at):
        inside = [what for begin, end, what in self.parts if begin <= at < end]
        return inside[-1] if inside else "between the parts"


def shown(name):
    """A name from a stranger's file, fit for a terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name)


def shown_bytes(data):
    text = shown(data[:40].decode("latin-1"))
    return f'"{text}"' + ("…" if len(data) > 40 else "")


def count(number):
    return f"{number} byte" if number == 1 else f"{number} bytes"


def find_ends(data):
    """Where records are that end a directory; one may lie in another's comment."""
    ends, at = [], max(0, len(data) - END_SIZE - 0xFFFF)
    while (at := data.find(END, at)) >= 0 and at + END_SIZE <= len(data):
        ends.append(at)
        at += 1
    if not ends:
        raise Broken("it has no end of a directory: it is cut off, or no zip")
    return ends


def read_end(found, data):
    at, *others = find_ends(data)
    if others:
        found.faults.append("it has more than one end of a directory: programs see one or the other")
    _, disk, first, here, entries, size, begin, length = struct.unpack_from(END_FORM, data, at)
    behind = data[at + END_SIZE :]
    found.comment = behind[:length]
    if disk or first or here != entries:
        found.faults.append("its directory is said to be on several disks")
    if length:
        found.faults.append(f"it has a comment of {count(length)}, {shown_bytes(found.comment)}")
    if len(behind) > length:
        found.faults.append(f"{count(len(behind) - length)} appended behind its end")
    if len(behind) < length:
        found.faults.append("its comment is cut off")
    found.parts += [(at, at + END_SIZE, "the end of the directory"), (at + END_SIZE, len(data), "behind the end")]
    return at, begin, size, entries


def read_entry(data, at, limit):
    """An entry of the directory: returns the member and where the next one begins."""
    if at + ENTRY_SIZE > limit or data[at : at + 4] != ENTRY:
        raise Broken(f"its directory is damaged at byte {at}")
    values = struct.unpack_from(ENTRY_FORM, data, at)
    fields = dict(zip(ENTRY_NAMES, values[1:10]))
    name, extra, comment = values[10:13]
    fields["disk"], fields["internal"], external, fields["at"] = values[13:17]
    end = at + ENTRY_SIZE + name + extra + comment
    if end > limit:
        raise Broken(f"its directory is damaged at byte {at}")
    text = data[at + ENTRY_SIZE : at + ENTRY_SIZE + name]
    fields["mode"], fields["attributes"] = external >> 16, external & 0xFFFF
    fields["extra"] = data[at + ENTRY_SIZE + name :][:extra]
    fields["comment"] = data[at + ENTRY_SIZE + name + extra :][:comment]
    return Member(text.decode("utf-8", "backslashreplace"), fields), text, end


def unpack_begin(packed, size):
    """As much as comes out before the damage, and hardly more than size."""
    engine, out = zlib.decompressobj(-15), bytearray()
    try:
        for i in range(min(len(packed), MOST_BROKEN)):
            if len(out) > size:
                break
            out += engine.decompress(packed[i : i + 1])
    except zlib.error:
        pass
    return bytes(out)


def unpack(member):
    """Fills content, by its own method, and says what does not fit."""
    method, size = member.fields["method"], member.fields["size"]
    data = member.packed
    if method == DEFLATED:
        engine = zlib.decompressobj(-15)
        try:
            data = engine.decompress(member.packed, size + 1)
        except zlib.error:
            member.faults.append("is damaged: it cannot be unpacked")
            member.begun = unpack_begin(member.packed, size)
            return
        if engine.unused_data:
            member.faults.append(f"has {count(len(engine.unused_data))} behind the end of what is compressed")
        elif not engine.eof and len(data) <= size:
            member.faults.append("is damaged: what is compressed has no end")
    elif method != 0:
        member.faults.append(f"is compressed by method {method}, which is unknown here")
        return
    if len(data) != size:
        member.faults.append(f"is said to have {count(size)}, and has {'more' if len(data) > size else len(data)}")
    if zlib.crc32(data) != member.fields["crc"]:
        member.faults.append("has another checksum (CRC-32) than its directory says")
    member.content = data


def read_local(found, member, text, data, limit):
    """What lies before a member's data has to say the same as the directory, or unpackers see different zips."""
    at = member.fields["at"]
    if at + LOCAL_SIZE > limit or data[at : at + 4] != LOCAL:
        member.faults.append(f"does not begin where the directory says, at byte {at}")
        return
    values = struct.unpack_from(LOCAL_FORM, data, at)
    name, extra = values[9:11]
    begin = at + LOCAL_SIZE + name + extra
    end = begin + member.fields["packed"]
    if data[at + LOCAL_SIZE : at + LOCAL_SIZE + name] != text:
        other = shown_bytes(data[at + LOCAL_SIZE : at + LOCAL_SIZE + name])
        member.faults.append(f"has another name before its data than in the directory, {other}")
    later = bool(member.fields["flags"] & DESCRIPTOR) and values[6:9] == (0, 0, 0)
    for what, value in zip(LOCAL_NAMES[:5] if later else LOCAL_NAMES, values[1:9]):
        if value != member.fields[what]:
            member.faults.append(f"has another {what} before its data, {value}, than in the directory, {member.fields[what]}")
    if end > limit:
        member.faults.append("is cut off")
    member.fields["local extra"] = data[at + LOCAL_SIZE + name : begin]
    member.packed = data[begin : min(end, limit)]
    name = shown(member.name)
    found.parts += [(at, begin, f"the head of {name}"), (begin, min(end, limit), f"the data of {name}")]
    if later:
        read_descriptor(found, member, data, end, limit)
    if member.fields["size"] + len(member.packed) > found.left:
        member.packed = b""
        member.faults.append(f"is not looked at: with those before it, it has more than {MOST} bytes")
        return
    found.left -= member.fields["size"] + len(member.packed)
    unpack(member)


def read_descriptor(found, member, data, at, limit):
    """What a program that did not know sizes beforehand writes behind the data."""
    begin = at + (4 if data[at : at + 4] == b"PK\7\x08" else 0)
    wanted = tuple(member.fields[what] for what in ("crc", "packed", "size"))
    if begin + 12 > limit or struct.unpack_from("<3I", data, begin) != wanted:
        member.faults.append("has other sizes or another checksum behind its data than in the directory")
    found.parts.append((at, min(begin + 12, limit), f"what is behind the data of {shown(member.name)}"))


def find_gaps(found, limit):
    """Bytes before the directory that belong to no member, or to two."""
    at = 0
    for begin, end, what in sorted(part for part in found.parts if part[0] < limit):
        if begin > at:
            found.faults.append(f"{count(begin - at)} between its parts, before {what}")
        if begin < at:
            found.faults.append(f"{what} shares bytes with another part")
        at = max(at, end)
    if at < limit:
        found.faults.append(f"{count(limit - at)} between its parts, before the directory")


def read(data):
    """Returns a Zip. Raises Broken where there is no way on."""
    found = Zip()
    end, begin, size, entries = read_end(found, data)
    if begin + size != end:
        found.faults.append(f"its directory is said to lie at byte {begin}, and ends {count(end - begin - size)} off its end")
    at, limit = end - size, end
    if at < 0:
        raise Broken("its directory is said to be longer than the file")
    texts = []
    while at < limit:
        begin_of_this = at
        member, text, at = read_entry(data, at, limit)
        found.members.append(member)
        texts.append(text)
        if len(texts) > MOST_MEMBERS:
            raise Broken(f"its directory has more than {MOST_MEMBERS} entries")
        found.parts.append((begin_of_this, at, f"the directory's entry of {shown(member.name)}"))
    if len(texts) != entries:
        found.faults.append(f"its directory is said to have {entries} entries, and has {len(texts)}")
    for name in {text for text in texts if texts.count(text) > 1}:
        found.faults.append(f"{texts.count(name)} members have one name, {shown(name.decode('utf-8', 'backslashreplace'))}")
    for member, text in zip(found.members, texts):
        read_local(found, member, text, data, end - size)
    find_gaps(found, end - size)
    return found


def read_heads(data):
    """Of a zip without a directory: the name of the last member that begins in it, or None."""
    at, name = 0, None
    while data[at : at + 4] == LOCAL and at + LOCAL_SIZE <= len(data):
        values = struct.unpack_from(LOCAL_FORM, data, at)
        length, extra = values[9:11]
        name = shown(data[at + LOCAL_SIZE :][:length].decode("utf-8", "backslashreplace"))
        at += LOCAL_SIZE + length + extra + values[7]
    return name
