#!/usr/bin/env python3
"""Makes altered copies of what `./build.sh layer` and `image` have built, for verify.test.mjs: one file for each case,
named after it, in OUT. The zips are written here, not by a library that would put right what is meant to be wrong.

usage: tests/build/altered.py OUT
"""

import json
import re
import struct
import subprocess
import sys
import zlib
from copy import copy
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "layer"))

import archive
import image
import zip_bytes
from sbom import NAME

START, BILL = f"extensions/{NAME}", f"{NAME}/sbom.cdx.json"
SIGNATURE = "META_INF/aws_signer_signature_v1.0.SF"
CPU = "x86_64"
ONE, BOTH = (TOP / "layer" / "dist" / f"{NAME}{which}.zip" for which in (f"-{CPU}", ""))
TWIN = TOP / "build" / CPU / "obj" / "src" / f"{NAME}.debug"


# --- writing zips ------------------------------------------------------------------------------


def members(path):
    return zip_bytes.read(path.read_bytes()).members


def member(name, content, like):
    """A member with that content and the fields of another one."""
    out = copy(like)
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    out.name, out.fields = name, {**like.fields, "crc": zlib.crc32(content), "size": len(content)}
    out.packed = engine.compress(content) + engine.flush()
    out.fields["packed"] = len(out.packed)
    out.content = content
    return out


def local(one, name=None, **other):
    fields, name = {**one.fields, **other}, (name or one.name).encode()
    values = [fields[what] for what in zip_bytes.LOCAL_NAMES]
    return struct.pack(zip_bytes.LOCAL_FORM, b"PK\3\4", *values, len(name), 0) + name + one.packed


def entry(one, at):
    fields, name = one.fields, one.name.encode()
    values = [fields[what] for what in zip_bytes.ENTRY_NAMES]
    external = fields["mode"] << 16 | fields["attributes"]
    lengths = [len(name), len(fields["extra"]), len(fields["comment"])]
    head = struct.pack(zip_bytes.ENTRY_FORM, b"PK\1\2", *values, *lengths, 0, fields["internal"], external, at)
    return head + name + fields["extra"] + fields["comment"]


def written(every, heads=None, before=b"", between=b"", comment=b""):
    """heads: what lies in the file for each member, where that is not what its entry says."""
    out, directory = before, b""
    for i, one in enumerate(every):
        directory += entry(one, len(out))
        out += (heads or {}).get(i) or local(one)
        out += between if i == 0 else b""
    end = struct.pack(zip_bytes.END_FORM, b"PK\5\6", 0, 0, len(every), len(every), len(directory), len(out), len(comment))
    return out + directory + end + comment


def with_content(every, name, content):
    return [member(name, content, one) if one.name == name else one for one in every]


def with_fields(every, **fields):
    first = copy(every[0])
    first.fields = {**first.fields, **fields}
    return [first, *every[1:]]


# --- binaries ----------------------------------------------------------------------------------


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def section_offsets():
    text = subprocess.run(["readelf", "-SW", TWIN], check=True, capture_output=True, encoding="utf-8").stdout
    return {name: int(offset, 16) for name, offset in re.findall(r"(?m)^ *\[ *\d+\] (\.\S+) +\S+ +\S+ +(\S+)", text)}


def offset_of(function):
    text = subprocess.run(["nm", TWIN], check=True, capture_output=True, encoding="utf-8").stdout
    return int(re.search(rf"(?m)^(\S+) [tT] {function}$", text)[1], 16)


def binaries():
    """{case: an altered binary}"""
    data = (TOP / "build" / CPU / NAME).read_bytes()
    out = {f"binary {name}": flipped(data, at + 8) for name, at in section_offsets().items() if 0 < at + 8 < len(data)}
    out["binary in main"] = flipped(data, offset_of("main"))
    for what, at in (("first byte", 0), ("class", 4), ("CPU", 18)):
        out[f"binary {what}"] = flipped(data, at)
    out["binary header"], out["binary program headers"] = flipped(data, 24), flipped(data, 64 + 56 + 8)
    out["binary longer"], out["binary shorter"] = data + b"\0", data[:-1]
    out["binary for another CPU"] = (TOP / "build" / "arm64" / NAME).read_bytes()
    out["binary with list of sections"] = data[:40] + struct.pack("<Q", len(data)) + data[48:]
    return out


