#!/bin/sh
# Runs a command of build.sh in the reference system, in a root folder that is made for it and goes with it. As root, by
# mmdebstrap, from the system's own mirror. Called by layer/verify.sh.
#
# usage: vendor/chroot.sh "PACKAGE..." COMMAND [ARGUMENTS]
#
# The clone is mounted under its own path, nothing else of the machine is but devices; apt's settings about mirrors and
# proxies go along. Mounts are in a namespace that ends with its processes. The status is the command's, 3 where
# there is none to run it in.
set -eu
unset CDPATH
export LC_ALL=C
cd "$(dirname "$0")/.."
top=$PWD
packages=$1
shift

one_file_system=1
work=$(mktemp -d)
. vendor/run.sh
. vendor/apt_settings.sh

release=$(sed -n 's/^release //p' vendor/reference)
root=$work/root
apt_settings "$release" "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}"

if ! run mmdebstrap --quiet --variant=minbase --include="$(echo "$packages" | tr ' ' ,)" --aptopt="$work/apt.conf" \
    "$release" "$root" "$work"/apt/* >"$work/log" 2>&1; then
    tail -n 5 "$work/log" >&2
    echo "chroot: $release could not be made" >&2
    exit 3
fi
mkdir -p "$root$top"

# shellcheck disable=SC2016 # expanded inside
run env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root unshare --mount --pid --fork --kill-child sh -c '
    root=$1 top=$2
    shift 2
    mount --bind "$top" "$root$top" && mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" &&
        exec chroot "$root" "$top/build.sh" "$@"' sh "$root" "$top" "$@" </dev/null
