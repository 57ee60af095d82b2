#!/bin/sh
# What Lambda starts in the layer for both CPUs: every file of extensions/ is run, so the two binaries
# lie elsewhere and this script becomes the one that fits. A cold start pays for each step, so there are
# builtins only and no process; any POSIX shell will do (bash, dash, busybox ash).

# The machine's CPU as its kernel describes it, in the first few lines. Where there is no /proc, the
# loader of a C library tells.
cpu=
if [ -r /proc/cpuinfo ]; then
    while IFS= read -r line; do
        case $line in
        vendor_id*) cpu=x86_64 && break ;;
        'CPU implementer'*) cpu=arm64 && break ;;
        esac
    done </proc/cpuinfo
elif [ -e /lib64/ld-linux-x86-64.so.2 ] || [ -e /lib/ld-musl-x86_64.so.1 ]; then
    cpu=x86_64
elif [ -e /lib/ld-linux-aarch64.so.1 ] || [ -e /lib/ld-musl-aarch64.so.1 ]; then
    cpu=arm64
fi

case $0 in
*/*) folder=${0%/*} ;;
*) folder=. ;;
esac
binary=$folder/../kinesis-telemetry-api-extension/${cpu:-unknown}
if [ ! -x "$binary" ]; then
    echo "${0##*/}: nothing to start on this CPU (${cpu:-neither x86_64 nor arm64}): $binary is missing" >&2
    exit 126
fi
# Somebody else than Lambda asks for something, --check for one.
[ $# -eq 0 ] || exec "$binary" "$@"
# Lambda knows an extension by the name of the file that it started, which is this one.
exec "$binary" --name "$0"
