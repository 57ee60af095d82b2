"""The software bill of materials, CycloneDX 1.6 as JSON: the program, the sums of its binaries, what is
linked into it, as vendor/pins has it, and the system and compilers that made it. No time and no serial
number, so that the same sources and compilers give the same bytes. It is part of each zip, so it says what it
has to in few bytes: no address of a schema, which specVersion names as well."""

import hashlib
import json
import re
from urllib.parse import quote

NAME = "kinesis-telemetry-api-extension"
SUPPLIER = {"name": "Debian"}
TITLES = {"bearssl": "BearSSL", "musl": "musl", "libjsmn-dev": "jsmn"}


def sha256(data):
    return [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}]


def licence(spdx):
    return [{"license": {"id": spdx}}]


def read_pins(path):
    with open(path, encoding="ascii") as lines:
        return [line.split() for line in lines if line.strip() and not line.startswith("#")]


def library(kind, package, version, file, digest):
    # VERSION is the distribution's: the authors' own, "+dfsg.N" for a repacked archive, "-N" for the package
    authors = re.sub(r"(\+dfsg.*)?-[^-]*$", "", version)
    return {
        "type": "library",
        "bom-ref": package,
        "supplier": SUPPLIER,
        "name": TITLES[package],
        "version": authors,
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": licence("MIT"),
        "purl": f"pkg:deb/debian/{package}@{quote(version)}" + ("?arch=source" if kind == "source" else ""),
        "properties": [{"name": f"{NAME}:file", "value": file}],
    }


def anchors(pins):
    return {
        "type": "data",
        "bom-ref": "ca-certificates",
        "supplier": SUPPLIER,
        "name": "ca-certificates",
        "description": "Root certificates of Amazon Trust Services",
        "licenses": licence("MPL-2.0"),
        "purl": "pkg:deb/debian/ca-certificates",
        "properties": [{"name": f"{NAME}:sha256:{name}", "value": digest} for _, name, digest, _ in pins],
    }


def tool(text):
    """A line like "gcc (Debian 12.2.0-14) 12.2.0" or "GNU ld (GNU Binutils for Debian) 2.40"."""
    name, version = re.fullmatch(r"(.*?)(?: \(.*\))? (\S+)", text).groups()
    return {"type": "application", "name": name, "version": version, "description": text}


def formula(cpu, made_by):
    """How the binary for one CPU came about: on which system, by which compiler and linker."""
    system, tools = made_by.splitlines()
    name, version, machine = system.split()
    compiler, linker = tools.split(", ")
    return {
        "bom-ref": f"build-{cpu}",
        "components": [
            {"type": "operating-system", "name": name, "version": version, "description": f"on {machine}"},
            tool(compiler),
            tool(linker),
        ],
        "properties": [{"name": f"{NAME}:cpu", "value": cpu}],
    }


def sbom(version, pins_path, binaries, made_by):
    """binaries: {CPU: bytes}; made_by: {CPU: what build/CPU/toolchain says}. Returns bytes."""
    pins = read_pins(pins_path)
    parts = [library(*pin) for pin in pins if pin[0] != "anchor"]
    parts.append(anchors([pin for pin in pins if pin[0] == "anchor"]))
    files = [{"type": "file", "name": f"{NAME} ({cpu})", "hashes": sha256(data)} for cpu, data in binaries.items()]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": NAME,
                "name": NAME,
                "version": version,
                "authors": [{"name": f"{NAME} contributors"}],
                "licenses": licence("MIT"),
                "purl": f"pkg:generic/{NAME}@{version}",
                "components": files,
            }
        },
        "components": parts,
        "formulation": [formula(cpu, made_by[cpu]) for cpu in binaries],
        "dependencies": [{"ref": NAME, "dependsOn": [part["bom-ref"] for part in parts]}],
    }
    return (json.dumps(bill, separators=(",", ":")) + "\n").encode()