# --- cases -------------------------------------------------------------------------------------


def version():
    return b'"version":"%s"' % (TOP / "src" / "VERSION").read_bytes().strip()


def contents():
    one, both = members(ONE), members(BOTH)
    for case, data in binaries().items():
        yield case, written(with_content(one, START, data))
    by_name = {m.name: m.content for m in both}
    yield "launcher", written(with_content(both, START, by_name[START].replace(b"arm64 && break", b"arm64; break")))
    yield "first byte of one of two", written(with_content(both, f"{NAME}/arm64", flipped(by_name[f"{NAME}/arm64"], 0)))
    yield "other binary", written(with_content(both, f"{NAME}/arm64", by_name[f"{NAME}/arm64"] + b"more"))
    yield "licences", written(with_content(both, f"{NAME}/LICENSES", by_name[f"{NAME}/LICENSES"].replace(b"MIT", b"TIM", 1)))
    yield "version", written(with_content(both, BILL, by_name[BILL].replace(version(), b'"version":"99"', 1)))
    pretty = json.dumps(json.loads(by_name[BILL]), indent=1).encode()
    yield "bill written otherwise", written(with_content(both, BILL, pretty))
    told = by_name[BILL].replace(b'"bomFormat"', b'"a\\nother.zip: same: each of its 5 bytes\\u001b[2J\\ud800":0,"bomFormat"', 1)
    yield "bill with a name of two lines", written(with_content(both, BILL, told))
    yield "bill is none", written(with_content(both, BILL, b"{"))
    other = re.sub(rb"Debian 12[^)]*", b"Debian 14.2.0-19", by_name[BILL])
    by_others = with_content(one, BILL, other)
    yield "by other compilers", written(with_content(by_others, START, flipped(one[0].content, offset_of("main"))))
    yield "by other compilers, another mode", written(with_fields(by_others, mode=0o100777))


def directories():
    one = members(ONE)
    yield "mode", written(with_fields(one, mode=0o100644))
    yield "date", written(with_fields(one, date=(2026 - 1980) << 9 | 1 << 5 | 2))
    yield "extra", written(with_fields(one, extra=b"UT\5\0\1abcd"))
    yield "comment of a member", written(with_fields(one, comment=b"hello"))
    yield "made by", written(with_fields(one, made_by=20))
    yield "order", written([one[1], one[0], *one[2:]])
    yield "missing", written(one[:-1])
    yield "more", written([*one, member("extensions/other", b"#!/bin/sh\n", one[0])])
    yield "one name twice", written([*one, member(START, b"#!/bin/sh\n", one[0])])
    yield "another name before the data", written(one, heads={0: local(one[0], name=START[:-1] + "m")})
    yield "another size before the data", written(one, heads={0: local(one[0], size=7)})
    yield "wrong checksum", written(with_fields(one, crc=one[0].fields["crc"] ^ 1))
    yield "bytes between members", written(one, between=b"hidden")
    yield "bytes before", written(one, before=b"#!/bin/sh\n")


def by_content(name):
    return next(one.content for one in members(ONE) if one.name == name)


