#!/usr/bin/env python3
"""Compares files with what a rebuild has made, byte by byte, and names the parts that differ. layer/verify.sh rebuilds.

usage: layer/verify.py TREE COMMIT PACKER FILE...

  TREE    a clone in which `./build.sh layer` and `./build.sh image` have run
  COMMIT  what it is called in messages
  PACKER  the version of the package advancecomp that packed its zips
  FILE    a zip, a binary, an image's archive or folder (OCI), a bill of materials; what it is its content tells

Prints what it found to standard output. The status is 0 when all are the same, 1 when one differs, 3 when one differs
where other compilers make other bytes, and the rebuild's were not those that it was made by.
"""

import json
import re
import sys
from operator import eq
from os.path import commonprefix
from pathlib import Path

import elf_bytes
import image_files
import zip_bytes
from sbom import NAME

SAME, DIFFERS, UNKNOWN = 0, 1, 3
SIGNATURE = re.compile(r"META[-_]INF/(aws_signer_signature_v\d+\.\d+\.SF)?")
START, BILL = f"extensions/{NAME}", f"{NAME}/sbom.cdx.json"
MOST = 1 << 26  # bytes of a file that is looked at


class Difference:
    """by: whether a compiler, another linker, "tools", makes it by itself; or a program that signs, "frame"."""

    def __init__(self, text, by=""):
        self.text, self.by = text, by


class Rebuilt:
    """What TREE has: products {path below TREE: bytes}, the bytes of binaries and their twins by CPU, and by what."""

    def __init__(self, tree, commit, packer):
        self.tree, self.commit, self.packer = tree, commit, packer
        self.version = (tree / "src" / "VERSION").read_text(encoding="ascii").strip()
        paths = [*(tree / "layer" / "dist").glob("*"), *(tree / "build" / "image").glob("*.*")]
        paths += [tree / "build" / cpu / NAME for cpu in elf_bytes.CPUS.values()]
        self.products = {str(path.relative_to(tree)): path.read_bytes() for path in sorted(paths) if path.is_file()}
        self.made_by = {cpu: self.read_toolchain(cpu) for cpu in elf_bytes.CPUS.values()}
        reference = (tree / "vendor" / "reference").read_text(encoding="utf-8")
        self.reference = {cpu: line(reference, f"toolchain {cpu}") for cpu in elf_bytes.CPUS.values()}
        self.reference_packer = line(reference, "package advancecomp")

    def read_toolchain(self, cpu):
        return (self.tree / "build" / cpu / "toolchain").read_text(encoding="utf-8").splitlines()[1]

    def zip(self, cpu):
        return self.products[f"layer/dist/{NAME}{f'-{cpu}' if cpu else ''}.zip"]

    def binary(self, cpu):
        return self.products[f"build/{cpu}/{NAME}"]

    def twin(self, cpu):
        return (self.tree / "build" / cpu / "obj" / "src" / f"{NAME}.debug").read_bytes()

    def bill(self):
        return self.products[f"layer/dist/{NAME}.cdx.json"]


def line(text, key):
    return next((one[len(key) + 1 :] for one in text.splitlines() if one.startswith(f"{key} ")), None)


# --- what a bill of materials says -------------------------------------------------------------


class Claims:
    """version, and made_by {CPU: compiler, linker}, of a bill of materials; None and {} where it cannot be read."""

    def __init__(self, data):
        self.version, self.made_by = None, {}
        try:
            bill = json.loads(data or b"")
            self.version = str(bill["metadata"]["component"]["version"])
            for one in bill["formulation"]:
                _, compiler, linker = one["components"]
                cpu, made_by = one["properties"][0]["value"], f"{compiler['description']}, {linker['description']}"
                if cpu in elf_bytes.CPUS.values():
                    self.made_by[cpu] = zip_bytes.shown(made_by)
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            pass


def flat(value, path=""):
    """{path: value} of all that JSON has at its ends."""
    if isinstance(value, dict) and value:
        return {k: v for key, one in value.items() for k, v in flat(one, f"{path}.{key}").items()}
    if isinstance(value, list) and value:
        return {k: v for i, one in enumerate(value) for k, v in flat(one, f"{path}[{i}]").items()}
    return {path.lstrip("."): value}


def explain_json(theirs, ours):
    try:
        one, other = flat(json.loads(theirs)), flat(json.loads(ours))
    except (ValueError, RecursionError):
        return ["is no JSON"]
    lines = [
        f"{path} is {said(one.get(path))}, rebuilt {said(other.get(path))}"
        for path in dict.fromkeys([*other, *one])
        if one.get(path) != other.get(path)
    ]
    return few(lines) or ["has the same data, written otherwise"]


def said(value):
    return "missing" if value is None else zip_bytes.shown(json.dumps(value))[:200]


