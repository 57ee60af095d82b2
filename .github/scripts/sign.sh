#!/bin/sh
# usage: sign.sh FOLDER
# Signs each file of the folder by cosign, without a key of ours: the certificate names the workflow that ran. Leaves
# a file *.sigstore.json beside each: signature, certificate, and the entry in the transparency log.
set -eu
cd "$1"
for file in *; do
    case $file in *.sigstore.json) continue ;; esac
    cosign sign-blob --yes --bundle "$file.sigstore.json" "$file"
done
