#!/usr/bin/env python3
"""Packs what ./build.sh has built into the layer's zips, in layer/dist/ with their SHA-256 sums.

  kinesis-telemetry-api-extension.zip         both CPUs, and the launcher that picks
  kinesis-telemetry-api-extension-CPU.zip     one binary, for the fastest start and images without a shell

The same sources give the same bytes, wherever they lie: order, modes and times are fixed. Lambda unpacks
a layer to /opt and starts every file of /opt/extensions, so all else is in a folder of its own.

usage: layer/pack.py CPU..."""

import hashlib
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

from sbom import NAME, sbom

TOP = Path(__file__).resolve().parent.parent
DIST = TOP / "layer" / "dist"
VENDOR = TOP / "build" / "vendor"
RUN, READ = 0o755, 0o644
UNIX = 3
EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can tell


def wrap(text):
    """Paragraphs of whole lines, wrapped alike: the same words four times are then packed as once."""
    paragraphs = text.replace("\r\n", "\n").split("\n\n")
    for i, paragraph in enumerate(paragraphs):
        *lines, _ = paragraph.splitlines() or [""]
        if lines and all(len(line) > 45 for line in lines) and not lines[0].startswith(("-", "Copyright")):
            paragraphs[i] = textwrap.fill(paragraph, 78)
    return "\n\n".join(paragraphs)


def licences():
    """Every part's licence asks for its text to go along with the binary."""
    jsmn = (VENDOR / "download" / "jsmn.h").read_text(encoding="utf-8")
    texts = {
        NAME: (TOP / "LICENSE").read_text(encoding="utf-8"),
        "BearSSL": (VENDOR / "src" / "bearssl" / "LICENSE.txt").read_text(encoding="utf-8"),
        "jsmn": re.sub(r"(?m)^ \* ?", "", re.match(r"/\*\n(.*?)\n \*/", jsmn, re.S)[1]) + "\n",
        "musl": (VENDOR / "src" / "musl" / "COPYRIGHT").read_text(encoding="utf-8"),
    }
    return "\n".join(f"{'=' * 20} {part}\n\n{wrap(text)}" for part, text in texts.items()).encode()


def pack(path, entries):
    """entries: (name, mode, bytes), in the order in which they shall lie in the zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, mode, data in entries:
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.create_system = UNIX
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    # A few percent smaller than zlib's best.
    subprocess.run(["advzip", "--recompress", "--shrink-insane", "--quiet", path], check=True)


def main(cpus):
    version = (TOP / "src" / "VERSION").read_text(encoding="ascii").strip()
    binaries = {cpu: (TOP / "build" / cpu / NAME).read_bytes() for cpu in cpus}
    launcher = (TOP / "layer" / "launcher.sh").read_bytes()
    made_by = {cpu: (TOP / "build" / cpu / "toolchain").read_text(encoding="utf-8") for cpu in cpus}
    bill = sbom(version, TOP / "vendor" / "pins", binaries, made_by)
    papers = [(f"{NAME}/LICENSES", READ, licences()), (f"{NAME}/sbom.cdx.json", READ, bill)]

    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    both = [(f"{NAME}/{cpu}", RUN, data) for cpu, data in binaries.items()]
    pack(DIST / f"{NAME}.zip", [(f"extensions/{NAME}", RUN, launcher), *both, *papers])
    for cpu, data in binaries.items():
        pack(DIST / f"{NAME}-{cpu}.zip", [(f"extensions/{NAME}", RUN, data), *papers])
    (DIST / f"{NAME}.cdx.json").write_bytes(bill)

    sums = [(hashlib.sha256(path.read_bytes()).hexdigest(), path) for path in sorted(DIST.iterdir())]
    (DIST / "SHA256SUMS").write_text("".join(f"{digest}  {path.name}\n" for digest, path in sums), encoding="ascii")
    for digest, path in sums:
        print(f"{digest}  {path.relative_to(TOP)}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
