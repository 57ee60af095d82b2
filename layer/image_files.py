"""An image, as OCI's layout has it, in a folder or an archive: what lies in it for each CPU.

Source: OCI's image specification 1.1: image-layout.md, image-index.md, manifest.md.
"""

import gzip
import hashlib
import io
import json
import tarfile
import zlib


DOCKER = "manifest.json"  # for programs that know no OCI layout, which others leave out
MOST = 1 << 26


def tar_entries(data):
    """[(name, mode, bytes; None for a folder)]. Raises ValueError where it is no tar, or has what is neither."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            out = []
            for one in archive:
                if not (one.isfile() or one.isdir()) or one.issparse():
                    raise ValueError(f"{one.name} is neither a file nor a folder")
                out.append((one.name, one.mode, archive.extractfile(one).read() if one.isfile() else None))
            return out
    except tarfile.TarError as reason:
        raise ValueError(str(reason)) from reason


def tar_files(data):
    """{name: bytes} of its files; {} where it is no tar. The first of two with one name counts, and the other shows."""
    files = {}
    try:
        for name, _, content in tar_entries(data):
            if content is not None:
                files[f"{name} (once more)" if name in files else name] = content
    except ValueError:
        return {}
    return files


def folder_files(folder, most):
    """{name: bytes} of a folder; files above `most` bytes count as empty."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() if path.stat().st_size <= most else b"" for path in paths}


def unpacked(data):
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(data)).read(MOST)
    except (OSError, EOFError, zlib.error) as reason:
        raise ValueError(f"a layer is damaged: {reason}") from reason


class Image:
    """digest, of the index; parts {"CPU config.json": bytes, "CPU /opt/…": bytes}; modes {the same: mode}; faults."""

    def __init__(self, files):
        self.files, self.parts, self.modes, self.faults, self.used = files, {}, {}, [], set()
        self.used |= {"oci-layout", "index.json"} & set(files)
        (index,) = json.loads(files["index.json"])["manifests"]
        self.digest = index["digest"]
        for one in json.loads(self.blob(index))["manifests"]:
            self.read_manifest(one["platform"]["architecture"], json.loads(self.blob(one)))
        self.read_docker()
        self.faults += [f"{name}: belongs to no image" for name in sorted(set(files) - self.used)]

    def blob(self, descriptor):
        name = f"blobs/{descriptor['digest'].replace(':', '/')}"
        data = self.files[name]
        self.used.add(name)
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != descriptor["digest"]:
            self.faults.append(f"{name}: has not the digest by which it is called")
        return data

    def read_manifest(self, cpu, manifest):
        self.parts[f"{cpu} config.json"] = self.blob(manifest["config"])
        for layer in manifest["layers"]:
            for name, mode, content in tar_entries(unpacked(self.blob(layer))):
                name = f"{cpu} /{name}"
                if name in self.parts:
                    self.faults.append(f"{name}: is there twice")
                self.parts[name], self.modes[name] = content, mode

    def read_docker(self):
        """Its names must be blobs of the image: Docker starts from this list."""
        if DOCKER in self.files:
            self.used.add(DOCKER)
            for one in json.loads(self.files[DOCKER]):
                for name in (one["Config"], *one["Layers"]):
                    if name not in self.used:
                        self.faults.append(f"{DOCKER}: names {name}, which is not of the image")


def apart(theirs, ours):
    """(part, words; None where both have it, with other bytes)"""
    for what in dict.fromkeys([*ours.parts, *theirs.parts]):
        if what not in theirs.parts:
            yield what, "is missing"
        elif what not in ours.parts:
            yield what, "is not in the rebuilt image"
        elif (theirs.parts[what] is None) != (ours.parts[what] is None):
            yield what, "is a file" if ours.parts[what] is None else "is a folder"
        else:
            if theirs.modes.get(what) != ours.modes.get(what):
                yield what, f"mode {theirs.modes[what]:04o} instead of {ours.modes[what]:04o}"
            if theirs.parts[what] != ours.parts[what]:
                yield what, None
