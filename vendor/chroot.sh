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

work=$(mktemp -d)
running=
stop() {
    status=$?
    trap - EXIT INT TERM HUP
    [ -z "$running" ] || kill "$running" 2>/dev/null || true
    wait
    rm -rf --one-file-system "$work"
    exit $status
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

run() {
    "$@" &
    running=$!
    status=0
    wait "$running" || status=$?
    running=
    return $status
}

release=$(sed -n 's/^release //p' vendor/reference)
root=$work/root
mkdir "$work/apt"
main='' parts=''
eval "$(apt-config shell main Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
for list in "$main" "${parts%/}"/*.list "${parts%/}"/*.sources; do
    [ ! -f "$list" ] || awk -v type=deb -v suite="$release" -f vendor/apt_sources.awk "$list" >"$work/apt/${list##*/}"
done
find "$work/apt" -size 0 -delete
apt-config dump | grep -E '^Acquire::(https?|ftp|Check-|Retries|ForceIPv)[^ ]* ".+";$' >"$work/apt.conf" || true
certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
grep -q '^Acquire::https::CAInfo ' "$work/apt.conf" || echo "Acquire::https::CAInfo \"$certificates\";" >>"$work/apt.conf"

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