def few(lines, most=6):
    return lines if len(lines) <= most else [*lines[:most], f"and {len(lines) - most} more"]


def explain_text(theirs, ours):
    one, other = theirs.split(b"\n"), ours.split(b"\n")
    i = next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
    here = [zip_bytes.shown_bytes(lines[i]) if i < len(lines) else "nothing" for lines in (one, other)]
    return [f"line {i + 1} is {here[0]} instead of {here[1]}"]


# --- the bytes of one file of a layer ----------------------------------------------------------


def compare_binary(theirs, cpu, rebuilt, claims):
    if theirs == rebuilt.binary(cpu):
        return []
    by = "" if rebuilt.made_by[cpu] == claims.made_by.get(cpu, rebuilt.reference[cpu]) else "tools"
    return [Difference(text, by) for text in elf_bytes.explain(theirs, rebuilt.binary(cpu), rebuilt.twin(cpu))]


def compare_content(theirs, ours, rebuilt, claims):
    if theirs == ours:
        return []
    cpu = elf_bytes.cpu_of(ours)
    if cpu:
        return compare_binary(theirs, cpu, rebuilt, claims)
    if ours != rebuilt.bill():
        return [Difference(text) for text in explain_text(theirs, ours)]
    other_tools = any(rebuilt.made_by[cpu] != made_by for cpu, made_by in claims.made_by.items())
    return [Difference(text, "tools" if other_tools else "") for text in explain_json(theirs, ours)]


def explain_begun(theirs, ours, rebuilt):
    """theirs: what comes out before the damage."""
    at = min(len(commonprefix([theirs, ours])), len(ours) - 1)
    cpu = elf_bytes.cpu_of(ours)
    where = elf_bytes.place(at, ours, rebuilt.twin(cpu)) if cpu else f"line {ours.count(10, 0, at) + 1}"
    return Difference(f"before the damage it is the same up to {at:#x}, in {where}")


# --- zips --------------------------------------------------------------------------------------

WORDS = {"made_by": "made by (system and version)", "needs": "version needed", "disk": "disk number"}
OWN = {"at", "crc", "packed", "size"}  # what follows from a member's content or place


def field_text(what, value):
    if what == "mode":
        return f"{value:06o}"
    if what == "date":
        return f"{(value >> 9) + 1980}-{value >> 5 & 15:02}-{value & 31:02}"
    if what == "time":
        return f"{value >> 11:02}:{value >> 5 & 63:02}:{(value & 31) * 2:02}"
    if isinstance(value, bytes):
        return zip_bytes.count(len(value))
    return str(value)


def compare_fields(theirs, ours):
    return [
        Difference(
            f"{WORDS.get(what, what)} {field_text(what, theirs.fields[what])} instead of {field_text(what, value)}",
            "" if what == "mode" else "frame",
        )
        for what, value in ours.fields.items()
        if what not in OWN and theirs.fields.get(what, b"") != value
    ]


def compare_member(theirs, ours, rebuilt, claims):
    out = [Difference(text) for text in theirs.faults] + compare_fields(theirs, ours)
    if theirs.content is not None:
        out += compare_content(theirs.content, ours.content, rebuilt, claims)
    elif theirs.begun:
        out.append(explain_begun(theirs.begun, ours.content, rebuilt))
    if theirs.content == ours.content and theirs.packed != ours.packed:
        tools = rebuilt.packer != rebuilt.reference_packer
        out.append(Difference("contents are equal, compressed otherwise", "tools" if tools else "frame"))
    name = zip_bytes.shown(theirs.name)
    return [Difference(f"{name}: {one.text}", one.by) for one in out]


def compare_names(theirs, ours):
    one, other = ([member.name for member in members] for members in (theirs, ours))
    out = [Difference(f"{name}: is missing") for name in other if name not in one]
    out += [Difference(f"{zip_bytes.shown(name)}: is not in the rebuilt zip") for name in one if name not in other]
    if not out and one != other and sorted(one) == sorted(other):
        out.append(Difference("the directory has the members in another order", "frame"))
    return out


def signature_faults(member):
    """What it holds is AWS Signer's; but no program may unpack anything else from it."""
    faults = list(member.faults)
    if member.fields["mode"] >> 12 not in (0, 0o4, 0o10):
        faults.append(f"mode {member.fields['mode']:06o} is neither a file's nor a folder's")
    if member.name.endswith("/") and member.fields["size"]:
        faults.append(f"is a folder, and has {zip_bytes.count(member.fields['size'])}")
    return [Difference(f"{zip_bytes.shown(member.name)}: {text}") for text in faults]


