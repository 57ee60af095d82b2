#!/usr/bin/env python3
"""Packs what ./build.sh has built into an image that others copy from (COPY --from), in build/image/ with its sums:

  kinesis-telemetry-api-extension/           a layout of OCI's image specification: oci-layout, index.json, blobs/
  kinesis-telemetry-api-extension.oci.tar    the same as one file, which `docker load` and `podman load` take too
  kinesis-telemetry-api-extension.cdx.json   the bill of materials, as beside the layers

An index names an image for each CPU. Each has one layer: /opt/extensions/kinesis-telemetry-api-extension, and the
folders above it. What goes along besides, the licences, is in labels, which a copy of the files leaves behind.

The same sources give the same bytes, wherever they lie, and so the same digests. The layer is gzip, since what pushes
images compresses any other, each in its own way, by which the digests would change; and stored, which no version of a
compressor writes differently. That costs a build 100 KB of download; what is copied is compressed anew in its image.

usage: layer/image.py CPU..."""

import hashlib
import json
import shutil
import subprocess
import sys

from archive import stored_gzip, tar
from pack import RUN, READ, TOP, licences
from sbom import NAME, sbom

OUT = TOP / "build" / "image"
ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}  # as images name them
KEY = "org.opencontainers.image"
SOURCES = ["build.sh", "layer", "src", "vendor"]  # of which the bytes are made


def git(*words):
    """What git says, or None where there is no git, or no repository, as in an archive of the sources."""
    # Whoever runs this may not be who owns the folder.
    command = ["git", "--no-optional-locks", "-c", "safe.directory=*", "-C", TOP, *words]
    try:
        return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout.strip()
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None


def revision():
    """The commit that these sources are of. None if they are changed, or lie in another repository."""
    if git("rev-parse", "--show-prefix") != "" or git("status", "--porcelain", "-unormal", "--", *SOURCES) != "":
        return None
    return git("rev-parse", "--verify", "HEAD")


def about(version, commit):
    facts = {
        f"{KEY}.title": NAME,
        f"{KEY}.description": f"AWS Lambda extension that sends logs to Amazon Kinesis: copy /opt/extensions/{NAME}",
        f"{KEY}.version": version,
        f"{KEY}.licenses": "MIT",
    }
    return facts if commit is None else {**facts, f"{KEY}.revision": commit}


def as_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Blobs:
    """What the layout holds by its digest: {SHA-256: bytes}."""

    def __init__(self):
        self.files = {}

    def put(self, kind, data):
        """Returns the descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        self.files[digest] = data
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}


def put_image(blobs, cpu, binary, facts):
    """The image for one CPU: returns the descriptors of its manifest, configuration and layer."""
    folders = [("opt/", RUN, None), ("opt/extensions/", RUN, None)]
    files = tar([*folders, (f"opt/extensions/{NAME}", RUN, binary)])
    config = {
        "architecture": ARCHITECTURES[cpu],
        "os": "linux",
        "config": {"Labels": {**facts, f"{NAME}.licences": licences().decode()}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(files).hexdigest()}"]},
        "history": [{"created_by": "./build.sh image"}],
    }
    layer = blobs.put("layer.v1.tar+gzip", stored_gzip(files))
    config = blobs.put("config.v1+json", as_json(config))
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config}
    manifest = as_json({**manifest, "layers": [layer], "annotations": facts})
    return blobs.put("manifest.v1+json", manifest), config, layer


def docker_entry(tag, config, layer):
    """What Docker without containerd's image store, and podman, read in an archive (manifest.json)."""
    config, layer = (f"blobs/sha256/{one['digest'][len('sha256:'):]}" for one in (config, layer))
    return {"Config": config, "RepoTags": [f"{NAME}:{tag}"], "Layers": [layer]}


def put_index(blobs, version, images, facts):
    """images: {CPU: descriptor of a manifest}. Returns the index' descriptor, with the names of what it is."""
    manifests = [
        {**manifest, "platform": {"architecture": ARCHITECTURES[cpu], "os": "linux"}}
        for cpu, manifest in images.items()
    ]
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests}
    names = {f"{KEY}.ref.name": version, "io.containerd.image.name": f"docker.io/library/{NAME}:{version}"}
    return {**blobs.put("index.v1+json", as_json({**index, "annotations": facts})), "annotations": names}


def layout(version, binaries, facts):
    """{name: bytes} of all that the layout holds, and Docker's list of what is in it."""
    blobs = Blobs()
    images = {cpu: put_image(blobs, cpu, binary, facts) for cpu, binary in binaries.items()}
    index = put_index(blobs, version, {cpu: manifest for cpu, (manifest, *_) in images.items()}, facts)
    files = {
        "oci-layout": as_json({"imageLayoutVersion": "1.0.0"}),
        "index.json": as_json({"schemaVersion": 2, "manifests": [index]}),
        **{f"blobs/sha256/{digest}": data for digest, data in sorted(blobs.files.items())},
    }
    docker = [docker_entry(f"{version}-{cpu}", config, layer) for cpu, (_, config, layer) in images.items()]
    return files, docker, index["digest"]


def write(files, docker, bill):
    shutil.rmtree(OUT, ignore_errors=True)
    for name, data in files.items():
        path = OUT / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    folders = [("blobs/", RUN, None), ("blobs/sha256/", RUN, None)]
    entries = [(name, READ, data) for name, data in {**files, "manifest.json": as_json(docker)}.items()]
    (OUT / f"{NAME}.oci.tar").write_bytes(tar([*folders, *entries]))
    (OUT / f"{NAME}.cdx.json").write_bytes(bill)


def main(cpus):
    version = (TOP / "src" / "VERSION").read_text(encoding="ascii").strip()
    binaries = {cpu: (TOP / "build" / cpu / NAME).read_bytes() for cpu in cpus}
    made_by = {cpu: (TOP / "build" / cpu / "toolchain").read_text(encoding="utf-8") for cpu in cpus}
    commit = revision()
    files, docker, digest = layout(version, binaries, about(version, commit))
    write(files, docker, sbom(version, TOP / "vendor" / "pins", binaries, made_by))

    sums = [(hashlib.sha256(path.read_bytes()).hexdigest(), path) for path in sorted(OUT.glob("*.*"))]
    (OUT / "SHA256SUMS").write_text("".join(f"{one}  {path.name}\n" for one, path in sums), encoding="ascii")
    for one, path in sums:
        print(f"{one}  {path.relative_to(TOP)}, {path.stat().st_size} bytes")
    print(f"{NAME}:{version}@{digest}, of {f'commit {commit}' if commit else 'sources that no commit has'}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