def first_fatal(packed):
    """A byte behind the first half, which altered leaves what cannot be unpacked."""
    for at in range(len(packed) // 2, len(packed)):
        try:
            zlib.decompress(flipped(packed, at), -15)
        except zlib.error as reason:
            if "invalid" in str(reason):
                return at
    raise ValueError("none")


def many(members, number):
    """A zip in which so many entries name the same data."""
    head = local(members[0])
    directory = b"".join(entry(one, 0) for one in members) * (number // len(members))
    end = struct.pack(zip_bytes.END_FORM, b"PK\5\6", 0, 0, number, number, len(directory), len(head), 0)
    return head + directory + end


def bombs():
    one = member("0", bytes(1 << 25), members(ONE)[0])
    names = [copy(one) for _ in range(200)]
    for i, each in enumerate(names):
        each.name = str(i)
    yield "bomb", many(names, 200)
    yield "thousands of members", many([member("0", b"", one)], 60000)


def files():
    data = ONE.read_bytes()
    yield "appended", data + b"more"
    yield "comment", written(members(ONE), comment=b"hello")
    yield "end in a comment", written(members(ONE), comment=data[-22:])
    yield "cut in a member", data[:5000]
    yield "cut in the directory", data[:-60]
    yield "cut by a byte", data[:-1]
    yield "nothing", b""
    yield "damaged", flipped(data, 4000)
    yield "damaged before all", flipped(data, 1)
    packed = zip_bytes.read(data).members[0].packed
    yield "damaged, and cannot be unpacked", flipped(data, data.index(packed) + first_fatal(packed))
    yield "damaged bill", flipped(by_content(BILL), by_content(BILL).index(b"CycloneDX"))
    every = members(ONE)
    yield "compressed otherwise", written([member(one.name, one.content, one) for one in every])
    yield "stored", written([stored(one) for one in every])
    yield "no zip", b"#!/bin/sh\n"


def stored(one):
    out = copy(one)
    out.packed, out.fields = one.content, {**one.fields, "method": 0, "packed": len(one.content)}
    return out


# As AWS Signer does: names and contents stay, all else is written anew, and two members come to them.
def signatures():
    every = [copy(one) for one in members(ONE)]
    for one in every:
        one.fields = {**one.fields, "date": 23714, "made_by": 20 | 3 << 8}
    added = [member("META_INF/", b"", every[0]), member(SIGNATURE, b"-----BEGIN PKCS7-----\n", every[0])]
    yield "signed", written([*every, *added])
    yield "signed, altered", written([*with_content(every, START, flipped(every[0].content, offset_of("main"))), *added])
    head = local(added[1], name="extensions/other")
    yield "signed, another name before the signature", written([*every, *added], heads={len(every) + 1: head})
    yield "signed, a damaged signature", written([*every, added[0], *with_fields(added[1:], crc=7)])
    link = with_fields([member("META_INF/", b"../extensions", every[0])], mode=0o120777)
    yield "signed, a link", written([*every, *link, added[1]])
    yield "signed, more", written([*every, *added, member("META_INF/run.sh", b"", every[0])])
    yield "signed, another mode", written([*with_fields(every, mode=0o100644), *added])


def sparse(name):
    """A file of 8 GB of nothing, as GNU tar has it."""
    head = bytearray(archive.tar([(name, 0o644, b"")])[:512])
    head[156:157], head[257:265], head[483:495] = b"S", b"ustar  \0", b"7" * 11 + b"\0"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def images():
    version = (TOP / "src" / "VERSION").read_text().strip()
    built = {cpu: (TOP / "build" / cpu / NAME).read_bytes() for cpu in ("x86_64", "arm64")}
    tar = (TOP / "build" / "image" / f"{NAME}.oci.tar").read_bytes()
    named = re.search(rb'image\.revision":"([0-9a-f]{40})"', tar)
    commit = named and named[1].decode()

    def of(binaries=built, commit=commit, docker=True, other=None):
        files, list_, _ = image.layout(version, binaries, image.about(version, commit))
        files.update(other or {})
        files = {**files, "manifest.json": image.as_json(list_)} if docker else files
        folders = [("blobs/", image.RUN, None), ("blobs/sha256/", image.RUN, None)]
        return archive.tar([*folders, *((name, image.READ, data) for name, data in files.items())])

    yield "image of another commit", of(commit="0" * 40)
    yield "image with another binary", of({**built, CPU: flipped(built[CPU], offset_of("main"))})
    yield "image without Docker's list", of(docker=False)
    data = of()
    yield "image, appended", data + b"more"
    yield "image, a damaged blob", flipped(data, data.index(b"\x7fELF") + 100)
    for what, index in (("deep", b"[" * 200000), ("odd", b'{"manifests":[{"digest":5}]}'), ("empty", b'{"manifests":[]}')):
        yield f"image, {what}", of(other={"index.json": index})
    yield "image, sparse", sparse("index.json") + bytes(1024)
    yield "image with a name of two lines", archive.tar([("blobs/a\nother.zip: same", 0o644, b"more")])[:1024] + data
    yield "image with another file", archive.tar([("blobs/sha256/more", 0o644, b"more")])[:1024] + data


def main(out):
    cases = [*contents(), *bombs(), *directories(), *files(), *signatures(), *images()]
    cases += [(f"{case} alone", data) for case, data in binaries().items()]
    for case, data in cases:
        (Path(out) / case).write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1])