def find_one_byte(theirs, ours, wanted):
    """A single byte may be the reason of many differences."""
    apart = [i for i, (a, b) in enumerate(zip(theirs, ours)) if a != b] if len(theirs) == len(ours) else []
    if len(apart) != 1:
        return []
    return [Difference(f"1 byte of the zip differs, at {apart[0]:#x}, in {wanted.part_at(apart[0])}")]


def compare_zips(theirs, found, ours, rebuilt, claims, signed):
    wanted = zip_bytes.read(ours)
    members = [one for one in found.members if not (signed and SIGNATURE.fullmatch(one.name))]
    by_name = {member.name: member for member in wanted.members}
    out = find_one_byte(theirs, ours, wanted) + [Difference(text) for text in found.faults]
    out += compare_names(members, wanted.members)
    out += [fault for one in found.members if one not in members for fault in signature_faults(one)]
    for member in members:
        if member.name in by_name:
            out += compare_member(member, by_name[member.name], rebuilt, claims)
    if not out and not signed:
        at = len(commonprefix([theirs, ours]))
        out.append(Difference(f"byte {at}, in {found.part_at(at)}, differs"))
    return out


def explain_broken(theirs, ours, reason):
    at = len(commonprefix([theirs, ours]))
    where = zip_bytes.read(ours).part_at(at)
    if at == len(theirs):
        return f"is cut off after {at} of {len(ours)} bytes, in {where}; so far it is the same"
    last = zip_bytes.read_heads(theirs)
    return f"{reason}{f', in or behind {last}' if last else ''}; it is the same up to byte {at}, in {where}"


def likeness(theirs, found, ours):
    """Of zips: in their bytes, or in what their members hold, however that is packed."""
    wanted = zip_bytes.read(ours).members
    held = {one.name: one.content or one.begun for one in reversed(found.members if found else [])}
    same = sum(sum(map(eq, held.get(one.name, b""), one.content)) for one in wanted)
    return max(elf_bytes.likeness(theirs, ours), same / sum(len(one.content) for one in wanted))


def zip_of(theirs, found, rebuilt):
    """The one to compare with: that it is mostly; or else by the CPU of what Lambda would start, or by the longest
    beginning that is the same."""
    every = [rebuilt.zip(cpu) for cpu in (None, *elf_bytes.CPUS.values())]
    like, most = max((likeness(theirs, found, ours), ours) for ours in every)
    if like > elf_bytes.MOSTLY:
        return most
    for member in found.members if found else []:
        if member.name == START and member.content is not None:
            return rebuilt.zip(elf_bytes.cpu_of(member.content))
    return max(every, key=lambda ours: len(commonprefix([theirs, ours])))


def compare_zip(theirs, rebuilt):
    """Returns the differences, what its bill of materials says, and whether it is signed."""
    try:
        found = zip_bytes.read(theirs)
    except zip_bytes.Broken as reason:
        ours = zip_of(theirs, None, rebuilt)
        return [Difference(explain_broken(theirs, ours, str(reason)))], Claims(None), False
    signed = any(SIGNATURE.fullmatch(one.name) and one.name.endswith(".SF") for one in found.members)
    claims = Claims(next((one.content for one in found.members if one.name == BILL), None))
    out = compare_zips(theirs, found, zip_of(theirs, found, rebuilt), rebuilt, claims, signed)
    return [one for one in out if not (signed and one.by == "frame")], claims, signed


# --- images ------------------------------------------------------------------------------------


def compare_images(files, rebuilt, claims):
    """files: {name: bytes} of an OCI layout."""
    ours = image_files.tar_files(rebuilt.products[f"build/image/{NAME}.oci.tar"])
    try:
        theirs, wanted = image_files.Image(files), image_files.Image(ours)
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as reason:
        return [Difference(f"is no image: {reason}")]
    out = [Difference(text) for text in theirs.faults]
    for what, text in image_files.apart(theirs, wanted):
        one, other = theirs.parts.get(what), wanted.parts.get(what)
        if text is not None:
            out.append(Difference(f"{what}: {text}"))
        elif what.endswith(".json"):
            out += [Difference(f"{what}: {words}") for words in explain_json(one, other)]
        else:
            out += [Difference(f"{what}: {d.text}", d.by) for d in compare_content(one, other, rebuilt, claims)]
    if not out and theirs.digest != wanted.digest:
        out.append(Difference(f"its digest is {theirs.digest} instead of {wanted.digest}"))
    return out


# --- a file, whatever it is --------------------------------------------------------------------


def claims_beside(path):
    try:
        return Claims((path.parent / f"{NAME}.cdx.json").read_bytes())
    except OSError:
        return Claims(None)


class Answer:
    def __init__(self, status, headline, lines=()):
        self.status, self.headline, self.lines = status, headline, list(lines)


REVISION = "config.Labels.org.opencontainers.image.revision"


