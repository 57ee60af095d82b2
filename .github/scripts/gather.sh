#!/bin/sh
# usage: gather.sh FOLDER
# Copies what a release has, out of layer/dist and build/image, into a new folder: the zips, the image as one file, the
# bill of materials, and SHA256SUMS of all these. Status 1 if layers and image have different bills.
set -eu
folder=$1
top=$(dirname "$0")/../..
name=kinesis-telemetry-api-extension

if ! cmp -s "$top/layer/dist/$name.cdx.json" "$top/build/image/$name.cdx.json"; then
    echo "gather.sh: the layers' bill of materials is not the image's" >&2
    exit 1
fi
mkdir "$folder"
cp "$top"/layer/dist/*.zip "$top/layer/dist/$name.cdx.json" "$top/build/image/$name.oci.tar" "$folder/"
cd "$folder"
LC_ALL=C sha256sum -- * >SHA256SUMS.new
mv SHA256SUMS.new SHA256SUMS