def judge(differences, claims, rebuilt, same):
    """same: what to say when nothing differs."""
    notes = []
    if claims.version not in (None, rebuilt.version):
        version = zip_bytes.shown(claims.version)
        notes.append(f"it says that it is version {version}; --commit takes another commit than this")
    for cpu, made_by in claims.made_by.items():
        if made_by != rebuilt.made_by.get(cpu) and differences:
            notes.append(f"it says that {made_by} made it for {zip_bytes.shown(cpu)}; rebuilt by {rebuilt.made_by.get(cpu)}")
    for cpu, made_by in rebuilt.made_by.items():
        if cpu not in claims.made_by and made_by != rebuilt.reference[cpu] and differences:
            notes.append(f"published files for {cpu} are made by {rebuilt.reference[cpu]}; rebuilt by {made_by}")
    if rebuilt.packer != rebuilt.reference_packer and differences:
        notes.append(f"zips are packed by advancecomp {rebuilt.reference_packer}; rebuilt with {rebuilt.packer}")
    lines = [one.text for one in differences]
    if not differences:
        return Answer(SAME, same, notes)
    if all(one.by == "tools" for one in differences):
        return Answer(UNKNOWN, "cannot tell: rebuilt by other tools, which make other bytes", [*lines, *notes])
    return Answer(DIFFERS, f"differs from what {rebuilt.commit} builds", [*lines, *notes])


def judge_image(files, path, rebuilt, data=b""):
    """data: of an archive. One for Docker is compared to its last byte; the others programs write that copy images."""
    claims = claims_beside(path)
    differences = compare_images(files, rebuilt, claims)
    if not differences and image_files.DOCKER in files:
        at = len(commonprefix([data, rebuilt.products[f"build/image/{NAME}.oci.tar"]]))
        differences.append(Difference(f"its image is the same, by its digest; byte {at} of the archive differs"))
    if any(REVISION in one.text for one in differences) and all(REVISION in one.text for one in differences):
        differences.append(Difference("all but the commit that it names is the same; --commit takes that commit"))
    same = f"same: the image is the one that {rebuilt.commit} builds, by its digest; what it lies in is not compared"
    return judge(differences, claims, rebuilt, same)


def judge_folder(path, rebuilt):
    if not (path / "index.json").is_file():
        return None
    return judge_image(image_files.folder_files(path, MOST), path, rebuilt)


def judge_bytes(data, path, rebuilt):
    """None: not of a kind that is known."""
    for product, ours in rebuilt.products.items():
        if data == ours:
            return Answer(SAME, f"same: each of its {len(data)} bytes is that of {product}, as {rebuilt.commit} builds it")
    if data[:4] in (zip_bytes.LOCAL, zip_bytes.END) or zip_bytes.END in data[-zip_bytes.END_SIZE :]:
        differences, claims, signed = compare_zip(data, rebuilt)
        same = f"signed: the members besides the signature are the same as {rebuilt.commit} builds; " \
            "the signature itself is not looked at"
        answer = judge(differences, claims, rebuilt, same)
        if signed and differences:
            answer.lines.append("it is signed, and differs in more than the signature")
        return answer
    cpu = next((cpu for cpu in elf_bytes.CPUS.values() if elf_bytes.mostly(data, rebuilt.binary(cpu))), elf_bytes.cpu_of(data))
    if cpu:
        claims = claims_beside(path)
        return judge(compare_binary(data, cpu, rebuilt, claims), claims, rebuilt, "")
    if data[257:262] == b"ustar":
        return judge_image(image_files.tar_files(data), path, rebuilt, data)
    if b'"CycloneDX"' in data or elf_bytes.mostly(data, rebuilt.bill()):
        return judge(compare_content(data, rebuilt.bill(), rebuilt, Claims(data)), Claims(data), rebuilt, "")
    return None


def look_at(path, rebuilt):
    if path.is_dir():
        answer = judge_folder(path, rebuilt)
    else:
        with path.open("rb") as file:
            data = file.read(MOST + 1)
        answer = None if len(data) > MOST else judge_bytes(data, path, rebuilt)
    return answer or Answer(DIFFERS, "is neither a zip nor anything else that this builds")


def main(tree, commit, packer, *files):
    sys.stdout.reconfigure(errors="backslashreplace")
    rebuilt = Rebuilt(Path(tree), commit, packer)
    statuses = []
    for file in files:
        answer = look_at(Path(file), rebuilt)
        lines = [f"{Path(file).name}: {answer.headline}", *answer.lines]
        print("\n  ".join(zip_bytes.shown(one) for one in lines), flush=True)  # names are a stranger's
        statuses.append(answer.status)
    return next((one for one in (DIFFERS, UNKNOWN) if one in statuses), SAME)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
